"""Deploy a NetX file by the Python API: compile, run on two backends, compare, estimate.

python -m lavadeploy.scripts.deploy runs/digits/digits.net runs/digits/digits_test.npz
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import read_netx
from lavadeploy.scripts.comparison_text import show_comparison
from lavadeploy.scripts.console import say
from lavadeploy.scripts.entry import run_script
from lavadeploy.sim import (
    compare_runs,
    count_activity,
    energy_lines,
    estimate_energy,
    explain_difference,
    load_spike_input,
    open_backend,
)


def main(
    network: Annotated[Path, typer.Argument(help="A NetX file.")],
    input_file: Annotated[Path, typer.Argument(help="An .npz with 'spikes' and 'labels'.")],
    samples: int = 20,
) -> None:
    """Deploy a network and check that two backends agree on it."""
    compiled = compile_network(read_netx(network), load_profile("loihi2"))
    inputs = load_spike_input(input_file).first(samples)
    on_lava = open_backend("lava").run(compiled, inputs)
    on_reference = open_backend("reference").run(compiled, inputs)
    found = compare_runs(on_lava, on_reference)
    names = ("lava", "reference")
    cause = (
        None
        if found.equal
        else explain_difference(compiled, inputs, on_lava, on_reference, found, names=names)
    )
    show_comparison(found, cause, names)
    counts = count_activity(compiled, inputs, on_lava.spikes)
    for line in energy_lines(estimate_energy(counts, compiled.profile), compiled.profile.name):
        say(line)


if __name__ == "__main__":
    run_script(main)
