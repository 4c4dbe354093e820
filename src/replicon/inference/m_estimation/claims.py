"""Published and independently computed numbers of M-estimation, recomputed by theory and, where printed, simulation."""

import functools
from typing import Any

import numpy as np
from scipy.optimize import brentq

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.inference.m_estimation import theory
from replicon.inference.m_estimation.model import MEstimation
from replicon.maths.extrapolation import extrapolate

ADVANI = "Advani and Ganguli, Phys. Rev. X 6, 031034 (2016)"
EQUATIONS = f"{ADVANI}, eqs. 15-18; digits of an independent solution of the equations"
OPTIMUM = f"{ADVANI}, eqs. 32-43; digits of an independent solution of the equations"
DONOHO = "Donoho, Maleki and Montanari, PNAS 106, 18914 (2009), eq. 5; digits of an independent evaluation"
MEASURED = "measured before with {} draws at P = 300"

LAPLACE = {"noise": "laplace", "signal": "laplace"}
MAP = {"loss": "absolute", "penalty": "lasso", "penalty_level": 1.0, **LAPLACE}
"""Noise and signal of unit variance: their scales are equal, so MAP weighs both terms alike."""
OPTIMAL = {"loss": "optimal", "penalty": "optimal", **LAPLACE}
PLAIN = {"penalty": "none", "noise": "laplace", "noise_variance": 2.0}
"""No penalty, Laplace noise of scale one."""
LASSO = {
    "loss": "square", "penalty": "lasso", "penalty_level": 0.15, "noise": "gaussian", "noise_variance": 0.05,
    "signal": "bernoulli_gauss", "sparsity": 0.15,
}  # fmt: skip

SAVINGS = {1.0: 0.30012, 1.5: 0.23411, 2.0: 0.19864, 3.0: 0.16192, 5.0: 0.13036}
SEED = 20160831
SIZE = 300
DRAWS = 30
EXTRAPOLATED = {200: 60, 400: 30, 800: 15}
"""Draws at each size of the weighted fit a + b/P; larger problems average over themselves and need fewer."""


def error(load: float, name: str = "estimation_error", **words: Any) -> float:
    """One predicted number at one point."""
    return theory.m_estimation(load, **words).values[name]


def saving(load: float) -> float:
    """Part of MAP's data that the optimal estimator does without: 1 - load / load of MAP at the same error."""
    target = error(load, **OPTIMAL)
    needed: Any = brentq(lambda other: error(other, **MAP) - target, load, 3 * load, xtol=1e-10)
    return 1 - load / needed


def printed(digits: int) -> tuple[float, str]:
    """Half a unit of the last of so many decimals, and the reason for it as a tolerance."""
    return 0.5000001 * 10.0**-digits, f"half a unit of the {digits} decimals printed"


def _theory_claims() -> list[Claim]:
    topic = "Laplace noise and signal"
    found = [
        Claim(
            f"data saved by the optimum over MAP at load {load:g}", value, OPTIMUM, *printed(5),
            functools.partial(saving, load), topic="Data saved by the optimal estimator",
        )
        for load, value in SAVINGS.items()
    ]  # fmt: skip
    found.append(
        Claim(
            "largest saving, as quoted", 0.2, f"{ADVANI}, abstract: up to 20 % less data", 0.005,
            "half of the last digit quoted", functools.partial(saving, 1.0),
            topic="Data saved by the optimal estimator", reproduces=False,
            remark="20 % is what the equations give at load 2; the saving grows to 30 % at load 1 and further below",
        )
    )  # fmt: skip
    points = (
        ("q_s of MAP, load 1.5", 0.5507, 4, 1.5, "estimation_error", MAP),
        ("train error of MAP, load 1.5", 0.8609, 4, 1.5, "train_error", MAP),
        ("q_s of the optimum, load 1.5", 0.4406, 4, 1.5, "estimation_error", OPTIMAL),
        ("q_s of Huber's loss, load 2, no penalty", 1.8519, 4, 2.0, "estimation_error", {"loss": "huber", **PLAIN}),
        ("train error of Huber's loss", 1.1478, 4, 2.0, "train_error", {"loss": "huber", **PLAIN}),
        ("q_s of the optimal loss, load 2", 1.8248, 4, 2.0, "estimation_error", {"loss": "optimal", **PLAIN}),
        ("q_s of the absolute loss, load 2", 2.32789, 5, 2.0, "estimation_error", {"loss": "absolute", **PLAIN}),
        ("q_s of the absolute loss, load 5", 0.45193, 5, 5.0, "estimation_error", {"loss": "absolute", **PLAIN}),
        ("q_s of least squares, load 2", 2.0, 9, 2.0, "estimation_error", {"loss": "square", **PLAIN}),
        ("q_s of least squares, load 5", 0.5, 9, 5.0, "estimation_error", {"loss": "square", **PLAIN}),
    )  # fmt: skip
    found += [
        Claim(
            title, value, EQUATIONS, *printed(digits), functools.partial(error, load, name, **words), topic=topic,
            of=name, at={"load": load, "noise_variance": 1.0, "signal_variance": 1.0, **words},
        )
        for title, value, digits, load, name, words in points
    ]  # fmt: skip
    return found


def _other_claims() -> list[Claim]:
    kink = "Quadratic inference without noise"
    found = [
        Claim(
            f"q_s / V of optimal ridge at load {load:g} as the noise vanishes", max(1 - load, 0.0),
            f"{ADVANI}, section V: transition at load 1", 1e-8, "first order in the noise variance 1e-9 taken",
            functools.partial(lambda load: theory.optimal_ridge_error(load, 1e-9).values, load), topic=kink,
        )
        for load in (0.5, 0.9, 1.1, 2.0)
    ]  # fmt: skip
    found += [
        Claim(
            "l1 transition at sparsity 0.1", 0.328794, DONOHO, *printed(6), lambda: theory.donoho_tanner(0.1),
            topic="Compressed sensing",
        ),
        Claim(
            "q_s of the lasso, load 0.7, 15 % non-zero", 0.0398, EQUATIONS, *printed(4),
            lambda: error(0.7, **LASSO), topic="Lasso",
        ),
        Claim(
            "train error of the lasso, load 0.7", 0.0254, EQUATIONS, *printed(4),
            lambda: error(0.7, "train_error", **LASSO), topic="Lasso",
        ),
    ]  # fmt: skip
    return found


@functools.lru_cache(maxsize=8)
def _draws(load: float, words: tuple[tuple[str, Any], ...]) -> dict[str, np.ndarray]:
    return realize(MEstimation(load=load, **dict(words)), SIZE, range(DRAWS), seed=SEED).values


def _measure(load: float, name: str, words: dict[str, Any]) -> Measurement:
    values = _draws(load, tuple(words.items()))[name]
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), values.size)


def _simulation_claims() -> list[Claim]:
    rows = (
        ("q_s of MAP", 0.532, 0.011, 30, 1.5, "estimation_error", MAP),
        ("train error of MAP", 0.875, 0.020, 30, 1.5, "train_error", MAP),
        ("q_s of the optimum", 0.448, 0.011, 30, 1.5, "estimation_error", OPTIMAL),
        ("q_s of Huber's loss", 1.875, 0.054, 30, 2.0, "estimation_error", {"loss": "huber", **PLAIN}),
        ("q_s of the optimal loss", 1.894, 0.049, 30, 2.0, "estimation_error", {"loss": "optimal", **PLAIN}),
        ("q_s of the lasso", 0.0381, 0.0019, 30, 0.7, "estimation_error", LASSO),
        ("train error of the lasso", 0.0253, 0.0003, 30, 0.7, "train_error", LASSO),
    )
    return [
        Claim(
            f"{title}, load {load:g}, measured", value, MEASURED.format(draws), 0.0, "error printed",
            simulate=functools.partial(_measure, load, name, words), published_error=spread, full=True, seconds=20.0,
            topic="Fits at P = 300",
        )
        for title, value, spread, draws, load, name, words in rows
    ]  # fmt: skip


def extrapolated(load: float, words: dict[str, Any], draws: dict[int, int] | None = None) -> Measurement:
    """Error at infinite size by a weighted fit ``a + b/P`` through the means at each size; b is free."""
    counts = EXTRAPOLATED if draws is None else draws
    model = MEstimation(load=load, **words)
    found = [realize(model, size, range(n), seed=SEED).values["estimation_error"] for size, n in counts.items()]
    errors = [values.std(ddof=1) / np.sqrt(values.size) for values in found]
    fit = extrapolate(list(counts), [values.mean() for values in found], errors)
    return Measurement(fit.intercept, fit.intercept_error, sum(counts.values()))


def _extrapolation_claims() -> list[Claim]:
    rows = (
        ("MAP", 0.5507, 4, 1.5, MAP),
        ("Huber's loss without penalty", 1.8519, 4, 2.0, {"loss": "huber", **PLAIN}),
        ("the lasso", 0.0398, 4, 0.7, LASSO),
        ("the optimum", 0.4406, 4, 1.5, OPTIMAL),
    )
    return [
        Claim(
            f"q_s of {title}, load {load:g}, as P grows", value, EQUATIONS, *printed(digits),
            functools.partial(error, load, **words), functools.partial(extrapolated, load, words),
            full=True, seconds=30.0, topic="Fits at P = 200, 400 and 800, extrapolated",
        )
        for title, value, digits, load, words in rows
    ]  # fmt: skip


claims = {
    "MEstimation": [*_theory_claims(), *_other_claims(), *_simulation_claims(), *_extrapolation_claims()],
}
