"""The compiler, in the order in which it works."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..hw_profiles import HardwareProfile
from ..netx import Network, Shape
from .overflow import overflow_problems, parity_warnings
from .passes.encode import Encode
from .passes.legalize import Legalize
from .passes.place import Place
from .passes.quantize import QuantizedNetwork
from .problems import in_layer_order, raise_problems
from .rules import check_rules
from .stages import CompiledNetwork, PassRecord
from .state_bounds import state_bounds
from .traffic import SpikeRates

# Fields of passes that are no options: who they are, and what the artifact states elsewhere.
NO_OPTIONS = ("name", "profile")


def compile_network(
    network: Network | QuantizedNetwork,
    profile: HardwareProfile,
    *,
    input_shape: Shape | None = None,
    allow_approximate: bool = False,
    strict: bool = False,
    spike_rates: SpikeRates | None = None,
    calibration_sha256: str = "",
    created: str = "",
) -> CompiledNetwork:
    """Compile a network for a chip.

    Parameters
    ----------
    network : Network or QuantizedNetwork
        As read or exported; networks of real numbers are quantized first (`Quantize`,
        ``lavadeploy.sim.calibrate``).
    profile : HardwareProfile
        The chip.
    input_shape : tuple of int, optional
        (C, H, W); needed only for files that start with a convolution whose stride is not 1.
    allow_approximate : bool
        Whether lowerings may round; the network's outputs can then differ from the file's.
    strict : bool
        Whether states that are not proved to fit their registers are errors, not warnings.
    spike_rates : mapping of array, shape () or (neurons,), optional
        Spikes of the neurons of each compiled layer by name, counted in a run; cores between which
        many messages go are then placed near each other. Without it every neuron counts the same.
    calibration_sha256 : str
        Hash of the data that the spikes were counted on.
    created : str
        When this is, for the artifact; without it the same network gives the same bytes.

    Returns
    -------
    CompiledNetwork
        Registers on cores, with the warnings of reader and compiler.

    Raises
    ------
    UnsupportedNetworkError
        When the network breaks rules of the chip: all that can be told without placing it are
        raised at once, in layer order; then what only a placement shows, such as too many cores.
    NetxFormatError
        When the layers do not fit each other.
    """
    quantized = network if isinstance(network, QuantizedNetwork) else None
    whole = network.network if isinstance(network, QuantizedNetwork) else network
    quantizing = () if quantized is None else (quantization_record(quantized),)
    legalize = Legalize(input_shape=input_shape, allow_approximate=allow_approximate)
    encode = Encode(profile=profile)
    place = Place(profile=profile)

    legal, problems = legalize.examine(whole)
    found = (*problems, *check_rules(legal, profile))
    raise_problems(in_layer_order(found, [layer.name for layer in whole.layers]))
    chip = encode.run(legal)
    encode.ensures(legal, chip)
    bounds = state_bounds(chip)
    if strict:
        raise_problems(overflow_problems(chip, bounds, is_trained=quantized is None))
    placement = place.run(chip, spike_rates)
    place.ensures(chip, placement)

    return CompiledNetwork(
        network=chip,
        placement=placement,
        profile=profile,
        source_sha256=whole.source.sha256 if whole.source else "",
        passes=(
            *quantizing,
            _record(legalize),
            PassRecord(name="check", options={"strict": strict}),
            _record(encode),
            PassRecord(name=place.name, options={"by_spike_rates": spike_rates is not None}),
        ),
        warnings=whole.warnings + parity_warnings(chip, bounds, is_trained=quantized is None),
        lowerings=legal.lowerings,
        losses=() if quantized is None else quantized.losses,
        calibration_sha256=calibration_sha256
        or (quantized.calibration_sha256 if quantized else ""),
        created=created,
    )


def quantization_record(quantized: QuantizedNetwork) -> PassRecord:
    """Return how a network was quantized."""
    return PassRecord(name="quantize", options={"plan": quantized.plan.to_json()})


def _record(run: Any) -> PassRecord:
    """Return a pass with its options; those that are no plain value as text."""
    values = {f.name: getattr(run, f.name) for f in dataclasses.fields(run)}
    return PassRecord(
        name=run.name,
        options={
            name: value if value is None or isinstance(value, str | int | float) else repr(value)
            for name, value in values.items()
            if name not in NO_OPTIONS
        },
    )
