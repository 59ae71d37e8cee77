"""Random layers and neurons for `random_networks`: every form that a compiled network can have."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from lavadeploy.netx import (
    NEVER_FIRES,
    AdaptiveResonatorNeuron,
    AlifNeuron,
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Neuron,
    NeuronKind,
    PoolLayer,
    RecurrentLayer,
    ResonatorNeuron,
    Shape,
    SigmaDeltaNeuron,
    UnpoolLayer,
    is_complex,
    size_of,
)
from lavadeploy.netx.kernel_sizes import kernel_output_size

IntArray = NDArray[np.int32]

# What backends may lack, each drawn only where a backend has it.
KINDS = tuple(kind.value for kind in NeuronKind if kind is not NeuronKind.LOIHI)
GRADED, REFRACTORY, DIVIDED = "graded", "refractory", "divided"
INPUT_NEURONS, RECURRENT, JOINED = "neurons at the input", "recurrent", "several sources"
ALL_FORMS = (*KINDS, GRADED, REFRACTORY, DIVIDED, INPUT_NEURONS, RECURRENT, JOINED)

# More often those that reach edges; silence spreads to the layers behind.
MANNERS = (*("plain", "ties", "full", "saturated") * 3, "silent")
TIE = 2  # weights and thresholds that tie are multiples of this
RESONATORS = (NeuronKind.RF, NeuronKind.RF_IZ, NeuronKind.ADRF, NeuronKind.ADRF_IZ)
# Decays at their ends, and between.
DECAYS = np.array([4096, 0, 1024, 1, 4095, 205], dtype=np.int32)
# Sine and cosine: no turn, a quarter, an ordinary one, a decaying one, backwards.
TURNS = ((0, 4096), (4096, 0), (2287, 3148), (1000, 2000), (-2896, 2896))
BIGGEST_BIAS = 4095


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Where random things come from.

    Attributes
    ----------
    draw : callable
        Hypothesis's.
    rng : numpy Generator
        For arrays.
    forms : frozenset of str
        Those of `ALL_FORMS` that may be drawn.
    """

    draw: st.DrawFn
    rng: np.random.Generator
    forms: frozenset[str]

    def one_of(self, *choices: Any) -> Any:
        return self.draw(_choice(choices))

    def maybe(self, form: str | None = None) -> bool:
        """Draw whether to do something, which may be of a form that is not wanted."""
        return (form is None or form in self.forms) and self.draw(_BOOLEANS)


_BOOLEANS = st.booleans()


@functools.cache  # thousands of networks ask for the same few choices
def _choice(choices: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(choices)


def input_layer(drawn: Drawn) -> InputLayer:
    sizes = st.integers(1, 5)
    shape: Shape = (drawn.draw(sizes),)
    if drawn.one_of(False, True, True):
        shape = (drawn.draw(st.integers(1, 3)), drawn.draw(sizes), drawn.draw(sizes))
    if not drawn.maybe(INPUT_NEURONS):
        return InputLayer(name="layer0", shape=shape)
    return InputLayer(
        name="layer0",
        shape=shape,
        weight=drawn.one_of(64, 2, -30),
        bias=drawn.one_of(None, 0, 34, -200),
        neuron=_neuron(drawn, drawn.one_of(*MANNERS), shape[0]),
        delay_shift=drawn.one_of(None, True, False),
    )


def next_layers(drawn: Drawn, layers: list[Layer], shapes: list[Shape]) -> None:
    """Append a layer with neurons, and before it what only stands with one."""
    shape = shapes[-1]
    is_image = len(shape) == 3
    if is_image and drawn.one_of(False, True, True):
        layer = _kernel(drawn, _name(layers), shape)
        _append(layers, shapes, layer, layer.shape)
        return
    before = ["nothing", "average"] + ["flatten"] * is_image + ["concat"] * (JOINED in drawn.forms)
    match drawn.one_of(*before):
        case "average":
            parts = [n for n in range(1, size_of(shape) + 1) if size_of(shape) % n == 0]
            size = drawn.one_of(*parts)
            _append(layers, shapes, AverageLayer(name=_name(layers), shape=(size, 1, 1)), (size,))
        case "flatten":
            size = size_of(shape)
            _append(layers, shapes, FlattenLayer(name=_name(layers), shape=(size, 1, 1)), (size,))
        case "concat":
            alike = [k for k, other in enumerate(shapes) if other[1:] == shape[1:]]
            chosen = drawn.draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2))
            sources = (*chosen, len(shapes) - 1)
            joined = (sum(shapes[k][0] for k in sources), *shape[1:])
            layer = ConcatLayer(name=_name(layers), shape=joined, sources=sources)
            _append(layers, shapes, layer, joined)
            if is_image and drawn.maybe():
                heard = _conv(drawn, _name(layers), joined)
                _append(layers, shapes, heard, heard.shape)
                return
        case _:
            pass
    layer = _dense(drawn, _name(layers), size_of(shapes[-1]))
    _append(layers, shapes, layer, layer.shape)


def _name(layers: list[Layer]) -> str:
    return f"layer{len(layers)}"


def _append(layers: list[Layer], shapes: list[Shape], layer: Layer, shape: Shape) -> None:
    layers.append(layer)
    shapes.append(shape)


def _dense(drawn: Drawn, name: str, n_in: int) -> DenseLayer | RecurrentLayer:
    size = drawn.draw(st.integers(1, 6))
    if not drawn.maybe(RECURRENT):
        return DenseLayer(name=name, shape=(size,), **_synapses(drawn, size, size, n_in))
    manner = drawn.one_of(*MANNERS)
    fields = _synapses(drawn, size, size, n_in, is_real=True)
    back = _weight(drawn, manner, size, size)
    return RecurrentLayer(name=name, shape=(size,), weight_rec=back, **fields)


def _kernel(drawn: Drawn, name: str, shape: Shape) -> Any:
    match drawn.one_of("conv", "conv", "conv", "pool", "unpool", "convT"):
        case "conv":
            return _conv(drawn, name, shape)
        case "convT":
            groups = drawn.one_of(1, shape[0])
            out = drawn.draw(st.integers(1, 2))
            kernel = _pair(drawn, 2)
            fields = _synapses(drawn, groups * out, shape[0], out, *kernel)
            return _fitted(ConvTransposeLayer, drawn, name, shape, groups=groups, **fields)
        case kind:
            # windows next to each other, or any
            kernel = _pair(drawn, 2)
            fields = _synapses(drawn, shape[0], 1, 1, *kernel)
            made: Any = PoolLayer if kind == "pool" else UnpoolLayer
            return _fitted(made, drawn, name, shape, **fields)


def _conv(drawn: Drawn, name: str, shape: Shape) -> ConvLayer:
    groups = drawn.one_of(1, shape[0])
    channels = groups * drawn.draw(st.integers(1, 3))
    kernel = _pair(drawn, 3)
    fields = _synapses(drawn, channels, channels, shape[0] // groups, *kernel)
    return _fitted(ConvLayer, drawn, name, shape, groups=groups, **fields)


def _pair(drawn: Drawn, most: int) -> tuple[int, int]:
    numbers = st.integers(1, most)
    return drawn.draw(numbers), drawn.draw(numbers)


def _fitted(made: Any, drawn: Drawn, name: str, shape: Shape, **fields: Any) -> Any:
    """Return a layer with a geometry under which something comes out."""
    channels = fields.pop("channels")
    layer = made(
        name=name,
        shape=(channels, 1, 1),
        stride=_pair(drawn, 3),
        padding=(drawn.draw(st.integers(0, 2)), drawn.draw(st.integers(0, 2))),
        dilation=_pair(drawn, 2),
        **fields,
    )
    plain = {"stride": layer.kernel_size, "padding": (0, 0), "dilation": (1, 1)}
    for changes in ({}, plain, plain | {"padding": (2, 2)}):
        tried = dataclasses.replace(layer, **changes)
        try:
            size = kernel_output_size(tried, shape[1], shape[2])
        except ValueError:
            continue
        if min(size) >= 1:
            return dataclasses.replace(tried, shape=(channels, *size))
    raise AssertionError("padding of 2 makes room for every kernel")


def _synapses(drawn: Drawn, channels: int, *shape: int, is_real: bool = False) -> dict[str, Any]:
    manner = drawn.one_of(*MANNERS)
    neuron = _neuron(drawn, manner, channels, is_real=is_real)
    fields: dict[str, Any] = {
        "weight": _weight(drawn, manner, *shape),
        "neuron": neuron,
        "delay_shift": drawn.one_of(None, True, False),
    }
    if len(shape) == 4:
        fields["channels"] = channels
    if is_complex(neuron):
        fields["weight_imag"] = _weight(drawn, manner, *shape)
    biases = ("bias", "bias_imag") if is_complex(neuron) else ("bias",)
    for name in biases:
        most = 0 if manner == "ties" else drawn.one_of(0, 0, 20, BIGGEST_BIAS)
        if most:
            fields[name] = drawn.rng.integers(-most, most + 1, channels, dtype=np.int32)
    longest = drawn.one_of(*[0] * 6, 3, 3, 62)
    if longest:
        fields["delay"] = drawn.rng.integers(0, longest + 1, channels, dtype=np.int32)
    return fields


def _weight(drawn: Drawn, manner: str, *shape: int) -> IntArray:
    rng = drawn.rng
    match manner:
        case "ties":
            return (rng.integers(-1, 4, shape) * TIE).astype(np.int32)
        case "full":
            weight = rng.integers(-128, 128, shape) * 2
            sign = drawn.one_of("mixed", "excitatory", "mixed", "excitatory", "inhibitory")
            if sign != "mixed":
                weight = np.abs(weight).clip(0, 254) * (1 if sign == "excitatory" else -1)
            return weight.astype(np.int32)
        case "saturated":
            return rng.integers(50, 128, shape).astype(np.int32)
        case "silent":
            return (-rng.integers(0, 20, shape)).astype(np.int32)
        case _:
            return (rng.integers(-30, 40, shape)).astype(np.int32)


def _neuron(drawn: Drawn, manner: str, channels: int, *, is_real: bool = False) -> Neuron:
    kinds = [NeuronKind(name) for name in KINDS if name in drawn.forms]
    if is_real:
        kinds = [kind for kind in kinds if kind not in RESONATORS]
    kind = drawn.one_of(*kinds, *kinds[:1])  # the first is CUBA, of which there is most to try
    is_tie = manner == "ties"
    vth = _threshold(drawn, manner)
    graded = not is_tie and drawn.maybe(GRADED)
    if kind is NeuronKind.SDNN:
        return SigmaDeltaNeuron(
            vth_mantissa=vth,
            vth_fraction=0 if is_tie else drawn.one_of(0, 1000),
            activation="relu",
            sigma_output=drawn.maybe(),
        )
    common: dict[str, Any] = {"vth_mantissa": vth, "graded_spike": graded}
    if kind in RESONATORS:
        turns = np.array(TURNS[: 2 if is_tie else None], dtype=np.int32)
        chosen: Any = drawn.draw(st.integers(0, len(turns) - 1))
        if drawn.maybe():
            chosen = drawn.rng.integers(0, len(turns), channels)
        common |= {"sin_decay": turns[chosen, 0], "cos_decay": turns[chosen, 1]}
    else:
        common |= _decays(drawn, manner, channels, "current_decay", "voltage_decay")
        divided = drawn.one_of(1, -2, 3) if not is_tie and drawn.maybe(DIVIDED) else 0
        common["current_exponent"] = divided
    if kind in (NeuronKind.ALIF, NeuronKind.ADRF, NeuronKind.ADRF_IZ):
        common |= _decays(drawn, manner, channels, "threshold_decay", "refractory_decay")
        common["vth_step"] = drawn.one_of(0, 5, 3000, 131071)
    match kind:
        case NeuronKind.CUBA:
            late = drawn.one_of(1, 2, 5, 63) if drawn.maybe(REFRACTORY) else 1
            return CubaNeuron(refractory_delay=late, **common)
        case NeuronKind.ALIF:
            return AlifNeuron(**common)
        case NeuronKind.RF | NeuronKind.RF_IZ:
            return ResonatorNeuron(kind=kind, **common)
        case _:
            return AdaptiveResonatorNeuron(kind=kind, **common)


def _threshold(drawn: Drawn, manner: str) -> int:
    match manner:
        case "ties":
            return TIE * drawn.one_of(1, 2, 3, 0)
        case "full":
            return drawn.one_of(80, 200, 80, 200, 4096, NEVER_FIRES - 1, NEVER_FIRES)
        case "saturated":
            return drawn.one_of(0, 1)
        case "silent":
            return drawn.one_of(1000, NEVER_FIRES)
        case _:
            return drawn.one_of(20, 60, 200)


def _decays(drawn: Drawn, manner: str, channels: int, *names: str) -> dict[str, IntArray]:
    allowed = DECAYS[:2] if manner == "ties" else DECAYS
    if drawn.maybe():
        return {name: drawn.rng.choice(allowed, channels) for name in names}
    return {name: np.array(drawn.one_of(*allowed.tolist()), dtype=np.int32) for name in names}
