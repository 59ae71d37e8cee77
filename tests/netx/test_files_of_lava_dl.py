"""Files that lava-dl's own exporters wrote are read with the numbers of the blocks."""
# h5py and SLAYER have no complete type information, and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import assert_holds, read_hdf5
from netx_examples import NAMES
from numpy.typing import NDArray
from slayer_models import COMPLEX, NEURONS, block, in_a_row, run_once, slayer, spikes, torch

from lavadeploy.netx import (
    ConvLayer,
    ConvTransposeLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Network,
    NetxFormatError,
    PoolLayer,
    RecurrentLayer,
    SigmaDeltaNeuron,
    SynapticLayer,
    UnpoolLayer,
    current_shift,
    infer_shapes,
    is_readout,
    read_netx,
    write_netx,
)

pytestmark = [
    pytest.mark.lava,
    # lava-dl 0.6 uses the older of torch's two weight normalizations
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]
REAL = tuple(family for family in NEURONS if family not in COMPLEX)
RUNNING = tuple(family for family in NEURONS if family != "adrf_iz")  # whose forward pass breaks


def export(path: Path, *blocks: Any) -> Path:
    with h5py.File(path / "theirs.net", "w") as file:
        for index, part in enumerate(blocks):
            part.export_hdf5(file.create_group(f"layer/{index}"))
    return path / "theirs.net"


def exported(path: Path, inputs: NDArray[np.float32], *blocks: Any) -> Network:
    """Run the blocks in a row, export them with lava-dl and read, write and read the file."""
    run_once(in_a_row(*blocks), inputs)
    network = read_netx(export(path, *blocks))
    write_netx(network, path / "ours.net")
    assert_holds(path / "ours.net", path / "theirs.net")
    return network


def check_neuron(layer: Any, neuron: Any, *without: str) -> None:
    """Every field that lava-dl exports is in the neuron that was read."""
    params = neuron.device_params
    assert layer.neuron.kind == params["type"]
    fields = [name for name in params if name not in ("type", *without)]
    assert fields
    for name in fields:
        ours = getattr(layer.neuron, NAMES[name])
        assert np.array_equal(ours, np.asarray(params[name])), name


def on_grid(synapse: Any) -> NDArray[np.int64]:
    """The weights of SLAYER's forward pass, in units of 1/64."""
    weight = synapse.pre_hook_fx(synapse.weight).detach().numpy() * 64
    assert np.array_equal(weight, np.round(weight))
    return weight[..., 0].astype(np.int64)


def is_matrix_of(weight: Any, synapse: Any) -> bool:
    return np.array_equal(weight, on_grid(synapse)[:, :, 0, 0])


@pytest.mark.parametrize("family", RUNNING)
def test_dense_layers_of_every_family(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    blocks = (
        block(family, "Dense", 5, 4, weight_scale=3, delay=True),
        block(family, "Dense", 4, 3, weight_norm=True),
    )
    network = exported(tmp_path, spikes(2, 5, 9), *blocks)
    assert network.warnings == ()
    for layer, part in zip(network.layers, blocks, strict=True):
        assert isinstance(layer, DenseLayer)
        assert layer.delay_shift is None
        check_neuron(layer, part.neuron)
        if family in COMPLEX:
            assert is_matrix_of(layer.weight, part.synapse.real)
            assert is_matrix_of(layer.weight_imag, part.synapse.imag)
        else:
            assert is_matrix_of(layer.weight, part.synapse)
            assert layer.weight_imag is None
    first, second = network.layers
    assert isinstance(first, DenseLayer)
    assert isinstance(second, DenseLayer)
    assert (first.shape, second.shape) == ((4,), (3,))
    assert first.delay is not None
    assert np.array_equal(first.delay, np.floor(blocks[0].delay.delay.detach().numpy().ravel()))
    assert second.delay is None


def test_the_neuron_whose_forward_pass_breaks(tmp_path: Path) -> None:
    part = block("adrf_iz", "Dense", 5, 4)
    part.neuron.shape = torch.Size([4])  # what the forward pass would have set
    layer = read_netx(export(tmp_path, part)).layers[0]
    assert isinstance(layer, DenseLayer)
    check_neuron(layer, part.neuron)


@pytest.mark.parametrize("family", REAL)
def test_kernels_of_every_real_family(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    blocks = (
        block(family, "Input", weight=0.5, bias=0.25),
        block(family, "Conv", 2, 4, (3, 2), (1, 2), (1, 0), (2, 1), 2, weight_scale=3, delay=True),
        block(family, "Pool", (2, 1), weight_scale=1.1),
        block(family, "Unpool", 2, weight_scale=1.1),
        block(family, "ConvT", 4, 6, (2, 3), 2, (0, 1), (1, 2), 2, weight_norm=True),
        block(family, "Flatten"),
        block(family, "Dense", 6 * 16 * 33, 2),
    )
    network = exported(tmp_path, spikes(1, 2, 10, 16, 4), *blocks)
    assert network.warnings == ()
    # the shapes that SLAYER stored are those that follow from kernels, strides and paddings
    assert infer_shapes(network)[-1].shape_out == (2,)
    kinds = (InputLayer, ConvLayer, PoolLayer, UnpoolLayer, ConvTransposeLayer, FlattenLayer)
    assert tuple(type(layer) for layer in network.layers) == (*kinds, DenseLayer)
    for layer, part in zip(network.layers, blocks, strict=True):
        if isinstance(layer, InputLayer):
            assert (layer.weight, layer.bias) == (32, 16)
            check_neuron(layer, part.neuron)
        elif isinstance(layer, SynapticLayer) and not isinstance(layer, DenseLayer):
            check_neuron(layer, part.neuron)
            check_kernel(layer, part.synapse)
    conv = network.layers[1]
    assert isinstance(conv, ConvLayer)
    assert conv.delay is not None
    assert np.array_equal(conv.delay, np.floor(blocks[1].delay.delay.detach().numpy().ravel()))


def check_kernel(layer: Any, synapse: Any) -> None:
    assert np.array_equal(layer.weight, on_grid(synapse))
    for name in ("kernel_size", "stride", "padding", "dilation"):
        assert getattr(layer, name) == tuple(getattr(synapse, name)[:2]), name
    if isinstance(layer, ConvLayer | ConvTransposeLayer):
        assert layer.groups == synapse.groups == 2


@pytest.mark.parametrize("family", ["cuba", "alif"])
def test_recurrent_layers(family: str, tmp_path: Path) -> None:
    part = block(family, "Recurrent", 5, 4, delay=True)
    layer = exported(tmp_path, spikes(1, 5, 6), part).layers[0]
    assert isinstance(layer, RecurrentLayer)
    assert is_matrix_of(layer.weight, part.input_synapse)
    assert is_matrix_of(layer.weight_rec, part.recurrent_synapse)
    check_neuron(layer, part.neuron)


def test_an_affine_layer_never_fires(tmp_path: Path) -> None:
    part = block("cuba", "Affine", 5, 4)
    layer = exported(tmp_path, spikes(1, 5, 6), part).layers[0]
    assert isinstance(layer, DenseLayer)
    assert isinstance(layer.neuron, CubaNeuron)
    assert layer.neuron.vth_mantissa == (1 << 18) - 1
    assert is_readout(layer.neuron)
    check_neuron(layer, part.neuron, "vThMant")


def test_an_affine_layer_without_dynamics_has_no_neurons(tmp_path: Path) -> None:
    part = block("cuba", "Affine", 5, 4, dynamics=False)
    part.neuron.shape = torch.Size([4])  # its forward pass does not use the neuron
    network = exported(tmp_path, spikes(1, 5, 6), part)
    assert len(network.warnings) == 1
    assert network.warnings[0].startswith("layer0: no neuron group; read as lava-dl does")
    layer = network.layers[0]
    assert isinstance(layer, DenseLayer)
    assert is_readout(layer.neuron)
    assert is_matrix_of(layer.weight, part.synapse)


def test_sigma_delta_output(tmp_path: Path) -> None:
    parts = (block("sigma_delta", "Input"), block("sigma_delta", "Output", 5, 2))
    layers = exported(tmp_path, spikes(1, 5, 6), *parts).layers
    assert isinstance(layers[0], InputLayer)
    assert isinstance(layers[1], DenseLayer)
    for layer, is_output in zip(layers, (False, True), strict=True):
        assert isinstance(layer, InputLayer | DenseLayer)
        assert isinstance(layer.neuron, SigmaDeltaNeuron)
        assert layer.neuron.sigma_output is is_output
        assert (layer.neuron.activation, layer.neuron.vth_mantissa) == ("relu", 6)
    assert is_matrix_of(layers[1].weight, parts[1].synapse)


def test_an_input_layer_without_neurons_only_states_a_shape(tmp_path: Path) -> None:
    part = slayer.block.cuba.Input(None, delay_shift=False)
    layer = exported(tmp_path, spikes(1, 2, 3, 4, 5), part).layers[0]
    assert isinstance(layer, InputLayer)
    assert (layer.shape, layer.neuron, layer.weight) == ((2, 3, 4), None, None)


def test_decays_by_neuron(tmp_path: Path) -> None:
    part = block("cuba", "Dense", 5, 4, changes={"shared_param": False})
    layer = exported(tmp_path, spikes(1, 5, 6), part).layers[0]
    assert isinstance(layer, DenseLayer)
    assert isinstance(layer.neuron, CubaNeuron)
    assert layer.neuron.current_decay.shape == (4,)
    check_neuron(layer, part.neuron)


def normalized(path: Path, norm: Any, weight_scale: float) -> tuple[Network, Any]:
    torch.manual_seed(0)
    part = block("cuba", "Dense", 5, 5, weight_scale=weight_scale, changes={"norm": norm})
    network = exported(path, spikes(1, 5, 20, rate=0.8), part)
    layer = network.layers[0]
    assert isinstance(layer, DenseLayer)
    assert layer.bias is not None
    assert layer.bias.any()
    assert np.array_equal(layer.bias, part.neuron.norm.bias.numpy())
    return network, layer.neuron


def test_biases_of_batch_norm(tmp_path: Path) -> None:
    network, neuron = normalized(tmp_path, slayer.neuron.norm.MeanOnlyBatchNorm, 3)
    assert network.warnings == ()
    assert neuron.current_exponent == 0


@pytest.mark.parametrize(("weight_scale", "stored", "used"), [(0.1, -4, -3), (1, 0, 0), (20, 3, 3)])
def test_exponents_of_batch_norm(
    weight_scale: float, stored: int, used: int, tmp_path: Path
) -> None:
    network, neuron = normalized(tmp_path, slayer.neuron.norm.WgtScaleBatchNorm, weight_scale)
    assert read_hdf5(tmp_path / "theirs.net")["layer/0/neuron/weight_exp"] == [stored]
    assert neuron.current_exponent == stored
    assert current_shift(neuron) == used
    assert len(network.warnings) == int(stored != used)


def test_what_lava_dl_cannot_export_is_refused(tmp_path: Path) -> None:
    # KWTA blocks leave an empty group, Average blocks their type only
    part = block("cuba", "KWTA", 5, 4, 1)
    assert sentence(NetxFormatError, read_netx, export(tmp_path, part)) == (
        f"'{tmp_path / 'theirs.net'}', layer0: field 'type' is missing or not a string."
    )
    with h5py.File(tmp_path / "broken.net", "w") as file, pytest.raises(AttributeError):
        block("cuba", "Average", 3).export_hdf5(file.create_group("layer/0"))
    assert sentence(NetxFormatError, read_netx, tmp_path / "broken.net") == (
        f"'{tmp_path / 'broken.net'}', layer0: field 'shape' is missing or not a number."
    )
    part = block("rf", "Input")
    with pytest.raises(AssertionError):  # it takes the two samples for real and imaginary input
        run_once(part, spikes(2, 5, 6))
    assert sentence(NetxFormatError, read_netx, export(tmp_path, part)) == (
        f"'{tmp_path / 'theirs.net'}', layer0: shape is (); positive sizes were expected."
    )


def test_a_block_of_the_bootstrap_module(tmp_path: Path) -> None:
    bootstrap = importlib.import_module("lava.lib.dl.bootstrap")
    neuron = {"threshold": 1.25, "current_decay": 1, "voltage_decay": 0.1}
    part = bootstrap.block.cuba.Dense(neuron, 5, 4)
    part(torch.from_numpy(spikes(1, 5, 6)), mode=bootstrap.Mode.SNN)
    layer = read_netx(export(tmp_path, part)).layers[0]
    assert isinstance(layer, DenseLayer)
    assert is_matrix_of(layer.weight, part.synapse)
    check_neuron(layer, part.neuron)
