"""How often every neuron of a network fires: what the placement of cores goes by."""

from __future__ import annotations

import numpy as np

from ..compile import SpikeRates
from ..netx import Network, Shape
from .interpreter import run_network
from .spike_input import SpikeInput

MOST_SAMPLES = 64  # where messages go shows after a few; the reference takes its time


def measure_spike_rates(
    network: Network, inputs: SpikeInput, input_shape: Shape | None = None
) -> SpikeRates:
    """Run a network on samples and return how often its neurons fired.

    Parameters
    ----------
    network : Network
        Of whole numbers.
    inputs : SpikeInput
        Samples; the first 64 are run.
    input_shape : tuple of int, optional
        See `infer_shapes`.

    Returns
    -------
    mapping of str to float64 array, shape (neurons,)
        Spikes or messages per sample, for every layer by name.

    Raises
    ------
    NetxFormatError, UnsupportedNetworkError, SpikeInputError
        See `run_network`.
    """
    samples = inputs.spikes[:MOST_SAMPLES]
    runs = run_network(network, samples, input_shape)
    return {run.name: np.count_nonzero(run.output, axis=(0, 2)) / len(samples) for run in runs}
