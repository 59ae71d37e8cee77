"""Sizes of images that kernels make; torch's formulas, and SLAYER's stacking of pooled channels."""

from __future__ import annotations

from .layers import ConvTransposeLayer, KernelLayer, PoolLayer, UnpoolLayer


def correlation_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return the output size of a convolution along one axis; torch's formula, rounded down."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def transposed_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return the output size of a transposed convolution along one axis; torch's formula."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1


def kernel_output_size(layer: KernelLayer, height: int, width: int) -> tuple[int, int]:
    """Return (height, width) of one channel's output.

    Parameters
    ----------
    layer : KernelLayer
        Convolution, transposed convolution, pooling or unpooling.
    height, width : int
        Of the input image.

    Returns
    -------
    tuple of int
        Smaller than 1 where the kernel does not fit.

    Raises
    ------
    ValueError
        When a pooling's rows cannot be cut into the channels they came from; SLAYER lays channels
        below each other (see `PoolLayer`).
    """
    formula = transposed_size if _is_transposed(layer) else correlation_size
    if isinstance(layer, PoolLayer):
        height, width = (n + n % k for n, k in zip((height, width), layer.kernel_size, strict=True))
    sizes = [height, width]
    if isinstance(layer, PoolLayer | UnpoolLayer):
        sizes[0] *= layer.shape[0]
    out = [
        formula(size, kernel, stride, padding, dilation)
        for size, kernel, stride, padding, dilation in zip(
            sizes, layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True
        )
    ]
    if isinstance(layer, PoolLayer | UnpoolLayer):
        if out[0] % layer.shape[0]:
            raise ValueError(f"{out[0]} rows cannot be cut into {layer.shape[0]} channels")
        out[0] //= layer.shape[0]
    return (out[0], out[1])


def _is_transposed(layer: KernelLayer) -> bool:
    return isinstance(layer, ConvTransposeLayer | UnpoolLayer)
