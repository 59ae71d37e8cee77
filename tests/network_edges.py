"""Which edges of the arithmetic and which forms of layers a random run reaches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from random_networks import RandomRun

from lavadeploy.compile import (
    NETWORK_INPUT,
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    bias_leads,
)
from lavadeploy.compile.chip_to_netx import as_netx
from lavadeploy.netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    InputLayer,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    SynapticLayer,
)
from lavadeploy.sim import LayerRun, run_network

LIMIT = 1 << 23
EDGES = frozenset(
    {
        "CUBA: current wrapped",
        "CUBA: current beyond 24 bits after its one wrap",
        "CUBA: payload at the upper edge",
        "CUBA: voltage at its lower edge",
        "CUBA: voltage at the threshold",
        "CUBA: fired again right after its refractory period",
        "ALIF: voltage at its upper edge",
        "ALIF: voltage at its lower edge",
        "ALIF: fired at the threshold",
        "ALIF: a term at its upper edge",
        "resonator: a part at its upper edge",
        "resonator: a part at its lower edge",
        "resonator: fired at the threshold",
        "resonator: a term at its upper edge",
        "SDNN: sum beyond 24 bits",
        "SDNN: sum wrapped",
        "SDNN: change at the threshold",
        "SDNN: change below the threshold",
        "sum of a kernel wrapped",
        "silent layer",
        "saturated layer",
        "delay beyond the sample",
        "bias before the input",
        "payloads and spikes joined",
        "negative payload",
    }
)


def edges_of(run: RandomRun) -> set[str]:
    """Return which of `EDGES` a run reaches, and the forms of its layers."""
    network = as_netx(run.compiled.network)
    with_neurons = [
        k
        for k, layer in enumerate(network.layers)
        if isinstance(layer, SynapticLayer) or (isinstance(layer, InputLayer) and layer.neuron)
    ]
    all_runs = run_network(network, run.inputs.spikes)
    runs = [all_runs[k] for k in with_neurons]
    found: set[str] = set()
    for layer, lead, ran in zip(
        run.compiled.network.layers, bias_leads(run.compiled.network), runs, strict=True
    ):
        found.update(_of_layer(layer, ran))
        found.add(f"{layer.neuron.kind.value} {_form(layer)}")
        units = {runs[s].unit for s in layer.sources if s != NETWORK_INPUT}
        if len(units) + (NETWORK_INPUT in layer.sources) > 1 and len(units | {1}) > 1:
            found.add("payloads and spikes joined")
        if lead and not isinstance(layer, ChipInput) and layer.bias is not None:
            found.add("bias before the input")
    return found


def _form(layer: ChipLayer) -> str:
    match layer:
        case ChipInput():
            return "input"
        case ChipConv():
            return "conv"
        case ChipDense():
            return "dense" if layer.weights_rec is None else "recurrent"


def _of_layer(layer: ChipLayer, ran: LayerRun) -> Iterator[str]:
    fired = ran.output != 0
    steps = fired.shape[-1]
    delay = None if isinstance(layer, ChipInput) else layer.delay
    if not fired.any():
        yield "silent layer"
    if fired.all() and steps > 2:
        yield "saturated layer"
    if delay is not None and int(delay.max()) >= steps:
        yield "delay beyond the sample"
    if isinstance(layer, ChipConv) and ran.overflows:
        yield "sum of a kernel wrapped"
    if (ran.output < 0).any():
        yield "negative payload"
    is_late = delay is not None and bool(delay.any())
    match layer.neuron:
        case CubaNeuron():
            yield from _of_cuba(layer.neuron, ran, is_late=is_late)
        case AlifNeuron():
            yield from _at_edges("ALIF: voltage", ran, "voltage")
            yield from _of_terms("ALIF", layer.neuron, ran, "voltage", is_late=is_late)
        case ResonatorNeuron() | AdaptiveResonatorNeuron():
            yield from _at_edges("resonator: a part", ran, "real", "imag")
            if layer.neuron.kind is NeuronKind.RF and not is_late:
                ties = ran.states["real"] == layer.neuron.vth_mantissa << 6
                if layer.neuron.vth_mantissa and (ties & fired).any():
                    yield "resonator: fired at the threshold"
            if isinstance(layer.neuron, AdaptiveResonatorNeuron):
                part = "real" if layer.neuron.kind is NeuronKind.ADRF else "imag"
                yield from _of_terms("resonator", layer.neuron, ran, part, is_late=is_late)
        case SigmaDeltaNeuron():
            yield from _of_sigma_delta(layer.neuron, ran)


def _of_cuba(neuron: CubaNeuron, ran: LayerRun, *, is_late: bool) -> Iterator[str]:
    current, voltage = (ran.states[name].astype(np.int64) for name in ("current", "voltage"))
    at_edge = bool((np.abs(voltage) == LIMIT - 1).any())
    if ran.overflows and not at_edge:
        yield "CUBA: current wrapped"
    if (np.abs(current) > LIMIT).any():
        yield "CUBA: current beyond 24 bits after its one wrap"
    if (voltage == 1 - LIMIT).any():
        yield "CUBA: voltage at its lower edge"
    # a neuron that fires is reset, so one that stands at its threshold did not
    if neuron.vth_mantissa > 0 and (voltage == neuron.vth_mantissa << 6).any():
        yield "CUBA: voltage at the threshold"
    fired, late = ran.output != 0, neuron.refractory_delay
    if (
        1 < late < fired.shape[-1]
        and not is_late
        and (fired[..., late:] & fired[..., :-late]).any()
    ):
        yield "CUBA: fired again right after its refractory period"
    # a voltage at its upper edge is beyond every threshold: it fires, and is seen in its payload
    if (ran.output == LIMIT - 1).any():
        yield "CUBA: payload at the upper edge"


def _at_edges(what: str, ran: LayerRun, *names: str) -> Iterator[str]:
    for name in names:
        if (ran.states[name] == LIMIT - 1).any():
            yield f"{what} at its upper edge"
        if (ran.states[name] == 1 - LIMIT).any():
            yield f"{what} at its lower edge"


def _of_terms(
    what: str,
    neuron: AlifNeuron | AdaptiveResonatorNeuron,
    ran: LayerRun,
    compared: str,
    *,
    is_late: bool,
) -> Iterator[str]:
    threshold, refractory, state = (
        ran.states[name].astype(np.int64) for name in ("threshold", "refractory", compared)
    )
    if (threshold == LIMIT - 1).any() or (refractory == LIMIT - 1).any():
        yield f"{what}: a term at its upper edge"
    # a spike raised both terms after the comparison, the second by twice the first
    before = threshold - (neuron.vth_step << 6)
    limit = before + refractory - 2 * before
    if not is_late and ((state == limit) & (ran.output != 0) & (state != 0)).any():
        yield f"{what}: fired at the threshold"


def _of_sigma_delta(neuron: SigmaDeltaNeuron, ran: LayerRun) -> Iterator[str]:
    sigma = ran.states.get("sigma")
    if sigma is not None and (np.abs(sigma.astype(np.int64)) > LIMIT).any():
        yield "SDNN: sum beyond 24 bits"
    if ran.overflows:
        yield "SDNN: sum wrapped"
    if neuron.sigma_output or "residue" not in ran.states:
        return
    limit = (neuron.vth_mantissa << 12) + neuron.vth_fraction
    if limit and (np.abs(ran.output) == limit >> 6).any():
        yield "SDNN: change at the threshold"
    if ran.states["residue"].any():
        yield "SDNN: change below the threshold"
