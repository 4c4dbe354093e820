"""Densities read through a Gaussian channel, and the convex functions of least error for them."""

import jax
import numpy as np
import pytest

from replicon.core.errors import ParameterError
from replicon.inference import HighDimTheory
from replicon.inference.density_estimation import estimate_density
from replicon.inference.families import NOISES, SIGNALS
from replicon.inference.high_dim_theory import as_noise, as_prior, bayes_error
from replicon.inference.optimal_functions import best_convex, convex_optimum
from replicon.maths.scalar_channel import bernoulli_gauss, from_function, student

Q = 0.4


def draw(law, size, generator):
    if law == "laplace":
        return generator.laplace(scale=0.5**0.5, size=size)
    if law == "student":
        return generator.standard_t(3, size=size) / np.sqrt(3)
    if law == "bernoulli_gauss":
        return np.where(generator.random(size) < 0.2, generator.standard_normal(size) / np.sqrt(0.2), 0.0)
    return generator.standard_normal(size)


@pytest.mark.parametrize(
    ("law", "families"),
    [("gaussian", NOISES), ("laplace", NOISES), ("student", NOISES), ("bernoulli_gauss", SIGNALS)],
)
def test_the_density_of_a_channel_is_recovered(law, families):
    generator = np.random.default_rng(0)
    x = 3 * (draw(law, 4000, generator) + np.sqrt(Q) * generator.standard_normal(4000))
    found = estimate_density(x, 9 * Q, families)
    assert sum(found.probabilities.values()) == pytest.approx(1.0)
    assert max(found.probabilities, key=found.probabilities.__getitem__) == law
    truth = as_noise(law, 9.0) if law in NOISES else as_prior(law, 45.0, 0.2)
    places = 3 * np.linspace(0.0, 2.5, 6)
    with jax.enable_x64(True):
        score = np.asarray(found.density.score(places, 9 * Q))
        true_score = np.asarray(truth.score(places, 9 * Q))
        # The fourth moment of Student's density is infinite: no sample tells its variance so well.
        sampled = np.mean(x**2) - 9 * Q
        assert float(found.density.variance()) == pytest.approx(sampled, rel=0.5 if law == "student" else 0.1)
    assert np.max(np.abs(score - true_score)) < 0.12 * np.max(np.abs(true_score))


def test_few_data_keep_several_families_and_no_signal_is_seen_as_small():
    generator = np.random.default_rng(1)
    few = estimate_density(generator.laplace(size=15), Q, NOISES)
    assert max(few.probabilities.values()) < 0.8
    nothing = estimate_density(generator.standard_normal(1000), 1.0, SIGNALS)
    assert float(nothing.density.variance()) < 0.1


@pytest.mark.parametrize("load", [0.8, 1.5])
def test_where_the_bayes_optimal_functions_are_convex_they_are_found(load):
    noise, prior = as_noise("laplace", 1.0), as_prior("laplace")
    found = convex_optimum(load, noise, prior)
    assert found.is_bayes
    assert found.estimation_error == pytest.approx(bayes_error(load, noise, prior), rel=1e-7)
    loss = best_convex(noise, found.estimation_error)
    x, q = np.linspace(-6, 6, 25), found.estimation_error
    with jax.enable_x64(True):
        # Tweedie's formula: at its own step the proximal operator is the posterior mean.
        posterior_mean = np.asarray(noise.posterior_mean(x, q))
    np.testing.assert_allclose(loss.prox(x, q), posterior_mean, atol=2e-4)


def test_without_penalty_least_squares_is_best_for_gaussian_noise():
    assert convex_optimum(2.5, as_noise("gaussian", 0.6), None).estimation_error == pytest.approx(0.4, rel=1e-7)


def test_heavy_tails_cost_less_than_with_any_huber_threshold_but_more_than_the_bayes_error():
    noise, prior = as_noise("student"), as_prior("gaussian")
    found = convex_optimum(1.5, noise, prior)
    assert not found.is_bayes
    assert found.estimation_error > bayes_error(1.5, noise, prior) * (1 + 1e-4)
    for threshold in (0.2, 0.5, 1.0):
        huber = HighDimTheory("huber", "ridge", loss_scale=threshold).predict(300, 200, noise, prior)
        assert found.estimation_error < huber.estimation_error
    slope = best_convex(noise, found.estimation_error)
    x = np.linspace(0, 60, 200)
    moved = (x - slope.prox(x, found.estimation_error)) / found.estimation_error
    assert np.all(np.diff(moved) >= -1e-12)
    assert moved[-1] == pytest.approx(slope.steepest)


def test_sparse_coefficients_cost_less_than_the_best_lasso_but_more_than_the_bayes_error():
    noise, prior = as_noise("gaussian", 0.1), as_prior("bernoulli_gauss", 1.0, 0.15)
    found = convex_optimum(0.75, noise, prior)
    lasso = HighDimTheory("square", "lasso").predict(300, 400, noise, prior)
    assert not found.is_bayes
    assert lasso.bayes_error * 1.001 < found.estimation_error < lasso.estimation_error


def test_bad_densities():
    with pytest.raises(ParameterError, match="integrates"):
        from_function(lambda x: np.exp(-np.abs(x)), -30, 30)
    with pytest.raises(ParameterError, match="noise_variance"):
        as_noise("laplace", -1.0)
    with pytest.raises(ParameterError, match="degrees_of_freedom"):
        student(1.0, 2.0)
    # Noise that is often exactly zero lets the coefficients be known exactly: infinite Fisher information.
    with jax.enable_x64(True):
        atom = bernoulli_gauss(0.2, 1.0)
    with pytest.raises(ParameterError, match="Fisher"):
        convex_optimum(3.0, atom, as_prior("gaussian"))
