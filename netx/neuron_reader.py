"""Reading the neuron group of a layer."""

from __future__ import annotations

import numpy as np

from . import hdf5_schema as schema
from .errors import suggest
from .fields import LayerFields
from .neurons import (
    MOST_CURRENT_SHIFT,
    VTH_FRACTIONS,
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    Neuron,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)


def read_neuron(fields: LayerFields, channels: int, warnings: list[str]) -> Neuron:
    """Read the neuron of a layer.

    Parameters
    ----------
    fields : LayerFields
        The layer.
    channels : int
        How many values a parameter may have besides one.
    warnings : list of str
        Where to put what the user should know.
    """
    text = fields.text(schema.NEURON_TYPE)
    kinds = [k.value for k in NeuronKind]
    if text not in kinds:
        raise fields.error(f"unknown neuron kind '{text}'; {suggest(text, kinds)}.")
    kind = NeuronKind(text)
    vth = fields.integer(schema.VTH_MANTISSA)
    bits = fields.optional_integer(schema.MESSAGE_BITS)
    match kind:
        case NeuronKind.CUBA | NeuronKind.LOIHI:
            return CubaNeuron(
                kind=kind,
                vth_mantissa=vth,
                current_decay=fields.parameter(schema.CURRENT_DECAY, channels),
                voltage_decay=fields.parameter(schema.VOLTAGE_DECAY, channels),
                refractory_delay=_refractory_delay(fields),
                graded_spike=fields.flag(schema.GRADED_SPIKE),
                current_exponent=_current_exponent(fields, warnings),
                message_bits=bits,
            )
        case NeuronKind.ALIF:
            return AlifNeuron(
                vth_mantissa=vth,
                vth_step=fields.integer(schema.VTH_STEP),
                current_decay=fields.parameter(schema.CURRENT_DECAY, channels),
                voltage_decay=fields.parameter(schema.VOLTAGE_DECAY, channels),
                threshold_decay=fields.parameter(schema.THRESHOLD_DECAY, channels),
                refractory_decay=fields.parameter(schema.REFRACTORY_DECAY, channels),
                refractory_delay=_refractory_delay(fields),
                graded_spike=fields.flag(schema.GRADED_SPIKE),
                current_exponent=_current_exponent(fields, warnings),
                message_bits=bits,
            )
        case NeuronKind.RF | NeuronKind.RF_IZ:
            return ResonatorNeuron(
                kind=kind,
                vth_mantissa=vth,
                sin_decay=fields.parameter(schema.SIN_DECAY, channels),
                cos_decay=fields.parameter(schema.COS_DECAY, channels),
                graded_spike=fields.flag(schema.GRADED_SPIKE),
                message_bits=bits,
            )
        case NeuronKind.ADRF | NeuronKind.ADRF_IZ:
            return AdaptiveResonatorNeuron(
                kind=kind,
                vth_mantissa=vth,
                vth_step=fields.integer(schema.VTH_STEP),
                sin_decay=fields.parameter(schema.SIN_DECAY, channels),
                cos_decay=fields.parameter(schema.COS_DECAY, channels),
                threshold_decay=fields.parameter(schema.THRESHOLD_DECAY, channels),
                refractory_decay=fields.parameter(schema.REFRACTORY_DECAY, channels),
                graded_spike=fields.flag(schema.GRADED_SPIKE),
                message_bits=bits,
            )
        case NeuronKind.SDNN:
            has_activation = fields.has(schema.ACTIVATION)
            fraction = fields.optional_integer(schema.VTH_FRACTION) or 0
            if not 0 <= fraction < VTH_FRACTIONS:
                raise fields.error(
                    f"{schema.VTH_FRACTION} is {fraction}; 0 to {VTH_FRACTIONS - 1} was expected."
                )
            sigma_output = fields.flag(schema.SIGMA_OUTPUT)
            # neither is written when it is 0
            if not fraction:
                fields.keep(schema.VTH_FRACTION)
            if not sigma_output:
                fields.keep(schema.SIGMA_OUTPUT)
            return SigmaDeltaNeuron(
                vth_mantissa=vth,
                vth_fraction=fraction,
                activation=fields.text(schema.ACTIVATION) if has_activation else "relu",
                sigma_output=sigma_output,
                message_bits=bits,
            )


def default_neuron(fields: LayerFields, warnings: list[str]) -> CubaNeuron:
    """Return what lava-dl makes of a dense layer without a neuron group, and say so."""
    warnings.append(
        f"{fields.name}: no neuron group; read as lava-dl does, an integrator (iDecay 0, "
        f"vDecay 4096) with threshold {schema.DEFAULT_VTH_MANTISSA}, which never fires."
    )
    return CubaNeuron(
        vth_mantissa=schema.DEFAULT_VTH_MANTISSA,
        current_decay=np.array(0, dtype=np.int32),
        voltage_decay=np.array(4096, dtype=np.int32),
    )


def _refractory_delay(fields: LayerFields) -> int:
    stated = fields.optional_integer(schema.REFRACTORY_DELAY)
    if stated is None:
        return 1
    if stated < 1:
        raise fields.error(f"{schema.REFRACTORY_DELAY} is {stated}; at least 1 was expected.")
    return stated


def _current_exponent(fields: LayerFields, warnings: list[str]) -> int:
    stated = fields.optional_integer(schema.CURRENT_EXPONENT) or 0
    if stated == 0:
        fields.keep(schema.CURRENT_EXPONENT)  # the writer leaves 0 out
    if abs(stated) > MOST_CURRENT_SHIFT:
        warnings.append(
            f"{fields.name}: weight_exp {stated} acts as {MOST_CURRENT_SHIFT * np.sign(stated)}, "
            f"since SLAYER's forward pass clamps it to {MOST_CURRENT_SHIFT} (WgtScaleBatchNorm) "
            "and lava-dl exports it unclamped."
        )
    return stated
