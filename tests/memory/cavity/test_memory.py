"""The cavity as a memory of the user's patterns: attractors, encoding, recall, the ladder, bad input."""

import doctest

import numpy as np
import pytest

from replicon.core.errors import DataError, ParameterError, RankError
from replicon.maths.spins.steepest import steepest_descent
from replicon.memory.cavity import memory as module
from replicon.memory.cavity import simulation
from replicon.memory.cavity.ladder import ladder_descent
from replicon.memory.cavity.memory import CavityMemory


def signs(generator, *shape):
    return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)


@pytest.fixture(scope="module")
def encoded():
    memory = CavityMemory(width=1.2, spins=120)
    return memory.encode(signs(np.random.default_rng(1), 5, 80))


def test_attractors_are_distinct_fixed_points_counted_once():
    memory = CavityMemory(width=1.0, spins=80)
    found = memory.attractors(200)
    assert found.counts.sum() == 200 and (found.spins[:, 0] == 1).all()
    fields = found.spins @ memory.couplings
    assert (found.spins * fields >= 0).all()
    overlaps = np.abs(found.spins.astype(int) @ found.spins.T) / 80
    assert (overlaps[np.triu_indices(len(found.counts), 1)] < 1).all()
    np.testing.assert_allclose(found.energies, -0.5 * (found.spins * fields).sum(axis=1))
    assert (np.diff(found.returned) <= 0).all() and found.robust == (found.returned >= 0.95).sum()


def test_the_map_is_exact_and_recall_undoes_it(encoded):
    maps = encoded.encoding_
    np.testing.assert_allclose(maps.forward @ maps.patterns.T, maps.attractors.T, atol=1e-9)
    np.testing.assert_allclose(maps.backward @ maps.attractors.T, maps.patterns.T, atol=1e-9)
    recalled = encoded.recall(maps.patterns)
    np.testing.assert_array_equal(recalled.patterns, maps.patterns)
    assert recalled.index.tolist() == [0, 1, 2, 3, 4] and recalled.converged.all()
    assert (encoded.recall(-maps.patterns).patterns == -maps.patterns).all(), "the mirror images are attractors too"
    assert (encoded.recall(-maps.patterns).index == -1).all()


def test_damaged_patterns_come_back_and_descent_does_part_of_it(encoded):
    generator = np.random.default_rng(2)
    patterns, attractors = encoded.encoding_.patterns, encoded.encoding_.attractors
    cues = np.concatenate([simulation.flip_spins(p, 24, 40, generator) for p in patterns])
    wanted = np.repeat(np.arange(5), 40)
    recalled = encoded.recall(cues)
    started = (encoded.encoded(cues) == attractors[wanted]).all(axis=1).mean()
    assert (recalled.index == wanted).mean() > max(0.8, started + 0.1)
    assert (recalled.patterns == patterns[wanted]).all(axis=1).mean() >= (recalled.index == wanted).mean()


def test_errors_within_the_span_grow_by_no_more_than_the_condition_number(encoded):
    maps = encoded.encoding_
    generator = np.random.default_rng(3)
    for _ in range(200):
        signal, noise = (generator.standard_normal(5) @ maps.patterns for _ in range(2))
        before = np.linalg.norm(noise) / np.linalg.norm(signal)
        after = np.linalg.norm(maps.forward @ noise) / np.linalg.norm(maps.forward @ signal)
        assert after <= maps.condition * before * (1 + 1e-9)
    assert 1 <= maps.condition < 100 and maps.available >= 5


def test_patterns_go_to_robust_attractors_only(encoded):
    found = encoded.attractors()
    robust = {state.tobytes() for state in found.spins[found.returned >= 0.95]}
    assert encoded.encoding_.available <= found.robust < len(found.counts)
    assert {state.tobytes() for state in encoded.encoding_.attractors} <= robust


def test_more_patterns_than_robust_attractors():
    memory = CavityMemory(width=0.5, spins=60)
    with pytest.raises(DataError, match="2 patterns and only 1 robust attractors"):
        memory.encode(signs(np.random.default_rng(4), 2, 60))


@pytest.mark.parametrize("dynamics", ["steepest", "metropolis", "ladder"])
def test_same_cue_same_answer_alone_or_among_others(dynamics):
    memory = CavityMemory(width=1.0, spins=40, dynamics=dynamics, atoms=30)
    cues = signs(np.random.default_rng(5), 6, 40)
    together, converged = memory.relax(cues)
    assert converged.all()
    np.testing.assert_array_equal(memory.relax(cues[3:4])[0][0], together[3])
    assert (together * (together @ memory.couplings) >= 0).all()


def test_names_of_the_dynamics():
    cues = signs(np.random.default_rng(6), 20, 60)
    for short, word in (("sd", "steepest"), ("0tmh", "metropolis")):
        ends = [CavityMemory(width=1.2, spins=60, dynamics=name).relax(cues)[0] for name in (short, word)]
        np.testing.assert_array_equal(*ends)
    steepest, other = (CavityMemory(width=1.2, spins=60, dynamics=name).relax(cues)[0] for name in ("sd", "0tmh"))
    assert (steepest != other).any()


def test_ladder_of_many_atoms_is_steepest_descent():
    """Only this is claimed of the collective spins; one atom per ensemble follows another dynamics."""
    shares = []
    for seed in range(40):
        generator = np.random.default_rng([7, seed])
        glass = simulation.glass_couplings(40, generator)
        cavity = simulation.cavity_couplings(generator.normal(size=(40, 2)))
        for couplings in (glass, cavity):
            starts = signs(generator, 10, 40)
            ends = steepest_descent(couplings, starts).spins
            runs = [ladder_descent(couplings, starts, atoms, 0)[0] for atoms in (1, 30, 1000, 100_000)]
            shares.append([(run == ends).all(axis=1).mean() for run in runs])
    mean = np.mean(shares, axis=0)
    assert mean[0] < 0.7 and (np.diff(mean) > 0).all() and mean[2] > 0.97 and mean[3] > 0.998


def test_local_coupling_raises_the_threshold():
    positions = np.random.default_rng(8).normal(size=(60, 2))
    cues = signs(np.random.default_rng(9), 30, 60)
    moved = [(CavityMemory(positions, local=local).relax(cues)[0] != cues).mean() for local in (0.0, 5.0, 60.0)]
    assert moved[0] > moved[1] > moved[2] == 0
    free, held = CavityMemory(positions), CavityMemory(positions, local=2.0)
    state = free.attractors(20).spins[:1]
    np.testing.assert_array_equal(held.relax(state)[0], state)
    found = held.attractors(20)
    np.testing.assert_allclose(
        found.energies, -0.5 * np.einsum("bi,ij,bj->b", found.spins, free.couplings, found.spins.astype(float))
    )


def test_bad_input():
    positions = np.random.default_rng(10).normal(size=(30, 2))
    for arguments in ({}, {"positions": positions, "width": 1.0}):
        with pytest.raises(ParameterError, match="either positions or width"):
            CavityMemory(**arguments)
    for width in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ParameterError, match="width"):
            CavityMemory(width=width)
    for bad in (np.zeros((30, 3)), np.zeros(30), [["a", "b"], ["c", "d"]]):
        with pytest.raises(DataError, match=r"shape \(spins, 2\)"):
            CavityMemory(bad)
    for name, value in (("dynamics", "greedy"), ("spins", 1), ("atoms", 0), ("seed", -1), ("local", -0.5)):
        with pytest.raises(ParameterError, match=name):
            CavityMemory(width=1.0, **{name: value})
    memory = CavityMemory(positions)
    with pytest.raises(DataError, match="encode"):
        memory.recall(np.ones((1, 30)))
    with pytest.raises(DataError, match=r"\+1 or -1"):
        memory.relax(np.zeros((1, 30)))
    with pytest.raises(DataError, match=r"\+1 or -1"):
        memory.encode(np.full((1, 30), 2))
    with pytest.raises(RankError, match="rank 1"):
        memory.encode(np.ones((2, 30)))
    with pytest.raises(DataError, match="30"):
        memory.encode(signs(np.random.default_rng(0), 1, 30)).recall(np.ones((1, 29)))
    with pytest.raises(ParameterError, match="n_starts"):
        memory.attractors(0)
    skew = np.triu(np.ones((4, 4)), 1)
    with pytest.raises(DataError, match="symmetric"):
        ladder_descent(skew, np.ones((1, 4)), 10, 0)


def test_examples_of_the_documentation():
    assert doctest.testmod(module).failed == 0
