"""Why two runs part: known causes, tried one by one on the layer where they do."""

from .cause import Cause as Cause
from .cause import CauseName as CauseName
from .cause import StepEvidence as StepEvidence
from .explain import explain_difference as explain_difference
