"""The compiler, in the order in which it works."""

from __future__ import annotations

from ..hw_profiles import HardwareProfile
from ..netx import Network, Shape
from .overflow import parity_warnings
from .passes.encode import Encode
from .passes.legalize import Legalize
from .passes.place import Place
from .problems import in_layer_order, raise_problems
from .rules import check_rules
from .stages import CompiledNetwork


def compile_network(
    network: Network,
    profile: HardwareProfile,
    *,
    input_shape: Shape | None = None,
    allow_approximate: bool = False,
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

    Returns
    -------
    CompiledNetwork
        Registers on cores, with the warnings of reader and compiler.

    Raises
    ------
    UnsupportedNetworkError
        When the network breaks rules of the chip: all that can be told without placing it are
        raised at once, in layer order; then what only a placement shows, such as too many cores.
    NetxFormatError
        When the layers do not fit each other.
    """
    legalize = Legalize(input_shape=input_shape, allow_approximate=allow_approximate)
    encode = Encode(profile=profile)
    place = Place(profile=profile)

    legal, problems = legalize.examine(network)
    found = (*problems, *check_rules(legal, profile))
    raise_problems(in_layer_order(found, [layer.name for layer in network.layers]))
    chip = encode.run(legal)
    encode.ensures(legal, chip)
    placement = place.run(chip)
    place.ensures(chip, placement)

    return CompiledNetwork(
        network=chip,
        placement=placement,
        profile=profile,
        source_sha256=network.source.sha256 if network.source else "",
        passes=(legalize.name, "check", encode.name, place.name),
        warnings=network.warnings + parity_warnings(chip),
    )
