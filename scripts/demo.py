"""The whole way on real data: train, export, compile, run on Lava, report (``make demo``)."""
# torch's type information is partial.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from lavadeploy.compile import CompiledNetwork, compile_network, report_compilation
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import export_slayer, read_netx
from lavadeploy.scripts.commands.run import show_summary
from lavadeploy.scripts.comparison_text import show_comparison
from lavadeploy.scripts.compile_tables import show_compile_report
from lavadeploy.scripts.console import progress, say
from lavadeploy.scripts.entry import run_script
from lavadeploy.scripts.train_digits import digits, train_on_digits
from lavadeploy.sim import (
    Comparison,
    RunOptions,
    check_run_folder,
    compare_runs,
    explain_difference,
    fraction_equal,
    open_backend,
    run_slayer,
    save_run,
    summarize_run,
)


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="Run folder.")] = Path("runs/demo"),
    epochs: int = 25,
    samples: Annotated[int | None, typer.Option(help="Run only the first test images.")] = None,
    seed: int = 0,
) -> None:
    """Train on digits, deploy to Lava's simulator of Loihi 2, and show what happened."""
    check_run_folder(output)
    started = time.perf_counter()

    say("1 Train 64-128-10 CUBA neurons on scikit-learn's digits with SLAYER")
    data = digits(seed)
    with progress(epochs, "training") as on_epoch:
        model = train_on_digits(data, epochs=epochs, seed=seed, on_epoch=on_epoch)
    test = data.test.first(samples)
    labels = test.labels
    assert labels is not None
    within_window = fraction_equal(_slayer_predictions(model, test.spikes), labels)
    trained_s = time.perf_counter() - started
    say(f"  {epochs} epochs, {trained_s:.1f} s; SLAYER alone is right on {within_window:.2%}")

    with tempfile.TemporaryDirectory(prefix="lavadeploy-demo-") as folder:
        net = Path(folder) / "network.net"
        export_slayer(model, net)
        say("2 Exported to NetX, read back, 3 compiled for loihi2")
        compiled = compile_network(read_netx(net), load_profile("loihi2"))
        show_compile_report(report_compilation(compiled))

        say("4 Run on Lava's CPU simulator, reset between images")
        with progress(test.n_samples, "running on lava") as on_progress:
            on_lava = open_backend("lava").run(compiled, test, RunOptions(on_progress=on_progress))
        on_slayer = run_slayer(model, compiled, test)
        found = compare_runs(on_slayer, on_lava)
        accuracy_slayer = fraction_equal(on_slayer.spikes.predictions(), labels)
        notes = {
            "seed": seed,
            "epochs": epochs,
            "training_s": round(trained_s, 1),
            "accuracy_slayer": accuracy_slayer,
            "accuracy_slayer_within_its_window": within_window,
            "predictions_equal": found.predictions_equal,
            "spikes_differing": sum(found.differing_spikes.values()),
        }
        summary = summarize_run(compiled, test, on_lava, notes)
        save_run(output, summary, on_lava, compiled, network=net)

    say()
    show_summary(summary)
    say()
    say(f"SLAYER, given as many steps as Lava, is right on {accuracy_slayer:.2%}.")
    names = ("SLAYER", "Lava")
    cause = (
        None
        if found.equal
        else explain_difference(compiled, test, on_slayer, on_lava, found, names=names)
    )
    show_comparison(found, cause, names)
    say(explain(found, compiled))
    say(f"Written: {output}")
    figures = {
        "accuracy_slayer": f"{accuracy_slayer:.4f}",
        "accuracy_lava": f"{summary.accuracy:.4f}",
        "predictions_equal": f"{found.predictions_equal:.4f}",
        "spikes_differing": str(sum(found.differing_spikes.values())),
        "wall_s": f"{time.perf_counter() - started:.1f}",
    }
    print(" ".join(f"{key}={value}" for key, value in figures.items()))


def explain(found: Comparison, compiled: CompiledNetwork) -> str:
    """Say why the spikes of SLAYER and Lava differ, or why they need not."""
    layers = len(compiled.network.layers)
    if found.equal and not compiled.warnings:
        return (
            "Why none differs: weights, decays and thresholds are the whole numbers that SLAYER\n"
            "trained with; no input can take a state out of 24 bits (the compiler's bounds); and\n"
            f"both count the same steps: each of the {layers} layers adds one on the chip, so "
            f"SLAYER ran\n{layers} silent steps more than its window."
        )
    if found.equal:
        return "None differs, although the compiler's warnings say where some could."
    return (
        "Every difference should have a cause: look at the compiler's warnings above, and at the "
        "first difference\nwith lavadeploy compare and --record all."
    )


def _slayer_predictions(model: torch.nn.Module, spikes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return what the model predicts by itself, from its own T output steps."""
    with torch.no_grad():
        out = model(torch.from_numpy(spikes.astype(np.float32)))
    return out.sum(-1).numpy().argmax(axis=1)


if __name__ == "__main__":
    run_script(main)
