"""What is exported is what SLAYER's quantized forward pass multiplies with."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import assert_same
from numpy.typing import NDArray

from lavadeploy.netx import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Network,
    export_slayer,
    network_from_slayer,
    read_netx,
    repair_lava,
)

torch = importlib.import_module("torch")
repair_lava()
slayer = importlib.import_module("lava.lib.dl.slayer")

pytestmark = [
    pytest.mark.lava,
    # lava-dl 0.6 uses the older of torch's two weight normalizations
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]

NEURON = {"threshold": 1.27, "current_decay": 0.24, "voltage_decay": 0.031}
BATCH_NORM = {**NEURON, "norm": lambda: slayer.neuron.norm.MeanOnlyBatchNorm(momentum=0.1)}
STEPS = 12


class Blocks(torch.nn.Module):
    """SLAYER blocks in a row, as lava-dl's tutorials write a network."""

    def __init__(self, *blocks: Any) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(blocks)

    def forward(self, spikes: Any) -> Any:
        for block in self.blocks:
            spikes = block(spikes)
        return spikes


def spikes(*shape: int) -> Any:
    generator = torch.Generator().manual_seed(3)
    return (torch.rand((2, *shape, STEPS), generator=generator) < 0.4).float()


def dense_model(**options: Any) -> Blocks:
    torch.manual_seed(1)
    neuron = options.pop("neuron", NEURON)
    return Blocks(
        slayer.block.cuba.Dense(neuron, 7, 5, weight_scale=3, **options),
        slayer.block.cuba.Dense(neuron, 5, 3, weight_scale=3, **options),
    )


def conv_model(**options: Any) -> Blocks:
    torch.manual_seed(1)
    geometry = {"stride": (1, 2), "padding": (1, 0), "dilation": (2, 1), "groups": 2}
    return Blocks(
        slayer.block.cuba.Conv(NEURON, 2, 4, (2, 3), weight_scale=3, **geometry, **options),
        slayer.block.cuba.Conv(NEURON, 4, 3, 1, weight_scale=3, **options),
        slayer.block.cuba.Flatten(),
        slayer.block.cuba.Dense(NEURON, 3 * 5 * 3, 3, weight_scale=3, **options),
    )


def lava_dls_export(model: Any, path: Path) -> Network:
    """Export as every tutorial of lava-dl does."""
    with h5py.File(path, "w") as file:
        layers = file.create_group("layer")
        for index, block in enumerate(model.blocks):
            block.export_hdf5(layers.create_group(str(index)))
    network = read_netx(path)
    assert network.warnings == ()
    return network


MODELS: dict[str, tuple[Callable[[], Blocks], tuple[int, ...]]] = {
    "dense": (dense_model, (7,)),
    "dense with delays": (lambda: dense_model(delay=True), (7,)),
    "dense with normalization": (lambda: dense_model(neuron=BATCH_NORM), (7,)),
    "dense with decays of its own": (
        lambda: dense_model(neuron={**NEURON, "shared_param": False}),
        (7,),
    ),
    "dense with graded spikes": (
        lambda: dense_model(neuron={**NEURON, "graded_spike": True}),
        (7,),
    ),
    "dense with another scale": (lambda: dense_model(neuron={**NEURON, "scale": 16}), (7,)),
    "dense with weight normalization": (lambda: dense_model(weight_norm=True), (7,)),
    "conv": (conv_model, (2, 5, 7)),
    "conv with weight normalization": (lambda: conv_model(weight_norm=True), (2, 5, 7)),
    "conv with delays": (lambda: conv_model(delay=True), (2, 5, 7)),
}


@pytest.mark.parametrize("name", MODELS)
def test_numbers_equal_lava_dls_own_export(name: str, tmp_path: Path) -> None:
    make, input_shape = MODELS[name]
    model = make()
    if "delays" in name:
        model(spikes(*input_shape))  # draws them
        for block in model.blocks:
            if getattr(block, "delay", None) is not None:
                # beyond both ends: the forward pass clamps to 0 ... 62
                block.delay.delay.data = torch.linspace(-3.7, 70, block.delay.delay.numel())
    model(spikes(*input_shape))
    model.eval()
    ours = network_from_slayer(model, input_shape)
    theirs = lava_dls_export(model, tmp_path / "theirs.net")
    skipped = 1 if len(input_shape) == 3 else 0  # ours declares the image first
    assert len(ours.layers) == len(theirs.layers) + skipped
    for left, right in zip(ours.layers[skipped:], theirs.layers, strict=True):
        # lava-dl does not say whether a layer is late
        assert_same(left, right, ignore=("name", "delay_shift"))


def test_the_file_holds_the_network_returned(tmp_path: Path) -> None:
    written = export_slayer(conv_model(), tmp_path / "a.net", (2, 5, 7))
    assert_same(read_netx(tmp_path / "a.net"), written, ignore=("source",))


def test_an_image_is_declared_first_and_shapes_follow() -> None:
    network = network_from_slayer(conv_model(), (2, 5, 7))
    assert [(type(x), x.shape) for x in network.layers] == [
        (InputLayer, (2, 5, 7)),
        (ConvLayer, (4, 5, 3)),
        (ConvLayer, (3, 5, 3)),
        (FlattenLayer, (45, 1, 1)),
        (DenseLayer, (3,)),
    ]
    assert [x.name for x in network.layers] == [f"layer{i}" for i in range(5)]


def test_no_forward_pass_is_needed_after_loading_a_state(tmp_path: Path) -> None:
    trained = conv_model()
    trained(spikes(2, 5, 7))
    torch.save(trained.state_dict(), tmp_path / "model.pt")
    fresh = conv_model()
    for parameter in fresh.parameters():
        parameter.data.zero_()
    fresh.load_state_dict(torch.load(tmp_path / "model.pt"))
    assert_same(
        network_from_slayer(fresh, (2, 5, 7)).layers, network_from_slayer(trained, (2, 5, 7)).layers
    )


def weight_of_next_forward_pass(block: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the weights that the synapse's own convolution is called with."""
    seen: list[Any] = []
    quantize = block.synapse.pre_hook_fx

    def watch(weight: Any) -> Any:
        seen.append(quantize(weight))
        return seen[-1]

    block.synapse.pre_hook_fx = watch
    with torch.no_grad():
        block(spikes(*shape))
    block.synapse.pre_hook_fx = quantize
    return (seen[-1] * block.neuron.scale).numpy()


def test_weights_are_those_of_the_next_forward_pass_not_of_the_last() -> None:
    model = dense_model(weight_norm=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.3)
    before = network_from_slayer(model).layers[0]
    model(spikes(7)).sum().backward()
    optimizer.step()
    exported = network_from_slayer(model).layers[0]
    stale = model.blocks[0].synapse.weight  # until the next forward pass
    expected = weight_of_next_forward_pass(model.blocks[0], (7,))
    assert isinstance(exported, DenseLayer)
    assert isinstance(before, DenseLayer)
    assert np.array_equal(exported.weight, expected.reshape(5, 7))
    assert not np.array_equal(exported.weight, before.weight)
    assert not np.array_equal(stale.detach().numpy(), model.blocks[0].synapse.weight.numpy())


@pytest.mark.parametrize("make", [lambda: dense_model(weight_norm=True), dense_model])
def test_the_model_is_left_as_it_was(make: Callable[[], Blocks]) -> None:
    model = make()
    model(spikes(7)).sum().backward()
    model.train()
    model.blocks[1].eval()

    def state() -> dict[str, Any]:
        values = {name: value.clone() for name, value in model.state_dict().items()}
        trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        return values | {f"gradient of {n}": p.grad.clone() for n, p in trained.items()}

    modes = [m.training for m in model.modules()]
    hooks = [list(b.synapse._forward_pre_hooks) for b in model.blocks]
    before = state()
    network_from_slayer(model)
    after = state()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert modes == [m.training for m in model.modules()]
    assert hooks == [list(b.synapse._forward_pre_hooks) for b in model.blocks]
    model(spikes(7)).sum().backward()  # still trains


def test_a_mask_is_exported_although_no_forward_pass_applied_it() -> None:
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    block = slayer.block.cuba.Dense(NEURON, 3, 2, weight_scale=3, mask=mask)
    layer = network_from_slayer(block).layers[0]
    assert isinstance(layer, DenseLayer)
    assert np.array_equal(layer.weight != 0, mask.numpy().astype(bool))
    expected = weight_of_next_forward_pass(block, (3,))
    assert np.array_equal(layer.weight, expected.reshape(2, 3))


class Nested(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        model = dense_model()
        self.first = torch.nn.Sequential(model.blocks[0])
        self.rest = Blocks(model.blocks[1])


def test_blocks_are_found_in_nested_modules_and_alone() -> None:
    expected = network_from_slayer(dense_model()).layers
    assert_same(network_from_slayer(Nested()).layers, expected)
    assert_same(network_from_slayer(torch.nn.Sequential(*dense_model().blocks)).layers, expected)
    assert_same(network_from_slayer(dense_model().blocks).layers, expected)
    assert_same(network_from_slayer(dense_model().blocks[0]).layers, expected[:1])


def test_a_block_used_twice_is_exported_twice() -> None:
    block = slayer.block.cuba.Dense(NEURON, 3, 3, weight_scale=3)
    network = network_from_slayer(Blocks(block, block))
    assert len(network.layers) == 2
    assert_same(network.layers[0], network.layers[1], ignore=("name",))


class OwnDense(slayer.block.cuba.Dense):
    """A block that a user derived."""


def test_derived_blocks_are_exported_like_their_base() -> None:
    torch.manual_seed(1)
    block = OwnDense(NEURON, 7, 5, weight_scale=3)
    expected = network_from_slayer(dense_model()).layers[:1]
    assert_same(network_from_slayer(block).layers, expected)


@pytest.mark.parametrize("shape", [(7,), (7, 1, 1)])
def test_an_input_block_without_neurons_declares_the_shape_once(shape: tuple[int, ...]) -> None:
    entrance = slayer.block.cuba.Input(None, delay_shift=False)
    network = network_from_slayer(Blocks(entrance, *dense_model().blocks), shape)
    assert [type(x) for x in network.layers] == [InputLayer, DenseLayer, DenseLayer]
    assert network.layers[0].shape == shape
    assert [x.name for x in network.layers] == ["layer0", "layer1", "layer2"]


def test_the_threshold_is_cut_and_decays_are_rounded_half_to_even() -> None:
    neuron = {
        "threshold": 80.99 / 64,
        "current_decay": 1024.5 / 4096,
        "voltage_decay": 1025.5 / 4096,
    }
    layer = network_from_slayer(slayer.block.cuba.Dense(neuron, 2, 1)).layers[0]
    assert isinstance(layer, DenseLayer)
    assert isinstance(layer.neuron, CubaNeuron)
    assert layer.neuron.vth_mantissa == 80
    assert int(layer.neuron.current_decay) == 1024
    assert int(layer.neuron.voltage_decay) == 1026


def test_weights_are_rounded_half_to_even_and_clamped() -> None:
    block = slayer.block.cuba.Dense(NEURON, 8, 1)
    stored = [1, -1, 3, -3, 254.9, 1000, -256.9, -1000]  # in units of 1/64
    block.synapse.weight.data = torch.tensor(stored).reshape(1, 8, 1, 1, 1) / 64
    layer = network_from_slayer(block).layers[0]
    assert isinstance(layer, DenseLayer)
    assert np.array_equal(layer.weight, [[0, 0, 4, -4, 254, 254, -256, -256]])
