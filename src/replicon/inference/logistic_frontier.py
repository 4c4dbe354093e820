"""Where the logistic estimate ceases to exist, and what that place tells of the signal (ProbeFrontier).

References
----------
.. [1] E. J. Candes, P. Sur, Ann. Stat. 48, 27 (2020), arXiv:1804.09753, theorem 2.1: the frontier with an intercept.
.. [2] P. Sur, E. J. Candes, PNAS 116, 14516 (2019), arXiv:1803.06964: ProbeFrontier.
"""

from typing import Any

import numpy as np
from scipy.optimize import brentq, linprog, minimize
from scipy.special import expit, ndtr

from replicon.core.errors import ConvergenceError
from replicon.inference.logistic.newton import LogisticFit, fit_logistic
from replicon.inference.logistic.theory import mle_threshold

CERTAIN_FIELD = 18.0
"""With all fields smaller than this and a gradient of 1e-9 no separating direction is left: it would pull harder."""

ORDERS = 10
"""Orders in which the samples are added one by one until they are no longer separable."""

_X = np.linspace(-8.0, 8.0, 321)
_PHI = np.exp(-0.5 * _X**2) / np.exp(-0.5 * _X**2).sum()


def maximise(design: np.ndarray, labels: np.ndarray) -> LogisticFit | None:
    """Fit at the maximum of the likelihood, None where there is no maximum.

    Parameters
    ----------
    design : array (samples, columns)
    labels : array (samples,)
        +-1.
    """
    samples, columns = design.shape
    if samples <= columns and np.linalg.matrix_rank(design) == samples:
        return None
    found = fit_logistic(design, labels, tolerance=1e-10 * np.sqrt(columns * samples), iterations=60)
    fields = labels * (design @ found.weights)
    if fields.min() > 0:
        return None
    if not found.converged or np.abs(fields).max() > CERTAIN_FIELD:
        return None if separates(design, labels) else found
    return found


def separates(design: np.ndarray, labels: np.ndarray) -> bool:
    """Whether some weights put no sample on the wrong side and some on the right one; only then there is no maximum.

    Samples may lie on the hyperplane, unlike for `replicon.inference.logistic.is_separable`: one empty cell of a table
    is enough.

    Parameters
    ----------
    design : array (samples, columns)
    labels : array (samples,)
        +-1.

    Returns
    -------
    bool

    Raises
    ------
    ConvergenceError
        When the linear programme was left undecided.
    """
    signed = labels[:, None] * design
    found = linprog(-signed.mean(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1.0, 1.0), method="highs")
    if found.status != 0:
        raise ConvergenceError(f"separability was left undecided ({found.message})")
    return bool(-found.fun > 1e-9)


def strongest_signal(aspect: float) -> float:
    """Signal strength gamma with ``h(gamma) = aspect``: at a stronger signal the estimate does not exist.

    Parameters
    ----------
    aspect : float
        features / samples, in (0, 1/2).

    Returns
    -------
    float
    """
    high = 1.0
    while float(mle_threshold(high)) > aspect:
        high *= 2
    place: Any = brentq(lambda gamma: float(mle_threshold(gamma)) - aspect, 0.0, high, xtol=1e-6)
    return float(place)


def frontier(signal_strength: float, share: float) -> float:
    """Largest columns / samples at which the estimate exists, with an intercept.

    ``h = min_{s, t} E[(Z - s Y - t Y X)_+^2]`` for ``P(Y = 1 | X) = sigmoid(c + gamma X)``.

    Parameters
    ----------
    signal_strength : float
        gamma >= 0.
    share : float
        P(Y = 1), in (0, 1), which fixes the constant c.

    Returns
    -------
    float
    """

    def imbalance(constant: float) -> float:
        return float(_PHI @ expit(constant + signal_strength * _X)) - share

    reach = 40.0 * (1 + signal_strength)
    constant: Any = brentq(imbalance, -reach, reach)
    one = expit(constant + signal_strength * _X)

    def average(point: np.ndarray) -> tuple[float, np.ndarray]:
        field = point[0] + point[1] * _X
        total, slope = 0.0, np.zeros(2)
        # E[(Z - u)_+^2] = (1 + u^2) Phi(-u) - u phi(u), of slope 2 (u Phi(-u) - phi(u)).
        for label, chance in ((1.0, one), (-1.0, 1 - one)):
            u = label * field
            density, tail = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi), ndtr(-u)
            weight = _PHI * chance
            total += float(weight @ ((1 + u**2) * tail - u * density))
            bend = weight * 2 * label * (u * tail - density)
            slope += np.array([bend.sum(), bend @ _X])
        return total, slope

    return float(minimize(average, np.zeros(2), jac=True, method="BFGS", options=dict(gtol=1e-9)).fun)


def probe_frontier(design: np.ndarray, labels: np.ndarray, intercept: bool, seed: int = 0) -> float:
    """Signal strength from the number of samples at which the classes cease to be separable.

    In each of `ORDERS` random orders the samples are added until the estimate exists, a place found by bisection. The
    mean of columns / samples there is the frontier h, which is inverted.

    Parameters
    ----------
    design : array (samples, columns)
        All samples together have an estimate; with a last column of ones where there is an intercept.
    labels : array (samples,)
        +-1.
    intercept : bool
    seed : int
        Of the orders: the same data give the same answer.

    Returns
    -------
    float
        gamma; 0 where the classes mix as soon as they would without signal.
    """
    samples, columns = design.shape
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(ORDERS):
        order = rng.permutation(samples)
        low, high = min(columns, samples - 1), samples
        while high - low > 1 + samples // 500:
            middle = (low + high) // 2
            first = order[:middle]
            low, high = (middle, high) if maximise(design[first], labels[first]) is None else (low, middle)
        found.append(columns / high)
    place = float(np.mean(found))
    if not intercept:
        return 0.0 if place >= 0.5 else strongest_signal(place)
    share = float(np.mean(labels > 0))
    if frontier(0.0, share) <= place:
        return 0.0
    high = 1.0
    while frontier(high, share) > place:
        high *= 2
    strength: Any = brentq(lambda gamma: frontier(gamma, share) - place, 0.0, high, xtol=1e-6)
    return float(strength)
