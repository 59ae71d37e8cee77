"""The compiler, in the order in which it works."""

from __future__ import annotations

from ..hw_profiles import HardwareProfile
from ..netx import Network, Shape
from .overflow import overflow_problems, parity_warnings
from .passes.encode import Encode
from .passes.legalize import Legalize
from .passes.place import Place
from .problems import raise_problems
from .rules import check_rules
from .stages import CompiledNetwork
from .state_bounds import state_bounds


def compile_network(
    network: Network,
    profile: HardwareProfile,
    *,
    input_shape: Shape | None = None,
    allow_approximate: bool = False,
    strict: bool = False,
) -> CompiledNetwork:
    """Compile a network for a chip.

    Parameters
    ----------
    network : Network
        As read or exported.
    profile : HardwareProfile
        The chip.
    input_shape : tuple of int, optional
        (C, H, W); needed only for files that start with a convolution whose stride is not 1.
    allow_approximate : bool
        Whether lowerings may round; the network's outputs can then differ from the file's.
    strict : bool
        Whether states that are not proved to fit their registers are errors, not warnings.

    Returns
    -------
    CompiledNetwork
        Registers on cores, with the warnings of reader and compiler.

    Raises
    ------
    UnsupportedNetworkError
        When the network breaks rules of the chip; every problem of a stage is listed.
    NetxFormatError
        When the layers do not fit each other.
    """
    legalize = Legalize(input_shape=input_shape, allow_approximate=allow_approximate)
    encode = Encode(profile=profile)
    place = Place(profile=profile)

    legal, problems = legalize.examine(network)
    raise_problems((*problems, *check_rules(legal, profile)))
    chip = encode.run(legal)
    encode.ensures(legal, chip)
    bounds = state_bounds(chip)
    raise_problems(overflow_problems(chip, bounds) if strict else ())
    placement = place.run(chip)
    place.ensures(chip, placement)

    return CompiledNetwork(
        network=chip,
        placement=placement,
        profile=profile,
        source_sha256=network.source.sha256 if network.source else "",
        passes=(legalize.name, "check", encode.name, place.name),
        warnings=network.warnings + parity_warnings(chip, bounds),
    )
