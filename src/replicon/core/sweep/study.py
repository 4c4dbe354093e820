"""The description of a study: which system, at which points, sizes and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.core.parameters import check_parameter, unknown_name
from replicon.core.realization import require_realizations
from replicon.core.seeds import digest
from replicon.core.system import System, check_seed

Points = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]


@dataclass
class Study:
    """Points x sizes x realisations of one system.

    Attributes
    ----------
    owner : type of System
    columns : dict of str to array (point,)
        The parameters that vary: floats, whole numbers or words.
    fixed : dict
        All other parameters.
    grid : dict of str to list, or None
        The axes of which the points are the product; None for points listed one by one.
    sizes : tuple of int
        Empty for a study of the theory alone.
    realizations, seed, common_draws
        See `replicon.sweep`.
    """

    owner: type[System]
    columns: dict[str, np.ndarray]
    fixed: dict[str, Any]
    grid: dict[str, list[Any]] | None
    sizes: tuple[int, ...] = ()
    realizations: int = 1
    seed: int = 0
    common_draws: bool = False
    words: dict[str, list[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of points."""
        return len(next(iter(self.columns.values()))) if self.columns else 1

    def values(self, point: int) -> dict[str, Any]:
        """The parameters of one point."""
        return self.fixed | {name: column[point].item() for name, column in self.columns.items()}

    def system(self, point: int) -> System:
        """The system at one point."""
        return self.owner(**self.values(point))

    @cached_property
    def coordinates(self) -> dict[str, np.ndarray]:
        """Coordinate values (point, k) of the curves, by dimension; padded with nan where lengths differ."""
        dims = {d for entry in self.owner.Observables.table().values() for d in entry.dims}
        if not dims:
            return {}
        rows: dict[str, list[np.ndarray]] = {dim: [] for dim in sorted(dims)}
        for point in range(self.count):
            try:
                found = self.system(point).coords()
            except Exception:  # a point that the system refuses has no curves
                found = {dim: np.zeros(0) for dim in dims}
            for dim, column in rows.items():
                if dim not in found:
                    raise DataError(f"{self.owner.__name__}: coords() gives no values for the dimension {dim!r}")
                column.append(np.asarray(found[dim], dtype=np.float64).ravel())
        padded = {}
        for dim, column in rows.items():
            longest = max(len(row) for row in column)
            padded[dim] = np.stack([np.pad(row, (0, longest - len(row)), constant_values=np.nan) for row in column])
        return padded

    def coded(self) -> dict[str, np.ndarray]:
        """The columns as numbers: words replaced by their place in `words`."""
        return {
            name: column
            if name not in self.words
            else np.asarray([self.words[name].index(w) for w in column], np.int32)
            for name, column in self.columns.items()
        }

    def canonical(self) -> dict[str, Any]:
        """What identifies the study, for its record. Points are told apart by their values, not by their order."""
        table = self.owner.Observables.table()
        measured = {name: entry for name, entry in table.items() if entry.face != "predicted"}
        predicted = {name: entry for name, entry in table.items() if entry.face != "measured"}
        has_theory = self.owner.theory is not System.theory
        return {
            "system": f"{self.owner.__module__}:{self.owner.__qualname__}",
            "version": self.owner.model_version,
            "batch": self.owner.batch,
            "seed": self.seed,
            "common_draws": self.common_draws,
            "fixed": self.fixed,
            "varied": list(self.columns),
            "grid": self.grid,
            "points": {"count": self.count, "sha256": None if self.grid is not None else self._points_digest()},
            "words": self.words,
            "sizes": list(self.sizes),
            "realizations": self.realizations,
            "measured": _names(measured, status=True) if self.sizes else {"scalars": [], "curves": {}},
            "predicted": (
                {**_names(predicted, status=False), "finite": "finite" in self.owner.theory_kinds}
                if has_theory
                else None
            ),
            "coordinates": {dim: values.shape[1] for dim, values in self.coordinates.items()},
        }

    def attributes(self) -> dict[str, Any]:
        """What describes the numbers to whoever opens the store."""
        table, known = self.owner.Observables.table(), self.owner.parameters()
        return {
            "system": self.owner.__name__,
            "title": (self.owner.__doc__ or "").strip().split("\n")[0],
            "observables": {
                name: {"symbol": e.symbol, "units": e.unit, "long_name": e.doc} for name, e in table.items()
            },
            "parameters": {
                name: {"symbol": p.symbol, "units": p.unit, "long_name": p.doc} for name, p in known.items()
            },
            "dims": {name: entry.dims[0] for name, entry in table.items() if entry.dims},
            "status_flags": "; ".join(
                f"{bit}: {entry.text}" for bit, entry in self.owner.Observables.status_table().items()
            ),
            "references": [reference.short for reference in self.owner.references],
        }

    def _points_digest(self) -> str:
        rows = sorted(zip(*[column.tolist() for column in self.columns.values()], strict=True))
        return digest([list(self.columns), rows])


def describe(
    system: type[System] | System | str,
    axes: Mapping[str, Any],
    points: Points | None,
    sizes: Sequence[int] | int | None,
    realizations: int,
    seed: int,
    common_draws: bool,
) -> Study:
    """A checked study of what `replicon.sweep` was given.

    Raises
    ------
    ParameterError, DataError
        For unknown names, values out of range, values given twice, sizes and counts that make no sense.
    """
    owner, fixed = _owner(system)
    known = owner.parameters()
    for name in axes:
        if name not in known:
            raise unknown_name(name, known, "parameter", owner.__name__)
    varied = {name: _axis(owner, name, value) for name, value in axes.items() if _is_sequence(value)}
    fixed = fixed | {name: value for name, value in axes.items() if name not in varied}
    if points is not None and varied:
        raise ParameterError(f"points was given beside the axes {', '.join(varied)}; give the one or the other")
    for name, value in fixed.items():
        if isinstance(value, np.ndarray):
            raise ParameterError(f"{owner.__name__}: {name} of the system is an array; give it as an axis of the sweep")
    if points is None:
        columns = _product(varied)
        grid: dict[str, list[Any]] | None = {name: values.tolist() for name, values in varied.items()}
        for name, values in varied.items():
            _refuse_repeated(owner, name, values.tolist())
    else:
        columns, grid = _listed(owner, points), None
        _refuse_repeated(owner, "points", list(zip(*[c.tolist() for c in columns.values()], strict=True)))
    fixed = {name: value for name, value in fixed.items() if name not in columns}
    defaults = {name: f.default for name, f in owner.__dataclass_fields__.items() if name in known}
    for name, value in fixed.items():
        check_parameter(name, known[name], _plain(value), owner.__name__)
    fixed = {name: _plain(fixed.get(name, defaults[name])) for name in known if name not in columns}
    fixed = {n: float(v) if not known[n].static and isinstance(v, int) else v for n, v in fixed.items()}
    words = {name: list(dict.fromkeys(column.tolist())) for name, column in columns.items() if column.dtype.kind == "U"}
    return Study(
        owner=owner,
        columns=columns,
        fixed=fixed,
        grid=grid,
        sizes=_sizes(owner, sizes),
        realizations=require_realizations(realizations),
        seed=check_seed(seed),
        common_draws=bool(common_draws),
        words=words,
    )


def _owner(system: Any) -> tuple[type[System], dict[str, Any]]:
    if isinstance(system, str):
        from replicon.core.catalog import load

        system = load(system)
    if isinstance(system, System):
        return type(system), dict(system.values())
    if isinstance(system, type) and issubclass(system, System):
        return system, {}
    raise ParameterError(f"sweep was given {system!r}; give a system class such as Hopfield, or its name")


def _is_sequence(value: Any) -> bool:
    return not isinstance(value, str) and np.ndim(value) > 0


def _axis(owner: type[System], name: str, values: Any) -> np.ndarray:
    """One column of a parameter's values, checked against its range."""
    info = owner.parameters()[name]
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ParameterError(
            f"{owner.__name__}: {name} has shape {array.shape}; give one-dimensional values, at least one"
        )
    if info.static:
        plain = [_plain(value) for value in np.asarray(values, dtype=object)]
        for value in dict.fromkeys(plain):
            check_parameter(name, info, value, owner.__name__)
        return np.asarray(plain) if isinstance(plain[0], str) else np.asarray(plain, dtype=np.int64)
    if array.dtype.kind not in "iuf":
        bad = next(value for value in values if isinstance(value, (bool, np.bool_)) or not _is_number(value))
        check_parameter(name, info, _plain(bad), owner.__name__)
        raise ParameterError(f"{owner.__name__}: {name} ({info.symbol}) has the value {bad!r}; give numbers")
    array = array.astype(np.float64)
    check_parameter(name, info, array, owner.__name__)
    return array


def _product(varied: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if not varied:
        return {}
    mesh = np.meshgrid(*[np.arange(len(values)) for values in varied.values()], indexing="ij")
    return {name: values[index.ravel()] for (name, values), index in zip(varied.items(), mesh, strict=True)}


def _listed(owner: type[System], points: Any) -> dict[str, np.ndarray]:
    """Columns of points listed one by one, as a list of dicts or as columns (a DataFrame, too)."""
    known = owner.parameters()
    if isinstance(points, (list, tuple)):
        if not points or not all(isinstance(point, Mapping) for point in points):
            raise ParameterError("points must be a list of dicts, or a dict of columns, with at least one point")
        names = list(points[0])
        for number, point in enumerate(points):
            if set(point) != set(names):
                raise ParameterError(
                    f"point {number} has the parameters {', '.join(point)}, point 0 {', '.join(names)}"
                )
        columns: dict[str, Any] = {name: [point[name] for point in points] for name in names}
    elif hasattr(points, "keys"):
        columns = {str(name): list(points[name]) for name in points.keys()}  # noqa: SIM118 (a DataFrame is no Mapping)
    else:
        raise ParameterError(f"points is a {type(points).__name__}; give a list of dicts, or a dict of columns")
    for name in columns:
        if name not in known:
            raise unknown_name(name, known, "parameter", owner.__name__)
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise ParameterError(f"the columns of points have the lengths {sorted(lengths)}; give columns of one length")
    return {name: _axis(owner, name, column) for name, column in columns.items()}


def _sizes(owner: type[System], sizes: Any) -> tuple[int, ...]:
    """Sizes in increasing order. What a size must be at certain parameters is checked where it is drawn."""
    if sizes is None:
        return ()
    if owner.sample is System.sample:
        raise DataError(f"{owner.__name__} has no simulation; leave sizes out")
    listed = [sizes] if isinstance(sizes, (int, np.integer)) else list(sizes)
    for size in listed:
        if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
            raise DataError(f"{owner.__name__}: size is {size!r}; give whole numbers of at least {owner.smallest_size}")
        if size < owner.smallest_size:
            raise DataError(f"{owner.__name__}: size is {size}; it must be at least {owner.smallest_size}")
    return tuple(sorted({int(size) for size in listed}))


def _names(table: dict[str, Any], *, status: bool) -> dict[str, Any]:
    scalars = [name for name, entry in table.items() if not entry.dims]
    return {
        "scalars": [*scalars, "status"] if status else scalars,
        "curves": {name: entry.dims[0] for name, entry in table.items() if entry.dims},
    }


def _refuse_repeated(owner: type[System], name: str, values: list[Any]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise ParameterError(f"{owner.__name__}: {name} has the value {value!r} twice; give each value once")
        seen.add(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
