"""Signal to noise, parallel dynamics, projection rule and Gardner's capacity, against sampling and other formulas."""

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.special import erf, erfc
from scipy.stats import norm

from replicon.memory.hopfield.theory import (
    NO_SUCH_STATE,
    OUT_OF_RANGE,
    REPLICA_SYMMETRY_UNSTABLE,
    all_stable_patterns,
    amari_maginu,
    exact_stability_probability,
    gardner_capacity,
    gardner_margin,
    one_step_error,
    one_step_overlap,
    projection_capacity,
    projection_field,
    projection_one_step,
    stability_distribution,
    stable_patterns,
)


def test_one_step_error():
    load = np.array([0.1, 0.2])
    np.testing.assert_allclose(one_step_error(load).values, [7.827e-4, 0.012674], rtol=1e-4)
    np.testing.assert_allclose(one_step_error(load, self_coupling=True).values, [2.521e-4, 3.645e-3], rtol=1e-3)
    assert one_step_error(0.138).values == pytest.approx(0.00355, abs=5e-6)
    assert one_step_error(np.array([0.0, 0.1]), overlap=np.array([1.0, 1.1])).status.tolist() == [OUT_OF_RANGE] * 2


def one_parallel_step(couplings, patterns, overlap, rng):
    """Measured overlaps after one parallel update from random starts at the given overlap, one per pattern."""
    count, size = patterns.shape
    wrong = np.argsort(rng.random((count, size)), axis=1) < round(size * (1 - overlap) / 2)
    start = np.where(wrong, -patterns, patterns)
    return np.mean(patterns * np.sign(start @ couplings), axis=1)


@pytest.mark.parametrize("self_coupling", [False, True])
@pytest.mark.parametrize("rule", ["hebb", "projection"])
def test_one_step_from_a_damaged_pattern_against_sampled_networks(rule, self_coupling):
    size, load, overlap = 1200, 0.2, 0.4
    rng = np.random.default_rng(11)
    measured = []
    for _ in range(3):
        patterns = rng.choice([-1.0, 1.0], size=(round(load * size), size))
        if rule == "hebb":
            couplings = patterns.T @ patterns / size
        else:
            couplings = patterns.T @ np.linalg.solve(patterns @ patterns.T, patterns)
        if not self_coupling:
            np.fill_diagonal(couplings, 0)
        measured.append(np.mean(one_parallel_step(couplings, patterns, overlap, rng)))
    if rule == "hebb":
        predicted = 1 - 2 * one_step_error(load, self_coupling, overlap).values
    else:
        predicted = projection_one_step(overlap, load, self_coupling).values
    # Sites are nearly independent: a mean over n of them has the standard error of a sign.
    error = np.sqrt((1 - predicted**2) / (3 * size * round(load * size)))
    # Finite size shifts the mean by O(1/N); P patterns share one network, which widens the error by a few.
    assert abs(np.mean(measured) - predicted) < 4 * max(error, np.std(measured, ddof=1) / np.sqrt(3)) + 2 / size


def test_one_step_forms_agree():
    overlap = np.array([0.0, 0.3, 1.0])
    np.testing.assert_allclose(
        one_step_overlap(overlap, 0.1).values, 1 - 2 * one_step_error(0.1, overlap=overlap).values, atol=1e-15
    )
    assert one_step_overlap(0.5, 0.1).values == pytest.approx(erf(0.5 / np.sqrt(0.2)))


def test_exact_fixed_points_against_sampled_networks():
    size, patterns = 400, 32
    rng = np.random.default_rng(5)
    stable = []
    for _ in range(150):
        xi = rng.choice([-1.0, 1.0], size=(patterns, size))
        field = (xi @ xi.T) @ xi / size - patterns / size * xi
        stable.append(np.mean((field * xi > -1e-9).all(axis=1)))
    predicted = exact_stability_probability(size, patterns).values
    error = np.std(stable, ddof=1) / np.sqrt(len(stable))
    assert abs(np.mean(stable) - predicted) < 4 * error
    assert exact_stability_probability(size, 1).values == 1
    assert exact_stability_probability(2000, 131).values == pytest.approx(0.916, abs=5e-4)


def test_counts_of_stable_patterns():
    size = 10**6
    assert stable_patterns(size).values == pytest.approx(size / (2 * np.log(size)))
    assert all_stable_patterns(size).values == pytest.approx(stable_patterns(size).values / 2)
    # Leading order: at these counts the expected number of violations is of order one, not of order N.
    for count, sites in ((stable_patterns(size).values, size), (all_stable_patterns(size).values, size)):
        load = count / size
        expected = sites * 0.5 * erfc(1 / np.sqrt(2 * load)) * (count if count < size / 50 else 1)
        assert expected < 1
    assert stable_patterns(1).status == OUT_OF_RANGE


def test_amari_maginu_digits_and_limits():
    values, status = amari_maginu(0.5, 0.1, steps=3)
    assert status == 0
    np.testing.assert_allclose(values["overlap"], [0.5, 0.886, 0.943, 0.980], atol=5e-4)
    assert values["overlap"][1] == pytest.approx(one_step_overlap(0.5, 0.1).values, rel=1e-14)
    lost = amari_maginu(np.array([0.5, 0.2]), np.array([0.1, 0.2]), steps=40).values["overlap"]
    assert lost.shape == (2, 41)
    assert lost[0, -1] > 0.99
    assert lost[1, -1] < 0.3
    assert amari_maginu(1.5, 0.1).status == OUT_OF_RANGE


def test_projection_rule():
    assert projection_one_step(1.0, 0.9).values == 1
    overlap, load = 0.3, 0.3
    expected = erf(overlap * np.sqrt((1 - load) / (2 * load * (1 - overlap**2))))
    assert projection_one_step(overlap, load).values == pytest.approx(expected, rel=1e-14)
    assert projection_field(0.4).values == pytest.approx({"at_pattern": 0.6, "at_flip": 0.6})
    assert projection_field(0.4, self_coupling=True).values == pytest.approx({"at_pattern": 1.0, "at_flip": 0.2})
    assert (projection_capacity(), projection_capacity(self_coupling=True)) == (1.0, 0.5)
    # With self-coupling a nearly perfect pattern improves below a load of 1/2 and is frozen above.
    nearly = 1 - 1e-4
    after = projection_one_step(nearly, np.array([0.45, 0.55]), self_coupling=True).values
    assert after[0] > nearly
    assert after[1] == pytest.approx(nearly, abs=1e-12)
    assert projection_one_step(0.5, 1.0).status == OUT_OF_RANGE


def test_projection_fields_of_a_sampled_network():
    size, count = 300, 120
    rng = np.random.default_rng(2)
    xi = rng.choice([-1.0, 1.0], size=(count, size))
    couplings = xi.T @ np.linalg.solve(xi @ xi.T, xi)
    flipped = xi[0].copy()
    flipped[7] *= -1
    at_flip = xi[0, 7] * (couplings @ flipped)[7]
    # J_ii fluctuates around the load by about sqrt(2 load (1 - load) / N).
    assert at_flip == pytest.approx(projection_field(0.4, True).values["at_flip"], abs=8 * np.sqrt(0.48 / size))
    assert xi[0, 7] * (couplings @ xi[0])[7] == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("margin", [-1.0, 0.0, 0.5, 2.0])
def test_gardner_capacity_by_its_integral(margin):
    inverse, _ = integrate.quad(lambda t: norm.pdf(t) * (t + margin) ** 2, -margin, 12)
    values, status = gardner_capacity(margin)
    assert values == pytest.approx(1 / inverse, rel=1e-9)
    assert status == (REPLICA_SYMMETRY_UNSTABLE if margin < 0 else 0)


@pytest.mark.parametrize(("margin", "bias"), [(0.0, 0.4), (1.0, 0.9), (0.3, -0.7)])
def test_gardner_capacity_of_biased_patterns_is_the_best_over_the_ferromagnetic_part(margin, bias):
    def inverse(v):
        total = 0.0
        for sign in (1, -1):
            shift = (margin - sign * bias * v) / np.sqrt(1 - bias**2)
            ramp, _ = integrate.quad(lambda t, k=shift: norm.pdf(t) * (t + k) ** 2, -shift, max(-shift, 0) + 12)
            total += 0.5 * (1 + sign * bias) * ramp
        return total

    best = optimize.minimize_scalar(inverse, bracket=(-1, 1), tol=1e-10).fun
    assert gardner_capacity(margin, bias).values == pytest.approx(1 / best, rel=1e-8)


def test_gardner_capacity_diverges_for_sparse_patterns():
    assert gardner_capacity().values == pytest.approx(2, rel=1e-14)
    sparse = np.array([1e-4, 1e-8, 1e-12])
    ratio = gardner_capacity(0.0, 1 - sparse).values * -sparse * np.log(sparse)
    assert (ratio > 1).all()
    # The correction to -1/((1-a) ln(1-a)) is of order ln ln / ln.
    assert (np.diff(ratio) < 0).all()
    assert ratio[-1] < 1.25
    assert gardner_capacity(0.0, 1.0).status == OUT_OF_RANGE


def test_largest_margin_inverts_the_capacity():
    load = np.array([0.05, 0.5, 1.0, 2.0, 2.1, -1.0])
    margin, status = gardner_margin(load)
    assert status.tolist() == [0, 0, 0, 0, NO_SUCH_STATE, OUT_OF_RANGE]
    np.testing.assert_allclose(gardner_capacity(np.abs(margin[:4])).values, load[:4], rtol=1e-12)


@pytest.mark.parametrize("margin", [0.0, 0.8])
def test_stability_distribution_is_normalised_and_has_the_weight_of_a_cut_gaussian(margin):
    stability = np.linspace(margin, margin + 10, 20001)
    values, status = stability_distribution(stability, margin)
    assert not status.any()
    mass = integrate.simpson(values["density"], x=stability) + values["weight_at_margin"][0]
    assert mass == pytest.approx(1, abs=1e-9)
    assert values["weight_at_margin"][0] == pytest.approx(norm.cdf(margin))
    assert stability_distribution(margin - 0.1, margin).values["density"] == 0
