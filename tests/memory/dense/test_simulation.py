"""Dynamics of dense associative memory against plain NumPy and exact enumeration; streamed one-step errors."""

import numpy as np
import pytest

from replicon import DataError, ParameterError
from replicon.maths.spins import hebbian_descent
from replicon.memory.dense import simulation, theory


def random(seed=0):
    return np.random.default_rng(seed)


def energy(memories, spins, degree, interaction):
    x = memories.astype(np.int64) @ spins.astype(np.int64)
    x = np.maximum(x, 0) if interaction == "rectified" else x
    return -float((x.astype(float) ** degree).sum())


def drives(memories, spins, degree, interaction):
    """Energy with the spin down less that with it up, spin by spin."""
    found = []
    for site in range(spins.size):
        up, down = spins.copy(), spins.copy()
        up[site], down[site] = 1, -1
        found.append(energy(memories, down, degree, interaction) - energy(memories, up, degree, interaction))
    return np.array(found)


@pytest.mark.parametrize("interaction", theory.INTERACTIONS)
@pytest.mark.parametrize("degree", [2, 3, 4])
def test_descent_ends_where_no_flip_lowers_the_energy(degree, interaction):
    memories = simulation.draw_memories(17, 40, random(degree))
    start = simulation.draw_memories(17, 1, random(9))[0]
    for sweeps in range(1, 30):
        measured = simulation.measure_descent(memories, start, random(1), degree, interaction, sweeps)
        if measured["converged"]:
            break
    assert measured["converged"] and measured["iterations"] == sweeps
    table = simulation.difference_table(17, degree, interaction)
    spins, sums = start.copy(), (memories.astype(int) @ start).astype(np.int32)
    stream = simulation.draw_streams(random(1), 1)[0]
    sites = np.ascontiguousarray(memories.T)
    before = energy(memories, spins, degree, interaction)
    for _ in range(sweeps):
        simulation.descend(sites, spins, sums, table, np.arange(17), stream, 1)
        after = energy(memories, spins, degree, interaction)
        assert after <= before
        before = after
    assert np.all(sums == memories.astype(int) @ spins)
    # The order of visits is another after a restart of the sweep counter, the end point a minimum all the same.
    assert np.all(spins * drives(memories, spins, degree, interaction) >= 0) or before > after


def test_one_step_against_energy_differences():
    for degree, interaction in [(2, "power"), (3, "power"), (3, "rectified"), (4, "rectified")]:
        memories = simulation.draw_memories(12, 30, random(degree))
        expected = []
        for memory in memories[:5]:
            difference = drives(memories, memory, degree, interaction)
            expected.append(np.mean(np.where(difference * memory < 0, 1, 0)))
        found = simulation.measure_one_step(memories, 1.0, random(), degree, interaction, targets=5)
        assert found == pytest.approx(np.mean(expected), abs=1e-12)


def test_streamed_errors_are_those_of_stored_memories(monkeypatch):
    counts = [60, 150, 400]
    found = simulation.streamed_errors(20, counts, random(3), 3, "power", targets=8)
    generator = random(3)
    first = simulation._signs(generator, 8, 20, sites=False)
    rest = [simulation._signs(generator, b - a, 20, sites=False) for a, b in zip([8, *counts], counts, strict=False)]
    memories = np.concatenate([first, *rest])
    for count, value in zip(counts, found, strict=True):
        assert value == simulation.measure_one_step(memories[:count], 1.0, random(), 3, targets=8)
    monkeypatch.setattr(simulation, "_CHUNK", 20 * 7)
    again = simulation.streamed_errors(20, [60], random(4), 3, targets=8)
    assert 0 <= again[0] < 0.5


def test_degree_two_is_hebbian_descent():
    memories = simulation.draw_memories(60, 6, random(2))
    start = simulation.start_from(memories[0], 0.6, random(3))
    dense = simulation.measure_descent(memories, start, random(4), 2)
    hebb = hebbian_descent(memories, start, random(4))
    assert dense["overlap"] == pytest.approx(float(memories[0] @ hebb.spins.astype(int)) / 60)
    assert dense["iterations"] == int(hebb.sweeps)


def test_energy_is_less_the_mean_of_the_others():
    memories = simulation.draw_memories(11, 50, random(5))
    spins = simulation.draw_memories(11, 1, random(6))[0]
    sums = (memories.astype(np.int32) @ spins.astype(np.int32)).astype(np.int32)
    for degree, interaction in [(3, "power"), (4, "power"), (3, "rectified")]:
        mean = np.mean(
            [-energy(simulation.draw_memories(11, 1, random(s)), spins, degree, interaction) for s in range(3000)]
        )
        exact = simulation.mean_interaction(11, degree, interaction)
        assert exact == pytest.approx(mean, abs=0.25 * 11 ** (degree / 2))
        found = simulation.energy_per_spin(sums, 11, degree, interaction)
        assert found == pytest.approx((energy(memories, spins, degree, interaction) + 49 * exact) / 11**degree)


@pytest.mark.parametrize("interaction", theory.INTERACTIONS)
def test_heat_bath_has_the_boltzmann_distribution(interaction):
    size, temperature, degree = 8, 1.6, 3
    memories = simulation.draw_memories(size, 5, random(7))
    codes = ((np.arange(2**size)[:, None] >> np.arange(size)) & 1) * 2 - 1
    energies = np.array([energy(memories, s, degree, interaction) for s in codes]) / size ** (degree - 1)
    weights = np.exp(-(energies - energies.min()) / temperature)
    weights /= weights.sum()
    runs = [
        simulation.measure_heat_bath(
            memories, memories[0], temperature, (random(10 + k), random(50 + k)), degree, interaction, 50, 4000
        )
        for k in range(12)
    ]
    overlap = np.array([run["overlap"] for run in runs])
    exact = weights @ (codes @ memories[0]) / size
    assert overlap.mean() == pytest.approx(exact, abs=4 * overlap.std(ddof=1) / np.sqrt(12))
    assert overlap.std(ddof=1) < 0.03
    shift = 4 * simulation.mean_interaction(size, degree, interaction) / size**degree
    mean = np.array([run["energy"] for run in runs])
    assert mean.mean() == pytest.approx(weights @ energies / size + shift, abs=4 * mean.std(ddof=1) / np.sqrt(12))


def test_errors_of_one_update_collapse_on_the_load():
    """n = 3 and n = 4 at two sizes each: the measured errors are those of the exact signal and noise."""
    for degree, size, load in [(3, 50, 0.06), (3, 100, 0.06), (4, 40, 0.012), (4, 60, 0.012), (3, 60, 0.12)]:
        interaction = "rectified" if load == 0.12 else "power"
        count = round(load * size ** (degree - 1))
        draws = [simulation.streamed_errors(size, [count], random(s), degree, interaction)[0] for s in range(40)]
        error = np.std(draws, ddof=1) / np.sqrt(40)
        expected = float(theory.finite_one_step_error(size, count, degree, interaction))
        assert np.mean(draws) == pytest.approx(expected, abs=4 * error)
        assert error < 0.12 * expected


def test_bad_input():
    memories = simulation.draw_memories(10, 4, random())
    for call, error, words in [
        (lambda: simulation.measure_descent(memories, memories[0], random(), 1), ParameterError, "degree = 1"),
        (lambda: simulation.measure_descent(memories, memories[0], random(), 3, "exp"), ParameterError, "interaction"),
        (lambda: simulation.measure_descent(memories[:, :5], memories[0], random()), DataError, "10 spins"),
        (lambda: simulation.measure_descent(memories * 2, memories[0], random()), DataError, "patterns must be"),
        (lambda: simulation.draw_memories(10, 0, random()), ParameterError, "memories = 0"),
        (lambda: simulation.streamed_errors(10, [20, 20], random()), DataError, "increasing"),
        (lambda: simulation.start_from(memories[0], 1.5, random()), ParameterError, "overlap"),
    ]:
        with pytest.raises(error, match=words):
            call()
