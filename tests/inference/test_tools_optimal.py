"""The questions of a statistician to the theory, and the estimator with the optimal loss and penalty."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from replicon.core.errors import ParameterError
from replicon.inference import HighDimTheory, OptimalMEstimator
from replicon.inference.high_dim_theory import as_noise, as_prior


def problem(seed, samples=300, features=200, law="laplace"):
    generator = np.random.default_rng(seed)
    Z = generator.standard_normal((samples, features))

    def draw(size):
        return generator.laplace(scale=0.5**0.5, size=size) if law == "laplace" else generator.standard_normal(size)

    signal = draw(features)
    return 2 * Z + 1, Z @ signal / np.sqrt(features) + draw(samples) + 3, signal


def error(estimator, signal):
    return np.mean((2 * np.sqrt(signal.size) * estimator.coef_ - signal) ** 2)


def test_ridge_at_its_best_level_is_optimal_for_gaussian_densities():
    found = HighDimTheory("square", "ridge").predict(600, 400, prior_variance=2.0, noise_variance=0.5)
    assert found.penalty_level == pytest.approx(0.25)
    assert found.excess == pytest.approx(0.0, abs=1e-9)
    other = HighDimTheory("square", "ridge").predict(
        600, 400, prior_variance=2.0, noise_variance=0.5, penalty_level=0.5
    )
    assert other.excess > 1e-3


def test_the_best_lasso_level_is_a_minimum_and_the_optimum_lies_below():
    theory = HighDimTheory("square", "lasso")
    given = {"noise_variance": 0.1, "sparsity": 0.15}
    best = theory.predict(300, 400, "gaussian", "bernoulli_gauss", **given)
    for factor in (0.9, 1.1):
        near = theory.predict(
            300, 400, "gaussian", "bernoulli_gauss", **given, penalty_level=factor * best.penalty_level
        )
        assert near.estimation_error > best.estimation_error
    assert 0 < best.bayes_error < best.estimation_error
    assert best.test_error == pytest.approx(best.estimation_error + 0.1)


def test_the_estimator_reaches_the_predicted_error_and_beats_ridge_where_it_should():
    rows = []
    for seed in range(15):
        X, y, signal = problem(seed)
        known = OptimalMEstimator(as_noise("laplace"), as_prior("laplace")).fit(X, y)
        auto = OptimalMEstimator().fit(X, y)
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        ridge = np.linalg.solve(Z.T @ Z / 200 + np.eye(200), Z.T @ (y - y.mean())) / np.sqrt(200)
        rows.append(
            [
                error(known, signal) - known.q_s_,
                np.mean((ridge - signal) ** 2) - error(known, signal),
                np.mean((ridge - signal) ** 2) - error(auto, signal),
                auto.predicted_test_mse_ - 1 - error(auto, signal),
            ]
        )
        assert known.converged_ and known.is_optimal_
    mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
    assert abs(mean[0]) < 3.5 * spread[0]
    assert mean[1] > 2 * spread[1]
    assert mean[2] > 2 * spread[2]
    assert abs(mean[3]) < 3.5 * spread[3]


def test_units_and_places_of_the_data_do_not_matter():
    X, y, _ = problem(0)
    one = OptimalMEstimator("laplace", "gaussian").fit(X, y)
    other = OptimalMEstimator("laplace", "gaussian").fit(5 * X - 7, 100 * y + 40)
    np.testing.assert_allclose(other.coef_, 20 * one.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other.predict(5 * X - 7), 100 * one.predict(X) + 40, rtol=1e-4, atol=1e-3)
    assert other.predicted_test_mse_ == pytest.approx(1e4 * one.predicted_test_mse_, rel=1e-4)


def test_scikit_learn_conventions():
    check_estimator(OptimalMEstimator())


def test_bad_input():
    X, y, _ = problem(0, samples=60, features=80)
    with pytest.raises(ParameterError, match="cauchy"):
        OptimalMEstimator(noise="cauchy").fit(X, y)
    with pytest.raises(ParameterError, match="more samples than features"):
        OptimalMEstimator(prior=None).fit(X, y)
    with pytest.raises(ParameterError, match="more samples"):
        HighDimTheory("huber", "none").predict(60, 80)
    with pytest.raises(ParameterError, match="loss"):
        HighDimTheory("cubic", "ridge")
