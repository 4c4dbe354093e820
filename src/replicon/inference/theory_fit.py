"""Estimate the parameters of a theory, a noise level or a sparsity say, from a measured curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import least_squares
from scipy.special import gammaincc

from replicon.core.errors import ConvergenceError, DataError, ParameterError
from replicon.core.parameters import Parameter
from replicon.core.system import System


@dataclass(frozen=True)
class TheoryFit:
    """Parameters of a theory that fit a curve.

    Attributes
    ----------
    parameters, standard_errors : dict
        By name; errors from the Jacobian of the theory at the fit.
    covariance : array (parameters, parameters)
        In the order of `parameters`.
    curve : array (points,)
        The fitted theory on the grid.
    chi_squared : float or None
        Sum of squared deviations in standard errors; None where no standard errors were given.
    degrees_of_freedom : int
        Points minus parameters.
    system : System
        The system at the fit.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    covariance: np.ndarray
    curve: np.ndarray
    chi_squared: float | None
    degrees_of_freedom: int
    system: System

    @property
    def p_value(self) -> float | None:
        """Probability of a larger chi-squared if the theory is right; None where that is unknown."""
        if self.chi_squared is None or self.degrees_of_freedom == 0:
            return None
        return float(gammaincc(self.degrees_of_freedom / 2, self.chi_squared / 2))


def fit_theory(
    system: System,
    along: str,
    grid: Any,
    measured: Any,
    free: Sequence[str],
    *,
    observable: str = "estimation_error",
    standard_errors: Any = None,
) -> TheoryFit:
    """Least-squares fit of a system's theory to one of its observables, measured along one of its parameters.

    The derivatives are those of the theory itself (implicit at its fixed point), so a handful of evaluations do.

    Parameters
    ----------
    system : System
        Whose theory can be traced. Its values are the start of the free parameters and the values of the others.
    along : str
        Parameter that was varied, such as "load".
    grid : array (points,)
        Its values.
    measured : array (points,)
    free : sequence of str
        Parameters to estimate; each stays inside its range.
    observable : str
        Scalar observable that was measured.
    standard_errors : array (points,), optional
        Of the measured values. Without them all points weigh alike, and their spread about the fit gives the errors.

    Returns
    -------
    TheoryFit

    Raises
    ------
    ParameterError
        For names that the system does not have, or parameters that are no numbers.
    DataError
        For data that do not fit, fewer points than parameters, or a curve that does not determine the parameters.
    ConvergenceError
        Where the theory has no prediction at a point, or the fit does not end.
    """
    known = type(system).parameters()
    names = list(free)
    for name in (along, *names):
        if name not in known or isinstance(system.values()[name], str):
            raise ParameterError(f"{type(system).__name__} has no number {name!r}; it has {', '.join(known)}")
    if not names or along in names or len(set(names)) < len(names):
        raise ParameterError(f"free is {names}; name at least one parameter, each once, and not {along!r}")
    places, values = (np.array(a, dtype=float) for a in (grid, measured))
    if places.ndim != 1 or values.shape != places.shape or not np.all(np.isfinite(places) & np.isfinite(values)):
        raise DataError(f"grid and measured must be finite, of one length; got shapes {places.shape}, {values.shape}")
    if len(values) < len(names):
        raise DataError(f"{len(values)} points do not determine {len(names)} parameters")
    weights = np.ones_like(values)
    if standard_errors is not None:
        errors = np.broadcast_to(np.asarray(standard_errors, dtype=float), values.shape)
        if not np.all((errors > 0) & np.isfinite(errors)):
            raise DataError("standard_errors must be positive and finite")
        weights = 1 / errors
    ranges = [known[name] for name in names]
    start = [float(system.values()[name]) for name in names]
    fixed = {name: value for name, value in system.values().items() if name not in (along, *names)}

    def curve(inner: Array) -> Array:
        found = {name: _outer(info, inner[k]) for k, (name, info) in enumerate(zip(names, ranges, strict=True))}

        def point(place: Array) -> Array:
            return getattr(type(system).make(**fixed, **found, **{along: place}).theory(), observable)

        return jax.vmap(point)(jnp.asarray(places))

    with jax.enable_x64(True):
        evaluate = jax.jit(lambda inner: (curve(inner), jax.jacfwd(curve)(inner)))
        cache: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

        def both(inner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            key = inner.tobytes()
            if key not in cache:
                found, slope = (np.asarray(a) for a in evaluate(jnp.asarray(inner)))
                if not (np.all(np.isfinite(found)) and np.all(np.isfinite(slope))):
                    bad = places[~np.isfinite(found)]
                    raise ConvergenceError(
                        f"{type(system).__name__} has no prediction of {observable} at {along} = {bad}"
                    )
                cache[key] = found, slope
            return cache[key]

        inside = np.array([_inner(info, value) for info, value in zip(ranges, start, strict=True)])
        result = least_squares(
            lambda inner: weights * (both(inner)[0] - values),
            inside,
            jac=lambda inner: weights[:, None] * both(inner)[1],  # type: ignore[arg-type]
            x_scale="jac",
            xtol=1e-12,
            ftol=1e-14,
            gtol=1e-12,
        )
        fitted, jacobian = both(result.x)
        outer = np.array([float(_outer(info, jnp.asarray(x))) for info, x in zip(ranges, result.x, strict=True)])
        stretch = np.array(
            [float(jax.grad(lambda x, info=info: _outer(info, x))(x)) for info, x in zip(ranges, result.x, strict=True)]
        )
    if not result.success:
        raise ConvergenceError(f"the fit did not end: {result.message}")
    weighted = weights[:, None] * jacobian
    if np.linalg.matrix_rank(weighted, tol=1e-8 * np.linalg.norm(weighted)) < len(names):
        raise DataError(f"the curve does not determine {', '.join(names)} separately; free fewer, or measure more")
    spare = len(values) - len(names)
    total = float(np.sum((weights * (fitted - values)) ** 2))
    covariance = np.linalg.inv(weighted.T @ weighted) * np.outer(stretch, stretch)
    if standard_errors is None:
        covariance = covariance * (total / spare if spare else np.nan)
    parameters = dict(zip(names, outer.tolist(), strict=True))
    return TheoryFit(
        parameters=parameters,
        standard_errors=dict(zip(names, np.sqrt(np.diag(covariance)).tolist(), strict=True)),
        covariance=covariance,
        curve=fitted,
        chi_squared=None if standard_errors is None else total,
        degrees_of_freedom=spare,
        system=_make(system, fixed | parameters | {along: float(places[0])}),
    )


def _make(system: System, values: Mapping[str, Any]) -> System:
    return type(system).make(**values)


def _outer(info: Parameter, inner: Array) -> Array:
    """A parameter inside its range from a number of the whole line."""
    low, high = info.low, info.high
    if low is not None and high is not None and np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * jax.nn.sigmoid(inner)
    if low is not None and np.isfinite(low):
        return low + jnp.exp(inner)
    if high is not None and np.isfinite(high):
        return high - jnp.exp(inner)
    return inner


def _inner(info: Parameter, value: float) -> float:
    low, high = info.low, info.high
    if low is not None and high is not None and np.isfinite(low) and np.isfinite(high):
        share = np.clip((value - low) / (high - low), 1e-6, 1 - 1e-6)
        return float(np.log(share / (1 - share)))
    if low is not None and np.isfinite(low):
        return float(np.log(max(value - low, 1e-12)))
    if high is not None and np.isfinite(high):
        return float(np.log(max(high - value, 1e-12)))
    return value
