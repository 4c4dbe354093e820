"""Fits of thresholds and collapses: against a direct minimisation, and the coverage of their error bars."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtr

from replicon.maths.data_collapse import fit_collapse
from replicon.maths.finite_size import bootstrap_threshold, fit_threshold

X = np.linspace(0.1, 0.25, 9)
TRIALS = np.full(9, 20)


def test_threshold_is_the_maximum_of_the_likelihood():
    won = np.array([20, 20, 18, 15, 12, 6, 3, 0, 1])

    def minus_log_likelihood(values):
        p = np.clip(ndtr((values[0] - X) / values[1]), 1e-15, 1 - 1e-15)
        return -np.sum(won * np.log(p) + (TRIALS - won) * np.log(1 - p))

    best = minimize(minus_log_likelihood, [0.17, 0.03], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-10})
    fit = fit_threshold(X, won, TRIALS)
    assert [fit.location, fit.width] == pytest.approx(best.x, rel=1e-5)
    rising = fit_threshold(-X[::-1], won[::-1], TRIALS)
    assert rising.location == pytest.approx(-fit.location)
    assert rising.width == pytest.approx(-fit.width)
    expected = 20 * ndtr(-np.abs(best.x[0] - X) / best.x[1])
    assert fit.degrees_of_freedom == np.sum(expected >= 1) - 2


def test_threshold_errors_cover():
    generator = np.random.default_rng(0)
    fits = [fit_threshold(X, generator.binomial(TRIALS, ndtr((0.17 - X) / 0.02)), TRIALS) for _ in range(400)]
    pulls = np.array([[(f.location - 0.17) / f.location_error, (f.width - 0.02) / f.width_error] for f in fits])
    # the standard deviation of 400 normal numbers has an error of 0.035
    assert pulls[:, 0].std() == pytest.approx(1.0, abs=0.14)
    assert pulls[:, 1].std() == pytest.approx(1.0, abs=0.3), "the width is skew at 180 draws"
    assert abs(pulls[:, 0].mean()) < 4 / 20


def test_chi_square_tells_a_wrong_curve():
    generator = np.random.default_rng(5)
    x, trials = np.linspace(0.13, 0.21, 9), np.full(9, 400)
    right, wrong = [], []
    for _ in range(100):
        right.append(fit_threshold(x, generator.binomial(trials, ndtr((0.17 - x) / 0.02)), trials))
        steps = 0.25 + 0.5 * (x < 0.17)
        wrong.append(fit_threshold(x, generator.binomial(trials, steps), trials))
    assert {fit.degrees_of_freedom for fit in right} == {7}
    # the mean of 100 chi squares with 7 degrees of freedom has an error of 0.37
    assert np.mean([fit.chi_square for fit in right]) == pytest.approx(7, abs=1.5)
    assert np.min([fit.chi_square for fit in wrong]) > 40


def test_bootstrap_agrees_with_the_fisher_information():
    generator = np.random.default_rng(1)
    won = generator.binomial(4 * TRIALS, ndtr((0.17 - X) / 0.02))
    fit = fit_threshold(X, won, 4 * TRIALS)
    resampled = bootstrap_threshold(X, won, 4 * TRIALS, generator, 400)
    assert np.std(resampled) == pytest.approx(fit.location_error, rel=4 * 0.035)


@pytest.mark.parametrize("won", [[5, 5, 0, 0], [0, 0, 5, 5], [5, 3, 0, 0], [5, 5, 2, 0]])
def test_outcomes_that_do_not_overlap_give_the_gap(won):
    x, trials = np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 5)
    fit = fit_threshold(x, won, trials)
    assert fit.separated and 2.0 <= fit.location <= 3.0
    assert np.isnan(bootstrap_threshold(x, won, trials, np.random.default_rng(0), 3)).all()


def test_one_outcome_only_has_no_threshold():
    assert np.isnan(fit_threshold([1, 2], [5, 5], [5, 5]).location)


def scaled_data(generator, critical=0.3, inverse_nu=0.5, shift=0.125, relative=0.01):
    """Four sizes on one curve, tanh, with noise."""
    sizes, x, y, errors = [], [], [], []
    for size in (100, 200, 400, 800):
        position = critical + np.linspace(-0.12, 0.12, 13) * (size / 100) ** -inverse_nu
        value = size**-shift * (1.5 + np.tanh(2 * (position - critical) * size**inverse_nu))
        error = np.full(13, relative * size**-shift)
        sizes.append(np.full(13, size))
        x.append(position)
        y.append(value + error * generator.standard_normal(13))
        errors.append(error)
    return [np.concatenate(part) for part in (sizes, x, y, errors)]


def test_collapse_recovers_exponents_and_its_errors_cover():
    generator = np.random.default_rng(2)
    pulls, quality = [], []
    for _ in range(100):
        fit = fit_collapse(*scaled_data(generator), knots=4)
        truth = np.array([0.3, 0.5, 0.125])
        pulls.append((np.array([fit.critical, fit.inverse_nu, fit.shift]) - truth) / fit.errors)
        quality.append(fit.chi_square / fit.degrees_of_freedom)
    # the standard deviation of 100 normal numbers has an error of 0.07, their mean one of 0.1
    assert np.std(pulls, axis=0) == pytest.approx(np.ones(3), abs=0.28)
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.4
    assert np.mean(quality) == pytest.approx(1.0, abs=0.1)


def test_wrong_exponents_do_not_collapse():
    data = scaled_data(np.random.default_rng(3))
    right = fit_collapse(*data)
    for wrong in ({"inverse_nu": 0.8}, {"shift": 0.0}, {"critical": 0.31}):
        fit = fit_collapse(*data, **wrong)
        assert fit.chi_square / fit.degrees_of_freedom > 4 > right.chi_square / right.degrees_of_freedom
    given = fit_collapse(*data, inverse_nu=0.5, shift=0.125)
    assert given.errors[0] < right.errors[0] and given.errors[1] == given.errors[2] == 0
    assert given.inverse_nu == 0.5 and given.shift == 0.125


def test_collapse_of_counts_covers_also_with_long_tails():
    generator = np.random.default_rng(4)
    sizes = np.repeat([500, 1000, 2000, 4000], 9)
    x = 0.14 + (0.7 + 0.4 * np.tile([-9, -5, -2, -1, 0, 1, 2, 5, 9], 4)) * sizes**-0.5
    pulls = []
    for _ in range(60):
        won = generator.binomial(40, ndtr((0.14 + 0.7 * sizes**-0.5 - x) / (0.4 * sizes**-0.5)))
        trials = np.full(36, 40.0)
        errors = np.sqrt((won + 2) * (42 - won) / 44.0**3)
        fit = fit_collapse(sizes, x, won / 40, errors, shift=0.0, knots=0, trials=trials)
        pulls.append([(fit.critical - 0.14) / fit.errors[0], (fit.inverse_nu - 0.5) / fit.errors[1]])
    assert np.abs(np.mean(pulls, axis=0)).max() < 4 / np.sqrt(60)
    assert np.std(pulls, axis=0) == pytest.approx(np.ones(2), abs=0.37)


def test_too_little_data_is_refused():
    with pytest.raises(ValueError, match="two sizes"):
        fit_collapse(np.full(20, 100), np.arange(20), np.arange(20), np.ones(20))
    with pytest.raises(ValueError, match="too few"):
        fit_collapse([1, 2, 1, 2], [0, 0, 1, 1], [0, 0, 1, 1], np.ones(4))
