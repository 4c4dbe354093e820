"""Published numbers of message passing: iterates of state evolution, and runs beside them."""

import functools

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.inference.amp import theory
from replicon.inference.amp.model import MessagePassing
from replicon.inference.amp.vector import VectorMessagePassing

SEED = 0
STATE_EVOLUTION = "Bayati and Montanari, IEEE Trans. Inf. Theory 57, 764 (2011), eqs. 4-5; digits of an independent run"
VECTOR_EVOLUTION = (
    "Rangan, Schniter and Fletcher, IEEE Trans. Inf. Theory 65, 6664 (2019), eqs. 41-45; digits of an independent run"
)
REPLICA = "Advani and Ganguli, Phys. Rev. X 6, 031034 (2016), eqs. 15-18; digits of an independent run"
MEASURED = "measured before, {}"

BAYES_ITERATES = {1: 0.0975, 2: 0.0595, 5: 0.0236, 10: 0.0147, 30: 0.0139}
BAYES_RUNS = {1: (0.0973, 0.0020), 2: (0.0600, 0.0014), 5: (0.0242, 0.0008), 10: (0.0148, 0.0006), 30: (0.0139, 0.0005)}
VECTOR_FIXED_POINTS = {10.0: 0.0235, 100.0: 0.0811}
VECTOR_RUNS = {10.0: (0.0244, 0.0011), 100.0: (0.0866, 0.0057)}

HALF_DIGIT = 0.5000001e-4
WHY_DIGITS = "half a unit of the 4 decimals printed"

BAYES = MessagePassing(load=0.6, noise_variance=0.01, sparsity=0.2, iterations=30)


def _bayes_iterate(iteration: int) -> float:
    values, _ = theory.state_evolution(0.6, 0.01, "bernoulli_gauss", 1.0, 0.2, iterations=30)
    return float(values["estimation_error"][iteration])


@functools.lru_cache(maxsize=1)
def _bayes_curves() -> np.ndarray:
    return realize(BAYES, 2000, range(20), seed=SEED).values["estimation_error"]


def _mean(values: np.ndarray) -> Measurement:
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), int(values.size))


def _bayes_run(iteration: int) -> Measurement:
    return _mean(_bayes_curves()[:, iteration])


def _vector_fixed_point(condition_number: float) -> float:
    # The very spectrum of the printed number: 420 singular values with both ends among them.
    values = np.geomspace(1, 1 / condition_number, 420)
    values *= np.sqrt(420 / np.sum(values**2))
    found, _ = theory.vector_state_evolution(
        values, 700, 0.01, "bernoulli_gauss", 1.0, 0.2, start_variance=0.5, iterations=60
    )
    return float(found["estimation_error"][-1])


def _vector_run(condition_number: float) -> Measurement:
    system = VectorMessagePassing(condition_number=condition_number, iterations=40)
    return _mean(realize(system, 700, range(24), seed=SEED).values["final_error"])


def _lasso() -> float:
    values, _ = theory.state_evolution(0.7, 0.05, "bernoulli_gauss", 1.0, 0.15, "lasso", 0.15, 200)
    return float(values["estimation_error"][-1])


def _absolute_lasso() -> float:
    values, _ = theory.gamp_state_evolution(1.5, "absolute", "lasso", "laplace", "laplace", iterations=200)
    return float(values["estimation_error"][-1])


def _message_passing() -> list[Claim]:
    topic = "Bayes-AMP, 20 % non-zero, load 0.6, noise 0.01"
    found = [
        Claim(
            f"error after {iteration} iterations",
            published,
            STATE_EVOLUTION,
            HALF_DIGIT,
            WHY_DIGITS,
            functools.partial(_bayes_iterate, iteration),
            topic=topic,
        )
        for iteration, published in BAYES_ITERATES.items()
    ]
    found += [
        Claim(
            f"error after {iteration} iterations, measured at P = 2000",
            published,
            MEASURED.format("P = 2000, 20 draws"),
            HALF_DIGIT,
            WHY_DIGITS,
            simulate=functools.partial(_bayes_run, iteration),
            published_error=error,
            topic=topic,
        )
        for iteration, (published, error) in BAYES_RUNS.items()
    ]
    fixed = "Fixed points of GAMP are M-estimators"
    found.append(Claim("error of the LASSO, load 0.7", 0.0398, REPLICA, HALF_DIGIT, WHY_DIGITS, _lasso, topic=fixed))
    found.append(
        Claim(
            "error of least absolute deviations with l1, load 1.5",
            0.5507,
            REPLICA,
            HALF_DIGIT,
            WHY_DIGITS,
            _absolute_lasso,
            topic=fixed,
        )
    )
    return found


def _vector() -> list[Claim]:
    topic = "VAMP, geometric spectrum, 20 % non-zero, load 0.6, noise 0.01"
    found = [
        Claim(
            f"fixed point at condition number {condition:g}",
            published,
            VECTOR_EVOLUTION,
            HALF_DIGIT,
            WHY_DIGITS,
            functools.partial(_vector_fixed_point, condition),
            topic=topic,
        )
        for condition, published in VECTOR_FIXED_POINTS.items()
    ]
    found += [
        Claim(
            f"error at condition number {condition:g}, measured at P = 700",
            published,
            MEASURED.format("P = 700, 12 draws"),
            4e-4,
            "our spectrum takes midpoints, the printed one both ends: that much between the two state evolutions",
            simulate=functools.partial(_vector_run, condition),
            published_error=error,
            topic=topic,
        )
        for condition, (published, error) in VECTOR_RUNS.items()
    ]
    return found


claims = {"MessagePassing": _message_passing(), "VectorMessagePassing": _vector()}
