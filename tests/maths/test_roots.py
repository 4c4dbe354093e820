import jax
import jax.numpy as jnp
import numpy as np
import pytest

from replicon.maths.roots import bracketed_root, implicit_root, locate, newton, newton_from_safe_side
from replicon.maths.solution import CONVERGED, NOT_CONVERGED


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(
    ("function", "low", "high", "root"),
    [
        (lambda x: x**3 - 2, 0.0, 2.0, 2 ** (1 / 3)),
        (lambda x: jnp.cos(x) - x, 1.0, 0.0, 0.7390851332151607),
        (lambda x: jnp.exp(-x) - 1e-9, 0.0, 100.0, 9 * np.log(10)),
        (lambda x: jnp.tanh(1e8 * (x - 0.3)), -1.0, 1.0, 0.3),
        (lambda x: (x - 1) ** 9, 0.0, 3.0, 1.0),
        (lambda x: x, 0.0, 1.0, 0.0),
    ],
)
def test_bracketed_root(function, low, high, root):
    found, status = jax.jit(lambda: bracketed_root(function, low, high))()
    assert status == CONVERGED
    assert float(found) == pytest.approx(root, rel=1e-14, abs=1e-15)


def test_few_evaluations_suffice_for_a_smooth_function():
    assert locate(lambda x: jnp.exp(x) - 3, 0.0, 2.0, iterations=14)[1] == CONVERGED


@pytest.mark.parametrize("function", [lambda x: x**2 + 1, lambda x: x * jnp.nan, lambda x: 1 / x])
def test_without_a_sign_change_or_a_finite_value_there_is_no_root(function):
    low = 0.0 if function(2.0) == 0.5 else 1.0
    found, status = bracketed_root(function, low, 3.0)
    assert status == NOT_CONVERGED
    assert np.isnan(found)


def test_too_few_iterations_are_reported():
    assert bracketed_root(lambda x: jnp.cos(x) - x, 0.0, 1.0, iterations=3).status == NOT_CONVERGED


def test_root_is_vectorised_and_differentiable_twice_in_either_mode():
    def cube_root(a):
        return bracketed_root(lambda x: x**3 - a, 0.0, 10.0).values

    a = jnp.array([0.5, 2.0, 300.0])
    np.testing.assert_allclose(jax.vmap(cube_root)(a), np.cbrt(a), rtol=1e-14)
    np.testing.assert_allclose(jax.vmap(jax.grad(cube_root))(a), a ** (-2 / 3) / 3, rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(jax.jacfwd(jax.grad(cube_root)))(a), -2 / 9 * a ** (-5 / 3), rtol=1e-11)
    status = jax.vmap(lambda a: bracketed_root(lambda x: x**3 - a, 0.0, 2.0).status)(a)
    assert status.tolist() == [CONVERGED, CONVERGED, NOT_CONVERGED]


def test_newton_from_the_safe_side_needs_no_bracket():
    def concave(x):
        return jnp.tanh(2 * x) - x, 2 / jnp.cosh(2 * x) ** 2 - 1

    root = newton_from_safe_side(concave, jnp.asarray(1.0))
    assert float(root) == pytest.approx(0.9575040240772687, rel=1e-15)


def test_newton_system_and_its_derivatives():
    def circle_and_line(slope):
        return newton(lambda x: jnp.array([x[0] ** 2 + x[1] ** 2 - 1, x[1] - slope * x[0]]), jnp.array([1.0, 0.5]))

    root, status = circle_and_line(0.75)
    assert status == CONVERGED
    np.testing.assert_allclose(root, [0.8, 0.6], rtol=1e-14)
    np.testing.assert_allclose(
        jax.jacrev(lambda s: circle_and_line(s).values)(0.75), [-0.75 * 0.512, 0.512], rtol=1e-13
    )


def test_newton_without_a_root_is_not_converged():
    root, status = newton(lambda x: x**2 + 1, jnp.array([0.7]))
    assert status == NOT_CONVERGED
    assert np.isnan(root).all()


def test_implicit_root_keeps_the_value_and_adds_the_derivative():
    def square_root(a):
        return implicit_root(lambda x: x**2 - a, jax.lax.stop_gradient(jnp.sqrt(a))[None])[0]

    assert float(square_root(9.0)) == 3.0
    assert float(jax.grad(square_root)(9.0)) == pytest.approx(1 / 6, rel=1e-14)
