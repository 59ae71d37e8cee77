"""Where everything is and how full, as data for tables and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from .stages import CompiledNetwork
from .traffic import SpikeRates, core_traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReport:
    """How much of a core's resource is taken; available and percent are None without limit."""

    resource: str
    used: int
    available: int | None
    percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreReport:
    """One core.

    Attributes
    ----------
    core, chip : int
        Number of the core in forward order of the layers, and of its chip.
    column, row, core_of_tile : int
        Its tile on the chip, and which core of the tile it is.
    layer : str
        The user's layer that it holds neurons of.
    neurons : int
        How many.
    resources : tuple of ResourceReport
        Everything that is counted.
    """

    core: int
    chip: int
    column: int
    row: int
    core_of_tile: int
    layer: str
    neurons: int
    resources: tuple[ResourceReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """Messages from one core to another, and how far they go: see `Traffic`."""

    source: int
    target: int
    messages: float
    hops: int
    crossings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementReport:
    """A placement in plain numbers.

    Attributes
    ----------
    chips : int
        Chips in use.
    cores : tuple of CoreReport
        In forward order of the layers.
    links : tuple of LinkReport
        Pairs of cores between which something is sent, by target.
    messages, message_hops, message_crossings : float
        All messages; each times its hops; each times its ways from chip to chip.
    """

    chips: int
    cores: tuple[CoreReport, ...]
    links: tuple[LinkReport, ...]
    messages: float
    message_hops: float
    message_crossings: float


def report_placement(
    compiled: CompiledNetwork, spike_rates: SpikeRates | None = None
) -> PlacementReport:
    """Describe where the neurons of a compiled network are, and what the cores send each other.

    Parameters
    ----------
    compiled : CompiledNetwork
        What `compile_network` or `load_artifact` returned.
    spike_rates : mapping of array, shape () or (neurons,), optional
        Spikes of the neurons of each layer by name: counts of a run give its messages. Without it,
        one spike of every neuron.

    Returns
    -------
    PlacementReport
        Plain numbers; ``dataclasses.asdict`` makes JSON of it.
    """
    traffic = core_traffic(compiled.network, compiled.placement, compiled.profile, spike_rates)
    columns = (
        traffic.source.tolist(),
        traffic.target.tolist(),
        traffic.messages.tolist(),
        traffic.hops.tolist(),
        traffic.crossings.tolist(),
    )
    return PlacementReport(
        chips=compiled.placement.chips,
        cores=tuple(
            CoreReport(
                core=core.index,
                chip=core.site.chip,
                column=core.site.column,
                row=core.site.row,
                core_of_tile=core.site.core,
                layer=core.layer,
                neurons=int(core.neurons.size),
                resources=tuple(
                    ResourceReport(
                        resource=u.resource, used=u.used, available=u.available, percent=u.percent
                    )
                    for u in core.usage
                ),
            )
            for core in compiled.placement.cores
        ),
        links=tuple(
            LinkReport(source=s, target=t, messages=m, hops=h, crossings=c)
            for s, t, m, h, c in zip(*columns, strict=True)
            if m
        ),
        messages=traffic.total_messages,
        message_hops=traffic.total_hops,
        message_crossings=traffic.total_crossings,
    )
