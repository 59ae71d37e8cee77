"""Dynamic energy: what each operation costs."""

from __future__ import annotations

from ...hw_profiles import Coefficient, Energy
from .counts import LayerOperations, OperationCounts
from .ranges import NOTHING, Range, total

SYNAPTIC = "synaptic operations"
UPDATES = "neuron updates"
SPIKES = "spikes"
MESSAGES = "messages"
MESH = "mesh"
STEPS = "steps"
INFERENCES = "inferences"

PICO_TO_NANO = 1e-3


def layer_terms(layer: LayerOperations, inferences: int, energy: Energy) -> dict[str, Range]:
    """Return the energy of a layer by kind of operation, in nJ an inference.

    Where messages were not counted, each spike is taken to be sent once and nothing is said of
    the mesh. Where active updates were not counted, any neuron may be active: the low end takes
    none for it, since `active_neuron` begins at 0 then, the high end all.
    """
    sent = layer.spikes if layer.messages is None else layer.messages
    active = layer.neuron_updates if layer.active_updates is None else layer.active_updates
    terms = {
        SYNAPTIC: Range.of(energy.synaptic_operation).times(layer.synaptic_operations),
        UPDATES: Range.of(energy.neuron_update).times(layer.neuron_updates)
        + _of(energy.active_neuron, active),
        SPIKES: Range.of(energy.spike).times(layer.spikes),
        MESSAGES: _of(energy.message_out, sent) + _of(energy.message_in, sent),
    }
    if layer.messages is not None:
        terms[MESH] = (
            _of(energy.tile, layer.messages)
            + hop_energy(energy).times(layer.hops or 0.0)
            + _of(energy.chip_crossing, layer.crossings or 0.0)
        )
    return {name: term.times(PICO_TO_NANO / inferences) for name, term in terms.items()}


def fixed_terms(counts: OperationCounts, energy: Energy) -> dict[str, Range]:
    """Return what is due whatever the neurons do, in nJ an inference."""
    steps = counts.inferences * counts.steps
    terms = {
        STEPS: _of(energy.step, steps) + _of(energy.core_step, steps * len(counts.cores)),
        INFERENCES: _of(energy.inference, counts.inferences),
    }
    return {
        name: term.times(PICO_TO_NANO / counts.inferences)
        for name, term in terms.items()
        if term.high > 0
    }


def hop_energy(energy: Energy) -> Range:
    """Return the energy of a hop in either direction, of which only the sum is counted."""
    either = [Range.of(c) for c in (energy.hop_east_west, energy.hop_north_south) if c is not None]
    if not either:
        return NOTHING
    return Range(
        nominal=sum(c.nominal for c in either) / len(either),
        low=min(c.low for c in either),
        high=max(c.high for c in either),
        evidence=total(either).evidence,
    )


def _of(coefficient: Coefficient | None, count: float) -> Range:
    return NOTHING if coefficient is None else Range.of(coefficient).times(count)
