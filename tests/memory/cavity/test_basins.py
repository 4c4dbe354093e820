"""Basins and capacities: the two descents, two criteria, sizes, and steepest descent in the Hopfield memory."""

import itertools

import numpy as np
import pytest

from replicon.core.errors import ParameterError
from replicon.maths.spins.steepest import steepest_descent
from replicon.memory.cavity import simulation
from replicon.memory.cavity.basins import basin_table, count_attractors, final_overlap, stored_capacity
from replicon.memory.hopfield.memory import HopfieldMemory

DRAWS = 200


def signs(generator, *shape):
    return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)


@pytest.mark.parametrize("ensemble", ["cavity", "glass", "hebb"])
def test_steepest_descent_has_the_larger_basins(ensemble):
    steepest = basin_table(ensemble, [5, 10], "steepest", draws=DRAWS)
    metropolis = basin_table(ensemble, [5, 10], "metropolis", draws=DRAWS)
    errors = np.hypot(steepest.standard_error, metropolis.standard_error)
    assert ((steepest.mean - metropolis.mean) / errors > 8).all()
    assert (steepest.standard_error < 0.03).all(), "hundreds of draws, or nothing is known"


def test_targets_are_attractors_of_the_dynamics_that_is_tested():
    for dynamics in ("steepest", "metropolis"):
        for ensemble in ("cavity", "glass", "hebb"):
            assert (basin_table(ensemble, [0], dynamics, draws=20).mean == 1).all()


def test_which_basins_are_extensive_depends_on_the_criterion():
    """At 10 % flipped: exact return falls with the size under both dynamics, the final overlap does not."""
    sizes = (50, 100, 200)
    for dynamics, least in (("steepest", 0.92), ("metropolis", 0.77)):
        exact = [basin_table("glass", [size // 10], dynamics, size=size, draws=DRAWS) for size in sizes]
        overlap = [final_overlap("glass", [size // 10], dynamics, size=size, draws=DRAWS) for size in sizes]
        for small, large in itertools.pairwise(exact):
            assert small.mean - large.mean > 3 * np.hypot(small.standard_error, large.standard_error)
        change = overlap[1].mean - overlap[2].mean
        assert abs(change) < 3.5 * np.hypot(overlap[1].standard_error, overlap[2].standard_error)
        assert overlap[2].mean > least


def test_energies_of_attractors_are_equal_in_quality():
    energies = {}
    for dynamics in ("steepest", "metropolis"):
        values = []
        for seed in range(DRAWS):
            generator = np.random.default_rng([8, seed])
            couplings = simulation.glass_couplings(100, generator)
            ends = simulation.descend(couplings, simulation.random_spins(20, 100, generator), dynamics, generator)
            values.append(-0.5 * np.einsum("bi,ij,bj->", ends, couplings, ends) / 2000)
        energies[dynamics] = np.mean(values), np.std(values, ddof=1) / np.sqrt(DRAWS)
    error = np.hypot(energies["steepest"][1], energies["metropolis"][1])
    assert energies["steepest"][0] - energies["metropolis"][0] == pytest.approx(0.0045, abs=3 * error)
    assert -0.7307 < energies["metropolis"][0] < -0.62, "above the ground state at this size"


def test_capacity_of_both_rules_under_both_dynamics():
    loads = [0.05, 0.17, 0.6]
    found = {
        (rule, dynamics): stored_capacity(rule, loads, dynamics, size=100, draws=20)
        for rule in ("hebb", "pinv")
        for dynamics in ("steepest", "metropolis")
    }
    hebb, slower = found["hebb", "steepest"], found["hebb", "metropolis"]
    assert hebb.mean[0] == pytest.approx(0.05, abs=0.001)
    assert 0.11 < hebb.mean[1] < 0.16 and hebb.mean[1] > slower.mean[1] and hebb.mean[2] < 0.005
    projection, other = found["pinv", "steepest"], found["pinv", "metropolis"]
    np.testing.assert_allclose(projection.mean, loads, rtol=0.03)
    assert projection.mean[2] - other.mean[2] > 8 * other.standard_error[2]


def test_a_mirror_image_is_no_new_attractor_and_no_exact_return():
    state = signs(np.random.default_rng(0), 30)
    found = simulation.distinct_states(np.array([state, -state, state], dtype=np.int8))
    assert found.spins.shape == (1, 30) and found.counts.tolist() == [3] and found.spins[0, 0] == 1
    ferromagnet = np.ones((30, 30)) - np.eye(30)
    up = np.ones(30, dtype=np.int8)
    assert simulation.return_fraction(ferromagnet, up, 10, "steepest", np.random.default_rng(0)) == 1
    assert simulation.return_fraction(ferromagnet, up, 20, "steepest", np.random.default_rng(0)) == 0


def test_cues_have_exactly_so_many_spins_flipped():
    generator = np.random.default_rng(1)
    state = signs(generator, 50)
    for flips in (0, 1, 7, 50):
        assert ((simulation.flip_spins(state, flips, 6, generator) != state).sum(axis=1) == flips).all()
    cues = simulation.flip_spins(state, 5, 4000, generator) != state
    np.testing.assert_allclose(cues.mean(axis=0), 0.1, atol=0.025)
    with pytest.raises(ParameterError, match=r"flips = 51.*\[0, 50\]"):
        simulation.flip_spins(state, 51, 2, generator)


def test_attractors_multiply_with_the_width():
    narrow, middle, wide = (count_attractors(width, 50, draws=30).mean() for width in (0.5, 1.0, 1.5))
    assert narrow == 1 and 5 < middle < 14 and wide > 50


def test_refusals():
    with pytest.raises(ParameterError, match="cavity, glass, hebb"):
        basin_table("ising", [1], "steepest", draws=2)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="steepest, metropolis"):
        basin_table("glass", [1], "greedy", draws=2)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="at least 2"):
        basin_table("glass", [1], "steepest", draws=1)


@pytest.mark.parametrize("rule", ["hebb", "storkey", "pinv"])
def test_in_the_hopfield_memory(rule):
    generator = np.random.default_rng(6)
    patterns = signs(generator, 8, 100)
    memory = HopfieldMemory(rule=rule, dynamics="steepest", random_state=0).fit(patterns)
    cues = patterns.copy()
    cues[:, :10] *= -1
    recalled = memory.recall(cues)
    assert recalled.converged.all() and (recalled.index == np.arange(8)).all()
    direct = steepest_descent(memory.couplings_, cues)
    np.testing.assert_array_equal(recalled.patterns, direct.spins)
    np.testing.assert_array_equal(recalled.iterations, direct.sweeps)


def test_hopfield_memory_without_symmetry_or_temperature():
    patterns = signs(np.random.default_rng(7), 5, 30)
    skew = HopfieldMemory(rule="gardner", dynamics="steepest", random_state=0).fit(patterns)
    recalled = skew.recall(patterns * np.where(np.arange(30) < 2, -1, 1))
    assert (recalled.patterns == patterns).mean() > 0.95
    assert (recalled.patterns * (recalled.patterns @ skew.couplings_.T) >= 0).all()
    with pytest.raises(ParameterError, match="glauber"):
        HopfieldMemory(dynamics="steepest", temperature=0.5).fit(patterns)
