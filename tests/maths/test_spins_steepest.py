"""Steepest descent: the order of flips, fixed points, exact integer fields, and its refusals."""

import numpy as np
import pytest

from replicon.core.errors import DataError, ParameterError
from replicon.maths.spins import energy, hebbian_counts, sequential_descent
from replicon.maths.spins.steepest import steepest_descent


def signs(generator, *shape):
    return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)


def symmetric(generator, size):
    upper = np.triu(generator.standard_normal((size, size)), 1)
    return upper + upper.T


def reference(couplings, spins, bias=0.0):
    """All energies of all single flips from the definition of the energy, at every step."""
    spins = spins.astype(float)
    trace = []
    while True:
        total = -0.5 * spins @ couplings @ spins - np.sum(bias * spins)
        drops = []
        for site in range(spins.size):
            flipped = spins.copy()
            flipped[site] *= -1
            drops.append(total - (-0.5 * flipped @ couplings @ flipped - np.sum(bias * flipped)))
        if max(drops) <= 1e-12:
            return spins, trace
        trace.append(int(np.argmax(drops)))
        spins[trace[-1]] *= -1


@pytest.mark.parametrize("size", [2, 63, 64, 65, 130])
def test_each_step_takes_the_largest_drop_of_the_energy(size):
    generator = np.random.default_rng(size)
    couplings, starts = symmetric(generator, size), signs(generator, 5, size)
    run = steepest_descent(couplings, starts)
    assert run.converged.all()
    for start, end, flips in zip(starts, run.spins, run.flips, strict=True):
        wanted, trace = reference(couplings, start)
        np.testing.assert_array_equal(end, wanted)
        assert flips == len(trace)


def test_external_fields_and_scale():
    generator = np.random.default_rng(1)
    couplings, start, bias = symmetric(generator, 40), signs(generator, 40), 3 * generator.standard_normal(40)
    end = steepest_descent(couplings, start, bias).spins
    np.testing.assert_array_equal(end, reference(couplings, start, bias)[0])
    np.testing.assert_array_equal(steepest_descent(4 * couplings, start, bias, scale=0.25).spins, end)
    assert (end != steepest_descent(couplings, start).spins).any()


def test_the_order_matters():
    """A greedy sweep in any order ends elsewhere: it is another dynamics."""
    generator = np.random.default_rng(2)
    couplings, starts = symmetric(generator, 100), signs(generator, 50, 100)
    steepest, sweeps = steepest_descent(couplings, starts), sequential_descent(couplings, starts, generator)
    assert (steepest.spins != sweeps.spins).any(axis=1).mean() > 0.9
    assert steepest.flips.mean() < sweeps.flips.mean()


def test_ends_are_fixed_points_with_exact_integer_fields_and_ties_stay():
    generator = np.random.default_rng(3)
    counts = hebbian_counts(signs(generator, 20, 100))
    starts = signs(generator, 40, 100)
    run = steepest_descent(counts, starts)
    stability = run.spins * (run.spins.astype(int) @ counts.astype(int))
    assert (stability >= 0).all() and (stability == 0).any()
    assert (energy(counts, run.spins) <= energy(counts, starts)).all()
    again = steepest_descent(counts, run.spins)
    assert (again.flips == 0).all() and (again.sweeps == 1).all()
    np.testing.assert_array_equal(again.spins, run.spins)


def test_self_coupling_raises_the_threshold_of_a_flip():
    generator = np.random.default_rng(4)
    couplings, start = symmetric(generator, 60), signs(generator, 60)
    flips = [int(steepest_descent(couplings + local * np.eye(60), start).flips) for local in (0.0, 5.0, 50.0)]
    assert flips[0] > flips[1] > flips[2] == 0


def test_limit_of_flips_and_float32():
    generator = np.random.default_rng(5)
    couplings, start = symmetric(generator, 60), signs(generator, 60)
    frustrated = couplings - 100 * np.eye(60)  # flips back and forth: a negative self-coupling has no fixed point
    run = steepest_descent(frustrated, start, max_sweeps=2)
    assert not run.converged and run.flips == 120 and run.sweeps == 2
    single = couplings.astype(np.float32)
    np.testing.assert_array_equal(
        steepest_descent(single, start).spins, steepest_descent(single.astype(float), start).spins
    )


def test_refusals():
    couplings, start = np.ones((3, 3)), np.ones(3)
    skew = couplings.copy()
    skew[0, 1] = 1.5
    with pytest.raises(DataError, match=r"symmetric, max \|J - J\^T\| is 0.5"):
        steepest_descent(skew, start)
    with pytest.raises(DataError, match=r"\+1 or -1"):
        steepest_descent(couplings, np.array([1, 0, 1]))
    with pytest.raises(DataError, match="square"):
        steepest_descent(np.ones((3, 2)), start)
    with pytest.raises(ParameterError, match="max_sweeps"):
        steepest_descent(couplings, start, max_sweeps=0)
