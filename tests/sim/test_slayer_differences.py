"""Where SLAYER computes what neither Lava nor the chip does: each difference with its cause.

Each is said before it happens, by the exporter or the compiler; `test_slayer_run` has the
comparison with thresholds from 4096 on, `test_slayer_export_refuses` what cannot be exported.
"""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from slayer_models import block, in_a_row, run_once, spikes, torch

from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import network_from_slayer
from lavadeploy.sim import LayerRun, run_network
from lavadeploy.sim.slayer_run import slayer_outputs

pytestmark = [
    pytest.mark.lava,
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]


def both(
    model: Any, inputs: NDArray[np.float32], input_shape: tuple[int, ...] | None = None
) -> tuple[NDArray[np.float32], LayerRun]:
    """Return the last layer's output, by SLAYER and by the reference."""
    network = network_from_slayer(model, input_shape)
    return slayer_outputs(model, inputs)[-1], run_network(network, inputs.astype(np.int64))[-1]


def compiler_warnings(model: Any) -> list[str]:
    return list(compile_network(network_from_slayer(model), load_profile("ideal")).warnings)


def with_weights(weight: float, n_in: int, **changes: Any) -> Any:
    part = block("cuba", "Dense", n_in, 1, changes=changes)
    part.synapse.weight.data[:] = weight
    return in_a_row(part)


def test_a_current_of_more_than_24_bits_wraps() -> None:
    # 600 inputs of 254: 152400 * 64 = 9753600 > 2**23 becomes -7023616
    model = with_weights(254 / 64, 600, current_decay=1.0, voltage_decay=1.0)
    trained, run = both(model, spikes(1, 600, 3, rate=1.0))
    assert trained[0, 0].tolist() == [1, 1, 1]
    assert run.output[0, 0].tolist() == [0, 0, 0]
    assert run.states["current"][0, 0].tolist() == [152400 * 64 - 2**24] * 3
    assert run.overflows == 3
    assert any("there Lava wraps and SLAYER does not" in w for w in compiler_warnings(model))


def test_a_voltage_of_more_than_24_bits_is_clipped() -> None:
    # sunk by 16384 a step; SLAYER's voltage must come up all the way again, Lava's from the bottom
    part = block("cuba", "Dense", 2, 1, changes={"current_decay": 1.0, "voltage_decay": 0.0})
    part.synapse.weight.data[0, :, 0, 0, 0] = torch.tensor([-4.0, 3.96875])
    inputs = np.zeros((1, 2, 1300), dtype=np.float32)
    inputs[0, 0, :500] = 1
    inputs[0, 1, 600:] = 1
    trained, run = both(in_a_row(part), inputs)
    assert int(run.states["voltage"].min()) == -500 * 16384
    assert run.overflows == 0
    assert np.array_equal(run.output, trained)
    inputs[0, 0, :600] = 2
    trained, run = both(in_a_row(part), inputs)
    assert int(run.states["voltage"].min()) == -(2**23) + 1
    assert run.overflows > 0
    assert np.count_nonzero(trained) == 0 < np.count_nonzero(run.output)
    assert any(
        "there Lava clips and SLAYER does not" in w for w in compiler_warnings(in_a_row(part))
    )


def test_a_convolution_of_messages_wraps_at_32() -> None:
    # 24 bits of 2**-18; the same sum in a dense layer does not wrap
    part = block("sigma_delta", "Conv", 1, 1, 1)
    part.synapse.weight.data[:] = 2.0
    inputs = np.full((1, 1, 1, 1, 2), 25.0, dtype=np.float32)
    trained, run = both(part, inputs, (1, 1, 1))
    assert trained[0, 0].tolist() == [50.0, 50.0]
    assert run.overflows == 0  # counts have no fraction: 50 weight units
    graded = in_a_row(block("sigma_delta", "Conv", 1, 1, 1), part)
    graded[0].synapse.weight.data[:] = 1.0
    trained, run = both(graded, inputs, (1, 1, 1))
    assert trained[0, 0].tolist() == [50.0, 50.0]
    assert run.output[0, 0].tolist() == [0, 0]  # 50 becomes -14, which ReLU cuts
    assert run.overflows == 2


def test_means_over_groups_of_three_are_rounded_by_slayer() -> None:
    model = in_a_row(block("cuba", "Dense", 20, 12, weight_scale=4), block("cuba", "Average", 4))
    network = network_from_slayer(model)
    assert network.warnings == (
        (
            "block '1': means over groups of 3; SLAYER rounds them to float32, here they are exact "
            "fractions."
        ),
    )
    trained, run = both(model, spikes(2, 20, 20))
    assert np.array_equal(np.round(trained * 3), run.output)
    assert run.unit == Fraction(1, 3)


def test_decays_by_channel_lie_along_the_width_of_images_on_the_cpu() -> None:
    by_channel = {"shared_param": False, "current_decay": (0.1, 0.9), "voltage_decay": (0.1, 0.9)}
    torch.manual_seed(0)
    part = block("cuba", "Conv", 1, 4, 3, changes=by_channel, weight_scale=8)
    inputs = spikes(2, 1, 4, 6, 20)  # the output is 4 channels of 2 x 4: as wide as deep
    run_once(part, inputs)
    network = network_from_slayer(part, (1, 4, 6))
    assert network.warnings == (
        (
            "block '0': parameters one a channel; on the CPU SLAYER lays them along the width of "
            "an image instead of its channels, so its forward pass there differs."
        ),
    )
    trained, run = both(part, inputs, (1, 4, 6))
    assert not np.array_equal(trained, run.output)
    # one channel's image at a time, with the decay of each column, gives what SLAYER computes
    decays = part.neuron.current_decay.data.clone(), part.neuron.voltage_decay.data.clone()
    for column in range(4):
        for decay, values in zip(
            (part.neuron.current_decay, part.neuron.voltage_decay), decays, strict=True
        ):
            decay.data = values[column].repeat(4)
        _, run = both(part, inputs, (1, 4, 6))
        columns = run.output.reshape(2, 4, 2, 4, 20)[:, :, :, column]
        assert np.array_equal(columns, trained.reshape(2, 4, 2, 4, 20)[:, :, :, column])


def test_a_mask_does_not_act_beside_weight_normalization() -> None:
    mask = torch.zeros(5, 20)
    torch.manual_seed(1)
    part = block("cuba", "Dense", 20, 5, mask=mask, weight_norm=True, weight_scale=8)
    network = network_from_slayer(part)
    assert network.warnings == (
        (
            "block '0': its mask does not act, since weight normalization overwrites the masked "
            "weights; exported without it, as SLAYER's forward pass computes."
        ),
    )
    trained, run = both(part, spikes(2, 20, 20))
    assert np.array_equal(trained, run.output)
    assert np.count_nonzero(trained) > 10


def test_recurrent_weights_are_never_normalized() -> None:
    torch.manual_seed(2)
    part = block("cuba", "Recurrent", 20, 12, weight_norm=True, weight_scale=4)
    part.recurrent_synapse.weight_g.data *= 3  # as training would
    network = network_from_slayer(part)
    assert network.warnings == (
        (
            "block '0': the weight normalization of its recurrent synapse never acts in SLAYER's "
            "forward pass; exported are the weights that it uses."
        ),
    )
    trained, run = both(part, spikes(2, 20, 30))
    assert np.array_equal(trained, run.output)


def test_states_kept_between_forward_passes_are_not_exported() -> None:
    part = block("cuba", "Dense", 20, 12, changes={"persistent_state": True}, delay_shift=False)
    assert network_from_slayer(part).warnings == (
        (
            "block '0': SLAYER keeps its states from one forward pass to the next "
            "(persistent_state); an exported network starts every sample at rest."
        ),
    )
    inputs = spikes(2, 20, 20)
    run_once(part, inputs)
    trained, run = both(part, inputs)  # started at rest
    assert np.array_equal(trained, run.output)
