"""Models trained without quantization: the file holds what SLAYER's forward pass computes with."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from expect import assert_same, sentence
from numpy.typing import NDArray
from slayer_models import COMPLEX, NEURONS, block, in_a_row, run_once, slayer, spikes, torch

from lavadeploy.netx import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    ExportError,
    FlattenLayer,
    InputLayer,
    RealNetwork,
    SynapticLayer,
    export_real_slayer,
    has_fractions,
    network_from_slayer,
    read_any_netx,
    real_network_from_slayer,
)
from lavadeploy.netx.real_network import stated_values

pytestmark = [
    pytest.mark.lava,
    # lava-dl 0.6 uses the older of torch's two weight normalizations
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]
FAMILIES = sorted(NEURONS)
IMAGE = (2, 5, 7)
STEPS = 24
# Sums of a few weights on this grid are exact in float32, and finer than a state, 1/64 of a unit.
GRID = 1 / 512
BATCH_NORM = {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
REMEDY = (
    "Use the block's default, neuron.quantize_8bit, or export_real_slayer, whose file "
    "`lavadeploy compile --bits 8` quantizes."
)


def unchanged(weight: Any) -> Any:
    return weight


def on_grid(model: Any) -> Any:
    """Give every synapse random weights on the grid, in units of 1/64."""
    random = np.random.default_rng(0)
    for part in model:
        if hasattr(part, "synapse"):
            shape = tuple(part.synapse.weight.shape)
            weight = np.round(random.normal(10, 40, shape) / GRID) * GRID / 64
            part.synapse.weight.data = torch.from_numpy(weight.astype(np.float32))
    return model.eval()


def dense_model(**options: Any) -> Any:
    return in_a_row(
        block("cuba", "Dense", 7, 5, pre_hook_fx=None, **options),
        block("cuba", "Dense", 5, 4, pre_hook_fx=None, **options),
    )


def conv_model(**options: Any) -> Any:
    geometry = {"stride": (1, 2), "padding": (1, 0), "dilation": (2, 1), "groups": 2}
    return in_a_row(
        block("cuba", "Conv", 2, 4, (2, 3), pre_hook_fx=None, **geometry, **options),
        block("cuba", "Flatten"),
        block("cuba", "Dense", 4 * 5 * 3, 6, pre_hook_fx=None, **options),
    )


def with_delays(model: Any, inputs: NDArray[np.float32]) -> Any:
    run_once(model, inputs)
    for part in model:
        if getattr(part, "delay", None) is not None:
            part.delay.delay.data = torch.linspace(-0.5, 5.75, part.delay.delay.numel())
    return model


def with_means(model: Any, inputs: NDArray[np.float32]) -> Any:
    run_once(model, inputs)
    for part in model:
        if hasattr(part, "neuron"):
            mean = torch.linspace(-12, 16, part.neuron.norm.num_features)
            part.neuron.norm.running_mean = torch.round(mean / GRID) * GRID / 64
            part.neuron.norm.pre_hook_fx = unchanged
    return model


def simulate(network: RealNetwork, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return output spikes, (N, C, T), of the real numbers alone, by SLAYER's published equations.

    States are whole in 1/64 of a weight unit, as SLAYER keeps them (CUBA, ``s_scale``).
    """
    for layer in network.nearest.layers:
        if isinstance(layer, FlattenLayer):
            inputs = inputs.reshape(len(inputs), -1, inputs.shape[-1])
        elif not isinstance(layer, InputLayer):
            assert isinstance(layer, DenseLayer | ConvLayer)
            inputs = run_layer(network, layer, inputs)
    return inputs


def run_layer(
    network: RealNetwork, layer: DenseLayer | ConvLayer, inputs: NDArray[np.float32]
) -> NDArray[np.float32]:
    values = network.values[layer.name]
    if isinstance(layer, ConvLayer):
        sums = convolved(layer, values.weight, inputs)
    else:
        sums = np.einsum("oi,nit->not", values.weight, inputs)
    axes = (-1,) + (1,) * (sums.ndim - 3)
    bias = 0.0 if values.bias is None else values.bias.reshape(axes)
    assert isinstance(layer.neuron, CubaNeuron)
    du, dv = (values.decays[name] for name in ("current_decay", "voltage_decay"))
    current, voltage = np.zeros(sums.shape[:-1]), np.zeros(sums.shape[:-1])
    fired = np.zeros(sums.shape, dtype=np.float32)
    for step in range(sums.shape[-1]):
        current = np.trunc(current * (4096 - du) / 4096) + np.trunc(64 * sums[..., step])
        voltage = np.trunc(voltage * (4096 - dv) / 4096) + np.trunc(current + 64 * bias)
        spike = voltage > 64 * values.vth
        fired[..., step] = spike
        voltage = np.where(spike, 0, voltage)
    # SLAYER's blocks answer one step late
    delays = np.zeros(layer.shape[0]) if values.delay is None else values.delay
    late = np.zeros_like(fired)
    for channel, delay in enumerate(delays.astype(int) + 1):
        late[:, channel, ..., delay:] = fired[:, channel, ..., : STEPS - delay]
    return late


def convolved(
    layer: ConvLayer, weight: NDArray[np.float64], inputs: NDArray[np.float32]
) -> NDArray[np.float64]:
    (top, left), (_, rows, columns) = layer.padding, layer.shape
    padded = np.pad(inputs, ((0, 0), (0, 0), (top, top), (left, left), (0, 0)))
    sums = np.zeros((len(inputs), *layer.shape, inputs.shape[-1]))
    group_out, group_in = layer.shape[0] // layer.groups, weight.shape[1]
    for out, channel, i, j in np.ndindex(*weight.shape):
        first = layer.dilation[0] * i, layer.dilation[1] * j
        seen = padded[
            :,
            out // group_out * group_in + channel,
            first[0] : first[0] + layer.stride[0] * rows : layer.stride[0],
            first[1] : first[1] + layer.stride[1] * columns : layer.stride[1],
        ]
        sums[:, out] += weight[out, channel, i, j] * seen
    return sums


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("extra", ["plain", "delays", "normalization"])
def test_the_file_alone_gives_slayers_spikes(kind: str, extra: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"delay": True} if extra == "delays" else {}
    if extra == "normalization":
        options["changes"] = BATCH_NORM
    inputs = spikes(3, *(IMAGE if kind == "conv" else (7,)), STEPS)
    model = on_grid(conv_model(**options) if kind == "conv" else dense_model(**options))
    if extra == "delays":
        with_delays(model, inputs)
    if extra == "normalization":
        with_means(model, inputs)
    export_real_slayer(model, tmp_path / "x.net", IMAGE if kind == "conv" else None)
    network = read_any_netx(tmp_path / "x.net")
    assert isinstance(network, RealNetwork)
    with torch.no_grad():
        expected = model(torch.from_numpy(inputs)).numpy()
    assert 0.02 < expected.mean() < 0.9  # a network that is silent, or never, would say nothing
    assert np.array_equal(simulate(network, inputs), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_are_those_that_the_forward_pass_multiplies_with(family: str) -> None:
    options = {} if family in COMPLEX else {"weight_norm": True}
    torch.manual_seed(0)
    model = in_a_row(
        block(family, "Conv", 2, 4, (2, 3), pre_hook_fx=None, **options),
        block(family, "Flatten"),
        block(family, "Dense", 4 * 4 * 5, 3, pre_hook_fx=None, **options),
    ).eval()
    for parameter in model.parameters():
        if parameter.numel() > 1:
            parameter.data *= 1.5  # what torch has normalized goes stale
    network = real_network_from_slayer(model, IMAGE)
    if family != "adrf_iz":  # SLAYER's own forward pass raises
        run_once(model, spikes(1, *IMAGE, 4))  # normalizes anew
    layers = [x for x in network.nearest.layers if isinstance(x, SynapticLayer)]
    for layer, part in zip(layers, (model[0], model[2]), strict=True):
        synapses = (
            (part.synapse.real, part.synapse.imag) if part.synapse.complex else (part.synapse,)
        )
        found = network.values[layer.name]
        for synapse, ours in zip(synapses, (found.weight, found.weight_imag), strict=False):
            assert ours is not None
            theirs = synapse.weight.detach().double().numpy() * 64
            assert np.array_equal(ours, theirs.reshape(ours.shape))
        assert np.any(found.weight != np.round(found.weight))
        assert np.array_equal(layer.weight, np.round(found.weight))


@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_that_quantize_stay_exact(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = in_a_row(
        block(family, "Conv", 2, 4, (2, 3)),
        block(family, "Pool", 1),
        block(family, "Flatten"),
        block(family, "Dense", 4 * 4 * 5, 3),
    ).eval()
    network = export_real_slayer(model, tmp_path / "x.net", IMAGE)
    whole = network_from_slayer(model, IMAGE)
    assert not has_fractions(network)
    assert_same(network.nearest, whole)
    assert_same(read_any_netx(tmp_path / "x.net"), whole, ignore=("source", "warnings"))


def test_a_mask_acts_on_weights_that_are_not_quantized() -> None:
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    model = block("cuba", "Dense", 3, 2, pre_hook_fx=None, mask=mask)
    found = real_network_from_slayer(model).values["layer0"].weight
    expected = (model.synapse.weight.detach().reshape(2, 3) * mask).double().numpy() * 64
    assert np.array_equal(found, expected)
    assert found[0, 1] == found[1, 0] == 0


def test_thresholds_decays_and_delays_are_whole_as_slayer_has_them() -> None:
    neuron = {"threshold": 1.26, "current_decay": 0.2501, "voltage_decay": 0.0301}
    model = block("cuba", "Dense", 3, 2, pre_hook_fx=None, changes=neuron, delay=True)
    run_once(model, spikes(1, 3, 4))
    model.delay.delay.data = torch.tensor([0.75, 3.25])
    values = real_network_from_slayer(model).values["layer0"]
    assert values.vth == int(1.26 * 64)
    assert {name: float(decay) for name, decay in values.decays.items()} == {
        "current_decay": round(0.2501 * 4096),
        "voltage_decay": round(0.0301 * 4096),
    }
    assert values.delay is not None
    assert values.delay.tolist() == [0, 3]


def test_recurrent_weights_are_real_without_their_hooks() -> None:
    torch.manual_seed(0)
    model = block("cuba", "Recurrent", 3, 2)
    model.input_synapse.pre_hook_fx = model.recurrent_synapse.pre_hook_fx = None
    found = real_network_from_slayer(model).values["layer0"].weight_rec
    expected = model.recurrent_synapse.weight.detach().double().numpy() * 64
    assert found is not None
    assert np.array_equal(found, expected.reshape(2, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        f"block '0': its weights are not quantized (pre_hook_fx is None). {REMEDY}"
    )


def test_a_sigma_delta_bias_may_be_real() -> None:
    model = block("sigma_delta", "Dense", 3, 2)
    model.neuron.shape = torch.Size([2])
    model.neuron.set_bias(torch.tensor([0.3, -1.7]))
    found = real_network_from_slayer(model).values["layer0"].bias
    assert found is not None
    assert np.array_equal(found, model.neuron.bias.detach().double().numpy().reshape(-1) * 64)
    refused = sentence(ExportError, network_from_slayer, model)
    assert refused.startswith("block '0': bias times the neuron scale 64 is ")
    assert refused.endswith(
        f"not a whole number, so it is not quantized as NetX needs it. {REMEDY}"
    )


def test_one_block_that_does_not_quantize_is_named() -> None:
    torch.manual_seed(0)
    model = in_a_row(block("cuba", "Dense", 3, 5), block("cuba", "Dense", 5, 2, pre_hook_fx=None))
    network = real_network_from_slayer(model)
    first, second = (network.values[name].weight for name in ("layer0", "layer1"))
    assert np.array_equal(first, np.round(first))
    assert np.any(second != np.round(second))
    assert sentence(ExportError, network_from_slayer, model) == (
        f"block '1': its weights are not quantized (pre_hook_fx is None). {REMEDY}"
    )


@pytest.mark.parametrize(("weight", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (1e9, "6.4e+10")])
def test_weights_that_fit_no_32_bits_are_refused(weight: float, shown: str) -> None:
    model = block("cuba", "Dense", 1, 1, pre_hook_fx=None)
    model.synapse.weight.data[:] = weight
    assert sentence(ExportError, real_network_from_slayer, model) == (
        f"block '0': weight times the neuron scale 64 is {shown}; numbers of 32 bits were expected."
    )


def test_every_number_of_the_file_is_that_of_the_export(tmp_path: Path) -> None:
    network = export_real_slayer(on_grid(conv_model()), tmp_path / "x.net", IMAGE)
    found = read_any_netx(tmp_path / "x.net")
    assert_same(found, network, ignore=("source",))
    for name, values in network.values.items():
        (layer,) = (n for n in network.nearest.layers if n.name == name)
        assert isinstance(layer, SynapticLayer)
        assert np.array_equal(layer.weight, np.round(dict(stated_values(values))["weight"]))
