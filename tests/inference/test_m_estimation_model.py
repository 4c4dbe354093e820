"""M-estimation as a system: it conforms, its simulation agrees with its theory, and bad input is refused."""

import numpy as np
import pytest

import replicon as rp
from replicon.core.errors import DataError, ParameterError
from replicon.inference import conversions
from replicon.inference.m_estimation.claims import LASSO, OPTIMAL, PLAIN, claims, error, extrapolated
from replicon.inference.m_estimation.model import MEstimation
from replicon.inference.m_estimation.theory import NonConvexLossError
from replicon.testing import check_system


def test_conforms():
    check_system(MEstimation(), workers=1)


@pytest.mark.parametrize(
    "words",
    [{"load": 1.5, **OPTIMAL}, {"load": 2.0, "loss": "optimal", **PLAIN}],
    ids=["optimal", "unregularised"],
)
def test_fits_agree_with_the_theory(words):
    result = rp.compare(MEstimation(**words), sizes=[100, 200, 400], realizations=12, seed=4)
    assert result.verdict == "agree", str(result)


def test_the_error_as_features_grow_is_that_of_the_theory():
    """Weighted fit of a + b/P at P = 200, 400 and 800; the claims make it with more draws, and for other estimators."""
    found = extrapolated(0.7, LASSO, {200: 16, 400: 8, 800: 4})
    assert abs(found.mean - error(0.7, **LASSO)) < 3 * found.standard_error < 0.3 * found.mean


def test_the_theory_of_a_draw_takes_what_the_draw_realises():
    """Ridge with few samples: most of the spread between draws is that of the signal's size."""
    model = MEstimation(load=0.3, loss="square", penalty="ridge", noise="gaussian", signal="gaussian")
    draws = [model.sample(200, seed) for seed in range(16)]
    ends = np.array([model.simulate(draw).estimation_error for draw in draws])
    residual = ends - [model.theory(instance=draw).estimation_error for draw in draws]
    assert residual.std() < 0.6 * ends.std()
    assert abs(residual.mean()) < 4 * residual.std(ddof=1) / 4


def test_numbers_come_out_except_the_one_that_does_not():
    for claim in claims["MEstimation"]:
        if claim.compute is not None:
            holds = abs(float(claim.compute()) - claim.published) <= claim.tolerance
            assert holds == claim.reproduces, claim.name
    names = [(claim.topic, claim.name) for claim in claims["MEstimation"]]
    assert len(set(names)) == len(names) and all(topic for topic, _ in names)


def test_a_draw_of_the_users_own():
    model = MEstimation(loss="square", penalty="ridge")
    drawn = model.sample(60, 1)
    own = model.instance(drawn.design, drawn.response, drawn.signal)
    assert model.simulate(own).estimation_error == model.simulate(drawn).estimation_error
    assert model.theory(instance=own).estimation_error == model.theory(instance=drawn).estimation_error
    bad = drawn.design.copy()
    bad[0, 0] = np.nan
    with pytest.raises(DataError, match="finite"):
        model.instance(bad, drawn.response, drawn.signal)
    with pytest.raises(DataError, match="shapes"):
        model.instance(drawn.design, drawn.response[1:], drawn.signal)


def test_what_is_no_estimator_is_refused():
    with pytest.raises(ParameterError, match="optimal"):
        MEstimation(loss="optimal", penalty="lasso")
    with pytest.raises(ParameterError, match="noise_variance"):
        MEstimation(noise_variance=-1.0)
    model = MEstimation(loss="absolute", penalty="none", load=0.8)
    assert model.theory().declined and "load > 1" in model.theory().note
    with pytest.raises(ParameterError, match="load > 1"):
        model.simulate(model.sample(40, 0))
    student = MEstimation(loss="optimal", penalty="optimal", noise="student", signal="laplace")
    assert student.theory().declined
    with pytest.raises(NonConvexLossError):
        student.simulate(student.sample(40, 0))
    with pytest.raises(DataError, match="no sample"):
        MEstimation(load=0.001).sample(10, 0)


def test_conversions_are_inverse_to_each_other():
    there = conversions.to_el_karoui(2.5, 0.49, 0.8)
    assert there == pytest.approx((0.4, 0.7, 0.8))
    back = conversions.from_el_karoui(*there)
    assert (back.load, back.estimation_error, back.residual_step) == pytest.approx((2.5, 0.49, 0.8))
    sensing = conversions.to_compressed_sensing(0.4, 0.02, 0.3, 0.1)
    assert sensing == pytest.approx((0.4, 0.05, 0.3, 0.25))
    back = conversions.from_compressed_sensing(*sensing)
    assert (back.load, back.noise_variance, back.effective_noise, back.penalty_level) == pytest.approx(
        (0.4, 0.02, 0.3, 0.1)
    )
    generator = np.random.default_rng(0)
    X, y, s = generator.standard_normal((30, 50)) / np.sqrt(50), generator.standard_normal(30), np.arange(50.0)
    A, outcome = conversions.data_to_compressed_sensing(X, y)
    assert A.var() == pytest.approx(1 / 30, rel=0.1)
    for found, expected in zip(conversions.data_from_compressed_sensing(A, outcome), (X, y), strict=True):
        assert np.allclose(found, expected, rtol=1e-14)
    assert np.allclose(conversions.design_from_sklearn(conversions.design_to_sklearn(X)), X, rtol=1e-14)
    w = conversions.coefficients_to_sklearn(s)
    assert np.allclose(conversions.coefficients_from_sklearn(w), s)
    assert np.allclose(conversions.design_to_sklearn(X) @ w, X @ s), "predictions do not change"
    assert conversions.lasso_level(conversions.lasso_alpha(0.3, 30, 50), 30, 50) == pytest.approx(0.3)
    assert conversions.ridge_level(conversions.ridge_alpha(0.3, 50), 50) == pytest.approx(0.3)
    assert conversions.logistic_inverse(conversions.logistic_inverse(0.3)) == pytest.approx(0.3)
    with pytest.raises(ParameterError, match="load"):
        conversions.to_el_karoui(0.0, 1.0, 1.0)
    with pytest.raises(DataError, match="samples, features"):
        conversions.design_to_sklearn(y)


def test_scikit_learn_minimises_the_same_function():
    """A fit of scikit-learn on its own design, mapped back, is the minimum on ours."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = MEstimation(
        load=1.6, loss="square", penalty="lasso", penalty_level=0.2, noise="gaussian", noise_variance=0.1
    )
    drawn = model.sample(80, 3)
    samples = drawn.design.shape[0]
    Z = conversions.design_to_sklearn(drawn.design)
    lasso = linear_model.Lasso(
        conversions.lasso_alpha(0.2, samples, 80), fit_intercept=False, tol=1e-12, max_iter=10**6
    )
    ridge = linear_model.Ridge(conversions.ridge_alpha(0.2, 80), fit_intercept=False)
    for fitted, penalty in ((lasso, "lasso"), (ridge, "ridge")):
        s = conversions.coefficients_from_sklearn(fitted.fit(Z, drawn.response).coef_)
        measured = MEstimation(**{**model.values(), "penalty": penalty}).simulate(drawn)
        assert np.mean((s - drawn.signal) ** 2) == pytest.approx(measured.estimation_error, rel=1e-6)
