"""The record of what a system predicts and what is measured on it.

One class serves both sides, so that a prediction and a measurement can only differ in their numbers.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from replicon.core.precision import is_traced
from replicon.maths.solution import NOT_CONVERGED

Scalar = Float[Array, ""] | float | None
Curve = Float[Array, " coordinate"] | Float[np.ndarray, " coordinate"] | None
Spectrum = Curve

Face = Literal["both", "predicted", "measured"]
Prediction = Literal["equal", "approximation", "upper", "lower"]
Kind = Literal["infinite", "finite", "instance", "measured"]

KINDS = {
    "infinite": "the prediction for infinite size",
    "finite": "the prediction with the known corrections at this size",
    "instance": "the prediction given what is measured of the draw itself",
    "measured": "measured",
}


@dataclass(frozen=True)
class Status:
    """The meaning of one bit of a status.

    Attributes
    ----------
    text : str
        Shown to the user.
    declines : bool
        The theory makes no prediction at this point: values may be shown, a z-score never.
    valid : bool
        False where the numbers rest on an assumption that does not hold.
    """

    text: str
    declines: bool = False
    valid: bool = False


@dataclass(frozen=True)
class Observable:
    """What is known of one observable.

    Attributes
    ----------
    symbol, unit, doc : str
        As in the literature.
    face : {"both", "predicted", "measured"}
        Which side can give it.
    dims : tuple of str
        Empty for a scalar, one coordinate name for a curve or spectrum.
    spectrum : bool
        A density over its coordinate, drawn as such.
    prediction : {"equal", "approximation", "upper", "lower"}
        Whether the theory gives the value itself, approximates it (shown with its z, no part of the verdict), or
        gives a bound that the measurement must respect.
    tolerance : float
        Systematic error that the prediction allows itself (an approximation good to so much), absolute.
    success : float or None
        A draw with at least this value counts as a success: the observable may be bimodal, and a comparison
        then states the fraction of successes and averages over the draws that are in the predicted state.
    quantum : float
        Smallest change of a draw, times the size (2 for an overlap of +-1 spins); 0 for a continuous quantity. An
        error bar is at least one quantum in all draws together: draws that are all equal say no more than that.
    """

    symbol: str
    doc: str
    unit: str
    face: Face
    dims: tuple[str, ...]
    spectrum: bool
    prediction: Prediction
    tolerance: float
    success: float | None
    quantum: float


def observable(
    symbol: str,
    doc: str,
    *,
    unit: str = "1",
    face: Face = "both",
    dims: tuple[str, ...] = (),
    spectrum: bool = False,
    prediction: Prediction = "equal",
    tolerance: float = 0.0,
    success: float | None = None,
    quantum: float = 0.0,
) -> Any:
    """Declare an observable in the `Observables` class of a system; see `Observable` for the arguments.

    An observable is a quantity of one draw (a squared error, a hit), never a spread over draws.
    """
    info = Observable(symbol, doc, unit, face, dims, spectrum, prediction, tolerance, success, quantum)
    return eqx.field(default=None, kw_only=True, metadata={"replicon": info})


class Observables(eqx.Module):
    """Base of a system's record of observables; subclasses add fields with `observable`.

    Attributes
    ----------
    status : int or int array
        0 where all is well, else bits: bit 0 not converged, the others in the `statuses` table.
    residual : float or None
        How well the equations are met by the solution given (unit of the equations).
    kind : {"infinite", "finite", "instance", "measured"}
        Which of the three theories this is, or that it was measured.
    remark : str
        What else the reader must know, such as a fallback to another kind of theory.
    """

    statuses: ClassVar[dict[int, Status]] = {}

    status: Any = eqx.field(default=0, kw_only=True)
    residual: Any = eqx.field(default=None, kw_only=True)
    kind: str = eqx.field(default="infinite", static=True, kw_only=True)
    remark: str = eqx.field(default="", static=True, kw_only=True)

    @classmethod
    def from_theory(cls, solution: Any, **more: Any) -> Self:
        """Record of a pure theory function's `Solution` whose values are a dict by observable name."""
        values, status = solution
        return cls(**values, **more, status=status)

    @classmethod
    def table(cls) -> dict[str, Observable]:
        """Name and description of each observable, in order of declaration."""
        return {
            name: field.metadata["replicon"]
            for name, field in cls.__dataclass_fields__.items()
            if "replicon" in field.metadata
        }

    @classmethod
    def status_table(cls) -> dict[int, Status]:
        """The meaning of every status bit."""
        return {NOT_CONVERGED: Status("not converged", declines=True), **cls.statuses}

    @classmethod
    def describe(cls, status: int) -> str:
        """A status in words."""
        return "; ".join(entry.text for bit, entry in cls.status_table().items() if int(status) & bit)

    @classmethod
    def mask(cls, *, declines: bool = False, invalid: bool = False) -> int:
        """Bits of the statuses that decline to predict, or that make a prediction invalid."""
        table = cls.status_table().items()
        return sum(bit for bit, entry in table if (declines and entry.declines) or (invalid and not entry.valid))

    def present(self) -> dict[str, Any]:
        """The observables that this record has, by name."""
        return {name: value for name in self.table() if (value := getattr(self, name)) is not None}

    @property
    def valid(self) -> Any:
        """Whether the assumptions behind the numbers hold (an array in grids)."""
        return self._free_of(self.mask(invalid=True))

    @property
    def declined(self) -> Any:
        """Whether the theory declines to predict here (an array in grids)."""
        free = self._free_of(self.mask(declines=True))
        return not free if isinstance(free, bool) else ~free

    @property
    def note(self) -> str:
        """Status and remark in words; for a grid the words of all that occur."""
        codes = np.unique(np.asarray(self.status)) if not is_traced(self.status) else []
        texts = dict.fromkeys(text for code in codes if (text := self.describe(code)))
        return "; ".join([*texts, *([self.remark] if self.remark else [])])

    def _free_of(self, mask: int) -> Any:
        free = (np.asarray(self.status) & mask) == 0
        return bool(free) if free.ndim == 0 else free

    def __repr__(self) -> str:
        if is_traced(self):
            return f"<{type(self).__qualname__}, traced>"
        lines = [f"{KINDS.get(self.kind, self.kind)}" + (f" ({self.note})" if self.note else "")]
        table = self.table()
        for name, value in self.present().items():
            unit = "" if table[name].unit == "1" else f" {table[name].unit}"
            lines.append(f"  {name:<24} {table[name].symbol:<10} {_short(value)}{unit}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.table()
        rows = "".join(
            f"<tr><td>{name}</td><td>{table[name].symbol}</td><td>{_short(value)}</td><td>{table[name].doc}</td></tr>"
            for name, value in self.present().items()
        )
        return f"<table><caption>{self.__repr__().splitlines()[0]}</caption>{rows}</table>"


def _short(value: Any) -> str:
    array = np.asarray(value, dtype=float)
    if array.ndim == 0:
        return f"{array.item():.8g}" if not math.isnan(array.item()) else "nan"
    return np.array2string(array, precision=5, threshold=8, edgeitems=3)
