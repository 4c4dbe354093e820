"""The simulation of M-estimation: what is drawn, what is measured, and bad input."""

import numpy as np
import pytest

from replicon.core.errors import DataError, ParameterError
from replicon.inference.linear_problem import draw_matrix, draw_noise, draw_signal
from replicon.inference.m_estimation.simulation import measure


def generator(seed=0):
    return np.random.default_rng(seed)


def problem(load=1.5, features=120, seed=0):
    rng = generator(seed)
    X = draw_matrix(round(load * features), features, rng)
    signal = draw_signal("bernoulli_gauss", 1.0, features, rng, 0.4)
    return X, X @ signal + draw_noise("laplace", 0.5, len(X), rng), signal


def test_entries_have_variance_one_over_features():
    X = draw_matrix(400, 300, generator())
    assert X.shape == (400, 300)
    assert X.var() * 300 == pytest.approx(1, abs=5 * np.sqrt(2 / X.size))


@pytest.mark.parametrize("noise", ["gaussian", "laplace"])
def test_noise_has_the_variance_asked_for(noise):
    values = draw_noise(noise, 2.5, 200_000, generator())
    assert values.var() == pytest.approx(2.5, rel=0.03)
    kurtosis = np.mean(values**4) / np.mean(values**2) ** 2
    assert kurtosis == pytest.approx({"gaussian": 3, "laplace": 6}[noise], rel=0.1)


def test_student_noise_has_the_variance_asked_for():
    # At 5 degrees of freedom the fourth moment is finite, and the sample variance settles.
    values = draw_noise("student", 2.5, 400_000, generator(), degrees_of_freedom=5)
    assert values.var() == pytest.approx(2.5, rel=0.03)
    # With 3 degrees, compare a quantile: t_3 has its 97.5 % point at 3.1824, and unit variance divides by sqrt(3).
    values = draw_noise("student", 2.5, 400_000, generator())
    assert np.quantile(values, 0.975) == pytest.approx(3.1824 / np.sqrt(3) * np.sqrt(2.5), rel=0.02)


def test_signals_have_their_variance_and_zeros():
    sparse = draw_signal("bernoulli_gauss", 4.0, 200_000, generator(), 0.25)
    assert np.mean(sparse != 0) == pytest.approx(0.25, abs=0.005)
    assert sparse[sparse != 0].var() == pytest.approx(4.0, rel=0.03)
    assert draw_signal("laplace", 4.0, 200_000, generator()).var() == pytest.approx(4.0, rel=0.03)
    assert draw_signal("gaussian", 4.0, 200_000, generator()).var() == pytest.approx(4.0, rel=0.03)


def test_errors_are_those_of_the_estimate_and_of_fresh_rows():
    X, y, signal = problem()
    measured = measure(X, y, signal, 0.5, "huber", 1.0, "ridge", 0.4)
    from replicon.inference.algorithms import fit_separable

    fit = fit_separable(X, y, "huber", "ridge", penalty_level=0.4)
    assert measured["estimation_error"] == pytest.approx(np.mean((fit.coefficients - signal) ** 2))
    assert measured["train_error"] == pytest.approx(np.mean((y - X @ fit.coefficients) ** 2))
    rng = generator(5)
    rows = draw_matrix(20_000, 120, rng)
    fresh = rows @ signal + draw_noise("laplace", 0.5, 20_000, rng)
    squares = (fresh - rows @ fit.coefficients) ** 2
    assert abs(squares.mean() - measured["test_error"]) < 4 * squares.std() / np.sqrt(squares.size)


def test_steps_of_least_squares_and_ridge_are_those_of_the_resolvent():
    """For quadratic functions the residual step is the leave-one-out leverage, trace (X^T X + g)^-1 / P."""
    ratios = []
    for seed in range(12):
        X, y, signal = problem(seed=seed, features=400)
        measured = measure(X, y, signal, 0.5, "square", 1.0, "ridge", 0.4)
        exact = np.trace(np.linalg.inv(X.T @ X + 0.4 * np.eye(400))) / 400
        ratios.append([measured["residual_step"] / exact, measured["coefficient_step"] * 1.5 / (1 + exact)])
    mean, error = np.mean(ratios, axis=0), np.std(ratios, axis=0, ddof=1) / np.sqrt(12)
    assert np.all(np.abs(mean - 1) < 4 * error) and np.all(error < 0.05)


def test_without_penalty_the_estimate_is_its_own_debiased_one():
    X, y, signal = problem(load=2.5)
    measured = measure(X, y, signal, 0.5, "huber")
    assert measured["effective_noise"] == measured["estimation_error"]
    assert measured["residual_step"] == measured["coefficient_step"]


def test_rates_of_the_support_exist_where_there_are_zeros():
    X, y, signal = problem()
    sparse = measure(X, y, signal, 0.5, "square", 1.0, "lasso", 0.3)
    assert 0 < sparse["false_positive_rate"] < sparse["true_positive_rate"] < 1
    dense = measure(X, y + X @ np.ones(120), signal + 1.0, 0.5, "square", 1.0, "lasso", 0.3)
    assert dense["false_positive_rate"] is None


def test_a_table_serves_as_optimal_loss():
    X, y, signal = problem()
    u = np.linspace(-30, 30, 601)
    table = {"loss": (u, np.clip(u, -1, 1), np.zeros_like(u)), "penalty": (u, 0.4 * u)}
    one = measure(X, y, signal, 0.5, "optimal", 1.0, "optimal", 1.0, tables=table)
    two = measure(X, y, signal, 0.5, "huber", 1.0, "ridge", 0.4)
    for name in ("estimation_error", "effective_noise", "residual_step", "train_loss"):
        assert one[name] == pytest.approx(two[name], rel=1e-8), name


def test_bad_input_is_refused():
    X, y, signal = problem()
    cases = [
        (lambda: measure(X, y, signal, -1.0), ParameterError, "noise_variance"),
        (lambda: measure(X, y, signal[1:], 0.5, penalty="ridge", penalty_level=1.0), DataError, "signal"),
        (lambda: measure(X, y, signal, 0.5, "optimal"), ParameterError, "tables"),
        (lambda: measure(X[:60], y[:60], signal, 0.5), DataError, "at least as many samples"),
        (lambda: measure(X * np.nan, y, signal, 0.5), DataError, "finite"),
        (lambda: draw_noise("cauchy", 1.0, 5, generator()), ParameterError, "student"),
        (lambda: draw_noise("gaussian", -1.0, 5, generator()), ParameterError, "noise_variance"),
        (lambda: draw_noise("student", 1.0, 5, generator(), 2.0), ParameterError, "degrees_of_freedom"),
        (lambda: draw_signal("uniform", 1.0, 5, generator()), ParameterError, "bernoulli_gauss"),
        (lambda: draw_signal("bernoulli_gauss", 1.0, 5, generator(), 0.0), ParameterError, "sparsity"),
        (lambda: draw_matrix(0, 5, generator()), ParameterError, "samples"),
    ]
    for call, error, said in cases:
        with pytest.raises(error, match=said):
            call()
