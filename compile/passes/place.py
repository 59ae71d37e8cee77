"""Pass: give every block a core of the board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...hw_profiles import HardwareProfile
from ..arrange import arrange, scaled_flows
from ..placement import Core, Placement
from ..problems import raise_problems
from ..rules_of_cores import board_problems
from ..stages import ChipNetwork, neuron_count
from ..traffic import SpikeRates, block_messages
from .partition import Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Give every neuron a core: cut layers into blocks, put them where messages travel little.

    Before: layers.
    After: cores in forward order, each with a box of one layer and a site on the board.

    Attributes
    ----------
    profile : HardwareProfile
        The chip and the board.
    """

    profile: HardwareProfile
    name: str = "place"

    def run(self, network: ChipNetwork, spike_rates: SpikeRates | None = None) -> Placement:
        """Return the placement.

        Parameters
        ----------
        network : ChipNetwork
            The layers.
        spike_rates : mapping of array, shape () or (neurons,), optional
            Spikes of the neurons of each layer by name, for instance counted in a calibration run;
            without it every neuron counts the same.

        Raises
        ------
        UnsupportedNetworkError
            With every layer that no split makes fit, or when the board has too few cores.
        """
        partition = Partition(profile=self.profile)
        found = partition.run(network)
        partition.ensures(network, found)
        blocks = [
            (index, block) for index, layer in enumerate(found) for block in layer.cut.blocks()
        ]
        raise_problems(board_problems(len(blocks), self.profile))
        flows = scaled_flows(*block_messages(network, blocks, spike_rates))
        sites = arrange(len(blocks), flows, self.profile)
        usages = (usage for layer in found for usage in layer.usage)
        cores: list[Core] = []
        for (index, block), site, usage in zip(blocks, sites, usages, strict=True):
            layer = network.layers[index]
            neurons = block.neurons(layer)
            neurons.setflags(write=False)
            cores.append(
                Core(index=len(cores), site=site, layer=layer.name, neurons=neurons, usage=usage)
            )
        return Placement(cores=tuple(cores))

    def ensures(self, network: ChipNetwork, placement: Placement) -> None:
        """Check that every neuron sits on one core, every core on its own site, within limits."""
        for layer in network.layers:
            placed = np.concatenate([c.neurons for c in placement.cores_of(layer.name)])
            assert np.array_equal(np.sort(placed), np.arange(neuron_count(layer))), layer.name
        assert len({core.site for core in placement.cores}) == len(placement.cores)
        for core in placement.cores:
            for usage in core.usage:
                assert not usage.exceeds, core
