"""GAMP, Bayes-AMP and VAMP: fixed points that are known, precision and memory, bad input."""

import tracemalloc

import numpy as np
import pytest
from scipy import integrate, stats

from replicon.core.errors import ConvergenceError, DataError, ParameterError
from replicon.inference.algorithms import (
    Factors,
    bayes_amp,
    fit_separable,
    gamp,
    posterior_mean,
    vamp,
)


def problem(samples, features, seed=0, noise=0.5, sparsity=0.3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features)) / np.sqrt(features)
    truth = rng.standard_normal(features) * (rng.random(features) < sparsity)
    return X, X @ truth + noise * rng.standard_normal(samples), truth


@pytest.mark.parametrize(
    ("loss", "penalty", "level"), [("square", "ridge", 0.5), ("square", "lasso", 0.3), ("huber", "ridge", 0.5)]
)
def test_the_fixed_point_of_gamp_is_the_minimiser(loss, penalty, level):
    X, y, _ = problem(300, 250)
    run = gamp(X, y, loss, penalty, penalty_level=level, iterations=2000, tolerance=1e-12, damping=0.7)
    fit = fit_separable(X, y, loss, penalty, penalty_level=level)
    assert run.converged
    np.testing.assert_allclose(run.coefficients, fit.coefficients, atol=1e-8)


def test_unregularised_huber_has_one_step_for_both_sides():
    X, y, _ = problem(500, 250)
    run = gamp(X, y, "huber", iterations=500, tolerance=1e-12)
    np.testing.assert_allclose(run.coefficients, fit_separable(X, y, "huber").coefficients, atol=1e-8)
    assert run.residual_step[-1] == pytest.approx(run.coefficient_step[-1], rel=1e-10)


def test_the_fixed_point_of_ridge_counts_its_steps():
    """With square loss and ridge: 1/l = load/(1+V) and V = l/(1 + g l), whatever the data."""
    X, y, _ = problem(200, 300)
    run = gamp(X, y, "square", "ridge", penalty_level=0.4, iterations=500, tolerance=1e-13)
    spread, step = run.residual_step[-1], run.coefficient_step[-1]
    assert step == pytest.approx((1 + spread) / (200 / 300), rel=1e-9)
    assert spread == pytest.approx(step / (1 + 0.4 * step), rel=1e-9)


def test_bayes_amp_with_a_gaussian_prior_is_ridge():
    X, y, _ = problem(300, 200, sparsity=1.0)
    run = bayes_amp(X, y, posterior_mean("gaussian", 1.0), 0.25, iterations=300, tolerance=1e-13)
    fit = fit_separable(X, y, "square", "ridge", penalty_level=0.25)
    np.testing.assert_allclose(run.coefficients, fit.coefficients, atol=1e-9)


@pytest.mark.parametrize("condition", [1.0, 30.0])
@pytest.mark.parametrize(("samples", "features"), [(80, 120), (120, 80)])
def test_vamp_with_a_gaussian_prior_is_ridge_for_any_matrix(condition, samples, features):
    rng = np.random.default_rng(1)
    left, _, right = np.linalg.svd(rng.standard_normal((samples, features)), full_matrices=False)
    values = np.geomspace(1, 1 / condition, 80)
    X = left @ (values[:, None] * right)
    y = X @ rng.standard_normal(features) + 0.3 * rng.standard_normal(samples)
    exact = np.linalg.solve(X.T @ X + 0.09 * np.eye(features), 0.09 * 0 + X.T @ y)
    prior = posterior_mean("gaussian", 1.0)
    for matrix in (X, Factors(left, values, right)):
        run = vamp(matrix, y, prior, 0.09, iterations=200, tolerance=1e-13)
        np.testing.assert_allclose(run.coefficients, exact, atol=1e-9)
    # Its own account of the error is the trace of the posterior covariance.
    covariance = np.linalg.inv(X.T @ X / 0.09 + np.eye(features))
    assert run.predicted_error[-1] == pytest.approx(np.trace(covariance) / features, rel=1e-8)


@pytest.mark.parametrize(
    ("signal", "variance", "sparsity"),
    [("gaussian", 2.0, 1.0), ("laplace", 2.0, 1.0), ("bernoulli_gauss", 1.5, 0.2)],
)
@pytest.mark.parametrize("noise", [0.05, 3.0])
def test_posterior_means_are_those_of_bayes_rule(signal, variance, sparsity, noise):
    prior = posterior_mean(signal, variance, sparsity)
    spread = np.sqrt(variance)
    density = stats.laplace(scale=np.sqrt(variance / 2)) if signal == "laplace" else stats.norm(scale=spread)
    for r in (-2.5, 0.0, 0.4, 3.0):

        def weight(s, power, r=r):
            return s**power * density.pdf(s) * stats.norm.pdf(r, s, np.sqrt(noise))

        points = sorted({0.0, r})
        moments = [sparsity * integrate.quad(weight, -20, 20, args=(k,), points=points, limit=200)[0] for k in range(3)]
        total = moments[0] + (1 - sparsity) * stats.norm.pdf(r, 0, np.sqrt(noise))
        mean = moments[1] / total
        found, slope = prior(np.array([r]), noise)
        assert found[0] == pytest.approx(mean, abs=1e-8)
        # The slope is the posterior variance over that of the noise.
        assert slope == pytest.approx((moments[2] / total - mean**2) / noise, rel=1e-6)


def test_posterior_means_do_not_overflow_in_the_tails():
    for signal in ("laplace", "bernoulli_gauss"):
        mean, slope = posterior_mean(signal, 1.0, 0.1)(np.array([-1e3, 1e3, 0.0]), 1e-3)
        assert np.all(np.isfinite(mean)) and np.isfinite(slope)
        assert mean[1] == pytest.approx(1e3, rel=2e-3)


def test_single_precision_is_kept_and_the_matrix_never_copied():
    X, y, _ = problem(1200, 1000, noise=0.3)
    single = X.astype(np.float32)
    options = {"penalty_level": 0.1, "iterations": 40, "tolerance": 0.0}
    exact = gamp(X, y, "square", "lasso", **options)
    gamp(single[:100], y[:100], "square", "lasso", **options)  # what is loaded on first use does not count
    tracemalloc.start()
    run = gamp(single, y, "square", "lasso", **options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_allclose(run.coefficients, exact.coefficients, atol=2e-5)
    assert run.coefficients.dtype == np.float64
    assert peak < 0.2 * single.nbytes


def test_the_effective_noise_is_estimated_without_the_truth():
    X, y, truth = problem(1500, 1500, noise=0.3)
    run = bayes_amp(X, y, posterior_mean("bernoulli_gauss", 1.0, 0.3), 0.09, variance=0.3, iterations=8, truth=truth)
    np.testing.assert_allclose(run.effective_noise, run.debiased_error, rtol=0.2)
    # The deviation of the debiased estimate is not correlated with the truth: the Onsager term does its work.
    deviation = run.debiased - truth
    assert abs(np.corrcoef(deviation, truth)[0, 1]) < 4 / np.sqrt(1500)


def test_divergence_is_an_error_and_not_a_number():
    X, y, _ = problem(300, 200)
    with pytest.raises(ConvergenceError, match="damp"):
        gamp(X + 3.0, y, "square", "ridge", penalty_level=0.01, iterations=2000)


def test_bad_input_is_refused():
    X, y, truth = problem(30, 20)
    prior = posterior_mean("gaussian", 1.0)
    broken = X.astype(np.float32)
    broken[7, 1] = np.inf
    cases = [
        (lambda: gamp(broken, y), DataError, "row 7"),
        (lambda: gamp(X, y[1:]), DataError, "one value per row"),
        (lambda: gamp(X, y, truth=truth[1:]), DataError, "truth"),
        (lambda: gamp(X, y, variance=-1.0), ParameterError, "variance"),
        (lambda: gamp(X, y, damping=0.0), ParameterError, "damping"),
        (lambda: gamp(X, y, iterations=0), ParameterError, "iterations"),
        (lambda: bayes_amp(X, y, prior, -0.1), ParameterError, "noise_variance"),
        (lambda: vamp(X, y, prior, 0.0), ParameterError, "noise_variance"),
        (lambda: vamp(X, y, prior, 0.1, start=truth[1:]), DataError, "start"),
        (lambda: vamp(X, y, prior, 0.1, start_variance=np.nan), ParameterError, "start_variance"),
        (lambda: vamp(Factors(X, np.ones(3), X.T), y, prior, 0.1), DataError, "do not fit"),
        (lambda: posterior_mean("cauchy"), ParameterError, "bernoulli_gauss"),
        (lambda: posterior_mean("gaussian", -1.0), ParameterError, "signal_variance"),
        (lambda: posterior_mean("bernoulli_gauss", 1.0, 1.5), ParameterError, "sparsity"),
    ]
    for call, error, said in cases:
        with pytest.raises(error, match=said):
            call()
