"""Gardner's capacity for one margin or many, guarded against the margins for which the formula is only a bound."""

from typing import Any

import numpy as np

from replicon.core.errors import ParameterError
from replicon.core.precision import is_traced
from replicon.maths import perceptron
from replicon.maths.solution import Solution


def gardner_capacity(margin: Any = 0.0, *, allow_rs: bool = False) -> Solution:
    """Largest load at which a perceptron stores random labels with a margin: 2 at margin 0.

    Parameters
    ----------
    margin : float or array
        kappa, in units of the standard deviation of a random pattern's field.
    allow_rs : bool
        Accept a negative margin, where replica symmetry is broken and the value is only an upper bound; the status says
        so.

    Returns
    -------
    Solution
        alpha_c = ``1 / int_{-kappa}^inf Dt (t + kappa)^2``, samples per feature.

    Raises
    ------
    ParameterError
        For a negative margin without `allow_rs`, or one that is not finite.

    References
    ----------
    .. [1] E. Gardner, J. Phys. A 21, 257 (1988).
    """
    if not is_traced(margin):
        values = np.asarray(margin, dtype=float)
        if not np.isfinite(values).all():
            raise ParameterError(f"gardner_capacity: margin (κ) is {margin}; give finite numbers")
        if (values < 0).any() and not allow_rs:
            raise ParameterError(
                f"gardner_capacity: margin (κ) is {values.min():g}; below 0 replica symmetry is unstable and the "
                f"formula is only "
                "an upper bound: give a margin of at least 0, or allow_rs=True"
            )
    return perceptron.gardner_capacity(margin)
