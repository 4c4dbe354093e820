"""Theory of M-estimation: closed forms, bounds, an independent reference, derivatives, refusals."""

import jax
import numpy as np
import pytest
from scipy import stats

from replicon.core.errors import ParameterError
from replicon.inference.m_estimation import theory
from replicon.inference.m_estimation.claims import LASSO, MAP, OPTIMAL, PLAIN, SAVINGS, error, saving
from replicon.inference.m_estimation.theory import NO_ESTIMATOR, NOT_CONVEX, NonConvexLossError

RIDGE = [(0.5, 0.1, 0.7), (1.0, 1.0, 1e-3), (1.5, 1.0, 0.7), (6.0, 3.0, 4.0)]


@pytest.mark.parametrize("noise", ["gaussian", "laplace", "student"])
def test_ridge_is_its_closed_form(noise):
    load, variance, level = (np.array(column) for column in zip(*RIDGE, strict=True))
    values, status = theory.m_estimation(load, noise=noise, noise_variance=variance, penalty_level=level)
    closed, _ = theory.ridge_closed_form(load, variance, penalty_level=level)
    assert not np.any(status) and np.all(values["residual"] < 1e-10)
    for name, expected in closed.items():
        assert np.allclose(values[name], expected, rtol=1e-9), name


def test_the_closed_form_is_a_sampled_ridge():
    """A ridge estimate of 3000 features: the closed form without replicas, within its sampling error."""
    generator = np.random.default_rng(7)
    X = generator.standard_normal((2400, 3000)) / np.sqrt(3000)
    signal = generator.standard_normal(3000)
    y = X @ signal + np.sqrt(0.3) * generator.standard_normal(2400)
    found = np.mean((X.T @ np.linalg.solve(X @ X.T + 0.4 * np.eye(2400), y) - signal) ** 2)
    assert found == pytest.approx(
        theory.ridge_closed_form(0.8, 0.3, penalty_level=0.4).values["estimation_error"], rel=0.06
    )


def test_least_squares():
    load = np.array([1.01, 1.5, 5.0])
    values, _ = theory.m_estimation(load, "square", "none", "laplace", noise_variance=2.0)
    assert np.allclose(values["estimation_error"], 2.0 / (load - 1), rtol=1e-10)
    assert np.allclose(values["train_error"], 2.0 * (1 - 1 / load), rtol=1e-10)
    closed, status = theory.ridge_closed_form(load, 2.0, penalty_level=0.0)
    assert np.allclose(closed["estimation_error"], values["estimation_error"], rtol=1e-10) and not np.any(status)


def test_huber_interpolates_between_least_squares_and_least_absolute_deviations():
    wide = error(2.0, loss="huber", loss_scale=60.0, **PLAIN)
    assert wide == pytest.approx(2.0, rel=1e-9)
    narrow = error(2.0, loss="huber", loss_scale=1e-5, **PLAIN)
    assert narrow == pytest.approx(error(2.0, loss="absolute", **PLAIN), rel=1e-4)


def reference(load, loss, penalty, noise, signal, level, iterations=400):
    """The four equations on plain grids: smoothed densities by sums over the sources, kinks differentiated nowhere."""
    source = np.linspace(-14, 14, 2801) + 1e-4
    z = np.linspace(-7, 7, 281)
    weight_z = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    weights = [density(source) / density(source).sum() for density in (noise, signal)]
    q, step = float(weights[1] @ source**2), 1.0
    for _ in range(iterations):
        e = source[:, None] + np.sqrt(q) * z
        slope = loss(e, step)
        average = lambda f, w: w @ (f @ weight_z)  # noqa: E731
        curvature = average(slope * z, weights[0]) / np.sqrt(q)
        noise_q, coefficient = average(slope**2, weights[0]) / (load * curvature**2), 1 / (load * curvature)
        r = source[:, None] + np.sqrt(noise_q) * z
        h = penalty(r, coefficient * level)
        new = average((h - source[:, None]) ** 2, weights[1])
        new_step = coefficient * average(h * z, weights[1]) / np.sqrt(noise_q)
        change = abs(np.log(new / q)) + abs(np.log(new_step / step))
        q, step = np.sqrt(q * new), np.sqrt(step * new_step)
        if change < 1e-9:
            break
    return q, step


def test_map_agrees_with_sums_on_a_grid():
    """An independent route: two-dimensional sums over source and Gaussian noise, derivatives by Stein's identity."""
    density = lambda t: np.exp(-np.sqrt(2) * np.abs(t))  # noqa: E731
    q, step = reference(
        1.5, lambda x, step: np.clip(x / step, -1, 1), lambda x, t: x - np.clip(x, -t, t), density, density, 1.0
    )
    values, _ = theory.m_estimation(1.5, **MAP)
    assert values["estimation_error"] == pytest.approx(q, rel=2e-4)
    assert values["residual_step"] == pytest.approx(step, rel=2e-4)


def test_independent_digits_of_the_literature():
    assert error(2.0, loss="absolute", **PLAIN) == pytest.approx(2.32789, abs=5e-6)
    assert error(5.0, loss="absolute", **PLAIN) == pytest.approx(0.45193, abs=5e-6)
    assert error(0.7, **LASSO) == pytest.approx(0.0398, abs=5e-5)
    for load, value in SAVINGS.items():
        assert saving(load) == pytest.approx(value, abs=1e-5)


def test_maximum_likelihood_is_beaten_by_least_squares_at_small_load():
    gain = [error(load, loss="absolute", **PLAIN) * (load - 1) / 2 for load in (2.0, 5.0)]
    assert gain[0] > 1.1 and gain[1] < 0.95


def test_no_estimator_beats_the_optimum_and_the_optimum_its_bounds():
    for load in (0.6, 1.5, 4.0):
        best = error(load, **OPTIMAL)
        for level in (0.3, 1.0, 3.0):
            for words in (MAP, {**MAP, "loss": "square", "penalty": "ridge"}):
                assert error(load, **{**words, "penalty_level": level}) > best
    # Laplace noise of scale one has Fisher information one and variance two.
    for load in (1.2, 2.0, 1000.0):
        q = error(load, loss="optimal", **PLAIN)
        assert 1 < q * (load - 1) < 2
    assert q * 999 < 1.1, "many samples: maximum likelihood is efficient"


def test_optimal_functions_of_gaussians_are_square_and_ridge():
    load = 0.5
    optimum = theory.m_estimation(load, "optimal", "optimal", noise_variance=0.3).values
    ridge = theory.m_estimation(load, "square", "ridge", noise_variance=0.3, penalty_level=0.3).values
    mixed = theory.m_estimation(load, "square", "optimal", noise_variance=0.3).values
    closed = theory.optimal_ridge_error(load, 0.3).values
    for found in (optimum, ridge, mixed):
        assert np.allclose(found["estimation_error"], closed, rtol=1e-9)
    tables = theory.optimal_tables(1.0, "optimal", "optimal", "gaussian", "gaussian", 0.3, 1.0, 1.0)
    for name, curvature in (("loss", 1 / 0.3), ("penalty", 1.0)):
        table = tables[name]
        assert np.allclose(table.slope, curvature * np.asarray(table.argument), rtol=1e-9, atol=1e-9)
        assert np.allclose(table.value, 0.5 * curvature * np.asarray(table.argument) ** 2, rtol=1e-9, atol=1e-9)


def test_tables_reproduce_the_fixed_point():
    """The estimator of the tabulated functions, put through the general equations, has the predicted error."""
    tables = theory.optimal_tables(1.5, "optimal", "optimal", "laplace", "laplace", 1.0, 1.0, 1.0)
    values, _ = theory.m_estimation(1.5, **OPTIMAL)
    generator = np.random.default_rng(3)
    signal = generator.laplace(scale=np.sqrt(0.5), size=1_000_000)
    r = signal + np.sqrt(values["effective_noise"]) * generator.standard_normal(signal.size)
    table, step = tables["penalty"], values["coefficient_step"]
    h = np.interp(r, table.argument + step * table.slope, table.argument)
    assert np.mean((h - signal) ** 2) == pytest.approx(values["estimation_error"], rel=0.006)
    assert np.all(np.diff(table.argument) >= 0) and np.all(np.diff(table.slope) >= -1e-12)
    value = np.cumsum(0.5 * (table.slope[1:] + table.slope[:-1]) * np.diff(table.argument))
    assert np.allclose(np.diff(table.value), np.diff(np.append(0, value)), rtol=1e-3, atol=1e-6)


def test_no_noise_kink():
    """Optimal ridge as the noise vanishes: max(1 - load, 0), and a square root at load one."""
    load = np.array([0.3, 1.0, 2.0])
    found = theory.optimal_ridge_error(load, 1e-10).values
    assert np.allclose(found, [0.7, 1e-5, 1e-10], rtol=1e-4)


def test_donoho_tanner_is_the_minimum_over_thresholds():
    z = np.linspace(0, 12, 1_200_001)
    bracket = (1 + z**2) * stats.norm.sf(z) - z * stats.norm.pdf(z)
    for sparsity in (1e-3, 0.1, 0.6):
        direct = np.min(sparsity * (1 + z**2) + 2 * (1 - sparsity) * bracket)
        assert theory.donoho_tanner(sparsity).values == pytest.approx(direct, rel=1e-9)
    assert float(theory.donoho_tanner(0.1)) == pytest.approx(0.328794, abs=5e-7)
    assert float(theory.donoho_tanner(1.0)) == pytest.approx(1.0)
    assert np.all(theory.donoho_tanner([0.0, 1.2, np.nan]).status != 0)


def test_the_lasso_recovers_above_the_transition():
    """With vanishing noise and penalty the error vanishes above the Donoho-Tanner line only."""
    words = {**LASSO, "noise_variance": 1e-8, "penalty_level": 1e-4, "sparsity": 0.1}
    line = float(theory.donoho_tanner(0.1))
    assert error(line + 0.05, **words) < 1e-5
    assert error(line - 0.05, **words) > 1e-3


def test_support_rates_count_the_scalar_channel():
    values, _ = theory.m_estimation(0.7, **LASSO)
    generator = np.random.default_rng(5)
    z = generator.standard_normal(400_000) * np.sqrt(values["effective_noise"])
    threshold = 0.15 * values["coefficient_step"]
    assert values["false_positive_rate"] == pytest.approx(np.mean(np.abs(z) > threshold), abs=0.003)
    seen = np.abs(z + generator.standard_normal(z.size)) > threshold
    assert values["true_positive_rate"] == pytest.approx(np.mean(seen), abs=0.003)


@pytest.mark.parametrize(("words", "differentiate"), [(MAP, jax.jacfwd), (LASSO, jax.grad)], ids=["map", "lasso"])
def test_gradients_are_those_of_finite_differences(words, differentiate):
    def predicted(load):
        return theory.m_estimation(load, **words).values["estimation_error"]

    with jax.enable_x64(True):
        slope = float(differentiate(predicted)(1.2))
    assert slope == pytest.approx((predicted(1.2001) - predicted(1.1999)) / 2e-4, rel=1e-6)


@pytest.mark.parametrize(
    "words",
    [MAP, LASSO, OPTIMAL, {"loss": "huber", "penalty": "lasso", "noise": "student", "signal": "bernoulli_gauss"}],
    ids=["map", "lasso", "optimal", "student"],
)
def test_every_point_of_a_wide_range_converges(words):
    """Load, noise and level over two to six decades, with the corners of the box."""
    ranges = {"load": (0.1, 20.0), "noise_variance": (1e-3, 1e2), "penalty_level": (1e-4, 1e2)}
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * 3, indexing="ij")).reshape(3, -1)
    places = np.concatenate([corners, np.random.default_rng(1).uniform(size=(3, 24))], axis=1)
    numbers = {n: low * (high / low) ** u for (n, (low, high)), u in zip(ranges.items(), places, strict=True)}
    values, status = theory.m_estimation(**{**words, **numbers})
    assert not np.any(status), {name: column[status != 0] for name, column in numbers.items()}
    assert np.all(values["residual"] < 1e-10) and np.all(values["estimation_error"] > 0)
    assert np.all(values["effective_noise"] * numbers["load"] > numbers["noise_variance"] * 0.3)


def test_points_without_an_estimator_say_so():
    for load in (0.5, 1.0):
        values, status = theory.m_estimation(load, loss="huber", **PLAIN)
        assert status == NO_ESTIMATOR and np.isnan(values["estimation_error"])
    _, status = theory.m_estimation(2.0, "optimal", "none", "student")
    assert status == NOT_CONVEX
    with pytest.raises(NonConvexLossError, match="bayes_linear"):
        theory.optimal_tables(2.0, "optimal", "none", "student", "gaussian", 1.0, 1.0, 1.0)
    with pytest.raises(ParameterError, match="load > 1"):
        theory.optimal_tables(0.9, "optimal", "none", "laplace", "gaussian", 1.0, 1.0, 1.0)
    for loss, penalty in (("optimal", "ridge"), ("huber", "optimal"), ("cubic", "none")):
        with pytest.raises(ParameterError):
            theory.m_estimation(2.0, loss, penalty)
