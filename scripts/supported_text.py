"""What SUPPORTED.md says: the rules' own sentences, and what small networks of each kind show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lavadeploy.compile import compile_network, has_readout
from lavadeploy.compile.problems import Rule, sentence_of
from lavadeploy.compile.rules import (
    RULES_OF_BOARDS,
    RULES_OF_CORES,
    RULES_OF_LAYERS,
    RULES_OF_NEURONS,
)
from lavadeploy.compile.rules_of_lowering import REFUSALS
from lavadeploy.hw_profiles import HardwareProfile, load_profile, profile_names
from lavadeploy.netx import LayerKind, Network, NeuronKind, UnsupportedNetworkError
from lavadeploy.netx.errors import MAX_POOLING_REMEDY
from lavadeploy.scripts.least_networks import network_with_layer, network_with_neuron
from lavadeploy.sim.loihi import check_chain

COMMAND = "python -m lavadeploy.scripts.write_supported"
EVERYWHERE = "reference, engine, lava"

# What `Legalize` makes of each kind.
LOWERINGS = {
    LayerKind.INPUT: "neurons without synapses; nothing where it only states a shape",
    LayerKind.DENSE: "native; a last layer that never fires is read by its voltage",
    LayerKind.RECURRENT: "native",
    LayerKind.CONV: "native",
    LayerKind.CONV_TRANSPOSE: "convolution with the kernel turned around where the stride is 1, "
    "otherwise dense",
    LayerKind.POOL: "convolution of each channel by itself where windows stay in their channel, "
    "otherwise dense",
    LayerKind.UNPOOL: "dense",
    LayerKind.FLATTEN: "order of the next layer's weights",
    LayerKind.AVERAGE: "next dense layer's weights, divided; at the end a dense readout of sums",
    LayerKind.CONCAT: "several sources of the next layer",
}
BLOCKS = {
    NeuronKind.CUBA: "`slayer.block.cuba`",
    NeuronKind.LOIHI: "the same, in files of lava-dl 0.2",
    NeuronKind.ALIF: "`slayer.block.alif`",
    NeuronKind.RF: "`slayer.block.rf`",
    NeuronKind.RF_IZ: "`slayer.block.rf_iz`",
    NeuronKind.ADRF: "`slayer.block.adrf`",
    NeuronKind.ADRF_IZ: "`slayer.block.adrf_iz`",
    NeuronKind.SDNN: "`slayer.block.sigma_delta`",
}
REFUSED = (
    ("max pooling", f"A neuron sums what comes in. {MAX_POOLING_REMEDY}"),
    ("`TimeDecimation`", "NetX has no kind for it. Decimate what the network is fed."),
    (
        "recurrent, k-winner and input blocks of resonators",
        "NetX has no complex weights for them. Use CUBA or ALIF neurons there.",
    ),
    (
        "modules that are neither blocks of SLAYER nor containers of them",
        "They have no form in NetX. What `forward` does besides calling blocks cannot be seen.",
    ),
)
INTRODUCTION = f"""\
Made by `{COMMAND}` from the rules that the compiler checks
(`compile/rules*.py`) and the profiles (`hw_profiles/*.yaml`, which say where each number is from).
A test fails when it is stale."""
LAYERS = """\
What `lavadeploy compile` makes of each kind of layer, and which backends run it, here with CUBA
neurons. `loihi` reads no voltages, so it runs no network whose last layer never fires."""
NEURONS = """\
Which profile has which neurons, and which backends run them in a dense layer. CUBA neurons with a
refractory delay, graded spikes or a divided current run on `reference`, `engine` and `lava`."""
LIMITS = """\
All that a network breaks is reported at once, each with layer, finding, what is allowed, a remedy
and the name of the rule."""
CORES = """\
Layers are cut so that every core keeps to its limits; a layer is refused when a single neuron of it
does not. What counts as one of each depends on the profile's formulas
(`compile/core_resources.py`)."""


def supported_text() -> str:
    """Return the text of SUPPORTED.md."""
    profiles = [load_profile(name) for name in profile_names()]
    names = [f"`{profile.name}`" for profile in profiles]
    parts = [
        "# What is supported",
        INTRODUCTION,
        "## Layers",
        LAYERS,
        _table(["NetX", "on the chip", "backends"], map(_layer_row, LayerKind)),
        "## Neurons",
        NEURONS,
        _table(
            ["NetX", "SLAYER", *names, "backends"],
            (_neuron_row(kind, profiles) for kind in NeuronKind),
        ),
        "## Limits of layers",
        LIMITS,
        _rules(RULES_OF_LAYERS, profiles),
        "## Limits of neurons",
        _rules(RULES_OF_NEURONS, profiles),
        "## Limits of cores, chips and boards",
        CORES,
        _rules((*RULES_OF_CORES, *RULES_OF_BOARDS), profiles),
        "## Refused on every chip",
        _table(
            ["rule", "what is demanded"],
            ([f"`{refusal.__name__}`", sentence_of(refusal)] for refusal in REFUSALS),
        ),
        "## Refused by export and reader",
        _table(["what", "why, and what to do"], REFUSED),
    ]
    return "\n\n".join(parts) + "\n"


def _rules(rules: Sequence[Rule[Any]], profiles: Sequence[HardwareProfile]) -> str:
    header = ["rule", "what is demanded", *(f"`{profile.name}`" for profile in profiles)]
    return _table(
        header,
        (
            [f"`{rule.name}`", rule.sentence, *(rule.limit(p) or "no limit" for p in profiles)]
            for rule in rules
        ),
    )


def _layer_row(kind: LayerKind) -> list[str]:
    return [f"`{kind.value}`", LOWERINGS[kind], _backends(network_with_layer(kind))]


def _neuron_row(kind: NeuronKind, profiles: Sequence[HardwareProfile]) -> list[str]:
    has = ["yes" if kind in p.formats.neuron_kinds.value else "no" for p in profiles]
    return [f"`{kind.value}`", BLOCKS[kind], *has, _backends(network_with_neuron(kind))]


def _backends(network: Network) -> str:
    compiled = compile_network(network, load_profile("ideal"))
    try:
        check_chain(compiled)
    except UnsupportedNetworkError:
        return EVERYWHERE
    if has_readout(compiled.network):
        return f"{EVERYWHERE}; loihi where a layer follows"
    return f"{EVERYWHERE}, loihi"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
