"""Published numbers of the jump at the critical load, as it is seen in finite networks."""

import functools

import numpy as np

from replicon.core.boundary import Boundary, boundary
from replicon.core.claims import Claim, Measurement
from replicon.maths.extrapolation import extrapolate
from replicon.memory.hopfield import theory
from replicon.memory.hopfield.claims_simulation import SEED
from replicon.memory.hopfield.model import Hopfield

DRAWS = 1500
LOADS = {500: 0.172, 1000: 0.165, 2000: 0.159, 4000: 0.152}
"""Load at which half of the draws keep an overlap of 0.8 or more after descent at T = 0, by size."""

SECONDS = {500: 5.0, 1000: 10.0, 2000: 15.0, 4000: 40.0}


def spinodal_claims() -> list[Claim]:
    """The 50 % loads and what they extrapolate to."""
    topic = f"Jump of retrieval at T = 0, {DRAWS} draws at each size"
    found = [
        Claim(
            f"load of 50 % success, N = {size}", value, "measured before with 60, 40, 24 and 10 draws", 0.0,
            "error printed, +- 0.004", simulate=functools.partial(_measure, size), published_error=0.004,
            full=size > 1000, seconds=SECONDS[size], topic=topic,
        )
        for size, value in LOADS.items()
    ]  # fmt: skip
    return [
        *found,
        Claim(
            "the same, a + b N^-1/2 at N = 500 to 4000", 0.141, "interval 0.135 to 0.147", 0.006,
            "half of the interval", theory.critical_load, _extrapolate, full=True, seconds=sum(SECONDS.values()),
            topic=topic,
        ),
        Claim(
            "critical load of large simulations", 0.14, "literature: simulations of large networks sit near 0.14",
            0.005, "half a unit of the 2 decimals printed", simulate=_extrapolate, full=True,
            seconds=sum(SECONDS.values()), topic=topic,
        ),
    ]  # fmt: skip


@functools.lru_cache(maxsize=8)
def _threshold(size: int) -> Boundary:
    return boundary(
        Hopfield(temperature=0.0), "load", between=(0.1, 0.25), theory=False, simulation=True, sizes=[size],
        realizations=DRAWS, seed=SEED,
    )  # fmt: skip


def _measure(size: int) -> Measurement:
    at = _threshold(size).isel(size=0)
    return Measurement(float(at["boundary"]), float(at["boundary_error"]), int(at["draws"]))


def _extrapolate() -> Measurement:
    measured = [_measure(size) for size in LOADS]
    line = extrapolate(
        list(LOADS), [one.mean for one in measured], [one.standard_error for one in measured], exponent=0.5
    )
    # A bad fit must not pass for a precise one.
    stretch = np.sqrt(max(1.0, line.chi_square / max(line.degrees_of_freedom, 1)))
    return Measurement(line.intercept, line.intercept_error * stretch, sum(one.count for one in measured))
