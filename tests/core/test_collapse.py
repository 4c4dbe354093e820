"""Collapses with known exponents: synthetic draws, the exactly summed Curie-Weiss magnet, and counted outcomes."""

import matplotlib
import numpy as np
import pytest
import xarray as xr
from scipy.special import gammaln

from replicon import DataError, ParameterError, boundary, collapse
from tests.core.test_boundary import CRITICAL, Jump

matplotlib.use("agg")


def sweep_like(sizes, x, draw, realizations, seed=0):
    """A dataset as `sweep` returns it."""
    generator = np.random.default_rng(seed)
    values = np.stack([[draw(generator, size, at, realizations) for size in sizes] for at in x])
    return xr.Dataset(
        {"order": (("load", "size", "realization"), values)},
        coords={"load": x, "size": list(sizes)},
        attrs={"system": "Synthetic"},
    )


def noisy(generator, size, x, count):
    return size**-0.2 * (1.5 - np.tanh((x - 0.5) * size**0.4) + 0.1 * generator.standard_normal(count))


@pytest.fixture(scope="module")
def synthetic():
    return sweep_like([100, 200, 400, 800], np.linspace(0.3, 0.7, 17), noisy, 40)


def test_known_exponents_are_recovered(synthetic):
    result = collapse(synthetic, "load", "order", bootstrap=60)
    for name, truth in {
        "critical_point": 0.5, "inverse_nu": 0.4, "beta_over_nu": 0.2, "nu": 2.5, "beta": 0.5,
    }.items():  # fmt: skip
        assert abs(float(result[name]) - truth) < 4 * float(result[f"{name}_error"]), name
        assert float(result[f"{name}_bootstrap_error"]) == pytest.approx(
            float(result[f"{name}_curvature_error"]), rel=0.5
        ), name
    assert float(result["p_value"]) > 0.001 and float(result["quality"]) < 1.6
    assert result.sizes["point"] == 68
    scaled = (result["x"] - result["critical_point"]) * result["size"] ** result["inverse_nu"]
    np.testing.assert_allclose(result["scaled_x"], scaled)
    assert "nu = 2.5" in repr(result) or "nu = 2.4" in repr(result)


def test_wrong_given_exponents_show_in_the_quality(synthetic):
    assert float(collapse(synthetic, "load", "order", inverse_nu=0.6, bootstrap=0)["quality"]) > 3
    assert float(collapse(synthetic, "load", "order", beta_over_nu=0.0, bootstrap=0)["quality"]) > 3
    some = collapse(synthetic, "load", "order", sizes=[200, 800], between=(0.35, 0.65), bootstrap=0)
    assert sorted(np.unique(some["size"])) == [200, 800]
    assert some["x"].min() >= 0.35 and some["x"].max() <= 0.65


def curie_weiss(size, temperature):
    """Mean and spread of |m| of N spins with H = -M^2 / 2N, summed exactly over the magnetisation M."""
    up = np.arange(size + 1)
    m = 2 * up / size - 1
    log_weight = gammaln(size + 1) - gammaln(up + 1) - gammaln(size - up + 1) + size * m**2 / (2 * temperature)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    return np.abs(m), weight


def test_the_curie_weiss_magnet_has_its_exact_exponents():
    """Mean field in N: |m| = N^(-1/4) f((T - 1) N^(1/2)), from independent draws of the exact distribution."""

    def draw(generator, size, temperature, count):
        m, weight = curie_weiss(size, temperature)
        return generator.choice(m, size=count, p=weight)

    sizes = [2000, 4000, 8000, 16000]
    data = sweep_like(sizes, 1 + np.linspace(-0.02, 0.02, 11), draw, 400)
    result = collapse(data, "load", "order", bootstrap=40)
    assert abs(float(result["critical_point"]) - 1.0) < 4 * float(result["critical_point_error"])
    assert float(result["critical_point_error"]) < 0.005
    assert abs(float(result["beta_over_nu"]) - 0.25) < 4 * float(result["beta_over_nu_error"])
    assert abs(float(result["inverse_nu"]) - 0.5) < 4 * float(result["inverse_nu_error"])
    assert float(result["inverse_nu_error"]) < 0.1
    assert float(result["p_value"]) > 0.001
    known = {"critical_point": 1.0, "inverse_nu": 0.5, "bootstrap": 0}
    assert float(collapse(data, "load", "order", beta_over_nu=0.25, **known)["p_value"]) > 0.001
    assert float(collapse(data, "load", "order", beta_over_nu=0.125, **known)["quality"]) > 3


def test_outcomes_of_a_boundary_collapse():
    line = boundary(Jump, "load", simulation=True, sizes=[100, 200, 400, 800], realizations=400, theory=False, seed=3)
    free = collapse(line, bootstrap=60)
    assert abs(float(free["critical_point"]) - CRITICAL) < 4 * float(free["critical_point_error"])
    assert abs(float(free["inverse_nu"]) - 0.5) < 4 * float(free["inverse_nu_error"])
    assert float(free["beta_over_nu"]) == 0.0
    assert float(free["p_value"]) > 0.001
    given = collapse(line, inverse_nu=0.5, bootstrap=60)
    assert float(given["critical_point_error"]) < float(free["critical_point_error"])
    # two ways to the same limit from the same draws
    both = np.hypot(float(given["critical_point_error"]), float(line["extrapolated_error"]))
    assert abs(float(given["critical_point"]) - float(line["extrapolated"])) < 2 * both


def test_fractions_of_a_sweep():
    def draw(generator, size, x, count):
        return (generator.random(count) < 1 / (1 + np.exp((x - 0.5) * 4 * size**0.5))).astype(float)

    data = sweep_like([100, 400, 1600], np.linspace(0.3, 0.7, 21), draw, 60)
    result = collapse(data, "load", "order", success=0.5, bootstrap=40)
    assert abs(float(result["critical_point"]) - 0.5) < 4 * float(result["critical_point_error"])
    assert abs(float(result["inverse_nu"]) - 0.5) < 4 * float(result["inverse_nu_error"])


def test_what_makes_no_sense_is_refused(synthetic):
    with pytest.raises(ParameterError, match="no 'laod'"):
        collapse(synthetic, "laod", "order")
    with pytest.raises(ParameterError, match="give x"):
        collapse(synthetic)
    with pytest.raises(ParameterError, match="no size 150"):
        collapse(synthetic, "load", "order", sizes=[100, 150])
    with pytest.raises(DataError, match="two sizes"):
        collapse(synthetic, "load", "order", sizes=[100])
    with pytest.raises(DataError, match="too few"):
        collapse(synthetic, "load", "order", between=(0.49, 0.51))
    with pytest.raises(DataError, match="select the others"):
        collapse(synthetic.expand_dims(temperature=[0.0, 1.0]), "load", "order")


def test_figure(synthetic):
    result = collapse(synthetic, "load", "order", bootstrap=0)
    (axes,) = result.plot().axes
    labels = [container.get_label() for container in axes.containers if not container.get_label().startswith("_")]
    assert labels == ["N = 100", "N = 200", "N = 400", "N = 800"]
    drawn = np.concatenate([container.lines[0].get_xdata() for container in axes.containers])
    assert np.sort(drawn) == pytest.approx(np.sort(result["scaled_x"].values))
    pulls = (result["scaled_y"] - result["master_curve"]) / result["scaled_error"]
    np.testing.assert_allclose(pulls, result["residual"], atol=1e-6)
