"""Sixteen or eight additions, or 64 comparisons, at once, spelled for LLVM.

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
