"""Pass: leave only layers that the chip has."""

from __future__ import annotations

from dataclasses import dataclass

from ...netx import (
    ConvLayer,
    ConvTransposeLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    LayerShapes,
    Network,
    Neuron,
    PoolLayer,
    Shape,
    UnpoolLayer,
    UnsupportedNetworkError,
    infer_shapes,
    layer_kind,
)
from ..stages import LegalNetwork
from .lower import as_convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Legalize:
    """Take out layers that compute nothing, lower or refuse those the chip does not have.

    Before: input, conv, flatten, dense, and what `as_convolution` can lower.
    After: conv, dense; the order of a convolution's neurons, channel slowest, is kept.

    Attributes
    ----------
    input_shape : tuple of int or None
        See `infer_shapes`.
    """

    input_shape: Shape | None = None
    name: str = "legalize"

    def run(self, network: Network) -> LegalNetwork:
        """Return the legal network.

        Raises
        ------
        UnsupportedNetworkError
            With every layer that cannot be lowered.
        NetxFormatError
            When the layers do not fit each other.
        """
        shapes = infer_shapes(network, self.input_shape)
        problems: list[str] = []
        kept: list[DenseLayer | ConvLayer] = []
        kept_shapes: list[LayerShapes] = []
        incoming = shapes[0].shape_in
        for layer, shape in zip(network.layers, shapes, strict=True):
            match layer:
                case InputLayer():
                    if layer.neuron is not None:
                        problems.append(
                            f"{layer.name}: an input layer with neurons cannot be compiled by this "
                            "version. Feed the spikes of that layer as input and export without it."
                        )
                case FlattenLayer():
                    pass
                case DenseLayer() | ConvLayer():
                    problems += _neuron_problems(layer.name, layer.neuron)
                    kept.append(layer)
                    # what really comes in: a convolution's (C, H, W), not what flatten made of it
                    kept_shapes.append(LayerShapes(shape_in=incoming, shape_out=shape.shape_out))
                    incoming = shape.shape_out
                case PoolLayer() | UnpoolLayer() | ConvTransposeLayer():
                    problems += _neuron_problems(layer.name, layer.neuron)
                    lowered = as_convolution(layer, shape.shape_in)
                    if lowered is None:
                        problems.append(
                            f"{layer.name}: this '{layer_kind(layer).value}' layer is no "
                            "convolution of its image, and other forms cannot be compiled by this "
                            "version. Use a pooling whose stride is its kernel, or a ConvT without "
                            "stride."
                        )
                        continue
                    kept.append(lowered)
                    kept_shapes.append(LayerShapes(shape_in=incoming, shape_out=shape.shape_out))
                    incoming = shape.shape_out
                case _:
                    problems.append(
                        f"{layer.name}: layers of kind '{layer_kind(layer).value}' cannot be "
                        "compiled by this version; they can be read, inspected and written."
                    )
        names = [layer.name for layer in kept]
        problems += [
            f"{name}: {names.count(name)} layers have this name. Give each its own."
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if not kept and not problems:
            problems.append("the network has no dense or convolution layer, so there is no neuron.")
        if problems:
            raise UnsupportedNetworkError(problems)
        return LegalNetwork(
            input_shape=shapes[0].shape_in, layers=tuple(kept), shapes=tuple(kept_shapes)
        )


def _neuron_problems(name: str, neuron: Neuron) -> list[str]:
    if not isinstance(neuron, CubaNeuron):
        kind = neuron.kind.value
        return [f"{name}: {kind} neurons cannot be compiled by this version. Train with CUBA."]
    problems: list[str] = []
    if neuron.refractory_delay != 1:
        problems.append(
            f"{name}: refractory delay {neuron.refractory_delay}; only 1 (none) can be compiled by "
            "this version. Train without a refractory period."
        )
    if neuron.graded_spike:
        problems.append(
            f"{name}: CUBA neurons with graded spikes cannot be compiled by this version. "
            "Train with graded_spike=False."
        )
    if neuron.current_exponent:
        problems.append(
            f"{name}: a current divided by 2**{neuron.current_exponent} (WgtScaleBatchNorm) cannot "
            "be compiled by this version. Train with MeanOnlyBatchNorm."
        )
    return problems
