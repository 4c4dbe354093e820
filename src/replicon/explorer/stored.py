"""A stored sweep on the page: its measured points, read again while it still runs. Its theory is computed here."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from replicon.core.errors import StoreError
from replicon.core.statistics import summarize
from replicon.core.store.reading import open_study
from replicon.core.store.status import StudyStatus, study_status
from replicon.explorer.measurements import Cell, same
from replicon.explorer.view import Subject, View

MOST_VALUES = 5_000_000
"""Numbers read for one view."""


class StoredCell(Cell):
    """A point of a stored sweep at one size: already averaged."""

    found: dict[str, tuple[Any, Any, int]]

    def summary(self, name: str) -> tuple[Any, Any, int]:
        """Mean, standard error and number of draws."""
        return self.found.get(name, (np.nan, np.nan, 0))


class StoredSweep:
    """A store that was named when the page was started.

    Nothing of it is executed: numbers come from Zarr arrays, words from JSON, and its system from the catalogue.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = Path(path).name
        self.study: dict[str, Any] = json.loads(open_study(path).attrs["study"])
        self.target: str = self.study["system"]

    @property
    def varied(self) -> dict[str, list[Any]]:
        """The parameters that vary and their values, in order."""
        dataset = open_study(self.path)
        return {name: sorted({_plain(v) for v in dataset[name].values.ravel()}) for name in self.study["varied"]}

    def status(self) -> StudyStatus:
        """How far it is."""
        return study_status(self.path)

    def first(self, subject: Subject) -> View:
        """The view that opens: the parameters of the study, its axes as axes."""
        varied = self.varied
        view = subject.first()
        values = {**view.values, **self.study["fixed"], **{name: _middle(v) for name, v in varied.items()}}
        axes = [name for name in varied if name in subject.traced and len(varied[name]) > 1]
        more: dict[str, Any] = {"values": values, "store": self.name, "sizes": str(min(self.study["sizes"] or [200]))}
        if axes and "line" in subject.plots():
            x = axes[0]
            more |= {"plot": "line", "observable": subject.observables("line")[0], "x": x}
            more["x_range"] = (float(varied[x][0]), float(varied[x][-1]))
        elif "curve" in subject.plots():
            more |= {"plot": "curve", "observable": subject.observables("curve")[0]}
        if len(axes) > 1:
            more |= {"y": axes[1], "y_range": (float(varied[axes[1]][0]), float(varied[axes[1]][-1]))}
        elif axes:
            more["y"] = next((name for name in subject.traced if name != axes[0]), view.y)
        return replace(view, **more)

    def cells(self, view: View) -> list[StoredCell]:
        """The measured points that the view shows.

        Raises
        ------
        StoreError
            Where the store is damaged, or holds more numbers than a page can show.
        """
        dataset = open_study(self.path)
        if view.observable not in dataset:
            return []
        free = (view.x, view.y) if view.plot == "map" else (view.x,) if view.plot == "line" else ()
        values = dataset[view.observable]
        for name in self.study["varied"]:
            if name in free or name not in values.dims:
                continue
            near = np.flatnonzero([same({name: _plain(v)}, view.values) for v in dataset[name].values])
            if not len(near):
                return []
            values = values.isel({name: int(near[0])})
        if values.size > MOST_VALUES:
            raise StoreError(
                f"{self.path}: {values.size} numbers of {view.observable} belong to this plot, more than a page shows "
                f"({MOST_VALUES}); open it with replicon.open_study"
            )
        points = [str(dim) for dim in values.dims if dim == "point" or dim in self.study["varied"]]
        curve = [str(dim) for dim in values.dims if dim not in ("size", "realization", *points)]
        block = values.transpose("size", *points, "realization", *curve)
        numbers = np.asarray(block.values, dtype=float)
        shape = numbers.shape[1 : 1 + len(points)]
        cells = []
        for i, size in enumerate(block["size"].values):
            for index in np.ndindex(*shape):
                place = dict(zip(points, index, strict=True))
                at = {n: _plain(v) for n, v in _coordinates(dataset, self.study["varied"], place, view).items()}
                summary = summarize(numbers[(i, *index)])
                if not np.max(summary.count):
                    continue
                whole = {**self.study["fixed"], **at}
                if not same(whole, view.values, free):
                    continue
                cell = StoredCell(view.system, whole, int(size), -1)
                cell.found = {view.observable: (summary.mean, summary.standard_error, int(np.max(summary.count)))}
                cells.append(cell)
        return cells


def _coordinates(dataset: Any, varied: list[str], place: dict[str, int], view: View) -> dict[str, Any]:
    """The varied parameters at one place of the points' axes."""
    found = {}
    for name in varied:
        column = dataset[name]
        if column.dims == ("point",):
            found[name] = column.values[place["point"]]
        else:
            found[name] = column.values[place[name]] if name in place else view.values[name]
    return found


def _middle(values: list[Any]) -> Any:
    return values[len(values) // 2]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
