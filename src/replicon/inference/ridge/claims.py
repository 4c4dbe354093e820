"""Published numbers of ridge regression and double descent."""

import functools

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.inference.ridge.model import Ridge

HASTIE = "Hastie, Montanari, Rosset and Tibshirani, Ann. Stat. 50, 949 (2022)"
EXACT = "closed form"
NOISE = 0.25


def value(name: str, aspect: float, penalty: float) -> float:
    """One number of the theory, isotropic features, unit signal."""
    return float(getattr(Ridge(aspect=aspect, penalty_level=penalty, noise=NOISE).theory(), name))


@functools.lru_cache(maxsize=8)
def draws(aspect: float, penalty: float) -> dict[str, np.ndarray]:
    """Fits at 300 features."""
    return realize(Ridge(aspect=aspect, penalty_level=penalty, noise=NOISE), 300, range(20), seed=0).values


def measured(name: str, aspect: float, penalty: float) -> Measurement:
    """Mean over the draws with its standard error."""
    values = draws(aspect, penalty)[name]
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), int(values.size))


def _ridgeless() -> list[Claim]:
    found = []
    for aspect in (0.5, 0.8, 1.5, 3.0):
        exact = NOISE * aspect / (1 - aspect) if aspect < 1 else 1 - 1 / aspect + NOISE / (aspect - 1)
        source = f"{HASTIE}, theorem {1 if aspect < 1 else 2}"
        # The mean of 1/chi^2 with n - p degrees of freedom is 1/(n - p - 1): relative correction 1/(n - p).
        correction = exact / (300 * abs(1 / aspect - 1))
        for kind, compute, simulate, tolerance, why in (
            ("", functools.partial(value, "excess_risk", aspect, 0.0), None, 1e-12, EXACT),
            (
                ", 300 features", None, functools.partial(measured, "excess_risk", aspect, 0.0), correction,
                "the inverse Wishart mean has n - p - 1 where the limit has n - p",
            ),
        ):  # fmt: skip
            found.append(
                Claim(
                    f"excess risk without penalty, aspect {aspect:g}{kind}", exact, source, tolerance, why, compute,
                    simulate, topic="Double descent, isotropic features, noise 1/4, signal 1", of="excess_risk",
                    at={"aspect": aspect, "penalty_level": 0, "noise": NOISE, "signal": 1, "spectrum": "isotropic"},
                )
            )  # fmt: skip
    return found


def _tuned() -> list[Claim]:
    """Without penalty the risk diverges at aspect 1; with the best one, noise / signal, it goes through smoothly."""
    gap = NOISE
    # At aspect 1 and lambda = v the risk is the root k of k = v + k / (1 + k), minus the noise.
    exact = 0.5 * (gap + np.sqrt(gap * gap + 4 * gap)) - NOISE
    topic = "Double descent, isotropic features, noise 1/4, signal 1"
    return [
        Claim(
            "excess risk at aspect 1 with the best penalty", float(exact), f"{HASTIE}, theorem 6", 1e-12, EXACT,
            functools.partial(value, "excess_risk", 1.0, NOISE), topic=topic,
        ),
        Claim(
            "the same, 300 features", float(exact), f"{HASTIE}, theorem 6", float(exact) / 300,
            "corrections of relative order one over the size", None,
            functools.partial(measured, "excess_risk", 1.0, NOISE), topic=topic,
        ),
    ]  # fmt: skip


claims = {"Ridge": [*_ridgeless(), *_tuned()]}
