"""Neuron models of NetX: parameters in fixed point, as stored.

Decays are parts of 4096 lost in a step (resonators: the parts kept), thresholds and biases are in
weight units of 1/64. What the models compute stands in ``sim/neurons``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .arrays import IntArray, check_int32, freeze_parameter

# From the largest threshold of the register on, only a voltage that was clipped to its 24 bits
# could fire: the layer is read by its voltage. SLAYER stores Affine blocks so, with 2**18 - 1.
NEVER_FIRES = (1 << 17) - 1
MOST_CURRENT_SHIFT = 3
# From this threshold on CUBA neurons of SLAYER fire at equality, Lava's never do: the 0.01 that
# SLAYER adds to make its comparison strict is lost in float32 (threshold * 64 >= 2**18).
NON_STRICT_THRESHOLD = 4096
VTH_FRACTIONS = 4096  # a weight unit, 2**-6, in the 2**-18 that sigma-delta neurons work in


class NeuronKind(str, Enum):
    """Neuron kinds, with the spelling of the file's ``neuron/type`` field."""

    CUBA = "CUBA"
    LOIHI = "LOIHI"  # the same neuron, as files of lava-dl 0.2 spell it
    ALIF = "ALIF"
    RF = "RF_PHASE"
    RF_IZ = "RF_IZHIKEVICH"
    ADRF = "ADRF_PHASE"
    ADRF_IZ = "ADRF_IZHIKEVICH"
    SDNN = "SDNN"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CubaNeuron:
    """Current-based leaky integrate-and-fire neuron.

    Attributes
    ----------
    kind : NeuronKind
        Spelling found in the file: CUBA or LOIHI.
    vth_mantissa : int
        Threshold in weight units; the chip compares the voltage with ``vth_mantissa * 64``.
    current_decay, voltage_decay : int32 array, shape () or (C,)
        Part of the state lost in a step, of 4096; 0 keeps all, 4096 forgets all. One value, or one
        a channel (convolution) or neuron (dense).
    refractory_delay : int
        Steps from a spike to the next possible one; 1 means no refractory period.
    graded_spike : bool
        Whether spikes carry the voltage, in 1/4096, instead of 1.
    current_exponent : int
        Current and bias reach the voltage divided by a power of two (the file's ``weight_exp``,
        which SLAYER's WgtScaleBatchNorm makes); see `current_shift`. 0 for all other networks.
    message_bits : int or None
        Width of a spike's payload, where the file states one.
    """

    kind: NeuronKind = NeuronKind.CUBA
    vth_mantissa: int
    current_decay: IntArray
    voltage_decay: IntArray
    refractory_delay: int = 1
    graded_spike: bool = False
    current_exponent: int = 0
    message_bits: int | None = None

    def __post_init__(self) -> None:
        check_int32(self, "vth_mantissa", "refractory_delay", "current_exponent", "message_bits")
        freeze_parameter(self, "current_decay")
        freeze_parameter(self, "voltage_decay")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlifNeuron:
    """Adaptive leaky integrate-and-fire neuron: a spike raises its threshold and a refractory term.

    Attributes as in `CubaNeuron`, and

    Attributes
    ----------
    vth_step : int
        What a spike adds to the threshold, in weight units.
    threshold_decay, refractory_decay : int32 array, shape () or (C,)
        Part of the raised threshold and of the refractory term lost in a step, of 4096.
    """

    vth_mantissa: int
    vth_step: int
    current_decay: IntArray
    voltage_decay: IntArray
    threshold_decay: IntArray
    refractory_decay: IntArray
    refractory_delay: int = 1
    graded_spike: bool = False
    current_exponent: int = 0
    message_bits: int | None = None

    def __post_init__(self) -> None:
        check_int32(self, "vth_mantissa", "vth_step", "refractory_delay", "current_exponent")
        check_int32(self, "message_bits")
        for name in ("current_decay", "voltage_decay", "threshold_decay", "refractory_decay"):
            freeze_parameter(self, name)

    @property
    def kind(self) -> NeuronKind:
        """Spelling of the file."""
        return NeuronKind.ALIF


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResonatorNeuron:
    """Resonate-and-fire neuron: a complex state that turns by a fixed angle in a step.

    Attributes
    ----------
    kind : NeuronKind
        RF (fires where the phase passes zero) or RF_IZ (fires where the imaginary part passes the
        threshold, and is reset).
    vth_mantissa : int
        Threshold in weight units.
    sin_decay, cos_decay : int32 array, shape () or (C,)
        Sine and cosine of the angle, times the part of the state kept in a step, times 4096.
    graded_spike : bool
        Whether spikes carry the state, in 1/4096, instead of 1.
    message_bits : int or None
        Width of a spike's payload, where the file states one.
    """

    kind: NeuronKind
    vth_mantissa: int
    sin_decay: IntArray
    cos_decay: IntArray
    graded_spike: bool = False
    message_bits: int | None = None

    def __post_init__(self) -> None:
        check_int32(self, "vth_mantissa", "message_bits")
        freeze_parameter(self, "sin_decay")
        freeze_parameter(self, "cos_decay")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdaptiveResonatorNeuron:
    """Resonator with the adaptive threshold of `AlifNeuron`, never reset.

    Attributes as in `ResonatorNeuron` (kinds ADRF and ADRF_IZ) and `AlifNeuron`.
    """

    kind: NeuronKind
    vth_mantissa: int
    vth_step: int
    sin_decay: IntArray
    cos_decay: IntArray
    threshold_decay: IntArray
    refractory_decay: IntArray
    graded_spike: bool = False
    message_bits: int | None = None

    def __post_init__(self) -> None:
        check_int32(self, "vth_mantissa", "vth_step", "message_bits")
        for name in ("sin_decay", "cos_decay", "threshold_decay", "refractory_decay"):
            freeze_parameter(self, name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SigmaDeltaNeuron:
    """Sigma-delta neuron: sums what comes in, sends the change of its activation.

    In an input layer there is nothing to sum: it is a delta encoder.

    Attributes
    ----------
    vth_mantissa : int
        Least change that is sent, in weight units.
    vth_fraction : int
        What lies between that and the next weight unit, of 4096: learned thresholds are finer.
    activation : str
        Name of the activation function; only ``'relu'`` has a model.
    sigma_output : bool
        Whether the sum itself is the output (last layers).
    message_bits : int or None
        Width of a message, where the file states one.
    """

    vth_mantissa: int
    vth_fraction: int = 0
    activation: str = "relu"
    sigma_output: bool = False
    message_bits: int | None = None

    def __post_init__(self) -> None:
        check_int32(self, "vth_mantissa", "message_bits")
        if not 0 <= self.vth_fraction < VTH_FRACTIONS:
            raise ValueError(f"vth_fraction is {self.vth_fraction}, not a part of {VTH_FRACTIONS}")

    @property
    def kind(self) -> NeuronKind:
        """Spelling of the file."""
        return NeuronKind.SDNN


Neuron: TypeAlias = (
    CubaNeuron | AlifNeuron | ResonatorNeuron | AdaptiveResonatorNeuron | SigmaDeltaNeuron
)


def current_shift(neuron: CubaNeuron | AlifNeuron) -> int:
    """Return the power of two that the current is divided by.

    The forward pass of WgtScaleBatchNorm clamps it to 3, lava-dl exports it unclamped
    (``slayer/neuron/norm.py``, weight_exp_bits).
    """
    return max(-MOST_CURRENT_SHIFT, min(MOST_CURRENT_SHIFT, neuron.current_exponent))


def is_complex(neuron: Neuron) -> bool:
    """Tell whether a neuron takes complex input, so that its layer has two sets of weights."""
    return isinstance(neuron, ResonatorNeuron | AdaptiveResonatorNeuron)


def is_readout(neuron: Neuron) -> bool:
    """Tell whether a neuron never fires and its voltage is what the network says."""
    return isinstance(neuron, CubaNeuron) and neuron.vth_mantissa >= NEVER_FIRES


def fires_at_rest(neuron: Neuron) -> bool:
    """Tell whether a neuron fires in silence: its threshold is 0, and it fires at its threshold."""
    kinds = (NeuronKind.ALIF, NeuronKind.RF_IZ, NeuronKind.ADRF_IZ)
    return neuron.kind in kinds and neuron.vth_mantissa == 0
