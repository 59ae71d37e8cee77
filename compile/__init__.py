"""The compiler: from a network to registers on the cores of a chip."""

from .artifact import artifact_bytes as artifact_bytes
from .artifact import load_artifact as load_artifact
from .artifact import save_artifact as save_artifact
from .chip_to_netx import as_netx as as_netx
from .pipeline import compile_network as compile_network
from .report import CompileReport as CompileReport
from .report import LayerReport as LayerReport
from .report import report_compilation as report_compilation
from .rules import Problem as Problem
from .rules import check_rules as check_rules
from .stages import ChipConv as ChipConv
from .stages import ChipDense as ChipDense
from .stages import ChipLayer as ChipLayer
from .stages import ChipNetwork as ChipNetwork
from .stages import CompiledNetwork as CompiledNetwork
from .stages import Core as Core
from .stages import LegalNetwork as LegalNetwork
from .stages import NeuronRegisters as NeuronRegisters
from .stages import Placement as Placement
from .stages import SignMode as SignMode
from .stages import Usage as Usage
from .stages import WeightRegisters as WeightRegisters
from .stages import bias_leads as bias_leads
from .stages import neuron_count as neuron_count
from .stages import per_neuron as per_neuron
