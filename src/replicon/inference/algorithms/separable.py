r"""Minimise a separable convex loss of the residuals plus a separable convex penalty, with a certificate.

``min_s sum_mu rho(y_mu - (X s)_mu) + sum_i sigma(s_i)`` by the alternating direction method in graph form: proximal
steps on coefficients and predictions in turn with the projection on ``z = X s``, which takes one Cholesky
factorisation whatever the step [1]_. The square and Huber's loss with an l1 penalty begin with coordinate descent
instead, which is faster there. Where first-order steps crawl, at losses and penalties with kinks, Newton steps
on the pieces that the iteration has found finish the work. What is returned is certified by the duality gap

``sum rho(r) + sum sigma(s) - [nu . y - sum rho*(nu) - sum sigma*(X^T nu)] >= objective - its minimum``.

References
----------
.. [1] N. Parikh, S. Boyd, Block splitting for distributed optimization, Math. Program. Comput. 6, 77 (2014).
.. [2] B. Stellato et al., OSQP, Math. Program. Comput. 12, 637 (2020), section 5.2: the last step from the active set.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from replicon.core.errors import DataError
from replicon.core.monitor import check
from replicon.inference.algorithms.augmented import Subproblem
from replicon.inference.algorithms.checks import checked_count, checked_positive, checked_problem
from replicon.inference.algorithms.descent import CoordinateDescent
from replicon.inference.algorithms.functions import ConvexFunction, NamedFunction, as_loss, as_penalty
from replicon.inference.algorithms.polish import Point, newton_point, proximal_point

_RELAXATION = 1.6
_FIRST_ORDER = 200
"""Iterations after which first-order steps give way to Newton steps: they crawl then, or would have ended."""
_PROXIMAL = 1e-6
"""Proximal term of the augmented Lagrangian in units of the first Hessian: it only keeps Newton steps well defined."""
_LARGEST = 1e4
"""Growth of the weight at which it stops: beyond, the digits of the Newton steps are spent."""
_EXACT = 1e-14
"""Relative gap that is rounding."""
_GROWTH = 2.0
"""Factor of the weight from one step of the augmented Lagrangian to the next."""
_ROUND = 20
"""Iterations between two looks at the gap."""
_SETTLED = 5e-4
"""Part of the coefficients that may still become or leave zero when a Newton step is tried: it costs many sweeps."""
_LARGEST_POLISH = 6000
"""Unknowns up to which a Newton step (a dense solve) is tried."""


class SeparableFit(NamedTuple):
    """A minimiser with its certificate.

    Attributes
    ----------
    coefficients : array (features,)
        s; exact zeros where the penalty has its kink.
    residuals : array (samples,)
        ``y - X s``.
    slopes : array (samples,)
        nu, the dual variable: ``rho'(residual)``, and at a kink the subgradient that balances the penalty.
    objective : float
        Sum of losses plus penalty.
    gap : float
        The objective is at most so much above its minimum.
    iterations : int
    converged : bool
        Whether ``gap <= tolerance * max(objective, scale of y)``.
    """

    coefficients: np.ndarray
    residuals: np.ndarray
    slopes: np.ndarray
    objective: float
    gap: float
    iterations: int
    converged: bool


def fit_separable(
    X: Any,
    y: Any,
    loss: str | ConvexFunction = "square",
    penalty: str | ConvexFunction = "none",
    *,
    loss_scale: float = 1.0,
    penalty_level: float = 0.0,
    tolerance: float = 1e-10,
    max_iterations: int = 2_000,
) -> SeparableFit:
    """Minimise ``sum loss(y - X s) + sum penalty(s)`` for any convex loss and penalty.

    Parameters
    ----------
    X : array (samples, features)
        Any scale; converted to float64.
    y : array (samples,)
    loss : {"square", "absolute", "huber"} or ConvexFunction
        ``u^2/2``, ``|u|``, Huber's with threshold `loss_scale`, or a function of your own (`TabulatedFunction`).
    penalty : {"none", "ridge", "lasso"} or ConvexFunction
        0, ``level s^2 / 2``, ``level |s|`` with `penalty_level`, or a function of your own.
    tolerance : float
        Gap at which the fit has converged, relative to the objective.
    max_iterations : int
        Iterations after which the fit is given up with ``converged=False``.

    Returns
    -------
    SeparableFit

    Raises
    ------
    DataError
        For nan or inf, shapes that do not fit, and without penalty for X whose columns are linearly dependent (fewer
        samples than features, say): the minimiser is not unique then.
    ParameterError
        For unknown names, a negative level, a threshold or tolerance that is not positive.
    """
    matrix, outcomes = checked_problem(X, y)
    tolerance = checked_positive("tolerance", tolerance)
    limit = checked_count("max_iterations", max_iterations)
    problem = _Problem(matrix, outcomes, as_loss(loss, loss_scale), as_penalty(penalty, penalty_level))
    return _solve(problem, tolerance, limit)


def certify(
    X: np.ndarray,
    y: np.ndarray,
    loss: ConvexFunction,
    penalty: ConvexFunction,
    coefficients: np.ndarray,
    slopes: np.ndarray,
    *,
    tolerance: float = 1e-10,
    iterations: int = 0,
) -> SeparableFit:
    """The certificate of a minimiser that another algorithm found, with its slopes of the loss at the residuals."""
    search = _Search(_Problem(X, y, loss, penalty), checked_positive("tolerance", tolerance))
    search.offer(Point(coefficients, X.T @ slopes, y - X @ coefficients, slopes))
    search.iterations = iterations
    return search.fit()


class _Problem:
    """The matrix with its factorisations, and the certificate of a pair of points."""

    def __init__(self, X: np.ndarray, y: np.ndarray, loss: ConvexFunction, penalty: ConvexFunction) -> None:
        self.X, self.y, self.loss, self.penalty = X, y, loss, penalty
        samples, features = X.shape
        # The metric of the coefficients, so that the iteration does not depend on the unit of X.
        self.metric = float(np.einsum("ij,ij->", X, X)) / features or 1.0
        self.wide = samples < features
        self.free = None
        if penalty.steepest == 0:
            if self.wide:
                raise DataError("without penalty there must be at least as many samples as features; give a penalty")
            self.free = linalg.cho_factor(_independent(X.T @ X), overwrite_a=True, check_finite=False)

    @cached_property
    def factor(self) -> Any:
        """Cholesky factor of the smaller Gram matrix plus the metric, for `project`."""
        gram = self.X @ self.X.T if self.wide else self.X.T @ self.X
        gram[np.diag_indices_from(gram)] += self.metric
        return linalg.cho_factor(gram, overwrite_a=True, check_finite=False)

    def project(self, s: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point of the graph ``z = X s`` in the metric ``metric |s|^2 + |z|^2``."""
        right = self.metric * s + self.X.T @ z
        if self.wide:
            inner = linalg.cho_solve(self.factor, self.X @ right, check_finite=False)
            # (X X^T + metric) inner = X right: X s is inner itself.
            return (right - self.X.T @ inner) / self.metric, inner
        s = linalg.cho_solve(self.factor, right, check_finite=False)
        return s, self.X @ s

    def certify(self, s: np.ndarray, slopes: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Objective at s, its gap to the dual at the nearest feasible multiple of `slopes`, residuals and slopes."""
        residuals = self.y - self.X @ s
        objective = float(self.loss.value(residuals).sum() + self.penalty.value(s).sum())
        balance = self.X.T @ slopes
        if self.free is not None:
            slopes = slopes - self.X @ linalg.cho_solve(self.free, balance, check_finite=False)
            shrink, bound = float(np.max(np.abs(slopes))), self.loss.steepest
            balance = np.zeros_like(balance)
        else:
            shrink, bound = float(np.max(np.abs(balance))), self.penalty.steepest
        if shrink > bound:
            slopes, balance = slopes * (bound / shrink), balance * (bound / shrink)
        dual = float(slopes @ self.y - self.loss.conjugate(slopes).sum() - self.penalty.conjugate(balance).sum())
        return objective, objective - dual, residuals, slopes


def _solve(problem: _Problem, tolerance: float, limit: int) -> SeparableFit:
    search = _Search(problem, tolerance)
    if _descends(problem):
        _descend(search, min(limit, _FIRST_ORDER))
        if search.converged or limit <= search.iterations:
            return search.fit()
    point, weight = _alternate(search, min(limit, _FIRST_ORDER))
    if not search.converged and limit > _FIRST_ORDER:
        _multiply(search, point, weight, limit)
    return search.fit()


class _Search:
    """The best point so far with its certificate."""

    def __init__(self, problem: _Problem, tolerance: float) -> None:
        self.problem, self.tolerance = problem, tolerance
        self.least = float(problem.loss.value(problem.y).sum())
        """Objective of s = 0: the scale of the gap where the objective itself vanishes, at an exact fit."""
        self.gap, self.objective = np.inf, np.inf
        self.s, self.residuals, self.slopes = np.zeros(problem.X.shape[1]), problem.y, np.zeros_like(problem.y)
        self.iterations = 0

    @property
    def converged(self) -> bool:
        """Whether the gap is within the tolerance."""
        return bool(self.gap < np.inf and self.gap <= self.tolerance * max(self.objective, 1e-6 * self.least, 1e-300))

    def offer(self, point: Point) -> bool:
        """Keep the point if its gap is smaller."""
        objective, gap, residuals, slopes = self.problem.certify(point.s, point.nu)
        if not gap < self.gap:
            return False
        self.s, self.residuals, self.slopes, self.objective, self.gap = point.s, residuals, slopes, objective, gap
        return True

    def polish(self, point: Point, weight: float) -> None:
        """Newton steps on the pieces at the point, as long as they help."""
        problem = self.problem
        for _ in range(6):
            found = newton_point(problem.X, problem.y, problem.loss, problem.penalty, point, weight, problem.metric)
            if found is None or not self.offer(found) or self.gap <= _EXACT * self.objective:
                break
            point = proximal_point(problem.loss, problem.penalty, found, weight, problem.metric)

    def fit(self) -> SeparableFit:
        """The result."""
        return SeparableFit(
            self.s, self.residuals, self.slopes, self.objective, max(self.gap, 0.0), self.iterations, self.converged
        )


def _descends(problem: _Problem) -> bool:
    """Whether coordinate descent has the problem: the square or Huber's loss with an l1 penalty."""
    loss, penalty = problem.loss, problem.penalty
    if not (isinstance(loss, NamedFunction) and isinstance(penalty, NamedFunction)):
        return False
    return loss.name in ("square", "huber") and penalty.name == "lasso" and penalty.steepest > 0


def _descend(search: _Search, limit: int) -> None:
    """Coordinate descent until the support settles, and Newton steps from there."""
    problem = search.problem
    descent = CoordinateDescent(problem.X, problem.y, problem.loss.steepest, problem.penalty.steepest)
    while not search.converged and search.iterations < limit:
        changed = descent.advance(limit - search.iterations)
        search.iterations = descent.sweeps
        check(min(search.iterations / _FIRST_ORDER, 0.5))
        if changed > _SETTLED * len(descent.s) and search.iterations < limit:
            continue
        point = Point(descent.s.copy(), problem.X.T @ descent.slopes, descent.residuals, descent.slopes)
        search.offer(point)
        if np.count_nonzero(descent.s) <= _LARGEST_POLISH:
            search.polish(proximal_point(problem.loss, problem.penalty, point, 1.0, problem.metric), 1.0)


def _alternate(search: _Search, limit: int) -> tuple[Point, float]:
    """Alternating directions with one factorisation; the last point and the weight arrived at."""
    problem = search.problem
    y, loss, penalty, metric = problem.y, problem.loss, problem.penalty, problem.metric
    samples, features = problem.X.shape
    s, z = np.zeros(features), np.zeros(samples)
    s_dual, z_dual = np.zeros(features), np.zeros(samples)
    spread = float(np.mean(np.abs(y))) or 1.0
    # Loss over squared residual at the scale of the data: the curvature that a quadratic loss would have.
    weight = search.least / (samples * spread**2) or 1.0
    point = Point(s, s_dual, y, z_dual)
    pattern: tuple[np.ndarray, np.ndarray] | None = None
    while True:
        old_s, old_z = s, z
        s_in, r_in = s - s_dual, y - (z - z_dual)
        s_half = penalty.prox(s_in, 1 / (weight * metric))
        r_half = loss.prox(r_in, 1 / weight)
        s_mixed = _RELAXATION * s_half + (1 - _RELAXATION) * s + s_dual
        z_mixed = _RELAXATION * (y - r_half) + (1 - _RELAXATION) * z + z_dual
        s, z = problem.project(s_mixed, z_mixed)
        s_dual, z_dual = s_mixed - s, z_mixed - z
        search.iterations += 1
        if search.iterations % _ROUND and search.iterations < limit:
            continue
        check(min(search.iterations / _FIRST_ORDER, 0.5))
        point = Point(s_half, metric * weight * (s_in - s_half), r_half, weight * (r_in - r_half))
        search.offer(point)
        kept = penalty.prox_derivative(s_in, 1 / (weight * metric)) > 0
        bent = loss.prox_derivative(r_in, 1 / weight) == 0
        # Also where the gap has closed: its square root bounds the error of the coefficients, and one step is cheap.
        if search.converged or _settled(pattern, kept, bent):
            search.polish(point, weight)
        pattern = kept, bent
        if search.converged or search.iterations >= limit:
            return point, weight
        ratio = _imbalance(problem, (s_half, y - r_half), (s, z), (old_s, old_z), (s_dual, z_dual))
        if not 0.2 < ratio < 5.0:
            factor = float(np.clip(ratio, 0.1, 10.0))
            weight, s_dual, z_dual = weight * factor, s_dual / factor, z_dual / factor


def _multiply(search: _Search, point: Point, weight: float, limit: int) -> None:
    """Steps of the augmented Lagrangian from a point, each with a larger weight, until the gap closes."""
    problem = search.problem
    s, first = point.s, weight
    # It must not grow with the weight: it would hold s back, and with it the multipliers.
    proximal = _PROXIMAL * weight * problem.metric
    size = float(np.linalg.norm(problem.X.T @ point.nu)) or 1.0
    while not search.converged and search.iterations < limit:
        sub = Subproblem(
            problem.X, problem.y, problem.loss, problem.penalty, point, s, weight, problem.metric, proximal
        )
        mismatch = np.linalg.norm(point.s - s) + np.linalg.norm(problem.y - problem.X @ s - point.r)
        point, s, steps = sub.minimize(float(1e-12 * size + 1e-4 * weight * problem.metric * min(mismatch, 1e-3)))
        search.iterations += max(steps, 1)
        search.offer(point)
        if not search.converged:
            search.polish(point, weight)
        check(0.5 + 0.49 * min(search.iterations / limit, 1.0))
        # A large weight needs few steps of this loop but hard minimisations; one that did not end was too hard.
        weight = min(weight * _GROWTH, _LARGEST * first) if steps < 15 else max(weight / _GROWTH**2, first)


def _settled(before: tuple[np.ndarray, np.ndarray] | None, kept: np.ndarray, bent: np.ndarray) -> bool:
    """Whether the pieces found are nearly those of the last look: a Newton step elsewhere is wasted."""
    if before is None or kept.sum() + bent.sum() > _LARGEST_POLISH:
        return False
    changed = np.count_nonzero(before[0] != kept) + np.count_nonzero(before[1] != bent)
    return bool(changed <= 2 + 0.01 * (kept.size + bent.size))


def _imbalance(problem: _Problem, half: Any, whole: Any, old: Any, dual: Any) -> float:
    """Ratio of the relative primal to the relative dual residual; the step is changed to bring it to one."""

    def norm(pair: Any) -> float:
        return float(np.sqrt(problem.metric * pair[0] @ pair[0] + pair[1] @ pair[1]))

    primal = norm((half[0] - whole[0], half[1] - whole[1])) / max(norm(whole), norm(half), 1e-300)
    moved = norm((whole[0] - old[0], whole[1] - old[1])) / max(norm(dual), 1e-300)
    return float(np.sqrt(primal / moved)) if primal > 0 and moved > 0 else 1.0


def _independent(gram: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.maximum(np.diag(gram), 0.0))
    if np.any(scale == 0) or linalg.eigvalsh(gram / np.outer(scale, scale), subset_by_index=[0, 0])[0] < 1e-12:
        raise DataError("without penalty the columns of X must be linearly independent; drop some or give a penalty")
    return gram
