"""Couplings of the cavity: density, moments, spectrum and its sampling corrections, stability of the ferromagnet."""

import jax
import numpy as np
import pytest
from scipy import integrate, stats

from replicon.core.errors import ParameterError
from replicon.memory.cavity import simulation, theory

WIDTHS = (0.3, 0.7, 1.0, 2.0)


def independent_pairs(width, count, seed):
    """No spin is used twice: the couplings of one draw are not independent."""
    first, second = simulation.draw_positions(2 * count, width, np.random.default_rng(seed)).reshape(2, count, 2)
    return np.cos(2 * (first * second).sum(axis=1))


@pytest.mark.parametrize("width", WIDTHS)
def test_density_of_independent_pairs(width):
    values = independent_pairs(width, 20_000, 1)
    assert stats.kstest(values, lambda J: np.asarray(theory.coupling_distribution(J, width))).pvalue > 0.01
    if width < 2:  # a wide cavity has J almost uniform in angle, whatever its width
        wrong = stats.kstest(values, lambda J: np.asarray(theory.coupling_distribution(J, 1.05 * width)))
        assert wrong.pvalue < 0.01, "five per cent of the width would be noticed"


@pytest.mark.parametrize("width", WIDTHS)
def test_density_distribution_and_moments_agree(width):
    def over_angle(power):
        def density(angle):
            return float(theory.coupling_density(np.cos(angle), width)) * np.sin(angle) * np.cos(angle) ** power

        return integrate.quad(density, 1e-9, np.pi - 1e-9, limit=100)[0]

    moments = theory.coupling_moments(width).values
    assert over_angle(0) == pytest.approx(1, abs=1e-6)
    assert over_angle(1) == pytest.approx(moments["mean"], abs=1e-6)
    assert over_angle(2) == pytest.approx(moments["mean_square"], abs=1e-6)
    slope = np.diff(np.asarray(theory.coupling_distribution([0.2 - 1e-5, 0.2 + 1e-5], width)))[0] / 2e-5
    assert slope == pytest.approx(float(theory.coupling_density(0.2, width)), rel=1e-5)


def test_edges_and_limits():
    np.testing.assert_array_equal(theory.coupling_density([-1.5, -1, 1, 1.5], 1.0).values, [0, np.inf, np.inf, 0])
    np.testing.assert_array_equal(theory.coupling_distribution([-2, -1, 1, 2], 0.05).values, [0, 0, 1, 1])
    assert theory.coupling_moments(0.01).values["mean"] == pytest.approx(1, abs=1e-6)
    assert theory.coupling_moments(30.0).values["mean_square"] == pytest.approx(0.5, abs=1e-6)
    assert np.isfinite(theory.coupling_density(0.9, 0.05).values), "no overflow at small width"
    arcsine = 1 / (np.pi * np.sqrt(1 - 0.3**2))
    assert float(theory.coupling_density(0.3, 30.0)) == pytest.approx(arcsine, rel=1e-5)


@pytest.mark.parametrize("width", WIDTHS)
def test_sum_rules_of_the_spectrum(width):
    """Trace E cos(2 r^2), and the trace of the square, which is E J^2."""
    values = theory.spectrum(width, 400).values
    trace = integrate.quad(lambda x: np.exp(-x) * np.cos(4 * width**2 * x), 0, 60, limit=2000)[0]
    assert (values["eigenvalue"] * values["multiplicity"]).sum() == pytest.approx(trace, abs=1e-6)
    square = (values["eigenvalue"] ** 2 * values["multiplicity"]).sum()
    assert square == pytest.approx(theory.coupling_moments(width).values["mean_square"], abs=1e-6)


def test_spectrum_as_published_and_its_multiplicities():
    values = theory.spectrum(0.7).values
    np.testing.assert_allclose(values["eigenvalue"], [0.6249, -0.2344, 0.0879, -0.0330], atol=6e-5)
    np.testing.assert_array_equal(values["multiplicity"], [1, 3, 5, 7])
    with pytest.raises(ParameterError, match="levels"):
        theory.spectrum(0.7, 0)


def test_levels_of_one_large_draw_split_by_sampling():
    couplings = simulation.cavity_couplings(simulation.draw_positions(1000, 0.7, np.random.default_rng(2)))
    eigenvalues = np.linalg.eigvalsh(couplings) / 1000
    top, bottom = eigenvalues[::-1], eigenvalues
    limit = 5 / np.sqrt(1000)
    assert abs(top[0] - 0.6249) < limit
    assert np.abs(bottom[:3] + 0.2344).max() < limit < bottom[3] + 0.2344, "three and no more"
    assert np.abs(top[1:6] - 0.0879).max() < limit


def test_sampling_moves_the_levels_by_one_over_n():
    """The mean over draws follows the correction; without it the largest eigenvalue would be many errors off."""
    width, size, draws = 0.7, 60, 3000
    found = np.array(
        [
            np.linalg.eigvalsh(simulation.cavity_couplings(simulation.draw_positions(size, width, generator)))[-1]
            / size
            for generator in map(np.random.default_rng, range(draws))
        ]
    )
    error = found.std() / np.sqrt(draws)
    assert abs(found.mean() - theory.sampled_spectrum(width, size).values[0]) < 3.5 * error
    assert abs(found.mean() - theory.spectrum(width).values["eigenvalue"][0]) > 5 * error


def test_spread_of_the_largest_eigenvalue_falls_as_the_root_of_n():
    spreads = []
    for size in (50, 200):
        draws = [simulation.draw_positions(size, 0.7, np.random.default_rng([3, seed])) for seed in range(300)]
        spreads.append(np.std([np.linalg.eigvalsh(simulation.cavity_couplings(p))[-1] / size for p in draws]))
    assert spreads[0] / spreads[1] == pytest.approx(2, rel=0.15)


def test_lost_levels_are_said_to_be_lost():
    values, status = theory.sampled_spectrum(1.5, 50)
    assert np.isnan(values).all() and status == theory.UNRESOLVED
    values, status = theory.sampled_spectrum(0.7, 200)
    assert np.isfinite(values[:2]).all() and np.isnan(values[3]) and status == 0


def test_ferromagnet_error_against_simulation():
    for width, size in ((0.7, 100), (0.8, 200), (1.0, 100)):
        found = []
        for seed in range(400):
            positions = simulation.draw_positions(size, width, np.random.default_rng([4, seed]))
            found.append((simulation.cavity_couplings(positions).sum(axis=1) < 0).mean())
        error = np.std(found) / 20
        assert abs(np.mean(found) - float(theory.ferromagnet_error(width, size))) < 3.5 * error


def test_width_of_the_stable_ferromagnet():
    """Exactly there the number of unstable spins does not depend on the size; below it vanishes, above it grows."""
    sizes = np.array([1e3, 1e6, 1e9])
    at, below, above = (sizes * theory.ferromagnet_error(w, sizes).values for w in (2**-0.75, 0.55, 0.65))
    assert theory.ferromagnet_width() == 2**-0.75
    np.testing.assert_allclose(at, 0.26, atol=0.012)
    assert (np.diff(below) < 0).all() and below[-1] < 1e-3 and (np.diff(above) > 0).all() and above[-1] > 100


def test_grids_gradients_and_ranges():
    grid = theory.sampled_spectrum(np.array([0.5, 0.7]), 500)
    np.testing.assert_allclose(grid.values[1], theory.sampled_spectrum(0.7, 500).values, equal_nan=True)
    for function in (
        lambda w: theory.coupling_moments(w).values["mean"],
        lambda w: theory.sampled_spectrum(w, 500).values[0],
        lambda w: theory.ferromagnet_error(w, 500.0).values,
        lambda w: theory.coupling_density(0.3, w).values,
    ):
        with jax.enable_x64(True):
            slope = float(jax.grad(function)(0.8))
        assert slope == pytest.approx((float(function(0.8 + 1e-5)) - float(function(0.8 - 1e-5))) / 2e-5, rel=1e-4)
    for width in (0.0, -1.0, np.nan, np.inf):
        values, status = theory.coupling_moments(width)
        assert np.isnan(values["mean"]) and status == theory.OUT_OF_RANGE
        assert theory.sampled_spectrum(width, 100).status == theory.OUT_OF_RANGE
