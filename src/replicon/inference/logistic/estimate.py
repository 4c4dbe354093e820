"""Single points of the theory of logistic regression, with an error where there is no estimate."""

from typing import Any

import numpy as np

from replicon.core.errors import ParameterError
from replicon.core.precision import is_traced
from replicon.inference.logistic import theory
from replicon.inference.logistic.errors import MLEDoesNotExistError
from replicon.maths.solution import Solution


def sur_candes(aspect: Any, signal_strength: Any) -> Solution:
    """Bias, spread and step of unregularised logistic regression with many features.

    ``beta_hat_j`` is distributed as ``N(bias beta_j, spread^2)``, and twice the log-likelihood ratio of a null
    coefficient as ``likelihood_ratio_factor`` times chi-squared with one degree of freedom.

    Parameters
    ----------
    aspect : float or array
        kappa = features / samples, in (0, 1).
    signal_strength : float or array
        gamma >= 0, the standard deviation of ``x.beta``; features have variance 1 / samples.

    Returns
    -------
    Solution
        `values`: dict of `bias` (a), `spread` (s), `step` (l), `likelihood_ratio_factor` (kappa s^2 / l),
        `test_error_01`, `train_loss`, `threshold` (h) and `residual`.

    Raises
    ------
    MLEDoesNotExistError
        At a single point with ``aspect >= h(signal_strength)``; in grids that point is nan with its status.
    ParameterError
        For an aspect outside (0, 1) or a negative signal strength.

    References
    ----------
    .. [1] P. Sur, E. J. Candes, PNAS 116, 14516 (2019), eq. 5.
    """
    traced = is_traced((aspect, signal_strength))
    if not traced:
        for name, given, inside in (
            ("aspect (κ)", aspect, lambda v: (v > 0) & (v < 1)),
            ("signal_strength (γ)", signal_strength, lambda v: (v >= 0) & (v < np.inf)),
        ):
            values = np.asarray(given, dtype=float)
            if not inside(values).all():
                bad = values[~inside(values)].flat[0]
                allowed = "(0, 1)" if name.startswith("aspect") else "[0, inf)"
                raise ParameterError(f"sur_candes: {name} is {bad:g}; give a value in {allowed}")
    solution = theory.sur_candes_grid(aspect, signal_strength)
    if not traced and np.ndim(solution.status) == 0 and int(solution.status) & theory.NO_ESTIMATE:
        raise MLEDoesNotExistError(
            f"sur_candes: at aspect κ = {aspect:g} and signal strength γ = {signal_strength:g} the maximum-likelihood "
            f"estimate does not exist: κ must be below h(γ) = {solution.values['threshold']:.6g}; give more samples "
            f"per "
            "feature, or a penalty (inference.generalized_linear)"
        )
    return solution
