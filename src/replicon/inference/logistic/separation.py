"""Whether a hyperplane through the origin separates two classes: a linear programme."""

import numpy as np
from scipy.optimize import linprog

from replicon.core.errors import ConvergenceError

SMALLEST_MARGIN = 1e-6
"""Margins below this, for samples of unit entries and weights up to one, are zero to the solver's accuracy."""


def is_separable(features: np.ndarray, labels: np.ndarray) -> bool:
    """Whether some w has ``y_i w.x_i > 0`` for all samples, decided by the HiGHS solver.

    The programme maximises the margin t of weights within [-1, 1], so it always has a solution: a plain question of
    feasibility is left undecided by the solver close to the transition.

    Parameters
    ----------
    features : array (samples, features)
    labels : array (samples,)
        +-1.

    Returns
    -------
    bool

    Raises
    ------
    ConvergenceError
        When the solver does not finish.
    """
    signed = labels[:, None] * features
    signed = signed / np.sqrt(np.mean(signed**2))
    samples, count = signed.shape
    objective = np.zeros(count + 1)
    objective[-1] = -1.0
    constraints = np.hstack([-signed, np.ones((samples, 1))])
    bounds = [(-1.0, 1.0)] * count + [(0.0, 1.0)]
    found = linprog(objective, A_ub=constraints, b_ub=np.zeros(samples), bounds=bounds, method="highs")
    if found.status != 0:
        raise ConvergenceError(f"is_separable: the linear programme was left undecided ({found.message})")
    return bool(-found.fun > SMALLEST_MARGIN)
