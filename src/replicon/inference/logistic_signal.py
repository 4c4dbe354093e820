r"""What a logistic fit with many features tells about the truth behind it: signal strength, bias and spread.

n samples with p = kappa n features, ``P(y = 1) = sigmoid(T)``, ``T = c + x.beta``, ``gamma^2 = Var(x.beta)``.
A sample that took no part in the fit has the field ``Q = b + x.beta_hat``, and (T, Q) are jointly normal with mean
(c, b) and

    Var T = gamma^2,   Cov(T, Q) = a gamma^2,   Var Q = eta^2 = a^2 gamma^2 + kappa s^2.

With u = prox of step l of the loss at Q and r = y - sigmoid(u), four equations hold at the maximum of the likelihood:

    E[r] = 0,            E[l rho''(u) / (1 + l rho''(u))] = kappa,
    l^2 E[r^2] = kappa^2 s^2,   a = (l / kappa) E[sigmoid'(T) (r_1 - r_0)],

r_1, r_0 being r for either label; the last is E[(T - c) r] = 0 integrated by parts, which holds without signal too.
eta and b can be measured, by leaving each sample out in turn; the equations then give gamma, c, a and l.

References
----------
.. [1] P. Sur, E. J. Candes, PNAS 116, 14516 (2019), eq. 5.
.. [2] Q. Zhao, P. Sur, E. J. Candes, Bernoulli 28, 1835 (2022), arXiv:2001.09351: intercept and any covariance.
.. [3] S. Yadlowsky, T. Yun, C. McLean, A. D'Amour, NeurIPS 2021, arXiv:2103.12725: signal strength by leave-one-out.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import root
from scipy.special import expit

from replicon.core.errors import ConvergenceError
from replicon.maths.proximal import prox

_TOLERANCE = 1e-8

_GROWTH = 1.25
"""Factor by which the deviation of the fields grows from one step of the continuation to the next."""


@dataclass(frozen=True)
class LogisticTruth:
    """Law of a logistic fit with many features, per feature of unit variance given the others.

    Attributes
    ----------
    signal_strength : float
        gamma, the standard deviation of ``x.beta``.
    intercept : float
        c, the true intercept.
    bias : float
        a: the estimate of beta_j has mean a beta_j.
    spread : float
        s: and standard deviation ``s / (sqrt(n) tau_j)``, tau_j^2 the variance of feature j given the others.
    step : float
        l, of the proximal operator that leads from a field left out to the fitted one.
    field_mean, field_deviation : float
        b and eta, mean and standard deviation of the fields of samples left out.
    """

    signal_strength: float
    intercept: float
    bias: float
    spread: float
    step: float
    field_mean: float
    field_deviation: float

    def given_field(self, fields: np.ndarray) -> tuple[np.ndarray, float]:
        """Mean and standard deviation of the true field T of new samples whose fitted field is given."""
        slope = self.bias * self.signal_strength**2 / self.field_deviation**2
        left = self.signal_strength**2 - slope * self.bias * self.signal_strength**2
        return self.intercept + slope * (fields - self.field_mean), float(np.sqrt(max(left, 0.0)))

    def log_odds(self, fields: np.ndarray) -> np.ndarray:
        """Logarithm of P(y = 1) / P(y = 0) of new samples whose fitted field is given."""
        mean, deviation = self.given_field(np.asarray(fields, dtype=float))
        right, wrong = np.full(mean.shape, -np.inf), np.full(mean.shape, -np.inf)
        nodes, weights = _normal_nodes(61 + int(15 * deviation))
        for node, weight in zip(nodes, np.log(weights), strict=True):
            field = mean + deviation * node
            right = np.logaddexp(right, weight - np.logaddexp(0.0, -field))
            wrong = np.logaddexp(wrong, weight - np.logaddexp(0.0, field))
        return right - wrong


def leave_one_out_fields(design: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Field ``x_i.w`` of each sample under the weights fitted without it, by one Newton step from the fit.

    Parameters
    ----------
    design : array (samples, columns)
        With a column of ones where there is an intercept.
    labels : array (samples,)
        +-1.
    weights : array (columns,)
        At the maximum of the likelihood.

    Returns
    -------
    array (samples,)
    """
    fields = design @ weights
    right = expit(fields)
    curvature = right * (1 - right)
    factor = cho_factor((design.T * curvature) @ design)
    leverage = np.einsum("ij,ji->i", design, cho_solve(factor, design.T))
    return fields - leverage / (1 - leverage * curvature) * (0.5 * (1 + labels) - right)


def truth_behind(aspect: float, field_mean: float, field_deviation: float) -> LogisticTruth:
    """Signal strength and law of the estimate from the fields of samples left out.

    Parameters
    ----------
    aspect : float
        kappa = features / samples, in (0, 1).
    field_mean, field_deviation : float
        b and eta > 0.

    Returns
    -------
    LogisticTruth
        With `signal_strength` 0 where the fields vary no more than the noise of the estimate makes them.

    Raises
    ------
    ConvergenceError
        When the equations were not solved.
    """
    null = _solve(lambda v: (0.0, v[0], v[1], np.exp(v[2]), np.exp(v[3])), *_small_aspect(aspect, field_mean), aspect)
    if null.field_deviation >= field_deviation:
        return null

    def solve(deviation: float, start: list[float]) -> LogisticTruth:
        def unpack(v: np.ndarray) -> tuple[float, float, float, float, float]:
            return np.sqrt(max(v[3], 0.0)), v[0], v[1], np.exp(v[2]), deviation

        return _solve(unpack, np.array(start), field_mean, aspect)

    # Straight to it from what is left of the variance without the noise; else from small deviations upwards.
    strength = field_deviation**2 - null.field_deviation**2
    try:
        return solve(field_deviation, [field_mean, 1.2, float(np.log(null.step)), 0.5 * strength])
    except ConvergenceError:
        found = null
    steps = max(2, int(np.ceil(np.log(field_deviation / null.field_deviation) / np.log(_GROWTH))))
    for deviation in np.geomspace(null.field_deviation, field_deviation, steps + 1)[1:]:
        start = [found.intercept, found.bias, float(np.log(found.step)), found.signal_strength**2 + 0.1]
        found = solve(float(deviation), start)
    return found


def law_at(aspect: float, signal_strength: float, field_mean: float = 0.0) -> LogisticTruth:
    """Law of the estimate at a known signal strength; `field_mean` is the fitted intercept.

    Parameters
    ----------
    aspect : float
        kappa = features / samples, below the threshold of existence.
    signal_strength : float
        gamma >= 0.
    field_mean : float
        b.

    Returns
    -------
    LogisticTruth

    Raises
    ------
    ConvergenceError
        When the equations were not solved, as beyond the threshold, where they have no solution.
    """
    start, _ = _small_aspect(aspect, field_mean)
    reached = None
    # Continuation in the signal strength from zero, where the start is close.
    for part in np.linspace(0.0, 1.0, 2 + int(2 * signal_strength + 8 * aspect)):
        gamma = part * signal_strength

        def unpack(v: np.ndarray, gamma: float = gamma) -> tuple[float, float, float, float, float]:
            return gamma, v[0], v[1], np.exp(v[2]), np.exp(v[3])

        reached = _solve(unpack, start, field_mean, aspect)
        start = np.array([reached.intercept, reached.bias, np.log(reached.step), np.log(reached.field_deviation)])
    assert reached is not None
    return reached


@functools.lru_cache(maxsize=64)
def _normal_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a normal average: the trapezoidal rule is exponentially good for analytic functions."""
    nodes = np.linspace(-8.5, 8.5, count)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()


def _small_aspect(aspect: float, field_mean: float) -> tuple[np.ndarray, float]:
    curvature = float(expit(field_mean) * expit(-field_mean))
    step = aspect / (1 - aspect) / curvature
    return np.array([field_mean, 1.0, np.log(step), 0.5 * np.log(aspect / curvature / (1 - aspect))]), field_mean


def _solve(
    unpack: Callable[[np.ndarray], tuple[float, ...]], start: np.ndarray, field_mean: float, aspect: float
) -> LogisticTruth:
    def equations(v: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = unpack(np.clip(v, -50.0, 200.0))
            return np.nan_to_num(_misfit(aspect, field_mean, *numbers), nan=1e3, posinf=1e3, neginf=-1e3)

    def jacobian(v: np.ndarray) -> np.ndarray:
        # Steps of one size: the method's own are relative, and drown in rounding for an intercept of nearly zero.
        shifts = 1e-7 * np.eye(len(v))
        return np.column_stack([(equations(v + shift) - equations(v)) / 1e-7 for shift in shifts])

    found = root(equations, start, jac=jacobian, method="hybr", options=dict(xtol=1e-12))
    gamma, intercept, bias, step, deviation = unpack(found.x)
    left = deviation**2 - (bias * gamma) ** 2
    if not np.abs(equations(found.x)).max() < _TOLERANCE or left <= 0:
        raise ConvergenceError(
            f"the equations of the logistic fit were not solved at aspect {aspect:.4g}, mean {field_mean:.4g} and "
            f"deviation {deviation:.4g} of the fields left out (residual {np.abs(equations(found.x)).max():.1e})"
        )
    return LogisticTruth(
        signal_strength=float(gamma),
        intercept=float(intercept),
        bias=float(bias),
        spread=float(np.sqrt(left / aspect)),
        step=float(step),
        field_mean=float(field_mean),
        field_deviation=float(deviation),
    )


def _misfit(
    aspect: float, field_mean: float, gamma: float, intercept: float, bias: float, step: float, deviation: float
) -> np.ndarray:
    """The four equations, each divided by what it is about."""
    # As fine as sigmoids of these widths ask for.
    outer, outer_weights = _normal_nodes(241 + 40 * int(min(deviation, 100.0) / 2))
    inner, inner_weights = _normal_nodes(61 + 30 * int(min(gamma, 50.0) / 2))
    field = field_mean + deviation * outer
    positive, negative = prox("logistic", field, step), -prox("logistic", -field, step)
    residual_one, residual_zero = expit(-positive), -expit(negative)
    # T given Q: what is beyond the correlation is averaged over.
    overlap = np.clip(bias * gamma / deviation, -1.0, 1.0)
    mean = intercept + gamma * overlap * outer
    true = mean[:, None] + gamma * np.sqrt(1 - overlap**2) * inner
    chance = expit(true)
    one = chance @ inner_weights
    slope = (chance * (1 - chance)) @ inner_weights
    zero = 1 - one

    def average(of_one: np.ndarray, of_zero: np.ndarray) -> float:
        return float(outer_weights @ (one * of_one + zero * of_zero))

    def shrink(u: np.ndarray) -> np.ndarray:
        bend = step * expit(u) * expit(-u)
        return bend / (1 + bend)

    square = average(residual_one**2, residual_zero**2)
    return np.array(
        [
            average(residual_one, residual_zero) / np.sqrt(square),
            average(shrink(positive), shrink(negative)) / aspect - 1,
            step**2 * square / (aspect * deviation**2) - 1 + (bias * gamma / deviation) ** 2,
            step / aspect * float(outer_weights @ (slope * (residual_one - residual_zero))) - bias,
        ]
    )
