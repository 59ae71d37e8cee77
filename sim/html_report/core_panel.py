"""Where the cores of a run are, how full they are, and what they send each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.palettes import Blues256, Oranges256
from numpy.typing import NDArray

from ...compile import ResourceReport, core_traffic
from ..energy_text import three_digits
from .core_map import Links, core_map
from .panels import Panel, Plot, Table
from .reported_run import ReportedRun

MOST_LINKS = 150  # drawn, the heaviest
MOST_ROWS = 10  # of the table
MOST_WITH_LAYERS = 300  # cores that bear the number of their layer


def core_panel(run: ReportedRun) -> Panel:
    """Show the cores of a run as a map of utilization and one of traffic."""
    placement, mesh = run.compiled.placement, run.compiled.profile.mesh
    samples = run.summary.samples
    activity = sorted(run.summary.activity.cores, key=lambda core: core.core)
    busy = np.array([c.messages_in + c.messages_out + c.input_messages for c in activity]) / samples
    fullest = [_fullest(core.resources) for core in run.summary.compiled.placement.cores]
    layers = [layer.name for layer in run.compiled.network.layers]
    columns: dict[str, Sequence[Any]] = {
        "core": [core.index for core in placement.cores],
        "chip": [core.site.chip for core in placement.cores],
        "layer": [core.layer for core in placement.cores],
        "neurons": [int(core.neurons.size) for core in placement.cores],
        "fullest": [
            f"{name} {percent:.0f} %" if name else "no limits" for percent, name in fullest
        ],
        "messages": [three_digits(number) for number in busy],
        "operations": [three_digits(core.synaptic_operations / samples) for core in activity],
    }
    tables = (_busiest(columns, busy),)
    chips = "1 chip" if placement.chips == 1 else f"{placement.chips} chips"
    where = f"{len(activity)} cores on {chips}"
    if mesh is None:
        text = f"{where}; profile '{run.summary.profile}' says nothing of where cores lie: no map."
        return Panel(run=run.name, sentences=(text,), tables=tables)
    sites = [core.site for core in placement.cores]
    numbers = [str(layers.index(core.layer)) for core in placement.cores]
    full = core_map(
        mesh,
        sites,
        columns,
        np.array([percent for percent, _ in fullest]) / 100,
        palette=Blues256,
        numbers=numbers if len(sites) <= MOST_WITH_LAYERS else None,
    )
    links = _heaviest_links(run)
    share = busy / max(float(busy.max()), 1.0)
    traffic = core_map(mesh, sites, columns, share, palette=Oranges256, links=links)
    named = ", ".join(f"{number} {name}" for number, name in enumerate(layers))
    sentences = [f"{where}. Numbers on the cores are layers: {named}."]
    if links is not None and links.messages.size:
        sentences.append(
            f"Lines: the heaviest {links.messages.size} of {links.ways} ways between cores, the "
            "stronger the more messages."
        )
    return Panel(
        run=run.name,
        sentences=sentences,
        plots=(
            Plot(figure=full, title="Utilization: the fullest resource of each core"),
            Plot(figure=traffic, title="Traffic: messages in and out of each core"),
        ),
        tables=tables,
    )


def _fullest(resources: Sequence[ResourceReport]) -> tuple[float, str]:
    limited = [(r.percent, r.resource) for r in resources if r.percent is not None]
    return max(limited, default=(0.0, ""))


def _heaviest_links(run: ReportedRun) -> Links | None:
    """Return what cores sent each other; None where the log does not have all layers."""
    compiled = run.compiled
    if len(run.neuron_spikes) < len(compiled.network.layers):
        return None
    traffic = core_traffic(
        compiled.network, compiled.placement, compiled.profile, run.neuron_spikes
    )
    between = np.flatnonzero((traffic.source != traffic.target) & (traffic.messages > 0))
    heaviest = between[np.argsort(-traffic.messages[between], kind="stable")[:MOST_LINKS]]
    return Links(
        source=traffic.source[heaviest],
        target=traffic.target[heaviest],
        messages=traffic.messages[heaviest],
        ways=between.size,
    )


def _busiest(columns: Mapping[str, Sequence[Any]], busy: NDArray[np.float64]) -> Table:
    order = np.argsort(-busy, kind="stable")[:MOST_ROWS]
    return Table(
        title=f"The busiest {order.size} of {busy.size} cores, figures of an inference",
        columns=tuple(columns),
        rows=[tuple(str(column[int(i)]) for column in columns.values()) for i in order],
    )
