"""The phase diagram of the Hopfield model in the plane of load and temperature, by one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from replicon.core.phases import PhaseLine
from replicon.core.plotting import plot_plane
from replicon.core.prediction import predict
from replicon.core.realization import realize
from replicon.memory.hopfield import theory
from replicon.memory.hopfield.model import Hopfield

LABELS = {
    "T_g: spin glass": "spin_glass_temperature",
    "T_M: retrieval metastable": "retrieval_spinodal",
    "T_c: retrieval stable": "thermodynamic_transition",
    "T_R: Almeida-Thouless": "almeida_thouless_line",
}


@dataclass(frozen=True)
class PhaseDiagram:
    """The four lines, the retrieval overlap between them, and measured points.

    Attributes
    ----------
    theory : xarray.Dataset
        Predictions with dims (load, temperature).
    boundaries : dict of str to (array, array)
        Loads and temperatures of the lines ``spin_glass_temperature`` (T_g), ``retrieval_spinodal`` (T_M),
        ``thermodynamic_transition`` (T_c) and ``almeida_thouless_line`` (T_R); nan where a line does not exist.
    points : xarray.Dataset or None
        Measured overlaps with dims (point,): ``load``, ``temperature``, ``value`` (mean over draws),
        ``standard_error``, ``size``.
    """

    theory: xr.Dataset
    boundaries: dict[str, tuple[np.ndarray, np.ndarray]]
    points: xr.Dataset | None = None

    def plot(self) -> Any:
        """Draw overlap as colour, the four lines and the measured points; a `matplotlib.figure.Figure`."""
        retrieval = self.theory["overlap"].where((self.theory["status"] & theory.NO_RETRIEVAL_STATE) == 0, 0.0)
        lines = {label: self.boundaries[name] for label, name in LABELS.items()}
        figure = plot_plane(retrieval, lines, self.points, x="load", y="temperature", label="retrieval overlap m")
        figure.axes[0].set_title("Hopfield model", fontsize=10)
        return figure

    def _repr_html_(self) -> str:
        import io

        buffer = io.StringIO()
        self.plot().savefig(buffer, format="svg")
        return buffer.getvalue()


def phase_diagram(
    loads: Sequence[float] | None = None,
    temperatures: Sequence[float] | None = None,
    *,
    simulation: xr.Dataset | bool = False,
    size: int = 500,
    realizations: int = 4,
    seed: int = 0,
) -> PhaseDiagram:
    """Compute the phase diagram: four lines, the overlap on a grid, and measured points if asked for.

    Parameters
    ----------
    loads, temperatures : sequence of float, optional
        The grid; by default 60 loads in (0, 0.16] and 60 temperatures in [0, 1.5].
    simulation : Dataset or bool
        True simulates a coarse grid of points now; a dataset of `sweep` over load and temperature is averaged over
        its draws at its largest size.
    size, realizations, seed : int
        Of the points that are simulated now.

    Returns
    -------
    PhaseDiagram

    References
    ----------
    Amit, Gutfreund and Sompolinsky, Ann. Phys. 173, 30 (1987), figure 2.
    """
    across = np.linspace(0.16 / 60, 0.16, 60) if loads is None else np.asarray(loads, dtype=float)
    up = np.linspace(0.0, 1.5, 60) if temperatures is None else np.asarray(temperatures, dtype=float)
    grid = predict(Hopfield, load=across, temperature=up)
    boundaries = _boundaries(across)
    if isinstance(simulation, xr.Dataset):
        points = _from_sweep(simulation)
    else:
        points = _simulated(across, up, size, realizations, seed) if simulation else None
    return PhaseDiagram(grid, boundaries, points)


def phase_lines() -> list[PhaseLine]:
    """The four lines in the plane of load and temperature, for loads up to 0.2."""
    boundaries = _boundaries(np.linspace(0.2 / 60, 0.2, 60))
    return [PhaseLine(label, ("load", "temperature"), boundaries[name]) for label, name in LABELS.items()]


def _boundaries(loads: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The lines up to the largest of the loads."""
    fine: Any = np.unique(np.concatenate([np.geomspace(loads.min() / 50, loads.max(), 60), loads]))
    # Replica symmetry makes the two retrieval lines turn back at low temperature: they are functions of T, not of load.
    cold: Any = np.linspace(0.0, 0.999, 120)
    return {
        "spin_glass_temperature": (fine, np.asarray(theory.spin_glass_temperature(fine).values)),
        "retrieval_spinodal": (np.asarray(theory.critical_load(cold).values), cold),
        "thermodynamic_transition": (np.asarray(theory.thermodynamic_load(cold).values), cold),
        "almeida_thouless_line": (fine, np.asarray(theory.almeida_thouless_line(fine).values)),
    }


def _simulated(loads: np.ndarray, temperatures: np.ndarray, size: int, realizations: int, seed: int) -> xr.Dataset:
    """Measured overlaps on seven by seven points of the grid, kept off its edges."""
    chosen = [np.unique(axis[np.linspace(0, len(axis) - 1, 9).astype(int)[1:-1]]) for axis in (loads, temperatures)]
    columns: dict[str, list[float]] = {"load": [], "temperature": [], "value": [], "standard_error": []}
    for load in chosen[0]:
        for temperature in chosen[1]:
            draws = realize(Hopfield(load=load, temperature=temperature), size, range(realizations), seed=seed)
            overlaps = draws.values["overlap"]
            row = (load, temperature, overlaps.mean(), overlaps.std(ddof=1) / np.sqrt(len(overlaps)))
            for column, number in zip(columns.values(), row, strict=True):
                column.append(float(number))
    data = {name: (("point",), np.asarray(values)) for name, values in columns.items()}
    return xr.Dataset(data | {"size": size})


def _from_sweep(sweep: xr.Dataset) -> xr.Dataset:
    """Mean overlap of a stored sweep at its largest size, as points."""
    draws = sweep["overlap"].isel(size=-1).stack(point=("load", "temperature")).transpose("realization", "point")
    count = draws.notnull().sum("realization")
    data = {
        "load": (("point",), draws["load"].values),
        "temperature": (("point",), draws["temperature"].values),
        "value": (("point",), draws.mean("realization").values),
        "standard_error": (("point",), (draws.std("realization", ddof=1) / np.sqrt(count)).values),
        "size": int(sweep["size"].values[-1]),
    }
    return xr.Dataset(data)
