"""Single-spin dynamics: descent, equilibrium, agreement of dense, matrix-free and plain NumPy versions."""

import subprocess
import sys

import numpy as np
import pytest

from replicon.core.errors import DataError, ParameterError
from replicon.maths import spins as dynamics
from replicon.maths.spins.dense import heat_bath_updates
from replicon.maths.spins.patterns import heat_bath_updates_patterns, pattern_sums
from replicon.maths.spins.streams import draw_streams

SIZE, COUNT = 90, 17


def signs(generator, *shape):
    return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)


def words(stream):
    """Xoshiro256++ in Python integers, from the reference code of Blackman and Vigna."""
    state = [int(word) for word in stream]
    mask = 2**64 - 1

    def rotate(word, bits):
        return ((word << bits) | (word >> (64 - bits))) & mask

    while True:
        yield (rotate((state[0] + state[3]) & mask, 23) + state[0]) & mask
        shifted = (state[1] << 17) & mask
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= shifted
        state[3] = rotate(state[3], 45)


def reference_descent(couplings, spins, bias, stream):
    """One dot product per visit, the same order of visits."""
    random, spins, order = words(stream), spins.astype(float), list(range(len(spins)))
    sweeps = flips = 0
    while True:
        for last in range(len(order) - 1, 0, -1):
            other = ((next(random) >> 32) * (last + 1)) >> 32
            order[last], order[other] = order[other], order[last]
        before = flips
        for site in order:
            if spins[site] * (couplings[site] @ spins + bias[site]) < 0:
                spins[site] *= -1
                flips += 1
        sweeps += 1
        if flips == before:
            return spins, sweeps, flips


def reference_glauber(couplings, spins, bias, temperature, sweeps, stream):
    """Set spin i to +1 with probability 1 / (1 + exp(-2 h_i / T)), written for a flip of the present value."""
    random, spins = words(stream), spins.astype(float)
    for _ in range(sweeps * len(spins)):
        site = ((next(random) >> 32) * len(spins)) >> 32
        field = couplings[site] @ spins - couplings[site, site] * spins[site] + bias[site]
        uniform = (next(random) >> 11) / 2**53
        if uniform < 1 / (1 + np.exp(2 * spins[site] * field / temperature)):
            spins[site] *= -1
    return spins


@pytest.fixture(scope="module")
def patterns():
    return signs(np.random.default_rng(1), COUNT, SIZE)


@pytest.fixture(scope="module")
def starts():
    return signs(np.random.default_rng(2), 6, SIZE)


@pytest.fixture(scope="module")
def glass():
    """A Gaussian symmetric coupling matrix with a positive diagonal, and external fields."""
    generator = np.random.default_rng(3)
    matrix = generator.normal(size=(SIZE, SIZE)) / np.sqrt(2 * SIZE)
    matrix += matrix.T
    np.fill_diagonal(matrix, 0.3)
    return matrix, 0.5 * generator.normal(size=SIZE)


def test_counts_are_n_times_the_couplings(patterns):
    exact = patterns.T.astype(int) @ patterns.astype(int)
    assert np.array_equal(dynamics.hebbian_counts(patterns, self_coupling=True), exact)
    assert np.array_equal(dynamics.hebbian_counts(patterns), exact - COUNT * np.eye(SIZE, dtype=int))


def test_descent_follows_the_numpy_version(glass, starts):
    matrix, bias = glass
    streams = draw_streams(np.random.default_rng(4), len(starts))
    run = dynamics.sequential_descent(matrix, starts, np.random.default_rng(4), fields=bias)
    for row in range(len(starts)):
        spins, sweeps, flips = reference_descent(matrix, starts[row], bias, streams[row])
        assert np.array_equal(run.spins[row], spins)
        assert (run.sweeps[row], run.flips[row]) == (sweeps, flips)


@pytest.mark.parametrize("self_coupling", [False, True])
def test_matrix_free_descent_is_the_dense_one(patterns, starts, self_coupling):
    counts = dynamics.hebbian_counts(patterns, self_coupling)
    dense = dynamics.sequential_descent(counts, starts, np.random.default_rng(5))
    free = dynamics.sequential_descent_patterns(patterns, starts, np.random.default_rng(5), self_coupling)
    assert all(np.array_equal(a, b) for a, b in zip(dense, free, strict=True))
    single = dynamics.sequential_descent_patterns(patterns, starts[0], np.random.default_rng(5), self_coupling)
    assert np.array_equal(
        single.spins,
        reference_descent(counts, starts[0], np.zeros(SIZE), draw_streams(np.random.default_rng(5), 1)[0])[0],
    )
    assert dense.flips.min() > SIZE // 5


def test_self_coupling_changes_where_the_descent_ends(patterns, starts):
    without = dynamics.sequential_descent_patterns(patterns, starts, np.random.default_rng(5))
    with_it = dynamics.sequential_descent_patterns(patterns, starts, np.random.default_rng(5), self_coupling=True)
    assert with_it.flips.sum() < without.flips.sum()


def test_energy_never_rises_and_the_end_is_a_fixed_point(glass, starts):
    matrix, bias = glass
    energies = [dynamics.energy(matrix, starts, bias)]
    for sweeps in range(1, 30):
        run = dynamics.sequential_descent(matrix, starts, np.random.default_rng(6), fields=bias, max_sweeps=sweeps)
        energies.append(dynamics.energy(matrix, run.spins, bias))
        if run.converged.all():
            break
    steps = np.diff(energies, axis=0)
    assert np.all(steps <= 1e-12) and np.all(steps[0] < 0)
    assert np.all(run.spins * (run.spins @ matrix + bias) >= 0)


def test_a_spin_without_field_keeps_its_value():
    couplings = np.zeros((4, 4), np.int16)
    couplings[0, 1] = couplings[1, 0] = 1
    start = np.array([1, -1, -1, 1], np.int8)
    run = dynamics.sequential_descent(couplings, start, np.random.default_rng(0))
    assert run.spins[0] == run.spins[1] and np.array_equal(run.spins[2:], start[2:]) and run.flips == 1


def test_giving_up_is_not_convergence(glass, starts):
    run = dynamics.sequential_descent(glass[0], starts, np.random.default_rng(6), max_sweeps=1)
    assert not run.converged.any() and np.all(run.sweeps == 1)


@pytest.mark.parametrize("temperature", [0.1, 0.6, 2.0])
def test_glauber_follows_the_numpy_version(glass, starts, temperature):
    matrix, bias = glass
    streams = draw_streams(np.random.default_rng(7), 2)
    final = dynamics.glauber(matrix, starts[:2], temperature, 20, np.random.default_rng(7), fields=bias)
    for row in range(2):
        expected = reference_glauber(matrix, starts[row], bias, temperature, 20, streams[row])
        assert np.array_equal(final[row], expected)
    assert not np.array_equal(final, starts[:2])


@pytest.mark.parametrize("temperature", [0.1, 0.7])
def test_matrix_free_glauber_is_the_dense_one(patterns, starts, temperature):
    counts = dynamics.hebbian_counts(patterns, self_coupling=True)
    dense = dynamics.glauber(counts, starts, temperature, 30, np.random.default_rng(8), scale=1 / SIZE)
    free = dynamics.glauber_patterns(patterns, starts, temperature, 30, np.random.default_rng(8))
    assert np.array_equal(dense, free)
    plain = reference_glauber(
        counts / SIZE, starts[0], np.zeros(SIZE), temperature, 30, draw_streams(np.random.default_rng(8), 6)[0]
    )
    assert np.array_equal(dense[0], plain)


def test_scale_is_that_of_the_couplings_not_of_the_fields(patterns, starts):
    counts = dynamics.hebbian_counts(patterns)
    bias = np.random.default_rng(17).normal(size=SIZE)
    for run in (
        lambda matrix, **more: dynamics.sequential_descent(matrix, starts, np.random.default_rng(18), bias, **more)[0],
        lambda matrix, **more: dynamics.glauber(matrix, starts, 0.5, 9, np.random.default_rng(18), bias, **more),
    ):
        scaled = run(counts, scale=1 / SIZE)
        assert np.array_equal(scaled, run(counts / SIZE))
        assert not np.array_equal(scaled, run(counts))


@pytest.mark.parametrize("self_coupling", [False, True])
def test_fields_and_sums_do_not_drift(patterns, self_coupling):
    counts = dynamics.hebbian_counts(patterns, self_coupling)
    sites = dynamics.sites_first(patterns)
    spins, other = patterns[0].copy(), patterns[0].copy()
    local, sums = dynamics.local_fields(counts, spins), pattern_sums(sites, spins[None])[0]
    stream = draw_streams(np.random.default_rng(9), 1)[0]
    attempts, beta = 4000 * SIZE, 1 / SIZE
    flips = heat_bath_updates(counts, spins, local, np.zeros(SIZE), beta, stream.copy(), attempts)
    assert heat_bath_updates_patterns(sites, other, sums, beta, stream.copy(), attempts) == flips > 10_000
    assert local.dtype == np.int32 and np.array_equal(local, counts.astype(int) @ spins)
    assert np.array_equal(sums, patterns.astype(int) @ other)


def test_float_fields_stay_close_to_exact(glass):
    matrix = glass[0]
    spins = signs(np.random.default_rng(10), SIZE)
    local = dynamics.local_fields(matrix, spins)
    stream = draw_streams(np.random.default_rng(9), 1)[0]
    flips = heat_bath_updates(matrix, spins, local, np.zeros(SIZE), 1.0, stream, 4000 * SIZE)
    assert flips > 10_000
    np.testing.assert_allclose(local, matrix @ spins, atol=1e-11)


@pytest.mark.parametrize(("engine", "temperature"), [("dense", 1.1), ("patterns", 0.7)])
def test_equilibrium_is_boltzmann(engine, temperature):
    generator = np.random.default_rng(11)
    size, chains, samples = 8, 64, 400
    if engine == "dense":
        couplings = generator.normal(size=(size, size)) / np.sqrt(size)
        couplings += couplings.T
        fields = 0.4 * generator.normal(size=size)
    else:
        stored = signs(generator, 3, size)
        couplings, fields = dynamics.hebbian_counts(stored) / size, None
    exact = dynamics.boltzmann(couplings, temperature, fields)
    spins = signs(generator, chains, size)
    # A chain's time average is one independent measurement; chains give the standard error.
    chain_energy, chain_moment = np.zeros((2, chains)), np.zeros((chains, size, size))
    chain_spin = np.zeros((chains, size))
    for sample in range(-20, samples):
        if engine == "dense":
            spins = dynamics.glauber(couplings, spins, temperature, 2, generator, fields)
        else:
            spins = dynamics.glauber_patterns(stored, spins, temperature, 2, generator)
        if sample >= 0:
            energies = dynamics.energy(couplings, spins, fields)
            chain_energy += np.stack([energies, (energies - exact.energy) ** 2]) / samples
            chain_spin += spins / samples
            chain_moment += spins[:, :, None] * spins[:, None, :] / samples

    def deviation(values, expected):
        error = values.std(axis=0, ddof=1) / np.sqrt(chains)
        return (values.mean(axis=0) - expected) / error

    above = np.triu_indices(size, 1)
    scores = np.concatenate(
        [
            [deviation(chain_energy[0], exact.energy), deviation(chain_energy[1], exact.energy_variance)],
            deviation(chain_spin, exact.magnetisation),
            deviation(chain_moment[:, *above], exact.correlations[above]),
        ]
    )
    assert np.abs(scores).max() < 4.0


@pytest.mark.parametrize(("count", "starts"), [(4, 30), (17, 1), (17, 30)])
def test_the_choice_of_form_changes_nothing(count, starts):
    generator = np.random.default_rng(14)
    stored, cues = signs(generator, count, SIZE), signs(generator, starts, SIZE)
    chosen = dynamics.hebbian_descent(stored, cues, np.random.default_rng(15))
    free = dynamics.sequential_descent_patterns(stored, cues, np.random.default_rng(15))
    assert all(np.array_equal(a, b) for a, b in zip(chosen, free, strict=True))
    for patterns in (stored, signs(generator, 25, SIZE)):
        warm = dynamics.hebbian_glauber(patterns, cues, 0.4, 60, np.random.default_rng(16))
        assert np.array_equal(warm, dynamics.glauber_patterns(patterns, cues, 0.4, 60, np.random.default_rng(16)))


def test_same_generator_same_bits(patterns, starts):
    for run in (dynamics.sequential_descent_patterns, lambda *a: (dynamics.glauber_patterns(*a[:2], 0.5, 5, a[2]),)):
        first, again = (run(patterns, starts, np.random.default_rng(12))[0] for _ in range(2))
        assert np.array_equal(first, again)
    others = dynamics.glauber_patterns(patterns, starts, 0.5, 5, np.random.default_rng(13))
    assert not np.array_equal(first, others)


def test_inputs_are_not_modified(patterns, starts):
    copies = patterns.copy(), starts.copy()
    dynamics.sequential_descent_patterns(patterns, starts, np.random.default_rng(0))
    dynamics.glauber_patterns(patterns, starts, 0.5, 3, np.random.default_rng(0))
    dynamics.parallel_dynamics_patterns(patterns, starts)
    assert np.array_equal(patterns, copies[0]) and np.array_equal(starts, copies[1])


def test_bad_input_is_refused(patterns, starts):
    generator = np.random.default_rng(0)
    counts = dynamics.hebbian_counts(patterns)
    with pytest.raises(DataError, match="square"):
        dynamics.sequential_descent(counts[:5], starts, generator)
    with pytest.raises(DataError, match="spins"):
        dynamics.sequential_descent(counts, starts[:, :5], generator)
    with pytest.raises(DataError, match=r"\+1 or -1"):
        dynamics.sequential_descent(counts, starts * 0.4, generator)
    with pytest.raises(DataError, match=r"\+1 or -1"):
        dynamics.hebbian_counts(np.where(patterns > 0, 1, 0))
    with pytest.raises(ParameterError, match="temperature = 0"):
        dynamics.glauber_patterns(patterns, starts, 0.0, 3, generator)
    with pytest.raises(ParameterError, match="temperature = nan"):
        dynamics.glauber(counts, starts, float("nan"), 3, generator)
    with pytest.raises(ParameterError, match="max_sweeps"):
        dynamics.sequential_descent_patterns(patterns, starts, generator, max_sweeps=0)
    with pytest.raises(ParameterError, match="scale"):
        dynamics.sequential_descent(counts, starts, generator, scale=0.0)
    with pytest.raises(DataError, match="finite numbers"):
        dynamics.parallel_dynamics(counts, starts, fields=[1.0, 2.0])
    with pytest.raises(DataError, match="finite"):
        dynamics.sequential_descent(np.where(counts == 0, np.nan, counts), starts, generator)
    with pytest.raises(DataError, match="too large"):
        dynamics.local_fields(np.full((SIZE, SIZE), 2**28, np.int32), starts)


def test_large_network_fits_in_memory():
    # ru_maxrss would count the pages of the test process that this one is started from.
    code = r"""
import re
import numpy as np
from replicon.maths import spins
from replicon.memory.hopfield.simulation import draw_patterns, start_from
generator = np.random.default_rng(0)
patterns = draw_patterns(20_000, 2_000, generator)
cue = start_from(patterns[0], 0.8, generator)
final = spins.sequential_descent_patterns(patterns, cue, generator, max_sweeps=10).spins
peak = re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())
print(int(peak[1]) / 2**20, final @ patterns[0].astype(int) / 20_000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    gigabytes, overlap = map(float, done.stdout.split())
    assert gigabytes < 1.0
    assert overlap > 0.98
