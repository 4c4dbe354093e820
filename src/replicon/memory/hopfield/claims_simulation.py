"""Published numbers of the Hopfield model that are measured, beside the theory where there is one."""

import functools
from collections.abc import Callable

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize, single_threaded
from replicon.core.seeds import generator, realization_seed
from replicon.core.statistics import fraction_error
from replicon.maths.spins import parallel_dynamics_patterns
from replicon.memory.hopfield import simulation, theory
from replicon.memory.hopfield.claims_theory import AGS_1987, MCELIECE, SOLVED, SYMBOLS, printed
from replicon.memory.hopfield.model import Hopfield

SEED = 0
DRAWS = 64
SIZES = (500, 1000, 2000)
RETRIEVED = 0.8
"""Overlap from which a descent at T = 0 counts as retrieval; the outcome is bimodal."""

EQUILIBRIUM = {
    (0.0, 0.1): {"overlap": 0.9979993, "crosstalk": 1.04306, "energy": -0.50015},
    (0.3, 0.05): {"overlap": 0.99116, "edwards_anderson": 0.98296, "crosstalk": 1.10491, "energy": -0.49428},
    (0.5, 0.02): {"overlap": 0.94500, "edwards_anderson": 0.89459, "crosstalk": 1.43642, "energy": -0.45222},
}
"""Infinite-size values of the retrieval state by (temperature, load)."""

LOAD_SLOPES = {
    (0.0, 0.1): {"overlap": -0.131, "crosstalk": 2.39},
    (0.3, 0.05): {"overlap": -0.234, "edwards_anderson": -0.416, "crosstalk": 2.78},
    (0.5, 0.02): {"overlap": -0.779, "edwards_anderson": -1.33, "crosstalk": 7.56},
}
"""Derivatives of the theory with respect to the load at the same points."""

REMANENCE = {500: 0.44, 1000: 0.32, 2000: 0.30, 4000: 0.25}

MEASURED = "measured before, heat bath or descent from the pattern"


def simulation_claims() -> list[Claim]:
    """Every published number that is measured, the 50 % loads apart."""
    return [*_one_step(), *_stability(), *_equilibrium(), *_measured_before(), *_remanence(), *_mixture()]


def draws(load: float, temperature: float, size: int, count: int = DRAWS) -> dict[str, np.ndarray]:
    """Measured observables of numbered draws; claims about the same point share them."""
    return _drawn(load, temperature, size, count)


@functools.lru_cache(maxsize=32)
def _drawn(load: float, temperature: float, size: int, count: int) -> dict[str, np.ndarray]:
    found = realize(Hopfield(load=load, temperature=temperature), size, range(count), seed=SEED)
    return found.values


def mean_of(values: np.ndarray) -> Measurement:
    """Mean over draws with its standard error."""
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), int(values.size))


def _measure(name: str, load: float, temperature: float, size: int) -> Measurement:
    values = draws(load, temperature, size)
    return mean_of(values[name][values["overlap"] >= RETRIEVED])


def _predict(name: str, load: float, temperature: float) -> float:
    flag = temperature == 0
    return theory.equilibrium(load, temperature, "retrieval", zero_temperature=flag).values[name]


def _equilibrium() -> list[Claim]:
    topic = f"The retrieval state measured, {DRAWS} draws"
    found = []
    for (temperature, load), values in EQUILIBRIUM.items():
        for name, published in values.items():
            for size in SIZES:
                tolerance, why = _finite_size(name, values, temperature, load, size)
                found.append(
                    Claim(
                        f"{SYMBOLS[name]} at T = {temperature:g}, load {load:g}, N = {size}",
                        published,
                        f"{AGS_1987}, eqs. 3.17-3.22{SOLVED}",
                        tolerance,
                        why,
                        functools.partial(_predict, name, load, temperature),
                        functools.partial(_measure, name, load, temperature, size),
                        topic=topic,
                    )
                )
    return found


def _finite_size(name: str, values: dict[str, float], temperature: float, load: float, size: int) -> tuple[float, str]:
    """The noise comes from P - 1 patterns in the network and from P in the theory; a sum over them has P - 1 terms."""
    fewer = abs(LOAD_SLOPES[temperature, load].get(name, 0.0)) / size
    if name in ("overlap", "edwards_anderson"):
        return fewer, "a change of the load by 1/N: P - 1 other patterns make the noise"
    if name == "crosstalk":
        return fewer + values[name] / (load * size), "r / P and a change of the load by 1/N: the sum has P - 1 terms"
    uncertain = 1 - values.get("edwards_anderson", 1.0)
    instant = values["crosstalk"] + (uncertain / (1 - uncertain / temperature) if temperature else 0.0)
    return instant / (2 * size), "the crosstalk energy of one pattern, r' / 2N: the sum has P - 1 terms"


def _one_step() -> list[Claim]:
    topic = "One parallel update from a pattern"
    source = "signal to noise: erfc(1 / sqrt(2 load)) / 2, and erfc((1 + load) / sqrt(2 load)) / 2 with J_ii kept"
    found = []
    for load, kept, published, decimals in (
        (0.1, False, 7.8e-4, 5), (0.1, True, 2.5e-4, 5), (0.2, False, 0.01267, 5), (0.2, True, 0.00365, 5),
        (0.138, False, 0.00355, 5),
    ):  # fmt: skip
        half, why = printed(decimals)
        found.append(
            Claim(
                f"fraction of errors at load {load:g}{', J_ii kept' if kept else ''}", published, source,
                half + _lattice_step(load, 2001, kept),
                f"{why}, and the shift of the fields' lattice of spacing 2/N at N = 2001, where ties keep the spin",
                functools.partial(theory.one_step_error, load, kept),
                functools.partial(_error_of_update, 2001, load, kept, 32),
                topic=topic,
            )
        )  # fmt: skip
    counted = "error of counting; printed, or that of as many spins as the printed one of the same load"
    for load, kept, published, error in (
        (0.1, False, 8.1e-4, 0.4e-4), (0.1, True, 2.8e-4, 0.24e-4), (0.2, False, 0.01234, 0.00013),
        (0.2, True, 0.00355, 0.00007),
    ):  # fmt: skip
        found.append(
            Claim(
                f"measured at load {load:g}{', J_ii kept' if kept else ''}, N = 1000", published,
                "measured before at N = 1000", 0.0, counted,
                simulate=functools.partial(_error_of_update, 1000, load, kept, 32),
                published_error=error, topic=topic,
            )
        )  # fmt: skip
    return found


def _lattice_step(load: float, size: int, self_coupling: bool) -> float:
    """How much the error changes when the signal moves by half the spacing of the fields (twice that with J_ii)."""
    signal = (1 + load if self_coupling else 1.0) / np.sqrt(load)
    density = np.exp(-signal * signal / 2) / np.sqrt(2 * np.pi)
    return float(density / (np.sqrt(load) * size) * (2 if self_coupling else 1))


def _error_of_update(size: int, load: float, self_coupling: bool, count: int) -> Measurement:
    """Wrong spins after one update from each of the patterns; P - 1 = load (N - 1) patterns make the noise."""
    patterns = round(load * (size - 1)) + 1 if size % 2 else round(load * size)
    fractions = [1 - _stable_spins(size, patterns, index, self_coupling).mean() for index in range(count)]
    return mean_of(np.asarray(fractions))


@functools.lru_cache(maxsize=256)
def _stable_spins(size: int, patterns: int, index: int, self_coupling: bool = False) -> np.ndarray:
    """Which spins of which pattern stay when all follow their fields once, shape (patterns, spins)."""
    seed = realization_seed(SEED, {"stability": [patterns]}, size, index)
    stored = simulation.draw_patterns(size, patterns, generator(seed, "patterns"))
    with single_threaded():
        after = parallel_dynamics_patterns(stored, stored, self_coupling, max_steps=1).spins
    return after == stored


def _stability() -> list[Claim]:
    topic = "Exact fixed points measured"
    source = f"{MCELIECE}: (1 - P_1)^N"
    half, why = printed(3)

    def stable(patterns: int, count: int) -> Measurement:
        shares = [_stable_spins(2000, patterns, index).all(axis=1).mean() for index in range(count)]
        return mean_of(np.asarray(shares))

    def all_stable(count: int) -> Measurement:
        successes = sum(bool(_stable_spins(2000, 65, index).all()) for index in range(count))
        return Measurement(*fraction_error(successes, count), count)

    return [
        Claim(
            "one of 131 patterns is stable, N = 2000", 0.911, source, half, why,
            lambda: (1 - float(theory.one_step_error(131 / 2000))) ** 2000, lambda: stable(131, 48), topic=topic,
        ),
        Claim(
            "the same measured before", 0.908, "measured before at N = 2000", half, why,
            simulate=lambda: stable(131, 48), topic=topic,
        ),
        Claim(
            "all of 65 patterns are stable, N = 2000", 1.0, "measured before: all stable", 0.5 / 65,
            "half of one pattern in 65", lambda: float(theory.exact_stability_probability(2000, 65)) ** 65,
            lambda: all_stable(64), topic=topic,
        ),
    ]  # fmt: skip


def _measured_before() -> list[Claim]:
    topic = "Measurements repeated"

    def instant() -> float:
        return 1.436416 + (1 - 0.894585) / (1 - (1 - 0.894585) / 0.5)

    return [
        Claim("m at T = 0, load 0.1, N = 2000", 0.9983, MEASURED, 0.0, "error printed",
              simulate=lambda: _measure("overlap", 0.1, 0.0, 2000), published_error=0.0008, topic=topic),
        Claim("m at T = 0.3, load 0.05, N = 1000", 0.9917, MEASURED, 0.0, "error printed",
              simulate=lambda: _measure("overlap", 0.05, 0.3, 1000), published_error=0.0012, topic=topic),
        Claim("m at T = 0.5, load 0.02, N = 1000", 0.9452, MEASURED, 0.0, "error printed",
              simulate=lambda: _measure("overlap", 0.02, 0.5, 1000), published_error=0.0006, topic=topic),
        Claim("q of two replicas at T = 0.5, load 0.02, N = 2000", 0.8954, MEASURED, 0.0, "error printed",
              simulate=lambda: _measure("edwards_anderson", 0.02, 0.5, 2000), published_error=0.0008, topic=topic),
        Claim("r of single configurations at T = 0.5, load 0.02, N = 2000", 1.5700,
              "r + (1-q) / (1-C) of the theory; the squares of single configurations", 1.57 / 40,
              "1/P: the sum has P - 1 of the P patterns", instant,
              lambda: _measure("crosstalk_instant", 0.02, 0.5, 2000), topic=topic),
    ]  # fmt: skip


def _remanence() -> list[Claim]:
    topic = "Remanence at T = 0, load 0.2, where no retrieval state exists"
    source = "measured before, descent from the pattern; its error and count are not given"

    def overlap(size: int) -> Callable[[], Measurement]:
        return lambda: mean_of(draws(0.2, 0.0, size)["overlap"])

    few = "0.54(3) comes out; a draw spreads by 0.24 and the number has no error, so a handful of draws explains it"
    return [
        Claim(
            f"m, N = {size}", value, source, *printed(2), simulate=overlap(size), topic=topic,
            reproduces=size != 500, remark=few if size == 500 else "",
        )
        for size, value in REMANENCE.items()
    ]  # fmt: skip


def _mixture() -> list[Claim]:
    def overlap(size: int, count: int) -> Measurement:
        found = []
        for index in range(count):
            seed = realization_seed(SEED, {"mixture": [3]}, size, index)
            patterns = simulation.draw_patterns(size, 3, generator(seed, "patterns"))
            start = np.sign(patterns.sum(axis=0, dtype=np.int64)).astype(np.int8)
            measured = simulation.measure_descent(patterns, start, generator(seed, "dynamics"))
            found.append(measured["overlap"])
        return mean_of(np.asarray(found))

    return [
        Claim(
            "overlap of the 3-mixture with a pattern, 3 patterns, N = 2000", 0.5,
            "Amit, Gutfreund and Sompolinsky, Phys. Rev. A 32, 1007 (1985), eqs. 3.5-3.9", 0.0,
            "each spin follows the majority of three, for any N",
            lambda: theory.mixture_overlap(3), lambda: overlap(2000, DRAWS), topic="Mixture states measured",
        )
    ]  # fmt: skip
