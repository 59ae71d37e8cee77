"""Export a saved SLAYER model: build it, load its state, write NetX. No forward pass is needed.

python -m lavadeploy.scripts.export_model runs/digits/digits.pt --sizes 64,128,10 -o digits.net

Copy it and put your own model in the place of `Classifier`. Note that a state dict does not hold
thresholds: they come from the code that builds the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

from lavadeploy.netx import ExportError, export_slayer, summarize_network
from lavadeploy.scripts.console import say
from lavadeploy.scripts.entry import run_script
from lavadeploy.scripts.slayer_training import Classifier


def main(
    state: Annotated[Path, typer.Argument(help="What torch.save(model.state_dict(), ...) wrote.")],
    sizes: Annotated[str, typer.Option(help="Neurons of each layer, input first.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The NetX file.")],
) -> None:
    """Export a saved model to NetX."""
    try:
        model = Classifier(*(int(size) for size in sizes.split(",")))
        model.load_state_dict(torch.load(state, weights_only=True))
    except (RuntimeError, ValueError, TypeError) as error:  # torch's words for what does not fit
        reason = str(error).splitlines()[-1].strip()
        raise ExportError(f"'{state}' is no state of a {sizes} classifier: {reason}") from error
    network = export_slayer(model, output)
    for warning in network.warnings:
        say(f"warning: {warning}")
    for layer in summarize_network(network):
        say(f"{layer.name}: {layer.kind}, {layer.neurons} neurons, {layer.weights} weights")
    say(f"Written: {output}")


if __name__ == "__main__":
    run_script(main)
