"""Ridge regression: closed forms, cross-validation, double descent, agreement, bad input."""

import numpy as np
import pytest
from scipy import optimize

from replicon import DataError, ParameterError, compare
from replicon.inference import Ridge, ridge_risk
from replicon.inference.ridge import optimal_penalty, simulation
from replicon.testing import check_system


def test_contract():
    check_system(Ridge(spectrum="uniform"), workers=1, realizations=3)


@pytest.mark.parametrize(
    "system",
    [
        Ridge(spectrum="uniform"),
        Ridge(aspect=0.5, penalty_level=0.0),
        Ridge(aspect=3.0, penalty_level=0.0, spectrum="two_scales"),
        Ridge(aspect=1.0, penalty_level=0.25),
    ],
    ids=["uniform", "least squares", "ridgeless", "tuned"],
)
def test_theory_agrees_with_simulation(system):
    result = compare(system, [100, 200, 400], 24, seed=5)
    assert result.verdict == "agree", str(result)


def test_ridgeless_closed_forms():
    noise, norm = 0.3, 2.0
    aspect = np.array([0.25, 0.8, 1.25, 4.0])
    d = 40
    values, status = ridge_risk(np.ones(d), np.sqrt(norm / d), noise, aspect, 0.0)
    under = noise * aspect / (1 - aspect)
    over = norm * (1 - 1 / aspect) + noise / (aspect - 1)
    np.testing.assert_allclose(values["excess_risk"], np.where(aspect < 1, under, over), rtol=1e-12)
    np.testing.assert_allclose(values["train_error"], noise * np.maximum(1 - aspect, 0), atol=1e-15)
    assert (status == 0).all()
    pole = ridge_risk(np.ones(d), 1.0, noise, 1.0, 0.0)
    assert pole.status != 0 and np.isnan(pole.values["test_error"])


def test_isotropic_ridge_by_the_marchenko_pastur_integral():
    """Bias and variance as integrals over the spectrum of the sample covariance, the pole of the resolvent by hand."""
    aspect, level, noise, norm = 0.5, 0.3, 0.4, 1.5
    low, high = (1 - np.sqrt(aspect)) ** 2, (1 + np.sqrt(aspect)) ** 2
    angle = (np.arange(20000) + 0.5) * np.pi / 20000
    x = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(angle)
    density = np.sqrt((high - x) * (x - low)) / (2 * np.pi * aspect * x)
    measure = density * 0.5 * (high - low) * np.sin(angle) * np.pi / 20000
    bias = norm * np.sum(measure * (level / (x + level)) ** 2)
    variance = noise * aspect * np.sum(measure * x / (x + level) ** 2)
    d = 100
    values = ridge_risk(np.ones(d), np.sqrt(norm / d), noise, aspect, level * d / aspect).values
    assert values["bias"] + values["variance"] == pytest.approx(bias + variance, rel=1e-7)


def test_a_large_sampled_covariance():
    """Draws of 1000 features with 300-fold eigenvalues, coefficients along the small ones: self-averaging."""
    p, aspect, level = 1000, 1.5, 0.05
    eigenvalues = np.geomspace(0.01, 3, p)
    coefficients = np.where(np.arange(p) < p // 4, 0.1, 0.02)
    n = round(p / aspect)
    stream = np.random.default_rng(0)
    risks = []
    for _ in range(3):
        features = stream.standard_normal((n, p)) * np.sqrt(eigenvalues)
        targets = features @ coefficients + 0.5 * stream.standard_normal(n)
        weights, _ = simulation.fit(features, targets, level * n)
        risks.append(eigenvalues @ (weights - coefficients) ** 2)
    expected = ridge_risk(eigenvalues, coefficients, 0.25, p / n, level * n).values["excess_risk"]
    assert np.mean(risks) == pytest.approx(expected, rel=0.05)


def test_leave_one_out_is_leaving_one_out():
    system = Ridge(aspect=1.5, spectrum="uniform")
    for aspect, penalty in ((1.5, 0.1), (0.5, 0.3), (2.0, 0.0), (0.5, 0.0)):
        draw = Ridge(aspect=aspect, spectrum=system.spectrum).sample(24, 1)
        _, told = simulation.fit(draw.features, draw.targets, penalty)
        errors = []
        for left in range(len(draw.targets)):
            rest = np.delete(np.arange(len(draw.targets)), left)
            weights, _ = simulation.fit(draw.features[rest], draw.targets[rest], penalty)
            errors.append((draw.targets[left] - draw.features[left] @ weights) ** 2)
        assert told["leave_one_out"] == pytest.approx(np.mean(errors), rel=1e-9), (aspect, penalty)


def test_best_penalty():
    eigenvalues, noise, aspect = np.linspace(0.1, 3, 60), 0.25, 1.5
    flat = np.full(60, 0.13)
    assert optimal_penalty(eigenvalues, flat, noise, aspect).values == pytest.approx(noise / 0.13**2, rel=1e-8)
    tilted = flat * np.linspace(0.1, 2, 60)
    found = optimal_penalty(eigenvalues, tilted, noise, aspect).values

    def risk(log_level):
        return ridge_risk(eigenvalues, tilted, noise, aspect, np.exp(log_level)).values["excess_risk"]

    best = optimize.minimize_scalar(risk, bounds=(-5, 8), method="bounded")
    assert np.log(found) == pytest.approx(best.x, abs=1e-3)


def test_double_descent_and_its_cure():
    aspect = np.geomspace(0.2, 5, 41)
    bare = Ridge(aspect=aspect, penalty_level=1e-6).theory().test_error
    tuned = Ridge(aspect=aspect, penalty_level=0.25).theory().test_error
    peak = int(np.argmax(bare))
    assert aspect[peak] == pytest.approx(1.0) and bare[peak] > 50 * tuned[peak]
    assert bare[-1] < bare[peak] and (np.diff(tuned) > 0).all()
    assert (tuned < bare).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, -1.0], 1.0, 0.1, 1.0, 0.1), "eigenvalues must be finite and positive"),
        (([1.0, 1.0], [1.0, 2.0, 3.0], 0.1, 1.0, 0.1), "coefficients has shape"),
        (([1.0], 1.0, -0.1, 1.0, 0.1), "noise"),
        (([1.0], 1.0, 0.1, 0.0, 0.1), "aspect"),
        (([1.0], 1.0, 0.1, 1.0, -0.1), "penalty_level"),
        (([[1.0]], 1.0, 0.1, 1.0, 0.1), "shape"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ParameterError, match=words):
        ridge_risk(*arguments)


def test_bad_parameters():
    with pytest.raises(ParameterError, match="penalty_level"):
        Ridge(penalty_level=-1.0)
    with pytest.raises(DataError, match="no two samples"):
        Ridge(aspect=50.0).sample(20, 0)
