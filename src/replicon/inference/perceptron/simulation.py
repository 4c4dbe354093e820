"""The experiment: random labels of random points, a linear programme, and the hyperplane of largest margin."""

import numpy as np
from scipy.optimize import nnls

from replicon.inference.logistic.separation import is_separable


def draw(samples: int, size: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal points and fair +-1 labels."""
    return generator.standard_normal((samples, size)), 2.0 * generator.integers(0, 2, samples) - 1.0


def largest_margin(points: np.ndarray, labels: np.ndarray) -> float:
    """Largest ``min_i y_i w.x_i`` over unit vectors w, for separable labels.

    It is the distance of the origin from the convex hull of the points ``y_i x_i``: weights of the hull that must sum
    to one up to a square penalty of any strength point in the same direction, which is a non-negative least-squares
    problem.
    """
    signed = labels[:, None] * points
    hull = np.vstack([signed.T, np.ones(len(signed))])
    target = np.zeros(len(hull))
    target[-1] = 1.0
    shares, _ = nnls(hull, target, maxiter=50 * len(signed))
    direction = signed.T @ shares
    return float((signed @ direction).min() / np.linalg.norm(direction))


def store(points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Whether a hyperplane through the origin has all labels right and, if so, its largest margin."""
    if not is_separable(points, labels):
        return dict(separable=0.0)
    return dict(separable=1.0, largest_margin=largest_margin(points, labels))
