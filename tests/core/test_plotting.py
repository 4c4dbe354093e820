"""Figures of any system: what is drawn is what was measured, and what is missing is a gap."""

import matplotlib
import numpy as np
import pytest
import xarray as xr

from replicon import DataError, ParameterError, compare, plot_parameter, plot_plane, predict
from tests.core.systems import Gaussian, Regimes, Troubled

matplotlib.use("agg")


def test_scalars_against_size():
    result = compare(Gaussian(slope=2.0), [50, 100, 200], 20)
    figure = result.plot("average")
    (axes,) = [a for a in figure.axes if a.axison]
    drawn = axes.containers[0].lines[0]
    assert drawn.get_xdata() == pytest.approx([1 / 50, 1 / 100, 1 / 200])
    assert drawn.get_ydata() == pytest.approx(result["mean"].sel(observable="average").values)
    assert axes.get_xlabel() == "1/N" and "average m" in axes.get_ylabel()
    everything = [a for a in result.plot().axes if a.axison]
    assert len(everything) == 6, "every measured observable has a panel, what is only predicted has none"
    with pytest.raises(ParameterError, match="no measured observable 'entropy'"):
        result.plot("entropy")


def test_curve_and_spectrum():
    curve = compare(Regimes(), [50, 100], 10).plot("curve").axes[0]
    assert curve.get_xlabel() == "time" and len(curve.containers) == 2
    line = next(line for line in curve.lines if line.get_label() == "theory")
    assert line.get_ydata()[-1] == pytest.approx(np.exp(-2))
    spectrum = compare(Troubled(rate=0.0), [1], 3).plot("density").axes[0]
    assert spectrum.get_xlabel() == "eigenvalue" and len(spectrum.collections) == 1


def test_scalar_against_parameter_leaves_a_gap_where_nothing_converged():
    temperatures = np.array([0.5, 1.0, 6.0, 1.5])
    theory = predict(Regimes, temperature=temperatures, branch=["upper", "lower"])
    draws = np.random.default_rng(0).normal(size=(4, 1, 8))
    simulation = xr.Dataset(
        {"value": (("temperature", "size", "realization"), draws)}, coords={"temperature": temperatures, "size": [100]}
    )
    axes = plot_parameter(theory, "value", "temperature", simulation).axes[0]
    lines = [line for line in axes.lines if "branch" in str(line.get_label())]
    assert len(lines) == 2 and np.isnan(lines[0].get_ydata()[2])
    assert axes.containers[0].lines[0].get_ydata() == pytest.approx(draws[:, 0].mean(axis=1))
    assert axes.get_xlabel() == "temperature T [J]"
    with pytest.raises(ParameterError, match="no observable 'heat'"):
        plot_parameter(theory, "heat", "temperature")


def test_plane_with_boundaries_and_points():
    grid = predict(Gaussian, mean=[0.0, 1.0, 2.0], spread=[1.0, 2.0])
    points = xr.Dataset({"mean": ("point", [1.0]), "spread": ("point", [1.5]), "value": ("point", [0.7])})
    axes = plot_plane(grid["average"], {"line": ([0, 2], [1, 2])}, points, label="m").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("mean mu", "spread sigma")
    mesh, marks = axes.collections
    assert mesh.get_array().shape == (2, 3) and marks.get_offsets()[0].tolist() == [1.0, 1.5]
    assert marks.get_clim() == mesh.get_clim()
    assert len(axes.lines) == 2
    with pytest.raises(DataError, match="two parameters"):
        plot_plane(grid["average"].isel(mean=0))
