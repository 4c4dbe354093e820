"""The penalty level, intervals and parameters of a theory from data with a planted truth."""

import numpy as np
import pytest

from replicon.core.errors import DataError, ParameterError
from replicon.inference.algorithms.functions import as_loss, as_penalty
from replicon.inference.algorithms.separable import fit_separable
from replicon.inference.debiasing import debias
from replicon.inference.intervals import confidence_intervals
from replicon.inference.m_estimation.model import MEstimation
from replicon.inference.theory_fit import fit_theory
from replicon.inference.tuning import tune_penalty

NOISE = 0.5


def problem(seed, samples=240, features=200, scale=1.0):
    generator = np.random.default_rng(seed)
    X = scale * generator.standard_normal((samples, features)) / np.sqrt(features)
    signal = np.where(generator.random(features) < 0.2, 2 * generator.standard_normal(features), 0.0) / scale
    return X, X @ signal + generator.laplace(scale=np.sqrt(NOISE / 2), size=samples), signal


@pytest.mark.parametrize(("loss", "penalty", "level"), [("square", "lasso", 0.6), ("huber", "ridge", 0.2)])
def test_one_fit_tells_its_own_errors(loss, penalty, level):
    rho, sigma = as_loss(loss, 0.5), as_penalty(penalty, level)
    differences = []
    for seed in range(30):
        X, y, signal = problem(seed)
        fit = fit_separable(X, y, rho, sigma)
        seen = debias(X, fit, rho, sigma)
        error = np.mean((fit.coefficients - signal) ** 2)
        differences.append(
            [
                seen.test_error - error - NOISE,
                seen.estimation_error(fit.coefficients) - error,
                np.mean(seen.variances) - np.mean((seen.coefficients - signal) ** 2),
                np.mean(signal * (seen.coefficients - signal)),
            ]
        )
    standard_error = np.std(differences, axis=0, ddof=1) / np.sqrt(len(differences))
    assert np.all(np.abs(np.mean(differences, axis=0)) < 3.5 * standard_error)
    # The bounds bite: the naive estimates miss by the whole optimism of the fit.
    assert np.all(standard_error < 0.1)


def test_the_level_tuned_by_theory_predicts_as_well_as_the_cross_validated_one():
    levels = np.geomspace(0.02, 5, 12)
    losses = []
    for seed in range(8):
        X, y, signal = problem(seed)
        oracle = [
            np.mean((fit_separable(X, y, penalty="lasso", penalty_level=g).coefficients - signal) ** 2) for g in levels
        ]
        row = []
        for method in ("theory", "cross_validation"):
            found = tune_penalty(X, y, method=method, levels=levels)
            row.append(oracle[int(np.argmin(abs(levels - found.penalty_level)))] / min(oracle) - 1)
            assert found.fits == (12 if method == "theory" else 60)
        losses.append(row)
    theory, folds = np.mean(losses, axis=0)
    assert theory < 0.1
    assert theory < folds + 0.05


def test_a_tuned_level_follows_the_unit_of_the_design():
    kwargs = {"noise": "gaussian", "prior": "gaussian", "noise_variance": 0.5, "prior_variance": 2.0}
    X, y, _ = problem(0)
    one = tune_penalty(X, y, penalty="ridge", **kwargs)
    other = tune_penalty(3 * X, y, penalty="ridge", **kwargs)
    np.testing.assert_allclose(other.penalty_level, 9 * one.penalty_level, rtol=1e-12)
    assert one.fits == 0


@pytest.mark.parametrize(
    ("loss", "penalty", "level", "samples"),
    [("square", "lasso", 0.6, 160), ("huber", "lasso", 0.3, 240), ("huber", "none", 0.0, 500)],
)
def test_intervals_cover(loss, penalty, level, samples):
    covered, on_support = [], []
    for seed in range(25):
        X, y, signal = problem(100 + seed, samples=samples, scale=3.0)
        found = confidence_intervals(X, y, loss, penalty, loss_scale=0.5, penalty_level=level * 3.0)
        covered.append(found.coverage(signal))
        inside = (found.low <= signal) & (signal <= found.high)
        on_support.append(np.mean(inside[signal != 0]))
    assert 0.93 < np.mean(covered) < 0.97
    assert 0.91 < np.mean(on_support) < 0.98


def test_correlated_features_need_their_precision():
    features, samples = 100, 150
    covariance = 0.9 ** np.abs(np.subtract.outer(np.arange(features), np.arange(features)))
    root = np.linalg.cholesky(covariance)
    with_it, without = [], []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        X = generator.standard_normal((samples, features)) @ root.T
        signal = np.where(generator.random(features) < 0.1, 1.0, 0.0)
        y = X @ signal + generator.standard_normal(samples)
        precision = np.linalg.inv(covariance)
        with_it.append(confidence_intervals(X, y, penalty_level=8.0, precision=precision).coverage(signal))
        without.append(confidence_intervals(X, y, penalty_level=8.0).coverage(signal))
    assert 0.93 < np.mean(with_it) < 0.97
    assert not 0.93 < np.mean(without) < 0.97


def test_a_theory_is_fitted_to_its_own_curve_and_to_noise_about_it():
    truth = MEstimation(
        loss="square", penalty="ridge", penalty_level=0.4, noise="gaussian", signal="gaussian", noise_variance=0.3
    )
    loads = np.linspace(0.5, 4, 8)
    names = ("noise_variance", "signal_variance")
    curve = np.array([MEstimation(**(truth.values() | {"load": load})).theory().estimation_error for load in loads])
    start = MEstimation(**(truth.values() | {"noise_variance": 1.5, "signal_variance": 3.0}))
    exact = fit_theory(start, "load", loads, curve, names, standard_errors=0.01)
    np.testing.assert_allclose([exact.parameters[n] for n in names], [0.3, 1.0], rtol=1e-6)

    generator = np.random.default_rng(0)
    errors = 0.01 * (1 + generator.random(loads.size))
    noisy = fit_theory(
        start, "load", loads, curve + errors * generator.standard_normal(loads.size), names, standard_errors=errors
    )
    z = [(noisy.parameters[n] - t) / noisy.standard_errors[n] for n, t in zip(names, (0.3, 1.0), strict=True)]
    assert np.all(np.abs(z) < 3.5)
    assert noisy.p_value is not None and noisy.p_value > 1e-3
    # The covariance is that of linear least squares about the fit: differences of the curve give the same.
    step = 1e-5

    def moved(name, sign):
        values = noisy.system.values() | {name: noisy.parameters[name] + sign * step}
        return np.array([MEstimation(**(values | {"load": load})).theory().estimation_error for load in loads])

    slopes = np.stack([(moved(n, 1) - moved(n, -1)) / (2 * step) for n in names], axis=1) / errors[:, None]
    np.testing.assert_allclose(noisy.covariance, np.linalg.inv(slopes.T @ slopes), rtol=1e-5)


def test_bad_input():
    X, y, _ = problem(0)
    for wrong in ({"penalty": "none"}, {"method": "guess"}, {"levels": [0.0]}, {"noise": "gaussian"}):
        with pytest.raises(ParameterError):
            tune_penalty(X, y, **wrong)
    with pytest.raises(ParameterError, match="curvature"):
        tune_penalty(X, y, "absolute")
    with pytest.raises(ParameterError, match="level is"):
        confidence_intervals(X, y, level=1.5)
    with pytest.raises(DataError, match="curvature"):
        confidence_intervals(X, y, "absolute", penalty_level=0.3)
    with pytest.raises(DataError, match="give a penalty"):
        confidence_intervals(X[:50], y[:50], "square", "lasso", penalty_level=0.0)
    system = MEstimation(loss="square", penalty="ridge")
    with pytest.raises(ParameterError, match="colour"):
        fit_theory(system, "load", [1.0], [1.0], ["colour"])
    with pytest.raises(DataError, match="points"):
        fit_theory(system, "load", [1.0], [1.0], ["noise_variance", "signal_variance"])
