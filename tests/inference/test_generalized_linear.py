"""Generalised linear estimation: contract, agreement of theory and simulation, bad input."""

import math

import numpy as np
import pytest

from replicon import DataError, ParameterError, compare
from replicon.inference import GeneralizedLinear
from replicon.testing import system_checks

SYSTEMS = {
    "logistic": GeneralizedLinear(),
    "hinge": GeneralizedLinear(loss="hinge", penalty_level=0.5),
    "square": GeneralizedLinear(loss="square", penalty_level=0.5),
    "max margin": GeneralizedLinear(loss="max_margin"),
    "bayes": GeneralizedLinear(loss="bayes"),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_contract(name):
    """The whole contract for two losses; for the others what depends on their equations."""
    chosen = {"record", "grid_equals_points", "gradient", "measurement", "same_draw_again"}
    for rule, check in system_checks(SYSTEMS[name], workers=2 if name == "square" else 1, realizations=3):
        if name not in ("logistic", "square") and rule not in chosen:
            continue
        try:
            check()
        except AssertionError as error:
            raise AssertionError(f"{rule}: {error}") from error


@pytest.mark.parametrize(
    "system",
    [
        *SYSTEMS.values(),
        GeneralizedLinear(loss="square", penalty_level=0.0, load=0.5, teacher="logistic"),
        GeneralizedLinear(loss="square", penalty_level=0.3, load=2.0, teacher="linear"),
        GeneralizedLinear(loss="logistic", penalty_level=0.3, load=2.0, teacher="logistic"),
        GeneralizedLinear(loss="bayes", teacher="logistic"),
        GeneralizedLinear(loss="max_margin", load=1.0, teacher="logistic"),
    ],
    ids=lambda system: f"{system.loss}-{system.teacher}-{system.load}",
)
def test_theory_agrees_with_simulation(system):
    result = compare(system, [100, 200, 400], 12, seed=4)
    assert result.verdict == "agree", str(result)


def test_a_penalty_divided_by_the_number_of_samples_would_be_noticed():
    """The most common slip of this field: theory at lambda, simulation at lambda / n or the reverse."""
    result = compare(GeneralizedLinear(penalty_level=1.0), [100, 200], 8, seed=4)
    row = result.sel(observable="weight_norm")
    wrong = GeneralizedLinear(penalty_level=1.0 / 3).theory().weight_norm
    assert abs(float(row["mean"].sel(size=200)) - wrong) > 20 * float(row["standard_error"].sel(size=200))


def test_max_margin_is_not_the_logistic_loss_at_a_small_penalty():
    """lambda = 1e-3 is still far from the limit, to which the student only creeps logarithmically."""
    exact = GeneralizedLinear(loss="max_margin").theory()
    small = GeneralizedLinear(penalty_level=1e-3).theory()
    assert small.test_error_01 < exact.test_error_01 - 1e-3
    draw = GeneralizedLinear(loss="max_margin").sample(100, 3)
    trained = GeneralizedLinear(loss="max_margin").simulate(draw)
    assert trained.train_error_01 == 0 and trained.weight_norm > 0


@pytest.mark.parametrize("loss", ["hinge", "max_margin"])
def test_dual_descent_reaches_the_optimum(loss):
    """Optimality conditions of the margin: multipliers, margins and weights fit together."""
    from replicon.inference.generalized_linear.kernels import dual_descent

    draw = GeneralizedLinear(loss="max_margin").sample(60, 1)
    cap, penalty = (1.0, 0.5) if loss == "hinge" else (np.inf, 1.0)
    multipliers, weights, sweeps = dual_descent(draw.features, draw.labels, penalty, cap, 1e-9, 100_000)
    margins = draw.labels * (draw.features @ weights)
    assert sweeps > 0
    np.testing.assert_allclose(weights, (multipliers * draw.labels) @ draw.features / penalty, atol=1e-9)
    assert (margins[multipliers == 0] > 1 - 1e-6).all()
    assert (margins[multipliers == cap] < 1 + 1e-6).all()
    np.testing.assert_allclose(margins[(multipliers > 0) & (multipliers < cap)], 1, atol=1e-6)


def test_bayes_is_the_best_student():
    """No estimator has a larger overlap per norm than the posterior mean, on any load."""
    load = np.array([0.5, 2.0, 8.0])
    best = GeneralizedLinear(load=load, loss="bayes").theory().test_error_01
    for loss in ("square", "hinge", "logistic", "max_margin"):
        assert (GeneralizedLinear(load=load, loss=loss, penalty_level=0.5).theory().test_error_01 > best).all()


def test_labels_of_the_user():
    model = GeneralizedLinear()
    draw = model.sample(30, 0)
    zero_one = model.instance(draw.features, (draw.labels > 0).astype(int), draw.teacher_weights)
    assert np.array_equal(zero_one.labels, draw.labels)
    bad = draw.labels.copy()
    bad[0] = 2
    for features, labels, weights, words in (
        (draw.features, bad, draw.teacher_weights, "labels must be -1/\\+1 or 0/1, found the values -1, 1, 2"),
        (draw.features, draw.labels[:-1], draw.teacher_weights, "90 samples"),
        (draw.features[0], draw.labels, draw.teacher_weights, "shape"),
        (np.where(draw.features > 0.3, np.nan, draw.features), draw.labels, draw.teacher_weights, "nan"),
        (draw.features, draw.labels, draw.teacher_weights[:-1], "teacher_weights"),
    ):
        with pytest.raises(DataError, match=words):
            model.instance(features, labels, weights)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (dict(penalty_level=-0.1), r"penalty_level \(λ\) is -0.1, outside \[0, inf\)"),
        (dict(penalty_level=0.0), "minimum is at infinity"),
        (dict(penalty_level=0.0, loss="hinge"), "max_margin"),
        (dict(load=0.0), "load"),
        (dict(load=math.nan), "nan"),
        (dict(loss="hinge", teacher="linear"), "labels are not ±1"),
        (dict(loss="logit"), "did you mean 'logistic'"),
    ],
)
def test_bad_parameters(values, words):
    with pytest.raises(ParameterError, match=words):
        GeneralizedLinear(**values)


def test_what_the_theory_declines():
    noisy = GeneralizedLinear(loss="max_margin", load=3.0, teacher="logistic").theory()
    assert noisy.declined and "not separable" in noisy.note
    pole = GeneralizedLinear(loss="square", load=1.0, penalty_level=0.0).theory()
    assert pole.declined and "diverges" in pole.note
