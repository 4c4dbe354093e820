"""The report on patterns: spectrum, Hebbian noise and outlook, against direct computation and what then happens."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from replicon.core.errors import DataError, ParameterError
from replicon.memory.hopfield import rules
from replicon.memory.hopfield.capacity import capacity_report
from replicon.memory.hopfield.memory import HopfieldMemory
from replicon.memory.hopfield.storage import correlated_patterns, flip_bits, storage_capacity, stored_shares


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small matrices: waiting threads of the linear algebra would cost more than they give."""
    with threadpool_limits(1):
        yield


def draw(patterns, neurons, seed=0, correlation=0.0):
    return correlated_patterns(patterns, neurons, correlation, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def random_reports():
    return [capacity_report(draw(40, 160, seed)) for seed in range(200)]


def standard_error(values):
    return np.std(values, ddof=1) / np.sqrt(len(values))


def test_effective_load_of_random_patterns_is_their_load(random_reports):
    loads = [report.effective_load for report in random_reports]
    assert abs(np.mean(loads) - 0.25) < 4 * standard_error(loads)
    assert standard_error(loads) < 0.002


def test_spectrum_of_random_patterns_fills_marchenko_and_pastur(random_reports):
    low, high = random_reports[0].marchenko_pastur_edges
    assert (low, high) == pytest.approx((0.25, 2.25))
    # Edge fluctuations at this size: scale (1/N)(sqrt N + sqrt P)(1/sqrt N + 1/sqrt P)^(1/3) = 0.073.
    largest = np.array([report.eigenvalues[-1] for report in random_reports])
    smallest = np.array([report.eigenvalues[0] for report in random_reports])
    assert abs(largest.mean() - (high - 1.2065 * 0.0735)) < 0.05
    assert (smallest > low - 0.05).all()
    assert (smallest < low + 0.25).all()


def test_one_random_set_in_a_hundred_is_flagged(random_reports):
    for flag in ("correlated", "biased"):
        count = sum(getattr(report, flag) for report in random_reports)
        assert binom.sf(count - 1, 200, 0.01) > 1e-4


def test_signal_to_noise_of_random_patterns_is_one_over_root_load(random_reports):
    ratios = np.array([np.median(report.signal_to_noise) for report in random_reports])
    # Between patterns the variance of the noise scatters by sqrt(2 load / N); its median is within 1 % of the mean.
    assert ratios.mean() == pytest.approx(1 / np.sqrt(39 / 160), rel=0.02)


def test_noise_is_the_one_of_hebb_s_couplings():
    patterns = draw(30, 90, correlation=0.1)
    fields = patterns * (patterns @ rules.hebb(patterns))
    report = capacity_report(patterns)
    np.testing.assert_allclose(report.signal_to_noise, fields.mean(axis=1) / fields.std(axis=1))
    np.testing.assert_array_equal(report.unstable_bits, (fields < 0).sum(axis=1))
    assert report.unstable_bits.sum() > 0


def test_effective_load_is_the_mean_square_overlap():
    patterns = draw(12, 50, correlation=0.2).astype(float)
    overlaps = patterns @ patterns.T / 50
    squares = (overlaps**2).sum(axis=1) - 1
    assert capacity_report(patterns).effective_load == pytest.approx(squares.mean() + 1 / 50)


def test_correlated_patterns_are_flagged_and_load_hebb_more():
    report = capacity_report(draw(20, 400, correlation=0.3))
    assert report.correlated
    # Mean overlap c of all pairs: eigenvalue 1 + (P - 1) c along their common direction.
    assert report.eigenvalues[-1] == pytest.approx(1 + 19 * 0.3, rel=0.15)
    assert report.effective_load > 20 * report.load
    assert [report.works(rule) for rule in ("hebb", "pinv", "gardner")] == [False, True, True]


def test_biased_patterns_are_flagged():
    generator = np.random.default_rng(0)
    report = capacity_report(generator.random((20, 200)) < 0.2)
    assert report.biased
    assert report.correlated
    assert report.activity == pytest.approx(-0.6, abs=4 * 0.8 / np.sqrt(4000))


def test_constant_repeated_and_close_patterns_are_counted():
    patterns = draw(6, 50)
    patterns[:, :3] = 1
    patterns[4] = patterns[0]
    patterns[5] = -patterns[1]
    report = capacity_report(patterns)
    assert report.repeated_patterns == 2
    assert report.rank == 4
    assert report.constant_neurons == 0, "the mirror image changes them"
    assert capacity_report(patterns[:4]).constant_neurons == np.all(patterns[:4] == patterns[0], axis=0).sum() >= 3
    assert not report.works("pinv")
    assert report.works("gardner")
    patterns[5] = patterns[1]
    patterns[5, 30] *= -1
    close = capacity_report(patterns)
    assert close.smallest_distance == 1
    assert not close.works("gardner")


@pytest.mark.parametrize("sign", [1, -1])
def test_two_patterns_one_bit_apart_leave_that_bit_without_signal(sign):
    patterns = draw(5, 40)
    patterns[4] = sign * patterns[2]
    patterns[4, 11] *= -1
    report = capacity_report(patterns)
    assert report.rank == 5
    assert report.smallest_distance == 1
    assert not report.works("pinv")
    assert not report.works("gardner")
    signals = 1 - np.diag(rules.pinv(patterns, self_coupling=True))
    assert signals[11] == pytest.approx(0, abs=1e-12)
    with pytest.raises(DataError, match="neuron 11"):
        rules.gardner(patterns)


def test_more_patterns_than_neurons():
    report = capacity_report(draw(60, 40))
    assert report.marchenko_pastur_edges[0] == 0
    assert report.rank == 40
    assert [report.works(rule) for rule in ("hebb", "storkey", "pinv", "gardner")] == [False, False, False, True]
    assert not capacity_report(draw(100, 40)).works("gardner")


def test_a_single_pattern():
    report = capacity_report([[1, 0, 1, 1]])
    assert np.isinf(report.signal_to_noise).all()
    assert report.smallest_distance == 4
    assert report.constant_neurons == 0
    assert report.works("hebb")


DIGITS = np.unique(np.where(load_digits().data[:40] > 7.5, 1, -1), axis=0)
SETS = {
    "few random": draw(10, 200),
    "many random": draw(120, 200),
    "correlated": draw(60, 120, correlation=0.3),
    "ten digits": DIGITS[:10],
    "forty digits": DIGITS,
    "repeated": np.vstack([draw(20, 100), draw(20, 100)[:3]]),
    "rows of a cube": np.array([[1, 1, 1], [1, -1, 1], [1, 1, -1]]),
}


@pytest.mark.parametrize("patterns", SETS.values(), ids=SETS.keys())
def test_outlook_of_the_exact_rules_comes_true(patterns):
    report = capacity_report(patterns)
    for rule in ("pinv", "gardner"):
        stored = stored_shares(patterns, patterns, HopfieldMemory(rule=rule))
        assert report.works(rule) is (stored.fixed == 1)


@pytest.mark.parametrize(("name", "works"), [("few random", True), ("many random", False), ("ten digits", False)])
def test_outlook_of_hebb_comes_true(name, works):
    patterns = SETS[name]
    report = capacity_report(patterns)
    assert report.works("hebb") is works
    damaged = flip_bits(patterns.astype(np.int8), 0.1, np.random.default_rng(1))
    recalled = HopfieldMemory(random_state=0).fit(patterns).score(damaged, patterns)
    assert (recalled > 0.97) is works


def test_codings_agree():
    patterns = draw(8, 40)
    reports = [str(capacity_report(data)) for data in (patterns, patterns > 0, (patterns > 0).astype(float))]
    reports.append(str(capacity_report(patterns * 3.0 + 1, binarize=1.0)))
    assert len(set(reports)) == 1


def test_is_readable_as_text_and_table():
    report = capacity_report(draw(60, 200, correlation=0.3))
    text = str(report)
    assert "60, 200" in text
    assert "correlated" in text
    assert "rule hebb     should fail" in text
    assert "rule pinv     should work" in text
    table = report._repr_html_()
    assert table.startswith("<table>")
    assert table.count("<tr>") == table.count("</tr>") == 13
    with pytest.raises(AttributeError):
        report.load = 0.1


@pytest.mark.parametrize("bad", [[[0, 1, 2]], [[0.0, np.nan]], [0, 1], np.ones((0, 4)), [["a"]]])
def test_refuses_what_is_not_binary(bad):
    with pytest.raises(DataError):
        capacity_report(bad)


def test_flips_exactly_the_bits_asked_for():
    patterns = draw(50, 40)
    damaged = flip_bits(patterns, 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal((patterns != damaged).sum(axis=1), 4)
    assert (patterns != damaged).any(axis=0).sum() > 30
    with pytest.raises(ParameterError, match="share"):
        flip_bits(patterns, 1.1, np.random.default_rng(0))


def test_correlated_patterns_overlap_as_asked():
    means = []
    for seed in range(30):
        patterns = draw(10, 300, seed, correlation=0.25).astype(float)
        means.append((patterns @ patterns.T / 300)[np.triu_indices(10, 1)].mean())
    assert abs(np.mean(means) - 0.25) < 4 * standard_error(means)
    with pytest.raises(ParameterError, match="correlation"):
        draw(2, 10, correlation=1.0)


def test_capacity_of_the_rules_on_the_same_correlated_patterns():
    neurons = 60
    measured = {
        rule: storage_capacity(
            lambda generator: correlated_patterns(2 * neurons, neurons, 0.2, generator),
            realizations=4,
            seed=0,
            parameters={"rule": rule},
        )
        for rule in ("hebb", "pinv", "gardner")
    }
    np.testing.assert_allclose(measured["pinv"].fixed, (neurons - 1) / neurons)
    assert measured["hebb"].fixed.max() < 0.2
    assert measured["gardner"].fixed.min() > 1.2
    # Basins close before fixed points vanish.
    for rule in ("pinv", "gardner"):
        assert (measured[rule].recalled < 0.7 * measured[rule].fixed).all()
    for criterion in ("fixed", "recalled"):
        (low, low_error), (high, high_error) = (measured[rule].summary()[criterion] for rule in ("hebb", "pinv"))
        assert high - low > 4 * np.hypot(low_error, high_error)
    with pytest.raises(ParameterError, match="realizations"):
        storage_capacity(lambda generator: draw(2, 4), realizations=0, seed=0)
