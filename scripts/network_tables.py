"""Layers of a network and changes between two, as tables for people.

Three tables of few columns each fit a terminal of 80 columns whatever the kinds of layers and
neurons; one with a column for every figure would not. What all layers lack is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from lavadeploy.netx import Change, LayerSummary, NeuronKind, NeuronSummary, PlainValue, StepRange
from lavadeploy.netx.neurons import VTH_FRACTIONS
from lavadeploy.scripts.console import print_table, say, shape_text

LONG_TEXT = 24  # characters of a text from a file that a table shows; JSON has all


def show_layers(layers: Sequence[LayerSummary]) -> None:
    """Print shapes, then weights, then neurons of each layer, and the units."""
    has_kernels = any(s.kernel is not None for s in layers)
    _print_columns(
        {
            "layer": [s.name for s in layers],
            "kind": [s.kind for s in layers],
            "in (C×H×W)" if any(len(s.shape_in) == 3 for s in layers) else "in": [
                shape_text(s.shape_in) if s.sources is None else "-" for s in layers
            ],
            "out": [shape_text(s.shape_out) for s in layers],
            "neurons": [str(s.neurons or "-") for s in layers],
            "kernel (H×W)" if has_kernels else "more": [_kernel(s) for s in layers],
        }
    )
    weighted = [s for s in layers if s.weights or s.bias_min is not None]
    _print_columns(
        {
            "layer": [s.name for s in weighted],
            "weights": [str(s.weights) for s in weighted],
            "range": [_range(s.weight_min, s.weight_max) for s in weighted],
            "bits": ["-" if s.used_bits is None else str(s.used_bits) for s in weighted],
            "sparsity": [
                "-" if s.sparsity is None else f"{100 * s.sparsity:.1f} %" for s in weighted
            ],
            "bias": [_range(s.bias_min, s.bias_max) for s in weighted],
            "delay (steps)": [_range(s.delay_min, s.delay_max) for s in weighted],
        }
    )
    neurons = [(s, s.neuron) for s in layers if s.neuron is not None]
    _print_columns(
        {
            "layer": [s.name for s, _ in neurons],
            "neuron": [neuron.kind for _, neuron in neurons],
            "vth": [_threshold(neuron) for _, neuron in neurons],
            "time constants in steps (decay of 4096)": [_dynamics(neuron) for _, neuron in neurons],
            "more": [_more(s, neuron) for s, neuron in neurons],
        }
    )
    neuron_count, weight_count = sum(s.neurons for s in layers), sum(s.weights for s in layers)
    say(
        f"{neuron_count} neurons, {weight_count} weights. Weights, biases and vth in units of 1/64,"
    )
    say("bits: what the weights need once their common power of two is taken out.")


def show_changes(changes: Sequence[Change]) -> None:
    """Print a row for each change."""
    print_table(
        ("layer", "field", "before", "after", "elements"),
        [
            (
                _place(change),
                _printable(change.field).replace(".", " ", 1),  # it wraps between words
                _value(change.before),
                _value(change.after),
                _elements(change),
            )
            for change in changes
        ],
    )


def _print_columns(columns: dict[str, list[str]]) -> None:
    """Print those columns of a table that say something."""
    said = {title: cells for title, cells in columns.items() if set(cells) - {"", "-"}}
    if said:
        print_table(tuple(said), list(zip(*said.values(), strict=True)))


def _kernel(layer: LayerSummary) -> str:
    if layer.sources is not None:
        return "joins " + ", ".join(f"layer{source}" for source in layer.sources)
    if layer.kernel is None or layer.stride is None:
        return ""
    parts = [shape_text(layer.kernel), f"stride {_pair(layer.stride)}"]
    if layer.padding not in (None, (0, 0)):
        parts.append(f"padding {_pair(layer.padding)}")
    if layer.dilation not in (None, (1, 1)):
        parts.append(f"dilation {_pair(layer.dilation)}")
    if layer.groups not in (None, 1):
        parts.append(f"groups {layer.groups}")
    return ", ".join(parts)


def _pair(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else shape_text(pair)


def _threshold(neuron: NeuronSummary) -> str:
    if not neuron.vth_fraction:
        return str(neuron.vth_mantissa)
    return f"{neuron.vth_mantissa + neuron.vth_fraction / VTH_FRACTIONS:.6g}"


def _dynamics(neuron: NeuronSummary) -> str:
    parts: list[str] = []
    for state, steps in neuron.time_constants_steps.items():
        text = f"{state} {_step_range(steps)}"
        parts.append(
            text + (f" ({_range(*neuron.decays[state])})" if state in neuron.decays else "")
        )
        if state == "amplitude" and neuron.period_steps is not None:
            angle = ", ".join(f"{name} {_range(*neuron.decays[name])}" for name in ("sin", "cos"))
            parts.append(f"period {_step_range(neuron.period_steps)} ({angle})")
    return ", ".join(parts)


def _more(layer: LayerSummary, neuron: NeuronSummary) -> str:
    is_sigma_delta = neuron.kind == NeuronKind.SDNN.value
    parts = {
        "never fires": neuron.is_readout,
        f"vth step {neuron.vth_step}": neuron.vth_step is not None,
        f"refractory delay {neuron.refractory_delay}": neuron.refractory_delay not in (None, 1),
        "graded spikes": neuron.graded_spike,
        f"current / 2^{neuron.current_exponent}": neuron.current_exponent,
        f"activation {neuron.activation}": neuron.activation not in (None, "relu"),
        "sigma output": neuron.sigma_output,
        f"{neuron.message_bits}-bit messages": neuron.message_bits is not None,
        # said where it is not SLAYER's default for the kind of neuron
        "delay shift": layer.delay_shift is True and is_sigma_delta,
        "no delay shift": layer.delay_shift is False and not is_sigma_delta,
    }
    return ", ".join(text for text, applies in parts.items() if applies)


def _range(least: int | None, largest: int | None) -> str:
    if least is None:
        return "-"
    return str(least) if least == largest else f"{least}..{largest}"


def _step_range(steps: StepRange) -> str:
    texts = [_steps(value) for value in steps]
    return texts[0] if texts[0] == texts[1] else "..".join(texts)


def _steps(value: float | None) -> str:
    if value is None:
        return "∞"
    if value < 0:
        return "grows"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _place(change: Change) -> str:
    if change.layer is None or change.other_layer is None:
        return change.layer or change.other_layer or "file"
    if change.layer == change.other_layer:
        return change.layer
    return f"{change.layer} → {change.other_layer}"


def _value(value: PlainValue) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return shape_text(value)
    text = _printable(str(value))
    return text if len(text) <= LONG_TEXT else text[: LONG_TEXT - 1] + "…"


def _printable(text: str) -> str:
    """Return a text of a file so that it cannot write over the terminal."""
    return text if text.isprintable() else json.dumps(text)


def _elements(change: Change) -> str:
    """Return which elements of an array differ, or where long texts do."""
    found, before, after = change.elements, change.before, change.after
    if found is not None:
        largest = "" if found.largest is None else f" by up to {found.largest:.6g}"
        return f"{found.differing} of {found.size} differ{largest}, first at {list(found.first)}"
    if isinstance(before, str) and isinstance(after, str) and _value(before) == _value(after):
        pairs = enumerate(zip(before, after, strict=False))
        first = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
        return f"first at character {first + 1}"
    return ""
