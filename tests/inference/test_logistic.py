"""Logistic regression with many features: Sur and Candes, existence of the estimate, the fit, bad input."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from replicon import DataError, ParameterError, compare
from replicon.inference import LogisticMLE, MLEDoesNotExistError, fit_logistic, mle_threshold, sur_candes
from replicon.inference.logistic import is_separable, simulation
from replicon.inference.logistic import newton as newton_module
from replicon.testing import system_checks


def test_contract():
    # What compiles the theory once more without other equations is left to the systems that share them.
    for rule, check in system_checks(LogisticMLE(aspect=0.1), workers=1, realizations=3):
        if rule not in ("transformations", "comparison"):
            check()


def test_theory_agrees_with_simulation():
    result = compare(LogisticMLE(aspect=0.2, signal_strength=5**0.5), [100, 200, 400], 16, seed=3)
    assert result.verdict == "agree", str(result)
    assert float(result["theory_infinite"].sel(observable="bias")) == pytest.approx(1.4994, abs=1e-4)
    # The classical theory, unbiased with the Fisher information, is far away.
    bias = result.sel(observable="bias", size=400)
    assert (float(bias["mean"]) - 1) / float(bias["standard_error"]) > 8


def test_equations_of_sur_and_candes_as_printed():
    """Their system (5), with a 100 x 100 Gauss-Hermite rule and a bisected proximal operator."""
    kappa, gamma = 0.2, 5**0.5
    values, status = sur_candes(kappa, gamma)
    a, s, step = values["bias"], values["spread"], values["step"]
    assert status == 0
    x, w = np.polynomial.hermite_e.hermegauss(100)
    w = w / w.sum()
    first = gamma * x[:, None] + 0 * x
    second = -a * first + np.sqrt(kappa) * s * x
    weight = w[:, None] * w
    slope = expit
    low, high = second - step, second.copy()
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = middle + step * slope(middle) - second > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    pull = step * slope(low)
    bend = slope(low) * slope(-low)
    assert s**2 == pytest.approx(np.sum(weight * 2 * slope(first) * pull**2) / kappa**2, rel=1e-7)
    assert np.sum(weight * slope(first) * first * pull) == pytest.approx(0, abs=1e-7)
    assert np.sum(weight * 2 * slope(first) / (1 + step * bend)) == pytest.approx(1 - kappa, rel=1e-7)


def test_likelihood_ratios_are_those_of_refits():
    draw = LogisticMLE(aspect=0.2, signal_strength=5**0.5).sample(60, 1)

    def fitted(matrix):
        weights = fit_logistic(matrix, draw.labels, tolerance=1e-10).weights
        return weights, np.logaddexp(0, -draw.labels * (matrix @ weights)).sum()

    nulls = np.flatnonzero(draw.coefficients == 0)
    estimate, least = fitted(draw.features)
    found = simulation.likelihood_ratios(draw.features, draw.labels, estimate, nulls)
    exact = [2 * (fitted(np.delete(draw.features, j, axis=1))[1] - least) for j in nulls]
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-8)


def test_likelihood_ratios_follow_the_stretched_law_and_not_the_textbook_one():
    """Of all null coefficients of a few draws: their law is chi-squared times the factor of the theory."""
    model = LogisticMLE(aspect=0.2, signal_strength=5**0.5)
    found = []
    for seed in range(8):
        draw = model.sample(200, seed)
        weights = fit_logistic(draw.features, draw.labels, tolerance=1e-9).weights
        nulls = np.flatnonzero(draw.coefficients == 0)
        found.append(simulation.likelihood_ratios(draw.features, draw.labels, weights, nulls))
    ratios = np.concatenate(found)
    assert stats.kstest(ratios / model.theory().likelihood_ratio_factor, "chi2", args=(1,)).pvalue > 0.01
    assert stats.kstest(ratios, "chi2", args=(1,)).pvalue < 0.01


def test_threshold_by_brute_force():
    v = np.linspace(-9, 9, 4001)
    density = 2 / (1 + np.exp(-2.0 * v)) * np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi)
    z = np.linspace(-9, 9, 1001)
    normal = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    def average(t):
        inner = np.array([np.trapezoid(normal * np.maximum(z - t * vi, 0) ** 2, z) for vi in v[::20]])
        return np.trapezoid(density[::20] * inner, v[::20])

    best = optimize.minimize_scalar(average, bounds=(0, 10), method="bounded").fun
    assert mle_threshold(2.0).values == pytest.approx(best, abs=1e-5)


def test_threshold_is_where_the_estimate_diverges():
    limit = float(mle_threshold(1.0))
    near = sur_candes(limit * np.array([0.9, 0.97, 0.99]), 1.0)
    assert (near.status == 0).all()
    assert (np.diff(near.values["spread"]) > 0).all() and near.values["spread"][-1] > 20
    # The spread grows like one over the distance to the threshold, up to logarithms.
    distance = np.array([1e-4, 1e-5])
    closer = sur_candes(limit * (1 - distance), 1.0)
    assert (closer.status == 0).all()
    assert np.ptp(np.log(closer.values["spread"] * distance)) < 0.05
    assert float(mle_threshold(0.0)) == pytest.approx(0.5, abs=1e-12)


def test_estimate_that_does_not_exist():
    with pytest.raises(MLEDoesNotExistError, match=r"h\(γ\) = 0.325589"):
        sur_candes(0.4, 5**0.5)
    assert issubclass(MLEDoesNotExistError, DataError)
    values, status = sur_candes(np.array([0.2, 0.4]), 5**0.5)
    assert status.tolist() == [0, 2] and np.isnan(values["bias"]).tolist() == [False, True]
    model = LogisticMLE(aspect=0.45, signal_strength=5**0.5)
    assert model.theory().declined
    draw = model.sample(60, 0)
    assert model.simulate(draw).exists == 0
    with pytest.raises(MLEDoesNotExistError, match=r"separates the classes.*h"):
        model.instance(draw.features, draw.labels, draw.coefficients)


def test_every_draw_counts_where_some_have_no_estimate():
    """Near the threshold the fraction with an estimate is stated; draws without one are not dropped silently."""
    result = compare(LogisticMLE(aspect=0.31, signal_strength=5**0.5), [20, 40], 24, seed=1)
    exists = result.sel(observable="exists", size=20)
    assert 0.05 < float(exists["mean"]) < 0.95
    assert int(exists["count"]) == 24


def test_separability_by_a_programme_and_by_construction():
    stream = np.random.default_rng(0)
    points = stream.standard_normal((50, 20))
    direction = stream.standard_normal(20)
    assert is_separable(points, np.sign(points @ direction))
    doubled = np.vstack([points, points])
    assert not is_separable(doubled, np.concatenate([np.ones(50), -np.ones(50)]))


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_fit_is_that_of_scikit_learn(direct, penalty, monkeypatch):
    monkeypatch.setattr(newton_module, "DIRECT_FEATURES", 700 if direct else 0)
    draw = LogisticMLE(aspect=0.1).sample(40, 2)
    fit = fit_logistic(draw.features, draw.labels, penalty, tolerance=1e-9)
    assert fit.converged and fit.gradient < 1e-9
    other = LogisticRegression(C=1 / penalty if penalty else np.inf, fit_intercept=False, tol=1e-10, max_iter=5000)
    other.fit(draw.features, draw.labels)
    np.testing.assert_allclose(fit.weights, other.coef_[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sur_candes(0.0, 1.0), r"aspect \(κ\) is 0"),
        (lambda: sur_candes(1.0, 1.0), "aspect"),
        (lambda: sur_candes(0.1, -1.0), "signal_strength"),
        (lambda: LogisticMLE(signal_strength=0.0), "signal_strength"),
        (lambda: LogisticMLE(aspect=1.0), "aspect"),
    ],
)
def test_bad_parameters(call, words):
    with pytest.raises(ParameterError, match=words):
        call()


def test_bad_labels():
    model = LogisticMLE()
    draw = model.sample(20, 0)
    with pytest.raises(DataError, match="labels must be"):
        model.instance(draw.features, draw.labels * 3, draw.coefficients)


def test_bad_data_of_a_fit():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 3)), np.sign(rng.standard_normal(40))
    right = fit_logistic(X, y, 0.1).weights
    np.testing.assert_array_equal(fit_logistic(X, y > 0, 0.1).weights, right)
    np.testing.assert_array_equal(fit_logistic(X, (y > 0).astype(int), 0.1).weights, right)
    with pytest.raises(ParameterError, match="penalty"):
        fit_logistic(X, y, -1.0)
    for features, labels, words in (
        (X, y[:-1], "shape"),
        (X, 3 * y, "-1/\\+1 or 0/1"),
        (X[0], y, "samples, features"),
        (np.where(X > 2, np.nan, X), y, "nan or infinite"),
    ):
        with pytest.raises(DataError, match=words):
            fit_logistic(features, labels, 0.1)
