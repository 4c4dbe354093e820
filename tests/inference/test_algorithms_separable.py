"""The separable solver: against scikit-learn, against linear programming, and its certificate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.linear_model import HuberRegressor, Lasso, Ridge

from replicon.core.errors import DataError, ParameterError
from replicon.inference.algorithms import TabulatedFunction, fit_separable
from replicon.inference.algorithms.descent import CoordinateDescent
from replicon.inference.algorithms.functions import as_loss, as_penalty


def problem(samples, features, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features)) / np.sqrt(features)
    truth = rng.laplace(size=features)
    return X, X @ truth + noise * rng.laplace(size=samples), truth


def least_absolute_by_linear_programming(X, y, level):
    """min sum |y - X s| + level sum |s| with s = a - b, residual = c - d, all non-negative."""
    samples, features = X.shape
    cost = np.concatenate([np.full(2 * features, level), np.ones(2 * samples)])
    equations = np.hstack([X, -X, np.eye(samples), -np.eye(samples)])
    found = linprog(cost, A_eq=equations, b_eq=y, method="highs")
    return found.fun, found.x[:features] - found.x[features : 2 * features]


@pytest.mark.parametrize(("samples", "features"), [(120, 60), (60, 90)])
def test_ridge_is_that_of_scikit_learn(samples, features):
    X, y, _ = problem(samples, features)
    fit = fit_separable(X, y, "square", "ridge", penalty_level=0.3)
    reference = Ridge(alpha=0.3, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(fit.coefficients, reference.coef_, atol=1e-9)
    assert fit.converged


def test_lasso_is_that_of_scikit_learn():
    X, y, _ = problem(140, 200)
    fit = fit_separable(X, y, "square", "lasso", penalty_level=0.4)
    reference = Lasso(alpha=0.4 / 140, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(fit.coefficients, reference.coef_, atol=1e-7)
    assert np.array_equal(fit.coefficients != 0, reference.coef_ != 0)


def test_huber_is_that_of_scikit_learn_at_its_scale():
    X, y, _ = problem(200, 50)
    reference = HuberRegressor(epsilon=1.2, alpha=0.05, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(X, y)
    # Its loss is sigma h(r / sigma), h = u^2 inside: 2 / sigma times Huber's loss of r with threshold epsilon sigma.
    scale = reference.scale_
    fit = fit_separable(X, y, "huber", "ridge", loss_scale=1.2 * scale, penalty_level=0.05 * scale)
    rho, sigma = as_loss("huber", 1.2 * scale), as_penalty("ridge", 0.05 * scale)
    theirs = rho.value(y - X @ reference.coef_).sum() + sigma.value(reference.coef_).sum()
    # Its L-BFGS stops at a relative change of the objective of 2e-9, whose root is the error of the coefficients.
    assert fit.objective <= theirs <= fit.objective * (1 + 1e-7)
    np.testing.assert_allclose(fit.coefficients, reference.coef_, atol=1e-3)


@pytest.mark.parametrize(("samples", "features", "level"), [(90, 60, 1.0), (30, 60, 0.3), (120, 60, 0.0)])
def test_least_absolute_deviations_reach_the_linear_programs_minimum(samples, features, level):
    X, y, _ = problem(samples, features, seed=3)
    fit = fit_separable(X, y, "absolute", "lasso" if level else "none", penalty_level=level)
    minimum, coefficients = least_absolute_by_linear_programming(X, y, level)
    assert fit.converged
    assert fit.objective == pytest.approx(minimum, rel=1e-9)
    np.testing.assert_allclose(fit.coefficients, coefficients, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_absolute_loss_with_lasso_always_converges(seed):
    X, y, _ = problem(150, 100, seed=seed, noise=1.0)
    fit = fit_separable(X, y, "absolute", "lasso", penalty_level=1.0)
    assert fit.converged and fit.gap <= 1e-10 * fit.objective
    # A vertex: as many residuals vanish as coefficients do not.
    kept = int(np.count_nonzero(fit.coefficients))
    assert np.count_nonzero(np.abs(fit.residuals) < 1e-8) == kept


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(5, 30),
    features=st.integers(2, 30),
    loss=st.sampled_from(["square", "absolute", "huber"]),
    penalty=st.sampled_from(["ridge", "lasso"]),
    level=st.floats(0.05, 3.0),
    seed=st.integers(0, 1000),
)
def test_the_gap_bounds_the_distance_to_every_other_point(samples, features, loss, penalty, level, seed):
    X, y, truth = problem(samples, features, seed)
    fit = fit_separable(X, y, loss, penalty, penalty_level=level)
    rho, sigma = as_loss(loss), as_penalty(penalty, level)

    def objective(s):
        return rho.value(y - X @ s).sum() + sigma.value(s).sum()

    assert fit.converged
    assert objective(fit.coefficients) == pytest.approx(fit.objective, rel=1e-12)
    rng = np.random.default_rng(seed)
    for other in (truth, np.zeros(features), fit.coefficients + 1e-3 * rng.standard_normal(features)):
        assert objective(other) >= fit.objective - fit.gap - 1e-9 * max(fit.objective, 1.0)


def test_the_gap_is_honest_about_a_fit_that_was_stopped_early():
    X, y, _ = problem(150, 100)
    early = fit_separable(X, y, "absolute", "lasso", penalty_level=1.0, max_iterations=20)
    late = fit_separable(X, y, "absolute", "lasso", penalty_level=1.0)
    assert not early.converged and late.converged
    assert 0 < early.objective - late.objective <= early.gap


def test_the_unit_of_the_matrix_does_not_matter():
    X, y, _ = problem(120, 80)
    plain = fit_separable(X, y, "huber", "lasso", penalty_level=0.5)
    scaled = fit_separable(1000 * X, y, "huber", "lasso", penalty_level=500)
    np.testing.assert_allclose(1000 * scaled.coefficients, plain.coefficients, atol=1e-8)


def huber_table(threshold):
    u = np.array([-10.0, -threshold, threshold, 10.0])
    return TabulatedFunction(u, np.clip(u, -threshold, threshold))


def test_a_table_of_hubers_loss_is_hubers_loss():
    table, named = huber_table(0.7), as_loss("huber", 0.7)
    x = np.linspace(-5, 5, 101)
    for step in (0.1, 1.0, 4.0):
        np.testing.assert_allclose(table.prox(x, step), named.prox(x, step), atol=1e-13)
        inside = np.abs(np.abs(x) - 0.7 * (1 + step)) > 1e-9
        np.testing.assert_allclose(
            table.prox_derivative(x, step)[inside], named.prox_derivative(x, step)[inside], atol=1e-13
        )
    np.testing.assert_allclose(table.value(x), named.value(x), atol=1e-13)
    slopes = np.linspace(-0.7, 0.7, 15)
    np.testing.assert_allclose(table.conjugate(slopes), named.conjugate(slopes), atol=1e-13)
    X, y, _ = problem(120, 80)
    one = fit_separable(X, y, table, "lasso", penalty_level=0.5)
    two = fit_separable(X, y, "huber", "lasso", loss_scale=0.7, penalty_level=0.5)
    np.testing.assert_allclose(one.coefficients, two.coefficients, atol=1e-8)


def test_a_table_with_a_kink_is_the_absolute_value():
    table = TabulatedFunction([-1.0, 0.0, 0.0, 1.0], [-1.0, -1.0, 1.0, 1.0])
    x = np.linspace(-3, 3, 41)
    np.testing.assert_allclose(table.prox(x, 0.5), np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), atol=1e-14)
    np.testing.assert_allclose(table.value(x), np.abs(x), atol=1e-14)


@pytest.mark.parametrize(
    ("position", "slope", "said"),
    [
        ([0, 1], [0, 1, 2], "one length"),
        ([-1, 0, 1], [-1, np.nan, 1], "finite"),
        ([-1, 0, 1], [-1, 1, 0], "convex"),
        ([0, 1, 2], [1, 2, 3], "change its sign"),
    ],
)
def test_a_table_that_is_no_convex_function_is_refused(position, slope, said):
    with pytest.raises(DataError, match=said):
        TabulatedFunction(position, slope)


def test_bad_data_and_parameters_are_refused():
    X, y, _ = problem(20, 10)
    broken = X.copy()
    broken[3, 2] = np.nan
    cases = [
        (broken, y, {}, DataError, "row 3"),
        (X, np.append(y[:-1], np.inf), {}, DataError, "y must be finite"),
        (X, y[:-1], {}, DataError, "one value per row"),
        (X[0], y, {}, DataError, "samples, features"),
        (X.astype(complex), y, {}, DataError, "real"),
        (X[:5], y[:5], {}, DataError, "at least as many samples"),
        (X[:, [0, 0, 1]], y, {}, DataError, "linearly independent"),
        (X, y, {"loss": "cubic"}, ParameterError, "square, absolute, huber"),
        (X, y, {"penalty": "l0"}, ParameterError, "none, ridge, lasso"),
        (X, y, {"penalty": "ridge", "penalty_level": -1.0}, ParameterError, "penalty_level"),
        (X, y, {"loss": "huber", "loss_scale": 0.0}, ParameterError, "loss_scale"),
        (X, y, {"loss": "huber", "loss_scale": np.nan}, ParameterError, "loss_scale"),
        (X, y, {"tolerance": 0.0}, ParameterError, "tolerance"),
        (X, y, {"max_iterations": 0}, ParameterError, "max_iterations"),
        (X, y, {"loss": 3}, ParameterError, "convex function"),
    ]
    for matrix, outcomes, options, error, said in cases:
        with pytest.raises(error, match=said):
            fit_separable(matrix, outcomes, **options)


def test_the_data_is_left_alone():
    X, y, _ = problem(30, 20)
    kept = X.copy(), y.copy()
    fit_separable(X, y, "absolute", "lasso", penalty_level=0.5)
    assert np.array_equal(X, kept[0]) and np.array_equal(y, kept[1])


@pytest.mark.parametrize(("samples", "features"), [(60, 150), (150, 60)])
@pytest.mark.parametrize(("loss", "order"), [("square", "F"), ("square", "C"), ("huber", "C")])
def test_coordinate_descent_ends_where_no_coordinate_wants_to_move(samples, features, loss, order):
    X, y, _ = problem(samples, features, seed=5)
    X = np.asarray(X, order=order)
    fit = fit_separable(X, y, loss, "lasso", loss_scale=0.4, penalty_level=0.2, tolerance=1e-12)
    residuals = y - X @ fit.coefficients
    balance = X.T @ (residuals if loss == "square" else np.clip(residuals, -0.4, 0.4))
    kept = fit.coefficients != 0
    assert fit.converged and 5 < kept.sum() < min(samples, features)
    np.testing.assert_allclose(balance[kept], 0.2 * np.sign(fit.coefficients[kept]), atol=1e-7)
    assert np.abs(balance[~kept]).max() <= 0.2 + 1e-7


def test_coordinate_descent_lowers_the_objective_in_every_sweep():
    X, y, _ = problem(80, 120, seed=6)
    for threshold, loss in ((np.inf, "square"), (0.5, "huber")):
        descent, rho = CoordinateDescent(X, y, threshold, 0.2), as_loss(loss, 0.5)
        values = [rho.value(y).sum()]
        for _ in range(12):
            descent.advance(1)
            np.testing.assert_allclose(descent.residuals, y - X @ descent.s, atol=1e-13)
            values.append(rho.value(descent.residuals).sum() + 0.2 * np.abs(descent.s).sum())
        assert (np.diff(values) <= 1e-13).all() and values[-1] < values[1] - 1e-3
        assert descent.sweeps == 12


@pytest.mark.parametrize("loss", ["square", "huber", "absolute"])
def test_edge_cases_of_the_lasso_are_certified(loss):
    X, y, _ = problem(40, 25, seed=7)
    rho = as_loss(loss)
    silent = fit_separable(X, y, loss, "lasso", penalty_level=1e3)
    assert silent.converged and not silent.coefficients.any()
    assert silent.objective == pytest.approx(rho.value(y).sum(), rel=1e-12)
    nothing = fit_separable(X, np.zeros(40), loss, "lasso", penalty_level=0.3)
    assert nothing.converged and not nothing.coefficients.any() and nothing.objective == 0

    plain = fit_separable(X, y, loss, "lasso", penalty_level=0.3)
    with_zero = fit_separable(np.column_stack([X, np.zeros(40)]), y, loss, "lasso", penalty_level=0.3)
    assert with_zero.converged and with_zero.coefficients[-1] == 0
    # A copy of every column changes neither the minimum nor the sum of the two coefficients.
    doubled = fit_separable(np.hstack([X, X]), y, loss, "lasso", penalty_level=0.3)
    for other, coefficients in (
        (with_zero, with_zero.coefficients[:-1]),
        (doubled, doubled.coefficients[:25] + doubled.coefficients[25:]),
    ):
        assert other.converged and other.objective == pytest.approx(plain.objective, rel=1e-9)
        np.testing.assert_allclose(coefficients, plain.coefficients, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1)])
def test_one_sample_or_one_feature(shape):
    X = np.outer(np.ones(shape[0]), np.arange(1.0, shape[1] + 1))
    fit = fit_separable(X, np.full(shape[0], 2.0), "square", "lasso", penalty_level=float(shape[0]))
    # One feature: s = 2 - 1; three: only the largest column is used, s = (6 - 1) / 9.
    expected = [1.0] if shape[1] == 1 else [0.0, 0.0, 5 / 9]
    np.testing.assert_allclose(fit.coefficients, expected, atol=1e-9)
    assert fit.converged
