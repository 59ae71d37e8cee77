"""What a cause of a difference is, and the names of those that are known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class CauseName(str, Enum):
    """Causes that can be told, and what is said where none can."""

    THRESHOLD_EQUALITY = "threshold equality"
    ROUNDING_OF_DECAY = "rounding of decay"
    SATURATION = "saturation"
    WRAP = "wrap"
    CLIPPED_DELAY = "clipped delay"
    LATENCY = "latency off by k"
    MISSING_SILENT_STEPS = "missing silent steps"
    CLIPPED_WEIGHT = "clipped weight"
    WEIGHT_EXPONENT = "weight exponent"
    TRANSPOSED_KERNEL = "transposed kernel"
    TRANSPOSED_WEIGHTS = "transposed weights"
    FLATTEN_ORDER = "order of flattening"
    BIAS_START = "start of bias"
    MISSING_RESET = "missing reset"
    SPIKES_IN_FLIGHT = "spikes in flight"
    INPUT_ENCODING = "input encoded differently"
    LOST_EVENT = "lost event"
    DOUBLED_EVENT = "doubled event"
    OTHER_REGISTERS = "other registers"
    NOT_EXPLAINED = "not explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvidence:
    """What happened at one neuron in one step, for a reader to judge.

    Attributes
    ----------
    step : int
        Of the sample.
    arriving : int
        Weighted input of the step, in the unit of the states.
    before_reset : int or None
        Voltage that is compared with the threshold; None but for CUBA neurons.
    threshold : int or None
        In the unit of the voltage; None but for CUBA neurons.
    states : dict of str to int
        At the end of the step, as the registers define them from this run's inputs.
    states_a, states_b : dict of str to int
        As the runs recorded them.
    output, output_a, output_b : int
        What the neuron sends by the definition, and in the runs.
    """

    step: int
    arriving: int
    before_reset: int | None
    threshold: int | None
    states: dict[str, int]
    states_a: dict[str, int]
    states_b: dict[str, int]
    output: int
    output_a: int
    output_b: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why two runs part.

    Attributes
    ----------
    name : CauseName
        Which cause it is.
    layer : str
        The layer where the runs part first.
    side : 'a' or 'b', or None
        The run that is not what the registers define; None where that is not known.
    explanation : str
        One sentence for the user, with numbers.
    remedy : str
        One sentence on what to do; empty where none is known.
    quantity : 'spikes' or 'states'
        What the counts are of.
    explained, differing : int
        Of the places (sample, neuron, step) of this layer where that run is not what its own
        inputs and the registers define, how many come out when the layer is run with the cause.
    samples : tuple of int
        First sample that was judged, and the one behind the last.
    also : tuple of CauseName
        Other causes that fit as well; the simplest is the one named.
    own_faults : tuple of str
        Layers that do not follow from what reached them, `layer` and later ones, among the samples
        judged; the differences of all others follow from these.
    evidence : tuple of StepEvidence
        The place where the runs part, where no cause is known.
    """

    name: CauseName
    layer: str
    side: Literal["a", "b"] | None
    explanation: str
    remedy: str
    quantity: Literal["spikes", "states"] = "spikes"
    explained: int = 0
    differing: int = 0
    samples: tuple[int, int] = (0, 0)
    also: tuple[CauseName, ...] = ()
    own_faults: tuple[str, ...] = ()
    evidence: tuple[StepEvidence, ...] = ()
