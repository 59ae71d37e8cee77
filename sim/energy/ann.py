"""What the same layers would cost as a quantized artificial network, and where both break even.

The artificial network multiplies and adds once for each connection, whatever its input. Its costs
are those of 45 nm (Horowitz 2014, "Computing's energy problem", at 0.9 V): 8-bit multiplication
0.2 pJ, 32-bit addition 0.1 pJ, 8-bit addition 0.03 pJ; reading 64 bits takes 10 pJ from an SRAM of
8 KB, 20 pJ from 32 KB, 100 pJ from 1 MB. The low end reads every weight from a register, the
nominal one from 32 KB (an eighth of 20 pJ), the high end from 1 MB. Chips of another generation
differ from it by factors.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...hw_profiles import Evidence
from .counts import OperationCounts
from .dynamic import INFERENCES, STEPS, UPDATES
from .ranges import Estimate, Range, ratio, total

MAC_PJ = Range(
    nominal=0.2 + 0.1 + 20 / 8,
    low=0.2 + 0.03,
    high=0.2 + 0.1 + 100 / 8,
    evidence=Evidence.PRE_SILICON,
)
# Below so many spikes a synapse and inference spiking networks were found to cost less.
PUBLISHED_LIMITS = (("Dampfhoffer 2023", "0.15 to 1.38"), ("Davidson & Furber 2021", "1.72"))
WHATEVER_FIRES = (UPDATES, STEPS, INFERENCES)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnComparison:
    """The spiking network beside an artificial one of the same layers, quantized to 8 bits.

    Attributes
    ----------
    multiplications : int
        Of an inference of the artificial network.
    energy : Estimate
        Its arithmetic and its reading of weights, nJ an inference.
    spikes_per_synapse : float
        Synaptic operations by connection and inference.
    break_even : Estimate or None
        Spikes per synapse at which the dynamic energies are equal; None where the spiking network
        costs more even if nothing fires.
    break_even_activity : float or None
        The same in spikes by neuron and step, 0 to 1, on average over the layers; above 1 where
        the spiking network always costs less.
    """

    multiplications: int
    energy: Estimate
    spikes_per_synapse: float
    break_even: Estimate | None
    break_even_activity: float | None


def compare_with_ann(counts: OperationCounts, terms: dict[str, Range]) -> AnnComparison | None:
    """Compare with an artificial network.

    Parameters
    ----------
    counts : OperationCounts
        Of the spiking network.
    terms : dict of str to Range
        Its dynamic energy by kind of operation, nJ an inference. Updates and fixed costs are due
        whatever fires; all others grow with the spikes.

    Returns
    -------
    AnnComparison or None
        None where connections are not known or nothing fired.
    """
    known = [layer.connections for layer in counts.layers]
    connections = sum(c for c in known if c is not None)
    operations = sum(layer.synaptic_operations for layer in counts.layers)
    if None in known or connections == 0 or operations == 0:
        return None
    energy = MAC_PJ.times(connections * 1e-3)
    present = operations / (connections * counts.inferences)
    growing = total(term for name, term in terms.items() if name not in WHATEVER_FIRES)
    fixed = total(term for name, term in terms.items() if name in WHATEVER_FIRES)
    # most favorable to one side each: the artificial network cheap and the spiking one dear
    nominal, low, high = (
        ratio(max(0.0, ann - idle), by_spikes)
        for ann, idle, by_spikes in (
            (energy.nominal, fixed.nominal, growing.nominal),
            (energy.low, fixed.high, growing.high),
            (energy.high, fixed.low, growing.low),
        )
    )
    found = None
    if high > 0:
        evidence = (growing + fixed + energy).evidence
        found = Range(
            nominal=nominal * present, low=low * present, high=high * present, evidence=evidence
        ).estimate("spikes/synapse")
    spikes = sum(layer.spikes for layer in counts.layers)
    updates = sum(layer.neuron_updates for layer in counts.layers)
    return AnnComparison(
        multiplications=connections,
        energy=energy.estimate("nJ"),
        spikes_per_synapse=present,
        break_even=found,
        break_even_activity=None if found is None else ratio(nominal * spikes, updates),
    )
