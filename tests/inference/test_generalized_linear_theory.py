"""State evolution of generalised linear estimation: closed forms, limits, independent quadratures, derivatives."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from replicon.inference.generalized_linear import bayes_optimal, binary_branch, binary_thresholds, estimate, max_margin
from replicon.inference.generalized_linear.theory import HARD


def points(axis, places, **fixed):
    """`estimate` over one argument, point by point: the compiled point serves many tests, a grid is compiled anew."""
    found = [estimate(**fixed, **{axis: place}) for place in places]
    assert all(status == 0 for _, status in found)
    return {name: np.array([values[name] for values, _ in found]) for name in found[0].values}


NODES = np.linspace(-9, 9, 6001)
MEASURE = stats.norm.pdf(NODES) * (NODES[1] - NODES[0])


def reference_residuals(values, load, penalty, prox, nodes=NODES, measure=MEASURE):
    """The equations of the sign teacher as they are printed: sum over labels, trapezoid, V_hat by parts."""
    m, q, v = values["teacher_overlap"], values["weight_norm"], values["response"]
    omega, mean, variance = np.sqrt(q) * nodes, m / np.sqrt(q) * nodes, 1 - m * m / q
    overlap_hat = norm_hat = response_hat = 0.0
    for y in (-1, 1):
        probability = stats.norm.cdf(y * mean / np.sqrt(variance))
        slope = y * stats.norm.pdf(mean / np.sqrt(variance)) / np.sqrt(variance)
        g = (y * prox(y * omega, v) - omega) / v
        overlap_hat += load * np.sum(measure * slope * g)
        norm_hat += load * np.sum(measure * probability * g**2)
        by_parts = nodes * probability * g - m / np.sqrt(q) * slope * g
        response_hat -= load / np.sqrt(q) * np.sum(measure * by_parts)
    new = 1 / (penalty + response_hat)
    return np.array([overlap_hat * new / m, (overlap_hat**2 + norm_hat) * new**2 / q, new / v]) - 1


def logistic_prox(a, v):
    low, high = a, a + v
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = middle - a - v / (1 + np.exp(middle)) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)


def hinge_prox(a, v):
    return np.where(a > 1, a, np.where(a < 1 - v, a + v, 1.0))


@pytest.mark.parametrize(
    ("loss", "prox"), [("hinge", hinge_prox), ("logistic", logistic_prox), ("square", lambda a, v: (a + v) / (1 + v))]
)
@pytest.mark.parametrize(("load", "penalty"), [(3.0, 0.5), (0.7, 0.05), (20.0, 2.0)])
def test_equations_as_printed(loss, prox, load, penalty):
    values, status = estimate(load, penalty, loss)
    assert status == 0
    # The trapezoid has an error of the order of its step squared at the corners of the hinge.
    accuracy = 2e-5 if loss == "hinge" else 1e-9
    np.testing.assert_allclose(reference_residuals(values, load, penalty, prox), 0, atol=accuracy)


def test_fields_a_thousand_times_wider_than_the_turns_of_the_logistic_loss():
    """Quadrature that cannot see where the proximal operator turns is off by 1e-6 here; so is a grid of 6001 points."""
    values, status = estimate(100.0, 1e-5, "logistic")
    assert status == 0 and values["weight_norm"] > 3e4
    nodes = np.linspace(-9, 9, 200_001)
    measure = stats.norm.pdf(nodes) * (nodes[1] - nodes[0])
    residuals = reference_residuals(values, 100.0, 1e-5, logistic_prox, nodes, measure)
    np.testing.assert_allclose(residuals, 0, atol=1e-9)


NOISES = {"probit": [(0.0, 0.0), (0.0, 0.4), (0.5, 0.0), (20.0, 0.1)], "logistic": [(0.0, 0.0), (0.0, 0.2)]}


@pytest.mark.parametrize(("loss", "teacher"), [("hinge", "probit"), ("logistic", "probit"), ("logistic", "logistic")])
def test_converges_on_the_whole_plane(loss, teacher):
    load, penalty = np.meshgrid(np.geomspace(0.05, 100, 8), np.geomspace(1e-5, 1e3, 8))
    for noise, flip in NOISES[teacher]:
        values, status = estimate(load, penalty, loss, teacher, noise, flip)
        assert (status == 0).all() and values["residual"].max() < 1e-10
        assert (values["teacher_overlap"] ** 2 < values["weight_norm"]).all()
        # A larger penalty makes a smaller student, up to the plateau where the hinge has reached the largest margin.
        assert (np.diff(values["weight_norm"], axis=0) < 1e-9).all()


def test_noise_without_strength_is_no_noise():
    """A probit teacher without noise is the sign teacher; one with half of all labels turned round teaches nothing."""
    for loss in ("hinge", "square"):
        values = estimate(2.0, 0.5, loss, "probit", np.array([0.0, 1e-9])).values
        clean = points("flip_probability", (0.0, 0.4999), load=2.0, penalty_level=0.5, loss=loss)
        np.testing.assert_allclose(values["teacher_overlap"], clean["teacher_overlap"][0], rtol=1e-6)
        assert clean["teacher_overlap"][1] < 1e-3
        assert clean["test_error_01"][1] == pytest.approx(0.5, abs=1e-4)


def test_flips_and_noise_by_adaptive_quadrature():
    """Bayes-optimal overlap of a probit teacher with flips: the equation as it is printed, summed over labels."""
    load, noise, flip = 2.0, 0.5, 0.1
    q = estimate(load, 0.0, "bayes", "probit", noise, flip).values["teacher_overlap"]
    width = np.sqrt(1 - q + noise)

    def integrand(xi, y):
        t = y * np.sqrt(q) * xi / width
        slope = (1 - 2 * flip) * stats.norm.pdf(t) / width
        return stats.norm.pdf(xi) * slope**2 / (flip + (1 - 2 * flip) * stats.norm.cdf(t))

    field = load * sum(integrate.quad(integrand, -12, 12, args=(y,), limit=200)[0] for y in (-1, 1))
    assert q == pytest.approx(field / (1 + field), rel=1e-9)


def test_bayes_of_noisy_fields_is_ridge_with_the_noise_as_penalty():
    for load in (0.5, 1.0, 2.0):
        best = estimate(load, 0.0, "bayes", "linear", 0.3).values
        ridge = estimate(load, 0.3, "square", "linear", 0.3).values
        for name in ("teacher_overlap", "weight_norm", "test_error_01", "train_error_01"):
            assert best[name] == pytest.approx(ridge[name], rel=1e-10)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_small_penalty_tends_to_the_largest_margin(loss):
    exact = max_margin(3.0).values
    values = points("penalty_level", (1e-6, 1e-9, 1e-12), load=3.0, loss=loss)
    cosine = values["teacher_overlap"] / np.sqrt(values["weight_norm"])
    distance = np.abs(cosine - exact["teacher_overlap"] / np.sqrt(exact["weight_norm"]))
    # The logistic student grows like log(1 / lambda): the direction comes close as slowly.
    assert distance[-1] < (1e-9 if loss == "hinge" else 0.01)
    assert (np.diff(distance) < 1e-10).all()
    if loss == "hinge":
        assert values["weight_norm"][-1] == pytest.approx(exact["weight_norm"], rel=1e-8)


def test_max_margin_minimises_its_function():
    """Brute force over the angle, with the density of the aligned field written out."""

    def margin_at(cosine, load):
        sine = np.sqrt(1 - cosine**2)
        density = 2 * stats.norm.pdf(NODES) * stats.norm.cdf(cosine * NODES / sine)

        def excess(k):
            return np.sqrt(load * np.trapezoid(density * np.maximum(k - NODES, 0) ** 2, NODES)) - sine

        return optimize.brentq(excess, -3, 3)

    for load in (0.8, 3.0):
        best = optimize.minimize_scalar(lambda c, load=load: -margin_at(c, load), bounds=(0.1, 0.999), method="bounded")
        values = max_margin(load).values
        assert values["margin"] == pytest.approx(-best.fun, abs=1e-6)
        assert values["teacher_overlap"] * values["margin"] == pytest.approx(best.x, abs=1e-4)


def test_square_loss_has_ridge_regression_as_its_linear_teacher():
    from replicon.inference import ridge_risk

    for load, penalty in ((3.0, 0.5), (0.5, 0.0), (0.5, 0.2), (2.0, 0.0)):
        values = estimate(load, penalty, "square", "linear").values
        d = 50
        # x ~ N(0, I/d) and |w|^2 = d: eigenvalues 1/d, coefficients 1.
        risk = ridge_risk(np.full(d, 1 / d), 1.0, 0.0, 1 / load, penalty).values
        error = 1 + values["weight_norm"] - 2 * values["teacher_overlap"]
        assert error == pytest.approx(risk["excess_risk"], rel=1e-12, abs=1e-14)
        assert 2 * values["train_loss"] == pytest.approx(risk["train_error"], rel=1e-12, abs=1e-14)


def test_square_loss_peaks_at_interpolation_and_the_penalty_removes_the_peak():
    load = np.linspace(0.5, 2.0, 31)
    bare = estimate(load, 1e-6, "square").values["test_error_01"]
    tuned = estimate(load, np.pi / 2 - 1, "square").values["test_error_01"]
    assert np.argmax(bare) == np.argmin(np.abs(load - 1))
    assert (np.diff(tuned) < 0).all()


def test_square_loss_is_tuned_by_pi_half_minus_one():
    """The label is sqrt(2/pi) z plus noise of variance 1 - 2/pi: the best penalty is their ratio, for every load."""
    for load in (0.5, 3.0):
        best = optimize.minimize_scalar(
            lambda p, load=load: estimate(load, p, "square").values["test_error_01"], bounds=(0.1, 2), method="bounded"
        )
        assert best.x == pytest.approx(np.pi / 2 - 1, abs=1e-4)


def test_bayes_equation_by_adaptive_quadrature():
    load = 3.0
    q = bayes_optimal(load).values["teacher_overlap"]
    t = np.sqrt(q / (1 - q))
    average, _ = integrate.quad(
        lambda x: stats.norm.pdf(x) * np.exp(-((t * x) ** 2) - stats.norm.logcdf(t * x)) / (2 * np.pi),
        -12,
        12,
        limit=200,
    )
    field = 2 * load / (1 - q) * average
    assert q == pytest.approx(field / (1 + field), rel=1e-9)


def test_bayes_asymptote_and_weak_limit():
    load = np.array([1e3, 1e5])
    np.testing.assert_allclose(load * bayes_optimal(load).values["test_error_01"], 0.4417, atol=1e-4)
    # At small load q = 2 load / pi: the label's correlation with its field, squared.
    assert bayes_optimal(1e-6).values["teacher_overlap"] == pytest.approx(2e-6 / np.pi, rel=1e-5)
    assert bayes_optimal(1e-6, "logistic").values["teacher_overlap"] < 2e-6 / np.pi


def test_binary_weights():
    values, status = binary_thresholds()
    assert status == 0
    assert values["information"] == pytest.approx(1.2447, abs=5e-5)
    assert values["algorithm"] == pytest.approx(1.4927, abs=7e-5)
    # Message passing stays on the branch below the algorithmic load, and knows everything beyond.
    reached, status = bayes_optimal(np.array([1.2, 1.3, 1.49, 1.495]), "sign", "binary")
    assert status.tolist() == [0, HARD, HARD, 0]
    assert reached["teacher_overlap"][2] < 0.9 and reached["test_error_01"][3] == 0
    # Along the branch the free entropy falls with the load, at the rate of the information per sample.
    field = np.array([1.0, 1.0 + 1e-5])
    branch = binary_branch(field).values
    q = branch["teacher_overlap"][0]
    t = np.sqrt(q / (1 - q))
    information, _ = integrate.quad(
        lambda x: 2 * stats.norm.pdf(x) * stats.norm.cdf(t * x) * stats.norm.logcdf(t * x), -12, 12, limit=200
    )
    rate = np.diff(branch["free_entropy"])[0] / np.diff(branch["load"])[0]
    assert rate == pytest.approx(information, rel=1e-4)


def test_training_error_by_adaptive_quadrature():
    values = estimate(3.0, 1.0, "logistic").values
    m, q, v = values["teacher_overlap"], values["weight_norm"], values["response"]
    ratio = m / np.sqrt(q) / np.sqrt(1 - m * m / q)
    expected, _ = integrate.quad(
        lambda x: 2 * stats.norm.pdf(x) * stats.norm.cdf(ratio * x), -12, -v / 2 / np.sqrt(q), epsabs=1e-13
    )
    assert values["train_error_01"] == pytest.approx(expected, rel=1e-9)
