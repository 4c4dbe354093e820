"""The experiment: logistic data are drawn, the likelihood is maximised where it has a maximum."""

from typing import Any

import numpy as np
from scipy.special import expit

from replicon.inference.logistic.newton import fit_logistic, inverse_hessian_trace
from replicon.inference.logistic.separation import is_separable

TEST_SAMPLES_PER_FEATURE = 10
TESTED_NULLS = 50
"""Coefficients of value zero whose likelihood ratios are taken of one draw, at most."""


def draw(
    samples: int, features: int, strength: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of variance 1/samples, labels +-1, and coefficients with ``|beta|^2 = samples strength^2`` exactly.

    The last quarter of the coefficients is zero, one at least.
    """
    matrix = generator.standard_normal((samples, features)) / np.sqrt(samples)
    coefficients = generator.standard_normal(features)
    coefficients[-max(1, features // 4) :] = 0.0
    coefficients *= strength * np.sqrt(samples) / np.linalg.norm(coefficients)
    return matrix, draw_labels(matrix @ coefficients, generator), coefficients


def draw_labels(fields: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """+1 with probability 1 / (1 + exp(-field)), else -1."""
    return np.where(generator.random(len(fields)) < expit(fields), 1.0, -1.0)


def maximise(
    features: np.ndarray, labels: np.ndarray, coefficients: np.ndarray, generator: np.random.Generator
) -> tuple[dict[str, Any], bool]:
    """Observables of the estimate, and whether Newton's method converged; without an estimate only `exists`."""
    samples, count = features.shape
    fit = fit_logistic(features, labels, 0.0, tolerance=1e-9 * np.sqrt(count), iterations=60)
    exists = fit.converged and _is_maximum(features, labels, fit.weights)
    if not exists:
        return dict(exists=0.0, iterations=float(fit.iterations)), is_separable(features, labels)
    estimate = fit.weights
    bias = float(estimate @ coefficients) / float(coefficients @ coefficients)
    noise = estimate - bias * coefficients
    new = generator.standard_normal((TEST_SAMPLES_PER_FEATURE * count, count)) / np.sqrt(samples)
    truth = draw_labels(new @ coefficients, generator)
    measured = dict(
        exists=1.0,
        bias=bias,
        # The slope was fitted, which takes one degree of freedom.
        spread=float(np.sqrt(noise @ noise / max(count - 1, 1))),
        step=inverse_hessian_trace(features, estimate, 0.0) / samples,
        test_error_01=float(np.mean((new @ estimate) * truth <= 0)),
        train_loss=float(np.mean(np.logaddexp(0.0, -labels * (features @ estimate)))),
        likelihood_ratio_factor=_mean_of(
            likelihood_ratios(features, labels, estimate, np.flatnonzero(coefficients == 0))
        ),
        iterations=float(fit.iterations),
    )
    return measured, True


def _is_maximum(features: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> bool:
    """A small gradient is no maximum when every sample is right: larger weights are then better still."""
    return bool((labels * (features @ weights)).min() <= 0)


def likelihood_ratios(
    features: np.ndarray, labels: np.ndarray, estimate: np.ndarray, left_out: np.ndarray, steps: int = 40
) -> np.ndarray:
    """Twice the log-likelihood that each of some features adds: refits without it, all of them at once.

    Newton steps with the Hessian of the full fit, which one feature less hardly changes; nan where they do not settle.

    Parameters
    ----------
    features : array (samples, features)
    labels : array (samples,)
    estimate : array (features,)
        At the maximum of the likelihood.
    left_out : int array (tested,)
        Only the first `TESTED_NULLS` are tested.
    """
    tested = left_out[:TESTED_NULLS]
    right = expit(features @ estimate)
    inverse = np.linalg.inv((features.T * (right * (1 - right))) @ features)
    columns, own = inverse[:, tested], inverse[tested, tested]
    weights = estimate[:, None] - columns * (estimate[tested] / own)
    signed = labels[:, None] * features
    settled = np.zeros(len(tested), dtype=bool)
    for _ in range(steps):
        gradient = -signed.T @ expit(-(signed @ weights))
        step = inverse @ gradient
        step -= columns * (step[tested, np.arange(len(tested))] / own)
        weights -= step
        settled = np.sqrt(np.mean(step**2, axis=0)) < 1e-6 * np.sqrt(np.mean(estimate**2))
        if settled.all():
            break
    least = np.logaddexp(0.0, -(signed @ estimate)).sum()
    ratios = 2 * (np.logaddexp(0.0, -(signed @ weights)).sum(axis=0) - least)
    return np.where(settled, ratios, np.nan)


def _mean_of(ratios: np.ndarray) -> float | None:
    known = ratios[np.isfinite(ratios)]
    return float(known.mean()) if known.size else None
