"""Published measurements that the energy model is compared with."""

from __future__ import annotations

from ...hw_profiles import load_profile
from . import published_loihi1, published_loihi2
from .validation import PublishedCase


def published_cases() -> tuple[PublishedCase, ...]:
    """Return every case with its comparisons."""
    loihi1, loihi2 = load_profile("loihi1"), load_profile("loihi2")
    return (
        published_loihi1.keyword_spotting(loihi1),
        published_loihi1.quartz(loihi1),
        published_loihi1.ntidigits(loihi1),
        published_loihi1.dvs_gesture(loihi1),
        published_loihi2.pilotnet_lif(loihi2),
        published_loihi2.pilotnet_sdnn(loihi2),
        published_loihi2.autoencoder(loihi2),
        published_loihi2.noise_suppression(),
    )
