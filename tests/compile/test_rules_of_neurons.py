"""Every rule of neurons at its limit and one beyond, with its sentence."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import cuba, dense
from netx_examples import neuron_of
from profiles import formatted
from rule_problems import problems

from lavadeploy.netx import (
    AlifNeuron,
    CubaNeuron,
    DenseLayer,
    InputLayer,
    Layer,
    Neuron,
    NeuronKind,
    SigmaDeltaNeuron,
    is_complex,
)

SCALE = "Scale the layer's weights and threshold down together."
ANY = [kind for kind in NeuronKind if kind not in (NeuronKind.CUBA, NeuronKind.LOIHI)]
RESONATORS = [kind for kind in ANY if kind not in (NeuronKind.ALIF, NeuronKind.SDNN)]


def plain(kind: NeuronKind, **changes: Any) -> Neuron:
    """A neuron of a kind that breaks no rule of loihi2, with some fields changed."""
    neuron = neuron_of(kind)
    names = {field.name for field in dataclasses.fields(neuron)}
    harmless: dict[str, Any] = {
        "refractory_delay": 1,
        "graded_spike": False,
        "current_exponent": 0,
        "message_bits": None,
        "sigma_output": False,
    }
    kept = {name: value for name, value in harmless.items() if name in names}
    return dataclasses.replace(neuron, **(kept | changes))


def network(neuron: Neuron) -> tuple[Layer, ...]:
    """Two neurons, and one that hears them, so that the first layer is no readout."""
    weight = np.array([[2], [4]], dtype=np.int32)
    first = dense(weight, neuron=neuron, weight_imag=weight if is_complex(neuron) else None)
    return first, dense([[2, 2]], name="layer1")


def number(value: int) -> Any:
    return np.array(value, dtype=np.int32)


def two(value: int) -> Any:
    """A harmless number and the one in question."""
    return np.array([1, value], dtype=np.int32)


def alif(**changes: Any) -> AlifNeuron:
    found = plain(NeuronKind.ALIF, **changes)
    assert isinstance(found, AlifNeuron)
    return found


def sigma_delta(**changes: Any) -> SigmaDeltaNeuron:
    found = plain(NeuronKind.SDNN, **changes)
    assert isinstance(found, SigmaDeltaNeuron)
    return found


@pytest.mark.parametrize("kind", NeuronKind)
@pytest.mark.parametrize("profile", ["ideal", "loihi2"])
def test_every_kind_of_neuron_is_allowed_where_neurons_are_programs(
    kind: NeuronKind, profile: str
) -> None:
    assert problems(*network(plain(kind)), profile=profile) == []


@pytest.mark.parametrize("kind", ANY)
def test_loihi1_has_cuba_neurons_only(kind: NeuronKind) -> None:
    assert problems(*network(plain(NeuronKind.CUBA)), profile="loihi1") == []
    assert problems(*network(plain(NeuronKind.LOIHI)), profile="loihi1") == []
    assert problems(*network(plain(kind)), profile="loihi1") == [
        (
            f"layer0: {kind.value} neurons; loihi1 allows CUBA, LOIHI. Train with CUBA neurons "
            "(slayer.block.cuba), or compile for another profile. [neuron_kind_exists]"
        )
    ]


@pytest.mark.parametrize("vth", [0, 131071])
@pytest.mark.parametrize("kind", NeuronKind)
def test_thresholds_at_the_limit_are_allowed(kind: NeuronKind, vth: int) -> None:
    assert problems(*network(plain(kind, vth_mantissa=vth))) == []


@pytest.mark.parametrize("vth", [-1, 131072])
@pytest.mark.parametrize("kind", NeuronKind)
def test_thresholds_beyond_the_limit_are_refused(kind: NeuronKind, vth: int) -> None:
    assert problems(*network(plain(kind, vth_mantissa=vth))) == [
        (
            f"layer0: threshold {vth} (vThMant); loihi2 allows 0 to 131071. {SCALE} "
            "[threshold_in_range]"
        )
    ]


def test_a_last_layer_that_never_fires_is_a_readout_whatever_its_threshold() -> None:
    # SLAYER writes 2**18 - 1 for affine blocks
    assert problems(dense([[2]], neuron=cuba(vth=(1 << 18) - 1))) == []


@pytest.mark.parametrize("step", [0, 131071])
def test_threshold_steps_at_the_limit_are_allowed(step: int) -> None:
    for kind in (NeuronKind.ALIF, NeuronKind.ADRF, NeuronKind.ADRF_IZ):
        assert problems(*network(plain(kind, vth_step=step))) == []


@pytest.mark.parametrize("step", [-1, 131072])
def test_threshold_steps_beyond_the_limit_are_refused(step: int) -> None:
    for kind in (NeuronKind.ALIF, NeuronKind.ADRF, NeuronKind.ADRF_IZ):
        assert problems(*network(plain(kind, vth_step=step))) == [
            (
                f"layer0: threshold step {step} (vThStep); loihi2 allows 0 to 131071. Scale the "
                "layer's weights, threshold and threshold step down together. "
                "[threshold_step_in_range]"
            )
        ]


DECAYS = [
    *((NeuronKind.CUBA, name) for name in ("current", "voltage")),
    *((NeuronKind.ALIF, name) for name in ("current", "voltage", "threshold", "refractory")),
    *((NeuronKind.ADRF, name) for name in ("threshold", "refractory")),
]


@pytest.mark.parametrize("decay", [0, 4096])
@pytest.mark.parametrize(("kind", "name"), DECAYS)
def test_decays_at_the_limit_are_allowed(kind: NeuronKind, name: str, decay: int) -> None:
    for values in (number(decay), two(decay)):
        assert problems(*network(plain(kind, **{f"{name}_decay": values}))) == []


@pytest.mark.parametrize("decay", [-1, 4097])
@pytest.mark.parametrize(("kind", "name"), DECAYS)
def test_decays_beyond_the_limit_are_refused(kind: NeuronKind, name: str, decay: int) -> None:
    for values in (number(decay), two(decay)):
        assert problems(*network(plain(kind, **{f"{name}_decay": values}))) == [
            (
                f"layer0: {name} decay {decay}; loihi2 allows 0 to 4096 (of 4096). "
                "Export the decay as round(4096 * decay). [decays_in_range]"
            )
        ]


@pytest.mark.parametrize("part", [-4096, -1, 4096])
@pytest.mark.parametrize("name", ["sin_decay", "cos_decay"])
@pytest.mark.parametrize("kind", RESONATORS)
def test_rotations_of_both_signs_are_allowed(kind: NeuronKind, name: str, part: int) -> None:
    assert problems(*network(plain(kind, **{name: two(part)}))) == []


@pytest.mark.parametrize("part", [-4097, 4097])
@pytest.mark.parametrize("name", ["sin_decay", "cos_decay"])
@pytest.mark.parametrize("kind", RESONATORS)
def test_rotations_beyond_the_limit_are_refused(kind: NeuronKind, name: str, part: int) -> None:
    assert problems(*network(plain(kind, **{name: two(part)}))) == [
        (
            f"layer0: {name.replace('_', ' ')} {part}; loihi2 allows -4096 to 4096 (of 4096). "
            "Export them as round(4096 * decay * sin(angle)) and the same with cos. "
            "[rotation_in_range]"
        )
    ]


def refractory(delay: int) -> CubaNeuron:
    return dataclasses.replace(cuba(), refractory_delay=delay)


@pytest.mark.parametrize("profile", ["ideal", "loihi1", "loihi2"])
def test_refractory_delays_are_one_to_63_steps(profile: str) -> None:
    for delay in (1, 63):
        assert problems(*network(refractory(delay)), profile=profile) == []
    for delay in (0, 64):
        assert problems(*network(refractory(delay)), profile=profile) == [
            (
                f"layer0: refractory delay {delay}; {profile} allows 1 to 63 steps. "
                "Use a shorter refractory period. [refractory_in_range]"
            )
        ]


def test_adaptive_neurons_have_no_refractory_delay() -> None:
    assert problems(*network(alif(refractory_delay=1))) == []
    assert problems(*network(alif(refractory_delay=2))) == [
        (
            "layer0: refractory delay 2 of ALIF neurons; loihi2 allows 1 step, since neither "
            "SLAYER nor Lava has a model of more. Use a refractory delay of 1; the refractory "
            "decay remains. [refractory_of_adaptive_neurons]"
        )
    ]


def payload_problem(found: str, allowed: str) -> list[str]:
    return [
        (
            f"layer0: {found}; {allowed}. Train without graded_spike or with fewer message bits, "
            "or compile for another profile. [graded_spikes_fit]"
        )
    ]


def test_loihi1_has_binary_spikes() -> None:
    graded = dataclasses.replace(cuba(), graded_spike=True)
    assert problems(*network(graded), profile="loihi2") == []
    assert problems(*network(cuba()), profile="loihi1") == []
    assert problems(*network(graded), profile="loihi1") == payload_problem(
        "graded spikes", "loihi1 allows binary spikes only"
    )


@pytest.mark.parametrize("kind", NeuronKind)
def test_payloads_are_as_wide_as_the_messages_of_the_chip(kind: NeuronKind) -> None:
    graded: dict[str, Any] = {} if kind is NeuronKind.SDNN else {"graded_spike": True}
    assert problems(*network(plain(kind, message_bits=24, **graded))) == []
    assert problems(*network(plain(kind, message_bits=25, **graded))) == payload_problem(
        "payloads of 25 bits (messageBits)", "loihi2 allows payloads of up to 24 bits"
    )


def test_the_width_of_messages_means_nothing_to_binary_spikes() -> None:
    binary = plain(NeuronKind.CUBA, message_bits=25)
    assert problems(*network(binary), profile="loihi1") == []


def test_sigma_delta_neurons_send_graded_spikes() -> None:
    profile = formatted("loihi2", payload_max=1)
    assert problems(*network(sigma_delta()), profile=profile) == payload_problem(
        "graded spikes", "loihi2 allows binary spikes only"
    )


def test_relu_is_the_only_activation() -> None:
    assert problems(*network(sigma_delta(activation="relu"))) == []
    assert problems(*network(sigma_delta(activation="tanh"))) == [
        (
            "layer0: activation 'tanh'; loihi2 allows 'relu', since Lava has no model of another. "
            "Train with torch.nn.functional.relu. [activation_has_a_model]"
        )
    ]


def test_sigma_outputs_and_delta_encoders_have_no_activation() -> None:
    assert problems(*network(sigma_delta(activation="tanh", sigma_output=True))) == []
    encoder = InputLayer(name="layer0", shape=(1,), neuron=sigma_delta(activation="tanh"))
    assert problems(encoder, dense([[2]], name="layer1")) == []


def divided(exponent: int) -> DenseLayer:
    neuron = dataclasses.replace(cuba(), current_exponent=exponent)
    return dense([[2], [4]], neuron=neuron)


@pytest.mark.parametrize("exponent", [-3, 3])
def test_loihi2_divides_currents(exponent: int) -> None:
    assert problems(divided(exponent)) == []
    narrow = formatted("loihi2", current_exponent_max=2)
    assert problems(divided(exponent), profile=narrow) == [
        (
            f"layer0: a current divided by 2**{exponent}; loihi2 allows exponents of -2 to 2. "
            "Train without WgtScaleBatchNorm, or compile for another profile. "
            "[current_exponent_in_range]"
        )
    ]


@pytest.mark.parametrize("exponent", [-1, 1])
def test_loihi1_takes_the_current_as_it_is(exponent: int) -> None:
    assert problems(divided(0), profile="loihi1") == []
    assert problems(divided(exponent), profile="loihi1") == [
        (
            f"layer0: a current divided by 2**{exponent}; loihi1 allows the current as it is. "
            "Train without WgtScaleBatchNorm, or compile for another profile. "
            "[current_exponent_in_range]"
        )
    ]


def test_exponents_are_judged_as_slayer_clamps_them() -> None:
    assert problems(divided(9)) == []
