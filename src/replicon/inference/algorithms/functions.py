r"""Convex functions of one variable, as the algorithms use them: named ones, and tables of a subgradient.

Losses are functions of a residual, penalties of a coefficient; an estimate minimises the sum of both, without 1/n.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.maths import proximal

LOSSES = ("square", "absolute", "huber")
PENALTIES = ("none", "ridge", "lasso")

_ROUNDING = 1e-9
"""How far, relative to the bound, a slope may lie outside the domain of a conjugate and count as on its edge."""


@runtime_checkable
class ConvexFunction(Protocol):
    """A convex function f with minimum at 0, elementwise on float64 arrays. Any object with these members serves.

    Attributes
    ----------
    steepest : float
        Largest slope ``|f'|`` that occurs; ``inf`` where the slope is unbounded, 0 for f = 0.
    """

    @property
    def steepest(self) -> float:
        """Largest slope."""
        ...

    def value(self, u: np.ndarray) -> np.ndarray:
        """f(u)."""
        ...

    def prox(self, x: np.ndarray, step: float) -> np.ndarray:
        """``argmin_u f(u) + (u - x)^2 / (2 step)``."""
        ...

    def prox_derivative(self, x: np.ndarray, step: float) -> np.ndarray:
        """Derivative of `prox` in x; exactly 0 where f has a kink at the prox."""
        ...

    def conjugate(self, slope: np.ndarray) -> np.ndarray:
        """``max_u slope u - f(u)``, ``inf`` outside the slopes that occur."""
        ...


@dataclass(frozen=True)
class NamedFunction:
    """One of the functions of `replicon.maths.proximal` that are convex with minimum at 0."""

    name: str
    scale: float = 1.0

    @property
    def steepest(self) -> float:
        """Largest slope."""
        if self.name == "none" or (self.name in ("ridge", "lasso") and self.scale == 0):
            return 0.0
        return {"absolute": 1.0, "lasso": self.scale, "huber": self.scale}.get(self.name, np.inf)

    def value(self, u: np.ndarray) -> np.ndarray:
        """f(u)."""
        return proximal.value(self.name, u, self.scale)

    def prox(self, x: np.ndarray, step: float) -> np.ndarray:
        """``argmin_u f(u) + (u - x)^2 / (2 step)``."""
        return proximal.prox(self.name, x, step, self.scale)

    def prox_derivative(self, x: np.ndarray, step: float) -> np.ndarray:
        """Derivative of `prox` in x."""
        return proximal.prox_derivative(self.name, x, step, self.scale)

    def conjugate(self, slope: np.ndarray) -> np.ndarray:
        """``max_u slope u - f(u)``: a parabola, cut at the largest slope."""
        bound = self.steepest
        curvature = {"square": 1.0, "huber": 1.0, "ridge": self.scale}.get(self.name, np.inf)
        inside = np.abs(slope) <= bound * (1 + _ROUNDING)
        return np.where(inside, slope * slope / (2 * curvature) if bound > 0 else 0.0, np.inf)


class TabulatedFunction:
    """The convex function whose subgradient is the polyline through (position, slope).

    Both columns must not decrease; a repeated position is a kink, a repeated slope a flat piece. Beyond the table the
    polyline goes on straight. Every operation is exact for this function: the value is the trapezoid sum, and since
    ``x = u + step f'(u)`` is again piecewise linear along the table, so is the proximal operator.

    Parameters
    ----------
    position, slope : arrays (points,)
        u in increasing order and f'(u); the slope must change its sign within the table.

    Raises
    ------
    DataError
        For columns that differ in length, are not finite, decrease (f would not be convex) or have no minimum.
    """

    def __init__(self, position: Any, slope: Any) -> None:
        u, g = np.array(position, dtype=np.float64), np.array(slope, dtype=np.float64)
        if u.ndim != 1 or u.shape != g.shape or u.size < 2:
            raise DataError(f"a table needs two columns of one length, at least 2; got {u.shape} and {g.shape}")
        if not (np.all(np.isfinite(u)) and np.all(np.isfinite(g))):
            raise DataError("a table of a function must be finite; found nan or inf")
        du, dg = np.diff(u), np.diff(g)
        if np.any(du < 0) or np.any(dg < -1e-12 * np.ptp(g)):
            raise DataError("positions and slopes of a table must not decrease: the function would not be convex")
        if not g[0] <= 0 <= g[-1]:
            raise DataError(f"the slope of a table must change its sign; it goes from {g[0]:g} to {g[-1]:g}")
        g = np.maximum.accumulate(g)
        kept = np.append(True, (np.diff(u) > 0) | (np.diff(g) > 0))
        self._u, self._g = u[kept], g[kept]
        pieces = np.diff(self._u) * 0.5 * (self._g[1:] + self._g[:-1])
        values = np.append(0.0, np.cumsum(pieces))
        origin = np.interp(0.0, self._g, self._u)
        self._f = values - self._inside(origin, values)

    @property
    def steepest(self) -> float:
        """Smaller of the two largest slopes of the table: up to it the conjugate is known."""
        return float(min(-self._g[0], self._g[-1]))

    def value(self, u: np.ndarray) -> np.ndarray:
        """f(u), zero at its minimum."""
        return self._inside(np.asarray(u, dtype=np.float64), self._f)

    def prox(self, x: np.ndarray, step: float) -> np.ndarray:
        """``argmin_u f(u) + (u - x)^2 / (2 step)``."""
        k, x0, width = self._piece(self._u + step * self._g, x)
        return self._u[k] + (x - x0) * (self._u[k + 1] - self._u[k]) / width

    def prox_derivative(self, x: np.ndarray, step: float) -> np.ndarray:
        """Derivative of `prox` in x."""
        k, _, width = self._piece(self._u + step * self._g, x)
        return (self._u[k + 1] - self._u[k]) / width

    def conjugate(self, slope: np.ndarray) -> np.ndarray:
        """``max_u slope u - f(u)``, ``inf`` beyond the slopes of the table."""
        u = np.interp(slope, self._g, self._u)
        inside = (slope >= self._g[0] * (1 + _ROUNDING)) & (slope <= self._g[-1] * (1 + _ROUNDING))
        return np.where(inside, slope * u - self.value(u), np.inf)

    def _piece(self, x_table: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        k = np.clip(np.searchsorted(x_table, x, side="right") - 1, 0, len(x_table) - 2)
        return k, x_table[k], x_table[k + 1] - x_table[k]

    def _inside(self, u: Any, values: np.ndarray) -> Any:
        k = np.clip(np.searchsorted(self._u, u, side="right") - 1, 0, len(self._u) - 2)
        # A kink at the very end leaves a last piece of width zero: the slope goes on constant there.
        width = self._u[k + 1] - self._u[k]
        rate = np.where(width > 0, (self._g[k + 1] - self._g[k]) / np.where(width > 0, width, 1.0), 0.0)
        distance = u - self._u[k]
        return values[k] + distance * (self._g[k] + 0.5 * rate * distance)


def as_loss(loss: Any, scale: float = 1.0) -> ConvexFunction:
    """A loss by name (square, absolute, or huber with its threshold `scale`), or the given function itself.

    Raises
    ------
    ParameterError
        For an unknown name or a threshold that is not positive and finite.
    """
    return _named(loss, "loss", LOSSES, scale, positive=loss == "huber")


def as_penalty(penalty: Any, level: float = 0.0) -> ConvexFunction:
    """A penalty by name (none, ridge ``level s^2 / 2``, lasso ``level |s|``), or the given function itself.

    Raises
    ------
    ParameterError
        For an unknown name or a level that is negative or not finite.
    """
    return _named(penalty, "penalty", PENALTIES, level, positive=False)


def _named(given: Any, what: str, names: tuple[str, ...], scale: float, positive: bool) -> ConvexFunction:
    if not isinstance(given, str):
        if isinstance(given, ConvexFunction):
            return given
        raise ParameterError(f"{what} is {given!r}; give one of {', '.join(names)} or a convex function with its prox")
    if given not in names:
        raise ParameterError(f"{what} is {given!r}; choose one of: {', '.join(names)}, or give a convex function")
    scale = float(scale)
    if not (0 <= scale < np.inf) or (positive and scale == 0):
        word = "loss_scale" if what == "loss" else "penalty_level"
        raise ParameterError(f"{word} is {scale}; give a {'positive' if positive else 'non-negative'} finite number")
    return NamedFunction(given, scale)
