"""The estimator: scikit-learn's contract, codings, recall, its physics and its refusals."""

import doctest
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

from replicon.core.errors import DataError, ParameterError, RankError
from replicon.memory.hopfield import memory as module
from replicon.memory.hopfield import network
from replicon.memory.hopfield.memory import DYNAMICS, RULES, HopfieldMemory
from replicon.memory.hopfield.storage import flip_bits

# Both rules need patterns that can be told apart; the data of these checks, a few columns thresholded at zero, repeat
# the same rows many times (pinv), or hold rows that differ in one bit (gardner). Each must be refused, and is.
DEPENDENT = "its data have more rows than columns, whose signs are linearly dependent"
ONE_FEATURE = "one neuron has no couplings, and the refusal does not use scikit-learn's words for it"
ONE_BIT = "its data hold rows whose signs differ in one bit, which no couplings without diagonal can store"
EXPECTED_FAILURES = {
    "pinv": {
        "check_fit2d_1feature": ONE_FEATURE,
        **dict.fromkeys(
            [
                "check_fit_score_takes_y",
                "check_estimators_overwrite_params",
                "check_dont_overwrite_parameters",
                "check_estimators_fit_returns_self",
                "check_readonly_memmap_input",
                "check_n_features_in_after_fitting",
                "check_positive_only_tag_during_fit",
                "check_estimators_dtypes",
                "check_dtype_object",
                "check_pipeline_consistency",
                "check_estimators_nan_inf",
                "check_estimators_pickle",
                "check_f_contiguous_array_estimator",
                "check_transformer_data_not_an_array",
                "check_transformer_general",
                "check_transformer_preserve_dtypes",
                "check_methods_sample_order_invariance",
                "check_methods_subset_invariance",
                "check_dict_unchanged",
                "check_fit_idempotent",
                "check_fit_check_is_fitted",
                "check_n_features_in",
                "check_fit2d_predict1d",
            ],
            DEPENDENT,
        ),
    },
    "gardner": {
        "check_fit2d_1feature": ONE_FEATURE,
        **dict.fromkeys(
            [
                "check_estimators_overwrite_params",
                "check_estimators_fit_returns_self",
                "check_readonly_memmap_input",
                "check_n_features_in_after_fitting",
                "check_positive_only_tag_during_fit",
                "check_estimators_dtypes",
                "check_pipeline_consistency",
                "check_estimators_pickle",
            ],
            ONE_BIT,
        ),
    },
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small matrices: waiting threads of the linear algebra would cost more than they give."""
    with threadpool_limits(1):
        yield


def draw(patterns, neurons, seed=0, activity=0.0):
    generator = np.random.default_rng(seed)
    return np.where(generator.random((patterns, neurons)) < (1 + activity) / 2, 1, -1).astype(np.int8)


@pytest.fixture(scope="module")
def digits():
    """Ten binarised handwritten digits, one of each class, as {0, 1}."""
    data = load_digits()
    first = [np.flatnonzero(data.target == digit)[0] for digit in range(10)]
    return (data.data[first] > 7.5).astype(int)


@pytest.mark.parametrize(
    "memory",
    [
        HopfieldMemory(binarize=0.0, rule="hebb"),
        HopfieldMemory(binarize=0.0, rule="storkey"),
        HopfieldMemory(binarize=0.0, dynamics="parallel"),
        HopfieldMemory(binarize=0.0, dynamics="glauber", temperature=0.3),
    ],
    ids=["hebb", "storkey", "parallel", "glauber"],
)
def test_passes_every_check_of_scikit_learn(memory):
    results = check_estimator(memory, on_skip=None)
    assert len(results) > 40
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {"check_array_api_input"}


@pytest.mark.parametrize("rule", ["pinv", "gardner"])
def test_other_rules_fail_exactly_the_checks_whose_data_cannot_be_stored(rule):
    results = check_estimator(HopfieldMemory(binarize=0.0, rule=rule), on_skip=None, on_fail=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert set(failed) == set(EXPECTED_FAILURES[rule])
    for exception in failed.values():
        chain = [exception, exception.__cause__, exception.__context__]
        assert any(isinstance(link, RankError if rule == "pinv" else DataError) for link in chain)


def test_examples_of_the_documentation():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def coded(spins, coding):
    return {
        "bool": spins > 0,
        "zero-one integers": (spins > 0).astype(np.int64),
        "zero-one floats": (spins > 0).astype(np.float32),
        "spins": spins.astype(np.int16),
        "float spins": spins.astype(np.float64),
    }[coding]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("coding", ["bool", "zero-one integers", "zero-one floats", "spins", "float spins"])
def test_recalls_in_the_coding_and_dtype_that_was_stored(rule, coding):
    patterns = draw(5, 200)
    damaged = flip_bits(patterns, 0.1, np.random.default_rng(1))
    memory = HopfieldMemory(rule=rule, random_state=0).fit(coded(patterns, coding))
    recalled = memory.transform(coded(damaged, coding))
    assert recalled.dtype == coded(patterns, coding).dtype
    np.testing.assert_array_equal(recalled, coded(patterns, coding))
    np.testing.assert_array_equal(memory.predict(coded(damaged, coding)), np.arange(5))
    np.testing.assert_array_equal(memory.patterns_, patterns)


def test_bool_and_zero_one_are_one_coding():
    stored = draw(3, 60) > 0
    np.testing.assert_array_equal(HopfieldMemory().fit(stored).predict(stored.astype(int)), np.arange(3))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_ends_at_fixed_points_of_its_own_couplings(rule, dynamics):
    patterns = draw(20, 100)
    memory = HopfieldMemory(rule=rule, dynamics=dynamics, random_state=0).fit(patterns)
    recall = memory.recall(draw(40, 100, seed=9))
    aligned = recall.patterns * (recall.patterns @ memory.couplings_.T)
    assert recall.converged.any()
    assert (aligned[recall.converged] >= -1e-12).all()
    np.testing.assert_array_equal(recall.cycle == 1, recall.converged)
    np.testing.assert_allclose(recall.overlaps, recall.patterns @ patterns.T.astype(float) / 100, atol=1e-12)
    if dynamics != "parallel" and rule != "gardner":
        assert recall.converged.all()


def test_pinv_and_gardner_keep_correlated_patterns_that_hebb_loses(digits):
    damaged = np.where(flip_bits(np.ones_like(digits), 0.1, np.random.default_rng(0)) < 0, 1 - digits, digits)
    wanted = np.arange(10)
    kept = {}
    for rule in RULES:
        memory = HopfieldMemory(rule=rule, random_state=0).fit(digits)
        kept[rule] = (memory.transform(digits) == digits).all(axis=1).mean()
        if rule in ("pinv", "gardner"):
            assert memory.score(damaged, wanted) > 0.95
    assert kept["hebb"] == 0
    assert kept["pinv"] == kept["gardner"] == 1


@pytest.mark.parametrize("self_coupling", [False, True])
@pytest.mark.parametrize("parameters", [{"rule": rule} for rule in RULES] + [{"centre": True}], ids=[*RULES, "centred"])
def test_one_parallel_step_is_the_sign_of_the_field(parameters, self_coupling):
    patterns = draw(12, 61, activity=-0.3)
    cues = draw(40, 61, seed=5)
    memory = HopfieldMemory(dynamics="parallel", max_sweeps=1, self_coupling=self_coupling, **parameters).fit(patterns)
    fields = cues @ memory.couplings_.T + (0 if memory.field_ is None else memory.field_)
    clear = np.abs(fields) > 1e-9
    np.testing.assert_array_equal(memory.transform(cues)[clear], np.sign(fields)[clear])
    np.testing.assert_array_equal(memory.transform(cues)[~clear], cues[~clear])


@pytest.mark.parametrize("dynamics", [{}, {"dynamics": "parallel"}, {"dynamics": "glauber", "temperature": 0.1}])
def test_centring_recalls_sparse_patterns_that_plain_hebb_loses(dynamics):
    patterns = draw(30, 600, activity=-0.8)
    damaged = flip_bits(patterns, 0.02, np.random.default_rng(2))
    centred = HopfieldMemory(centre=True, random_state=0, **dynamics).fit(patterns)
    plain = HopfieldMemory(random_state=0).fit(patterns)
    assert centred.activity_ == pytest.approx(patterns.mean())
    assert centred.field_.shape == (600,)
    assert plain.field_ is None
    assert centred.score(damaged, patterns) > 0.99
    # Overlap of two such patterns is 0.64: plain Hebb ends in their common, silent state.
    assert plain.score(damaged, patterns) < 0.85


def test_thermal_overlap_of_one_pattern_is_that_of_the_magnet():
    """One pattern is a Curie-Weiss magnet: exact average over the number of aligned spins at N = 200, T = 0.6."""
    neurons, temperature = 200, 0.6
    pattern = draw(1, neurons)
    cues = flip_bits(np.repeat(pattern, 150, axis=0), 0.05, np.random.default_rng(3))
    memory = HopfieldMemory(dynamics="glauber", temperature=temperature, max_sweeps=60, random_state=0).fit(pattern)
    measured = memory.recall(cues).overlaps[:, 0]
    aligned = np.arange(neurons // 2 + 1, neurons + 1)
    overlap = 2 * aligned / neurons - 1
    logs = gammaln(neurons + 1) - gammaln(aligned + 1) - gammaln(neurons - aligned + 1)
    logs += neurons * overlap**2 / (2 * temperature)
    weights = np.exp(logs - logs.max())
    expected = (weights * overlap).sum() / weights.sum()
    assert abs(measured.mean() - expected) < 4 * measured.std(ddof=1) / np.sqrt(150)
    assert measured.std() > 0.01


def test_glauber_at_temperature_zero_is_sequential():
    patterns = draw(10, 100)
    cues = draw(8, 100, seed=4)
    cold = HopfieldMemory(dynamics="glauber", random_state=1).fit(patterns).recall(cues)
    sequential = HopfieldMemory(random_state=1).fit(patterns).recall(cues)
    np.testing.assert_array_equal(cold.patterns, sequential.patterns)
    warm = HopfieldMemory(dynamics="glauber", temperature=0.5, max_sweeps=7, random_state=1).fit(patterns).recall(cues)
    assert not warm.converged.any()
    assert (warm.iterations == 7).all()


def test_parallel_dynamics_reports_a_cycle_of_two():
    memory = HopfieldMemory(dynamics="parallel").fit([[1, 1], [-1, -1]])
    recall = memory.recall([[1, -1], [1, 1]])
    np.testing.assert_array_equal(recall.cycle, [2, 1])
    np.testing.assert_array_equal(recall.converged, [False, True])
    np.testing.assert_array_equal(recall.index, [-1, 0])
    assert (recall.iterations <= 3).all()


def test_sweeps_are_capped():
    patterns = draw(40, 50)
    recall = HopfieldMemory(rule="gardner", max_sweeps=1, random_state=0).fit(patterns).recall(draw(30, 50, seed=5))
    assert (recall.iterations == 1).all()
    assert not recall.converged.all()
    assert (recall.cycle[~recall.converged] == 0).all()


@pytest.mark.parametrize(
    "parameters", [{}, {"self_coupling": True}, {"dynamics": "parallel"}, {"dynamics": "glauber", "temperature": 0.4}]
)
def test_large_networks_without_a_matrix_recall_the_same(monkeypatch, parameters):
    patterns = draw(30, 50)
    cues = draw(20, 50, seed=6)
    dense = HopfieldMemory(random_state=0, **parameters).fit(patterns).recall(cues)
    monkeypatch.setattr(network, "LARGEST_DENSE", 0)
    free = HopfieldMemory(random_state=0, **parameters).fit(patterns).recall(cues)
    np.testing.assert_array_equal(free.patterns, dense.patterns)
    np.testing.assert_array_equal(free.iterations, dense.iterations)


def test_self_coupling_holds_states_that_are_otherwise_left():
    patterns = draw(20, 100)
    cues = draw(50, 100, seed=7)
    moved = [
        np.mean(HopfieldMemory(self_coupling=kept, random_state=0).fit(patterns).transform(cues) != cues)
        for kept in (False, True)
    ]
    np.testing.assert_allclose(np.diag(HopfieldMemory(self_coupling=True).fit(patterns).couplings_), 0.2)
    assert moved[1] < moved[0] - 0.01


def test_same_cue_same_answer_alone_or_among_others():
    patterns = draw(20, 80)
    cues = draw(12, 80, seed=8)
    memory = HopfieldMemory(dynamics="glauber", temperature=0.8, max_sweeps=5, random_state=3).fit(patterns)
    together = memory.transform(cues)
    np.testing.assert_array_equal(memory.transform(cues[::-1])[::-1], together)
    np.testing.assert_array_equal(memory.transform(cues[5:6]), together[5:6])
    np.testing.assert_array_equal(clone(memory).fit(patterns).transform(cues), together)
    assert (clone(memory).set_params(random_state=4).fit(patterns).transform(cues) != together).any()


@pytest.mark.parametrize("parameters", [{}, {"rule": "pinv"}, {"centre": True}])
def test_pickle_answers_alike(parameters):
    patterns = draw(6, 60)
    memory = HopfieldMemory(random_state=0, **parameters).fit(patterns)
    cues = draw(5, 60, seed=2)
    recalled = memory.transform(cues)
    restored = pickle.loads(pickle.dumps(memory))
    np.testing.assert_array_equal(restored.transform(cues), recalled)
    np.testing.assert_array_equal(restored.couplings_, memory.couplings_)


def test_tables_in_tables_out():
    columns = [f"pixel {i}" for i in range(40)]
    table = pd.DataFrame(draw(3, 40), columns=columns, index=["a", "b", "c"])
    memory = HopfieldMemory().set_output(transform="pandas").fit(table)
    recalled = memory.transform(table)
    assert list(recalled.columns) == columns == list(memory.get_feature_names_out())
    assert list(recalled.index) == ["a", "b", "c"]
    assert memory.n_features_in_ == 40
    with pytest.raises(DataError, match="feature names"):
        memory.transform(table.rename(columns={"pixel 0": "other"}))


def test_in_a_pipeline():
    patterns = draw(4, 80)
    pipeline = make_pipeline(FunctionTransformer(), HopfieldMemory(rule="pinv"))
    np.testing.assert_array_equal(pipeline.fit(patterns).predict(patterns), np.arange(4))
    assert pipeline.score(patterns) == 1


def test_predict_refuses_to_name_what_is_not_near():
    patterns = draw(3, 100)
    memory = HopfieldMemory().fit(patterns)
    np.testing.assert_array_equal(memory.predict(np.vstack([-patterns[:1], patterns[1:2]])), [-1, 1])
    np.testing.assert_array_equal(memory.set_params(min_overlap=-1.0).predict(-patterns[:1]) >= 0, [True])


def test_score_is_the_mean_overlap_with_what_was_meant():
    patterns = draw(3, 100)
    memory = HopfieldMemory().fit(patterns)
    assert memory.score(patterns) == memory.score(patterns, [0, 1, 2]) == memory.score(patterns, patterns) == 1
    crossed = (patterns[0] @ patterns[1].astype(float)) / 100
    assert memory.score(patterns[:1], [1]) == pytest.approx(crossed)
    assert memory.score(patterns[:1], patterns[1:2]) == pytest.approx(crossed)


@pytest.mark.parametrize("wanted", [[0], [0, 1, 3], [0, 1, -1], [0.0, 1.0, 2.0], np.zeros((3, 100)), np.ones((3, 99))])
def test_score_refuses_what_was_never_stored(wanted):
    patterns = draw(3, 100)
    with pytest.raises(DataError):
        HopfieldMemory().fit(patterns).score(patterns, np.asarray(wanted))


def test_binarize_thresholds_and_codes_as_zero_one():
    grey = np.where(draw(3, 100) > 0, 12.0, 3.0) + np.random.default_rng(0).random((3, 100))
    recalled = HopfieldMemory(binarize=7.5).fit(grey).transform(grey)
    np.testing.assert_array_equal(recalled, (grey > 7.5).astype(float))
    spins = draw(3, 100)
    np.testing.assert_array_equal(HopfieldMemory(binarize=0.0).fit(spins).transform(spins), spins)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[0, 1, 2], [1, 0, 1]], r"\{0, 1\}, \{-1, 1\} or bool, found the values 0, 1, 2; set binarize"),
        ([[-1, 0, 1]], "found the values -1, 0, 1"),
        (np.linspace(0, 1, 12).reshape(2, 6), "and 7 more"),
        ([[0.0, np.nan]], "NaN"),
        ([0, 1, 1], "1D array"),
        (np.ones((0, 3)), "0 sample"),
        (np.ones((2, 2, 2)), "dim"),
    ],
)
def test_fit_refuses_data_it_cannot_code(data, message):
    with pytest.raises(DataError, match=message):
        HopfieldMemory().fit(data)


def test_cues_must_be_coded_like_the_patterns():
    memory = HopfieldMemory().fit([[0, 1, 1, 0]])
    with pytest.raises(DataError, match=r"coded as \{0, 1\} like the stored patterns, found -1"):
        memory.transform([[-1, 1, 1, -1]])
    with pytest.raises(DataError, match="3 features"):
        memory.transform([[0, 1, 1]])
    spins = HopfieldMemory().fit([[-1, 1, 1, -1]])
    with pytest.raises(DataError, match=r"coded as \{-1, 1\} like the stored patterns, found 0"):
        spins.transform([[0, 1, 1, 0]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rule": "delta"}, "rule must be one of hebb, storkey, pinv, gardner, got 'delta'"),
        ({"dynamics": "async"}, "dynamics"),
        ({"temperature": -0.1, "dynamics": "glauber"}, "temperature must be >= 0, got -0.1"),
        ({"temperature": np.nan, "dynamics": "glauber"}, "temperature"),
        ({"temperature": 0.1}, "needs dynamics='glauber'"),
        ({"temperature": 0.1, "dynamics": "parallel"}, "needs dynamics='glauber'"),
        ({"kappa": -1.0, "rule": "gardner"}, "kappa"),
        ({"max_sweeps": 0}, "max_sweeps"),
        ({"max_sweeps": 2.5}, "max_sweeps"),
        ({"min_overlap": 1.1}, "min_overlap"),
        ({"binarize": "yes"}, "binarize"),
        ({"binarize": np.nan}, "binarize"),
        ({"self_coupling": "no"}, "self_coupling"),
        ({"centre": True, "rule": "pinv"}, "centre=True belongs to rule 'hebb'"),
    ],
)
def test_refuses_parameters(parameters, message):
    with pytest.raises(ParameterError, match=message):
        HopfieldMemory(**parameters).fit(draw(3, 20))


def test_parameters_are_checked_again_at_recall():
    memory = HopfieldMemory().fit(draw(3, 20)).set_params(temperature=-1.0, dynamics="glauber")
    with pytest.raises(ParameterError, match="temperature"):
        memory.transform(draw(1, 20))


def test_dependent_patterns_name_their_rank():
    patterns = draw(5, 30)
    with pytest.raises(RankError, match="rank 5"):
        HopfieldMemory(rule="pinv").fit(np.vstack([patterns, patterns[:2]]))
    with pytest.raises(RankError, match="40 patterns of 30 neurons with rank 30"):
        HopfieldMemory(rule="pinv").fit(draw(40, 30))


def test_equal_entries_cannot_be_centred():
    with pytest.raises(DataError, match="nothing to centre"):
        HopfieldMemory(centre=True).fit(np.ones((2, 5)))


def test_nothing_is_recalled_before_fit():
    memory = HopfieldMemory()
    for method in ("transform", "predict", "score", "recall"):
        with pytest.raises(NotFittedError):
            getattr(memory, method)([[0, 1]])
    assert not hasattr(memory, "couplings_")
