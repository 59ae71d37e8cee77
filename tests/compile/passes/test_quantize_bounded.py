"""Quantization that leaves states no way out of their registers, where the bits allow it."""

from __future__ import annotations

import numpy as np
import pytest
from profiles import SHIPPED
from real_networks import real_dense, real_network

from lavadeploy.compile import (
    Quantize,
    Verdict,
    compile_network,
    plan_uniformly,
    state_bounds,
    synaptic_layers,
)
from lavadeploy.netx import UnsupportedNetworkError

LOIHI2 = SHIPPED["loihi2"]


@pytest.mark.parametrize("bits", [3, 4])
def test_a_plan_that_asks_for_bounds_leaves_no_way_out_of_the_registers(bits: int) -> None:
    rng = np.random.default_rng(0)
    network = real_network(real_dense(rng.normal(-3, 9, (20, 200)), du=1024.0, dv=200.0))
    verdicts: list[set[Verdict]] = []
    for bounded in (False, True):
        plan = plan_uniformly(network, bits, bounded=bounded)
        found = Quantize(profile=LOIHI2, plan=plan).run(network)
        compiled = compile_network(found, LOIHI2)
        verdicts.append({bound.verdict for bound in state_bounds(compiled.network)})
        assert synaptic_layers(compiled.network)[0].weights.bits <= bits
    assert Verdict.PROVED not in verdicts[0] or len(verdicts[0]) > 1
    assert verdicts[1] == {Verdict.PROVED}


def test_strict_errors_of_quantized_networks_ask_for_fewer_bits() -> None:
    rng = np.random.default_rng(0)
    network = real_network(real_dense(rng.normal(-9, 9, (20, 900)), du=300.0, dv=60.0))
    found = Quantize(profile=LOIHI2, plan=plan_uniformly(network, 8, bounded=True)).run(network)
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(found, LOIHI2, strict=True)
    assert "Ask for fewer bits, which leave more room, or train with less" in str(caught.value)
