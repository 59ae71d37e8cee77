"""The comparison with an artificial network, and where both break even."""

from __future__ import annotations

from typing import Any

import pytest
from energy_counts import counts_of, layer_of, profile_with

from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.sim import AnnComparison, LayerOperations, estimate_energy
from lavadeploy.sim.energy.ann import MAC_PJ


def plain(update: float = 0.0) -> HardwareProfile:
    """A chip on which only synaptic operations cost, 2 pJ each, and maybe updates."""
    nothing = (0.0, 0.0, 0.0)
    return profile_with(
        "loihi1",
        "energy",
        synaptic_operation=(2, 1, 4),
        neuron_update=(update, update, update),
        active_neuron=nothing,
        spike=nothing,
        message_out=nothing,
        inference=nothing,
    )


def layer(**fields: Any) -> LayerOperations:
    known: dict[str, Any] = {"connections": 1000, "neuron_updates": 400, "spikes": 20}
    return layer_of(synaptic_operations=500, **(known | fields))


def compared(*layers: LayerOperations, update: float = 0.0) -> AnnComparison | None:
    return estimate_energy(counts_of(*layers), plain(update)).ann


def test_an_artificial_network_multiplies_once_for_each_connection() -> None:
    found = compared(layer())
    assert found is not None
    assert found.multiplications == 1000
    assert found.energy.nominal == pytest.approx(MAC_PJ.nominal)  # 1000 pJ are a nJ
    assert found.energy.evidence == "pre-silicon"
    assert found.spikes_per_synapse == 0.5


def test_at_the_break_even_both_cost_the_same() -> None:
    found = compared(layer())
    assert found is not None
    assert found.break_even is not None
    # 2 pJ a synaptic operation: as many of them as cost what a multiplication costs
    assert found.break_even.nominal == pytest.approx(MAC_PJ.nominal / 2)
    assert found.break_even.low == pytest.approx(MAC_PJ.low / 4)
    assert found.break_even.high == pytest.approx(MAC_PJ.high / 1)
    assert found.break_even_activity == pytest.approx(20 / 400 * MAC_PJ.nominal / 2 / 0.5)


def test_updates_leave_less_for_spikes() -> None:
    dear = MAC_PJ.nominal * 1000 / 400 / 2  # half of what the artificial network costs
    found = compared(layer(), update=dear)
    assert found is not None
    assert found.break_even is not None
    assert found.break_even.nominal == pytest.approx(MAC_PJ.nominal / 2 / 2)
    assert found.break_even.low == 0


def test_there_is_none_where_updates_alone_cost_more() -> None:
    found = compared(layer(), update=100.0)
    assert found is not None
    assert found.break_even is None
    assert found.break_even_activity is None


def test_there_is_no_comparison_without_connections_or_spikes() -> None:
    assert compared(layer_of(synaptic_operations=5)) is None
    assert compared(layer_of(connections=10)) is None
