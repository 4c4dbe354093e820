"""Figures of any system without a word of its own: against size, parameter, coordinate, and in the plane.

Colours are the Okabe-Ito set, which stays distinct for colour-blind readers; what did not converge is a gap.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from replicon.core.errors import DataError, ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from replicon.core.comparison import Comparison

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLES = ("-", "--", "-.", ":")


def plot_comparison(result: "Comparison", observables: str | Sequence[str] | None = None) -> "Figure":
    """One panel per measured observable of a comparison; see ``Comparison.plot``."""
    curves = json.loads(result.attrs["curves"])
    scalars = [str(name) for name in result["observable"].values]
    measured = [n for n in scalars if np.isfinite(result["mean"].sel(observable=n)).any()]
    known = [*measured, *[name for name in curves if name in result or f"{name}_theory" in result]]
    names = known if observables is None else [observables] if isinstance(observables, str) else list(observables)
    for name in names:
        if name not in known:
            raise ParameterError(f"no measured observable {name!r} to plot; there are: {', '.join(known)}")
    if not names:
        raise DataError("nothing was measured, so there is nothing to plot")
    figure, panels = _panels(len(names))
    for name, axes in zip(names, panels, strict=False):
        if name in curves:
            _curve_panel(axes, result, name, *curves[name])
        else:
            _size_panel(axes, result, name)
    title = result.attrs["system"] + ", " + ", ".join(_assignments(result))
    figure.suptitle(textwrap.fill(title, 52 * min(len(names), 3)), fontsize=10)
    return figure


def plot_parameter(
    theory: xr.Dataset, observable: str, along: str, simulation: xr.Dataset | None = None, axes: "Axes | None" = None
) -> "Figure":
    """A scalar against a parameter: theory as a line, measurements with error bars, one colour per size.

    Parameters
    ----------
    theory : xarray.Dataset
        From `predict`, with `along` as a dimension. Points without a solution are gaps.
    observable, along : str
        Names of the observable and of the parameter on the horizontal axis; a further parameter dimension gives
        one line each.
    simulation : xarray.Dataset, optional
        Draws with dims (`along`, size, realization), as `sweep` returns them.
    """
    if observable not in theory and (simulation is None or observable not in simulation):
        raise ParameterError(f"no observable {observable!r}; there are: {', '.join(map(str, theory.data_vars))}")
    figure, axes = _axes(axes)
    if observable in theory:
        lines = theory[observable]
        others = [str(dim) for dim in lines.dims if dim != along]
        flat = lines.stack(line=others) if others else lines.expand_dims("line")
        for number in range(flat.sizes["line"]):
            line = flat.isel(line=number)
            label = "theory" if not others else ", ".join(f"{other} = {line[other].item()}" for other in others)
            axes.plot(line[along], line.values, STYLES[number % 4], color="black", label=label, zorder=2)
    if simulation is not None and observable in simulation:
        for number, size in enumerate(simulation["size"].values):
            draws = simulation[observable].sel(size=size).transpose("realization", along)
            mean = draws.mean("realization")
            error = draws.std("realization", ddof=1) / np.sqrt(draws.notnull().sum("realization"))
            _points(axes, draws[along].values, mean.values, error.values, number, f"N = {int(size)}")
    _label(axes, theory if observable in theory else simulation, along, observable)
    axes.legend(frameon=False, fontsize=8)
    return figure


def plot_plane(
    values: xr.DataArray,
    boundaries: Mapping[str, tuple[Any, Any]] | None = None,
    points: xr.Dataset | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    label: str = "",
    axes: "Axes | None" = None,
) -> "Figure":
    """A phase diagram: an observable as colour over two parameters, boundary lines and measured points on top.

    Parameters
    ----------
    values : DataArray with two dims
        From `predict`; nan is left blank.
    boundaries : mapping of name to (x values, y values), optional
        Lines; nan values are gaps.
    points : Dataset with variables `x`, `y` and "value", optional
        Measurements, drawn as circles in the same colour scale (dims are free).
    x, y : str, optional
        Which dimension is horizontal and vertical; by default the first and the second.
    """
    if values.ndim != 2:
        raise DataError(f"a phase diagram takes two parameters; got dimensions {values.dims}")
    x = str(values.dims[0]) if x is None else x
    y = next(str(dim) for dim in values.dims if dim != x) if y is None else y
    figure, axes = _axes(axes, (6.4, 4.8))
    grid = values.transpose(y, x)
    low, high = float(grid.min()), float(grid.max())
    image = axes.pcolormesh(
        grid[x], grid[y], grid.values, cmap="cividis", shading="nearest", vmin=low, vmax=high, rasterized=True
    )
    across, up = axes.get_xlim(), axes.get_ylim()  # the cells, not the lines that may leave them
    figure.colorbar(image, ax=axes, label=label or str(values.name or ""))
    for number, (name, (horizontal, vertical)) in enumerate((boundaries or {}).items()):
        colour, style = ("white", "#D55E00", "#56B4E9", "#CC79A7")[number % 4], STYLES[number % 4]
        axes.plot(horizontal, vertical, style, color="black", linewidth=3.2)
        axes.plot(horizontal, vertical, style, color=colour, linewidth=1.8, label=name)
    if points is not None:
        axes.scatter(
            points[x].values.ravel(), points[y].values.ravel(), c=points["value"].values.ravel(), cmap="cividis",
            vmin=low, vmax=high, edgecolors="white", linewidths=1.0, s=45, zorder=4, label="simulation", clip_on=False,
        )  # fmt: skip
    axes.set_xlim(across)
    axes.set_ylim(up)
    axes.set_xlabel(_title(values[x], x))
    axes.set_ylabel(_title(values[y], y))
    if boundaries or points is not None:
        where: Any = {"loc": "outside lower center", "ncols": 3} if axes.figure.get_layout_engine() else {}
        lines, labels = axes.get_legend_handles_labels()
        legend = axes.figure.legend(lines, labels, fontsize=8, facecolor="#444444", framealpha=1.0, **where)
        for text in legend.get_texts():
            text.set_color("white")
    return figure


def _size_panel(axes: "Axes", result: "Comparison", name: str) -> None:
    """A scalar against size**-exponent, with the line through the extrapolated value."""
    exponent = float(result.attrs["exponent"])
    line = result.sel(observable=name)
    position = result["size"].values.astype(float) ** -exponent
    _points(axes, position, line["mean"].values, line["standard_error"].values, 0, "simulation")
    theory = line["theory"].values
    if np.isfinite(theory).any():
        axes.plot(position, theory, "-", color="black", label="theory at this size", zorder=2)
    limit = float(line["theory_infinite"])
    if np.isfinite(limit):
        axes.axhline(limit, color="black", linestyle=":", linewidth=1, label="theory, infinite size")
    if np.isfinite(line["extrapolated"]):
        _points(axes, [0.0], [float(line["extrapolated"])], [float(line["extrapolated_error"])], 1, "extrapolated")
    axes.set_xlim(left=-0.03 * position.max(), right=1.08 * position.max())
    axes.set_xlabel(f"N^-{exponent:g}" if exponent != 1 else "1/N")
    axes.set_ylabel(_observable_title(result, name))
    axes.ticklabel_format(useOffset=False)
    axes.locator_params(axis="x", nbins=5)
    axes.legend(frameon=False, fontsize=7)


def _curve_panel(axes: "Axes", result: "Comparison", name: str, dim: str, spectrum: bool) -> None:
    """A curve with error bars, or a spectrum as a step line, at each size."""
    x = result[dim].values if dim in result.coords else np.arange(result.sizes[dim])
    for number, size in enumerate(result["size"].values):
        mean, error = result[f"{name}_mean"].sel(size=size), result[f"{name}_standard_error"].sel(size=size)
        colour = COLOURS[number % len(COLOURS)]
        if spectrum:
            axes.step(x, mean, where="mid", color=colour, label=f"N = {int(size)}")
            axes.fill_between(x, mean - error, mean + error, step="mid", color=colour, alpha=0.25)
        else:
            _points(axes, x, mean.values, error.values, number, f"N = {int(size)}")
    theory = result[f"{name}_theory"].isel(size=-1)
    if np.isfinite(theory).any():
        axes.plot(x, theory, "-", color="black", label="theory", zorder=2)
    axes.set_xlabel(dim)
    axes.set_ylabel(_observable_title(result, name))
    axes.legend(frameon=False, fontsize=7)


def _points(axes: "Axes", x: Any, y: Any, error: Any, number: int, label: str) -> None:
    axes.errorbar(
        x, y, yerr=np.nan_to_num(error), fmt=MARKERS[number % 7], color=COLOURS[number % 7], markersize=4.5,
        capsize=2.5, linewidth=1.2, label=label, zorder=3,
    )  # fmt: skip


def _panels(count: int) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for empty in axes[count:]:
        empty.set_axis_off()
    return figure, list(axes[:count])


def _axes(axes: "Axes | None", size: tuple[float, float] = (5.6, 4.0)) -> "tuple[Any, Axes]":
    if axes is not None:
        return axes.figure, axes
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def _assignments(result: "Comparison") -> list[str]:
    return [f"{name} = {value}" for name, value in json.loads(result.attrs["parameters"]).items()]


def _observable_title(result: "Comparison", name: str) -> str:
    symbol, unit, *_ = json.loads(result.attrs["symbols"])[name]
    return " ".join(
        part for part in (name, "" if symbol == name else symbol, "" if unit == "1" else f"[{unit}]") if part
    )


def _title(values: Any, name: str) -> str:
    symbol, unit = values.attrs.get("symbol", ""), values.attrs.get("units", "1")
    return " ".join(part for part in (name, symbol, "" if unit == "1" else f"[{unit}]") if part)


def _label(axes: "Axes", dataset: Any, along: str, observable: str) -> None:
    axes.set_xlabel(_title(dataset[along], along))
    axes.set_ylabel(_title(dataset[observable], observable))
