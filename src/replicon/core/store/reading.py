"""A stored study as a labelled dataset, read when it is used, with what is not done masked."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from replicon.core.seeds import canonical
from replicon.core.store.integrity import damage_error, missing_chunks, reading
from replicon.core.store.opening import StudyStore
from replicon.core.store.place import Place

OPEN, DONE = 0, 1


def open_study(path: "str | Path | Place") -> xr.Dataset:
    """Open a stored sweep, finished or not, also while it is written.

    Parameters
    ----------
    path : str or Path
        What was given to `replicon.sweep` as `store`: a folder or a URL.

    Returns
    -------
    xarray.Dataset
        One variable per observable with dims (parameters..., size, realization) and a curve's coordinate, read when
        it is used, nan where a realisation failed or is not done. Beside it ``<name>_theory``, ``theory_status``,
        ``seed`` (0 where open) and ``done`` (0 open, 1 done, 2 failed). Points that were listed one by one have the
        dim ``point``.

    Raises
    ------
    StoreError
        Where there is no study, or it is damaged; a damaged chunk is named when it is read.
    """
    store = StudyStore.open(path)
    store.check_arrays()
    done = store.done()
    if missing := missing_chunks(store, done):
        raise damage_error(store, missing)
    return _Reader(store, done).dataset()


class _Reader:
    """Puts the arrays of a store, which know only points, on the axes of the study."""

    def __init__(self, store: StudyStore, done: np.ndarray) -> None:
        self.store, self.study, self.done = store, store.study, done
        self.described = store.attributes
        grid = self.grid = store.grid
        self.dims: tuple[str, ...] = ("point",) if grid is None else tuple(grid)
        self.order = self._order(grid)
        self.sizes = np.argsort(np.asarray(self.study["sizes"], dtype=np.int64), kind="stable")

    def dataset(self) -> xr.Dataset:
        data: dict[str, Any] = {}
        coords = self._coords()
        if self.study["sizes"]:
            measured = self.study["measured"]
            for j, name in enumerate(measured["scalars"]):
                data[name] = self._measured(name, "scalars", j)
            for name in measured["curves"]:
                data[name] = self._measured(name, f"curve_{name}", None)
            dims = (*self.dims, "size", "realization")
            data["seed"] = xr.Variable(dims, self._lazy("seed", None), {"long_name": "seed of the draw"})
            marks = self.done[self.order][..., self.sizes, :]
            data["done"] = xr.Variable(dims, marks, {"flags": "0: open; 1: done; 2: failed"})
        predicted = self.study["predicted"]
        if predicted is not None:
            finite = bool(self.study["sizes"]) and predicted["finite"]
            dims = (*self.dims, *(("size",) if finite else ()))
            marks = self._theory_array("theory_done", finite)
            for j, name in enumerate(predicted["scalars"]):
                values = np.where(marks == DONE, self._theory_array("theory", finite)[..., j], np.nan)
                data[f"{name}_theory"] = xr.Variable(dims, values, self._attrs(name))
            for name, dim in predicted["curves"].items():
                values = np.where(marks[..., None] == DONE, self._theory_array(f"theory_curve_{name}", finite), np.nan)
                data[f"{name}_theory"] = xr.Variable((*dims, dim), values, self._attrs(name))
            status = self._theory_array("theory_status", finite).astype(np.float64)
            flags = {"flags": self.described.get("status_flags", "")}
            data["theory_status"] = xr.Variable(dims, np.where(marks == DONE, status, np.nan), flags)
        attrs = {
            "system": self.described.get("system", ""),
            "title": self.described.get("title", ""),
            "fixed": canonical(self.study["fixed"]),
            "seed": self.study["seed"],
            "common_draws": int(self.study["common_draws"]),
            "theory": self._theory_kind(),
            "references": canonical(self.described.get("references", [])),
            "provenance": canonical(self.store.record.get("provenance", {})),
            "study": canonical(self.study),
            "store": str(self.store.place),
        }
        return xr.Dataset(data, coords=coords, attrs=attrs)

    def _coords(self) -> dict[str, Any]:
        known = self.described.get("parameters", {})
        grid = self.grid
        coords: dict[str, Any] = {}
        for name in self.study["varied"]:
            if grid is None:
                coords[name] = ("point", self.store.columns[name], known.get(name, {}))
            else:
                coords[name] = (name, np.asarray(grid[name]), known.get(name, {}))
        if self.study["sizes"]:
            coords["size"] = ("size", np.asarray(self.study["sizes"])[self.sizes])
            coords["realization"] = ("realization", np.arange(self.study["realizations"]))
        for dim in self.study["coordinates"]:
            name = f"coordinate_{dim}"
            with reading(self.store, name):
                values = self.store.array(name)[: self.study["points"]["count"]]
            if np.array_equal(values, np.broadcast_to(values[:1], values.shape), equal_nan=True):
                coords[dim] = (dim, values[0])
            else:
                coords[f"{dim}_value"] = ((*self.dims, dim), values[self.order])
        return coords

    def _order(self, grid: dict[str, list[Any]] | None) -> np.ndarray:
        """Number of the stored point at each place of the study's axes."""
        count = self.study["points"]["count"]
        if grid is None:
            return np.arange(count)
        shape = tuple(len(values) for values in grid.values())
        if not grid:
            return np.zeros((), dtype=np.int64)
        places = []
        for name, values in grid.items():
            at = {value: k for k, value in enumerate(values)}
            places.append([at[value] for value in self.store.columns[name].tolist()])
        order = np.empty(shape, dtype=np.int64)
        order[tuple(places)] = np.arange(count)
        return order

    def _measured(self, name: str, array: str, j: int | None) -> xr.Variable:
        dims = (*self.dims, "size", "realization", *((self.study["measured"]["curves"][name],) if j is None else ()))
        attrs = self._attrs(name) if name != "status" else {"flags": self.described.get("status_flags", "")}
        return xr.Variable(dims, self._lazy(array, j), attrs)

    def _lazy(self, array: str, j: int | None) -> Any:
        return indexing.LazilyIndexedArray(_StoredArray(self.store, array, j, self.order, self.sizes, self.done))

    def _theory_array(self, name: str, finite: bool) -> np.ndarray:
        with reading(self.store, name):
            values = self.store.array(name)[: self.study["points"]["count"]]
        return values[:, self.sizes][self.order] if finite else values[self.order]

    def _theory_kind(self) -> str:
        predicted = self.study["predicted"]
        if predicted is None:
            return "none"
        return "finite" if predicted["finite"] and self.study["sizes"] else "infinite"

    def _attrs(self, name: str) -> dict[str, Any]:
        return dict(self.described.get("observables", {}).get(name, {}))


class _StoredArray(BackendArray):
    """One observable of a store, read chunk by chunk when it is indexed."""

    def __init__(
        self,
        store: StudyStore,
        name: str,
        last: int | None,
        order: np.ndarray,
        sizes: np.ndarray,
        done: np.ndarray,
    ) -> None:
        self.store, self.name, self.last, self.order, self.sizes, self.done = store, name, last, order, sizes, done
        array = store.array(name)
        self.tail: tuple[int, ...] = array.shape[3:] if last is None else ()
        self.shape = (*order.shape, len(sizes), store.study["realizations"], *self.tail)
        self.dtype = array.dtype

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        picks = [np.atleast_1d(np.arange(n)[k]) for n, k in zip(self.shape, key, strict=True)]
        dropped = tuple(axis for axis, k in enumerate(key) if isinstance(k, (int, np.integer)))
        leading = self.order.ndim
        points = self.order[np.ix_(*picks[:leading])] if leading else self.order
        flat = points.ravel()
        chosen = (flat, self.sizes[picks[leading]], picks[leading + 1])
        last = (picks[leading + 2],) if self.tail else () if self.last is None else (np.array([self.last]),)
        shape = tuple(len(pick) for pick in picks)
        if 0 in shape:
            return np.zeros(tuple(n for axis, n in enumerate(shape) if axis not in dropped), dtype=self.dtype)
        with reading(self.store, self.name):
            values = np.asarray(self.store.array(self.name).oindex[tuple(_as_slice(c) for c in (*chosen, *last))])
        marks = self.done[np.ix_(*chosen)]
        if self.dtype.kind == "f":
            values[marks != DONE] = np.nan
        else:
            values[marks == OPEN] = 0
        return values.reshape(shape).squeeze(axis=dropped) if dropped else values.reshape(shape)


def _as_slice(index: np.ndarray) -> Any:
    """Contiguous indices as a slice, which Zarr reads without sorting them."""
    if len(index) == index[-1] - index[0] + 1 and np.all(np.diff(index) == 1):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index
