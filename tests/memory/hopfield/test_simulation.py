"""The Hopfield experiment: what is measured equals what the configurations say, written out in NumPy."""

import numpy as np
import pytest

from replicon.core.errors import Cancelled, DataError, ParameterError
from replicon.maths import spins as dynamics
from replicon.memory.hopfield import simulation
from replicon.memory.hopfield.simulation import (
    basin_curve,
    critical_overlap_of_basin,
    draw_patterns,
    measure_descent,
    measure_glauber,
    overlap_trajectory,
    start_from,
)


def generators(seed, count):
    return [np.random.default_rng(words) for words in np.random.SeedSequence(seed).spawn(count)]


def test_patterns_are_fair_and_independent():
    patterns = draw_patterns(1001, 37, np.random.default_rng(1)).astype(int)
    assert patterns.shape == (37, 1001) and set(np.unique(patterns)) == {-1, 1}
    assert abs(patterns.sum()) / np.sqrt(patterns.size) < 4
    between = (patterns @ patterns.T)[np.triu_indices(37, 1)] / np.sqrt(1001)
    sites = (patterns.T @ patterns)[np.triu_indices(1001, 1)] / np.sqrt(37)
    for scores in (between, sites):
        # Squares of unit normals: mean 1, variance 2 (slightly less at finite size).
        assert abs(scores.mean()) * np.sqrt(scores.size) < 4
        assert abs((scores**2).mean() - 1) < 4 * np.sqrt(2 / scores.size)


@pytest.mark.parametrize("overlap", [-1.0, -0.37, 0.0, 0.5, 0.801, 1.0])
def test_start_has_the_overlap_asked_for(overlap):
    generator = np.random.default_rng(2)
    pattern = draw_patterns(503, 1, generator)[0]
    start = start_from(pattern, overlap, generator)
    assert (start != pattern).sum() == round((1 - overlap) / 2 * 503)
    if abs(overlap) < 1:
        assert not np.array_equal(start, start_from(pattern, overlap, generator))


@pytest.mark.parametrize("kind", ["sequential", "parallel"])
@pytest.mark.parametrize("self_coupling", [False, True])
def test_descent_measures_its_final_configuration(kind, self_coupling):
    size, count = 300, 30
    patterns = draw_patterns(size, count, np.random.default_rng(3))
    start = start_from(patterns[0], 0.6, np.random.default_rng(4))
    measured = measure_descent(patterns, start, np.random.default_rng(5), kind, self_coupling=self_coupling)
    counts = dynamics.hebbian_counts(patterns, self_coupling)
    if kind == "sequential":
        final = dynamics.sequential_descent(counts, start, np.random.default_rng(5)).spins
    else:
        final = dynamics.parallel_dynamics(counts, start).spins
    overlaps = patterns.astype(float) @ final / size
    assert measured["overlap"] == pytest.approx(overlaps[0], abs=1e-14)
    assert measured["error_rate"] == pytest.approx(np.mean(final != patterns[0]), abs=1e-14)
    assert measured["crosstalk"] == pytest.approx(np.sum(overlaps[1:] ** 2) / 0.1, rel=1e-12)
    assert measured["crosstalk_instant"] == measured["crosstalk"]
    assert measured["largest_other_overlap"] == pytest.approx(np.abs(overlaps[1:]).max(), rel=1e-12)
    assert measured["energy"] == pytest.approx(-0.5 * final @ (counts / size) @ final.astype(float) / size, rel=1e-12)
    assert measured["edwards_anderson"] == 1.0
    assert measured["converged"] is True and measured["cycle"] == 1 and measured["iterations"] >= 2


def test_sign_of_the_overlap_is_kept():
    patterns = draw_patterns(200, 3, np.random.default_rng(6))
    assert measure_descent(patterns, -patterns[0], np.random.default_rng(7))["overlap"] < -0.95


def test_two_cycle_is_reported():
    pattern = np.array([[1, -1]])  # J_01 < 0: two aligned spins turn over together for ever
    measured = measure_descent(pattern, np.array([1, 1]), np.random.default_rng(0), "parallel")
    assert measured["converged"] is False and measured["cycle"] == 2
    given_up = measure_descent(pattern, np.array([1, 1]), np.random.default_rng(0), "parallel", max_sweeps=1)
    assert given_up["converged"] is False and given_up["cycle"] == 0
    assert measure_descent(pattern, np.array([1, 1]), np.random.default_rng(0))["cycle"] == 1


def test_single_pattern_has_no_crosstalk():
    patterns = draw_patterns(100, 1, np.random.default_rng(8))
    for measured in (
        measure_descent(patterns, patterns[0], np.random.default_rng(0)),
        measure_glauber(patterns, patterns[0], 0.5, *generators(0, 2), burn_in=2, sweeps=2),
    ):
        assert measured["crosstalk"] == measured["crosstalk_instant"] == measured["largest_other_overlap"] == 0.0


def test_glauber_averages_are_those_of_the_two_histories():
    size, count, temperature, burn_in, sweeps = 120, 10, 0.6, 5, 12
    patterns = draw_patterns(size, count, np.random.default_rng(9))
    counts = dynamics.hebbian_counts(patterns)
    measured = measure_glauber(patterns, patterns[0], temperature, *generators(10, 2), burn_in, sweeps)
    # The same generator makes the same history: its configurations are the ends of longer and longer runs.
    histories = np.array(
        [
            [
                dynamics.glauber(
                    counts, patterns[0], temperature, burn_in + k, generators(10, 2)[replica], scale=1 / size
                )
                for k in range(1, sweeps + 1)
            ]
            for replica in (0, 1)
        ]
    ).astype(float)
    assert not np.array_equal(histories[0], histories[1])
    overlaps = histories @ patterns.T / size
    mean_spins, mean_overlaps = histories.mean(axis=1), overlaps.mean(axis=1)
    load = count / size
    energies = -0.5 * np.einsum("rti,ij,rtj->rt", histories, counts / size, histories) / size
    expected = {
        "overlap": overlaps[..., 0].mean(),
        "overlap_square": (overlaps[..., 0] ** 2).mean(),
        "edwards_anderson": mean_spins[0] @ mean_spins[1] / size,
        "crosstalk": mean_overlaps[0, 1:] @ mean_overlaps[1, 1:] / load,
        "crosstalk_instant": (overlaps[..., 1:] ** 2).sum(axis=-1).mean() / load,
        "largest_other_overlap": np.abs(mean_overlaps[:, 1:].mean(axis=0)).max(),
        "error_rate": np.mean(histories != patterns[0]),
        "energy": energies.mean(),
        "iterations": burn_in + sweeps,
    }
    assert measured == pytest.approx(expected, rel=1e-12)
    identity = -measured["overlap_square"] / 2 + load / 2 * (1 - measured["crosstalk_instant"])
    assert energies.mean() == pytest.approx(identity, rel=1e-12)


def test_small_network_is_in_equilibrium():
    size, temperature, runs = 8, 0.8, 300
    patterns = np.array([[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, -1, -1, -1, 1], [1, -1, 1, -1, 1, -1, 1, 1]])
    counts = dynamics.hebbian_counts(patterns)
    energies = dynamics.all_energies(counts, scale=1 / size)
    every = dynamics.configuration(np.arange(2**size), size)
    weights = np.exp(-energies / temperature)
    weights /= weights.sum()
    squares = weights @ (every @ patterns.T / size) ** 2
    seeds = generators(11, 2 * runs)
    measured = [
        measure_glauber(patterns, patterns[0], temperature, a, b, burn_in=60, sweeps=50)
        for a, b in zip(seeds[::2], seeds[1::2], strict=True)
    ]
    for name, exact in {
        "energy": weights @ energies / size,
        "overlap_square": squares[0],
        "crosstalk_instant": squares[1:].sum() * size / 3,
    }.items():
        values = np.array([run[name] for run in measured])
        z = (values.mean() - exact) / (values.std(ddof=1) / np.sqrt(runs))
        assert abs(z) < 4, (name, values.mean(), exact)


def test_one_history_alone_overestimates_the_edwards_anderson_order():
    size, count, temperature, draws = 400, 8, 0.5, 40
    differences = []
    for seed in range(draws):
        disorder, noise = generators(seed, 2)
        patterns = draw_patterns(size, count, disorder)
        word = noise.integers(2**63)
        replica, twin, other = (np.random.default_rng([word, k]) for k in (0, 0, 1))
        single = measure_glauber(patterns, patterns[0], temperature, replica, twin, 20, 40)
        pair = measure_glauber(patterns, patterns[0], temperature, np.random.default_rng([word, 0]), other, 20, 40)
        differences.append(single["edwards_anderson"] - pair["edwards_anderson"])
    z = np.mean(differences) / (np.std(differences, ddof=1) / np.sqrt(draws))
    assert z > 4


def test_progress_reports_may_cancel_and_change_nothing(monkeypatch):
    patterns = draw_patterns(100, 10, np.random.default_rng(12))
    quiet = measure_glauber(patterns, patterns[0], 0.4, *generators(13, 2), burn_in=7, sweeps=9)
    monkeypatch.setattr(simulation, "_CHUNK", 3000)
    fractions = []
    chunked = measure_glauber(patterns, patterns[0], 0.4, *generators(13, 2), 7, 9, progress=fractions.append)
    assert chunked == quiet
    assert len(fractions) == 12 and fractions == sorted(fractions) and fractions[-1] == 1.0

    def cancel(fraction):
        if fraction > 0.3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        measure_glauber(patterns, patterns[0], 0.4, *generators(13, 2), 7, 9, progress=cancel)


def test_trajectory_is_the_iterated_map():
    patterns = draw_patterns(301, 30, np.random.default_rng(14))
    couplings = dynamics.hebbian_counts(patterns).astype(float)
    spins = start_from(patterns[0], 0.4, np.random.default_rng(15))
    measured = overlap_trajectory(patterns, spins, 4)
    expected = [patterns[0] @ spins.astype(float) / 301]
    for _ in range(4):
        fields = couplings @ spins
        spins = np.where(fields == 0, spins, np.sign(fields))
        expected.append(patterns[0] @ spins / 301)
    np.testing.assert_allclose(measured, expected, atol=1e-14)
    assert measured[1] > measured[0]


@pytest.mark.parametrize("kind", ["sequential", "parallel"])
def test_basin_rises_from_nothing_to_recall(kind):
    patterns = draw_patterns(600, 30, np.random.default_rng(16))
    curve = basin_curve(patterns, [0.0, 0.5, 1.0], np.random.default_rng(17), starts=12, dynamics=kind)
    assert curve["final_overlap"][0] < curve["final_overlap"][1] and curve["recalled"][0] < curve["recalled"][1]
    assert curve["recalled"][0] < 0.5 and curve["recalled"][2] == 1.0
    assert abs(curve["final_overlap"][0]) < 0.6 and curve["final_overlap"][2] > 0.99


def test_critical_overlap_separates_recall_from_loss():
    patterns = draw_patterns(600, 40, np.random.default_rng(18))
    critical = critical_overlap_of_basin(patterns, np.random.default_rng(19), starts=20)
    assert np.all((critical > 0) & (critical < 0.9))
    middle, spread = np.median(critical), critical.std()
    curve = basin_curve(patterns, [middle - 4 * spread, middle + 4 * spread], np.random.default_rng(20), starts=20)
    assert curve["recalled"][0] < 0.25 and curve["recalled"][1] > 0.75


def test_overloaded_network_has_no_basin():
    patterns = draw_patterns(400, 160, np.random.default_rng(21))
    assert np.all(np.isnan(critical_overlap_of_basin(patterns, np.random.default_rng(22), starts=6)))


def test_basins_shrink_with_load():
    sizes = [
        np.median(critical_overlap_of_basin(draw_patterns(800, count, g), g, starts=20))
        for count, g in zip((16, 48, 80), generators(23, 3), strict=True)
    ]
    assert sizes[0] < sizes[1] < sizes[2]


def test_bad_input_is_refused():
    patterns = draw_patterns(50, 5, np.random.default_rng(24))
    generator = np.random.default_rng(0)
    with pytest.raises(ParameterError, match="dynamics = 'glauber'"):
        measure_descent(patterns, patterns[0], generator, "glauber")
    with pytest.raises(ParameterError, match="dynamics"):
        basin_curve(patterns, [0.5], generator, dynamics="little")
    with pytest.raises(ParameterError, match=r"overlap = 1\.5"):
        start_from(patterns[0], 1.5, generator)
    with pytest.raises(ParameterError, match="overlap = nan"):
        start_from(patterns[0], float("nan"), generator)
    with pytest.raises(ParameterError, match="temperature = -1"):
        measure_glauber(patterns, patterns[0], -1.0, generator, generator)
    with pytest.raises(ParameterError, match="sweeps = 0"):
        measure_glauber(patterns, patterns[0], 0.5, generator, generator, sweeps=0)
    with pytest.raises(DataError, match="start"):
        measure_descent(patterns, patterns, generator)
    with pytest.raises(DataError, match="50"):
        measure_descent(patterns, patterns[0][:20], generator)
    with pytest.raises(ParameterError, match="patterns = 0"):
        draw_patterns(10, 0, generator)
