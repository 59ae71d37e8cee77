"""Chip descriptions and the chips' integer arithmetic."""

if __name__ == "hw_profiles":
    # From the repository's root `import hw_profiles` would load a second copy with other classes.
    raise ImportError("import lavadeploy.hw_profiles instead of hw_profiles (make env installs it)")

from .loader import load_profile as load_profile
from .loader import profile_names as profile_names
from .loader import profile_sha256 as profile_sha256
from .schema import Coefficient as Coefficient
from .schema import Count as Count
from .schema import Energy as Energy
from .schema import EnergyPerEvent as EnergyPerEvent
from .schema import Evidence as Evidence
from .schema import HardwareProfile as HardwareProfile
from .schema import Mesh as Mesh
from .schema import NeuronKinds as NeuronKinds
from .schema import Power as Power
from .schema import PowerShares as PowerShares
from .schema import SignModes as SignModes
from .schema import Time as Time
from .schema import TimePerEvent as TimePerEvent
from .schema import Widths as Widths
from .writer import profile_name as profile_name
from .writer import save_profile as save_profile
