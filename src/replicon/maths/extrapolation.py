"""Extrapolation of finite-size measurements to infinite size."""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar


class Extrapolation(NamedTuple):
    """Weighted least-squares fit of a + b N**-gamma.

    Attributes
    ----------
    intercept, intercept_error : float
        a, the value at infinite size, and its standard error.
    slope, slope_error : float
        b.
    exponent : float
        gamma, given or fitted.
    chi_square : float
        Sum of squared normalised residuals.
    degrees_of_freedom : int
        Points less fitted numbers; 0 means that the fit is exact and says nothing about the form.
    """

    intercept: float
    intercept_error: float
    slope: float
    slope_error: float
    exponent: float
    chi_square: float
    degrees_of_freedom: int


def extrapolate(sizes, values, errors, exponent: float | None = 1.0) -> Extrapolation:
    """Fit ``values = a + b sizes**-exponent`` with weights 1 / errors**2.

    Parameters
    ----------
    sizes, values, errors : array_like (points,)
        System sizes, measured means and their standard errors. Points without error bar (nan or 0) do not take
        part unless all are such.
    exponent : float or None
        The exponent of the leading correction; None fits it in [0.1, 3], which takes four points or more.

    Returns
    -------
    Extrapolation
        nan where there are fewer than two usable points.
    """
    sizes, values, errors = (np.asarray(part, dtype=float) for part in (sizes, values, errors))
    usable = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    if not usable.any():
        usable, errors = np.isfinite(values), np.ones_like(values)
    sizes, values, errors = sizes[usable], values[usable], errors[usable]
    if exponent is None and len(sizes) >= 4:
        best: Any = minimize_scalar(
            lambda g: _fit(sizes, values, errors, g).chi_square, bounds=(0.1, 3.0), method="bounded"
        )
        fit = _fit(sizes, values, errors, float(best.x))
        return fit._replace(degrees_of_freedom=fit.degrees_of_freedom - 1)
    return _fit(sizes, values, errors, 1.0 if exponent is None else exponent)


def _fit(sizes: np.ndarray, values: np.ndarray, errors: np.ndarray, exponent: float) -> Extrapolation:
    if len(sizes) < 2:
        return Extrapolation(np.nan, np.nan, np.nan, np.nan, exponent, np.nan, 0)
    design = np.stack([np.ones_like(sizes), sizes**-exponent], axis=1) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    (intercept, slope) = covariance @ design.T @ (values / errors)
    chi_square = float(np.sum((values / errors - design @ [intercept, slope]) ** 2))
    intercept_error, slope_error = np.sqrt(np.diag(covariance))
    return Extrapolation(
        float(intercept), float(intercept_error), float(slope), float(slope_error), exponent, chi_square, len(sizes) - 2
    )
