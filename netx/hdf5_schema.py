"""Names of NetX's datasets, mapped once to the words used in this code.

======================  =========================================
NetX                    here
======================  =========================================
``vThMant``             ``vth_mantissa``
``vThStep``             ``vth_step``
``iDecay``              ``current_decay``
``vDecay``              ``voltage_decay``
``thDecay``             ``threshold_decay``
``refDecay``            ``refractory_decay``
``refDelay``            ``refractory_delay``
``sinDecay`` ...        ``sin_decay``
``gradedSpike``         ``graded_spike``
``weight_exp``          ``current_exponent``
``weight/real``         ``weight`` of a complex layer
``inFeatures`` ...      follow from the shape of ``weight``
======================  =========================================

Four datasets are ours. Readers of NetX take the datasets they know by name, so they do no harm
there: ``delayShift`` (whether SLAYER returned the layer's output a step late), ``bias_imag``,
``sources`` (of a concat layer) and ``neuron/vThFraction`` (what lava-dl cuts off a learned
sigma-delta threshold, of 4096).
"""

from __future__ import annotations

TYPE = "type"
SHAPE = "shape"
WEIGHT = "weight"
WEIGHT_REAL = "weight/real"
WEIGHT_IMAG = "weight/imag"
WEIGHT_REC = "weight_rec"
BIAS = "bias"
BIAS_IMAG = "bias_imag"
DELAY = "delay"
DELAY_SHIFT = "delayShift"
IN_FEATURES = "inFeatures"
OUT_FEATURES = "outFeatures"
IN_CHANNELS = "inChannels"
OUT_CHANNELS = "outChannels"
KERNEL_SIZE = "kernelSize"
STRIDE = "stride"
PADDING = "padding"
DILATION = "dilation"
GROUPS = "groups"
SOURCES = "sources"

NEURON_TYPE = "neuron/type"
VTH_MANTISSA = "neuron/vThMant"
VTH_FRACTION = "neuron/vThFraction"
VTH_STEP = "neuron/vThStep"
CURRENT_DECAY = "neuron/iDecay"
VOLTAGE_DECAY = "neuron/vDecay"
THRESHOLD_DECAY = "neuron/thDecay"
REFRACTORY_DECAY = "neuron/refDecay"
REFRACTORY_DELAY = "neuron/refDelay"
SIN_DECAY = "neuron/sinDecay"
COS_DECAY = "neuron/cosDecay"
GRADED_SPIKE = "neuron/gradedSpike"
CURRENT_EXPONENT = "neuron/weight_exp"
ACTIVATION = "neuron/activation"
SIGMA_OUTPUT = "neuron/sigma_output"
MESSAGE_BITS = "neuron/messageBits"

# What may hold real numbers in the file of a network that is not quantized, in layers of synapses.
REAL_DATASETS = frozenset(
    {
        WEIGHT,
        WEIGHT_REAL,
        WEIGHT_IMAG,
        WEIGHT_REC,
        BIAS,
        BIAS_IMAG,
        DELAY,
        VTH_MANTISSA,
        VTH_STEP,
        CURRENT_DECAY,
        VOLTAGE_DECAY,
        THRESHOLD_DECAY,
        REFRACTORY_DECAY,
        SIN_DECAY,
        COS_DECAY,
    }
)

# lava-dl's loader gives a dense layer without a neuron group this integrator. Its threshold is
# meant to be 2**18 - 1, but the expression `1 << 18 - 1` makes 2**17 of it (lava-dl 0.6,
# netx/hdf5.py, create_dense); either way it never fires, since the voltage is clipped below.
DEFAULT_VTH_MANTISSA = 1 << 17
# What SLAYER's Affine block exports as its threshold (slayer/block/base.py, AbstractAffine).
AFFINE_VTH_MANTISSA = (1 << 18) - 1

# Root attributes of the files we write; readers of NetX walk `layer` only.
FORMAT = "lavadeploy-netx"
FORMAT_VERSION = 2
VERSIONS_READ = (1, 2)
OWN_ATTRIBUTES = ("format", "format_version", "producer")
# Compiled artifacts (compile/artifact.py) are NetX files with more groups and attributes.
ARTIFACT_FORMAT = "lavadeploy-artifact"
