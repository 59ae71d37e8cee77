"""Models that NetX cannot hold exactly are refused, by position and type."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from expect import sentence

from lavadeploy.netx import (
    DenseLayer,
    ExportError,
    NetxFormatError,
    OutputError,
    export_slayer,
    network_from_slayer,
    repair_lava,
)

torch = importlib.import_module("torch")
repair_lava()
slayer = importlib.import_module("lava.lib.dl.slayer")
cuba = slayer.block.cuba

pytestmark = pytest.mark.lava

NEURON = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.03}
RF = {"threshold": 1, "period": 10, "decay": 0.1}
SDNN = {"threshold": 0.1, "activation": torch.nn.functional.relu}


def dense(n_in: int = 3, n_out: int = 2, **options: Any) -> Any:
    return cuba.Dense(dict(NEURON), n_in, n_out, **options)


def in_a_row(*modules: Any) -> Any:
    return torch.nn.Sequential(*modules)


def unknown(position: str, kind: str) -> str:
    return (
        f"block '{position}' is a {kind}, which cannot be exported. Exported are "
        "slayer.block.cuba.Dense, Conv, Flatten and Input (without neuron)."
    )


class Own(torch.nn.Module):
    """A user's module that computes something itself."""


@pytest.mark.parametrize(
    ("make", "position", "kind"),
    [
        (lambda: torch.nn.Linear(3, 2), "1", "torch.nn.modules.linear.Linear"),
        (lambda: torch.nn.Dropout(), "1", "torch.nn.modules.dropout.Dropout"),
        (
            lambda: in_a_row(dense(2, 2), in_a_row(torch.nn.ReLU())),
            "1.1.0",
            "torch.nn.modules.activation.ReLU",
        ),
        (lambda: cuba.Pool(dict(NEURON), 2), "1", "lava.lib.dl.slayer.block.cuba.Pool"),
        (lambda: cuba.ConvT(dict(NEURON), 1, 1, 2), "1", "lava.lib.dl.slayer.block.cuba.ConvT"),
        (lambda: cuba.Unpool(dict(NEURON), 2), "1", "lava.lib.dl.slayer.block.cuba.Unpool"),
        (lambda: cuba.Average(2), "1", "lava.lib.dl.slayer.block.cuba.Average"),
        (lambda: cuba.Affine(dict(NEURON), 3, 2), "1", "lava.lib.dl.slayer.block.cuba.Affine"),
        (
            lambda: cuba.Recurrent(dict(NEURON), 3, 2),
            "1",
            "lava.lib.dl.slayer.block.cuba.Recurrent",
        ),
        (lambda: cuba.KWTA(dict(NEURON), 3, 3, 1), "1", "lava.lib.dl.slayer.block.cuba.KWTA"),
        (
            lambda: slayer.block.sigma_delta.Output(dict(SDNN), 3, 2),
            "1",
            "lava.lib.dl.slayer.block.sigma_delta.Output",
        ),
    ],
)
def test_other_modules_are_refused(make: Callable[[], Any], position: str, kind: str) -> None:
    model = in_a_row(dense(), make())
    assert sentence(ExportError, network_from_slayer, model) == unknown(position, kind)


def test_a_users_module_without_blocks_is_refused() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(Own())) == (
        unknown("0", f"{Own.__module__}.Own")
    )
    assert sentence(ExportError, network_from_slayer, Own()) == (
        unknown("model", f"{Own.__module__}.Own")
    )


def test_an_empty_container_is_refused() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row()) == (
        "Sequential: holds no SLAYER blocks."
    )


@pytest.mark.parametrize(
    ("make", "neuron"),
    [
        (lambda: slayer.block.sigma_delta.Dense(dict(SDNN), 2, 2), "sigma_delta"),
        (lambda: slayer.block.sigma_delta.Input(dict(SDNN)), "sigma_delta"),
        (lambda: slayer.block.rf.Dense(dict(RF), 2, 2), "rf"),
        (lambda: slayer.block.rf_iz.Dense(dict(RF), 2, 2), "rf_iz"),
    ],
)
def test_neurons_that_are_not_cuba_are_refused(make: Callable[[], Any], neuron: str) -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(dense(), make())) == (
        f"block '1': neuron lava.lib.dl.slayer.neuron.{neuron}.Neuron cannot be exported by this "
        "version. Exported are CUBA neurons."
    )


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: dense(pre_hook_fx=None), None),
        (lambda: cuba.Conv(dict(NEURON), 1, 2, 2, pre_hook_fx=None), (1, 3, 3)),
    ],
)
def test_unquantized_weights_are_refused(make: Callable[[], Any], shape: Any) -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(make()), shape) == (
        "block '0': its weights are not quantized (pre_hook_fx is None). "
        "Use the block's default, neuron.quantize_8bit."
    )


def unchanged(weight: Any) -> Any:
    return weight


def test_weights_on_another_grid_are_refused() -> None:
    block = dense(1, 1, pre_hook_fx=unchanged)
    block.synapse.weight.data[:] = 11 / 64  # odd, but whole
    layer = network_from_slayer(block).layers[0]
    assert isinstance(layer, DenseLayer)
    assert layer.weight.tolist() == [[11]]
    block.synapse.weight.data[:] = 10.25 / 64
    assert sentence(ExportError, network_from_slayer, block) == (
        "block '0': weight times the neuron scale 64 is 10.25, not a whole number, so it is not "
        "quantized as NetX needs it."
    )


def test_an_input_block_with_neurons_is_refused() -> None:
    model = in_a_row(cuba.Input(dict(NEURON)), dense())
    assert sentence(ExportError, network_from_slayer, model, (3,)) == (
        "block '0': an Input block with a neuron cannot be exported."
    )


def test_an_input_block_needs_the_shape() -> None:
    model = in_a_row(cuba.Input(None, delay_shift=False), dense())
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': give input_shape=(N,) or (C, H, W)."
    )


def test_a_convolution_needs_the_shape() -> None:
    model = in_a_row(cuba.Conv(dict(NEURON), 1, 2, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': give input_shape=(C, H, W)."
    )
    assert sentence(ExportError, network_from_slayer, model, (9,)) == (
        "block '0': a convolution cannot follow shape (9,)."
    )


def test_a_first_flatten_block_needs_the_shape() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(cuba.Flatten(), dense())) == (
        "block '0': give input_shape=(C, H, W)."
    )


def test_a_convolution_after_a_dense_block_is_refused() -> None:
    model = in_a_row(dense(), cuba.Conv(dict(NEURON), 1, 2, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '1': a convolution cannot follow shape (2,)."
    )


def test_a_dense_block_over_images_is_refused() -> None:
    block = cuba.Dense(dict(NEURON), (4, 3, 2), 5)
    assert sentence(ExportError, network_from_slayer, in_a_row(block)) == (
        "block '0': a Dense block over (W, H, C) inputs cannot be exported. "
        "Put a Flatten block before it."
    )


def test_delays_not_drawn_yet_are_refused() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(dense(delay=True))) == (
        "block '0': its delays are drawn in the first forward pass. Make one before exporting."
    )


def test_decays_not_drawn_yet_are_refused() -> None:
    block = cuba.Dense({**NEURON, "shared_param": False}, 3, 2)
    assert sentence(ExportError, network_from_slayer, in_a_row(block)) == (
        "block '0': its decays, one a channel, are drawn in the first forward pass. Make one, or "
        "load a state dict, before exporting."
    )


def test_normalization_with_variance_is_refused() -> None:
    norm = {**NEURON, "norm": slayer.neuron.norm.WgtScaleBatchNorm}
    assert sentence(ExportError, network_from_slayer, in_a_row(cuba.Dense(norm, 3, 2))) == (
        "block '0': normalization WgtScaleBatchNorm cannot be exported exactly. "
        "Use slayer.neuron.norm.MeanOnlyBatchNorm or none."
    )


def test_blocks_that_do_not_fit_each_other_are_refused() -> None:
    model = in_a_row(dense(3, 2), dense(3, 2))
    assert sentence(NetxFormatError, network_from_slayer, model) == (
        "layer1: its weight has 3 inputs, but 2 neurons (2,) come in."
    )


def test_a_kernel_larger_than_its_image_is_refused() -> None:
    model = in_a_row(cuba.Conv(dict(NEURON), 1, 1, 5))
    assert sentence(NetxFormatError, network_from_slayer, model, (1, 3, 3)) == (
        "layer1: kernel (5, 5), stride (1, 1), padding (0, 0) and dilation (1, 1) make "
        "(1, -1, -1) of (1, 3, 3)."
    )


def test_a_refused_model_leaves_no_file(tmp_path: Path) -> None:
    sentence(ExportError, export_slayer, torch.nn.Linear(3, 2), tmp_path / "a.net")
    assert list(tmp_path.iterdir()) == []
    assert sentence(OutputError, export_slayer, dense(), tmp_path) == (
        f"cannot write '{tmp_path}': it is a folder. Name a file."
    )
