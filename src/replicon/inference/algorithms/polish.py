"""One Newton step on the pieces of a separable convex problem that an iteration has found."""

from typing import NamedTuple

import numpy as np
from scipy import linalg

from replicon.inference.algorithms.functions import ConvexFunction

_REGULAR = 1e-9
"""Regularisation of the linear system, relative to its diagonal, which the refinement below takes back."""


class Point(NamedTuple):
    """Coefficients s with slopes t of the penalty there, residuals r with slopes nu of the loss there."""

    s: np.ndarray
    t: np.ndarray
    r: np.ndarray
    nu: np.ndarray


def proximal_point(loss: ConvexFunction, penalty: ConvexFunction, point: Point, weight: float, metric: float) -> Point:
    """The proximal steps from a point: positions whose slopes are slopes of the functions there.

    At a minimum nothing moves; elsewhere it decides which kinks are left or entered. Steps as in `newton_point`.
    """
    r_in, s_in = point.r + point.nu / weight, point.s + point.t / (weight * metric)
    r, s = loss.prox(r_in, 1 / weight), penalty.prox(s_in, 1 / (weight * metric))
    return Point(s, weight * metric * (s_in - s), r, weight * (r_in - r))


def newton_point(
    X: np.ndarray,
    y: np.ndarray,
    loss: ConvexFunction,
    penalty: ConvexFunction,
    point: Point,
    weight: float,
    metric: float,
) -> Point | None:
    """Solve ``X^T nu = t``, ``r = y - X s`` with both functions replaced by their pieces at `point`.

    At a kink the position is fixed and the slope free; elsewhere the slope follows the position with the curvature
    that the derivative of the proximal operator tells. For piecewise quadratic functions and the right pieces the
    result is the minimiser.

    Parameters
    ----------
    weight, metric : float
        Inverse steps: 1 / weight for the loss, 1 / (weight metric) for the penalty.

    Returns
    -------
    Point or None
        None where the linear system cannot be solved.
    """
    step, coefficient_step = 1 / weight, 1 / (weight * metric)
    d_loss = loss.prox_derivative(point.r + step * point.nu, step)
    d_penalty = penalty.prox_derivative(point.s + coefficient_step * point.t, coefficient_step)
    free, bent = d_penalty > 0, d_loss <= 0
    mobile = int(free.sum())
    if mobile == 0:
        return None
    curvature = np.where(bent, 0.0, (1 / np.where(bent, 1.0, d_loss) - 1) / step)
    stiffness = (1 / d_penalty[free] - 1) / coefficient_step
    mismatch = y - X @ point.s - point.r
    columns = X[:, free]
    rows = columns[bent]
    curved = curvature > 0
    scaled = (columns if curved.all() else columns[curved]) * np.sqrt(curvature[curved])[:, None]
    upper = scaled.T @ scaled
    upper[np.diag_indices(mobile)] += stiffness
    size = mobile + len(rows)
    matrix = np.zeros((size, size))
    matrix[:mobile, :mobile] = upper
    matrix[:mobile, mobile:] = -rows.T
    matrix[mobile:, :mobile] = rows
    slopes = np.where(bent, 0.0, point.nu + curvature * mismatch)
    right = np.concatenate([columns.T @ slopes - point.t[free], mismatch[bent]])
    solution = _solve(matrix, right, definite=len(rows) == 0)
    if solution is None:
        return None
    change = np.zeros_like(point.s)
    change[free] = solution[:mobile]
    s = point.s + change
    moved = mismatch - X @ change
    nu = np.where(bent, 0.0, point.nu + curvature * moved)
    nu[bent] = solution[mobile:]
    return Point(s, X.T @ nu, y - X @ s, nu)


def _solve(matrix: np.ndarray, right: np.ndarray, definite: bool) -> np.ndarray | None:
    """Solution of a system that may be singular: regularised, then refined towards the plain one.

    Without kinks of the loss the matrix is symmetric and `definite` (or singular), which Cholesky's factors use.
    """
    # Both diagonal blocks count with a plus sign: the matrix is positive semi-definite apart from a skew part.
    scale = float(np.mean(np.abs(matrix))) * np.sqrt(len(matrix)) or 1.0
    regular = matrix.copy()
    regular[np.diag_indices_from(regular)] += _REGULAR * scale
    factorise, solve = (linalg.cho_factor, linalg.cho_solve) if definite else (linalg.lu_factor, linalg.lu_solve)
    try:
        factor = factorise(regular, overwrite_a=True, check_finite=False)
    except (linalg.LinAlgError, ValueError):
        return None
    solution = solve(factor, right, check_finite=False)
    for _ in range(4):
        solution = solution + solve(factor, right - matrix @ solution, check_finite=False)
    return solution if np.all(np.isfinite(solution)) else None
