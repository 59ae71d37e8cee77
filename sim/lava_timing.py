"""When every process of a Lava network works: from the steps of a timeline to steps of Lava.

A synapse adds one step of Lava, nothing else does. Layer k, ``lag`` synapses behind the source,
works on step p of sample s at Lava's step ``s * interval + lag + origin + p``, so that what arrives
together belongs together, and samples follow each other as closely as no spike of one can meet the
states of the next.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..compile import NETWORK_INPUT, ChipDense, ChipNetwork
from .lava_processes.sample_window import SampleWindow
from .timeline import Timeline, Timing, chip_lags, chip_timing


@dataclass(frozen=True, slots=True, kw_only=True)
class LavaTiming:
    """When the source and each layer work.

    Attributes
    ----------
    source : SampleWindow
        Of the source.
    layers : tuple of SampleWindow
        Of each layer, in forward order.
    lags : tuple of int
        Steps of Lava that each layer is behind the source.
    """

    source: SampleWindow
    layers: tuple[SampleWindow, ...]
    lags: tuple[int, ...]

    def steps_until(self, samples: int) -> int:
        """Return after how many steps of Lava so many samples have left every layer."""
        return max(window.last_step_of(samples - 1) for window in self.layers)


def lava_timing(
    network: ChipNetwork, n_steps: int, n_samples: int, timeline: Timeline
) -> LavaTiming:
    """Return the timing of a run.

    Parameters
    ----------
    network : ChipNetwork
        The registers.
    n_steps, n_samples : int
        Size of the input.
    timeline : Timeline
        Which steps are reported.
    """
    timing = chip_timing(network, n_steps, timeline)
    lags = chip_lags(network)
    interval = _interval(network, timing)
    starts = [lag + first for lag, first in zip(lags, timing.first_step, strict=True)]
    origin = 1 - min(timing.before, *starts)  # Lava counts from 1
    return LavaTiming(
        source=SampleWindow(
            first=origin + timing.before,
            lead=0,
            steps=n_steps,
            interval=interval,
            samples=n_samples,
        ),
        layers=tuple(
            SampleWindow(
                first=origin + start,
                lead=shown_from - first,
                steps=timing.shown,
                interval=interval,
                samples=n_samples,
            )
            for start, first, shown_from in zip(
                starts, timing.first_step, timing.shown_from, strict=True
            )
        ),
        lags=lags,
    )


def _interval(network: ChipNetwork, timing: Timing) -> int:
    """Return a distance of samples at which a layer hears nothing of the sample before or after."""
    needed = 0
    for index, layer in enumerate(network.layers):
        together = (index, *layer.sources)
        first = min(_span(timing, number)[0] for number in together)
        end = max(_span(timing, number)[1] for number in together)
        needed = max(needed, end - first)
    # what a recurrent layer fired last must not come back to the next sample's first step
    is_recurrent = any(
        isinstance(layer, ChipDense) and layer.weights_rec is not None for layer in network.layers
    )
    return needed + int(is_recurrent)


def _span(timing: Timing, number: int) -> tuple[int, int]:
    """Return the first step in which the input or a layer sends anything, and the one after."""
    if number == NETWORK_INPUT:
        return timing.before, timing.before + timing.shown - timing.after
    return timing.first_step[number], timing.shown_from[number] + timing.shown
