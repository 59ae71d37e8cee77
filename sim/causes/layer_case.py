"""One layer of one run: what reached it, what it did, and what it would do otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...compile import NETWORK_INPUT, ChipLayer
from ...hw_profiles.arithmetic import Int64Array
from ...netx import InputLayer, LayerShapes, SynapticLayer
from ..interpreter import run_layer
from ..neurons import DEFINITION, Rules
from ..run_result import RunResult
from .replay import Replay, some_samples

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
    values : int64 array, shape (N, inputs, shown_from + T)
        What reached the layer in that run.
    seen : Behaviour
        What the layer did in that run.
    first_step, before, shown_from : int
        Steps of `values`: where the layer's neurons begin, where the input of the network does, and
        the one that is step 0 of what the layer did.
    first_sample, n_steps : int
        Number of the first sample here, and steps of a sample.
    inputs : integer array, shape (N, ..., T), or None
        What the network was fed.
    replay : Replay
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
    shown_from: int
    first_sample: int
    n_steps: int
    inputs: NDArray[np.integer] | None
    replay: Replay
    result: RunResult
    _defined: list[Behaviour] = field(default_factory=list["Behaviour"], init=False)

    def defined(self) -> Behaviour:
        """Return what the registers define that the layer does; computed once."""
        if not self._defined:
            self._defined.append(self.run())
        return self._defined[0]

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
        start = self.shown_from
        return Behaviour(
            output=run.output[:, :, start:],
            states={name: state[:, :, start:] for name, state in run.states.items()},
        )

    def values_of_input(self, inputs: NDArray[np.integer]) -> Int64Array:
        """Return what would have reached the layer from other input of the network."""
        index = self.replay.compiled.network.layers.index(self.chip)
        reaching = self.replay.reaching(index, self.result.spikes, inputs)
        return reaching.output[:, :, : self.values.shape[2]]

    def until(self, sample: int, step: int) -> LayerCase:
        """Return one sample up to a step and a few more; numbers are the run's own."""
        number = sample - self.first_sample
        steps = min(self.n_steps, step + 1 + LOOK_AHEAD)
        each = slice(number, number + 1)
        log = some_samples(self.result.spikes, number, number + 1)
        return dataclasses.replace(
            self,
            values=self.values[each, :, : self.shown_from + steps],
            seen=Behaviour(
                output=self.seen.output[each, :, :steps],
                states={name: s[each, :, :steps] for name, s in self.seen.states.items()},
            ),
            first_sample=sample,
            inputs=None if self.inputs is None else self.inputs[each],
            result=dataclasses.replace(self.result, spikes=log),
        )


def layer_case(
    replay: Replay,
    index: int,
    result: RunResult,
    inputs: NDArray[np.integer] | None,
    samples: tuple[int, int],
) -> LayerCase:
    """Cut a layer out of a run.

    Parameters
    ----------
    replay : Replay
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
    reaching = replay.reaching(index, log, some)
    layer = replay.network.layers[replay.placed[index]]
    assert isinstance(layer, InputLayer | SynapticLayer)
    states: dict[str, NDArray[np.integer]] = {}
    if result.states:
        states |= {name: s[start:stop] for name, s in result.states[index].values.items()}
    if result.readout is not None and index == len(replay.placed) - 1:
        states.setdefault("voltage", result.readout[start:stop])
    return LayerCase(
        chip=replay.compiled.network.layers[index],
        layer=layer,
        shape=replay.shapes[replay.placed[index]],
        unit=reaching.unit,
        values=reaching.output,
        seen=Behaviour(output=log.dense(index).astype(np.int64), states=states),
        first_step=replay.timing.first_step[index],
        before=replay.timing.before,
        shown_from=replay.timing.shown_from[index],
        first_sample=start,
        n_steps=log.n_steps,
        inputs=some,
        replay=replay,
        result=dataclasses.replace(result, spikes=log),
    )
