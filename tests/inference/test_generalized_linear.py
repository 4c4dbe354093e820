"""Generalised linear estimation: contract, agreement of theory and simulation, bad input."""

import math

import numpy as np
import pytest

from replicon import DataError, ParameterError, compare
from replicon.inference import GeneralizedLinear
from replicon.inference.generalized_linear.simulation import Labelling, draw_labels
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
    """The whole contract for one loss; for the others what depends on their equations and their fit."""
    chosen = {"measurement", "same_draw_again"}
    # The hinge shares all that is differentiated with the logistic loss.
    chosen |= {"logistic": {"gradient", "grid_equals_points"}, "hinge": set()}.get(name, {"gradient"})
    for rule, check in system_checks(SYSTEMS[name], workers=1, realizations=3):
        if name != "square" and rule not in chosen:
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
        GeneralizedLinear(loss="bayes", teacher="logistic", flip_probability=0.1),
        GeneralizedLinear(loss="max_margin", load=0.8, teacher="logistic", flip_probability=0.1),
        GeneralizedLinear(loss="logistic", teacher="probit", teacher_noise=0.5, flip_probability=0.1),
        GeneralizedLinear(loss="bayes", teacher="probit", teacher_noise=0.5, flip_probability=0.1),
        GeneralizedLinear(loss="bayes", teacher="linear", teacher_noise=0.3, load=1.5),
        GeneralizedLinear(loss="bayes", weights="binary", load=1.0),
        GeneralizedLinear(loss="bayes", weights="binary", load=2.0),
    ],
    ids=lambda system: f"{system.loss}-{system.teacher}-{system.weights}-{system.load}",
)
def test_theory_agrees_with_simulation(system):
    result = compare(system, [100, 200, 400], 12, seed=4)
    assert result.verdict == "agree", str(result)


def test_weights_of_one_sign_or_the_other_are_known_better_than_normal_ones():
    """Which prior the student has counts only for the posterior, and there it counts."""
    binary = GeneralizedLinear(load=1.0, loss="bayes", weights="binary")
    draw = binary.sample(200, 0)
    assert set(np.unique(draw.teacher_weights)) == {-1.0, 1.0}
    normal = GeneralizedLinear(load=1.0, loss="bayes")
    assert binary.theory().teacher_overlap > normal.theory().teacher_overlap + 0.05
    assert binary.simulate(draw).weight_norm > normal.simulate(draw).weight_norm + 0.02


def test_labels_are_noisy_as_often_as_asked():
    stream = np.random.default_rng(0)
    fields = stream.standard_normal(40_000)
    for teacher, wrong in (
        (Labelling("sign", flip=0.2), 0.2),
        (Labelling("probit", noise=1.0), 0.25),
        (Labelling("probit", noise=1.0, flip=0.2), 0.25 + 0.2 * (1 - 2 * 0.25)),
        (Labelling("logistic", flip=0.1), 0.1 + 0.8 * np.mean(1 / (1 + np.exp(np.abs(fields))))),
    ):
        found = np.mean(draw_labels(fields, teacher, stream) != np.sign(fields))
        assert found == pytest.approx(wrong, abs=4 * 0.5 / 200)


def test_theory_of_one_draw_knows_the_norm_of_its_teacher():
    """Across draws the measured overlap follows what is predicted for each of them."""
    model = GeneralizedLinear(teacher="logistic", penalty_level=1.0)
    pairs = []
    for seed in range(16):
        draw = model.sample(60, seed)
        pairs.append((model.theory(instance=draw).teacher_overlap, model.simulate(draw).teacher_overlap))
    predicted, measured = np.transpose(pairs)
    assert np.std(measured - predicted) < 0.9 * np.std(measured)
    assert abs(np.mean(measured - predicted)) < 4 * np.std(measured - predicted) / 4


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
    for load in (0.5, 2.0, 8.0):
        best = GeneralizedLinear(load=load, loss="bayes").theory().test_error_01
        for loss in ("square", "hinge", "logistic", "max_margin"):
            assert GeneralizedLinear(load=load, loss=loss, penalty_level=0.5).theory().test_error_01 > best


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
        (dict(flip_probability=0.5), r"flip_probability \(ε\) is 0.5, outside \[0, 0.5\)"),
        (dict(teacher_noise=-1.0, teacher="probit"), "teacher_noise"),
        (dict(teacher_noise=0.3), "with a sign teacher, who has none"),
        (dict(flip_probability=0.1, loss="square", teacher="linear"), "with a linear teacher, who has none"),
        (dict(weights="binary", loss="bayes", teacher="linear"), "inference.bayes_linear"),
    ],
)
def test_bad_parameters(values, words):
    with pytest.raises(ParameterError, match=words):
        GeneralizedLinear(**values)


def test_what_the_theory_declines():
    noisy = GeneralizedLinear(loss="max_margin", load=3.0, teacher="logistic").theory()
    assert noisy.declined and "not separable" in noisy.note
    hard = [GeneralizedLinear(loss="bayes", weights="binary", load=load).theory() for load in (1.2, 1.3, 1.6)]
    assert [bool(record.status) for record in hard] == [False, True, False]
    pole = GeneralizedLinear(loss="square", load=1.0, penalty_level=0.0).theory()
    assert pole.declined and "diverges" in pole.note
