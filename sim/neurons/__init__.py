"""Neuron models of the reference backend: what a layer's neurons do in a step, in plain NumPy.

Each model is the definition of its kind. CUBA, RF, RF_IZ and SDNN equal the ``fixed_pt`` models of
Lava. Lava has none for ALIF, ADRF, ADRF_IZ, graded CUBA and RF spikes and a `current_exponent`;
those follow SLAYER's quantized forward pass, in the 24-bit registers that the other models have.
Refractory periods of CUBA neurons follow Lava's floating-point ``LIFRefractory``.
"""

from .model import NeuronModel as NeuronModel
from .model import Spread as Spread
from .rules import DEFINITION as DEFINITION
from .rules import Rules as Rules
from .start import neuron_at_rest as neuron_at_rest
