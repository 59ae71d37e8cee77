"""Names of NetX's datasets, mapped once to the words used in this code.

======================  =========================================
NetX                    here
======================  =========================================
``vThMant``             ``vth_mantissa``
``iDecay``              ``current_decay``
``vDecay``              ``voltage_decay``
``refDelay``            ``refractory_delay``
``gradedSpike``         ``graded_spike``
``inFeatures`` ...      follow from the shape of ``weight``
======================  =========================================
"""

from __future__ import annotations

from .network import LayerKind

TYPE = "type"
SHAPE = "shape"
WEIGHT = "weight"
BIAS = "bias"
DELAY = "delay"
IN_FEATURES = "inFeatures"
OUT_FEATURES = "outFeatures"
IN_CHANNELS = "inChannels"
OUT_CHANNELS = "outChannels"
KERNEL_SIZE = "kernelSize"
STRIDE = "stride"
PADDING = "padding"
DILATION = "dilation"
GROUPS = "groups"

NEURON_TYPE = "neuron/type"
VTH_MANTISSA = "neuron/vThMant"
CURRENT_DECAY = "neuron/iDecay"
VOLTAGE_DECAY = "neuron/vDecay"
REFRACTORY_DELAY = "neuron/refDelay"
GRADED_SPIKE = "neuron/gradedSpike"

NEURON_FIELDS = frozenset(
    {NEURON_TYPE, VTH_MANTISSA, CURRENT_DECAY, VOLTAGE_DECAY, REFRACTORY_DELAY, GRADED_SPIKE}
)
FIELDS = {
    LayerKind.INPUT: NEURON_FIELDS | {TYPE, SHAPE, WEIGHT, BIAS},
    LayerKind.DENSE: NEURON_FIELDS | {TYPE, SHAPE, WEIGHT, BIAS, DELAY, IN_FEATURES, OUT_FEATURES},
    LayerKind.CONV: NEURON_FIELDS
    | {TYPE, SHAPE, WEIGHT, BIAS, DELAY, IN_CHANNELS, OUT_CHANNELS, KERNEL_SIZE}
    | {STRIDE, PADDING, DILATION, GROUPS},
    LayerKind.FLATTEN: frozenset({TYPE, SHAPE}),
}

# lava-dl's loader gives a dense layer without a neuron group this integrator. Its threshold is
# meant to be 2**18 - 1, but the expression `1 << 18 - 1` makes 2**17 of it (lava-dl 0.6,
# netx/hdf5.py, create_dense); either way it never fires, since the voltage is clipped below.
DEFAULT_VTH_MANTISSA = 1 << 17

# Root attributes of the files we write; readers of NetX walk `layer` only.
FORMAT = "lavadeploy-netx"
FORMAT_VERSION = 1
