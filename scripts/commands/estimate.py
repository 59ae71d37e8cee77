"""``lavadeploy estimate``: energy and time of an artifact from how often its neurons fire."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import load_artifact
from lavadeploy.netx import OptionError
from lavadeploy.scripts.console import JsonFileOption, JsonOption, emit, print_table, say
from lavadeploy.sim import (
    Boundary,
    EnergyEstimate,
    EnergyOptions,
    OperationCounts,
    StaticRule,
    StepModel,
    energy_lines,
    estimate_energy,
    expected_operations,
)
from lavadeploy.sim.energy.expected import INPUT
from lavadeploy.sim.energy_text import quantity, three_digits


def estimate(
    artifact: Annotated[Path, typer.Argument(help="What lavadeploy compile wrote.")],
    activity: Annotated[
        str,
        typer.Option(
            help="Spikes by neuron and step, 0 to 1: of all (0.05), and of some (0.05,input=0.2)."
        ),
    ] = "0.05",
    steps: Annotated[int, typer.Option(help="Of an inference.")] = 32,
    boundary: Annotated[Boundary, typer.Option(help="What the total covers.")] = (
        Boundary.NEUROCORES
    ),
    static_rule: Annotated[StaticRule, typer.Option(help="Whose static power.")] = (
        StaticRule.CHIPS
    ),
    step_model: Annotated[StepModel, typer.Option(help="How a core's step adds up.")] = (
        StepModel.SUM
    ),
    processor_duty: Annotated[
        float, typer.Option(help="Part of the time that embedded processors run code.")
    ] = 1.0,
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """Estimate energy and time of an artifact without running it.

    Each neuron of a layer is taken to fire equally often, whatever the weights are.
    """
    compiled = load_artifact(artifact)
    names = [INPUT, *(layer.name for layer in compiled.network.layers)]
    counts = expected_operations(compiled, parse_activity(activity, names), steps)
    options = EnergyOptions(
        boundary=boundary,
        static_rule=static_rule,
        step_model=step_model,
        processor_duty=processor_duty,
    )
    energy = None
    if compiled.profile.energy is not None:  # without coefficients there are counts, but no joules
        energy = estimate_energy(counts, compiled.profile, options)
    data = {"activity": activity, "counts": counts, "energy": energy}

    def show() -> None:
        say(f"Expected of an inference of {steps} steps, nothing was run; activity {activity}.")
        print_table(*layer_table(counts, energy))
        for line in energy_lines(energy, compiled.profile.name):
            say(line)

    emit(data, as_json=as_json, output=output, show=show)


def parse_activity(text: str, names: list[str]) -> dict[str, float]:
    """Return ``'0.05,input=0.2'`` as a rate for each name; the first may be for all others."""
    rates: dict[str, float] = {}
    for index, part in enumerate(text.split(",")):
        name, equals, number = part.rpartition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = None
        if rate is None or (not equals and index > 0):
            raise OptionError(
                f"--activity '{text}'; a number, or numbers by layer such as 0.05,input=0.2, was "
                "expected."
            )
        rates |= {name.strip(): rate} if equals else dict.fromkeys(names, rate)
    return rates


def layer_table(
    counts: OperationCounts, energy: EnergyEstimate | None
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return columns and rows: what each layer does in an inference, and what it costs."""
    columns = ("layer", "neurons", "spikes", "synops", "messages", "hops")
    rows = [
        (
            layer.name,
            f"{layer.neurons}",
            three_digits(layer.spikes),
            three_digits(layer.synaptic_operations),
            three_digits(layer.messages or 0.0),
            three_digits(layer.hops or 0.0),
        )
        for layer in counts.layers
    ]
    if energy is None:
        return columns, rows
    costs = [quantity(layer.energy) for layer in energy.layers]
    return (
        (*columns, "dynamic energy"),
        [(*row, cost) for row, cost in zip(rows, costs, strict=True)],
    )
