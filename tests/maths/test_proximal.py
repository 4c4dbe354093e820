"""Proximal operators: against brute-force minimisation, their own identities, and JAX's derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from replicon.core.errors import ParameterError
from replicon.maths import proximal

X = np.linspace(-6.0, 6.0, 241)
POINTS = [(0.1, 0.5), (1.0, 2.0), (7.0, 0.5)]


@pytest.mark.parametrize("name", proximal.NAMES)
@pytest.mark.parametrize(("step", "scale"), POINTS)
def test_the_prox_minimises(name, step, scale):
    found = proximal.prox(name, X, step, scale)
    grid = np.linspace(-20, 20, 400001)
    cost = proximal.value(name, grid, scale)
    for x, u in zip(X[::24], found[::24], strict=True):
        best = grid[np.argmin(cost + (grid - x) ** 2 / (2 * step))]
        assert abs(u - best) <= 1.01e-4
        assert proximal.moreau(name, np.array(x), step, scale) <= np.min(cost + (grid - x) ** 2 / (2 * step)) + 1e-15


@pytest.mark.parametrize("name", proximal.NAMES)
@pytest.mark.parametrize(("step", "scale"), POINTS)
def test_derivatives_are_those_of_jax_and_of_the_envelope(name, step, scale):
    with jax.enable_x64(True):
        smooth = np.min(np.abs(X[:, None] - np.array([*proximal.kinks(name, step, scale), 99.0])), axis=1) > 1e-9
        x = jnp.asarray(X)
        assert np.allclose(proximal.prox(name, x, step, scale), proximal.prox(name, X, step, scale), atol=1e-12)
        slope = jax.vmap(jax.grad(lambda t: proximal.prox(name, t, step, scale)))(x)
        assert np.allclose(slope[smooth], proximal.prox_derivative(name, X, step, scale)[smooth], atol=1e-12)
        envelope = jax.vmap(jax.grad(lambda t: proximal.moreau(name, t, step, scale)))(x)
        first = proximal.moreau_derivative(name, X, step, scale)
        assert np.allclose(envelope[smooth], first[smooth], atol=1e-12)
        assert np.allclose(first, (X - proximal.prox(name, X, step, scale)) / step, atol=1e-12)
        curvature = jax.vmap(jax.grad(lambda t: proximal.moreau_derivative(name, t, step, scale)))(x)
        assert np.allclose(curvature[smooth], proximal.moreau_curvature(name, X, step, scale)[smooth], atol=1e-12)


def test_kinks_are_where_the_slope_jumps():
    for name in ("absolute", "lasso", "huber", "hinge"):
        for kink in proximal.kinks(name, 0.7, 1.3):
            left, right = (proximal.prox_derivative(name, np.array(kink + side), 0.7, 1.3) for side in (-1e-9, 1e-9))
            assert abs(left - right) > 0.3, name
    for name in ("none", "square", "ridge", "logistic"):
        assert proximal.kinks(name, 0.7, 1.3) == ()


def test_logistic_solves_its_equation_over_many_decades():
    x = np.array([-1e3, -50.0, -1.0, 0.0, 3.0, 50.0, 1e6])
    for step in (1e-6, 1e-2, 1.0, 1e3, 1e8):
        u = proximal.prox("logistic", x, step)
        pull = step * np.exp(-np.logaddexp(0.0, u))
        assert np.all(np.abs(u - x - pull) <= 1e-13 * (np.abs(u) + np.abs(x) + pull) + 1e-300)


def test_second_derivatives_of_the_logistic_prox():
    with jax.enable_x64(True):
        for x in (-2.0, 0.3, 4.0):
            second = jax.grad(jax.grad(lambda t: proximal.prox("logistic", t, 2.5)))(x)
            slopes = [proximal.prox_derivative("logistic", np.array(x + side), 2.5) for side in (-1e-5, 1e-5)]
            assert abs(second - (slopes[1] - slopes[0]) / 2e-5) < 1e-8
            by_step = jax.grad(lambda step, x=x: proximal.prox("logistic", jnp.asarray(x), step))(2.5)
            ends = [proximal.prox("logistic", np.array(x), 2.5 + side) for side in (-1e-5, 1e-5)]
            assert abs(by_step - (ends[1] - ends[0]) / 2e-5) < 1e-9


def test_precision_of_the_caller_is_kept():
    x = X.astype(np.float32)
    for name in proximal.NAMES:
        assert proximal.prox(name, x, np.float32(0.5), np.float32(1.0)).dtype == np.float32
        assert proximal.prox(name, jnp.asarray(x), 0.5).dtype == jnp.float32
    assert proximal.prox("absolute", 2, 1) == 1


def test_unknown_names_are_refused():
    for function in (proximal.prox, proximal.prox_derivative, proximal.moreau, proximal.moreau_derivative):
        with pytest.raises(ParameterError, match="hinge"):
            function("hings", X, 1.0)
    with pytest.raises(ParameterError, match="hinge"):
        proximal.value("hings", X)
    with pytest.raises(ParameterError, match="hinge"):
        proximal.kinks("hings", 1.0)
