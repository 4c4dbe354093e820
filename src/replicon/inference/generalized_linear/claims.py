"""Published numbers of generalised linear estimation."""

import functools

import numpy as np

from replicon.core.claims import Claim, Measurement
from replicon.core.realization import realize
from replicon.inference.generalized_linear import theory
from replicon.inference.generalized_linear.model import GeneralizedLinear

AUBIN = "Aubin, Krzakala, Lu and Zdeborova, arXiv:2006.06560"
MONTANARI = "Montanari, Ruan, Sohn and Yan, arXiv:1911.01544"
SOLVED = "; digits of an independent solution of its equations"
SEED = 0
SIZE, DRAWS = 400, 64  # of 16 draws the error bar itself would be uncertain by a fifth
SYMBOLS = {"teacher_overlap": "m", "weight_norm": "q", "test_error_01": "E_gen", "train_error_01": "E_train"}

POINTS = {
    ("logistic", 0.1): {
        "teacher_overlap": 2.1715,
        "weight_norm": 5.7308,
        "test_error_01": 0.1383,
        "train_error_01": 0.0109,
    },
    ("logistic", 1.0): {
        "teacher_overlap": 0.6655,
        "weight_norm": 0.5914,
        "test_error_01": 0.1671,
        "train_error_01": 0.0491,
    },
    ("hinge", 0.5): {
        "teacher_overlap": 1.1492,
        "weight_norm": 1.6847,
        "test_error_01": 0.1539,
        "train_error_01": 0.0396,
    },
}
"""Order parameters at load 3, sign teacher, by (loss, penalty level)."""

SIGN_TEACHER = {"teacher": "sign", "teacher_noise": 0, "flip_probability": 0, "weights": "gaussian"}
BINARY = {**SIGN_TEACHER, "loss": "bayes", "weights": "binary"}

DIFFERENT = {
    ("logistic", 1.0, "train_error_01"): (
        "the equations give 0.04920, by an adaptive quadrature too, and d = 400 is compatible with it; the last digit "
        "printed is probably that of a coarse grid across the step of the error count"
    ),
}
"""Numbers that do not come out, and why."""


def printed(digits: int) -> tuple[float, str]:
    """One unit of the last of so many decimals, and the reason for it as a tolerance."""
    return 1.0000001 * 10.0**-digits, f"one unit of the {digits} decimals printed, which may have been cut off"


def value(name: str, load: float, penalty: float, loss: str) -> float:
    """One number of the theory for a sign teacher."""
    return float(theory.estimate(load, penalty, loss, "sign").values[name])


@functools.lru_cache(maxsize=8)
def draws(loss: str, penalty: float) -> dict[str, np.ndarray]:
    """Measured observables at load 3; the claims of a point share them."""
    return realize(GeneralizedLinear(loss=loss, penalty_level=penalty), SIZE, range(DRAWS), seed=SEED).values


def measured(name: str, loss: str, penalty: float) -> Measurement:
    """Mean over the draws with its standard error."""
    values = draws(loss, penalty)[name]
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), int(values.size))


def binary_overlap() -> Measurement:
    """Overlap reached by message passing at load 1 with weights +-1."""
    model = GeneralizedLinear(load=1.0, loss="bayes", weights="binary")
    values = realize(model, SIZE, range(DRAWS), seed=SEED).values["teacher_overlap"]
    return Measurement(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), int(values.size))


def _points() -> list[Claim]:
    found = []
    for (loss, penalty), values in POINTS.items():
        for name, number in values.items():
            found.append(
                Claim(
                    f"{SYMBOLS[name]}, {loss} loss, penalty {penalty:g}", number, f"{AUBIN}, theorem 1{SOLVED}",
                    *printed(4), functools.partial(value, name, 3.0, penalty, loss), functools.partial(measured, name,
                    loss, penalty), topic=f"Load 3, sign teacher; measured at d = {SIZE}, {DRAWS} draws",
                    reproduces=(loss, penalty, name) not in DIFFERENT, remark=DIFFERENT.get((loss, penalty, name), ""),
                    of=name, at={"load": 3.0, "loss": loss, "penalty_level": penalty, **SIGN_TEACHER},
                )
            )  # fmt: skip
    return found


def _optima() -> list[Claim]:
    topic = "Square loss, Bayes optimum, largest margin"
    barbier = "Barbier, Krzakala, Macris, Miolane and Zdeborova, PNAS 116, 5451 (2019)"
    return [
        Claim(
            "E_gen of the square loss, penalty 0.5, load 3", 0.14985, f"{AUBIN}, section 3{SOLVED}", *printed(5),
            lambda: value("test_error_01", 3.0, 0.5, "square"), topic=topic, of="test_error_01",
            at={"load": 3.0, "loss": "square", "penalty_level": 0.5, **SIGN_TEACHER},
        ),
        Claim(
            "E_gen of the hinge loss, penalty 0.5, load 3", 0.15391, f"{AUBIN}, section 3{SOLVED}", *printed(5),
            lambda: value("test_error_01", 3.0, 0.5, "hinge"), topic=topic, of="test_error_01",
            at={"load": 3.0, "loss": "hinge", "penalty_level": 0.5, **SIGN_TEACHER},
        ),
        Claim(
            "load times Bayes E_gen", 0.442, f"{AUBIN}, eq. 20", *printed(3),
            lambda: 1e4 * value("test_error_01", 1e4, 0.0, "bayes"), topic=topic,
        ),
        Claim(
            "load times Bayes E_gen at load 100", 0.44164, f"{AUBIN}{SOLVED}", *printed(5),
            lambda: 100 * value("test_error_01", 100.0, 0.0, "bayes"), topic=topic,
        ),
        Claim(
            "weights ±1: load of the transition", 1.245, "Gyorgyi, Phys. Rev. A 41, 7097 (1990)", *printed(3),
            lambda: theory.binary_thresholds().values["information"], topic=topic, of="load", at=BINARY,
        ),
        Claim(
            "weights ±1: load of the transition, as some papers print it", 1.249, barbier, *printed(3),
            lambda: theory.binary_thresholds().values["information"], topic=topic, reproduces=False,
            remark="the equations give 1.2447, as Gyorgyi has it",
        ),
        Claim(
            "weights ±1: load where message passing succeeds", 1.493, barbier, *printed(3),
            lambda: theory.binary_thresholds().values["algorithm"], topic=topic, of="load", at=BINARY,
        ),
        Claim(
            "weights ±1: overlap that message passing reaches at load 1", 0.5607, f"{barbier}{SOLVED}", *printed(4),
            lambda: theory.bayes_optimal(1.0, "sign", "binary").values["teacher_overlap"], binary_overlap, topic=topic,
            of="teacher_overlap", at={"load": 1.0, **BINARY},
        ),
        Claim(
            "largest margin at load 3", 0.317765, f"{MONTANARI}{SOLVED}", *printed(6),
            lambda: theory.max_margin(3.0).values["margin"], topic=topic,
        ),
        Claim(
            "E_gen of the largest margin at load 3", 0.142836, f"{MONTANARI}{SOLVED}",
            *printed(6), lambda: value("test_error_01", 3.0, 0.0, "max_margin"),
            lambda: measured("test_error_01", "max_margin", 0.1), topic=topic, of="test_error_01",
            at={"load": 3.0, "loss": "max_margin", **SIGN_TEACHER},
        ),
        Claim(
            "load times E_gen of the largest margin at load 30", 0.4995, f"{AUBIN}, section 4{SOLVED}", *printed(4),
            lambda: 30 * value("test_error_01", 30.0, 0.0, "max_margin"), topic=topic,
        ),
    ]  # fmt: skip


claims = {"GeneralizedLinear": [*_points(), *_optima()]}
