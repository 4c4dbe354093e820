"""Smoothed densities, averages over them and fixed points: against direct integration and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from replicon.core.errors import ParameterError
from replicon.maths import proximal
from replicon.maths.scalar_channel import (
    GaussianMixture,
    bernoulli_gauss,
    from_function,
    gaussian,
    laplace,
    student,
)
from replicon.maths.scalar_channel.densities import log_erfcx
from replicon.maths.scalar_channel.expectations import (
    average_over,
    bayes,
    channel,
    denoised,
    entropy,
    fisher_information,
    information,
    minimal_error,
)
from replicon.maths.scalar_channel.fixed_point import extreme_fixed_points, fixed_point

MIDDLE = (1e-2, 1.0, 30.0)


@pytest.fixture(autouse=True)
def in_double_precision():
    with jax.enable_x64(True):
        yield


def laplace_density(x):
    return np.exp(-np.abs(x)) / 2


def families():
    return {
        "gaussian": gaussian(1.3),
        "laplace": laplace(0.7),
        "bernoulli_gauss": bernoulli_gauss(0.1, 2.0),
        "student": student(1.5, 3.0),
    }


DIRECT = {
    "gaussian": lambda t: stats.norm.pdf(t, scale=np.sqrt(1.3)),
    "laplace": lambda t: stats.laplace.pdf(t, scale=np.sqrt(0.35)),
    "student": lambda t: stats.t.pdf(t, 3, scale=np.sqrt(0.5)),
}


@pytest.mark.parametrize("name", DIRECT)
def test_smoothed_densities_are_the_convolution(name):
    density = families()[name]
    for q in (0.01, 0.7, 20.0):
        root = np.sqrt(q)
        for x in (-3.0, 0.2, 8.0):
            ends, breaks = (x - 12 * root, x + 12 * root), [0.0, x]
            direct = integrate.quad(
                lambda t, x=x, root=root: DIRECT[name](t) * stats.norm.pdf(x - t, scale=root), *ends,
                points=[b for b in breaks if ends[0] < b < ends[1]], limit=400, epsabs=1e-16, epsrel=1e-12,
            )[0]  # fmt: skip
            assert float(jnp.exp(density.log_density(x, q))) == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize("name", families())
def test_score_and_posterior_are_derivatives_of_the_log_density(name):
    density = families()[name]
    for q in MIDDLE:
        for x in (-4.0, 0.3, 2.0, 15.0):
            slope = jax.grad(lambda t, q=q: density.log_density(t, q))(x)
            assert float(density.score(x, q)) == pytest.approx(float(slope), rel=1e-9, abs=1e-12)
            curvature = jax.grad(lambda t, q=q: density.score(t, q))(x)
            assert float(density.posterior_variance(x, q)) == pytest.approx(float(q + q**2 * curvature), rel=1e-7)


@pytest.mark.parametrize("name", families())
def test_the_nodes_carry_the_density(name):
    density = families()[name]
    for q in (1e-6, *MIDDLE, 1e4):
        over, finer = channel(density, q), channel(density, q, refinement=2)
        assert float(jnp.sum(over.weight)) == pytest.approx(1.0, abs=1e-9)
        assert float(over.fisher()) == pytest.approx(float(finer.fisher()), rel=1e-9)
        # Stein: E[x psi] = -1, and Tweedie: the average posterior variance is q - q^2 J.
        assert float(over.slope(over.x)) == pytest.approx(1.0, abs=1e-9)
        error = float(minimal_error(density, q))
        assert error == pytest.approx(float(q - q**2 * over.fisher()), rel=1e-7)
        assert 0 < error < min(q, float(density.variance()))


def test_closed_forms_of_the_gaussian():
    for q in (1e-3, 1.0, 40.0):
        over = channel(gaussian(2.0), q)
        assert float(over.fisher()) == pytest.approx(1 / (2 + q), rel=1e-13)
        assert float(over.average(over.posterior_variance)) == pytest.approx(2 * q / (2 + q), rel=1e-13)
        assert -float(over.average(over.log_density)) == pytest.approx(float(entropy(gaussian(2.0), q)), rel=1e-13)
        assert float(fisher_information(gaussian(2.0), q)) == pytest.approx(1 / (2 + q), rel=1e-14)
        assert float(minimal_error(gaussian(2.0), q)) == pytest.approx(2 * q / (2 + q), rel=1e-14)
        assert float(information(gaussian(2.0), q)) == pytest.approx(0.5 * np.log1p(2 / q), rel=1e-10)
    assert float(gaussian(2.0).entropy()) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 2), rel=1e-13)
    assert float(laplace(2.0).entropy()) == pytest.approx(float(entropy(laplace(2.0), 1e-10)), abs=1e-9)
    assert float(student(3.0).entropy()) == pytest.approx(stats.t.entropy(3), rel=1e-9)


def test_information_falls_as_the_minimal_error_says():
    """dI / d(1/q) = MMSE / 2 (Guo, Shamai and Verdu)."""
    for density in (laplace(1.0), bernoulli_gauss(0.2, 1.0)):
        for q in (0.05, 2.0):
            slope = jax.jit(jax.grad(lambda precision, d=density: information(d, 1 / precision)))(1 / q)
            assert float(slope) == pytest.approx(float(minimal_error(density, q)) / 2, rel=1e-8)


def test_kinked_estimators_are_averaged_by_parts():
    """Soft thresholding of a Gaussian has closed forms; so has a wrong split of the panels a visible error."""
    q, width = 0.8, 0.6
    over = channel(gaussian(0.5), q, [width])
    found = denoised(over, proximal.prox("lasso", over.x, 1.0, width))
    spread = np.sqrt(0.5 + q)
    assert float(found.slope) == pytest.approx(2 * stats.norm.sf(width / spread), rel=1e-13)
    # Given r the signal is normal about gain r.
    gain = 0.5 / spread**2
    missed = integrate.quad(
        lambda r: (np.sign(r) * max(abs(r) - width, 0) - gain * r) ** 2 * stats.norm.pdf(r, scale=spread),
        -12, 12, points=[-width, width], epsabs=1e-13,
    )[0]  # fmt: skip
    direct = missed + 0.5 * (1 - gain)
    assert float(found.error) == pytest.approx(direct, rel=1e-10)


def test_zero_and_full_sparsity():
    assert float(fisher_information(bernoulli_gauss(1.0, 2.0), 0.3)) == pytest.approx(1 / 2.3, rel=1e-13)
    sparse = bernoulli_gauss(1e-12, 1.0)
    assert float(fisher_information(sparse, 0.3)) == pytest.approx(1 / 0.3, rel=1e-9)


def test_atoms_away_from_zero():
    """Coefficients of +-1: the minimal error is that of the tanh, 1 - E tanh^2."""
    density = GaussianMixture(jnp.ones(2) / 2, jnp.array([-1.0, 1.0]), jnp.zeros(2), peaked=True)
    z, weight = np.polynomial.hermite_e.hermegauss(120)
    for q in (0.05, 0.5, 3.0):
        direct = 1 - weight @ np.tanh(1 / q + z / np.sqrt(q)) ** 2 / np.sqrt(2 * np.pi)
        assert float(minimal_error(density, q)) == pytest.approx(direct, abs=2e-7)


def test_a_users_density_agrees_with_the_closed_form():
    own = from_function(laplace_density, -45, 45, breaks=[0.0], panels=200)
    for q in (0.05, 1.0, 20.0):
        assert float(fisher_information(own, q)) == pytest.approx(float(fisher_information(laplace(2.0), q)), rel=1e-9)
    lopsided = from_function(lambda x: stats.gamma.pdf(x, 3.0), 0.0, 60.0, panels=100)
    assert not lopsided.symmetric
    assert float(lopsided.mean()) == pytest.approx(3.0, rel=1e-9)
    assert float(average_over(lopsided, 0.5, lambda x: x**2)) == pytest.approx(12.5, rel=1e-9)


def test_bad_densities_are_refused():
    with pytest.raises(ParameterError, match="integrates to 2"):
        from_function(lambda x: 2 * stats.norm.pdf(x), -9, 9)
    with pytest.raises(ParameterError, match="not negative"):
        from_function(lambda x: -stats.norm.pdf(x), -9, 9)
    with pytest.raises(ParameterError, match="low < high"):
        from_function(stats.norm.pdf, 9, -9)
    with pytest.raises(ParameterError, match="degrees_of_freedom"):
        student(1.0, 2.0)


def test_scaled_error_function_has_no_overflow():
    from scipy.special import erfcx

    u = np.array([-4.0, -0.5, 0.0, 1.0, 9.99, 10.01, 27.0, 1e8])
    assert np.allclose(log_erfcx(jnp.asarray(u)), np.log(erfcx(u)), rtol=1e-13, atol=1e-14)
    assert float(log_erfcx(jnp.asarray(-1e5))) == pytest.approx(1e10 + np.log(2))
    for side in (-1e3, 1e3):
        assert np.isfinite(float(laplace(1.0).log_density(side, 1e-6)))


def test_fixed_point_and_its_derivative():
    """x = a / sqrt(y), y = sqrt(x) has x = a^(4/5), y = a^(2/5)."""

    def solve(a):
        return fixed_point(lambda v: jnp.stack([a / jnp.sqrt(v[1]), jnp.sqrt(v[0])]), jnp.ones(2))

    found = solve(7.0)
    assert int(found.status) == 0
    assert np.allclose(found.values, [7**0.8, 7**0.4], rtol=1e-13)
    slope = jax.jacfwd(lambda a: solve(a).values)(7.0)
    assert np.allclose(slope, [0.8 * 7**-0.2, 0.4 * 7**-0.6], rtol=1e-12)
    lost = fixed_point(lambda v: 2 * v, jnp.ones(1))
    assert int(lost.status) == 1 and bool(jnp.isnan(lost.values[0]))


def test_both_ends_of_a_bistable_map():
    """x -> exp(tanh(3 log x)) has stable fixed points at both signs of log x, and an unstable one at 1."""
    small, large, several = extreme_fixed_points(lambda x: jnp.exp(jnp.tanh(3 * jnp.log(x))), 1e-3, 1e3)
    assert bool(several)
    assert float(small.values) == pytest.approx(1 / float(large.values), rel=1e-12)
    assert np.log(float(large.values)) == pytest.approx(np.tanh(3 * np.log(float(large.values))), rel=1e-12)
    _, only, several = extreme_fixed_points(lambda x: 2 * jnp.sqrt(x), 1e-3, 1e3)
    assert not bool(several) and float(only.values) == pytest.approx(4.0, rel=1e-12)
    assert float(bayes(gaussian(1.0), 1.0).slope) == pytest.approx(0.5, rel=1e-13)
