"""Published numbers of logistic regression with many features."""

import functools

import numpy as np
from scipy.stats import chi2

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.core.seeds import generator
from replicon.inference.logistic import simulation, theory
from replicon.inference.logistic.model import LogisticMLE
from replicon.inference.logistic.newton import fit_logistic
from replicon.inference.logistic.separation import is_separable

SUR = "Sur and Candes, PNAS 116, 14516 (2019)"
CANDES = "Candes and Sur, Ann. Stat. 48, 27 (2020), theorem 2.1; digits of an independent solution"
ROOT5 = 5**0.5
SIZE, DRAWS = 600, 12


def printed(digits: int) -> tuple[float, str]:
    """Half a unit of the last of so many decimals, and the reason for it as a tolerance."""
    return 0.5000001 * 10.0**-digits, f"half a unit of the {digits} decimals printed"


def value(name: str) -> float:
    """One number of the theory at aspect 0.2 and signal strength sqrt 5."""
    return float(theory.sur_candes_grid(0.2, ROOT5).values[name])


@functools.lru_cache(maxsize=2)
def draws() -> dict[str, np.ndarray]:
    """Estimates at 600 features, 3000 samples."""
    return realize(LogisticMLE(aspect=0.2, signal_strength=ROOT5), SIZE, range(DRAWS), seed=0).values


def measured(name: str) -> Measurement:
    """Mean over the draws with its standard error."""
    values = draws()[name]
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), int(values.size))


def rejected_share() -> Measurement:
    """Share of null coefficients whose likelihood ratio is beyond the textbook's 5 % point; error over draws."""
    model, shares = LogisticMLE(aspect=0.2, signal_strength=ROOT5), []
    for index in range(DRAWS):
        draw = model.sample(SIZE, index)
        weights = fit_logistic(draw.features, draw.labels, tolerance=1e-8).weights
        nulls = np.flatnonzero(draw.coefficients == 0)
        ratios = simulation.likelihood_ratios(draw.features, draw.labels, weights, nulls)
        shares.append(float(np.mean(ratios > chi2.isf(0.05, 1))))
    return Measurement(float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(DRAWS)), DRAWS)


def threshold_by_programme(strength: float, expected: float, features: int = 400, draws_count: int = 12) -> Measurement:
    """Aspect at which half of the draws are separable, decided by linear programmes.

    Every draw adds its samples one by one; the first number of them that is not separable is found by bisection, to 8
    samples, in a window of 0.06 to either side of the expected aspect, three times the spread of the draws.
    """
    found = []
    for index in range(draws_count):
        stream = generator(index, f"threshold {strength:g}")
        points = stream.standard_normal((round(features / (expected - 0.06)), features))
        labels = simulation.draw_labels(strength * points[:, 0], stream)
        low, high = round(features / (expected + 0.06)), len(points)
        while high - low > 8:
            middle = (low + high) // 2
            low, high = (middle, high) if is_separable(points[:middle], labels[:middle]) else (low, middle)
        found.append(features / (0.5 * (low + high)))
    values = np.array(found)
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), len(values))


def _estimate() -> list[Claim]:
    topic = "Aspect 0.2, squared signal strength 5"
    names = {"bias": ("a", 1.4994), "spread": ("s", 4.7436), "step": ("l", 3.0269)}
    found = [
        Claim(
            symbol, number, f"{SUR}, eq. 6", *printed(4), functools.partial(value, name), functools.partial(measured,
            name), full=True, seconds=40, topic=topic, of=name, at={"aspect": 0.2, "signal_strength": ROOT5},
        )
        for name, (symbol, number) in names.items()
    ]  # fmt: skip
    law = f"{SUR}, theorem 4, from the three numbers printed"
    factor = Claim(
        "stretch of the likelihood-ratio law", 1.4867, law, 2e-4,
        "kappa s^2 / l with the rounding of s and l", functools.partial(value, "likelihood_ratio_factor"),
        functools.partial(measured, "likelihood_ratio_factor"), full=True, seconds=40, topic=topic,
        of="likelihood_ratio_factor", at={"aspect": 0.2, "signal_strength": ROOT5},
    )  # fmt: skip
    # chi-squared times 1.4867 is beyond the textbook's 3.8415 with this probability.
    rejected = float(chi2.sf(chi2.isf(0.05, 1) / 1.4867, 1))
    distance = Claim(
        "true hypotheses rejected by the textbook likelihood-ratio test of 5 %", rejected, law, 2e-4,
        "the rounding of s and l", lambda: chi2.sf(chi2.isf(0.05, 1) / value("likelihood_ratio_factor"), 1),
        rejected_share, full=True, seconds=40, topic=topic,
    )  # fmt: skip
    return [*found, factor, distance]


def _existence() -> list[Claim]:
    topic = "Where the estimate exists"
    found = []
    for strength, number, name, digits in ((0.0, 0.5, "0", 6), (1.0, 0.438939, "1", 6), (ROOT5, 0.325589, "sqrt 5", 6)):
        tolerance, why = printed(digits)
        found.append(
            Claim(
                f"h at signal strength {name}", number, CANDES, tolerance, why,
                functools.partial(theory.mle_threshold, strength), topic=topic,
                of="aspect" if strength else "", at={"signal_strength": strength} if strength else {},
            )
        )  # fmt: skip
        found.append(
            Claim(
                f"h at signal strength {name}, by linear programmes at 400 features", number, CANDES, 0.01,
                "the distance asked for at this size; corrections fall like size^-2/3",
                simulate=functools.partial(threshold_by_programme, strength, number), full=True, seconds=120,
                topic=topic,
            )
        )  # fmt: skip
    return found


claims = {"LogisticMLE": [*_estimate(), *_existence()]}
