"""Published numbers of dense associative memory, recomputed."""

import functools

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.memory.dense import theory
from replicon.memory.dense.model import DenseMemory
from replicon.memory.dense.storage import SIZES, StorageCurve, capacity_exponent, storage_curve

KROTOV = "Krotov and Hopfield, NeurIPS 29 (2016), section 3"
SOLVED = "max over t of erf(t)^(2(n-1)) / (2 t^2 (2n-3)!!), solved independently"
MEASURED = "measured before; error printed"

DRAWS = {2: (3000, 1500, 600), 3: (300, 120, 60), 4: (40, 20, 10), 5: (40, 16, 6)}
"""Sets of memories per size, for about equal errors."""

RETRIEVED = 0.7


def printed(digits: int) -> tuple[float, str]:
    """Half a unit of the last of so many decimals, and the reason for it as a tolerance."""
    return 0.5000001 * 10.0**-digits, f"half a unit of the {digits} decimals printed"


def _capacities() -> list[Claim]:
    topic = "Largest load at T = 0"
    found = []
    for degree, load, digits, overlap in (
        (3, 0.084063, 6, 0.83848),
        (4, 0.0131907, 7, 0.91792),
        (5, 0.00164545, 8, 0.94724),
    ):
        at = {"degree": degree, "temperature": 0}
        found += [
            Claim(
                f"critical load, n = {degree}", load, SOLVED, *printed(digits),
                functools.partial(theory.critical_load, degree), topic=topic, of="load", at=at,
            ),
            Claim(
                f"overlap there, n = {degree}", overlap, SOLVED, *printed(5),
                functools.partial(theory.critical_overlap, degree), topic=topic, of="overlap",
                at=at | {"load": load},
            ),
        ]  # fmt: skip
    return found


def _one_step() -> list[Claim]:
    topic = "Errors of one update"
    rows = (
        (3, 200, 0.06, "power", 0.0092, 4, 0.011, 0.003),
        (3, 200, 0.12, "rectified", 0.0092, 4, 0.009, 0.003),
    )
    found = []
    for degree, size, load, interaction, predicted, digits, measured, error in rows:
        label = f"n = {degree}, load {load:g}, {interaction}"
        found += [
            Claim(
                f"fraction of errors, {label}", predicted, f"{KROTOV}: erfc(1 / sqrt(2 load (2n-3)!! c)) / 2",
                *printed(digits), functools.partial(theory.one_step_error, load, degree, interaction), topic=topic,
            ),
            Claim(
                f"measured, {label}, N = {size}", measured, MEASURED, 0.0, "error printed",
                functools.partial(
                    theory.finite_one_step_error, size, round(load * size ** (degree - 1)), degree, interaction
                ),
                functools.partial(_errors, size, degree, load, interaction), published_error=error, topic=topic,
            ),
        ]  # fmt: skip
    return found


def _errors(size: int, degree: int, load: float, interaction: str) -> Measurement:
    count = round(load * size ** (degree - 1))
    curve = storage_curve(size, degree, interaction, 24, [count])
    return Measurement(float(curve.mean[0]), float(curve.standard_error[0]), 24)


@functools.lru_cache(maxsize=8)
def curves(degree: int) -> tuple[StorageCurve, ...]:
    """Measured storage curves at the three sizes."""
    return tuple(storage_curve(size, degree, draws=draws) for size, draws in zip(SIZES, DRAWS[degree], strict=True))


def _exponent(degree: int) -> Measurement:
    value, error = capacity_exponent(curves(degree))
    return Measurement(value, error, sum(DRAWS[degree]))


def _predicted_exponent(degree: int) -> float:
    """The same from the exact signal and noise: disturbing memories at 1 % of errors are proportional to S^2 / V."""
    loads = [float(theory.effective_load(size, 2, degree)) for size in SIZES]
    return float(np.polyfit(np.log(SIZES), -np.log(loads), 1)[0])


def _exponents() -> list[Claim]:
    topic = "Growth of the number of memories at 1 % of errors"
    exact = {2: 1.011, 3: 2.017, 4: 3.014, 5: 4.004}
    found = []
    for degree, value in exact.items():
        found += [
            Claim(
                f"exponent over N = 50, 100, 200, n = {degree}", value, "exact signal and noise of N spins",
                *printed(3), functools.partial(_predicted_exponent, degree), topic=topic,
            ),
            Claim(
                f"exponent measured, n = {degree}", degree - 1, f"{KROTOV}: K grows as N^(n-1)", 0.05,
                "corrections of order 1/N over these sizes", simulate=functools.partial(_exponent, degree),
                full=degree >= 4, seconds=25 if degree == 4 else 120 if degree > 4 else 10, topic=topic,
            ),
        ]  # fmt: skip
    return found


@functools.lru_cache(maxsize=16)
def _draws(size: int, draws: int, **values: float | str) -> dict[str, np.ndarray]:
    return realize(DenseMemory(**values), size, range(draws), seed=0).values  # type: ignore[arg-type]


def _overlap(size: int, draws: int, **values: float | str) -> Measurement:
    overlaps = _draws(size, draws, **values)["overlap"]
    kept = overlaps[overlaps >= RETRIEVED]
    return Measurement(float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(kept.size)), int(kept.size))


def _retrieval() -> list[Claim]:
    topic = "The retrieval state, n = 3"
    frozen = "m = erf(m^2 / sqrt(6 load)), solved independently"
    found = []
    for load, overlap in ((0.05, 0.98833), (0.075, 0.93423)):
        predicted = functools.partial(_frozen_overlap, load)
        near = load > 0.06
        found += [
            Claim(
                f"m at T = 0, load {load:g}, N = 150, cooled down", overlap, frozen, *printed(5), predicted,
                functools.partial(_overlap, 150, 200, load=load, dynamics="annealed"), topic=topic,
                of="overlap", at={"degree": 3, "load": load, "temperature": 0},
            ),
            Claim(
                f"m at T = 0, load {load:g}, N = 150, plain descent", overlap, frozen, *printed(5), predicted,
                functools.partial(_overlap, 150, 400, load=load), topic=topic, reproduces=not near,
                remark="0.951(2) at N = 150, 0.950(2) at N = 300 and 500: descent ends in metastable states of higher "
                "energy; replica symmetry is unstable below T = 0.17 here, and cooling down reaches the state predicted"
                if near else "",
            ),
        ]  # fmt: skip
    found += [
        Claim(
            "m at T = 0.8, load 0.03, N = 240", 0.98751, "replica-symmetric equations, solved independently",
            *printed(5), lambda: theory.retrieval_state(0.03, 0.8).values["overlap"],
            functools.partial(_overlap, 240, 60, load=0.03, temperature=0.8), topic=topic,
            of="overlap", at={"degree": 3, "load": 0.03, "temperature": 0.8},
        ),
        Claim(
            "m at T = 0.8, load 0.03, N = 120, measured before", 0.9888, "measured before at N = 120", 0.0,
            "error printed; with 120 draws 0.984(1), below infinite size for a tail of draws under 0.97",
            simulate=functools.partial(_overlap, 120, 120, load=0.03, temperature=0.8), published_error=0.0036,
            topic=topic,
        ),
        Claim(
            "m at T = 0.5, load 0.05, N = 200", 0.9805, "replica-symmetric equations, solved independently",
            *printed(4), lambda: theory.retrieval_state(0.05, 0.5).values["overlap"],
            functools.partial(_overlap, 200, 40, load=0.05, temperature=0.5), topic=topic,
            full=True, seconds=30, of="overlap", at={"degree": 3, "load": 0.05, "temperature": 0.5},
        ),
        Claim(
            "temperature of one memory, n = 2", 2.0, "E / N = 2 H + constant, and the Hopfield model has T = 1", 5e-3,
            "square root of the load 1e-6 that stands for one memory, times 4", _square_temperature,
            topic="Degree 2 is the Hopfield model", of="temperature", at={"degree": 2},
        ),
    ]  # fmt: skip
    return found


def _frozen_overlap(load: float) -> float:
    return theory.zero_temperature(load).values["overlap"]


def _square_temperature() -> float:
    """Largest temperature with a retrieval state at a load of 1e-6, by bisection."""
    low, high = 1.0, 3.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        exists = theory.retrieval_state(1e-6, middle, 2).values["overlap"] > 0
        low, high = (middle, high) if exists else (low, middle)
    return low


claims = [*_capacities(), *_one_step(), *_exponents(), *_retrieval()]
