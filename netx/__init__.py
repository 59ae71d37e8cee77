"""The network as a typed description, and NetX, the file format it travels in."""

if __name__ == "netx":
    # From the repository's root `import netx` would load a second copy with other classes.
    raise ImportError("import lavadeploy.netx instead of netx (make env installs it)")

from .arrays import IntArray as IntArray
from .arrays import Shape as Shape
from .diff import Change as Change
from .diff import diff_networks as diff_networks
from .errors import BackendError as BackendError
from .errors import BackendUnavailableError as BackendUnavailableError
from .errors import ExportError as ExportError
from .errors import LavaDeployError as LavaDeployError
from .errors import NetxFormatError as NetxFormatError
from .errors import OptionError as OptionError
from .errors import OutputError as OutputError
from .errors import ProfileError as ProfileError
from .errors import RunFolderError as RunFolderError
from .errors import SpikeInputError as SpikeInputError
from .errors import UnsupportedNetworkError as UnsupportedNetworkError
from .errors import suggest as suggest
from .lava_repairs import repair_lava as repair_lava
from .layers import AverageLayer as AverageLayer
from .layers import ConcatLayer as ConcatLayer
from .layers import ConvLayer as ConvLayer
from .layers import ConvTransposeLayer as ConvTransposeLayer
from .layers import DenseLayer as DenseLayer
from .layers import FlattenLayer as FlattenLayer
from .layers import InputLayer as InputLayer
from .layers import KernelLayer as KernelLayer
from .layers import Layer as Layer
from .layers import LayerKind as LayerKind
from .layers import PoolLayer as PoolLayer
from .layers import RecurrentLayer as RecurrentLayer
from .layers import SynapticLayer as SynapticLayer
from .layers import UnpoolLayer as UnpoolLayer
from .layers import is_shifted as is_shifted
from .layers import layer_kind as layer_kind
from .layers import size_of as size_of
from .network import Network as Network
from .network import Source as Source
from .neuron_summary import NeuronSummary as NeuronSummary
from .neurons import NEVER_FIRES as NEVER_FIRES
from .neurons import AdaptiveResonatorNeuron as AdaptiveResonatorNeuron
from .neurons import AlifNeuron as AlifNeuron
from .neurons import CubaNeuron as CubaNeuron
from .neurons import Neuron as Neuron
from .neurons import NeuronKind as NeuronKind
from .neurons import ResonatorNeuron as ResonatorNeuron
from .neurons import SigmaDeltaNeuron as SigmaDeltaNeuron
from .neurons import current_shift as current_shift
from .neurons import is_complex as is_complex
from .neurons import is_readout as is_readout
from .reader import read_netx as read_netx
from .shapes import LayerShapes as LayerShapes
from .shapes import infer_shapes as infer_shapes
from .slayer_export import export_slayer as export_slayer
from .slayer_export import network_from_slayer as network_from_slayer
from .summary import LayerSummary as LayerSummary
from .summary import summarize_network as summarize_network
from .time_constants import StepRange as StepRange
from .value_changes import ElementChanges as ElementChanges
from .value_changes import PlainValue as PlainValue
from .version import PRODUCER as PRODUCER
from .version import __version__ as __version__
from .writer import write_netx as write_netx
