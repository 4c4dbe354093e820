"""Capacity of the perceptron: Cover's count, Gardner's integral, linear programmes, bad input."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from replicon import ParameterError, compare
from replicon.inference import PerceptronCapacity, gardner_capacity
from replicon.inference.perceptron import gardner_margin, ising_capacity, separation_probability, simulation
from replicon.maths import perceptron
from replicon.memory.hopfield import theory as hopfield
from replicon.testing import check_system


def test_contract():
    check_system(PerceptronCapacity(), workers=1, realizations=3)


def test_cover_count_is_exact():
    for n, d in itertools.product((1, 2, 5, 12, 40), (1, 3, 6, 20)):
        exact = sum(math.comb(n - 1, k) for k in range(d)) / 2 ** (n - 1)
        assert separation_probability(n, d).values == pytest.approx(exact, rel=1e-12), (n, d)
    d = np.array([1, 2, 17, 300, 10_000])
    np.testing.assert_allclose(separation_probability(2 * d, d).values, 0.5, atol=1e-10)


def test_all_labellings_of_a_few_points():
    """Every one of the 2^n labellings of points in general position, by the linear programme."""
    points = np.random.default_rng(3).standard_normal((7, 3))
    separable = [
        simulation.is_separable(points, np.array(labels)) for labels in itertools.product((-1.0, 1.0), repeat=7)
    ]
    assert sum(separable) == 2 * sum(math.comb(6, k) for k in range(3))


@pytest.mark.parametrize("load", [1.7, 2.0, 2.3])
def test_probability_at_the_transition(load):
    result = compare(PerceptronCapacity(load=load), [30, 60], 150, seed=2)
    assert result.verdict == "agree", str(result)


def test_largest_margin_agrees_with_gardner():
    result = compare(PerceptronCapacity(load=0.5), [50, 100, 200], 24, seed=2)
    assert result.verdict == "agree", str(result)
    assert float(result["theory_infinite"].sel(observable="largest_margin")) == pytest.approx(
        float(gardner_margin(0.5)), rel=1e-12
    )


def test_largest_margin_is_certified():
    """Primal and dual: the margin of a unit vector, and the distance of the hull from the origin, coincide."""
    points, labels = simulation.draw(40, 30, np.random.default_rng(1))
    margin = simulation.largest_margin(points, labels)
    signed = labels[:, None] * points
    best = 0.0
    from scipy.optimize import minimize

    shares = minimize(
        lambda u: np.sum((u**2 / np.sum(u**2) @ signed) ** 2), np.ones(40), tol=1e-12, options={"maxiter": 20000}
    ).x
    best = np.linalg.norm(shares**2 / np.sum(shares**2) @ signed)
    assert margin == pytest.approx(best, rel=1e-3) and margin <= best * (1 + 1e-9)


def test_gardner_capacity_and_its_inverse():
    margins = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(gardner_capacity(margins).values, [2, 0.961205, 0.519572], atol=5e-7)
    np.testing.assert_allclose(gardner_margin(gardner_capacity(margins).values).values, margins, atol=1e-9)


def test_capacity_of_couplings_of_one_size():
    """Krauth and Mezard's 0.833; the entropy written out and integrated adaptively vanishes there."""
    values, status = ising_capacity(np.array([0.0, 0.5]))
    assert (status == 0).all() and values[0] == pytest.approx(0.833, abs=5e-4)
    margin, load = 0.5, values[1]

    def mean(function):
        return integrate.quad(lambda z: stats.norm.pdf(z) * function(z), -12, 12, limit=300)[0]

    def solution(log_field):
        field = np.exp(log_field)
        q = mean(lambda z: np.tanh(np.sqrt(field) * z) ** 2)
        u = lambda z: (margin - np.sqrt(q) * z) / np.sqrt(1 - q)  # noqa: E731
        pull = mean(lambda z: np.exp(-(u(z) ** 2) - 2 * stats.norm.logsf(u(z))) / (2 * np.pi))
        entropy = mean(lambda z: np.logaddexp(np.sqrt(field) * z, -np.sqrt(field) * z)) - field * (1 - q) / 2
        return load * pull / (1 - q) - field, entropy + load * mean(lambda z: stats.norm.logsf(u(z)))

    log_field = optimize.brentq(lambda x: solution(x)[0], 0.0, 3.0)
    assert solution(log_field)[1] == pytest.approx(0, abs=1e-8)
    assert (values < gardner_capacity(np.array([0.0, 0.5])).values).all()


def test_negative_margin_is_refused_unless_asked_for():
    with pytest.raises(ParameterError, match="allow_rs=True"):
        gardner_capacity(-0.5)
    values, status = gardner_capacity(-0.5, allow_rs=True)
    assert values > 2 and status == perceptron.REPLICA_SYMMETRY_UNSTABLE
    with pytest.raises(ParameterError, match="finite"):
        gardner_capacity(math.nan)


def test_one_function_for_both_fields():
    assert hopfield.gardner_capacity is perceptron.gardner_capacity
    assert perceptron.REPLICA_SYMMETRY_UNSTABLE == hopfield.REPLICA_SYMMETRY_UNSTABLE
    assert perceptron.NO_SUCH_STATE == hopfield.NO_SUCH_STATE
    assert perceptron.OUT_OF_RANGE == hopfield.OUT_OF_RANGE


def test_stability_distribution_has_unit_mass():
    stability = np.linspace(-10, 10, 20001)
    values = perceptron.stability_distribution(stability, 0.5).values
    mass = np.trapezoid(values["density"], stability) + values["weight_at_margin"][0]
    assert mass == pytest.approx(1, abs=1e-3)
