"""Sixteen or eight additions at once, spelled for LLVM.

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
