"""The sections of a stored study's report, one function each."""

import json
from typing import Any

import numpy as np
import xarray as xr

from replicon.core.plotting import plot_parameter, plot_plane
from replicon.core.provenance import provenance as provenance_now
from replicon.core.sections import Code, Picture, Section, Table
from replicon.core.tables import plain, with_error
from replicon.report.sources import catalogue_name, class_of, provenance_table, sources_section

LONGEST_TABLE = 60
"""Points listed; the store has them all."""


def title(study: xr.Dataset) -> str:
    """``Hopfield: load x temperature``."""
    axes = axes_of(study)
    return f"{study.attrs['system']}: {' x '.join(axes) if axes else 'a study'}"


def axes_of(study: xr.Dataset) -> list[str]:
    """The parameters that the study varies, as dimensions; empty for a list of points."""
    inner = {"size", "realization", "point"}
    described = json.loads(study.attrs["study"])
    return [name for name in described.get("grid") or {} if name in study.dims and name not in inner]


def measured_of(study: xr.Dataset) -> list[str]:
    """The scalars that were measured."""
    scalars = json.loads(study.attrs["study"])["measured"]["scalars"]
    return [name for name in scalars if name != "status" and name in study]


def summary(study: xr.Dataset) -> list[str]:
    """What was asked for and how much of it is there."""
    lines = [str(study.attrs["title"])]
    fixed = json.loads(study.attrs["fixed"])
    if fixed:
        lines.append("Held fixed: " + ", ".join(f"{name} = {value}" for name, value in fixed.items()) + ".")
    for name in axes_of(study):
        values = study[name].values
        span = f", from {values[0]} to {values[-1]}" if len(values) > 1 else f": {values[0]}"
        lines.append(f"{name}: {len(values)} values{span}.")
    if "done" in study:
        done = study["done"].values
        sizes = ", ".join(str(size) for size in study["size"].values)
        lines.append(f"Sizes {sizes}; {study.sizes['realization']} draws at each point and size.")
        counts = f"{int((done == 1).sum())} of {done.size} draws are done"
        failed = int((done == 2).sum())
        lines.append(counts + (f", {failed} failed and are left out." if failed else "."))
    return lines


def figures(study: xr.Dataset) -> list[Section]:
    """One figure for each measured scalar: a line against one parameter, or a plane of two."""
    axes = axes_of(study)
    if not axes or not measured_of(study):
        return []
    shown = study.isel({name: 0 for name in axes[2:]})
    draw = _against_one if len(axes) == 1 else _plane
    pictures = [picture for name in measured_of(study) if (picture := draw(shown, name, axes)) is not None]
    text = tuple(f"Shown at {name} = {study[name].values[0]}." for name in axes[2:])
    return [Section("Figures", text, pictures=tuple(pictures))]


def table(study: xr.Dataset) -> Section:
    """Means with error bars and the theory beside them, point by point at the largest size."""
    axes, names = axes_of(study), measured_of(study)
    if not names:
        return Section("Measurements", ("Nothing was measured: the study is of theory only.",))
    at = study.isel(size=-1)
    dims = axes or [dim for dim in at[names[0]].dims if dim != "realization"]
    flat = at.stack(place=dims) if len(dims) > 1 else at.rename({dims[0]: "place"}) if dims else at.expand_dims("place")
    parameters = [name for name in (axes or list(json.loads(study.attrs["study"]).get("columns", {}))) if name in study]
    names = [name for name in names if f"{name}_theory" in study] or names
    rows = []
    for k in range(min(flat.sizes["place"], LONGEST_TABLE)):
        point = flat.isel(place=k)
        row = [plain(float(point["place" if len(axes) == 1 else name])) for name in parameters]
        for name in names:
            draws = point[name].values[np.isfinite(point[name].values)]
            error = draws.std(ddof=1) / np.sqrt(len(draws)) if len(draws) > 1 else np.nan
            row.append(with_error(draws.mean(), error) if len(draws) else "-")
            if f"{name}_theory" in point:
                row.append(plain(float(point[f"{name}_theory"])))
        rows.append(row)
    header = list(parameters)
    for name in names:
        header += [name, "theory"] if f"{name}_theory" in study else [name]
    left = flat.sizes["place"] - len(rows)
    text = (f"Size {int(study['size'].values[-1])}, the digits in brackets are the standard error of the last digits.",)
    text += (f"{left} further points are in the store.",) if left else ()
    return Section("Measurements", text, (Table(header, rows),))


def reproduction(study: xr.Dataset, path: str) -> Section:
    """The study as a file for the command line, and the lines that read the store."""
    described = json.loads(study.attrs["study"])
    name = catalogue_name(described["system"]) or described["system"]
    lines = ["[study]", f"system = {json.dumps(name)}"]
    lines += [
        f"{key} = {json.dumps(described[key])}" for key in ("sizes", "realizations", "seed") if described.get(key)
    ]
    if described.get("common_draws"):
        lines.append("common_draws = true")
    lines += [f"store = {json.dumps(path)}", "", "[parameters]"]
    values = json.loads(study.attrs["fixed"]) | (described.get("grid") or {})
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    python = f"import replicon as rp\n\nstudy = rp.open_study({path!r})\nprint(study)"
    code = [Code(python, "In Python")]
    if described.get("grid"):
        code.insert(0, Code("\n".join(lines), "study.toml, for 'replicon sweep study.toml'"))
    return Section("Again", ("The same versions on the same kind of machine give the same numbers.",), code=tuple(code))


def provenance(study: xr.Dataset) -> Section:
    """Versions and machine that the study was begun with."""
    found = json.loads(study.attrs.get("provenance", "{}")) or provenance_now()
    return Section("Where the numbers come from", tables=(provenance_table({**found, "seed": study.attrs["seed"]}),))


def sources(study: xr.Dataset) -> Section:
    """The literature and BibTeX."""
    described = json.loads(study.attrs["study"])
    return sources_section(tuple(json.loads(study.attrs["references"])), class_of(described["system"]))


def _against_one(study: xr.Dataset, name: str, axes: list[str]) -> Picture | None:
    along = axes[0]
    if study[along].dtype.kind not in "iuf" or study.sizes[along] < 2:
        return None
    figure = plot_parameter(_theory_of(study, name), name, along, study)
    sizes = ", ".join(str(size) for size in study["size"].values)
    alt = f"{name} against {along}, simulation with error bars at N = {sizes} and theory"
    return Picture(figure, alt, str(study[name].attrs.get("long_name", "")))


def _plane(study: xr.Dataset, name: str, axes: list[str]) -> Picture | None:
    pair = axes[:2]
    if any(study[axis].dtype.kind not in "iuf" or study.sizes[axis] < 2 for axis in pair):
        return None
    mean = study[name].isel(size=-1).mean("realization")
    theory = _theory_of(study, name)
    caption = f"{study[name].attrs.get('long_name', name)}; simulation at N = {int(study['size'].values[-1])}"
    if name in theory and np.isfinite(theory[name]).any():
        flat = mean.stack(point=pair)
        points = xr.Dataset({axis: (("point",), flat[axis].values) for axis in pair})
        points["value"] = (("point",), flat.values)
        figure = plot_plane(theory[name], points=points, x=pair[0], y=pair[1], label=name)
        return Picture(figure, f"{name} over {pair[0]} and {pair[1]}: theory as colour, simulation as circles", caption)
    figure = plot_plane(mean, x=pair[0], y=pair[1], label=name)
    return Picture(figure, f"measured {name} over {pair[0]} and {pair[1]}", caption)


def _theory_of(study: xr.Dataset, name: str) -> xr.Dataset:
    """The prediction under the observable's own name, at the largest size where it depends on size."""
    if f"{name}_theory" not in study:
        return xr.Dataset(coords=study.coords)
    values: Any = study[f"{name}_theory"]
    values = values.isel(size=-1, drop=True) if "size" in values.dims else values
    return values.to_dataset(name=name).assign_attrs(study.attrs)
