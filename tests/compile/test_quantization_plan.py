"""Plans survive the way through JSON, and wrong ones are refused."""

from __future__ import annotations

import math

import pytest
from expect import sentence
from hypothesis import given
from hypothesis import strategies as st
from real_networks import real_dense, real_network

from lavadeploy.compile import LayerPlan, Method, QuantizationPlan, plan_uniformly
from lavadeploy.netx import OptionError

SCALES = st.floats(1e-300, 1e300)


@st.composite
def layer_plans(draw: st.DrawFn) -> LayerPlan:
    scale = draw(SCALES | st.none())
    methods = [m for m in Method if scale is not None or m is not Method.CALIBRATED]
    return LayerPlan(
        bits=draw(st.integers(1, 8)),
        method=draw(st.sampled_from(methods)),
        percentile=draw(st.floats(0.1, 100)),
        scale=scale,
        halvings=None if scale is None else draw(st.integers(0, 8)),
    )


@given(st.dictionaries(st.text(), layer_plans(), max_size=3))
def test_json_brings_a_plan_back_bit_for_bit(layers: dict[str, LayerPlan]) -> None:
    plan = QuantizationPlan(layers=layers)
    assert QuantizationPlan.from_json(plan.to_json()) == plan


def test_the_json_is_one_that_people_can_read() -> None:
    plan = QuantizationPlan(layers={"layer0": LayerPlan(bits=4, method=Method.LARGEST)})
    assert plan.to_json() == (
        '{"layer0": {"bits": 4, "method": "largest", "percentile": 99.9, "scale": null, '
        '"halvings": null, "bounded": false}}'
    )


def test_a_uniform_plan_names_every_layer() -> None:
    network = real_network(real_dense([[1.5]], name="a"), real_dense([[1.5]], name="b"))
    plan = plan_uniformly(network, 5, Method.PERCENTILE, percentile=99)
    expected = LayerPlan(bits=5, method=Method.PERCENTILE, percentile=99)
    assert plan.layers == {"a": expected, "b": expected}
    assert plan.with_layer("b", LayerPlan(bits=8)).layers == {"a": expected, "b": LayerPlan(bits=8)}


@pytest.mark.parametrize("percentile", [0.0, -1.0, 100.1, math.nan])
def test_percentiles_lie_above_0_and_up_to_100(percentile: float) -> None:
    assert sentence(OptionError, LayerPlan, bits=8, percentile=percentile) == (
        f"percentile {percentile:g}; a number above 0 and up to 100 was expected."
    )


@pytest.mark.parametrize("scale", [0.0, -2.0, math.inf, math.nan])
def test_scales_are_finite_and_above_zero(scale: float) -> None:
    assert sentence(OptionError, LayerPlan, bits=8, scale=scale, halvings=0) == (
        f"scale {scale:g}; a number above 0 was expected."
    )


def test_calibrated_plans_state_their_scale() -> None:
    assert sentence(OptionError, LayerPlan, bits=8, method=Method.CALIBRATED) == (
        "the method 'calibrated' needs data: lavadeploy.sim.calibrate finds the plan."
    )
    assert sentence(OptionError, LayerPlan, bits=8, scale=2.0) == (
        "a plan gives scale and halvings together, or neither."
    )
