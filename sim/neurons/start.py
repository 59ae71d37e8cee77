"""From a layer's neuron to its model at rest."""

from __future__ import annotations

from ...netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    InputLayer,
    ResonatorNeuron,
    SynapticLayer,
    UnsupportedNetworkError,
)
from .cuba import Alif, Cuba
from .model import NeuronModel, Spread
from .resonator import Resonator
from .rules import DEFINITION, Rules
from .sigma_delta import Delta, Sigma, SigmaDelta


def neuron_at_rest(
    layer: InputLayer | SynapticLayer,
    shape: tuple[int, int],
    spread: Spread,
    rules: Rules = DEFINITION,
) -> NeuronModel:
    """Return the model of a layer's neurons, all states at rest.

    Parameters
    ----------
    layer : InputLayer or SynapticLayer
        Gives neuron and bias; an input layer's own bias belongs to its input.
    shape : tuple of int
        (N, neurons).
    spread : callable
        See `Spread`.
    rules : Rules
        The arithmetic; runs take the definition's.

    Raises
    ------
    UnsupportedNetworkError
        For sigma-delta neurons with an activation other than ReLU.
    """
    neuron = layer.neuron
    is_input = isinstance(layer, InputLayer)
    bias = None if is_input else layer.bias
    match neuron:
        case None:
            raise ValueError(f"{layer.name} has no neurons")
        case CubaNeuron():
            return Cuba(neuron, bias, shape, spread, rules)
        case AlifNeuron():
            if neuron.refractory_delay != 1:
                problem = (
                    f"{layer.name}: refractory delay {neuron.refractory_delay} of ALIF neurons has "
                    "no model: SLAYER's have only their refractory term. Use 1."
                )
                raise UnsupportedNetworkError([problem])
            return Alif(neuron, bias, shape, spread, rules)
        case ResonatorNeuron() | AdaptiveResonatorNeuron():
            bias_imag = None if is_input else layer.bias_imag
            return Resonator(neuron, bias, bias_imag, shape, spread, rules)
        case _:
            if is_input:
                return Delta(neuron, shape, rules)
            if neuron.sigma_output:
                return Sigma(shape)
            if neuron.activation != "relu":
                problem = (
                    f"{layer.name}: activation '{neuron.activation}' has no model in Lava; only "
                    "'relu' can be run. Train with torch.nn.functional.relu."
                )
                raise UnsupportedNetworkError([problem])
            return SigmaDelta(neuron, bias, shape, spread, rules)
