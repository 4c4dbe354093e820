"""The questions of a statistician to the theory, and the estimator with the optimal loss and penalty."""

import jax
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from replicon.core.errors import ParameterError
from replicon.inference import HighDimTheory, OptimalMEstimator, fit_separable
from replicon.inference.high_dim_theory import as_noise, as_prior
from replicon.inference.optimal_functions import convex_optimum
from replicon.maths.scalar_channel import from_function


def problem(seed, samples=300, features=200, law="laplace", noise="laplace"):
    generator = np.random.default_rng(seed)
    Z = generator.standard_normal((samples, features))

    def draw(law, size):
        if law == "student":
            return generator.standard_t(3, size=size) / np.sqrt(3)
        return generator.laplace(scale=0.5**0.5, size=size) if law == "laplace" else generator.standard_normal(size)

    signal = draw(law, features)
    return 2 * Z + 1, Z @ signal / np.sqrt(features) + draw(noise, samples) + 3, signal


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


def ridge_error(X, y, signal):
    """Of ridge at the level that is best for noise and signal of variance one."""
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    size = signal.size
    estimate = np.linalg.solve(Z.T @ Z / size + np.eye(size), Z.T @ (y - y.mean())) / np.sqrt(size)
    return np.mean((estimate - signal) ** 2)


@pytest.mark.parametrize("noise", ["laplace", "student"])
def test_the_estimator_reaches_the_predicted_error_and_beats_ridge_where_it_should(noise):
    rows = []
    for seed in range(15):
        X, y, signal = problem(seed, 400, noise=noise)
        known = OptimalMEstimator(as_noise(noise), as_prior("laplace")).fit(X, y)
        auto = OptimalMEstimator().fit(X, y)
        assert known.converged_ and known.is_optimal_ == (noise == "laplace")
        assert auto.solver_ == "message_passing"
        rows.append([error(known, signal), error(auto, signal), ridge_error(X, y, signal), known.q_s_, auto.q_s_])
    rows = np.array(rows)

    def mean_in_errors(values):
        return np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values)))

    known, auto, ridge, predicted, seen = rows.T
    assert abs(mean_in_errors(known - predicted)) < 3.5
    assert abs(mean_in_errors(auto - seen)) < 3.5
    gain = ridge - known
    assert mean_in_errors(gain) > 4
    # Estimated densities keep most of the gain that the true ones bring.
    assert mean_in_errors((ridge - auto) - 0.6 * gain) > 0
    assert np.mean(ridge - auto) > 0.8 * np.mean(gain)


def test_next_to_nothing_is_lost_to_ridge_where_ridge_is_optimal():
    lost = []
    for seed in range(15):
        X, y, signal = problem(seed, 400, law="gaussian", noise="gaussian")
        lost.append(error(OptimalMEstimator().fit(X, y), signal) / ridge_error(X, y, signal) - 1)
    # Ridge is given its level here; to learn it from these data costs a percent by itself.
    assert np.mean(lost) - 2 * np.std(lost, ddof=1) / np.sqrt(15) < 0.03
    assert np.mean(lost) < 0.05


def test_both_solvers_find_the_same_minimum_and_correlated_columns_need_the_second():
    X, y, _ = problem(3, 300, 100)
    fitted = OptimalMEstimator(as_noise("laplace"), as_prior("laplace"), fit_intercept=False).fit(X - 1, y - 3)
    assert fitted.solver_ == "message_passing"
    unit = np.sqrt(100 * np.mean((X - 1) ** 2, axis=0))
    direct = fit_separable((X - 1) / unit, y - 3, fitted.loss_fn_, fitted.reg_fn_)
    np.testing.assert_allclose(fitted.coef_ * unit, direct.coefficients, atol=2e-3)
    # Each function belongs to the variance of its own channel: there its proximal operator is the posterior mean.
    steps = convex_optimum(3.0, as_noise("laplace"), as_prior("laplace"))
    for function, q in ((fitted.loss_fn_, steps.estimation_error), (fitted.reg_fn_, steps.effective_noise)):
        with jax.enable_x64(True):
            expected = np.asarray(as_prior("laplace").posterior_mean(np.linspace(-4, 4, 9), q))
        np.testing.assert_allclose(function.prox(np.linspace(-4, 4, 9), q), expected, atol=1e-3)

    generator = np.random.default_rng(0)
    common = X + 6 * generator.standard_normal((300, 1)) + generator.standard_normal((300, 3)) @ np.ones((3, 100))
    fitted = OptimalMEstimator().fit(common, y)
    assert fitted.solver_ == "separable" and fitted.converged_


def test_families_that_are_named_are_kept():
    X, y, _ = problem(1, 300, 100)
    named = OptimalMEstimator("student", None).fit(X, y)
    assert set(named.noise_families_) == {"student"} and named.prior_ is None and named.prior_families_ == {}
    assert OptimalMEstimator("gaussian", "laplace").fit(X, y).noise_families_ == {"gaussian": pytest.approx(1.0)}


def test_coefficients_that_are_known_to_be_positive_are_learned_better():
    with jax.enable_x64(True):
        positive = from_function(lambda x: np.exp(-x), 0.0, 36.0, panels=15)
    positive = jax.tree_util.tree_map(np.asarray, positive)
    differences = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        X = generator.standard_normal((200, 120)) / np.sqrt(120)
        signal = generator.exponential(size=120)
        y = X @ signal + generator.laplace(scale=0.5**0.5, size=200)
        fitted = OptimalMEstimator(as_noise("laplace"), positive, fit_intercept=False).fit(X, y)
        assert fitted.is_optimal_ and fitted.coef_.min() > 0
        differences.append(np.mean((fitted.coef_ - signal) ** 2) - fitted.q_s_)
    # Were the signs unknown the error would be twice as large.
    assert fitted.q_s_ < 0.6 * convex_optimum(200 / 120, as_noise("laplace"), as_prior("laplace", 2.0)).estimation_error
    assert abs(np.mean(differences)) < 3.5 * np.std(differences, ddof=1) / np.sqrt(8)


def test_units_and_places_of_the_data_do_not_matter():
    X, y, _ = problem(0)
    one = OptimalMEstimator("laplace", "gaussian").fit(X, y)
    other = OptimalMEstimator("laplace", "gaussian").fit(5 * X - 7, 100 * y + 40)
    np.testing.assert_allclose(other.coef_, 20 * one.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other.predict(5 * X - 7), 100 * one.predict(X) + 40, rtol=1e-4, atol=1e-3)
    assert other.predicted_test_mse_ == pytest.approx(1e4 * one.predicted_test_mse_, rel=1e-4)


def test_fewer_samples_than_features_do_not_pass_interpolation_for_prediction():
    ratios = []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        X, y = generator.standard_normal((12, 40)), generator.standard_normal(12)
        fitted = OptimalMEstimator().fit(X, y)
        fresh = 1 + fitted.intercept_**2 + np.sum(fitted.coef_**2)
        ratios.append(fitted.predicted_test_mse_ / fresh)
    assert 0.5 < np.median(ratios) < 2


def test_a_column_that_does_not_vary_gets_no_coefficient():
    X, y, _ = problem(0, 60, 20)
    X[:, 4] = 7.0
    fitted = OptimalMEstimator("gaussian", "gaussian").fit(X, y)
    assert fitted.coef_[4] == 0.0
    rest = OptimalMEstimator("gaussian", "gaussian").fit(np.delete(X, 4, axis=1), y)
    np.testing.assert_allclose(np.delete(fitted.coef_, 4), rest.coef_, rtol=1e-6, atol=1e-12)


def test_scikit_learn_conventions():
    check_estimator(OptimalMEstimator())


def test_bad_input():
    X, y, _ = problem(0, samples=60, features=80)
    with pytest.raises(ParameterError, match="cauchy"):
        OptimalMEstimator(noise="cauchy").fit(X, y)
    with pytest.raises(ParameterError, match="bernoulli_gauss, or give"):
        OptimalMEstimator(prior="student").fit(X, y)
    with pytest.raises(ParameterError, match="more samples than features"):
        OptimalMEstimator(prior=None).fit(X, y)
    for wrong in (np.nan, np.inf):
        spoilt = X.copy()
        spoilt[3, 4] = wrong
        with pytest.raises(ValueError, match="X contains"):
            OptimalMEstimator().fit(spoilt, y)
        with pytest.raises(ValueError, match="y contains"):
            OptimalMEstimator().fit(X, np.append(y[:-1], wrong))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        OptimalMEstimator().fit(X, y[:-1])
    with pytest.raises(NotFittedError):
        OptimalMEstimator().predict(X)
    with pytest.raises(ParameterError, match="noise_variance"):
        HighDimTheory("huber", "ridge").predict(60, 80, noise_variance=-1.0)
    with pytest.raises(ParameterError, match="more samples"):
        HighDimTheory("huber", "none").predict(60, 80)
    with pytest.raises(ParameterError, match="loss"):
        HighDimTheory("cubic", "ridge")
