"""Published numbers of the capacity of the perceptron."""

import functools

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.inference.perceptron import theory
from replicon.inference.perceptron.model import PerceptronCapacity
from replicon.maths.perceptron import ising_capacity

GARDNER = "Gardner, J. Phys. A 21, 257 (1988), eq. 23; digits of an independent evaluation"
COVER = "Cover, IEEE Trans. Electron. Comput. 14, 326 (1965), theorem 2"


def fraction(load: float, size: int, count: int) -> Measurement:
    """Fraction of draws that a linear programme separates, error from the exact binomial variance at that fraction."""
    values = realize(PerceptronCapacity(load=load), size, range(count), seed=0).values["separable"]
    mean = float(values.mean())
    # One draw more of each kind keeps the error positive where all draws agree.
    smoothed = (values.sum() + 1) / (count + 2)
    return Measurement(mean, float(np.sqrt(smoothed * (1 - smoothed) / count)), count)


def _all() -> list[Claim]:
    found = [
        Claim(
            f"capacity at margin {margin:g}", number, GARDNER, 0.5000001e-6, "half a unit of the 6 decimals printed",
            functools.partial(theory.gardner_capacity, margin), topic="Capacity", of="" if margin else "load",
        )
        for margin, number in ((0.0, 2.0), (0.5, 0.961205), (1.0, 0.519572))
    ]  # fmt: skip
    found.append(
        Claim(
            "capacity of couplings ±1", 0.833, "Krauth and Mezard, J. Physique 50, 3057 (1989)", 0.5000001e-3,
            "half a unit of the 3 decimals printed", ising_capacity, topic="Capacity",
        )
    )  # fmt: skip
    for size in (10, 100, 1000):
        found.append(
            Claim(
                f"probability to separate 2d points, d = {size}", 0.5, COVER, 1e-12, "exact, by symmetry",
                functools.partial(theory.separation_probability, 2.0 * size, size),
                functools.partial(fraction, 2.0, size, 50) if size <= 100 else None, topic="Counting",
                of="separable", at={"load": 2.0},
            )
        )  # fmt: skip
    return found


claims = {"PerceptronCapacity": _all()}
