"""Risk curves of ridge regression: exact cases, cross-validation by refitting, and risks counted on new samples."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from replicon.core.errors import DataError, ParameterError
from replicon.inference.ridge_curve import RidgePopulation, RidgeRiskCurve
from replicon.maths.ridge import ridge_risk

LEVELS = np.array([0.02, 0.25, 2.0])


def draw(samples, features, rng, noise=0.25):
    spectrum = np.linspace(0.1, 3, features)
    matrix = rng.standard_normal((samples, features)) * np.sqrt(spectrum / features)
    coefficients = rng.standard_normal(features)
    return matrix, matrix @ coefficients + np.sqrt(noise) * rng.standard_normal(samples), coefficients, spectrum


def solve(matrix, targets, level):
    return matrix.T @ np.linalg.solve(matrix @ matrix.T + level * np.eye(len(matrix)), targets)


@pytest.mark.parametrize(("samples", "features"), [(150, 220), (220, 150), (180, 180)])
def test_risk_is_that_of_fits_on_new_samples_and_of_the_theory_that_knows_the_covariance(samples, features):
    gaps, ratios = [], []
    for seed in range(24):
        matrix, targets, coefficients, spectrum = draw(samples, features, np.random.default_rng(seed))
        predicted = RidgeRiskCurve(matrix).risk(LEVELS, signal=1.0, noise=0.25)
        errors = [solve(matrix, targets, level) - coefficients for level in LEVELS]
        gaps.append([spectrum / features @ error**2 + 0.25 for error in errors] - predicted)
        ratios.append(predicted)
    error = np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps))
    assert (np.abs(np.mean(gaps, axis=0)) < 3.5 * error).all()
    exact = ridge_risk(spectrum / features, np.ones(features), 0.25, features / samples, LEVELS).values["test_error"]
    # One draw's spectrum stands for the covariance up to 1/n.
    np.testing.assert_allclose(np.mean(ratios, axis=0), exact, rtol=3 / samples)


@pytest.mark.parametrize("shape", [(30, 12), (20, 35)])
@pytest.mark.parametrize("intercept", [False, True])
def test_leave_one_out_is_what_refitting_without_each_sample_gives(shape, intercept):
    rng = np.random.default_rng(3)
    matrix, targets = rng.standard_normal(shape) + 0.7, rng.standard_normal(shape[0]) + 2.0
    curve = RidgeRiskCurve(matrix, targets, fit_intercept=intercept)
    for level in (0.3, 5.0):
        errors = []
        for left in range(shape[0]):
            rest = np.delete(np.arange(shape[0]), left)
            model = Ridge(alpha=level, fit_intercept=intercept, tol=1e-12).fit(matrix[rest], targets[rest])
            errors.append(targets[left] - model.predict(matrix[left : left + 1])[0])
        assert curve.leave_one_out(level) == pytest.approx(np.mean(np.square(errors)), rel=1e-9)
        model = Ridge(alpha=level, fit_intercept=intercept).fit(matrix, targets)
        assert curve.train_error(level) == pytest.approx(np.mean((targets - model.predict(matrix)) ** 2), rel=1e-9)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", [(30, 12), (20, 35)])
def test_curves_are_continuous_at_penalty_zero(shape, intercept):
    rng = np.random.default_rng(4)
    curve = RidgeRiskCurve(rng.standard_normal(shape), rng.standard_normal(shape[0]), fit_intercept=intercept)
    for name in ("generalized_cross_validation", "leave_one_out", "degrees_of_freedom"):
        assert getattr(curve, name)(0.0) == pytest.approx(getattr(curve, name)(1e-7), rel=1e-5)
    assert curve.risk(0.0, 1.0, 0.5) == pytest.approx(curve.risk(1e-7, 1.0, 0.5), rel=1e-5)


def test_least_squares_has_its_textbook_risk():
    matrix = np.random.default_rng(0).standard_normal((50, 20))
    assert RidgeRiskCurve(matrix).risk(0.0, signal=3.0, noise=0.4) == pytest.approx(0.4 * 50 / 30, rel=1e-12)
    centred = RidgeRiskCurve(matrix, fit_intercept=True)
    assert centred.risk(0.0, signal=3.0, noise=0.4) == pytest.approx(0.4 * 50 / 29, rel=1e-12)


def test_the_peak_at_equal_numbers_is_gone_with_the_best_penalty():
    rng = np.random.default_rng(1)
    ridgeless, tuned = [], []
    for samples in (100, 200, 400):
        curve = RidgeRiskCurve(rng.standard_normal((samples, 200)) / np.sqrt(200))
        best = curve.best_penalty(signal=1.0, noise=0.25)
        assert best == pytest.approx(0.25)
        ridgeless.append(curve.risk(0.0, signal=1.0, noise=0.25))
        tuned.append(curve.risk(best, signal=1.0, noise=0.25))
        around = curve.risk(best * np.array([0.5, 1.0, 2.0]), signal=1.0, noise=0.25)
        assert around[1] < around[0] and around[1] < around[2]
    assert ridgeless[1] > 5 * max(ridgeless[0], ridgeless[2])
    assert tuned[0] > tuned[1] > tuned[2]


def test_targets_tell_signal_noise_and_the_best_penalty():
    found = []
    for seed in range(24):
        matrix, targets, _, _ = draw(300, 200, np.random.default_rng(seed))
        curve = RidgeRiskCurve(matrix, targets)
        best = [np.log(curve.best_penalty(name)) for name in ("leave_one_out", "generalized_cross_validation")]
        found.append([curve.signal, curve.noise, *best])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(mean - [1.0, 0.25, np.log(0.25), np.log(0.25)]) < 3.5 * error).all()
    assert (error[:2] < [0.05, 0.02]).all()


def test_pure_noise_has_no_signal_and_wants_an_infinite_penalty():
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((100, 60))
    targets = rng.standard_normal(100)
    # What the features explain is taken out up to a little, less than chance would leave.
    targets -= 0.9 * matrix @ np.linalg.lstsq(matrix, targets, rcond=None)[0]
    curve = RidgeRiskCurve(matrix, targets)
    assert curve.signal == 0.0
    assert curve.best_penalty() == np.inf
    assert curve.best_penalty("leave_one_out") == np.inf


def test_on_real_features_cross_validation_predicts_the_error_on_rows_left_aside():
    data = load_diabetes()
    targets = (data.target - data.target.mean()) / data.target.std()
    gaps = []
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(len(targets))
        train, test = order[:60], order[60:]
        curve = RidgeRiskCurve(data.data[train], targets[train], fit_intercept=True)
        level = curve.best_penalty("leave_one_out")
        if not np.isfinite(level):
            continue
        model = Ridge(alpha=level).fit(data.data[train], targets[train])
        gaps.append(np.mean((targets[test] - model.predict(data.data[test])) ** 2) - curve.leave_one_out(level))
    # The least of a curve is a little below what it estimates.
    assert len(gaps) > 35
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / np.sqrt(len(gaps)) + 0.02


@pytest.mark.parametrize("activation", [np.tanh, lambda t: np.maximum(t, 0.0)], ids=["tanh", "rectifier"])
def test_random_features_have_the_risk_of_their_equivalent_population(activation):
    rng = np.random.default_rng(2)
    inputs, features, samples, noise = 120, 200, 160, 0.1
    weights = rng.standard_normal((features, inputs)) / np.sqrt(inputs)
    teacher = rng.standard_normal(inputs) / np.sqrt(inputs)
    population = RidgePopulation.random_features(weights, teacher, noise, activation)
    new = rng.standard_normal((8000, inputs))
    seen = activation(new @ weights.T)
    mean = seen.mean(axis=0)
    levels, found = np.array([0.01, 0.3, 3.0]), []
    for _ in range(24):
        x = rng.standard_normal((samples, inputs))
        matrix, targets = activation(x @ weights.T) - mean, x @ teacher + np.sqrt(noise) * rng.standard_normal(samples)
        fits = [solve(matrix, targets, level) for level in levels]
        found.append([np.mean((new @ teacher - (seen - mean) @ fit) ** 2) + noise for fit in fits])
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    predicted = population.risk(levels, samples)
    # Rows of 120 inputs are equivalent to normal features up to about 1/120.
    assert (np.abs(np.mean(found, axis=0) - predicted) < 3 * error + predicted / inputs).all()
    best = population.best_penalty(samples)
    assert population.risk(best, samples) < min(population.risk(best * np.array([0.7, 1.4]), samples))


def test_population_of_a_covariance_does_not_depend_on_the_basis():
    rng = np.random.default_rng(6)
    basis = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    eigenvalues, b = np.linspace(0.2, 2, 30), rng.standard_normal(30)
    turned = RidgePopulation.from_covariance((basis * eigenvalues) @ basis.T, basis @ b, 0.3)
    exact = ridge_risk(eigenvalues, b, 0.3, 30 / 40, 1.5).values
    assert turned.risk(1.5, 40) == pytest.approx(exact["test_error"], rel=1e-12)
    assert turned.train_error(1.5, 40) == pytest.approx(exact["train_error"], rel=1e-12)


def test_bad_input_is_refused():
    rng = np.random.default_rng(0)
    matrix, targets = rng.standard_normal((10, 4)), rng.standard_normal(10)
    curve, fitted = RidgeRiskCurve(matrix), RidgeRiskCurve(matrix, targets)
    for wrong in (-1.0, np.nan, [1.0, -2.0]):
        with pytest.raises(ParameterError, match="lam must be"):
            curve.risk(wrong, 1.0, 1.0)
    with pytest.raises(ParameterError, match="signal is not known"):
        curve.risk(1.0)
    with pytest.raises(ParameterError, match="noise is -1"):
        fitted.risk(1.0, noise=-1.0)
    with pytest.raises(ParameterError, match="asks for targets"):
        curve.leave_one_out(1.0)
    with pytest.raises(ParameterError, match="criterion is 'aic'"):
        fitted.best_penalty("aic")
    for X, y in ((matrix[0], None), (np.zeros((3, 2)), None), (matrix, targets[:9]), (matrix, np.zeros(10))):
        with pytest.raises(DataError):
            RidgeRiskCurve(X, y)
    with pytest.raises(DataError, match="nan or infinite"):
        RidgeRiskCurve(np.where(matrix > 1, np.nan, matrix))
    with pytest.raises(DataError, match="symmetric"):
        RidgePopulation.from_covariance(np.triu(np.ones((3, 3))), np.ones(3), 0.1)
    with pytest.raises(DataError, match="positive"):
        RidgePopulation.from_covariance(np.ones((3, 3)), np.ones(3), 0.1)
    with pytest.raises(DataError, match="teacher has shape"):
        RidgePopulation.random_features(matrix, np.ones(3), 0.1)
    with pytest.raises(ParameterError, match="diverges"):
        RidgePopulation.from_covariance(np.eye(4), np.ones(4), 0.1).risk(0.0, 4)
