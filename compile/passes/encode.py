"""Pass: turn whole-number weights into mantissa, exponent, width and sign mode, without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...hw_profiles import HardwareProfile
from ...netx import IntArray
from ..legal_to_chip import chip_layer
from ..problems import raise_problems
from ..rules_of_layers import weight_width
from ..stages import ChipNetwork, LegalNetwork, weight_sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """Find registers that hold a layer's weights exactly, in the fewest bits that the chip has.

    Before: weights as whole numbers in units of 1/64.
    After: mantissas, aligned to the most significant bit, with an exponent; nothing is rounded.

    Attributes
    ----------
    profile : HardwareProfile
        The chip, whose widths and exponents are legal.
    """

    profile: HardwareProfile
    name: str = "encode"

    def run(self, network: LegalNetwork) -> ChipNetwork:
        """Return the network in register form.

        Raises
        ------
        UnsupportedNetworkError
            With every layer whose weights no legal width holds exactly.
        """
        found = (
            weight_width.problem(legal.layer.name, legal, self.profile) for legal in network.layers
        )
        raise_problems(problem for problem in found if problem is not None)
        return ChipNetwork(
            input_shape=network.input_shape,
            layers=tuple(chip_layer(legal, self.profile) for legal in network.layers),
        )

    def ensures(self, before: LegalNetwork, after: ChipNetwork) -> None:
        """Check that every effective weight equals the weight it was made from."""
        for old, new in zip(before.layers, after.layers, strict=True):
            for name, registers in weight_sets(new):
                weight: IntArray = getattr(old.layer, name)
                assert np.array_equal(weight, registers.effective()), (new.name, name)
