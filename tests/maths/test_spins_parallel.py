"""Parallel dynamics: fixed points, 2-cycles, Lyapunov function, and the plain NumPy version."""

import numpy as np
import pytest

from replicon.maths import spins as dynamics
from replicon.maths.spins import parallel
from replicon.maths.spins.parallel import sign_step


def signs(generator, *shape):
    return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)


def reference_orbit(couplings, spins, steps, bias=0.0):
    orbit = [spins.astype(float)]
    for _ in range(steps):
        fields = couplings @ orbit[-1] + bias
        orbit.append(np.where(fields > 0, 1.0, np.where(fields < 0, -1.0, orbit[-1])))
    return np.array(orbit)


@pytest.fixture(scope="module")
def patterns():
    return signs(np.random.default_rng(1), 12, 80)


@pytest.fixture(scope="module")
def starts():
    return signs(np.random.default_rng(2), 40, 80)


@pytest.mark.parametrize("self_coupling", [False, True])
def test_both_forms_follow_the_numpy_orbit(patterns, starts, self_coupling):
    counts = dynamics.hebbian_counts(patterns, self_coupling)
    dense = dynamics.parallel_dynamics(counts, starts)
    free = dynamics.parallel_dynamics_patterns(patterns, starts, self_coupling)
    assert all(np.array_equal(a, b) for a, b in zip(dense, free, strict=True))
    for row, start in enumerate(starts):
        orbit = reference_orbit(counts, start, int(dense.steps[row]))
        assert np.array_equal(orbit[-1], dense.spins[row])
        if dense.cycle[row] == 1:
            assert np.array_equal(orbit[-1], orbit[-2])
            assert not np.array_equal(orbit[-2], orbit[-3]) or dense.steps[row] == 1
        else:
            assert np.array_equal(orbit[-1], orbit[-3]) and not np.array_equal(orbit[-1], orbit[-2])
    assert set(dense.cycle) == ({1} if self_coupling else {1, 2})
    assert np.array_equal(dense.converged, dense.cycle == 1)


def test_external_field_and_float_couplings():
    generator = np.random.default_rng(3)
    matrix = generator.normal(size=(30, 30))
    matrix += matrix.T
    bias = generator.normal(size=30)
    start = signs(generator, 30)
    run = dynamics.parallel_dynamics(matrix, start, fields=bias, max_steps=3)
    assert np.array_equal(run.spins, reference_orbit(matrix, start, 3, bias)[int(run.steps)])


def test_lyapunov_function_never_rises(patterns, starts):
    counts = dynamics.hebbian_counts(patterns).astype(float)
    fell = 0
    for start in starts:
        before, now = start, dynamics.parallel_dynamics(counts, start, max_steps=1).spins
        values = []
        for _ in range(20):
            values.append(-float(now @ counts @ before))
            before, now = now, dynamics.parallel_dynamics(counts, now, max_steps=1).spins
        assert np.all(np.diff(values) <= 0)
        fell += values[-1] < values[0]
    assert fell == len(starts)


def test_antiferromagnetic_pair_is_a_two_cycle():
    couplings = np.array([[0.0, -1.0], [-1.0, 0.0]])
    run = dynamics.parallel_dynamics(couplings, np.array([[1, 1], [1, -1]]))
    assert run.cycle.tolist() == [2, 1] and run.converged.tolist() == [False, True]
    assert run.steps.tolist() == [2, 1]


def test_running_out_of_steps(patterns, starts):
    run = dynamics.parallel_dynamics_patterns(patterns, starts, max_steps=1)
    assert np.all(run.cycle == 0) and np.all(run.steps == 1) and not run.converged.any()


def test_spins_without_field_keep_their_value():
    run = dynamics.parallel_dynamics(np.zeros((5, 5)), np.array([1, -1, 1, -1, 1]))
    assert np.array_equal(run.spins, [1, -1, 1, -1, 1]) and run.cycle == 1


def test_sums_too_large_for_float32_go_through_float64(patterns, starts, monkeypatch):
    expected = dynamics.parallel_dynamics_patterns(patterns, starts)
    kinds = []

    def spy(fields, *rest):
        kinds.append(fields.dtype)
        return sign_step(fields, *rest)

    monkeypatch.setattr(parallel, "sign_step", spy)
    largest = int(np.abs(starts.astype(int) @ patterns.T).sum(axis=1).max())
    for bound, kind in ((largest + 1, np.float32), (largest, np.float64)):
        monkeypatch.setattr(parallel, "EXACT_IN_FLOAT32", bound)
        run = dynamics.parallel_dynamics_patterns(patterns, starts, max_steps=1)
        assert kinds[-1] == kind
        assert np.array_equal(
            run.spins, dynamics.parallel_dynamics(dynamics.hebbian_counts(patterns), starts, max_steps=1).spins
        )
    monkeypatch.setattr(parallel, "EXACT_IN_FLOAT32", 0)
    assert np.array_equal(dynamics.parallel_dynamics_patterns(patterns, starts).spins, expected.spins)


def test_scale_is_that_of_the_couplings_not_of_the_fields(patterns, starts):
    counts = dynamics.hebbian_counts(patterns)
    bias = np.random.default_rng(5).normal(size=80)
    scaled = dynamics.parallel_dynamics(counts, starts, fields=bias, scale=1 / 80, max_steps=4)
    plain = dynamics.parallel_dynamics(counts / 80, starts, fields=bias, max_steps=4)
    assert np.array_equal(scaled.spins, plain.spins)
    assert not np.array_equal(scaled.spins, dynamics.parallel_dynamics(counts, starts, max_steps=4).spins)


def test_fused_pass_is_the_numpy_expression():
    generator = np.random.default_rng(4)
    fields = generator.integers(-2, 3, (7, 33)).astype(np.float32)
    now, before = signs(generator, 7, 33).astype(np.float32), signs(generator, 7, 33).astype(np.float32)
    bias, own = generator.integers(-1, 2, 33).astype(np.float32), 1.0
    fields[5] = 3 * now[5] - bias
    total = fields + bias - own * now
    expected = np.where(total == 0, now, np.sign(total))
    before[3] = expected[3]
    old = before.copy()
    changed, returned = sign_step(fields, now, before, bias, own)
    assert np.array_equal(before, expected)
    assert np.array_equal(changed, np.any(expected != now, axis=1)) and not changed[5] and changed.any()
    assert np.array_equal(returned, np.all(expected == old, axis=1)) and returned[3]
