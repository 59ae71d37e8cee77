"""Pass: leave only layers that chips have, and lower or refuse those they do not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...netx import (
    NEVER_FIRES,
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    LayerShapes,
    Network,
    PoolLayer,
    RecurrentLayer,
    Shape,
    UnpoolLayer,
    infer_shapes,
    layer_kind,
    size_of,
)
from ..problems import Problem, raise_problems
from ..rules_of_lowering import (
    input_layers_are_first,
    joined_layers_are_heard,
    lowered_layer_fits,
    means_are_exact,
    means_fit,
    means_meet_dense_layers,
    names_are_printable,
    names_are_unique,
    network_has_neurons,
    recurrent_neurons_are_real,
    summed_means_are_exact,
)
from ..stages import NETWORK_INPUT, LegalLayer, LegalNetwork, Lowering, neuron_of
from .kernel_matrix import as_dense, is_too_large, over_whole_image
from .lower import as_convolution
from .lower_average import mean_readout, sums_exactly, weights_of_members


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What flows from one layer of the user's network into the next.

    Attributes
    ----------
    sources : tuple of int
        The legal layers it comes from, side by side.
    shape : tuple of int
        Of what those put out, whatever flatten layers make of it.
    group : int
        Means over so many neighbours are meant; 1 for the outputs themselves.
    means : tuple of AverageLayer
        The layers that mean them.
    """

    sources: tuple[int, ...]
    shape: Shape
    group: int = 1
    means: tuple[AverageLayer, ...] = ()


@dataclass(slots=True)
class _Progress:
    """What the walk through the layers has made so far."""

    layers: list[LegalLayer] = field(default_factory=list[LegalLayer])
    lowerings: list[Lowering] = field(default_factory=list[Lowering])
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(
        self,
        layer: DenseLayer | RecurrentLayer | ConvLayer | InputLayer,
        into: Stream,
        shape_out: Shape,
    ) -> Stream:
        shapes = LayerShapes(shape_in=into.shape, shape_out=shape_out)
        self.layers.append(LegalLayer(layer=layer, shapes=shapes, sources=into.sources))
        return Stream(sources=(len(self.layers) - 1,), shape=shape_out)

    def lowered(self, layer: Layer, after: str, *, exact: bool = True) -> None:
        before = layer_kind(layer).value
        self.lowerings.append(Lowering(layer=layer.name, before=before, after=after, exact=exact))


@dataclass(frozen=True, slots=True, kw_only=True)
class Legalize:
    """Lower every layer to neurons behind dense, recurrent or convolving synapses.

    Before: any `Network`.
    After: `LegalLayer`s; the outputs of every layer are the same in every step, but for sums of
    kernels beyond 24 bits, which wrap in convolutions and not in dense layers. Poolings and
    transposed convolutions are convolutions or dense layers, flatten layers are gone (the layers
    after them take images channel slowest), means are readouts or part of the next weights, joined
    layers are several sources of one layer, readouts have the largest threshold of the chip.

    Attributes
    ----------
    input_shape : tuple of int or None
        See `infer_shapes`.
    allow_approximate : bool
        Whether lowerings may round; each that does says so (`Lowering.exact`).
    """

    input_shape: Shape | None = None
    allow_approximate: bool = False
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
        legal, problems = self.examine(network)
        raise_problems(problems)
        return legal

    def examine(self, network: Network) -> tuple[LegalNetwork, tuple[Problem, ...]]:
        """Return the layers that can be lowered, and why the others cannot."""
        shapes = infer_shapes(network, self.input_shape)
        done = _Progress()
        stream = Stream(sources=(NETWORK_INPUT,), shape=shapes[0].shape_in)
        streams: list[Stream] = []
        if isinstance(network.layers[0], InputLayer):  # what it declares holds, if sizes agree
            stream = dataclasses.replace(stream, shape=shapes[0].shape_out)
        input_shape = stream.shape
        # the layer whose outputs are the answer: flatten layers behind it change nothing
        answering = max(
            (k for k, layer in enumerate(network.layers) if not isinstance(layer, FlattenLayer)),
            default=0,
        )
        for index, (layer, shape) in enumerate(zip(network.layers, shapes, strict=True)):
            is_last = index == answering
            match layer:
                case InputLayer():
                    if layer.neuron is not None:
                        stream = done.add(layer, stream, shape.shape_out)
                    elif index > 0 and shape.shape_out != shape.shape_in:
                        done.problems.append(input_layers_are_first(layer.name, shape))
                        stream = dataclasses.replace(stream, shape=shape.shape_out)
                case FlattenLayer():
                    done.lowered(layer, "order of the next weights")
                case DenseLayer() | RecurrentLayer():
                    stream = self._dense(done, layer, stream, shape.shape_out, is_last=is_last)
                case ConvLayer():
                    stream = _image_layer(done, layer, stream, shape)
                case PoolLayer() | UnpoolLayer() | ConvTransposeLayer():
                    stream = _image_layer(done, layer, stream, shape)
                case AverageLayer():
                    group = size_of(shape.shape_in) // size_of(shape.shape_out)
                    stream = dataclasses.replace(
                        stream, group=stream.group * group, means=(*stream.means, layer)
                    )
                    if is_last:
                        stream = _mean_readout(
                            done, layer, stream, allow_approximate=self.allow_approximate
                        )
                case ConcatLayer():
                    stream = _joined(done, layer, [streams[source] for source in layer.sources])
                    if is_last and stream.sources != (len(done.layers) - 1,):
                        done.problems.append(joined_layers_are_heard(layer.name))
            streams.append(stream)
        done.problems += _bad_names(done.layers)
        done.problems += _complex_recurrence(done.layers)
        if not done.layers and not done.problems:
            done.problems.append(network_has_neurons())
        legal = LegalNetwork(
            input_shape=input_shape,
            layers=tuple(done.layers),
            lowerings=tuple(done.lowerings),
        )
        return legal, tuple(done.problems)

    def _dense(
        self,
        done: _Progress,
        layer: DenseLayer | RecurrentLayer,
        into: Stream,
        shape_out: Shape,
        *,
        is_last: bool,
    ) -> Stream:
        # in the middle of a network a layer that never fires is a mistake, which the rules name
        readable = _with_chip_threshold(layer) if is_last else layer
        if readable is not layer:
            done.lowered(layer, "dense with the largest threshold, read by its voltage")
        if into.group == 1:
            return done.add(readable, into, shape_out)
        shapes = LayerShapes(shape_in=(size_of(into.shape),), shape_out=shape_out)
        if is_too_large(shapes):
            done.problems.append(means_fit(layer.name, shapes))
            return Stream(sources=into.sources, shape=shape_out)
        weight, weight_imag, exact = weights_of_members(readable, into.group)
        if not (exact or self.allow_approximate):
            done.problems.append(means_are_exact(layer.name, into.group))
        for average in into.means:
            done.lowered(average, f"weights divided by {into.group}", exact=exact)
        summed = dataclasses.replace(readable, weight=weight, weight_imag=weight_imag)
        return done.add(summed, dataclasses.replace(into, group=1, means=()), shape_out)


def _image_layer(
    done: _Progress,
    layer: ConvLayer | PoolLayer | UnpoolLayer | ConvTransposeLayer,
    into: Stream,
    shape: LayerShapes,
) -> Stream:
    nothing = Stream(sources=into.sources, shape=shape.shape_out)
    if into.group > 1:
        found = f"takes means of {into.group} neurons"
        remedy = "Use a pooling, which sums, in place of the average."
        done.problems.append(means_meet_dense_layers(layer.name, found, remedy))
        return nothing
    if isinstance(layer, ConvLayer):
        return done.add(layer, into, shape.shape_out)
    convolution = as_convolution(layer, shape.shape_in)
    if convolution is not None:
        done.lowered(layer, f"convolution in {convolution.groups} groups")
        return done.add(convolution, into, shape.shape_out)
    if is_too_large(shape):
        done.problems.append(lowered_layer_fits(layer.name, shape))
        return nothing
    matrix = as_dense(layer, shape)
    if size_of(shape.shape_out[1:]) == 1:  # NetX has no dense layers with images of one pixel
        done.lowered(layer, "convolution over the whole image")
        return done.add(over_whole_image(matrix, shape), into, shape.shape_out)
    done.lowered(layer, "dense")
    return done.add(matrix, into, shape.shape_out)


def _mean_readout(
    done: _Progress, layer: AverageLayer, into: Stream, *, allow_approximate: bool
) -> Stream:
    inputs = size_of(into.shape)
    shapes = LayerShapes(shape_in=(inputs,), shape_out=(inputs // into.group,))
    if is_too_large(shapes):
        done.problems.append(means_fit(layer.name, shapes))
        return dataclasses.replace(into, group=1, shape=shapes.shape_out)
    summed = mean_readout(layer.name, inputs, into.group)
    fired = [neuron_of(done.layers[source]) for source in into.sources if source >= 0]
    exact = all(sums_exactly(neuron, summed) for neuron in fired)
    if not (exact or allow_approximate):
        done.problems.append(summed_means_are_exact(layer.name, into.group))
    done.lowered(layer, f"dense readout of sums over {into.group}", exact=exact)
    return done.add(summed, dataclasses.replace(into, group=1), summed.shape)


def _joined(done: _Progress, layer: ConcatLayer, parts: list[Stream]) -> Stream:
    sources = tuple(source for part in parts for source in part.sources)
    done.lowered(layer, f"sum over {len(sources)} sources")
    if any(part.group > 1 for part in parts):
        found, remedy = "joins means with other outputs", "Average behind the last layer."
        done.problems.append(means_meet_dense_layers(layer.name, found, remedy))
    if len({part.shape[1:] for part in parts}) == 1:
        shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    else:  # flattened images of several sizes
        shape = (sum(size_of(part.shape) for part in parts),)
    return Stream(sources=sources, shape=shape)


def _with_chip_threshold(
    layer: DenseLayer | RecurrentLayer,
) -> DenseLayer | RecurrentLayer:
    """Return a layer that never fires with the largest threshold that registers hold."""
    neuron = layer.neuron
    if not isinstance(neuron, CubaNeuron) or neuron.vth_mantissa <= NEVER_FIRES:
        return layer
    return dataclasses.replace(layer, neuron=dataclasses.replace(neuron, vth_mantissa=NEVER_FIRES))


def _bad_names(layers: list[LegalLayer]) -> Iterator[Problem]:
    names = [legal.layer.name for legal in layers]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield names_are_unique(name, names.count(name))
        if not name or not name.isprintable():
            yield names_are_printable(name)


def _complex_recurrence(layers: list[LegalLayer]) -> Iterator[Problem]:
    for layer in (legal.layer for legal in layers):
        if isinstance(layer, RecurrentLayer) and (
            layer.weight_imag is not None or layer.bias_imag is not None
        ):
            yield recurrent_neurons_are_real(layer.name)
