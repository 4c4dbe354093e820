"""Parameters of a system: symbol, unit, range and default, checked at construction."""

import difflib
import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import numpy as np
from jax.core import Tracer

from replicon.core.errors import ParameterError


@dataclass(frozen=True)
class Parameter:
    """What is known of one parameter.

    Attributes
    ----------
    symbol, unit, doc : str
        As in the literature; unit "1" is dimensionless.
    low, high : float
        Ends of the allowed range, each excluded when `open_low` or `open_high`.
    static : bool
        Fixes shapes or chooses equations: never traced, part of the compiled function's key.
    choices : tuple of str or None
        The allowed values of a parameter that is a word.
    """

    symbol: str
    unit: str
    low: float
    high: float
    open_low: bool
    open_high: bool
    static: bool
    choices: tuple[str, ...] | None
    doc: str

    @property
    def range(self) -> str:
        """The allowed values in words, ``(0, 2]`` or ``auto, retrieval``."""
        if self.choices is not None:
            return ", ".join(self.choices)
        left = "(" if self.open_low or math.isinf(self.low) else "["
        right = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Whether each value is in range; written in the positive form, so that nan is not."""
        above = values > self.low if self.open_low else values >= self.low
        below = values < self.high if self.open_high else values <= self.high
        return above & below


def parameter(
    default: Any,
    *,
    symbol: str,
    doc: str,
    unit: str = "1",
    low: float = -math.inf,
    high: float = math.inf,
    open: str = "",
    static: bool = False,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare a parameter of a `System`.

    Parameters
    ----------
    default : float, int or str
        A word or a whole number makes sense only with ``static=True`` (implied by `choices`).
    symbol, doc, unit : str
        The letter of the literature, one line, and the unit ("1": dimensionless).
    low, high : float
        The allowed range; infinite ends are always excluded.
    open : str
        "l", "h" or "lh": which ends of the range are excluded.
    static : bool
        True for what fixes shapes or chooses equations.
    choices : tuple of str, optional
        The allowed words.
    """
    static = static or choices is not None
    open_low, open_high = "l" in open or math.isinf(low), "h" in open or math.isinf(high)
    info = Parameter(symbol, unit, low, high, open_low, open_high, static, choices, doc)
    converter = _as_static if static else _as_number
    return eqx.field(default=default, static=static, converter=converter, metadata={"replicon": info})


def _as_number(value: Any) -> Any:
    """Python float or float64 array; what is no number passes unchanged and fails the check, which knows its name."""
    if isinstance(value, (bool, np.bool_, str, Tracer)):
        return value
    try:
        array = np.array(value)
    except ValueError:
        return value
    if array.dtype.kind not in "iuf":
        return value
    array = array.astype(np.float64)
    return array.item() if array.ndim == 0 else array


def _as_static(value: Any) -> Any:
    """Whole numbers as int, words as they are; True and False are the words yes and no."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def parameters_of(system: Any) -> dict[str, Parameter]:
    """Name and description of each parameter of a system or system class, in order of declaration."""
    return {
        name: field.metadata["replicon"]
        for name, field in system.__dataclass_fields__.items()
        if "replicon" in field.metadata
    }


def check_parameter(name: str, info: Parameter, value: Any, owner: str) -> None:
    """Raise `ParameterError` naming parameter, value, range and remedy unless the value is allowed."""
    if isinstance(value, Tracer):
        return
    title = f"{owner}: {name} ({info.symbol})"
    if info.choices is not None:
        if value not in info.choices:
            raise ParameterError(f"{title} is {value!r}{_nearest(value, info.choices)}; choose one of: {info.range}")
        return
    if info.static and (isinstance(value, bool) or not isinstance(value, int)):
        raise ParameterError(f"{title} is {value!r}; give a whole number in {info.range}")
    if not isinstance(value, (int, float, np.ndarray)) or isinstance(value, bool):
        raise ParameterError(f"{title} is {value!r}; give a number or an array of numbers in {info.range}")
    values = np.asarray(value, dtype=float)
    allowed = info.allows(values)
    if not allowed.all():
        bad = values[~allowed].flat[0]
        where = "" if values.ndim == 0 else f" at position {int(np.flatnonzero(~allowed.ravel())[0])}"
        unit = "" if info.unit == "1" else f" {info.unit}"
        raise ParameterError(f"{title} is {bad:g}{where}, outside {info.range}{unit}; give a value in {info.range}")


def unknown_name(name: str, known: Any, what: str, owner: str) -> ParameterError:
    """The error for a name that is not there, with the nearest one that is."""
    known = list(known)
    return ParameterError(f"{owner} has no {what} {name!r}{_nearest(name, known)}; it has: {', '.join(known)}")


def _nearest(word: Any, known: Any) -> str:
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""
