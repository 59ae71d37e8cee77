"""The arithmetic equals the very code of Lava's models, called without a running network."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

from lavadeploy.hw_profiles.arithmetic import (
    align_with_states,
    fires,
    update_current,
    update_voltage,
    wrap_signed,
)
from lavadeploy.netx import repair_lava

pytestmark = pytest.mark.lava

repair_lava()
models = importlib.import_module("lava.proc.lif.models")
conv_utils = importlib.import_module("lava.proc.conv.utils")

N = 20_000
EDGE = 1 << 23


def numbers(
    rng: np.random.Generator, low: int, high: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of every size between the ends, and the ends themselves."""
    spread = rng.integers(low, high, N, endpoint=True) >> rng.integers(0, 24, N)
    spread[:4] = (low, high, 0, -1 if low < 0 else 1)
    return spread


@pytest.mark.parametrize(("du", "dv"), [(0, 0), (1, 1), (1024, 128), (4095, 4095), (4096, 4096)])
def test_states_and_spikes_equal_lavas(du: int, dv: int) -> None:
    rng = np.random.default_rng(du)
    current, voltage = numbers(rng, -EDGE + 1, EDGE), numbers(rng, -EDGE + 1, EDGE - 1)
    arriving, bias = numbers(rng, -(2**31), 2**31 - 1), numbers(rng, -4095, 4095)
    lif = SimpleNamespace(
        u=current.astype(np.int32),
        v=voltage.astype(np.int32),
        du=du - 1,
        dv=dv,
        ds_offset=1,
        dm_offset=0,
        decay_unity=1 << 12,
        decay_shift=12,
        act_shift=6,
        uv_bitwidth=24,
        max_uv_val=EDGE,
        effective_bias=(bias << 6).astype(np.int32),
        effective_vth=80 << 6,
    )
    models.AbstractPyLifModelFixed.subthr_dynamics(lif, arriving.astype(np.int32))
    ours_u = update_current(current, align_with_states(arriving), np.array(du))
    ours_v = update_voltage(voltage, ours_u, bias << 6, np.array(dv))
    assert np.array_equal(ours_u, lif.u)
    assert np.array_equal(ours_v, lif.v)
    fired = models.PyLifModelBitAcc.spiking_activation(lif)
    assert np.array_equal(fires(ours_v, 80), fired)
    assert 0 < np.count_nonzero(fired) < N


def test_convolutions_wrap_as_lavas() -> None:
    sums = numbers(np.random.default_rng(0), -(2**31), 2**31 - 1)
    sums[4:10] = (EDGE - 1, EDGE, EDGE + 1, -EDGE, -EDGE - 1, -EDGE + 1)
    assert np.array_equal(wrap_signed(sums, 24), conv_utils.signed_clamp(sums, bits=24))
