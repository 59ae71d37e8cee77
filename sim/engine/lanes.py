"""Sixteen or eight additions, 64 comparisons, or 16 numbers to choose from, at once, for LLVM.

LLVM makes vectors of loops only behind a check that the arrays are apart and the loop is long;
kernels of convolutions add runs of a few dozen weights, for which the check takes longer than the
work. The instructions here are LLVM's own vectors: every processor has them, in as many parts as
it needs.
"""
# numba and llvmlite have no type information
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.types import Integer
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any, lanes: int) -> Any:
    """Return a pointer to some neighbouring elements of an array, as one vector."""
    data = make_array(kind)(context, builder, array).data
    element = context.get_data_type(kind.dtype)
    first = cgutils.gep_inbounds(builder, data, place)
    return builder.bitcast(first, ir.VectorType(element, lanes).as_pointer()), element


def _adds(lanes: int) -> Any:
    """Return ``add(sums, target, weights, begin)`` that adds `lanes` weights to as many sums."""

    def add(typing_context, sums, target, weights, begin):
        if not isinstance(target, Integer) or not isinstance(begin, Integer):
            raise TypeError("places are integers")

        def generate(context, builder, signature, arguments):
            kind, _, kind_of_weights, _ = signature.args
            to, element = _pointer(context, builder, kind, arguments[0], arguments[1], lanes)
            source, narrow = _pointer(
                context, builder, kind_of_weights, arguments[2], arguments[3], lanes
            )
            loaded = builder.load(source, align=narrow.width // 8)
            if narrow.width < element.width:
                loaded = builder.sext(loaded, ir.VectorType(element, lanes))
            total = builder.add(builder.load(to, align=element.width // 8), loaded)
            builder.store(total, to, align=element.width // 8)
            return context.get_dummy_value()

        return types.void(sums, target, weights, begin), generate

    return intrinsic(add)


add_sixteen = _adds(16)
add_eight = _adds(8)


def _adds_rows(lanes: int) -> Any:
    """Return ``add(sums, target, weights, begins, rows, skip)``: many neighbours' sums at once.

    The sums stay in a register while the rows, which begin at ``begins[m] + skip``, are added.
    """

    def add(typing_context, sums, target, weights, begins, rows, skip):
        if not all(isinstance(kind, Integer) for kind in (target, rows, skip)):
            raise TypeError("places are integers")

        def generate(context, builder, signature, arguments):
            kind, _, kind_of_weights, kind_of_begins, _, _ = signature.args
            to, element = _pointer(context, builder, kind, arguments[0], arguments[1], lanes)
            vector = ir.VectorType(element, lanes)
            total = cgutils.alloca_once_value(builder, builder.load(to, align=element.width // 8))
            first_of = make_array(kind_of_begins)(context, builder, arguments[3]).data
            with cgutils.for_range(builder, arguments[4]) as loop:
                begin = builder.load(cgutils.gep_inbounds(builder, first_of, loop.index))
                place = builder.add(begin, arguments[5])
                source, narrow = _pointer(
                    context, builder, kind_of_weights, arguments[2], place, lanes
                )
                loaded = builder.load(source, align=narrow.width // 8)
                if narrow.width < element.width:
                    loaded = builder.sext(loaded, vector)
                builder.store(builder.add(builder.load(total), loaded), total)
            builder.store(builder.load(total), to, align=element.width // 8)
            return context.get_dummy_value()

        return types.void(sums, target, weights, begins, rows, skip), generate

    return intrinsic(add)


add_rows_of_sixteen = _adds_rows(16)
add_rows_of_eight = _adds_rows(8)


@intrinsic
def above(typing_context, states, place, limit):
    """Return which of 64 neighbouring states are above a limit, one bit each, the first lowest."""

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        pointer, element = _pointer(context, builder, kind, arguments[0], arguments[1], 64)
        vector = ir.VectorType(element, 64)
        limits = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(limits, arguments[2], ir.IntType(32)(0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), 64), [ir.IntType(32)(0)] * 64)
        limits = builder.shuffle_vector(first, limits, order)
        loaded = builder.load(pointer, align=element.width // 8)
        return builder.bitcast(builder.icmp_signed(">", loaded, limits), ir.IntType(64))

    if limit != types.int32 or not isinstance(place, Integer):
        raise TypeError("the limit is int32 and the place an integer")
    return types.uint64(states, place, limit), generate


@intrinsic
def store_chosen(typing_context, numbers, place, first, chosen):
    """Write ``first + bit`` for each of the 16 lowest bits of `chosen` that is set, one by one.

    One instruction where the processor has it (AVX-512, SVE), else as many as there are bits.
    """

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        int32, vector = ir.IntType(32), ir.VectorType(ir.IntType(32), 16)
        data = make_array(kind)(context, builder, arguments[0]).data
        to = cgutils.gep_inbounds(builder, data, arguments[1])
        start = builder.trunc(arguments[2], int32)
        spread = builder.insert_element(ir.Constant(vector, ir.Undefined), start, int32(0))
        spread = builder.shuffle_vector(spread, spread, ir.Constant(vector, [int32(0)] * 16))
        values = builder.add(spread, ir.Constant(vector, [int32(bit) for bit in range(16)]))
        mask_type = ir.VectorType(ir.IntType(1), 16)
        mask = builder.bitcast(builder.trunc(arguments[3], ir.IntType(16)), mask_type)
        function_type = ir.FunctionType(ir.VoidType(), [vector, int32.as_pointer(), mask_type])
        store = cgutils.get_or_insert_function(
            builder.module, function_type, "llvm.masked.compressstore.v16i32"
        )
        builder.call(store, [values, to, mask])
        return context.get_dummy_value()

    if first != types.uint64 or chosen != types.uint64 or not isinstance(place, Integer):
        raise TypeError("the first number and the bits are uint64, the place an integer")
    return types.void(numbers, place, first, chosen), generate


@intrinsic
def count_bits(typing_context, bits):
    """Return how many bits of a uint64 are set."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    if bits != types.uint64:
        raise TypeError("the bits are uint64")
    return types.uint64(bits), generate
