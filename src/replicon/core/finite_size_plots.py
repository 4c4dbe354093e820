"""Figures of traced boundaries and of scaling collapses."""

from typing import TYPE_CHECKING, Any

import numpy as np

from replicon.core.errors import DataError
from replicon.core.plotting import COLOURS, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from replicon.core.boundary import Boundary
    from replicon.core.collapse import Collapse


def plot_boundary(result: "Boundary", axes: "Axes | None" = None) -> "Figure":
    """Draw a boundary: along one other parameter, or, without one, its thresholds against size**-exponent."""
    dims = [str(dim) for dim in result.dims if dim not in ("size", "level")]
    if len(dims) > 1:
        raise DataError(f"a boundary along {', '.join(dims)} is a surface; select all but one of them")
    figure, axes = _axes(axes)
    name = _title(result.attrs["parameter"], result.attrs["symbol"])
    if not dims:
        _thresholds(axes, result, name)
    else:
        along = result[dims[0]]
        if "theory" in result:
            axes.plot(along, result["theory"], color="black", label="theory", zorder=2)
        for number, size in enumerate(result["size"].values if "boundary" in result else ()):
            at = result.sel(size=size)
            _points(axes, along, at["boundary"], at["boundary_error"], number, f"N = {int(size)}")
        if "extrapolated" in result:
            number = result.sizes["size"]
            _points(axes, along, result["extrapolated"], result["extrapolated_error"], number, "N → ∞")
        axes.set_xlabel(_title(dims[0], along.attrs.get("symbol", "")))
        axes.set_ylabel(name)
    axes.legend(frameon=False, fontsize=8)
    return figure


def plot_collapse(result: "Collapse", axes: "Axes | None" = None) -> "Figure":
    """Draw the scaled points, one colour per size."""
    figure, axes = _axes(axes)
    order = np.argsort(result["scaled_x"].values)
    axes.plot(result["scaled_x"][order], result["master_curve"][order], color="black", label="master curve", zorder=5)
    # What rests on few draws must not cover what is known well.
    weight = np.median(result["scaled_error"]) / result["scaled_error"].values
    for number, size in enumerate(np.unique(result["size"].values)):
        here = result["size"].values == size
        for strong, label in ((True, f"N = {int(size)}"), (False, None)):
            at = result.isel(point=np.flatnonzero(here & ((weight >= 0.5) == strong)))
            if at.sizes["point"]:
                opacity = 1.0 if strong else 0.2
                _points(axes, at["scaled_x"], at["scaled_y"], at["scaled_error"], number, label, opacity)
    x, y = result.attrs["x"], result.attrs["y"]
    axes.set_xlabel(f"({x} - {float(result['critical_point']):.4g}) N^{float(result['inverse_nu']):.3g}")
    shift = float(result["beta_over_nu"])
    axes.set_ylabel(y if shift == 0 else f"{y} N^{shift:.3g}")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _thresholds(axes: "Axes", result: "Boundary", name: str) -> None:
    if "boundary" not in result:
        raise DataError("a single point of the theory is no line; give along={parameter: values} or a simulation")
    exponent = float(result.attrs["exponent"])
    position = result["size"].values.astype(float) ** -exponent
    _points(axes, position, result["boundary"], result["boundary_error"], 0, "simulation")
    _points(axes, [0.0], [float(result["extrapolated"])], [float(result["extrapolated_error"])], 1, "N → ∞")
    ends = np.array([0.0, position.max()])
    axes.plot(ends, float(result["extrapolated"]) + float(result["slope"]) * ends, color=COLOURS[1], linewidth=1)
    if "theory" in result and np.isfinite(result["theory"]):
        axes.axhline(float(result["theory"]), color="black", linestyle=":", label="theory, infinite size")
    axes.set_xlabel(f"N^-{exponent:g}")
    axes.set_ylabel(name)


def _points(axes: "Axes", x: Any, y: Any, error: Any, number: int, label: str | None, opacity: float = 1.0) -> None:
    axes.errorbar(
        x, y, yerr=np.nan_to_num(error), fmt=MARKERS[number % 7], color=COLOURS[number % 7], markersize=4.5,
        capsize=2.5, linewidth=1.2, label=label, alpha=opacity, zorder=3,
    )  # fmt: skip


def _axes(axes: "Axes | None") -> "tuple[Any, Axes]":
    if axes is not None:
        return axes.figure, axes
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    return figure, figure.subplots()


def _title(name: str, symbol: str) -> str:
    return f"{name} {symbol}" if symbol and symbol != name else name
