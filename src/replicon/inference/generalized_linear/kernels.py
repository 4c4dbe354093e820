"""Dual coordinate descent for the hinge loss, one sample after the other."""

import numba
import numpy as np


@numba.njit(cache=True)
def dual_descent(
    features: np.ndarray, labels: np.ndarray, penalty: float, cap: float, tolerance: float, sweeps: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Multipliers in [0, cap], weights ``sum_i multiplier_i y_i x_i / penalty``, and sweeps needed (-1: not enough).

    Stops when no sample violates its optimality condition ``margin >= 1``, ``= 1`` or ``<= 1`` by more than
    `tolerance`. Samples at rest at a bound are visited again only once the others have settled.
    """
    samples, count = features.shape
    multipliers, weights = np.zeros(samples), np.zeros(count)
    squares = np.empty(samples)
    for i in range(samples):
        squares[i] = np.dot(features[i], features[i]) / penalty
    everything = True
    active = np.ones(samples, dtype=np.bool_)
    for sweep in range(sweeps):
        largest = 0.0
        for i in range(samples):
            if not (everything or active[i]):
                continue
            slack = 1.0 - labels[i] * np.dot(features[i], weights)
            old = multipliers[i]
            new = min(max(old + slack / squares[i], 0.0), cap)
            active[i] = 0.0 < new < cap
            change = new - old
            if change != 0.0:
                largest = max(largest, abs(change) * squares[i])
                multipliers[i] = new
                scale = change * labels[i] / penalty
                for j in range(count):
                    weights[j] += scale * features[i, j]
        if largest <= tolerance:
            if everything:
                return multipliers, weights, sweep + 1
            everything = True
        else:
            everything = sweep % 10 == 9
    return multipliers, weights, -1
