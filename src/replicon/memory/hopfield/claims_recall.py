"""Published numbers of parallel recall: the first step, the approximation of Amari and Maginu, the projection rule."""

import functools
from typing import Any

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.memory.hopfield import theory
from replicon.memory.hopfield.claims_simulation import SEED, mean_of
from replicon.memory.hopfield.claims_theory import KANTER, printed
from replicon.memory.hopfield.recall import ParallelRecall

DRAWS = 48
AMARI = "Amari and Maginu, Neural Networks 1, 63 (1988), eqs. 3.9-3.14"
HEBB = {"load": 0.1, "initial_overlap": 0.5, "steps": 3}


def recall_claims() -> list[Claim]:
    """Every published number of parallel recall."""
    return [*_hebb(), *_projection()]


@functools.lru_cache(maxsize=8)
def _trajectories(size: int, words: tuple[tuple[str, Any], ...]) -> np.ndarray:
    """Overlaps after each step, shape (draws, steps + 1)."""
    return realize(ParallelRecall(**dict(words)), size, range(DRAWS), seed=SEED).values["overlap_trajectory"]


def _measure(step: int, size: int, **parameters: Any) -> Measurement:
    return mean_of(_trajectories(size, tuple(parameters.items()))[:, step])


def _hebb() -> list[Claim]:
    topic = "Hebb rule, load 0.1, from overlap 0.5"
    found = [
        Claim(
            f"approximate m after step {step}", value, AMARI, *printed(3),
            lambda step=step: theory.amari_maginu(0.5, 0.1, 3).values["overlap"][step], topic=topic,
            of="overlap_trajectory", at={"step": step, "load": 0.1, "initial_overlap": 0.5, "rule": "hebb"},
        )
        for step, value in ((1, 0.886), (2, 0.943), (3, 0.980))
    ]  # fmt: skip
    found += [
        Claim(
            f"measured m after step {step}, N = 2000", value, "measured before at N = 2000", 0.0, "error printed",
            simulate=functools.partial(_measure, step, 2000, **HEBB), published_error=error, topic=topic,
            of="overlap_trajectory", at={"step": step, "load": 0.1, "initial_overlap": 0.5, "rule": "hebb"},
        )
        for step, value, error in ((1, 0.900, 0.005), (2, 0.964, 0.005), (3, 0.985, 0.004))
    ]  # fmt: skip
    return found


def _projection() -> list[Claim]:
    topic = "Projection rule, one step"
    found = []
    for load, start, published, before, error in ((0.4, 0.6, 0.642, 0.626, 0.015), (0.2, 0.4, 0.617, 0.607, 0.015)):
        measure = functools.partial(_measure, 1, 500, load=load, initial_overlap=start, steps=1, rule="projection")
        at = {"load": load, "initial_overlap": start, "rule": "projection"}
        place = f"load {load:g}, from overlap {start:g}"
        found += [
            Claim(
                f"m, {place}", published, f"{KANTER}; load and start found from the digits", *printed(3),
                functools.partial(theory.projection_one_step, start, load), topic=topic, of="first_overlap", at=at,
            ),
            Claim(
                f"measured m, {place}, N = 500", before, "measured before", 0.0, "error printed",
                simulate=measure, published_error=error, topic=topic, of="first_overlap", at=at,
            ),
        ]  # fmt: skip
    return found
