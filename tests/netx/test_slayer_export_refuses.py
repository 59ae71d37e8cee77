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
NOT_QUANTIZED = (
    "Use the block's default, neuron.quantize_8bit, or export_real_slayer, whose file "
    "`lavadeploy compile --bits 8` quantizes."
)
SDNN = {"threshold": 0.1, "activation": torch.nn.functional.relu}


def dense(n_in: int = 3, n_out: int = 2, **options: Any) -> Any:
    return cuba.Dense(dict(NEURON), n_in, n_out, **options)


def in_a_row(*modules: Any) -> Any:
    return torch.nn.Sequential(*modules)


def unknown(position: str, kind: str) -> str:
    return (
        f"block '{position}' is a {kind}, which cannot be exported. Exported are "
        "the blocks of slayer.block and containers of them."
    )


class Own(torch.nn.Module):
    """A user's module that computes something itself."""


@pytest.mark.parametrize(
    ("make", "position", "kind"),
    [
        (lambda: torch.nn.Linear(3, 2), "1", "torch.nn.modules.linear.Linear"),
        (
            lambda: in_a_row(dense(2, 2), in_a_row(torch.nn.ReLU())),
            "1.1.0",
            "torch.nn.modules.activation.ReLU",
        ),
    ],
)
def test_other_modules_are_refused(make: Callable[[], Any], position: str, kind: str) -> None:
    model = in_a_row(dense(), make())
    assert sentence(ExportError, network_from_slayer, model) == unknown(position, kind)


@pytest.mark.parametrize(
    "kind", ["MaxPool1d", "MaxPool2d", "MaxPool3d", "AdaptiveMaxPool2d", "FractionalMaxPool2d"]
)
def test_max_pooling_is_refused_with_what_to_use_instead(kind: str) -> None:
    options = {"output_size": 2} if kind.startswith("Fractional") else {}
    model = in_a_row(dense(), getattr(torch.nn, kind)(2, **options))
    assert sentence(ExportError, network_from_slayer, model) == (
        f"block '1': is a torch.nn.{kind}; NetX and the chips have no max pooling: what comes in "
        "is summed. Train again with sum pooling (slayer.block.*.Pool) or with a strided "
        "convolution in its place."
    )


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


def test_idle_modules_are_passed_over() -> None:
    model = in_a_row(dense(), torch.nn.Dropout(), torch.nn.Identity(), dense(2, 2))
    assert [x.name for x in network_from_slayer(model).layers] == ["layer0", "layer1"]


def test_time_decimation_is_refused() -> None:
    model = in_a_row(dense(), slayer.block.alif.TimeDecimation(4))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '1': a TimeDecimation block changes the length of a step, which neither NetX nor "
        "the chip can. Decimate the input, or average what was recorded."
    )


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: slayer.block.rf.Recurrent(dict(RF), 3, 2), "Recurrent"),
        (lambda: slayer.block.rf_iz.KWTA(dict(RF), 3, 3, 1), "KWTA"),
    ],
)
def test_recurrent_blocks_of_complex_neurons_are_refused(
    make: Callable[[], Any], name: str
) -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(make())) == (
        f"block '0': a {name} block of complex neurons cannot run in SLAYER, nor be stored in NetX."
    )


def test_an_input_block_of_complex_neurons_is_refused() -> None:
    model = in_a_row(slayer.block.rf.Input(dict(RF)))
    assert sentence(ExportError, network_from_slayer, model, (3,)) == (
        "block '0': an Input block of rf neurons cannot run in SLAYER: they take complex input. "
        "Start with a Dense or Conv block."
    )


def test_only_the_last_block_may_give_voltages_or_sums() -> None:
    for block in (
        cuba.Affine(dict(NEURON), 3, 2),
        slayer.block.sigma_delta.Output(dict(SDNN), 3, 2),
    ):
        assert sentence(ExportError, network_from_slayer, in_a_row(block, dense(2, 2))) == (
            "block '0': its output is a voltage or a sum, which no later layer can take on a chip. "
            "Only the last block can be one of these."
        )


@pytest.mark.parametrize("name", ["Recurrent", "KWTA"])
def test_normalized_currents_that_come_back_are_refused(name: str) -> None:
    neuron = {**NEURON, "norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    more = {"num_winners": 1} if name == "KWTA" else {}
    block = getattr(cuba, name)(neuron, 3, 3, **more)
    assert sentence(ExportError, network_from_slayer, block) == (
        f"block '0': a normalization of CUBA neurons in a {name} block acts on the current that is "
        "kept, step by step, which NetX cannot state. Train without it, or with ALIF neurons."
    )


def test_negative_thresholds_are_refused() -> None:
    model = in_a_row(cuba.Dense({**NEURON, "threshold": -1.0}, 3, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': threshold -1 is negative; SLAYER does not reset neurons that fire by it. Use 0 "
        "or more."
    )


@pytest.mark.parametrize("shape", [20, (2, 3), (0,), "a", (1, 2, 3, 4)])
def test_shapes_of_no_input_are_refused(shape: Any) -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(dense()), shape) == (
        f"input_shape is {shape!r}; (N,) or (C, H, W) was expected."
    )


def test_what_is_no_module_is_refused() -> None:
    assert sentence(ExportError, network_from_slayer, None) == "None is no torch.nn.Module."


def test_numbers_that_are_none_are_refused() -> None:
    block = dense(delay=True)
    block.delay.init = True
    block.delay.delay.data = torch.tensor([float("nan"), 1.0])
    assert sentence(ExportError, network_from_slayer, block) == (
        "block '0': its delays are not all finite."
    )
    high = cuba.Dense({**NEURON, "threshold": 1e9}, 3, 2)
    assert sentence(ExportError, network_from_slayer, high) == (
        "block '0': vth_mantissa is 64000000000, beyond 32 bits."
    )


def test_scales_that_are_no_power_of_two_are_refused() -> None:
    model = in_a_row(cuba.Dense({**NEURON, "scale": 100}, 3, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': neuron scale 100 is not a power of two; SLAYER's own arithmetic is not exact "
        "with it. Use 64, the default."
    )


def test_graded_spikes_need_the_scale_that_readers_take() -> None:
    model = in_a_row(cuba.Dense({**NEURON, "scale": 16, "graded_spike": True}, 3, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': graded spikes with neuron scale 16; NetX does not store the scale, and readers "
        "take 64. Use 64."
    )


def test_decays_out_of_range_are_refused() -> None:
    block = dense()
    block.neuron.voltage_decay.data[:] = -3.0  # not learned, so the forward pass takes it so
    assert sentence(ExportError, network_from_slayer, in_a_row(block)) == (
        "block '0': voltage decay -3 to -3 lies outside 0 to 4096, the part of the state that a "
        "step can take."
    )


def test_a_winner_take_all_offset_before_the_current_is_refused() -> None:
    high = {**NEURON, "threshold": 4.0}
    assert sentence(ExportError, network_from_slayer, cuba.KWTA(high, 8, 8, 1)) == (
        "block '0': its offset of 0.0625 enters before the current, where NetX has no bias for "
        "CUBA neurons. Use a threshold small enough for it to round to 0, or ALIF neurons."
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
        f"block '0': its weights are not quantized (pre_hook_fx is None). {NOT_QUANTIZED}"
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
        f"quantized as NetX needs it. {NOT_QUANTIZED}"
    )


def test_an_input_block_in_the_middle_is_refused() -> None:
    model = in_a_row(dense(), cuba.Input(dict(NEURON)))
    assert sentence(ExportError, network_from_slayer, model, (3,)) == (
        "block '1': an Input block stands in the middle of the model."
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
        "block '0': takes images, but shape (9,) comes in."
    )


def test_a_first_flatten_block_needs_the_shape() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(cuba.Flatten(), dense())) == (
        "block '0': give input_shape=(C, H, W)."
    )


def test_a_convolution_after_a_dense_block_is_refused() -> None:
    model = in_a_row(dense(), cuba.Conv(dict(NEURON), 1, 2, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '1': takes images, but shape (2,) comes in."
    )


def test_dense_blocks_over_other_images_are_refused() -> None:
    block = cuba.Dense(dict(NEURON), (4, 3, 2), 5)
    assert sentence(ExportError, network_from_slayer, in_a_row(block), (2, 4, 3)) == (
        "block '0': takes images of (2, 3, 4), but (2, 4, 3) comes in."
    )
    assert sentence(ExportError, network_from_slayer, in_a_row(dense(24)), (2, 3, 4)) == (
        "block '0': takes 24 inputs, but an image (2, 3, 4) comes in. Put a Flatten block "
        "before it."
    )


def test_groups_that_are_not_equal_are_refused() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(dense(3, 5), cuba.Average(2))) == (
        "block '1': cannot make 2 equal groups of 5 neurons."
    )


def test_poolings_that_slayer_cannot_cut_are_refused() -> None:
    model = in_a_row(cuba.Unpool(dict(NEURON), (3, 2), stride=2))
    assert sentence(ExportError, network_from_slayer, model, (2, 16, 16)) == (
        "block '0': makes of (2, 16, 16) an image whose 65 rows cannot be cut into 2 channels."
    )


def test_delays_not_drawn_yet_are_refused() -> None:
    assert sentence(ExportError, network_from_slayer, in_a_row(dense(delay=True))) == (
        "block '0': its delays are drawn in the first forward pass, which replaces any that were "
        "set before. Make one before exporting, or set block.delay.init = True."
    )


def test_decays_not_drawn_yet_are_refused() -> None:
    block = cuba.Dense({**NEURON, "shared_param": False}, 3, 2)
    assert sentence(ExportError, network_from_slayer, in_a_row(block)) == (
        "block '0': its decays, one a channel, are drawn in the first forward pass. Make one "
        "before exporting."
    )


def test_normalization_with_variance_is_refused_where_no_register_divides() -> None:
    norm = {**RF, "norm": slayer.neuron.norm.WgtScaleBatchNorm}
    model = in_a_row(slayer.block.rf.Dense(norm, 3, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': normalization WgtScaleBatchNorm cannot be exported exactly. "
        "Use slayer.neuron.norm.MeanOnlyBatchNorm or none."
    )


def test_normalization_by_more_than_readers_take_is_refused() -> None:
    norm = {**NEURON, "norm": lambda: slayer.neuron.norm.WgtScaleBatchNorm(weight_exp_bits=5)}
    block = cuba.Dense(norm, 3, 2)
    block.neuron.norm.running_var[:] = 1e6
    assert sentence(ExportError, network_from_slayer, in_a_row(block)) == (
        "block '0': its normalization divides by 2**5; NetX readers take 2**3 at most. Use "
        "weight_exp_bits=3, the default."
    )


def test_blocks_that_do_not_fit_each_other_are_refused() -> None:
    model = in_a_row(dense(3, 2), dense(3, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '1': its weight has 3 inputs, but 2 neurons (2,) come in."
    )


def test_a_kernel_larger_than_its_image_is_refused() -> None:
    model = in_a_row(cuba.Conv(dict(NEURON), 1, 1, 5))
    assert sentence(ExportError, network_from_slayer, model, (1, 3, 3)) == (
        "block '0': kernel (5, 5), stride (1, 1), padding (0, 0) and dilation (1, 1) make "
        "(1, -1, -1) of (1, 3, 3)."
    )


def test_a_refused_model_leaves_no_file(tmp_path: Path) -> None:
    sentence(ExportError, export_slayer, torch.nn.Linear(3, 2), tmp_path / "a.net")
    assert list(tmp_path.iterdir()) == []
    assert sentence(OutputError, export_slayer, dense(), tmp_path) == (
        f"cannot write '{tmp_path}': it is a folder. Name a file."
    )
