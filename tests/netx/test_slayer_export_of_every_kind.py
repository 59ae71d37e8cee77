"""Every family of neurons: exported without a forward pass, and nothing of the model changes."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from expect import assert_same
from slayer_models import NEURONS, block, in_a_row, run_once, slayer, spikes, torch

from lavadeploy.netx import (
    AverageLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    PoolLayer,
    UnpoolLayer,
    network_from_slayer,
    read_netx,
    write_netx,
)

pytestmark = [
    pytest.mark.lava,
    # lava-dl 0.6 uses the older of torch's two weight normalizations
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]
FAMILIES = sorted(NEURONS)
IMAGE = (2, 6, 6)


def model_of(family: str, **changes: Any) -> Any:
    options = {"changes": changes, "weight_norm": True, "weight_scale": 4}
    torch.manual_seed(0)
    return in_a_row(
        block(family, "Conv", 2, 4, 3, padding=1, **options),
        block(family, "Pool", 2, weight_scale=1.1, changes=changes),
        block(family, "Unpool", 2, weight_scale=1.1, changes=changes),
        block(family, "ConvT" if family != "adrf_iz" else "Conv", 4, 3, 3, **options),
        block(family, "Flatten"),
        block(family, "Dense", 3 * 8 * 8 if family != "adrf_iz" else 3 * 4 * 4, 6, **options),
        block(family, "Average", 3),
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_layers_are_those_of_the_blocks(family: str) -> None:
    network = network_from_slayer(model_of(family), IMAGE)
    fourth = ConvTransposeLayer if family != "adrf_iz" else ConvLayer
    kinds = [InputLayer, ConvLayer, PoolLayer, UnpoolLayer, fourth, FlattenLayer, DenseLayer]
    assert [type(x) for x in network.layers] == [*kinds, AverageLayer]


def everything(module: Any) -> dict[str, Any]:
    """Return all that a module holds, by the place it is held in."""
    held: dict[str, Any] = {}
    for place, part in module.named_modules():
        for name, value in vars(part).items():
            if name not in ("_modules", "_parameters", "_buffers"):
                held[f"{place}.{name}"] = copy.copy(value)
        for table in (part._parameters, part._buffers):
            for name, value in table.items():
                held[f"{place}.{name}"] = None if value is None else value.detach().clone()
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    return held | {f"gradient of {n}": g.clone() for n, g in gradients.items()}


def assert_untouched(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert before.keys() == after.keys()
    for place, value in before.items():
        other = after[place]
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, other), place
        else:
            assert value == other or repr(value) == repr(other), place


@pytest.mark.usefixtures("adrf_iz_can_run")
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_of_the_model_changes(family: str) -> None:
    model = model_of(family, requires_grad=True)
    fresh = everything(model)
    network_from_slayer(model, IMAGE)
    assert_untouched(fresh, everything(model))
    model(torch.from_numpy(spikes(2, *IMAGE, 8))).sum().backward()
    model.train()
    model[1].eval()
    trained = everything(model)
    network_from_slayer(model, IMAGE)
    assert_untouched(trained, everything(model))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_state_loaded_into_a_fresh_model_exports_the_same(family: str, tmp_path: Path) -> None:
    trained = model_of(family)
    for parameter in trained.parameters():
        parameter.data += 0.1 * torch.rand_like(parameter.data)
    torch.save(trained.state_dict(), tmp_path / "model.pt")
    torch.manual_seed(1)
    fresh = model_of(family)
    fresh.load_state_dict(torch.load(tmp_path / "model.pt"))
    expected = network_from_slayer(trained, IMAGE)
    assert_same(network_from_slayer(fresh, IMAGE).layers, expected.layers)
    write_netx(expected, tmp_path / "model.net")
    assert_same(read_netx(tmp_path / "model.net").layers, expected.layers)


def test_pool_leaves_the_dictionary_of_parameters_of_later_blocks_alone() -> None:
    """SLAYER's Pool and KWTA write into the dictionary they are given; the export reads blocks."""
    neuron = NEURONS["cuba"] | {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    first = slayer.block.cuba.Conv(neuron, 2, 4, 3)
    slayer.block.cuba.Pool(neuron, 2)
    second = slayer.block.cuba.Conv(neuron, 2, 4, 3)
    run_once(first, spikes(1, *IMAGE, 3))
    layers = [network_from_slayer(part, IMAGE).layers[-1] for part in (first, second)]
    assert isinstance(layers[0], ConvLayer)
    assert isinstance(layers[1], ConvLayer)
    assert layers[0].bias is not None
    assert layers[1].bias is None  # as its forward pass has it: no normalization either
