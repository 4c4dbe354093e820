"""Corrected logistic regression: equations, fields left out, coverage, existence, the scikit-learn interface."""

import warnings

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import expit
from scipy.stats import kstest, norm
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.utils.estimator_checks import check_estimator

from replicon.core.errors import DataError, ParameterError
from replicon.inference.high_dim_logistic import HighDimLogistic
from replicon.inference.logistic.errors import MLEDoesNotExistError
from replicon.inference.logistic.newton import fit_logistic
from replicon.inference.logistic.theory import mle_threshold, sur_candes_grid
from replicon.inference.logistic_frontier import frontier, separates, strongest_signal
from replicon.inference.logistic_signal import law_at, leave_one_out_fields, truth_behind

ROOT5 = 5**0.5


def draw(seed, samples=600, features=120, strength=ROOT5, intercept=0.0, correlation=0.0):
    """Normal features with an autoregressive covariance; the second half of the coefficients is zero."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((samples, features))
    for j in range(1, features):
        matrix[:, j] = correlation * matrix[:, j - 1] + np.sqrt(1 - correlation**2) * matrix[:, j]
    places = np.arange(features)
    covariance = np.where(places[:, None] == places, 1.0, correlation ** np.abs(places[:, None] - places))
    beta = np.where(places < features // 2, rng.standard_normal(features), 0.0)
    beta *= strength / np.sqrt(beta @ covariance @ beta)
    return matrix, rng.random(samples) < expit(intercept + matrix @ beta), beta


def within(values, expected, deviations=4.0, slack=0.0):
    values = np.asarray(values)
    error = values.std(ddof=1) / np.sqrt(len(values))
    return abs(values.mean() - expected) < deviations * error + slack


def test_law_has_the_printed_numbers():
    law = law_at(0.2, ROOT5)
    # Sur and Candes, PNAS 116, 14516 (2019): half a unit of the last decimal.
    assert law.bias == pytest.approx(1.4994, abs=5.1e-5)
    assert law.spread == pytest.approx(4.7436, abs=5.1e-5)
    assert law.step == pytest.approx(3.0269, abs=5.1e-5)
    assert abs(law.intercept) < 1e-9


def test_law_without_intercept_is_that_of_the_state_evolution():
    for aspect, strength in ((0.05, 4.0), (0.1, 0.5), (0.3, 2.0)):
        law, values = law_at(aspect, strength), sur_candes_grid(aspect, strength).values
        for name in ("bias", "spread", "step"):
            assert getattr(law, name) == pytest.approx(float(values[name]), rel=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.05, 1.5])
@pytest.mark.parametrize("mean", [0.0, 2e-6, 0.7, -2.0])
def test_signal_is_read_back_from_the_fields_it_makes(strength, mean):
    # At this aspect the start is exactly zero in two unknowns, which with a tiny mean was once not survived.
    law = law_at(0.2, strength, mean)
    found = truth_behind(0.2, mean, law.field_deviation)
    assert found.signal_strength == pytest.approx(strength, abs=1e-4)
    for name in ("intercept", "bias", "spread", "step"):
        assert getattr(found, name) == pytest.approx(getattr(law, name), rel=1e-6, abs=1e-8)


def test_few_features_leave_maximum_likelihood_as_it_is():
    law = law_at(1e-4, 1.0)
    z = np.linspace(-8, 8, 2001)
    fisher = np.sum(np.exp(-0.5 * z**2) * expit(z) * expit(-z)) / np.sum(np.exp(-0.5 * z**2))
    assert law.bias == pytest.approx(1.0, abs=5e-4)
    # Across the signal the curvature is the plain Fisher information.
    assert law.spread == pytest.approx(1 / np.sqrt(fisher), rel=1e-3)


def test_no_signal_where_the_fields_vary_less_than_noise_makes_them():
    null = law_at(0.2, 0.0)
    assert truth_behind(0.2, 0.0, 0.9 * null.field_deviation).signal_strength == 0.0
    assert truth_behind(0.2, 0.0, 1.05 * null.field_deviation).signal_strength > 0.1


def test_fields_left_out_are_those_of_refits():
    matrix, answers, _ = draw(0, samples=300, features=40, strength=1.5)
    labels = np.where(answers, 1.0, -1.0)
    design = np.column_stack([matrix, np.ones(len(matrix))])
    weights = fit_logistic(design, labels).weights
    estimated = leave_one_out_fields(design, labels, weights)
    exact = []
    for left in range(60):
        rest = np.delete(np.arange(300), left)
        exact.append(design[left] @ fit_logistic(design[rest], labels[rest]).weights)
    # What the step corrects is ten times what it leaves.
    fitted = (design @ weights)[:60]
    assert np.std(estimated[:60] - exact) < 0.1 * np.std(fitted - exact)


@pytest.fixture(scope="module")
def study():
    """Fits at p/n = 0.2, squared signal strength 5."""
    found = {True: [], False: []}
    for seed in range(60):
        matrix, answers, beta = draw(seed)
        for correct in found:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                model = HighDimLogistic(correct, fit_intercept=False).fit(matrix, answers)
            assert model.mle_exists_
            found[correct].append((model, beta))
    return found


def coverage(study, correct):
    inside = []
    for model, beta in study[correct]:
        interval = model.confidence_interval(0.95)
        inside.append(np.mean((interval[:, 0] <= beta) & (beta <= interval[:, 1])))
    return inside


def test_corrected_intervals_cover_and_textbook_ones_do_not(study):
    assert within(coverage(study, True), 0.95, slack=0.005)
    textbook = coverage(study, False)
    assert np.mean(textbook) < 0.9


def test_null_p_values_are_uniform_and_textbook_ones_are_not(study):
    first = {name: [model.p_values_[-1] for model, _ in study[name]] for name in study}
    assert kstest(first[True], "uniform").pvalue > 0.01
    small = {name: [np.mean(model.p_values_[60:] < 0.05) for model, _ in study[name]] for name in study}
    assert within(small[True], 0.05, slack=0.005)
    assert np.mean(small[False]) > 0.09


def test_signal_strength_and_unbiased_coefficients(study):
    strengths = [model.gamma_hat_ for model, _ in study[True]]
    assert abs(np.mean(strengths) / ROOT5 - 1) < 0.1
    slopes = [model.coef_[0] @ beta / (beta @ beta) for model, beta in study[True]]
    assert within(slopes, 1.0, slack=0.02)
    assert np.mean([model.mle_coef_[0] @ beta / (beta @ beta) for model, beta in study[True]]) > 1.35


def test_correlated_features_and_an_intercept():
    inside, constants, nulls = [], [], []
    for seed in range(40):
        matrix, answers, beta = draw(seed, strength=1.5, intercept=0.8, correlation=0.6)
        matrix = 3.0 * matrix + 5.0
        model = HighDimLogistic().fit(matrix, answers)
        interval = model.confidence_interval()
        inside.append(np.mean((interval[:, 0] <= beta / 3) & (beta / 3 <= interval[:, 1])))
        constants.append(model.intercept_[0] + 5.0 * model.coef_[0].sum())
        nulls.append(np.mean(model.p_values_[60:] < 0.05))
    assert within(inside, 0.95, slack=0.005)
    assert within(constants, 0.8, slack=0.02)
    assert within(nulls, 0.05, slack=0.005)


def test_probabilities_are_calibrated_on_new_samples():
    excess = {True: [], False: []}
    for seed in range(20):
        matrix, answers, _ = draw(seed, samples=2600)
        for correct, found in excess.items():
            model = HighDimLogistic(correct).fit(matrix[:600], answers[:600])
            chance = model.predict_proba(matrix[600:])[:, 1]
            # The slope of the answers on the predicted odds is 1 for calibrated odds.
            odds = model.decision_function(matrix[600:])
            found.append(np.sum(odds * (answers[600:] - chance)) / np.sum(odds**2 * chance * (1 - chance)))
    assert within(excess[True], 0.0, slack=0.05)
    assert np.mean(excess[False]) < -0.3


def test_likelihood_ratio_factor_stretches_the_statistic():
    ratios = []
    for seed in range(40):
        matrix, answers, _ = draw(seed)
        labels = np.where(answers, 1.0, -1.0)
        model = HighDimLogistic(fit_intercept=False).fit(matrix, answers)
        loss = [
            np.logaddexp(0, -labels * (part @ fit_logistic(part, labels).weights)).sum()
            for part in (matrix[:, :-1], matrix)
        ]
        ratios.append(2 * (loss[0] - loss[1]) / model.likelihood_ratio_factor_)
        assert 1.2 < model.likelihood_ratio_factor_ < 2.2
    # chi-squared with one degree of freedom
    assert kstest(ratios, "chi2", args=(1,)).pvalue > 0.01


def real_features(name):
    if name == "breast cancer":
        features = load_breast_cancer().data
    else:
        digits = load_digits()
        features = digits.data[np.isin(digits.target, (3, 8))]
        features = features[:, (features != np.median(features, axis=0)).sum(axis=0) >= 30]
    return (features - features.mean(axis=0)) / features.std(axis=0)


@pytest.mark.parametrize("name", ["breast cancer", "digits"])
def test_planted_labels_on_rows_of_real_features(name):
    features = real_features(name)
    count = features.shape[1]
    inside, textbook = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        beta = rng.standard_normal(count) * (np.arange(count) % 2)
        beta *= 1.5 / np.std(features @ beta)
        rows = features[rng.permutation(len(features))[: 5 * count]]
        answers = rng.random(len(rows)) < expit(rows @ beta)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            models = [HighDimLogistic(correct).fit(rows, answers) for correct in (True, False)]
        if models[0].mle_exists_:
            for model, found in zip(models, (inside, textbook), strict=True):
                interval = model.confidence_interval()
                found.append(np.mean((interval[:, 0] <= beta) & (beta <= interval[:, 1])))
    assert len(inside) >= 38
    # Thirty to fifty features that are far from normal: within two points of what is promised.
    assert within(inside, 0.95, slack=0.02)
    assert np.mean(textbook) < np.mean(inside) - 0.02


def test_separable_classes_have_no_estimate():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((100, 60))
    answers = rng.integers(0, 2, 100)
    with pytest.raises(MLEDoesNotExistError, match=r"must be below h\(0\) = 0.5"):
        HighDimLogistic(separable="raise").fit(matrix, answers)
    with pytest.warns(UserWarning, match="separable"):
        model = HighDimLogistic().fit(matrix, answers)
    assert not model.mle_exists_
    assert model.score(matrix, answers) > 0.9
    for ask in (model.confidence_interval, lambda: model.p_values_, lambda: model.standard_errors_):
        with pytest.raises(MLEDoesNotExistError, match="does not exist"):
            ask()
    answers = matrix[:, 0] > 0
    with pytest.raises(MLEDoesNotExistError, match=r"κ < h\(γ\) holds for signal strengths γ below"):
        HighDimLogistic(separable="raise").fit(matrix[:, :10], answers)


def test_one_empty_cell_is_enough():
    rng = np.random.default_rng(0)
    indicator = np.repeat([0.0, 1.0], 50)
    other = rng.standard_normal(100)
    answers = np.where(indicator == 1, 1, rng.integers(0, 2, 100))
    design = np.column_stack([indicator, other])
    with pytest.raises(MLEDoesNotExistError):
        HighDimLogistic(separable="raise").fit(design, answers)
    answers[-1] = 0
    assert HighDimLogistic(separable="raise").fit(design, answers).mle_exists_
    assert not separates(np.column_stack([design, np.ones(100)]), np.where(answers, 1.0, -1.0))


def test_strongest_signal_inverts_the_threshold():
    assert strongest_signal(0.325589) == pytest.approx(ROOT5, abs=1e-4)
    assert float(mle_threshold(strongest_signal(0.1))) == pytest.approx(0.1, abs=1e-6)


def test_frontier_with_an_intercept():
    """Without constant it is that of Candes and Sur; unbalanced classes are separable more easily."""
    for strength in (0.0, 1.0, ROOT5):
        assert frontier(strength, 0.5) == pytest.approx(float(mle_threshold(strength)), abs=1e-8)
        assert frontier(strength, 0.2) < frontier(strength, 0.5)
    assert frontier(1.0, 0.2) == pytest.approx(frontier(1.0, 0.8), abs=1e-9)
    # Written out on a grid, for a fifth of the labels being 1.
    x = np.linspace(-9, 9, 1801)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    constant = brentq(lambda c: density @ expit(c + 2.0 * x) - 0.2, -20, 20)
    one = density * expit(constant + 2.0 * x)

    def average(point):
        u = point[0] + point[1] * x
        ramps = [(1 + v**2) * norm.cdf(-v) - v * norm.pdf(v) for v in (u, -u)]
        return one @ ramps[0] + (density - one) @ ramps[1]

    best = minimize(average, np.zeros(2), tol=1e-10).fun
    assert frontier(2.0, 0.2) == pytest.approx(best, abs=1e-7)


@pytest.mark.parametrize(("intercept", "aim"), [(False, ROOT5), (True, 1.0)])
def test_signal_strength_by_probing_the_frontier(intercept, aim):
    found = []
    for seed in range(8):
        matrix, answers, _ = draw(seed, samples=300, features=40, strength=aim, intercept=0.7 * intercept)
        model = HighDimLogistic(fit_intercept=intercept, signal_method="probe_frontier").fit(matrix, answers)
        found.append(model.gamma_hat_)
        again = HighDimLogistic(fit_intercept=intercept, signal_method="probe_frontier").fit(matrix, answers)
        assert seed > 0 or again.gamma_hat_ == model.gamma_hat_
    assert within(found, aim, slack=0.05 * aim)
    assert np.std(found) < 0.35 * aim


def test_a_known_signal_strength_is_used_and_an_impossible_one_refused():
    matrix, answers, _ = draw(0)
    model = HighDimLogistic(signal_strength=ROOT5, fit_intercept=False).fit(matrix, answers)
    assert model.gamma_hat_ == ROOT5
    assert model.bias_ == pytest.approx(1.4994, abs=1e-3)
    with pytest.raises(MLEDoesNotExistError, match="signal_strength"):
        HighDimLogistic(signal_strength=20.0).fit(matrix, answers)


def test_bad_input_is_refused():
    matrix, answers, _ = draw(0, samples=100, features=5, strength=1.0)
    with pytest.raises(DataError, match="Only binary"):
        HighDimLogistic().fit(matrix, np.arange(100) % 3)
    with pytest.raises(DataError, match="1 class"):
        HighDimLogistic().fit(matrix, np.ones(100))
    with pytest.raises(DataError, match=r"constant features \[2\]"):
        HighDimLogistic().fit(np.where(np.arange(5) == 2, 7.0, matrix), answers)
    with pytest.raises(DataError, match="1 of the features are sums"):
        HighDimLogistic().fit(np.column_stack([matrix, matrix @ np.ones(5)]), answers)
    with pytest.raises(ParameterError, match="separable is 'ignore'"):
        HighDimLogistic(separable="ignore").fit(matrix, answers)
    with pytest.raises(ParameterError, match="signal_method is 'guess'"):
        HighDimLogistic(signal_method="guess").fit(matrix, answers)
    with pytest.raises(ParameterError, match="signal_strength"):
        HighDimLogistic(signal_strength=-1.0).fit(matrix, answers)
    with pytest.raises(ParameterError, match="level is 95"):
        HighDimLogistic().fit(matrix, answers).confidence_interval(95)


@pytest.mark.parametrize("correct", [True, False])
def test_scikit_learn_interface_to_the_letter(correct):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(HighDimLogistic(correct))
