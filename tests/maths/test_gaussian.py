from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate
from scipy.special import ndtr

from replicon.maths.gaussian import (
    gaussian_average,
    gaussian_average_with_error,
    log_ramp_average,
    ramp_average,
    squared_ramp_average,
    tanh_averages,
)

FIELDS = [(m, s) for m in (0.0, 0.3, 2.0, 30.0) for s in (1e-3, 0.4, 1.99, 2.01, 7.0, 300.0)]


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def brute_force(function, mean, spread):
    """Adaptive quadrature of Dz function(mean + spread z), split where the field changes sign."""
    kink = -mean / spread
    points = sorted({-9.0, 9.0, *(np.clip([kink - 20 / spread, kink, kink + 20 / spread], -9, 9).tolist())})
    total = 0.0
    for low, high in pairwise(points):
        total += integrate.quad(
            lambda z: function(mean + spread * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
            low,
            high,
            epsabs=1e-14,
            epsrel=1e-13,
            limit=400,
        )[0]
    return total


def sech2(v):
    return 1 / np.cosh(np.clip(v, -300, 300)) ** 2


RESPONSES = {
    "tanh": np.tanh,
    "sech2": sech2,
    "sech4": lambda v: sech2(v) ** 2,
    "tanh2": lambda v: np.tanh(v) ** 2,
    "tanh_sech2": lambda v: np.tanh(v) * sech2(v),
    "curvature": lambda v: 3 * sech2(v) ** 2 - 2 * sech2(v),
    "wrong": lambda v: 1 / (1 + np.exp(np.clip(2 * v, -300, 300))),
    "entropy": lambda v: np.log1p(np.exp(-2 * abs(v))) + 2 * abs(v) / (1 + np.exp(np.clip(2 * abs(v), 0, 300))),
}


@pytest.fixture(scope="module")
def averages():
    with jax.enable_x64(True):
        mean, spread = (np.array(x) for x in zip(*FIELDS, strict=True))
        coarse, fine = (
            jax.jit(jax.vmap(lambda m, s, r=r: tanh_averages(m, s, refinement=r)))(mean, spread) for r in (1, 2)
        )
        return {name: np.array(x) for name, x in coarse._asdict().items()}, {
            name: np.array(x) for name, x in fine._asdict().items()
        }


@pytest.mark.parametrize("name", RESPONSES)
def test_tanh_averages_agree_with_adaptive_quadrature_from_soft_to_sharp(averages, name):
    expected = [brute_force(RESPONSES[name], m, s) for m, s in FIELDS]
    np.testing.assert_allclose(averages[0][name], expected, atol=2e-13)


@pytest.mark.parametrize("name", RESPONSES)
def test_second_resolution_of_the_tanh_averages_changes_nothing(averages, name):
    np.testing.assert_allclose(averages[0][name], averages[1][name], atol=4e-15)


def test_small_probabilities_of_a_wrong_spin_keep_their_relative_accuracy():
    # With little noise the average of exp(-2v)/(1 + exp(-2v)) is exp(-2 mean + 2 spread^2).
    assert float(tanh_averages(30.0, 0.5).wrong) == pytest.approx(np.exp(-60 + 0.5), rel=1e-12)
    # With much noise it is the Gaussian tail, up to the curvature of the tail on the scale of the response.
    assert float(tanh_averages(3e5, 5e4).wrong) == pytest.approx(ndtr(-6.0), rel=1e-8)


def test_gaussian_averages_of_known_integrals():
    np.testing.assert_allclose(gaussian_average(lambda z: z**6), 15, rtol=1e-13)
    np.testing.assert_allclose(gaussian_average(jnp.abs, kink=0.0), np.sqrt(2 / np.pi), rtol=1e-14)
    np.testing.assert_allclose(gaussian_average(lambda z: jnp.sign(z + 1.7), kink=-1.7), 2 * ndtr(1.7) - 1, rtol=1e-13)


@pytest.mark.parametrize("temperature", [1e-9, 1e-4, 0.05, 1.0])
def test_gaussian_average_of_a_cold_response_matches_the_logistic_route(temperature):
    mean, spread = 0.9 / temperature, 0.4 / temperature
    value, error = gaussian_average_with_error(
        lambda z: jnp.tanh(mean + spread * z), kink=-mean / spread, width=1 / spread
    )
    assert float(error) < 1e-12
    assert float(value) == pytest.approx(float(tanh_averages(mean, spread).tanh), abs=1e-13)


def test_the_error_estimate_sees_a_kink_that_was_not_declared():
    _, error = gaussian_average_with_error(lambda z: jnp.tanh(1e4 * (z - 0.123)), kink=2.0, width=1.0)
    assert float(error) > 1e-6


@pytest.mark.parametrize("shift", [-35.0, -5.0, -0.1, 0.0, 0.7, 12.0])
def test_ramp_averages(shift):
    linear = integrate.quad(lambda t: t * np.exp(-0.5 * (t - shift) ** 2), 0, max(shift, 0) + 12, epsabs=0)[0]
    square = integrate.quad(lambda t: t * t * np.exp(-0.5 * (t - shift) ** 2), 0, max(shift, 0) + 12, epsabs=0)[0]
    assert float(ramp_average(jnp.asarray(shift))) == pytest.approx(linear / np.sqrt(2 * np.pi), rel=1e-9)
    if shift > -10:
        assert float(squared_ramp_average(jnp.asarray(shift))) == pytest.approx(square / np.sqrt(2 * np.pi), rel=1e-9)


def test_log_ramp_average_reaches_beyond_underflow():
    # phi(k)/k^2 (1 - 3/k^2 + 15/k^4) to the left
    k = 500.0
    leading = -0.5 * k * k - 0.5 * np.log(2 * np.pi) - 2 * np.log(k) + np.log(1 - 3 / k**2 + 15 / k**4)
    assert float(log_ramp_average(jnp.asarray(-k))) == pytest.approx(leading, rel=1e-12)


def test_log_ramp_average_joins_its_series():
    step = 1e-6
    left, right = (float(log_ramp_average(jnp.asarray(-15.0 - d))) for d in (step, -step))
    slope = ndtr(-15.0) / float(ramp_average(jnp.asarray(-15.0)))
    assert right - left == pytest.approx(2 * step * slope, abs=1e-10)
