"""The system `memory.dense`: contract, agreement of theory and simulation, bad input."""

import math

import numpy as np
import pytest

from replicon import DataError, ParameterError, compare
from replicon.memory.dense import theory
from replicon.memory.dense.model import DenseMemory
from replicon.testing import system_checks

SYSTEMS = {
    "cold": DenseMemory(initial_overlap=0.9),
    "warm": DenseMemory(load=0.03, temperature=0.8),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_contract(name):
    for rule, check in system_checks(SYSTEMS[name], workers=2 if name == "cold" else 1):
        try:
            check()
        except AssertionError as error:
            raise AssertionError(f"{rule}: {error}") from error


@pytest.mark.parametrize(
    ("system", "sizes", "draws"),
    [
        (DenseMemory(load=0.05), [50, 100, 150], 200),
        (DenseMemory(load=0.075, dynamics="annealed"), [100, 150], 40),
        (DenseMemory(load=0.05, initial_overlap=0.8), [50, 100, 150], 100),
        (DenseMemory(degree=4, load=0.008), [30, 45], 60),
        (DenseMemory(degree=2, load=0.1), [200, 400], 30),
        (DenseMemory(load=0.1, rectified=True), [50, 100], 60),
    ],
)
def test_agreement(system, sizes, draws):
    result = compare(system, sizes, draws, seed=1)
    assert result.verdict == "agree", str(result)
    for name in ("overlap", "one_step_error", "energy"):
        assert abs(float(result["z"].sel(observable=name, size=sizes[-1]))) < 4, str(result)


def test_descent_stops_before_the_ground_state():
    """Near the largest load plain descent keeps more overlap, at a higher energy, than the annealed state of a draw."""
    plain, cooled = DenseMemory(load=0.075), DenseMemory(load=0.075, dynamics="annealed")
    pairs = []
    for seed in range(80):
        draw = plain.sample(150, seed)
        one, two = plain.simulate(draw), cooled.simulate(draw)
        if min(one.overlap, two.overlap) > 0.7:
            pairs.append((one.overlap - two.overlap, one.energy - two.energy))
    gaps = np.array(pairs)
    z = gaps.mean(axis=0) / (gaps.std(axis=0, ddof=1) / np.sqrt(len(gaps)))
    assert len(gaps) > 60 and (z > 3).all(), z


def test_no_retrieval_state_and_unsolved_cases_decline():
    above = DenseMemory(load=0.1).theory()
    assert above.declined and above.overlap == 0 and above.error_rate == 0.5
    assert above.one_step_error == pytest.approx(float(theory.one_step_error(0.1)))
    squares = DenseMemory(degree=2, rectified=True).theory()
    assert squares.declined and math.isnan(squares.overlap) and squares.one_step_error > 0
    outside = DenseMemory(initial_overlap=0.3).theory()
    assert outside.declined and "basin" in outside.note
    assert not DenseMemory(load=0.03, temperature=0.8).theory().declined


def test_sizes_use_the_realised_load():
    model = DenseMemory(load=0.01)
    assert model.sample(20, 0).memories.shape == (4, 20)
    assert model.theory(size=18).overlap == DenseMemory(load=3 / 18**2).theory().overlap
    assert model.theory(instance=model.sample(18, 1)).overlap == pytest.approx(model.theory(size=18).overlap, rel=1e-12)
    with pytest.raises(DataError, match=r"size is 6.*no memory; give at least 9"):
        model.sample(6, 0)
    with pytest.raises(DataError, match="below 2\\^31"):
        DenseMemory(degree=6).sample(200, 0)


def test_instance_from_the_users_own_memories():
    model = DenseMemory()
    bits = np.random.default_rng(0).integers(0, 2, (20, 50)) * 2 - 1
    draw = model.instance(bits)
    assert model.simulate(draw).overlap == 1.0 and model.theory(instance=draw).kind == "instance"
    assert np.array_equal(model.instance(bits, start=bits[3]).start, bits[3])
    mirrored = np.vstack([bits, -bits[:1]])
    assert model.instance(mirrored).memories.shape == (21, 50)
    for call, words in [
        (lambda: model.instance(np.vstack([bits, bits[2:3]])), "memory 2 is there 2 times"),
        (lambda: DenseMemory(degree=4).instance(mirrored), "up to its sign"),
        (lambda: model.instance(bits + 1), "patterns must be"),
        (lambda: model.instance(np.empty((0, 5))), "at least one"),
        (lambda: model.instance(bits, start=np.ones(7)), "start has 7 spins and the memories have 50"),
    ]:
        with pytest.raises(DataError, match=words):
            call()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (dict(degree=1), r"degree \(n\) is 1, outside \[2, 12\]"),
        (dict(degree=2.5), "whole number"),
        (dict(load=0.0), r"load \(α\) is 0, outside \(0, inf\)"),
        (dict(temperature=-1.0), "temperature"),
        (dict(rectified="poly"), "no, yes"),
        (dict(initial_overlap=1.1), "initial_overlap"),
    ],
)
def test_bad_parameters(values, words):
    with pytest.raises(ParameterError, match=words):
        DenseMemory(**values)


def test_phase_lines_end_at_the_critical_load():
    lines = DenseMemory.phase_lines()
    assert len(lines) == 4
    assert lines[0].values[0][0] == pytest.approx(0.084063, abs=1e-6) and lines[0].at["degree"] == 3
    assert np.isnan(lines[0].values[0][-1])


def test_a_word_of_yes_and_no_takes_a_bool():
    assert DenseMemory(rectified=True) == DenseMemory(rectified="yes") != DenseMemory(rectified=False) == DenseMemory()
    with pytest.raises(ParameterError, match="whole number"):
        DenseMemory(degree=True)
