"""Mixture states: enumeration of the signs, published temperatures and loads, retrieval as the mixture of one."""

from itertools import product
from math import comb

import numpy as np
import pytest

from replicon.memory.hopfield.theory import (
    NO_SUCH_STATE,
    OBSERVABLES,
    OUT_OF_RANGE,
    critical_load,
    largest_mixture_load,
    mixture_critical_temperature,
    mixture_eigenvalues,
    mixture_overlap,
    replica_symmetric,
    symmetric_mixture,
    zero_temperature,
)


def signs(patterns):
    return np.array(list(product([-1, 1], repeat=patterns)))


@pytest.mark.parametrize("patterns", [1, 3, 5, 7])
def test_overlap_at_zero_temperature(patterns):
    expected = 2.0 ** (1 - patterns) * comb(patterns - 1, (patterns - 1) // 2)
    assert mixture_overlap(patterns).values == pytest.approx(expected)
    cold = mixture_overlap(patterns, np.array([0.0, 1e-3, 1.0, -1.0]))
    assert cold.values[1] == pytest.approx(expected, rel=1e-12)
    assert cold.status.tolist() == [0, 0, NO_SUCH_STATE, OUT_OF_RANGE]


@pytest.mark.parametrize("patterns", [2, 3, 5])
def test_overlap_and_curvature_by_enumeration(patterns):
    temperature = np.array([0.2, 0.4, 0.7, 0.95])
    overlaps, status = mixture_overlap(patterns, temperature)
    eigenvalues = mixture_eigenvalues(patterns, temperature).values
    assert not status.any()
    xi = signs(patterns)
    for i, (t, m) in enumerate(zip(temperature, overlaps, strict=True)):
        response = np.tanh(m * xi.sum(axis=1) / t)
        np.testing.assert_allclose((xi * response[:, None]).mean(axis=0), m, atol=1e-14)
        assert m > 0
        # One pattern more that is not condensed.
        wide = signs(patterns + 1)
        slope = 1 - np.tanh(m * wide[:, :-1].sum(axis=1) / t) ** 2
        hessian = np.eye(patterns + 1) - (wide[:, :, None] * wide[:, None, :] * slope[:, None, None]).mean(axis=0) / t
        expected = sorted(
            [eigenvalues["uniform"][i], eigenvalues["other"][i]] + [eigenvalues["relative"][i]] * (patterns - 1)
        )
        np.testing.assert_allclose(np.linalg.eigvalsh(hessian), expected, atol=1e-12)


def test_where_mixtures_are_stable():
    published = {3: 0.4598, 5: 0.3847, 7: 0.3439}
    for patterns, temperature in published.items():
        found, status = mixture_critical_temperature(patterns)
        assert status == 0
        assert found == pytest.approx(temperature, abs=5e-5)
        smallest = mixture_eigenvalues(patterns, found * np.array([0.5, 0.99, 1.01, 1.5])).values["relative"]
        assert (np.sign(smallest) == [1, 1, -1, -1]).all()
    assert mixture_critical_temperature(1).values == 1
    assert mixture_critical_temperature(4).status == NO_SUCH_STATE
    assert (mixture_eigenvalues(4, np.array([0.02, 0.2, 0.5, 0.9])).values["relative"] < 0).all()


def test_largest_load_of_a_mixture():
    assert largest_mixture_load(1).values == pytest.approx(critical_load().values, rel=1e-12)
    edge = largest_mixture_load(3).values
    assert edge == pytest.approx(0.0299, abs=5e-5)
    values, status = symmetric_mixture(edge * np.array([1e-4, 0.5, 1 - 1e-6, 1 + 1e-6]))
    assert (status & NO_SUCH_STATE).tolist() == [0, 0, 0, NO_SUCH_STATE]
    assert (np.diff(values["overlap"][:3]) < 0).all()
    assert values["overlap"][0] == pytest.approx(0.5, abs=1e-9)
    assert values["energy"][0] == pytest.approx(-3 / 8, abs=1e-5)
    assert largest_mixture_load(5).values < edge


def test_the_mixture_of_one_pattern_is_retrieval():
    load, temperature = np.array([0.05, 0.05, 0.1, 0.05]), np.array([0.3, 0.0, 0.0, 0.6])
    mixture = symmetric_mixture(load, 1, temperature)
    warm, cold = replica_symmetric(0.05, 0.3).values, zero_temperature(load[1:3]).values
    assert mixture.status[3] == NO_SUCH_STATE
    for name in OBSERVABLES:
        np.testing.assert_allclose(mixture.values[name][:3], [warm[name], *cold[name]], rtol=1e-11)


def test_finite_load_mixture_by_direct_summation():
    load, temperature = np.array([0.02, 0.005, 0.02, 0.03]), np.array([0.1, 0.3, 1e-4, 0.1])
    values, status = symmetric_mixture(load, 3, temperature)
    assert status.tolist() == [0, 0, status[2], NO_SUCH_STATE]
    z = np.linspace(-9, 9, 20001)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    xi = signs(3)
    for i in range(2):
        m, q, r = (values[n][i] for n in ("overlap", "edwards_anderson", "crosstalk"))
        field = m * xi.sum(axis=1)[:, None] + np.sqrt(load[i] * r) * z
        t = np.tanh(field / temperature[i])
        assert (weight * xi[:, :1] * t).sum() / 8 == pytest.approx(m, abs=1e-12)
        assert (weight * t * t).sum() / 8 == pytest.approx(q, abs=1e-12)
        assert r == pytest.approx(q / (1 - (1 - q) / temperature[i]) ** 2, rel=1e-11)
        identity = values["energy"][i] - temperature[i] * values["entropy"][i]
        assert values["free_energy"][i] == pytest.approx(identity, abs=1e-13)
    frozen = symmetric_mixture(load, 3, np.zeros(4)).values
    assert values["overlap"][2] == pytest.approx(frozen["overlap"][2], abs=1e-4)
    assert values["free_energy"][2] == pytest.approx(frozen["energy"][2], abs=1e-4)


def test_entropy_of_a_mixture_is_the_slope_of_its_free_energy():
    ends = symmetric_mixture(0.01, 3, np.array([0.2 - 1e-5, 0.2 + 1e-5, 0.2])).values
    slope = (ends["free_energy"][1] - ends["free_energy"][0]) / 2e-5
    assert slope == pytest.approx(-ends["entropy"][2], rel=1e-6)


def test_bad_numbers_of_patterns():
    with pytest.raises(ValueError, match="must be odd, not 2"):
        symmetric_mixture(0.01, 2)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        mixture_overlap(0)
