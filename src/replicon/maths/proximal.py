r"""Proximal operators of the losses and penalties of convex inference: one set for the whole library.

For a convex f and a step l > 0,

    prox(x)   = argmin_u f(u) + (u - x)^2 / (2 l),        Moreau envelope M(x) = min_u f(u) + (u - x)^2 / (2 l),
    M'(x)     = (x - prox(x)) / l,                        M''(x) = (1 - prox'(x)) / l.

========  =====================================  ==========================================
name      f(u)                                   `scale`
========  =====================================  ==========================================
none      0                                      not used
square    u^2 / 2                                not used
absolute  ``|u|``                                not used
huber     u^2 / 2 for ``|u| <= c``,              the threshold c > 0
          c ``|u|`` - c^2 / 2 beyond
ridge     g u^2 / 2                              the level g >= 0
lasso     g ``|u|``                              the level g >= 0
hinge     max(0, 1 - u)                          not used; u is the margin, label times field
logistic  log(1 + exp(-u))                       not used; u is the margin
========  =====================================  ==========================================

Every function works elementwise on NumPy arrays and numbers (and then returns NumPy) and on JAX arrays and tracers
(and then can be compiled, mapped and differentiated to any order; at a kink the derivative is one of the two sides).

References
----------
.. [1] N. Parikh, S. Boyd, Proximal algorithms, Found. Trends Optim. 1, 127 (2014).
.. [2] M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016), eqs. 12-14.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from replicon.core.errors import ParameterError

NAMES = ("none", "square", "absolute", "huber", "ridge", "lasso", "hinge", "logistic")

_NEWTON_STEPS = 60
"""Bound on the Newton steps of the logistic prox: log(step) + 6 are needed, so this is steps up to 1e20."""


def value(name: str, u: Any, scale: Any = 1.0) -> Any:
    """The function f(u) itself.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    u : array or number
        Residual, coefficient or margin.
    scale : array or number
        Threshold or level where the function has one (table above); broadcast with `u`.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        For an unknown name.
    """
    xp = _namespace(u, scale)
    if name in ("none", "square", "ridge"):
        return 0.5 * _curvature(name, scale) * u * u
    if name in ("absolute", "lasso"):
        return _slope(name, scale) * xp.abs(u)
    if name == "huber":
        inner = xp.clip(u, -scale, scale)
        return 0.5 * inner * inner + scale * (xp.abs(u) - xp.abs(inner))
    if name == "hinge":
        return xp.maximum(1.0 - u, 0.0)
    if name == "logistic":
        return xp.logaddexp(0.0, -u)
    raise _unknown(name)


def prox(name: str, x: Any, step: Any, scale: Any = 1.0) -> Any:
    """``argmin_u f(u) + (u - x)^2 / (2 step)``.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    x : array or number
    step : array or number
        Positive; broadcast with `x`.
    scale : array or number
        Threshold or level (table above); broadcast with `x`.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        For an unknown name.
    """
    xp = _namespace(x, step, scale)
    if name in ("none", "square", "ridge"):
        return x / (1.0 + step * _curvature(name, scale))
    if name in ("absolute", "lasso"):
        width = step * _slope(name, scale)
        return x - xp.clip(x, -width, width)
    if name == "huber":
        inner = xp.clip(x / (1.0 + step), -scale, scale)
        return x - step * inner
    if name == "hinge":
        return x + xp.clip(1.0 - x, 0.0, step)
    if name == "logistic":
        return _logistic_prox(1.0 * x, 1.0 * step) if xp is jnp else _logistic_newton(np, 1.0 * x, 1.0 * step)
    raise _unknown(name)


def prox_derivative(name: str, x: Any, step: Any, scale: Any = 1.0) -> Any:
    """Derivative of `prox` with respect to x, in [0, 1]; arguments as there."""
    xp = _namespace(x, step, scale)
    one = xp.ones_like(x * (step * scale))
    if name in ("none", "square", "ridge"):
        return one / (1.0 + step * _curvature(name, scale))
    if name in ("absolute", "lasso"):
        return one * (xp.abs(x) > step * _slope(name, scale))
    if name == "huber":
        return xp.where(xp.abs(x) <= scale * (1.0 + step), one / (1.0 + step), one)
    if name == "hinge":
        return one * ((x > 1.0) | (x < 1.0 - step))
    if name == "logistic":
        u = prox(name, x, step)
        return 1.0 / (1.0 + step * _sigmoid(xp, u) * _sigmoid(xp, -u))
    raise _unknown(name)


def moreau(name: str, x: Any, step: Any, scale: Any = 1.0) -> Any:
    """Moreau envelope ``min_u f(u) + (u - x)^2 / (2 step)``; arguments as in `prox`."""
    u = prox(name, x, step, scale)
    return value(name, u, scale) + (u - x) ** 2 / (2.0 * step)


def moreau_derivative(name: str, x: Any, step: Any, scale: Any = 1.0) -> Any:
    """First derivative of the Moreau envelope, ``(x - prox(x)) / step``; arguments as in `prox`.

    It is computed without the difference, so it keeps its digits for small steps.
    """
    xp = _namespace(x, step, scale)
    if name in ("none", "square", "ridge"):
        curvature = _curvature(name, scale)
        return x * curvature / (1.0 + step * curvature)
    if name in ("absolute", "lasso"):
        slope = _slope(name, scale)
        return xp.clip(x / step, -slope, slope)
    if name == "huber":
        return xp.clip(x / (1.0 + step), -scale, scale)
    if name == "hinge":
        return -xp.clip((1.0 - x) / step, 0.0, 1.0)
    if name == "logistic":
        return -_sigmoid(xp, -prox(name, x, step))
    raise _unknown(name)


def moreau_curvature(name: str, x: Any, step: Any, scale: Any = 1.0) -> Any:
    """Second derivative of the Moreau envelope, ``(1 - prox'(x)) / step``; arguments as in `prox`."""
    return (1.0 - prox_derivative(name, x, step, scale)) / step


def kinks(name: str, step: Any, scale: Any = 1.0) -> tuple[Any, ...]:
    """Values of x where `prox` has a kink, in increasing order: where a quadrature must be split."""
    if name in ("absolute", "lasso"):
        width = step * _slope(name, scale)
        return (-width, width)
    if name == "huber":
        width = scale * (1.0 + step)
        return (-width, width)
    if name == "hinge":
        return (1.0 - step, 1.0)
    if name in NAMES:
        return ()
    raise _unknown(name)


def _curvature(name: str, scale: Any) -> Any:
    return scale if name == "ridge" else float(name == "square")


def _slope(name: str, scale: Any) -> Any:
    return scale if name == "lasso" else 1.0


def _unknown(name: str) -> ParameterError:
    return ParameterError(f"there is no loss or penalty {name!r}; choose one of: {', '.join(NAMES)}")


def _namespace(*values: Any) -> Any:
    """jax.numpy where any value is a JAX array or tracer, else NumPy."""
    return jnp if any(isinstance(value, jax.Array) for value in values) else np


def _sigmoid(xp: Any, u: Any) -> Any:
    """1 / (1 + exp(-u)) with full relative accuracy on both sides."""
    decay = xp.exp(-xp.abs(u))
    return xp.where(u >= 0, 1.0, decay) / (1.0 + decay)


def _logistic_newton(xp: Any, x: Any, step: Any) -> Any:
    """Root u of u - x - step sigmoid(-u), which lies in (x, x + step).

    The function is increasing, convex for u < 0 and concave for u > 0. Started on the root's side of zero where
    function and curvature have the same sign, Newton's iterates approach it monotonically.
    """
    x, step = xp.broadcast_arrays(x, step)
    u = xp.where(x + 0.5 * step > 0, xp.maximum(x, 0.0), xp.minimum(x + step, 0.0))
    precision = 4 * np.finfo(u.dtype).eps

    def improve(u: Any) -> Any:
        right = _sigmoid(xp, -u)
        return u - (u - x - step * right) / (1.0 + step * right * (1.0 - right))

    if xp is np:
        for _ in range(_NEWTON_STEPS):
            previous, u = u, improve(u)
            if np.all(np.abs(u - previous) <= precision * (np.abs(u) + np.abs(x))):
                break
        return u

    def unfinished(state: tuple[Any, Any, Any]) -> Any:
        u, previous, count = state
        return (count < _NEWTON_STEPS) & jnp.any(jnp.abs(u - previous) > precision * (jnp.abs(u) + jnp.abs(x)))

    start = (improve(u), u, jnp.zeros((), jnp.int32))
    return lax.while_loop(unfinished, lambda state: (improve(state[0]), state[0], state[2] + 1), start)[0]


@jax.custom_jvp
def _logistic_prox(x: Any, step: Any) -> Any:
    return _logistic_newton(jnp, x, step)


@_logistic_prox.defjvp
def _logistic_prox_tangent(primals: Any, tangents: Any) -> Any:
    # The derivative is written with the root itself, so that it can be differentiated again.
    (x, step), (dx, dstep) = primals, tangents
    u = _logistic_prox(x, step)
    right = _sigmoid(jnp, -u)
    return u, (dx + right * dstep) / (1.0 + step * right * (1.0 - right))
