r"""Augmented Lagrangian with semismooth Newton steps: the finish of problems on which first-order steps crawl.

With slopes nu of the loss and t of the penalty as multipliers one step minimises over s

``Psi(s) = sum M_l[rho](y - X s + l nu) + sum M_l'[sigma](s + l' t) + (eps/2) |s - s_before|^2``

with Moreau envelopes M, and then takes their derivatives as the new nu and t. Psi is smooth, and for functions made of
lines and parabolas it is piecewise quadratic, so that Newton's method ends; linear programs are solved exactly.

References
----------
.. [1] R. T. Rockafellar, Math. Oper. Res. 1, 97 (1976): proximal method of multipliers.
.. [2] X. Li, D. Sun, K.-C. Toh, SIAM J. Optim. 28, 433 (2018): its subproblems by semismooth Newton steps.
"""

import numpy as np
from scipy import linalg

from replicon.inference.algorithms.functions import ConvexFunction
from replicon.inference.algorithms.polish import Point

_NEWTON_STEPS = 40


class Subproblem:
    """One minimisation over s, at fixed multipliers and weight."""

    def __init__(
        self,
        X: np.ndarray,
        y: np.ndarray,
        loss: ConvexFunction,
        penalty: ConvexFunction,
        point: Point,
        start: np.ndarray,
        weight: float,
        metric: float,
        proximal: float,
    ) -> None:
        self.X, self.loss, self.penalty = X, loss, penalty
        self.loss_step, self.penalty_step = 1 / weight, 1 / (weight * metric)
        self.proximal = proximal
        self.shifted, self.shift = y + self.loss_step * point.nu, self.penalty_step * point.t
        self.start = start

    def inputs(self, s: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Arguments of the two envelopes."""
        return self.shifted - prediction, s + self.shift

    def point(self, s: np.ndarray, prediction: np.ndarray) -> Point:
        """Positions and slopes that belong to s: the proximal points and the envelopes' derivatives."""
        v, w = self.inputs(s, prediction)
        r, inner = self.loss.prox(v, self.loss_step), self.penalty.prox(w, self.penalty_step)
        return Point(inner, (w - inner) / self.penalty_step, r, (v - r) / self.loss_step)

    def value(self, s: np.ndarray, prediction: np.ndarray) -> float:
        """Psi(s)."""
        v, w = self.inputs(s, prediction)
        r, inner = self.loss.prox(v, self.loss_step), self.penalty.prox(w, self.penalty_step)
        loss = self.loss.value(r).sum() + ((v - r) ** 2).sum() / (2 * self.loss_step)
        penalty = self.penalty.value(inner).sum() + ((w - inner) ** 2).sum() / (2 * self.penalty_step)
        return float(loss + penalty + 0.5 * self.proximal * ((s - self.start) ** 2).sum())

    def gradient(self, s: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """Derivative of Psi."""
        point = self.point(s, prediction)
        return point.t - self.X.T @ point.nu + self.proximal * (s - self.start)

    def direction(self, s: np.ndarray, prediction: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Newton step with the generalised Hessian."""
        v, w = self.inputs(s, prediction)
        curvature = (1 - self.loss.prox_derivative(v, self.loss_step)) / self.loss_step
        rows = self.X[curvature > 0] * np.sqrt(curvature[curvature > 0])[:, None]
        diagonal = (1 - self.penalty.prox_derivative(w, self.penalty_step)) / self.penalty_step + self.proximal
        if len(rows) < len(s):
            # Woodbury's identity: the dense system has as many unknowns as there are curved residuals.
            scaled = rows / diagonal
            inner = scaled @ rows.T
            inner[np.diag_indices_from(inner)] += 1.0
            factor = linalg.cho_factor(inner, overwrite_a=True, check_finite=False)
            return -(gradient / diagonal - scaled.T @ linalg.cho_solve(factor, scaled @ gradient, check_finite=False))
        hessian = rows.T @ rows
        hessian[np.diag_indices_from(hessian)] += diagonal
        return -linalg.cho_solve(
            linalg.cho_factor(hessian, overwrite_a=True, check_finite=False), gradient, check_finite=False
        )

    def minimize(self, tolerance: float) -> tuple[Point, np.ndarray, int]:
        """Minimise Psi from the start; point, s and the number of Newton steps taken."""
        s = self.start
        prediction = self.X @ s
        for count in range(_NEWTON_STEPS):
            gradient = self.gradient(s, prediction)
            if np.linalg.norm(gradient) <= tolerance:
                return self.point(s, prediction), s, count
            step = self.direction(s, prediction, gradient)
            change, slope, here = self.X @ step, float(gradient @ step), self.value(s, prediction)
            length = 1.0
            while length > 1e-6 and self.value(s + length * step, prediction + length * change) > (
                here + 1e-4 * length * slope + 1e-13 * abs(here)
            ):
                length /= 2
            s, prediction = s + length * step, prediction + length * change
        return self.point(s, prediction), s, _NEWTON_STEPS
