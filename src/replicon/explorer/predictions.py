"""Theory in chunks of one width, so that one compiled call serves every slider, axis and map of a system."""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.core.system import System, check_size

WIDTH = 8
"""Points of a chunk. A coarse line must be there at once also where a point takes 10 ms; more would cost more."""

REFUSED = -1
"""Status of a point that the system does not accept."""


@dataclass(frozen=True)
class Prediction:
    """What a theory says at one point.

    Attributes
    ----------
    values : dict of str to float or array
    status : int
        As in the system's record; -1 where the system does not accept the point.
    declined, valid : bool
        Whether the theory makes no prediction here; whether its assumptions hold.
    note : str
        The status in words.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = REFUSED
    declined: bool = True
    valid: bool = False
    note: str = ""

    def scalar(self, name: str) -> float:
        """A number, nan where there is none."""
        value = self.values.get(name, np.nan)
        return float(value) if np.ndim(value) == 0 else float("nan")


class Theory:
    """The predictions of one system class."""

    def __init__(self, owner: type[System]) -> None:
        self.owner = owner
        self.compiled: set[Hashable] = set()
        """Equations and static parameters that were evaluated before."""
        self._compiling = threading.Lock()
        self._masks = owner.Observables.mask(declines=True), owner.Observables.mask(invalid=True)

    def key(self, values: Mapping[str, Any], size: int | None) -> Hashable:
        """What needs a compilation of its own; None for a point that the system does not accept."""
        point = self._point(values, size)
        return point if isinstance(point, str) else self._key(point, size)

    def predict(self, points: list[Mapping[str, Any]], size: int | None = None) -> list[Prediction]:
        """Predictions at any number of points."""
        found: list[Prediction] = [Prediction()] * len(points)
        groups: dict[Hashable, list[tuple[int, System]]] = {}
        for place, values in enumerate(points):
            point = self._point(values, size)
            if isinstance(point, str):
                found[place] = Prediction(note=point)
            else:
                groups.setdefault(self._key(point, size), []).append((place, point))
        for key, members in groups.items():
            self.compile(key, members[0][1], size)
            width = WIDTH if self.owner.traceable else 1
            for start in range(0, len(members), width):
                chunk = members[start : start + width]
                for place, prediction in zip(
                    [p for p, _ in chunk], self._chunk([s for _, s in chunk], size), strict=True
                ):
                    found[place] = prediction
        return found

    def compile(self, key: Hashable, point: System, size: int | None) -> None:
        """Compile the equations of a point, once for all sessions."""
        if key in self.compiled:
            return
        with self._compiling:
            if key not in self.compiled:
                self._chunk([point], size)
                self.compiled.add(key)

    def warm(self, values: Mapping[str, Any], ends: Mapping[str, tuple[float, float]]) -> None:
        """Compile the equations that apply where a slider reaches other regimes, such as a temperature above zero."""
        for name, reached in ends.items():
            for value in reached:
                point = self._point({**values, name: value}, None)
                if not isinstance(point, str):
                    self.compile(self._key(point, None), point, None)

    def in_stages(
        self,
        points: list[Mapping[str, Any]],
        size: int | None,
        first: int = 0,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[dict[int, Prediction]]:
        """Predictions chunk by chunk, coarse to fine: what was found so far, by place.

        Parameters
        ----------
        first : int
            So many points at the beginning are taken before all others.
        stop : callable
            Asked between chunks; True ends it.
        """
        width = WIDTH if self.owner.traceable else 1
        order = [*range(first), *(first + place for place in coarse_to_fine(len(points) - first))]
        found: dict[int, Prediction] = {}
        for start in range(0, len(order), width):
            if stop():
                return
            places = order[start : start + width]
            found.update(zip(places, self.predict([points[place] for place in places], size), strict=True))
            yield found

    def _point(self, values: Mapping[str, Any], size: int | None) -> System | str:
        """The system at a point, or why it does not accept it."""
        try:
            point = self.owner.make(**values)
            if size is not None:
                check_size(point, size)
        except (ParameterError, DataError) as error:
            return str(error)
        return point

    def _key(self, point: System, size: int | None) -> Hashable:
        words = tuple(value for name, value in point.values().items() if self.owner.parameters()[name].static)
        return words, point.regime(), None if self.owner.traced_size and size is not None else size

    def _chunk(self, points: list[System], size: int | None) -> list[Prediction]:
        width = WIDTH if self.owner.traceable else 1
        padded = [*points, *[points[-1]] * (width - len(points))]
        known = self.owner.parameters()
        columns = {
            name: getattr(points[0], name) if info.static else np.array([getattr(point, name) for point in padded])
            for name, info in known.items()
        }
        record = self.owner(**columns).theory(size=size)
        status = np.broadcast_to(np.asarray(record.status), (width,))
        values = {name: np.asarray(value) for name, value in record.present().items()}
        return [
            Prediction(
                {name: column[k] for name, column in values.items()},
                int(status[k]),
                bool(int(status[k]) & self._masks[0]),
                not int(status[k]) & self._masks[1],
                "; ".join(part for part in (self.owner.Observables.describe(int(status[k])), record.remark) if part),
            )
            for k in range(len(points))
        ]


def coarse_to_fine(count: int) -> list[int]:
    """All places 0, ..., count - 1, in an order whose every beginning covers the range evenly: ends, then halves."""
    if count < 3:
        return list(range(count))
    order, seen, gap = [0, count - 1], {0, count - 1}, count - 1
    while len(order) < count:
        gap = max(gap / 2, 0.5)
        for place in np.arange(gap, count - 1, gap):
            if (whole := int(place)) not in seen:
                seen.add(whole)
                order.append(whole)
    return order
