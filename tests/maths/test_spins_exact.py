"""Energies, overlaps and exact enumeration against sums written out."""

import itertools

import numpy as np
import pytest

from replicon.core.errors import DataError
from replicon.maths import spins as dynamics


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(1)
    couplings = generator.normal(size=(7, 7))
    return couplings + couplings.T, generator.normal(size=7)


def energy_by_pairs(couplings, fields, spins):
    size = len(spins)
    pairs = sum(couplings[i, j] * spins[i] * spins[j] for i in range(size) for j in range(i + 1, size))
    return -pairs - 0.5 * np.trace(couplings) - sum(fields * spins)


def test_energies_of_all_configurations(model):
    couplings, fields = model
    energies = dynamics.all_energies(couplings, fields)
    every = dynamics.configuration(np.arange(128), 7)
    assert len(np.unique(every, axis=0)) == 128
    np.testing.assert_allclose(energies, [energy_by_pairs(couplings, fields, s) for s in every], atol=1e-12)
    np.testing.assert_allclose(energies, dynamics.energy(couplings, every, fields), atol=1e-12)


def test_boltzmann_averages(model):
    couplings, fields = model
    exact = dynamics.boltzmann(couplings, 1.7, fields)
    every = np.array(list(itertools.product([-1, 1], repeat=7)))
    energies = np.array([energy_by_pairs(couplings, fields, s) for s in every])
    weights = np.exp(-energies / 1.7)
    assert exact.log_partition == pytest.approx(np.log(weights.sum()), rel=1e-12)
    weights /= weights.sum()
    assert exact.energy == pytest.approx(weights @ energies, rel=1e-12)
    assert exact.energy_variance == pytest.approx(weights @ energies**2 - (weights @ energies) ** 2, rel=1e-10)
    np.testing.assert_allclose(exact.magnetisation, weights @ every, atol=1e-12)
    np.testing.assert_allclose(exact.correlations, (every.T * weights) @ every, atol=1e-12)


def test_ferromagnet_has_its_two_ground_states():
    energies = dynamics.all_energies(np.ones((16, 16)), scale=1 / 16)
    assert np.flatnonzero(energies < energies.min() + 1e-9).tolist() == [0, 2**16 - 1]
    assert energies.min() == pytest.approx(-8.0)


def test_low_temperature_does_not_overflow(model):
    exact = dynamics.boltzmann(*model[:1], 1e-3)
    assert np.isfinite(exact.log_partition) and exact.energy == pytest.approx(dynamics.all_energies(model[0]).min())


@pytest.mark.parametrize("self_coupling", [False, True])
def test_energy_from_overlaps(self_coupling):
    generator = np.random.default_rng(2)
    patterns = np.where(generator.random((5, 40)) < 0.5, 1, -1).astype(np.int8)
    configurations = np.where(generator.random((6, 40)) < 0.5, 1, -1)
    counts = dynamics.hebbian_counts(patterns, self_coupling)
    overlaps = dynamics.overlaps(patterns, configurations)
    np.testing.assert_allclose(overlaps, configurations @ patterns.T / 40, atol=1e-15)
    direct = dynamics.energy(counts, configurations, scale=1 / 40)
    np.testing.assert_allclose(dynamics.hebbian_energy(overlaps, 40, self_coupling), direct, atol=1e-12)
    np.testing.assert_allclose(direct, [-0.5 * s @ (counts / 40) @ s for s in configurations.astype(float)], atol=1e-12)


def test_too_many_spins_are_refused():
    with pytest.raises(DataError, match="at most 24"):
        dynamics.all_energies(np.zeros((25, 25)))
