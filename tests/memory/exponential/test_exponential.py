"""The system `memory.exponential`: contract, exact small cases, overflow, sharpening with size, bad input."""

import itertools

import numpy as np
import pytest

from replicon import DataError, ParameterError, compare
from replicon.core.verification import check_claim
from replicon.memory.exponential import simulation, theory
from replicon.memory.exponential.claims import claims
from replicon.memory.exponential.model import ExponentialMemory
from replicon.testing import system_checks


def random(seed=0):
    return np.random.default_rng(seed)


def test_contract():
    for rule, check in system_checks(ExponentialMemory(cue_error=0.1), sizes=(10, 13), workers=1):
        try:
            check()
        except AssertionError as error:
            raise AssertionError(f"{rule}: {error}") from error


def test_thresholds():
    assert float(theory.bit_threshold(1.0)) == pytest.approx(0.67500, abs=5e-6)
    assert float(theory.bit_threshold(0.5)) == pytest.approx(0.56622, abs=5e-6)
    assert float(theory.bit_threshold(50.0)) == pytest.approx(np.log(2), abs=1e-12)
    assert float(theory.all_patterns_threshold(1.0)) == pytest.approx(np.log(2) / 2)
    assert float(theory.all_patterns_threshold(0.1)) == float(theory.bit_threshold(0.1))
    assert theory.bit_threshold(-1.0).status == theory.OUT_OF_RANGE
    # The two branches meet, with equal slope, where tanh 2 lambda = 1 - 2 rho.
    edge = 0.5 * (1 - np.tanh(1.0))
    values = theory.bit_threshold(0.5, [edge - 1e-6, edge + 1e-6]).values
    assert values[0] == pytest.approx(values[1], abs=1e-5)


@pytest.mark.parametrize(("sharpness", "cue_error"), [(1.0, 0.0), (0.4, 0.0), (0.4, 0.1), (1.0, 0.2)])
def test_threshold_is_where_the_largest_noise_meets_the_signal(sharpness, cue_error):
    """Noise exponent: max over overlaps u that occur of lambda u + (load - I(u))/2, against lambda (1 - 2 rho)."""
    u = np.linspace(0, 1, 200_001)
    rate = np.asarray(theory.rate_function(u))
    threshold = float(theory.bit_threshold(sharpness, cue_error))
    for load, wins in ((threshold - 1e-3, False), (threshold + 1e-3, True)):
        occurs = rate <= load
        noise = np.max(sharpness * u[occurs] + 0.5 * (load - rate[occurs]))
        assert (noise > sharpness * (1 - 2 * cue_error)) == wins


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_update_against_energies(sharpness):
    memories = simulation.draw_memories(8, 60, random(1))
    starts = simulation.draw_memories(8, 40, random(2))
    found = simulation.parallel_update(memories, starts, sharpness)
    for start, after in zip(starts, found, strict=True):
        for site in range(8):
            energies = []
            for value in (1, -1):
                spins = start.astype(int)
                spins[site] = value
                energies.append(-np.exp(sharpness * (memories.astype(int) @ spins)).sum())
            if not np.isclose(energies[0], energies[1], rtol=1e-12):
                assert after[site] == (1 if energies[0] < energies[1] else -1)


def test_chunks_change_nothing(monkeypatch):
    memories, starts = simulation.draw_memories(12, 500, random(3)), simulation.draw_memories(12, 30, random(4))
    whole = simulation.parallel_update(memories, starts, 1.0)
    monkeypatch.setattr(simulation, "_CHUNK", 30 * 17)
    assert np.array_equal(simulation.parallel_update(memories, starts, 1.0), whole)


def test_no_overflow_and_the_self_term_is_not_counted():
    """exp(lambda N) is beyond float64 here. Kept in the field, a spin's own value would hold every wrong bit."""
    with np.errstate(over="raise", invalid="raise"):
        memories = simulation.draw_memories(1000, 50, random(5))
        cues = simulation.damaged(memories, 300, random(6))
        assert np.array_equal(simulation.parallel_update(memories, cues, 20.0), memories)


def test_errors_rise_through_the_threshold_and_sharpen():
    """Measured as predicted at both sizes; far below and far above the larger network is nearer to the step."""
    rates = {}
    for size, load in itertools.product((12, 18), (0.35, 0.5, 0.8)):
        model = ExponentialMemory(load=min(load, 0.72) if size == 18 else load)
        draws = [model.simulate(model.sample(size, seed)).bit_error for seed in range(8 if load > 0.6 else 60)]
        error = max(np.std(draws, ddof=1) / np.sqrt(len(draws)), 1e-4)
        expected = model.theory(size=size).bit_error
        assert np.mean(draws) == pytest.approx(expected, abs=4 * error + 2e-4)
        rates[size, load] = np.mean(draws)
    for size in (12, 18):
        assert rates[size, 0.35] < rates[size, 0.5] < rates[size, 0.8]
    assert rates[18, 0.35] < 0.4 * rates[12, 0.35]


def test_finite_theory_tends_to_the_step():
    """With the thermodynamic numbers of memories the curve steepens around the threshold."""
    below = [float(theory.finite_bit_error(n, np.exp(0.55 * n), 1.0)) for n in (20, 40, 80)]
    above = [float(theory.finite_bit_error(n, np.exp(0.80 * n), 1.0)) for n in (20, 40, 80)]
    assert below[0] > 3 * below[1] and below[2] < 1e-3
    assert above[0] < above[1] < above[2] and above[2] > 0.45


def test_agreement_with_a_damaged_cue():
    result = compare(ExponentialMemory(load=0.4, cue_error=0.1), [10, 14, 18], 60, seed=2)
    assert np.abs(result["z"].sel(observable="bit_error")).max() < 4, str(result)


def test_numbers_come_out():
    rows = [check_claim(claim, full=False) for claim in claims]
    assert {row.verdict for row in rows} == {"holds"}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ExponentialMemory(load=0.0), ParameterError, r"load \(α\) is 0"),
        (lambda: ExponentialMemory(sharpness=0.0), ParameterError, "sharpness"),
        (lambda: ExponentialMemory(sharpness=-1.0), ParameterError, "sharpness"),
        (lambda: ExponentialMemory(cue_error=0.5), ParameterError, "cue_error"),
        (lambda: ExponentialMemory(load=0.05).sample(5, 0), DataError, "single memory; give at least 9"),
        (lambda: ExponentialMemory(load=0.6).sample(60, 0), DataError, "more than can be held"),
        (lambda: ExponentialMemory().instance(np.ones((2, 5))), DataError, "memory 0 is there 2 times"),
        (lambda: ExponentialMemory().instance(np.zeros((2, 5))), DataError, "patterns must be"),
        (lambda: ExponentialMemory().instance(np.empty((0, 5))), DataError, "at least one"),
        (lambda: simulation.parallel_update(np.ones((1, 4)), np.ones((1, 5)), 1.0), DataError, "starts have 5 spins"),
        (lambda: simulation.parallel_update(np.ones((1, 4)), np.ones((1, 4)), 200.0), ParameterError, "at most 100"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
