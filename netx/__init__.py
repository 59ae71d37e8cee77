"""The network as a typed description, and NetX, the file format it travels in."""

if __name__ == "netx":
    # From the repository's root `import netx` would load a second copy with other classes.
    raise ImportError("import lavadeploy.netx instead of netx (make env installs it)")

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
from .network import ConvLayer as ConvLayer
from .network import CubaNeuron as CubaNeuron
from .network import DenseLayer as DenseLayer
from .network import FlattenLayer as FlattenLayer
from .network import InputLayer as InputLayer
from .network import IntArray as IntArray
from .network import Layer as Layer
from .network import LayerKind as LayerKind
from .network import Network as Network
from .network import NeuronKind as NeuronKind
from .network import Shape as Shape
from .network import Source as Source
from .network import layer_kind as layer_kind
from .network import size_of as size_of
from .reader import read_netx as read_netx
from .shapes import LayerShapes as LayerShapes
from .shapes import infer_shapes as infer_shapes
from .slayer_export import export_slayer as export_slayer
from .slayer_export import network_from_slayer as network_from_slayer
from .summary import LayerSummary as LayerSummary
from .summary import summarize_network as summarize_network
from .version import PRODUCER as PRODUCER
from .version import __version__ as __version__
from .writer import write_netx as write_netx
