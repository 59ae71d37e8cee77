"""What no chip can take, whatever its profile: one function for each refusal of `Legalize`.

The docstring of a function is the sentence that SUPPORTED.md shows.
"""

from __future__ import annotations

from collections.abc import Callable

from ..netx import LayerShapes, size_of
from .problems import NETWORK, Problem


def means_are_exact(layer: str, group: int) -> Problem:
    """Weights behind an average layer divide by the number of neurons averaged, or are rounded."""
    return Problem(
        layer=layer,
        found=f"weights that {group} does not divide, on means of {group} neurons",
        allowed="chips sum what fires, and weights are whole",
        remedy="Use weights that it divides, average behind the last layer, or allow rounding "
        "with --allow-approximate.",
        rule="means_are_exact",
    )


def summed_means_are_exact(layer: str, group: int) -> Problem:
    """A last average layer sums spikes, or payloads whose sums a voltage holds, or they are cut."""
    return Problem(
        layer=layer,
        found=f"sums of payloads finer than voltages, over {group} neurons",
        allowed="voltages are whole in 1/4096",
        remedy="Average what the layer before it sends on the host, or allow cutting with "
        "--allow-approximate.",
        rule="summed_means_are_exact",
    )


def means_meet_dense_layers(layer: str, found: str, remedy: str) -> Problem:
    """An average layer is followed by a dense layer, or is the last."""
    return Problem(
        layer=layer,
        found=found,
        allowed="only dense layers take means",
        remedy=remedy,
        rule="means_meet_dense_layers",
    )


def lowered_layer_fits(layer: str, shapes: LayerShapes) -> Problem:
    """A pooling, unpooling or transposed convolution that is no convolution fits a matrix."""
    inputs, outputs = size_of(shapes.shape_in), size_of(shapes.shape_out)
    return Problem(
        layer=layer,
        found=f"is no convolution, and as a dense layer has {inputs} x {outputs} weights",
        allowed="no chip holds as many",
        remedy="Use a pooling whose stride is its kernel, or a ConvT without stride.",
        rule="lowered_layer_fits",
    )


def joined_layers_are_heard(layer: str) -> Problem:
    """A concat layer is followed by a dense layer or a convolution."""
    return Problem(
        layer=layer,
        found="joins layers, and nothing stands behind it",
        allowed="the last layer with neurons answers alone",
        remedy="Put a dense layer behind it, or leave it out and read the spikes of its sources.",
        rule="joined_layers_are_heard",
    )


def input_layers_are_first(layer: str, shapes: LayerShapes) -> Problem:
    """An input layer behind other layers declares the shape that comes in."""
    return Problem(
        layer=layer,
        found=f"an input layer declares {shapes.shape_out} where {shapes.shape_in} comes in",
        allowed="only the first layer declares a shape",
        remedy="Leave it out.",
        rule="input_layers_are_first",
    )


def means_fit(layer: str, shapes: LayerShapes) -> Problem:
    """The weights that stand for means fit a matrix."""
    inputs, outputs = size_of(shapes.shape_in), size_of(shapes.shape_out)
    return Problem(
        layer=layer,
        found=f"means of {inputs} neurons as a dense layer have {inputs} x {outputs} weights",
        allowed="no chip holds as many",
        remedy="Use a pooling or a strided convolution before.",
        rule="means_fit",
    )


def names_are_unique(layer: str, count: int) -> Problem:
    """Every layer has a name of its own."""
    return Problem(
        layer=layer,
        found=f"{count} layers have this name",
        allowed="names tell layers apart",
        remedy="Give each its own.",
        rule="names_are_unique",
    )


def names_are_printable(layer: str) -> Problem:
    """A layer's name can be printed, and is not empty: it is a path in artifacts."""
    return Problem(
        layer=repr(layer),
        found="its name is empty or cannot be printed",
        allowed="names stand in artifacts and reports",
        remedy="Give it another, such as layer0.",
        rule="names_are_printable",
    )


def recurrent_neurons_are_real(layer: str) -> Problem:
    """A recurrent layer has no weights or biases to an imaginary part: SLAYER trains none."""
    return Problem(
        layer=layer,
        found="a recurrent layer with weights or biases to the imaginary part",
        allowed="neither SLAYER nor Lava have one",
        remedy="Use a recurrent layer of CUBA or ALIF neurons, or resonators without recurrence.",
        rule="recurrent_neurons_are_real",
    )


def network_has_neurons() -> Problem:
    """A network has at least one layer with neurons."""
    return Problem(
        layer=NETWORK,
        found="no layer with neurons",
        allowed="a chip computes with neurons",
        remedy="Add a dense or convolution layer.",
        rule="network_has_neurons",
    )


REFUSALS: tuple[Callable[..., Problem], ...] = (
    means_meet_dense_layers,
    means_are_exact,
    summed_means_are_exact,
    lowered_layer_fits,
    means_fit,
    joined_layers_are_heard,
    input_layers_are_first,
    names_are_unique,
    names_are_printable,
    recurrent_neurons_are_real,
    network_has_neurons,
)
