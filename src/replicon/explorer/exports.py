"""What a view can be taken away as: CSV, netCDF, PNG, and the lines of Python that give its numbers again."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from replicon.core.plotting import COLOURS
from replicon.core.provenance import provenance
from replicon.core.seeds import canonical
from replicon.explorer.measurements import Cell
from replicon.explorer.picture import STYLES, Picture
from replicon.explorer.view import Subject, View

MARKERS = {
    "circle": "o", "square": "s", "triangle": "^", "diamond": "D", "inverted_triangle": "v", "plus": "P", "x": "X",
}  # fmt: skip


def to_csv(subject: Subject, view: View, picture: Picture) -> str:
    """All that is drawn, one number a row: theory, measurements and published numbers."""
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\n").writerow
    write([f"# {view.system}, {picture.title or 'no other parameters'}; {_theory_kind(view)}"])
    across = view.x if view.plot != "curve" else picture.x_label
    up = [view.y] if view.plot == "map" else []
    write(["kind", across, *up, view.observable, "standard_error", "draws", "size", "remark"])
    if picture.cells is not None:
        for i, x in enumerate(picture.x):
            for j, y in enumerate(picture.y):
                write(["theory", _number(x), _number(y), _number(picture.cells[j, i]), "", "", "", ""])
    for k, x in enumerate(picture.x if picture.cells is None else []):
        style = next((s for s in STYLES if s in picture.lines and np.isfinite(picture.lines[s][k])), None)
        value = np.nan if style is None else picture.lines[style][k]
        remark = "no solution" if style is None else "" if style == "sure" else picture.labels[style]
        write(["theory", _number(x), _number(value), "", "", "", remark])
    for point in picture.points:
        place = [_number(point.x), *([_number(point.y)] if up else [])]
        write(["simulation", *place, _number(point.mean), _number(point.error), point.count, point.size, ""])
    for mark in picture.marks:
        place = [_number(mark.x), *([_number(mark.y)] if up else [])]
        value = "" if up else _number(mark.y)
        write(["published", *place, value, "", "", "", f"{mark.text}; {mark.source}"])
    return buffer.getvalue()


def to_dataset(subject: Subject, view: View, picture: Picture) -> xr.Dataset:
    """The drawn numbers with symbols, units, references and provenance.

    Theory has the parameters (or the coordinate of the curve) as dims; measurements have the dim ``measured``.
    """
    known, entry = subject.owner.parameters(), subject.table[view.observable]
    meaning = {"symbol": entry.symbol, "units": entry.unit, "long_name": entry.doc}
    across = view.x if view.plot != "curve" else picture.x_label

    def described(name: str) -> dict[str, str]:
        info = known.get(name)
        return {} if info is None else {"symbol": info.symbol, "units": info.unit, "long_name": info.doc}

    data: dict[str, Any] = {}
    coords: dict[str, Any] = {across: (across, np.asarray(picture.x, dtype=float), described(across))}
    if picture.cells is not None:
        coords[view.y] = (view.y, np.asarray(picture.y, dtype=float), described(view.y))
        data["theory"] = ((view.y, across), picture.cells, meaning)
    elif len(picture.x):
        blank = np.full(len(picture.x), np.nan)
        for style in STYLES:
            attrs = {**meaning, "remark": picture.labels.get(style, "")}
            data[f"theory_{style}"] = (across, picture.lines.get(style, blank), attrs)
    points = picture.points
    data[f"measured_{across}"] = ("measured", np.array([p.x for p in points], dtype=float), described(across))
    if picture.cells is not None:
        data[f"measured_{view.y}"] = ("measured", np.array([p.y for p in points], dtype=float), described(view.y))
    data["mean"] = ("measured", np.array([p.mean for p in points], dtype=float), meaning)
    data["standard_error"] = ("measured", np.array([p.error for p in points], dtype=float), meaning)
    data["draws"] = ("measured", np.array([p.count for p in points], dtype=np.int32))
    data["size"] = ("measured", np.array([p.size for p in points], dtype=np.int32))
    attrs = {
        "system": view.system,
        "observable": view.observable,
        "parameters": canonical(dict(view.values)),
        "theory": _theory_kind(view),
        "link": view.query(),
        "references": "; ".join(reference.short for reference in subject.owner.references),
        "provenance": canonical(provenance()),
    }
    return xr.Dataset(data, coords=coords, attrs=attrs)


def to_netcdf(subject: Subject, view: View, picture: Picture) -> bytes:
    """`to_dataset` as a netCDF 3 file, which needs no further package to read or write."""
    return bytes(to_dataset(subject, view, picture).to_netcdf(engine="scipy"))  # type: ignore[arg-type]


def to_python(subject: Subject, view: View, points: int, cells: Sequence[Cell]) -> str:
    """The lines that give the same numbers: the theory, and the draws of the cells that are shown."""
    owner, axes = subject.owner, () if view.plot == "curve" else (view.x, view.y) if view.plot == "map" else (view.x,)
    lines = ["import numpy as np", "import replicon as rp", f"from {owner.__module__} import {owner.__name__}", ""]
    fixed = [f"{name}={value!r}" for name, value in view.values.items() if name not in axes]
    size = f"size={view.sizes.split(',')[0].strip()}" if view.theory == "finite" else ""
    if not subject.predicts:
        lines.pop()
    elif axes:
        ends = [subject.limits(view, "x"), subject.limits(view, "y") if len(axes) > 1 else (0.0, 0.0)]
        spaced = [f"{n}=np.linspace({low!r}, {high!r}, {points})" for n, (low, high) in zip(axes, ends, strict=False)]
        lines += _call(f"theory = rp.predict({owner.__name__}", [*spaced, *fixed, *([size] if size else [])])
        shown = f'theory["{view.observable}"]'
        x, y = (*axes, "")[:2]
        lines.append(
            f'figure = rp.plot_plane({shown}, x="{x}", y="{y}")' if y else
            f'figure = rp.plot_parameter(theory, "{view.observable}", "{x}")'
        )  # fmt: skip
        lines.append('figure.savefig("theory.png", dpi=160)')
    else:
        lines += _call(f"model = {owner.__name__}(", fixed, opened=True)
        lines += [f"theory = model.theory({size})", f"print(model.coords(), theory.{view.observable})"]
    for seed in sorted({cell.seed for cell in cells if cell.seed >= 0}):
        mine = [cell for cell in cells if cell.seed == seed]
        draws = max(max(cell.draws, default=-1) for cell in mine) + 1
        values = [f"{n}={sorted({float(cell.values[n]) for cell in mine})!r}" for n in axes]
        more = [f"sizes={sorted({cell.size for cell in mine})}", f"realizations={draws}", f"seed={seed}"]
        lines += ["", *_call(f"measured = rp.sweep({owner.__name__}", [*values, *fixed, *more])]
        lines += [f'mean = measured["{view.observable}"].mean("realization")', "print(mean)"]
    return "\n".join(lines) + "\n"


def to_png(picture: Picture) -> bytes:
    """The plot as an image, drawn on the server with the same colours and words."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.0), layout="constrained")
    axes = figure.subplots()
    if picture.cells is not None:
        image = axes.pcolormesh(picture.x, picture.y, picture.cells, cmap="cividis", shading="nearest", rasterized=True)
        across, up = axes.get_xlim(), axes.get_ylim()
        figure.colorbar(image, ax=axes, label=picture.value_label)
        for number, (name, x, y) in enumerate(picture.phases):
            axes.plot(x, y, "-", color="black", linewidth=3.2)
            axes.plot(x, y, "-", color=("white", *COLOURS[1:])[number % 7], linewidth=1.8, label=name)
        if picture.points:
            columns = [[getattr(p, c) for p in picture.points] for c in ("x", "y", "mean")]
            low, high = image.get_clim()
            axes.scatter(
                columns[0], columns[1], c=columns[2], cmap="cividis", vmin=low, vmax=high, edgecolors="white", s=45,
                zorder=4, label="simulated",
            )  # fmt: skip
        axes.set_xlim(across)
        axes.set_ylim(up)
    for style, dash in zip(STYLES, ("-", "--", ":"), strict=True):
        values = picture.lines.get(style, np.zeros(0))
        if np.isfinite(values).any():
            axes.plot(picture.x, values, dash, color="black", label=picture.labels[style][:70], zorder=2)
    for size in picture.sizes if picture.cells is None else []:
        colour, marker = picture.look(size)
        mine = [p for p in picture.points if p.size == size]
        error = np.nan_to_num([p.error for p in mine])
        axes.errorbar(
            [p.x for p in mine], [p.mean for p in mine], yerr=error, fmt=MARKERS[marker], color=colour, capsize=2.5,
            label=f"simulated, N = {size}", zorder=3,
        )  # fmt: skip
    for number, mark in enumerate(picture.marks):
        label = "published" if number == 0 else None
        if mark.x is not None and mark.y is not None:
            axes.plot(
                [mark.x], [mark.y], "*", color="#AA3377", markersize=11, markerfacecolor="white", label=label, zorder=5
            )
        elif mark.x is not None:
            axes.axvline(mark.x, color="#AA3377", linestyle=":", label=label)
        elif mark.y is not None:
            axes.axhline(mark.y, color="#AA3377", linestyle=":", label=label)
    axes.set_xlabel(picture.x_label)
    axes.set_ylabel(picture.y_label)
    axes.set_title(picture.title, fontsize=10, wrap=True)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        dark: Any = {"facecolor": "#444444", "labelcolor": "white"} if picture.cells is not None else {"frameon": False}
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8, **dark)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=160)
    return buffer.getvalue()


def _call(opening: str, arguments: list[str], *, opened: bool = False) -> list[str]:
    if opened:
        return [f"{opening}{', '.join(arguments)})"] if arguments else [f"{opening})"]
    text = f"{', '.join([opening, *arguments])})"
    if len(text) <= 110:
        return [text]
    return [f"{opening},", *[f"    {argument}," for argument in arguments], ")"]


def _number(value: Any) -> str:
    return "" if value is None or not np.isfinite(value) else f"{float(value):.12g}"


def _theory_kind(view: View) -> str:
    return "theory at infinite size" if view.theory == "infinite" else f"theory at the smallest of sizes {view.sizes}"
