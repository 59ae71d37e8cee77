"""What an estimate leaves out, in words."""

from __future__ import annotations

from ...hw_profiles import Energy, PowerShares, Time
from .counts import OperationCounts
from .standing_power import Boundary

MESH = "spike messages on the mesh"
# Coefficients of the profile and what is not in the figures without them.
_ENERGIES = {
    "message_out": "sending of messages",
    "message_in": "arrival of messages",
    "tile": "messages within a tile",
    "chip_crossing": "ways from chip to chip",
    "step": "barriers of the steps",
    "core_step": "what a core in use costs a step",
    "inference": "resets between inferences",
}
_ON_THE_MESH = ("message_in", "tile", "chip_crossing")


def left_out(
    counts: OperationCounts,
    energy: Energy,
    time: Time,
    power: PowerShares | None,
    boundary: Boundary,
) -> tuple[str, ...]:
    """Return what is in none of the figures of an estimate.

    Parameters
    ----------
    counts : OperationCounts
        Messages may not have been counted.
    energy, time, power : Energy, Time, PowerShares or None
        Coefficients may not be known.
    boundary : Boundary
        Leaves out what is beyond it.
    """
    found: list[str] = []
    if not counts.has_messages:
        found.append(MESH)
    for name, text in _ENERGIES.items():
        concerns = counts.has_messages or name not in _ON_THE_MESH
        if name == "chip_crossing" and counts.chips == 1:
            concerns = False
        if concerns and getattr(energy, name) is None:
            found.append(f"{text} (energy not known)")
    if counts.has_messages and (energy.hop_east_west is None or energy.hop_north_south is None):
        found.append("hops (energy not known)")
    if counts.has_messages and time.message_in is None:
        found.append("arrival of messages (time not known)")
    if boundary is Boundary.NEUROCORES:
        found.append("embedded processors")
    elif power is None or power.processor_code is None:
        found.append("code of embedded processors (power not known)")
    if boundary is not Boundary.BOARD:
        found.append("board")
    return (*found, "input and output", "host")
