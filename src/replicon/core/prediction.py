"""Theory on a grid of parameters as one labelled dataset."""

import itertools
from typing import Any

import numpy as np
import xarray as xr

from replicon.core.errors import ParameterError
from replicon.core.parameters import unknown_name
from replicon.core.provenance import provenance
from replicon.core.seeds import canonical
from replicon.core.system import System


def predict(system: type[System] | System, *, size: int | None = None, **axes: Any) -> xr.Dataset:
    """Evaluate a theory on the product grid of the given parameter values.

    Parameters
    ----------
    system : System or System class
        Parameters that are not on an axis keep the instance's values, or their defaults.
    size : int, optional
        Predict for this size.
    **axes : number, word, or sequence of them
        Each sequence becomes a dimension, in the order given.

    Returns
    -------
    xarray.Dataset
        One variable per predicted observable with the parameters as dims (then a curve's coordinate), ``status``
        with the bits explained in its attributes, ``residual``. nan where there is no converged solution.
    """
    owner = system if isinstance(system, type) else type(system)
    fixed = {} if isinstance(system, type) else system.values()
    known = owner.parameters()
    for name in axes:
        if name not in known:
            raise unknown_name(name, known, "parameter", owner.__name__)
    grids = {name: np.atleast_1d(np.asarray(v)) for name, v in axes.items() if np.ndim(v) == 1}
    if any(np.ndim(value) > 1 for value in axes.values()):
        raise ParameterError("predict takes numbers, words or one-dimensional sequences of them")
    fixed |= {name: value for name, value in axes.items() if name not in grids}
    static = [name for name in grids if known[name].static]
    traced = [name for name in grids if not known[name].static]
    shape = tuple(len(grids[name]) for name in traced)
    mesh = dict(zip(traced, np.meshgrid(*[grids[n] for n in traced], indexing="ij"), strict=True)) if traced else {}
    parts = {}
    for combination in itertools.product(*[range(len(grids[name])) for name in static]):
        words = {name: grids[name][k].item() for name, k in zip(static, combination, strict=True)}
        point = owner(**fixed | words | {name: column.ravel() for name, column in mesh.items()})
        parts[combination] = (point, point.theory(size=size))
    point, record = next(iter(parts.values()))
    table = record.table()
    data: dict[str, Any] = {}
    outer = tuple(len(grids[name]) for name in static)
    for name in [*record.present(), "status", "residual"]:
        if getattr(record, name) is None:
            continue
        columns = [np.asarray(getattr(part, name)) for _, part in parts.values()]
        tail = columns[0].shape[1 if traced else 0 :]
        values = np.stack(columns).reshape(*outer, *shape, *tail)
        dims = (*static, *traced, *(table[name].dims if name in table else ()))
        order = (*grids, *dims[len(static) + len(traced) :])
        attrs = {}
        if name in table:
            attrs = {"symbol": table[name].symbol, "units": table[name].unit, "long_name": table[name].doc}
        if name == "status":
            attrs = {"flags": "; ".join(f"{bit}: {entry.text}" for bit, entry in record.status_table().items())}
        data[name] = xr.DataArray(values, dims=dims, attrs=attrs).transpose(*order)
    coords: dict[str, Any] = {
        name: (name, values, {"symbol": known[name].symbol, "units": known[name].unit, "long_name": known[name].doc})
        for name, values in grids.items()
    }
    coords |= {dim: np.asarray(values) for dim, values in point.coords().items() if np.ndim(values) == 1}
    attrs = {
        "system": owner.__name__,
        "fixed": canonical({name: value for name, value in point.values().items() if name not in grids}),
        "theory": record.kind,
        "provenance": canonical(provenance()),
    }
    return xr.Dataset(data, coords=coords, attrs=attrs)
