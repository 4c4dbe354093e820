r"""Coordinate descent for the square or Huber's loss with an l1 penalty: what finds the support fastest.

One coordinate after the other is moved to the minimum of ``|X_j|^2 (s - s_j)^2 / 2 - X_j.nu (s - s_j) + level |s|``, nu
the slopes of the loss at the residuals, which lies on or above the objective. Sweeps over all coordinates choose those
that sweeps over the non-zero ones then settle.

References
----------
.. [1] J. Friedman, T. Hastie, R. Tibshirani, J. Stat. Softw. 33, 1 (2010), section 2.6: active-set convergence.
.. [2] M. Massias, A. Gramfort, J. Salmon, ICML 2018 (celer): working sets.
"""

import numba
import numpy as np

_SETTLED = 0.1
"""Fall of the largest move after which the non-zero coordinates have settled for the time being."""
_INNER = 10
"""Most sweeps over the non-zero coordinates between two over all."""


class CoordinateDescent:
    """The state of the descent, from ``s = 0``.

    Attributes
    ----------
    s, residuals, slopes : arrays (features,), (samples,), (samples,)
        ``r = y - X s`` and ``nu = clip(r, -threshold, threshold)``, kept up to date.
    sweeps : int
        Sweeps made, over all coordinates or the non-zero ones.
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, threshold: float, level: float) -> None:
        self._columns = np.ascontiguousarray(X.T)
        self._curvatures = np.einsum("ij,ij->i", self._columns, self._columns)
        self._threshold, self._level = threshold, level
        self.s = np.zeros(X.shape[1])
        self.residuals, self.slopes = y.copy(), np.clip(y, -threshold, threshold)
        self.sweeps = 0

    def advance(self, limit: int) -> int:
        """One sweep over all coordinates and some over the non-zero ones; how many coordinates became or left zero."""
        before = self.s != 0
        first = self._sweep(np.flatnonzero(self._curvatures))
        after = self.s != 0
        move, kept = np.inf, np.flatnonzero(after)
        for _ in range(min(_INNER, limit - 1)):
            if move <= _SETTLED * first:
                break
            move = self._sweep(kept)
        return int(np.count_nonzero(before != after))

    def _sweep(self, coordinates: np.ndarray) -> float:
        self.sweeps += 1
        return _sweep(
            self._columns, self._curvatures, coordinates, self._threshold, self._level, self.s, self.residuals,
            self.slopes,
        )  # fmt: skip


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _sweep(columns, curvatures, coordinates, threshold, level, s, residuals, slopes):  # pragma: no cover
    """Move each coordinate once; the largest move in units of the predictions."""
    samples = residuals.size
    largest = 0.0
    for j in coordinates:
        column = columns[j]
        slope = 0.0
        for k in range(samples):
            slope += column[k] * slopes[k]
        target = curvatures[j] * s[j] + slope
        new = (target - level) / curvatures[j] if target > level else 0.0
        if target < -level:
            new = (target + level) / curvatures[j]
        move = new - s[j]
        if move == 0.0:
            continue
        s[j] = new
        for k in range(samples):
            residual = residuals[k] - move * column[k]
            residuals[k] = residual
            slopes[k] = min(max(residual, -threshold), threshold)
        largest = max(largest, abs(move) * np.sqrt(curvatures[j]))
    return largest
