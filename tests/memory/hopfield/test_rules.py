"""The learning rules against their definitions, exact limits and independent solvers."""

from math import erf, sqrt

import numpy as np
import pytest
from scipy import integrate, optimize
from threadpoolctl import threadpool_limits

from replicon.core.errors import ConvergenceError, DataError, ParameterError, RankError
from replicon.memory.hopfield import rules
from replicon.memory.hopfield.stability import largest_stability


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small factorisations: waiting threads of the linear algebra would cost more than they give."""
    with threadpool_limits(1):
        yield


def draw(patterns, neurons, seed=0, activity=0.0):
    generator = np.random.default_rng(seed)
    return np.where(generator.random((patterns, neurons)) < (1 + activity) / 2, 1, -1).astype(np.int8)


def stabilities(couplings, patterns):
    """Aligned local fields xi_i h_i, shape (patterns, neurons)."""
    return patterns * (patterns @ couplings.T)


def standard_error(values):
    return np.std(values, ddof=1) / sqrt(len(values))


EVERY_RULE = pytest.mark.parametrize("rule", [rules.hebb, rules.storkey, rules.pinv, rules.gardner])


@EVERY_RULE
def test_self_coupling_is_off_unless_asked_for(rule):
    patterns = draw(5, 40)
    assert not np.diag(rule(patterns)).any()
    assert np.diag(rule(patterns, self_coupling=True)).any()


@EVERY_RULE
@pytest.mark.parametrize(
    "bad",
    [np.ones(4), np.zeros((2, 3)), [[1, -1, np.nan]], [[1, -1, 2]], np.ones((0, 3)), [["a", "b"]], [[True, False]]],
)
def test_refuses_what_is_not_plus_minus_one(rule, bad):
    with pytest.raises(DataError):
        rule(bad)


def test_error_names_the_values_found():
    with pytest.raises(DataError, match=r"found 0, 2$"):
        rules.hebb([[1, -1, 2], [0, 1, 1]])


def test_hebb_is_the_sum_over_patterns_divided_by_neurons():
    patterns = draw(4, 7)
    expected = np.zeros((7, 7))
    for pattern in patterns:
        for i in range(7):
            for j in range(7):
                expected[i, j] += pattern[i] * pattern[j] / 7
    np.testing.assert_allclose(rules.hebb(patterns, self_coupling=True), expected, atol=1e-15)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(rules.hebb(patterns), expected, atol=1e-15)


def test_hebb_diagonal_adds_the_load_to_every_field():
    patterns = draw(30, 100)
    kept = stabilities(rules.hebb(patterns, self_coupling=True), patterns)
    np.testing.assert_allclose(kept - stabilities(rules.hebb(patterns), patterns), 0.3)


def test_centring_gives_both_signs_the_same_signal():
    means = {1: [], -1: []}
    plain = {1: [], -1: []}
    for seed in range(20):
        patterns = draw(20, 800, seed, activity=-0.6)
        activity = patterns.mean()
        centred = rules.hebb(patterns, activity=activity)
        field = patterns @ centred + rules.centred_field(centred, activity)
        uncentred = patterns @ rules.hebb(patterns)
        for sign in (1, -1):
            means[sign].append(field[patterns == sign].mean())
            plain[sign].append(uncentred[patterns == sign].mean())
    for sign in (1, -1):
        assert abs(np.mean(means[sign]) - sign) < 4 * standard_error(means[sign]) + 2 * 20 / 800
    assert np.mean(plain[1]) < 0, "without centring the mean of the others drowns the active neurons"


def test_centred_field_is_tsodyks_and_feigelman_s_in_their_coding():
    patterns = draw(6, 50, activity=-0.4)
    activity = patterns.mean()
    p = (1 + activity) / 2
    occupied = (patterns + 1) / 2
    expected = (occupied - p).T @ (occupied - p) / (p * (1 - p) * 50)
    np.fill_diagonal(expected, 0)
    couplings = rules.hebb(patterns, activity=activity)
    np.testing.assert_allclose(couplings, expected, atol=1e-14)
    theirs = (occupied - p) @ expected.T - (0.5 - p)
    np.testing.assert_allclose(patterns @ couplings + rules.centred_field(couplings, activity), 2 * theirs, atol=1e-13)


@pytest.mark.parametrize("activity", [1.0, -1.0, 1.5, np.nan])
def test_hebb_refuses_activities_that_cannot_be_centred(activity):
    with pytest.raises(ParameterError, match="activity"):
        rules.hebb(draw(2, 5), activity=activity)


@pytest.mark.parametrize("self_coupling", [False, True])
def test_storkey_is_its_definition(self_coupling):
    patterns = draw(5, 8, seed=3)
    neurons = 8
    expected = np.zeros((neurons, neurons))
    for pattern in patterns:
        field = np.zeros((neurons, neurons))
        for i in range(neurons):
            for j in range(neurons):
                field[i, j] = sum(expected[i, k] * pattern[k] for k in range(neurons) if k not in (i, j))
        update = np.outer(pattern, pattern) - pattern[:, None] * field.T - field * pattern[None, :]
        expected = expected + update / neurons
    if not self_coupling:
        np.fill_diagonal(expected, 0)
    couplings = rules.storkey(patterns, self_coupling=self_coupling)
    np.testing.assert_allclose(couplings, expected, atol=1e-14)
    np.testing.assert_array_equal(couplings, couplings.T)


def test_storkey_depends_on_order_and_has_less_noise_than_hebb():
    patterns = draw(60, 300)
    forward, backward = rules.storkey(patterns), rules.storkey(patterns[::-1])
    assert not np.allclose(forward, backward)

    def signal_to_noise(couplings):
        fields = stabilities(couplings, patterns)
        return (fields.mean(axis=1) / fields.std(axis=1)).mean()

    assert signal_to_noise(forward) > 1.2 * signal_to_noise(rules.hebb(patterns))


def test_pinv_is_the_projector_on_the_patterns():
    patterns = draw(30, 80)
    projector = rules.pinv(patterns, self_coupling=True)
    np.testing.assert_allclose(projector @ projector, projector, atol=1e-12)
    np.testing.assert_allclose(projector, projector.T, atol=1e-14)
    np.testing.assert_allclose(patterns @ projector, patterns, atol=1e-12)
    assert np.trace(projector) == pytest.approx(30, rel=1e-12)


def test_pinv_without_diagonal_scales_fields_by_one_minus_it():
    patterns = draw(60, 80)
    diagonal = np.diag(rules.pinv(patterns, self_coupling=True))
    assert diagonal.mean() == pytest.approx(60 / 80, rel=1e-12)
    np.testing.assert_allclose(
        stabilities(rules.pinv(patterns), patterns), np.broadcast_to(1 - diagonal, (60, 80)), atol=1e-12
    )


@pytest.mark.parametrize(("load", "corrected"), [(0.4, True), (0.6, False)])
def test_pinv_with_diagonal_corrects_a_single_wrong_neuron_only_below_load_one_half(load, corrected):
    patterns = draw(int(load * 400), 400)
    projector = rules.pinv(patterns, self_coupling=True)
    # Field at neuron i, turned over in the first pattern: h_i = xi_i (1 - 2 J_ii); the mean over i is 1 - 2 load.
    own = [
        patterns[0, i] * (projector[i] @ np.where(np.arange(400) == i, -patterns[0], patterns[0])) for i in range(400)
    ]
    np.testing.assert_allclose(own, 1 - 2 * np.diag(projector), atol=1e-12)
    assert bool(np.mean(own) > 0) is corrected
    without = rules.pinv(patterns)
    flipped = np.where(np.eye(400, dtype=bool), -patterns[0], patterns[0])
    assert (patterns[0] * np.einsum("ij,ij->i", without, flipped) > 0).all()


@pytest.mark.parametrize(("load", "start"), [(0.25, 0.3), (0.5, 0.5)])
def test_pinv_first_parallel_step_follows_kanter_and_sompolinsky(load, start):
    neurons, after = 400, []
    flips = round((1 - start) / 2 * neurons)
    generator = np.random.default_rng(11)
    for seed in range(16):
        patterns = draw(int(load * neurons), neurons, seed)
        cue = patterns[0].astype(float)
        cue[generator.permutation(neurons)[:flips]] *= -1
        after.append(np.mean(np.sign(rules.pinv(patterns) @ cue) * patterns[0]))
    overlap = 1 - 2 * flips / neurons
    expected = erf(overlap * sqrt((1 - load) / (2 * load * (1 - overlap**2))))
    assert abs(np.mean(after) - expected) < 4 * standard_error(after)


def test_pinv_names_the_rank_of_dependent_patterns():
    patterns = draw(6, 30)
    for extra in (patterns[2], -patterns[2]):
        with pytest.raises(RankError, match="rank 6"):
            rules.pinv(np.vstack([patterns, extra]))


@pytest.mark.parametrize("count", [16, 20])
def test_pinv_refuses_as_many_patterns_as_neurons(count):
    with pytest.raises(RankError, match=f"{count} patterns of 16 neurons with rank"):
        rules.pinv(draw(count, 16, seed=5))


def test_gardner_maximum_agrees_with_nonnegative_least_squares():
    patterns = draw(45, 40, seed=2)
    _, bounds = largest_stability(patterns, tolerance=1e-7)
    for i in range(0, 40, 8):
        examples = (patterns[:, i : i + 1] * patterns).astype(float)
        examples[:, i] = 0
        # Least-distance programming (Lawson, Hanson): minimise |w| subject to examples w >= 1.
        target = np.append(np.zeros(40), 1.0)
        stacked = np.vstack([examples.T, np.ones(45)])
        residual = stacked @ optimize.nnls(stacked, target, maxiter=10_000)[0] - target
        solution = -residual[:-1] / residual[-1]
        assert (examples @ solution).min() == pytest.approx(1, abs=1e-8)
        assert bounds.reached[i] == pytest.approx(1 / np.linalg.norm(solution), rel=1e-6)


def test_gardner_certificate_encloses_what_was_reached():
    patterns = draw(60, 60, seed=4)
    couplings, bounds = largest_stability(patterns, tolerance=1e-3)
    np.testing.assert_allclose(np.linalg.norm(couplings, axis=1), 1)
    np.testing.assert_allclose(stabilities(couplings, patterns).min(axis=0), bounds.reached, rtol=1e-9)
    assert (bounds.reached <= bounds.bound).all()
    assert (bounds.bound <= bounds.reached * 1.0011).all()
    finer, _ = largest_stability(patterns, tolerance=1e-6)
    best = stabilities(finer, patterns).min(axis=0)
    assert (best <= bounds.bound * (1 + 1e-9)).all()
    assert not np.allclose(couplings, couplings.T, atol=1e-3)


def test_gardner_stability_extrapolates_to_the_capacity_formula():
    """kappa(load) solves load = 1 / int_{-kappa}^inf Dt (t + kappa)^2; finite sizes differ by O(1/N)."""

    def capacity(kappa):
        return 1 / integrate.quad(lambda t: np.exp(-t * t / 2) / sqrt(2 * np.pi) * (t + kappa) ** 2, -kappa, np.inf)[0]

    expected = optimize.brentq(lambda kappa: capacity(kappa) - 0.5, 0, 5)
    measured = {}
    for neurons, realizations in ((50, 60), (150, 20)):
        means = [
            largest_stability(draw(neurons // 2, neurons, seed), tolerance=1e-5)[1].reached.mean()
            for seed in range(realizations)
        ]
        measured[neurons] = np.mean(means), standard_error(means)
    (small, small_error), (large, large_error) = measured[50], measured[150]
    extrapolated = (3 * large - small) / 2
    error = sqrt((1.5 * large_error) ** 2 + (0.5 * small_error) ** 2)
    assert error < 0.005
    assert abs(extrapolated - expected) < 4 * error


@pytest.mark.parametrize("share", [0, 0.5, 0.95])
def test_gardner_reaches_a_given_stability(share):
    patterns = draw(30, 60)
    kappa = share * largest_stability(patterns)[1].reached.min()
    smallest = stabilities(rules.gardner(patterns, kappa=kappa), patterns).min()
    assert smallest > 0
    assert smallest >= kappa * (1 - 1e-12)


def test_gardner_refuses_a_stability_beyond_the_largest():
    patterns = draw(30, 60)
    _, bounds = largest_stability(patterns)
    worst = bounds.bound.min()
    with pytest.raises(DataError, match="smaller kappa"):
        rules.gardner(patterns, kappa=1.2 * worst)


def test_gardner_refuses_loads_beyond_capacity():
    with pytest.raises(DataError, match="at neuron 0 the largest stability is at most"):
        rules.gardner(draw(150, 50))


def test_gardner_refuses_two_patterns_that_differ_in_one_bit_at_that_bit():
    patterns = draw(3, 40)
    patterns[2] = patterns[1]
    patterns[2, 17] *= -1
    with pytest.raises(DataError, match="neuron 17"):
        rules.gardner(patterns)
    assert stabilities(rules.gardner(patterns, self_coupling=True), patterns).min() > 0


def test_gardner_stores_correlated_and_repeated_patterns():
    patterns = draw(30, 40, activity=0.5)
    repeated = np.vstack([patterns, patterns[:3], -patterns[:1]])
    assert stabilities(rules.gardner(repeated), repeated).min() > 0
    assert (stabilities(rules.hebb(repeated), repeated) < 0).any()


def test_gardner_says_how_far_it_came():
    with pytest.raises(ConvergenceError, match=r"between .* \(reached\) and .* after 2 sweeps"):
        rules.gardner(draw(50, 50), max_sweeps=2)


@pytest.mark.parametrize("kappa", [-0.1, np.nan, np.inf, "min", True, None])
def test_gardner_refuses_a_kappa_that_is_none(kappa):
    with pytest.raises(ParameterError, match="kappa"):
        rules.gardner(draw(2, 5), kappa=kappa)


def test_gardner_refuses_a_single_neuron():
    with pytest.raises(DataError, match="at least 2 neurons"):
        rules.gardner([[1], [-1]])
