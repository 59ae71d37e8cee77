"""Energy and time of a network on a chip: counts of operations times a profile's coefficients.

For N inferences of T steps on C cores, all in one boundary:

    dynamic = sum over layers of
                  e_syn * synaptic operations + e_upd * neuron updates + e_act * active updates
                + e_spk * spikes + e_out * messages sent + e_in * messages received
                + e_tile * messages + e_hop * hops + e_chip * ways from chip to chip
              + e_step * N * T + e_core * C * N * T + e_inf * N
    static  = power by a stated rule, within a stated boundary, times the time
    time    = sum over steps of (slowest core + barrier + overhead)

A figure is an interval: every coefficient at its low end, and every one at its high end. It is as
trustworthy as its weakest coefficient, which is named. None of it is measured on your board.
"""

from .ann import AnnComparison as AnnComparison
from .counts import CoreOperations as CoreOperations
from .counts import LayerOperations as LayerOperations
from .counts import OperationCounts as OperationCounts
from .counts import StepLoads as StepLoads
from .expected import expected_operations as expected_operations
from .fit import FitOptions as FitOptions
from .fit import fit_profile as fit_profile
from .fit_results import CalibrationFit as CalibrationFit
from .fit_results import Fit as Fit
from .fit_results import FittedCoefficient as FittedCoefficient
from .fitted_profile import fitted_profile as fitted_profile
from .from_activity import operations_of as operations_of
from .measurement import Measurement as Measurement
from .measurement import read_measurement as read_measurement
from .model import EnergyEstimate as EnergyEstimate
from .model import EnergyOptions as EnergyOptions
from .model import LayerEnergy as LayerEnergy
from .model import estimate_energy as estimate_energy
from .ranges import Estimate as Estimate
from .standing_power import Boundary as Boundary
from .standing_power import StaticRule as StaticRule
from .step_time import StepModel as StepModel
