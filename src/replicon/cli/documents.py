"""Results as JSON documents, whose fields ``docs/cli.md`` describes."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from replicon.core import statistics
from replicon.core.provenance import provenance
from replicon.maths.solution import NOT_CONVERGED

if TYPE_CHECKING:
    import xarray as xr

    from replicon.core.comparison import Comparison
    from replicon.core.observables import Observable, Observables
    from replicon.core.realization import Draws
    from replicon.core.system import System


def theory_document(name: str, system: "System", record: "Observables", size: int | None) -> dict[str, Any]:
    """A prediction at one point."""
    table, coordinates = record.table(), system.coords()
    observables = {
        key: {
            "value": np.asarray(value),
            **_description(table[key]),
            "status": _word(value, bool(record.declined)),
            **_coordinate(table[key], coordinates),
        }
        for key, value in record.present().items()
    }
    return {
        "system": name,
        "parameters": system.values(),
        "size": size,
        "theory": record.kind,
        "observables": observables,
        "residual": record.residual,
        "valid": record.valid,
        "note": record.note,
        "provenance": provenance(),
    }


def grid_document(name: str, owner: "type[System]", grid: "xr.Dataset", size: int | None) -> dict[str, Any]:
    """Predictions on a grid of parameters; values are nested lists in the order of ``dims``."""
    kind, table = owner.Observables, owner.Observables.table()
    axes = [str(dim) for dim in grid["status"].dims]
    status = grid["status"].values
    declined = (status & kind.mask(declines=True)) != 0
    failed = (status & NOT_CONVERGED) != 0
    observables = {}
    for key in (key for key in table if key in grid):
        values = grid[key].values
        observables[key] = {
            "value": values,
            **_description(table[key]),
            "status": _words(values, declined, failed),
            **_coordinate(table[key], grid.coords),
        }
    return {
        "system": name,
        "parameters": {**json.loads(grid.attrs["fixed"]), **{axis: grid[axis].values for axis in axes}},
        "size": size,
        "dims": axes,
        "theory": grid.attrs["theory"],
        "observables": observables,
        "valid": (status & kind.mask(invalid=True)) == 0,
        "note": note_of(kind, status),
        "provenance": json.loads(grid.attrs["provenance"]),
    }


def note_of(kind: "type[Observables]", status: Any) -> str:
    """The words of every status bit that occurs in a grid."""
    return kind.describe(int(np.bitwise_or.reduce(np.asarray(status, dtype=np.int64), axis=None)))


def simulation_document(
    name: str, system: "System", size: int, seed: int, draws: "Draws", wall_time: float
) -> dict[str, Any]:
    """Measurements summarised over all draws of one size."""
    kind, table, coordinates = system.Observables, system.Observables.table(), system.coords()
    observables = {}
    for key in (key for key in table if key in draws.values):
        values = draws.values[key]
        summary = statistics.summarize(values)
        observables[key] = {
            "mean": summary.mean,
            "standard_error": summary.standard_error,
            "count": summary.count,
            "spread": summary.spread,
            "quantiles": _quantiles(summary.quantiles),
            **success_of(table[key], values),
            **_description(table[key]),
            "status": _measured(summary.count),
            **_coordinate(table[key], coordinates),
        }
    status = draws.values["status"]
    codes = status[np.isfinite(status)].astype(int)
    notes = [note_of(kind, codes)] if codes.any() else []
    notes += [f"{len(draws.errors)} of {len(draws.seeds)} realisations failed"] if draws.errors else []
    return {
        "system": name,
        "parameters": system.values(),
        "size": size,
        "seed": seed,
        "realizations": len(draws.seeds),
        "observables": observables,
        "seeds": draws.seeds,
        "failed": [{"seed": int(draws.seeds[index]), "error": text} for index, text in sorted(draws.errors.items())],
        "valid": not notes,
        "note": "; ".join(notes),
        "provenance": provenance(seed=seed, wall_time_seconds=round(wall_time, 3)),
    }


def success_of(entry: "Observable", values: Any) -> dict[str, float]:
    """Fraction of draws that succeed and its error, where the observable says what success is."""
    if entry.success is None:
        return {}
    fraction, error = statistics.fraction_error(int((values >= entry.success).sum()), int(np.isfinite(values).sum()))
    return {"success_fraction": fraction, "success_error": error}


def comparison_document(name: str, system: "System", result: "Comparison") -> dict[str, Any]:
    """A comparison; what depends on the size is a list in the order of ``sizes``."""
    table, coordinates = system.Observables.table(), result.coords
    scalars = [str(key) for key in result["observable"].values]
    curves = [key for key in json.loads(result.attrs["curves"]) if f"{key}_mean" in result]
    disagreeing = result.attrs["disagreeing"].split(", ")
    observables = {key: _compared_scalar(result.sel(observable=key), table[key]) for key in scalars}
    observables |= {key: _compared_curve(result, key, table[key], key in disagreeing) for key in curves}
    for key, entry in observables.items():
        entry.update(**_description(table[key]), **_coordinate(table[key], coordinates))
    status = result["theory_status"].values
    return {
        "system": name,
        "parameters": json.loads(result.attrs["parameters"]),
        "size": result["size"].values,
        "sizes": result["size"].values,
        "realizations": result.sizes["realization"],
        "theory": result.attrs["theory_used"],
        "theory_asked": result.attrs["theory_asked"],
        "observables": {key: observables[key] for key in table if key in observables},
        "verdict": result.verdict,
        "disagreeing": [key for key in disagreeing if key],
        "level": result.attrs["level"],
        "exponent": result.attrs["exponent"],
        "seeds": [[seed for seed in row if seed >= 0] for row in result["seed"].values.tolist()],
        "failed": [{"size": n, "seed": s, "error": text} for n, s, text in json.loads(result.attrs["errors"])],
        "valid": bool(np.all((status & system.Observables.mask(invalid=True)) == 0)),
        "note": result.attrs["note"],
        "provenance": result.provenance,
    }


def _compared_scalar(line: Any, info: "Observable") -> dict[str, Any]:
    names = ("mean", "standard_error", "count", "spread", "theory", "z")
    entry: dict[str, Any] = {name: line[name].values for name in names}
    entry["count"] = line["count"].values.astype(int)
    entry["quantiles"] = _quantiles(line["quantiles"].values.T)
    if info.success is not None:
        entry |= {name: line[name].values for name in ("success_fraction", "success_error")}
    limits = ("theory_infinite", "extrapolated", "extrapolated_error", "p_value")
    entry |= {name: float(line[name]) for name in limits}
    tested = bool(np.isfinite(line["p_value"]))
    entry["verdict"] = _verdict(tested, bool(line["rejected"]))
    entry["status"] = _compared(line["count"].values, line["z"].values)
    return entry


def _compared_curve(result: "Comparison", key: str, info: "Observable", disagrees: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {name: result[f"{key}_{name}"].values for name in ("mean", "standard_error", "theory", "z")}
    draws = result[key].values if key in result else np.full((result.sizes["size"], 1, 1), np.nan)
    entry["count"] = np.isfinite(draws).sum(axis=1)
    entry["p_value"] = float(result[f"{key}_p_value"])
    entry["verdict"] = _verdict(bool(np.isfinite(entry["p_value"])), disagrees)
    entry["status"] = _compared(entry["count"], entry["z"])
    return entry


def _verdict(tested: bool, rejected: bool) -> str:
    return "not compared" if not tested else "disagrees" if rejected else "agrees"


def _compared(count: Any, z: Any) -> str:
    if not np.any(count):
        return "predicted only"
    return "ok" if np.isfinite(z).any() else "not compared"


def _measured(count: Any) -> str:
    most = int(np.max(count, initial=0))
    return "nothing measured" if most == 0 else "one draw, no error bar" if most == 1 else "ok"


def _description(entry: "Observable") -> dict[str, str]:
    return {"symbol": entry.symbol, "unit": entry.unit, "description": entry.doc}


def _coordinate(entry: "Observable", coordinates: Any) -> dict[str, Any]:
    if not entry.dims:
        return {}
    dim = entry.dims[0]
    return {"coordinate": {"name": dim, "values": np.asarray(coordinates[dim]) if dim in coordinates else None}}


def _quantiles(values: Any) -> dict[str, Any]:
    return {f"{level:g}": values[k] for k, level in enumerate(statistics.QUANTILES)}


def _word(value: Any, declined: bool, failed: bool = False) -> str:
    """Why a number is missing, or that it is not."""
    array = np.asarray(value, dtype=float)
    if failed:
        return "not converged"
    if declined:
        return "declined"
    if np.isfinite(array).all():
        return "ok"
    return "undefined" if np.isnan(array).any() else "infinite" if (array > 0).any() else "minus infinite"


def _words(values: Any, declined: Any, failed: Any) -> Any:
    words = [_word(values[index], bool(declined[index]), bool(failed[index])) for index in np.ndindex(declined.shape)]
    return np.asarray(words, dtype=object).reshape(declined.shape).tolist()
