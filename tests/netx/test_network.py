"""The arrays of a network are checked, copied and frozen; layers and neurons know their kind."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import sentence
from netx_examples import COMPLEX, layer_of, neuron_of

from lavadeploy.netx import (
    NEVER_FIRES,
    CubaNeuron,
    InputLayer,
    LayerKind,
    NeuronKind,
    PoolLayer,
    RecurrentLayer,
    is_complex,
    is_readout,
    is_shifted,
    layer_kind,
    size_of,
)


def arrays() -> dict[str, Any]:
    """Every array of every kind of layer and neuron."""
    owners = {kind.value: layer_of(kind, neuron_of(NeuronKind.ADRF)) for kind in LayerKind}
    owners |= {kind.value: neuron_of(kind) for kind in NeuronKind}
    return {
        f"{kind}: {field.name}": getattr(owner, field.name)
        for kind, owner in owners.items()
        for field in dataclasses.fields(owner)
        if isinstance(getattr(owner, field.name), np.ndarray)
    }


@pytest.mark.parametrize("name", arrays())
def test_later_writes_raise(name: str) -> None:
    array = arrays()[name]
    assert array.dtype == np.int32
    with pytest.raises(ValueError, match="assignment destination is read-only"):
        array.reshape(-1)[0] = 1


def test_the_callers_array_stays_his_own() -> None:
    weight = np.array([[2, 4]], dtype=np.int32)
    layer = dense(weight)
    weight[0, 0] = 100
    assert np.array_equal(layer.weight, [[2, 4]])
    assert weight.flags.writeable


def neuron_with(decay: Any) -> CubaNeuron:
    return CubaNeuron(vth_mantissa=1, current_decay=decay, voltage_decay=np.array(0))


def test_weights_must_be_integers() -> None:
    assert sentence(TypeError, neuron_with, np.array(0.5)) == (
        "current_decay must be an integer array, not float64"
    )
    layer = layer_of(LayerKind.RECURRENT)
    assert sentence(TypeError, dataclasses.replace, layer, weight_rec=np.zeros((2, 2))) == (
        "weight_rec must be an integer array, not float64"
    )


def test_dimensions_are_checked() -> None:
    assert sentence(ValueError, neuron_with, np.zeros((1, 1), dtype=np.int32)) == (
        "current_decay must have 1 dimensions, not 2"
    )
    assert sentence(ValueError, dense, [[2]], bias=np.zeros((), dtype=np.int32)) == (
        "bias must have 1 dimensions, not 0"
    )
    assert sentence(ValueError, conv, np.zeros((1, 1, 1)), (1, 1, 1)) == (
        "weight must have 4 dimensions, not 3"
    )
    pool, recurrent = layer_of(LayerKind.POOL), layer_of(LayerKind.RECURRENT)
    assert isinstance(pool, PoolLayer)
    assert isinstance(recurrent, RecurrentLayer)
    flat = np.zeros(4, dtype=np.int32)
    for layer, field, ndim in (
        (pool, "weight_imag", 4),
        (recurrent, "weight_rec", 2),
        (recurrent, "weight_imag", 2),
    ):
        assert sentence(ValueError, dataclasses.replace, layer, **{field: flat}) == (
            f"{field} must have {ndim} dimensions, not 1"
        )


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_numbers_beyond_32_bits_do_not_wrap_in_silence(value: int) -> None:
    wide = np.array(value, dtype=np.int64)
    assert sentence(ValueError, neuron_with, wide) == "current_decay holds numbers beyond 32 bits"
    for owner, fields in (
        (neuron_of(NeuronKind.ALIF), ("vth_mantissa", "vth_step", "message_bits")),
        (neuron_of(NeuronKind.CUBA), ("vth_mantissa", "refractory_delay", "current_exponent")),
        (neuron_of(NeuronKind.ADRF), ("vth_mantissa", "vth_step", "message_bits")),
        (neuron_of(NeuronKind.SDNN), ("vth_mantissa", "message_bits")),
        (layer_of(LayerKind.INPUT), ("weight", "bias")),
    ):
        for field in fields:
            assert sentence(ValueError, dataclasses.replace, owner, **{field: value}) == (
                f"{field} is {value}, beyond 32 bits"
            )


def test_one_value_for_one_channel_is_one_for_all() -> None:
    assert neuron_with(np.array([7])).current_decay.shape == ()
    assert neuron_with(np.array([7, 7])).current_decay.shape == (2,)


def test_every_layer_knows_its_kind() -> None:
    assert {kind: layer_kind(layer_of(kind)) for kind in LayerKind} == {k: k for k in LayerKind}


def test_every_neuron_knows_its_kind() -> None:
    assert {kind: neuron_of(kind).kind for kind in NeuronKind} == {k: k for k in NeuronKind}


def test_resonators_are_complex() -> None:
    assert tuple(kind for kind in NeuronKind if is_complex(neuron_of(kind))) == COMPLEX


def test_a_neuron_that_cannot_fire_is_a_readout() -> None:
    assert is_readout(cuba(NEVER_FIRES))
    assert not is_readout(cuba(NEVER_FIRES - 1))
    sdnn = dataclasses.replace(neuron_of(NeuronKind.SDNN), vth_mantissa=NEVER_FIRES)
    assert not is_readout(sdnn)


@pytest.mark.parametrize("kind", NeuronKind)
def test_sigma_delta_output_comes_at_once_and_all_other_a_step_late(kind: NeuronKind) -> None:
    for layer in (layer_of(LayerKind.INPUT, neuron_of(kind)), dense([[2]], neuron=neuron_of(kind))):
        late = kind is not NeuronKind.SDNN
        assert is_shifted(dataclasses.replace(layer, delay_shift=None)) is late
        assert is_shifted(dataclasses.replace(layer, delay_shift=True)) is True
        assert is_shifted(dataclasses.replace(layer, delay_shift=False)) is False


def test_layers_without_neurons_delay_nothing() -> None:
    assert not is_shifted(InputLayer(name="layer0", shape=(1,), delay_shift=True))
    assert not is_shifted(layer_of(LayerKind.FLATTEN))


@pytest.mark.parametrize(
    ("shape", "size"), [((7,), 7), ((2, 3, 4), 24), ((1 << 20, 1 << 20, 4), 1 << 42)]
)
def test_the_size_of_a_shape_is_a_python_integer(shape: tuple[int, ...], size: int) -> None:
    assert size_of(shape) == size
