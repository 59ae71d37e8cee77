"""Published measurements of Loihi 1, computed again from what was published of their work.

Nothing here was tuned to fit: coefficients come from the profile, counts from the sources named.
"""

from __future__ import annotations

from ...hw_profiles import HardwareProfile
from .counts import OperationCounts
from .model import estimate_energy
from .ranges import Range
from .standing_power import Boundary, StaticRule, standing_power
from .validation import (
    Comparison,
    PublishedCase,
    dense_chain,
    energy_during,
    even_counts,
    layer_at,
    scaled,
    spread,
)

OVERHEAD = "the overhead's interval was drawn around public step times, as this"
HOST = "the host sets the pace; the profile's overhead is that of embedded processors"


def keyword_spotting(profile: HardwareProfile) -> PublishedCase:
    """Return the case on Loihi 1."""
    steps, inference_us = 10, 1e6 / 296.5

    def counts(rate: float) -> OperationCounts:
        return even_counts(dense_chain((390, 256, 256, 29), rate, steps), steps=steps, cores=2)

    found = spread(counts, (0.05, 0.0, 0.2), profile)
    assert profile.power is not None
    assert profile.power.processor_code is not None
    code = energy_during(Range.of(profile.power.processor_code), inference_us)
    chip = energy_during(
        standing_power(counts(0.05), profile, Boundary.CHIP, StaticRule.CHIPS, 1.0), inference_us
    )
    dynamic = found.of("dynamic_energy")
    return PublishedCase(
        title="Keyword spotting, 390-256-256-29, Loihi 1",
        source="Blouw 2019 (arXiv:1812.01739), logs in abr/power_benchmarks",
        counts="10 steps an inference (concluded from its duration); spikes not published: 5 % "
        "(0 to 20 %) of the neurons in a step; energies at the measured 296.5 inferences a second",
        comparisons=(
            Comparison(
                quantity="energy beyond the idle board",
                unit="µJ",
                published=(37.0, 47.0),
                predicted=scaled(dynamic, 1e-3, "µJ", code),
                independent=True,
                remark="nearly all of it embedded processors; 37 without host (Yan 2021)",
            ),
            Comparison(
                quantity="power of the chip",
                unit="mW",
                published=(110.2, 110.2),
                predicted=scaled(dynamic, 1 / inference_us, "mW", chip),
                independent=True,
                remark="this chip idles at 96.2 mW, below the static power of others",
            ),
            Comparison(
                quantity="time of an inference",
                unit="µs",
                published=(inference_us, inference_us),
                predicted=found.of("time"),
                independent=True,
                remark=HOST,
            ),
        ),
    )


def quartz(profile: HardwareProfile) -> PublishedCase:
    """Return the case on Loihi 1."""
    # (steps, microseconds a step, dynamic milliwatts of the cores)
    probes = (
        (51, 96.04, 6.89),
        (91, 53.93, 9.29),
        (171, 28.81, 17.41),
        (331, 17.44, 24.14),
        (651, 13.30, 33.50),
    )
    shapes = (  # neurons and connections
        ("input", 784, 0),
        ("conv 6", 6 * 24 * 24, 6 * 24 * 24 * 25),
        ("pool", 6 * 12 * 12, 6 * 24 * 24),
        ("conv 12", 12 * 8 * 8, 12 * 8 * 8 * 6 * 25),
        ("pool", 12 * 4 * 4, 12 * 8 * 8),
        ("conv 120", 120, 120 * 12 * 16),
        ("dense", 10, 1200),
    )
    comparisons: list[Comparison] = []
    for steps, step_us, milliwatts in probes:
        layers = [
            layer_at(name, n, c, into=1 / steps, out=1 / steps, steps=steps)
            for name, n, c in shapes
        ]
        found = estimate_energy(even_counts(layers, steps=steps, cores=11), profile)
        published = milliwatts * step_us * steps * 1e-3
        comparisons += [
            Comparison(
                quantity=f"dynamic energy of the cores, {steps} steps",
                unit="µJ",
                published=(published, published),
                predicted=scaled(found.dynamic_energy, 1e-3, "µJ"),
                independent=True,
            ),
            Comparison(
                quantity=f"time of a step, {steps} steps",
                unit="µs",
                published=(step_us, step_us),
                predicted=scaled(found.time, 1 / steps, "µs"),
                independent=False,
                remark=HOST if step_us > 20 else OVERHEAD,
            ),
        ]
    return PublishedCase(
        title="MNIST by times to first spike, 11 cores, Loihi 1",
        source="Quartz-on-Loihi, probes in its notebooks",
        counts="layers conv 6, pool, conv 12, pool, conv 120, dense 10 and an input of 784; each "
        "neuron fires once; auxiliary neurons of the method are not counted",
        comparisons=tuple(comparisons),
    )


def ntidigits(profile: HardwareProfile) -> PublishedCase:
    """Return the case on Loihi 1."""
    steps, copies = 3000, 20

    def counts(rate: float) -> OperationCounts:
        return even_counts(dense_chain((64, 256, 256, 242), rate, steps), steps=steps, cores=6)

    found = spread(counts, (0.02, 0.0, 0.05), profile)
    assert profile.power is not None
    assert profile.power.processor_clock is not None
    assert profile.power.processor_code is not None
    processors = Range.of(profile.power.processor_clock) + Range.of(profile.power.processor_code)
    share = energy_during(processors.times(1 / copies), 17.625 * steps)
    return PublishedCase(
        title="N-TIDIGITS with delays, 64-256-256-242, 6 cores, Loihi 1",
        source="spytorch2loihi, ntidigitsEnergy.ipynb",
        counts="3000 ticks; spikes not published: 2 % (0 to 5 %) of the neurons in a step; a "
        "twentieth of the chip's processors, since 20 copies ran",
        comparisons=(
            Comparison(
                quantity="dynamic energy with processors",
                unit="µJ",
                published=(576.0, 576.0),
                predicted=scaled(found.of("dynamic_energy"), 1e-3, "µJ", share),
                independent=True,
            ),
            Comparison(
                quantity="time of a step",
                unit="µs",
                published=(17.625, 17.625),
                predicted=scaled(found.of("time"), 1 / steps, "µs"),
                independent=False,
                remark=OVERHEAD,
            ),
        ),
    )


def dvs_gesture(profile: HardwareProfile) -> PublishedCase:
    """Return the case on Loihi 1."""
    steps = 128
    shapes = (
        ("conv 16", 16 * 15 * 15, 16 * 15 * 15 * 2 * 9),
        ("conv 32", 32 * 13 * 13, 32 * 13 * 13 * 16 * 9),
        ("conv 64", 64 * 11 * 11, 64 * 11 * 11 * 32 * 9),
        ("conv 11", 11 * 9 * 9, 11 * 9 * 9 * 64 * 9),
        ("dense", 11, 11 * 891),
    )

    def counts(rate: float) -> OperationCounts:
        layers = [layer_at(s, n, c, into=rate, out=rate, steps=steps) for s, n, c in shapes]
        return even_counts(layers, steps=steps, cores=37)

    found = spread(counts, (0.02, 0.0, 0.1), profile)
    return PublishedCase(
        title="DVS gestures, 4 convolutions, 37 cores, Loihi 1",
        source="Massa 2020; layers and 128 steps from SANA-FE scripts/tcad2025/dvs_gesture.py",
        counts="spikes not published: 2 % (0 to 10 %) of the neurons in a step; that both sources "
        "describe one network is concluded",
        comparisons=(
            Comparison(
                quantity="time of an inference",
                unit="ms",
                published=(11.43, 11.43),
                predicted=scaled(found.of("time"), 1e-3, "ms"),
                independent=True,
                remark="input and output of frames are in the measured time",
            ),
        ),
    )
