"""The theory of a session, computed beside the page: the latest view wins, a coarse answer comes first."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from replicon.core.errors import RepliconError
from replicon.explorer.predictions import WIDTH, Prediction
from replicon.explorer.reach import read_sizes
from replicon.explorer.shared import Shared
from replicon.explorer.view import View

LINE = 12 * WIDTH - 1
"""Points of a line: with the point at the sliders a whole number of chunks."""

SIDE = 41
"""Points on each side of a map."""

FIRST, LATER = 0.06, 0.25
"""Seconds after which a coarse answer is shown, and between finer ones."""


@dataclass
class Answer:
    """What is known of a view's theory.

    Attributes
    ----------
    found : dict of int to Prediction
        By place in `x`, or in the product of `x` and `y`.
    here : Prediction or None
        At the sliders.
    seconds : float
        From the request to the first answer.
    complete : bool
    error : str
        Why there is none.
    """

    view: View
    x: np.ndarray
    y: np.ndarray
    found: dict[int, Prediction] = field(default_factory=dict)
    here: Prediction | None = None
    coordinate: np.ndarray = field(default_factory=lambda: np.zeros(0))
    seconds: float = 0.0
    complete: bool = False
    error: str = ""


class Answerer:
    """Computes the theory of one session's latest view on a thread of the server's pool.

    Attributes
    ----------
    answer : Answer or None
        The latest.
    count : int
        Views answered.
    note : str
        What takes long just now.
    """

    def __init__(self, shared: Shared, changed: Callable[[], None]) -> None:
        self.shared, self.changed = shared, changed
        self.answer: Answer | None = None
        self.count = 0
        self.note = ""
        self._lock = threading.Lock()
        self._wanted: View | None = None
        self._busy = False
        self._closed = False
        self._line: tuple[Any, dict[int, Prediction]] | None = None

    def ask(self, view: View) -> None:
        """Want the theory of a view; earlier wishes are dropped."""
        with self._lock:
            self._wanted = view
            if self._busy or self._closed:
                return
            self._busy = True
        self.shared.pool.submit(self._work)

    def close(self) -> None:
        """Stop, the session has ended."""
        with self._lock:
            self._wanted, self._closed = None, True

    def _work(self) -> None:
        while True:
            with self._lock:
                view, self._wanted = self._wanted, None
                if view is None:
                    self._busy = False
                    return
            try:
                self._answer(view)
            except RepliconError as error:
                self._fail(view, str(error))
            except Exception as error:  # a third party's theory may raise anything; the page says so and goes on
                self._fail(view, f"{type(error).__name__}: {error}".splitlines()[0])

    def _newer(self) -> bool:
        return self._wanted is not None or self._closed

    def _answer(self, view: View) -> None:
        began = time.perf_counter()
        subject, theory = self.shared.subject(view.system), self.shared.theory(view.system)
        size = read_sizes(view.sizes)[0] if view.theory == "finite" else None
        x = subject.axis(view, "x", SIDE if view.plot == "map" else LINE) if view.plot != "curve" else np.zeros(0)
        y = subject.axis(view, "y", SIDE) if view.plot == "map" else np.zeros(0)
        answer = Answer(view, x, y)
        if view.plot == "curve":
            coordinates = subject.owner.make(**view.values).coords()
            answer.coordinate = np.asarray(coordinates[subject.table[view.observable].dims[0]], dtype=float)
        if not subject.predicts:
            answer.complete = True
            self._publish(answer, began)
            return
        new = theory.key(view.values, size) not in theory.compiled
        if new:
            self.note = f"Compiling the theory of {view.system}: once, for some seconds"
            self.changed()
        remembered = self._remembered(view, size)
        points = [view.values]
        if remembered is None:
            points += self._places(view, x, y)
        else:
            answer.found = remembered
        shown = 0.0
        for found in theory.in_stages(points, size, first=1, stop=self._newer):
            answer.here = found[0]
            answer.complete = len(found) == len(points)
            if remembered is None:
                answer.found = {place - 1: one for place, one in found.items() if place}
            since = time.perf_counter() - (shown or began)
            if answer.complete or since > (LATER if shown else FIRST):
                shown = time.perf_counter()
                self._publish(answer, began)
        if new and subject.owner.traceable:
            reaches = {name: subject.reach(name) for name in subject.traced}
            ends = {name: (reach.start, reach.end) for name, reach in reaches.items()}
            self.shared.pool.submit(theory.warm, view.values, ends)
        if answer.complete and view.plot != "curve":
            self._line = (self._key(view, size), answer.found)

    def _places(self, view: View, x: np.ndarray, y: np.ndarray) -> list[dict[str, Any]]:
        if view.plot == "map":
            return [view.at(**{view.x: float(a), view.y: float(b)}) for a in x for b in y]
        return [view.at(**{view.x: float(a)}) for a in x]

    def _key(self, view: View, size: int | None) -> Any:
        free = (view.x, view.y) if view.plot == "map" else (view.x,)
        others = {name: value for name, value in view.values.items() if name not in free}
        return view.system, view.plot, view.x, view.y, view.x_range, view.y_range, others, size

    def _remembered(self, view: View, size: int | None) -> dict[int, Prediction] | None:
        """A move along the axis of the plot leaves its line as it is."""
        if view.plot == "curve" or self._line is None or self._line[0] != self._key(view, size):
            return {} if view.plot == "curve" else None
        return self._line[1]

    def _publish(self, answer: Answer, began: float) -> None:
        if not answer.seconds:
            answer.seconds = time.perf_counter() - began
            self.count += 1
        self._show(answer)

    def _show(self, answer: Answer) -> None:
        self.note = ""
        self.answer = answer
        self.changed()

    def _fail(self, view: View, message: str) -> None:
        self.note = ""
        self.answer = Answer(view, np.zeros(0), np.zeros(0), complete=True, error=message)
        self.count += 1
        self.changed()
