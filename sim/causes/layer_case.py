"""One layer of one run: what reached it, what it did, and what it would do otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...compile import NETWORK_INPUT, ChipLayer
from ...hw_profiles.arithmetic import Int64Array
from ...netx import InputLayer, LayerShapes, SynapticLayer
from ..backend import RunResult
from ..interpreter import run_layer
from ..neurons import DEFINITION, Rules
from .replay import Timeline, some_samples

# Steps behind the one where runs part that are still run, for causes that look ahead.
LOOK_AHEAD = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Behaviour:
    """What a layer does.

    Attributes
    ----------
    output : int64 array, shape (N, neurons, T)
        What it sends, axonal delays in.
    states : mapping of str to integer array, shape (N, neurons, T)
        At the end of every step; those that are known.
    judged : tuple of int
        The steps that this says something about: the first, and the one behind the last; negative
        counts from the end.
    """

    output: Int64Array
    states: Mapping[str, NDArray[np.integer]]
    judged: tuple[int, int | None] = (0, None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerCase:
    """A layer of a run, in some of the samples.

    Attributes
    ----------
    chip : ChipLayer
        The registers.
    layer : InputLayer or SynapticLayer
        The same as NetX, which the reference runs.
    shape : LayerShapes
        Of `layer`.
    unit : Fraction
        What a value of 1 in `values` stands for.
    values : int64 array, shape (N, inputs, before + T)
        What reached the layer in that run.
    seen : Behaviour
        What the layer did in that run.
    first_step, before : int
        Of `before` steps ahead of the input, those that the layer rests in.
    first_sample, n_steps : int
        Number of the first sample here, and steps of a sample.
    inputs : integer array, shape (N, ..., T), or None
        What the network was fed.
    timeline : Timeline
        The network.
    result : RunResult
        The run, of these samples.
    """

    chip: ChipLayer
    layer: InputLayer | SynapticLayer
    shape: LayerShapes
    unit: Fraction
    values: Int64Array
    seen: Behaviour
    first_step: int
    before: int
    first_sample: int
    n_steps: int
    inputs: NDArray[np.integer] | None
    timeline: Timeline
    result: RunResult

    @property
    def is_fed_by_input(self) -> bool:
        """Whether what the network is fed reaches the layer."""
        return NETWORK_INPUT in self.chip.sources

    def run(
        self,
        *,
        layer: InputLayer | SynapticLayer | None = None,
        values: Int64Array | None = None,
        rules: Rules = DEFINITION,
        first_step: int | None = None,
    ) -> Behaviour:
        """Run the layer on what reached it, as the registers define it or with something changed.

        Parameters
        ----------
        layer, values, rules, first_step
            What is to be in the place of the case's own.
        """
        run = run_layer(
            layer or self.layer,
            self.shape,
            self.values if values is None else values,
            self.unit,
            self.first_step if first_step is None else first_step,
            rules,
        )
        before = self.before
        return Behaviour(
            output=run.output[:, :, before:],
            states={name: state[:, :, before:] for name, state in run.states.items()},
        )

    def values_of_input(self, inputs: NDArray[np.integer]) -> Int64Array:
        """Return what would have reached the layer from other input of the network."""
        index = self.timeline.compiled.network.layers.index(self.chip)
        return self.timeline.reaching(index, self.result.spikes, inputs).output

    def until(self, sample: int, step: int) -> LayerCase:
        """Return one sample up to a step and a few more; numbers are the run's own."""
        number = sample - self.first_sample
        steps = min(self.n_steps, step + 1 + LOOK_AHEAD)
        each = slice(number, number + 1)
        log = some_samples(self.result.spikes, number, number + 1)
        kept = log.step < steps
        log = dataclasses.replace(
            log,
            sample=log.sample[kept],
            step=log.step[kept],
            layer=log.layer[kept],
            neuron=log.neuron[kept],
            value=log.value[kept],
            n_steps=steps,
        )
        return dataclasses.replace(
            self,
            values=self.values[each, :, : self.before + steps],
            seen=Behaviour(
                output=self.seen.output[each, :, :steps],
                states={name: s[each, :, :steps] for name, s in self.seen.states.items()},
            ),
            first_sample=sample,
            inputs=None if self.inputs is None else self.inputs[each, ..., :steps],
            result=dataclasses.replace(self.result, spikes=log),
        )


def layer_case(
    timeline: Timeline,
    index: int,
    result: RunResult,
    inputs: NDArray[np.integer] | None,
    samples: tuple[int, int],
) -> LayerCase:
    """Cut a layer out of a run.

    Parameters
    ----------
    timeline : Timeline
        The network.
    index : int
        Which layer of the chip.
    result : RunResult
        The run.
    inputs : integer array, shape (N, ..., T), or None
        What it was fed; needed by layers that this reaches.
    samples : tuple of int
        The first sample and the one behind the last.
    """
    start, stop = samples
    log = some_samples(result.spikes, start, stop)
    some = None if inputs is None else inputs[start:stop]
    reaching = timeline.reaching(index, log, some)
    layer = timeline.network.layers[timeline.placed[index]]
    assert isinstance(layer, InputLayer | SynapticLayer)
    states: dict[str, NDArray[np.integer]] = {}
    if result.states:
        states |= {name: s[start:stop] for name, s in result.states[index].values.items()}
    elif result.readout is not None and index == len(timeline.placed) - 1:
        states["voltage"] = result.readout[start:stop]
    return LayerCase(
        chip=timeline.compiled.network.layers[index],
        layer=layer,
        shape=timeline.shapes[timeline.placed[index]],
        unit=reaching.unit,
        values=reaching.output,
        seen=Behaviour(output=log.dense(index).astype(np.int64), states=states),
        first_step=timeline.first_step(index),
        before=timeline.before,
        first_sample=start,
        n_steps=log.n_steps,
        inputs=some,
        timeline=timeline,
        result=dataclasses.replace(result, spikes=log),
    )
