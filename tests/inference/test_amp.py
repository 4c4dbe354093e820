"""Message passing: its state evolution, its simulation, and the two side by side."""

import numpy as np
import pytest

from replicon.core.compare import compare
from replicon.core.errors import DataError, ParameterError
from replicon.core.realization import realize
from replicon.inference.amp import simulation, theory
from replicon.inference.amp.model import MessagePassing
from replicon.inference.amp.vector import VectorMessagePassing
from replicon.testing import check_system


@pytest.mark.parametrize(
    "system",
    [
        MessagePassing(iterations=3),
        MessagePassing(iterations=3, denoiser="lasso", signal="laplace"),
        VectorMessagePassing(iterations=3),
    ],
    ids=["bayes", "lasso", "vector"],
)
def test_the_contract_is_kept(system):
    check_system(system, workers=1)


def test_bayes_iterates_are_the_published_ones():
    values, status = theory.state_evolution(0.6, 0.01, "bernoulli_gauss", 1.0, 0.2, iterations=30)
    np.testing.assert_allclose(
        values["estimation_error"][[1, 2, 5, 10, 30]], [0.0975, 0.0595, 0.0236, 0.0147, 0.0139], atol=5.1e-5
    )
    assert status == 0


def test_gaussian_prior_iterates_have_a_closed_form():
    values, _ = theory.state_evolution(0.8, 0.3, "gaussian", 2.0, iterations=6)
    error = 2.0
    for t in range(7):
        noise = (0.3 + error) / 0.8
        assert values["estimation_error"][t] == pytest.approx(error, rel=1e-10)
        assert values["effective_noise"][t] == pytest.approx(noise, rel=1e-10)
        error = 2.0 * noise / (2.0 + noise)


def test_gamp_and_message_passing_of_the_lasso_are_one_iteration():
    one, _ = theory.state_evolution(0.7, 0.05, "bernoulli_gauss", 1.0, 0.15, "lasso", 0.15, 12)
    two, _ = theory.gamp_state_evolution(
        0.7, "square", "lasso", "gaussian", "bernoulli_gauss", 0.05, 1.0, 0.15, 1.0, 0.15, 12
    )
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-9)


@pytest.mark.parametrize(
    ("load", "words", "numbers"),
    [
        (1.5, ("absolute", "lasso", "laplace", "laplace"), (1.0, 1.0, 1.0, 1.0, 1.0)),
        (2.0, ("huber", "none", "laplace", "gaussian"), (2.0, 1.0, 1.0, 1.0, 1.0)),
    ],
)
def test_the_fixed_point_of_gamp_is_the_replica_symmetric_solution(load, words, numbers):
    from replicon.inference.m_estimation.theory import m_estimation

    values, _ = theory.gamp_state_evolution(load, *words, *numbers, iterations=150)
    noise, signal_variance, sparsity, scale, level = numbers
    expected, _ = m_estimation(load, *words, noise, signal_variance, sparsity, scale, level)
    for name in ("estimation_error", "effective_noise", "residual_step", "coefficient_step"):
        assert values[name][-1] == pytest.approx(expected[name], rel=1e-6), name


def test_vector_state_evolution_of_a_flat_spectrum_is_solved_by_hand():
    """X X^T = 1 / rank fraction: the linear step sees N directions of one energy."""
    values, _ = theory.vector_state_evolution(np.ones(60), 100, 0.1, "gaussian", 1.0, start_variance=0.7, iterations=3)
    variance = 0.7
    for t in range(4):
        error = variance / (1 + variance)
        assert values["estimation_error"][t] == pytest.approx(error, rel=1e-10)
        g2 = 1 / error - 1 / variance
        eta2 = 1 / (0.4 / g2 + 0.6 / (1 / 0.1 + g2))
        variance = 1 / (eta2 - g2)


def test_the_geometric_spectrum_is_normalised_and_matches_the_drawn_one():
    values, weights = theory.geometric_spectrum(0.6, 50.0)
    drawn = simulation.draw_rotationally_invariant(300, 500, 50.0, np.random.default_rng(0)).values
    assert weights.sum() == pytest.approx(0.6)
    assert (weights * values**2).sum() == pytest.approx(0.6)
    assert drawn @ drawn == pytest.approx(300)
    for power in (-1, 1, 4):
        assert (weights * values**power).sum() == pytest.approx((drawn**power).sum() / 500, rel=1e-3)


@pytest.mark.parametrize(
    "system",
    [
        MessagePassing(iterations=8),
        MessagePassing(iterations=8, denoiser="lasso", load=0.7, noise_variance=0.05, sparsity=0.15),
        MessagePassing(iterations=6, denoiser="bayes", load=1.5, noise_variance=0.5, signal="laplace"),
        VectorMessagePassing(iterations=6, condition_number=10.0),
        VectorMessagePassing(iterations=6, condition_number=100.0, load=1.3),
    ],
    ids=["bayes", "lasso", "laplace", "vector", "vector tall"],
)
def test_theory_and_simulation_agree(system):
    result = compare(system, [150, 300, 600], 24, seed=2)
    assert result.verdict == "agree", str(result)


@pytest.mark.parametrize(
    "system",
    [
        MessagePassing(iterations=8, load=0.4, noise_variance=0.2),
        MessagePassing(iterations=8, denoiser="lasso", load=0.4, noise_variance=0.2, penalty_level=0.5),
        VectorMessagePassing(iterations=6, load=0.4, noise_variance=0.2),
    ],
    ids=["bayes", "lasso", "vector"],
)
def test_the_theory_of_a_draw_takes_what_the_draw_realises(system):
    """With few samples most of the variance between draws is that of the fraction and size of the non-zeros."""
    draws = [system.sample(300, seed) for seed in range(16)]
    measured = np.array([system.simulate(draw).estimation_error for draw in draws])
    predicted = np.array([system.theory(instance=draw).estimation_error for draw in draws])
    residual = measured - predicted
    assert residual[:, -1].var() < 0.5 * measured[:, -1].var()
    assert np.all(np.abs(residual.mean(axis=0)) < 4 * residual.std(axis=0, ddof=1) / 4 + 1e-12)
    assert system.theory(instance=draws[0]).kind == "instance"


def test_without_the_onsager_term_the_curves_disagree(monkeypatch):
    """The agreement above means something: plain iterative thresholding is far from state evolution."""
    from replicon.inference.algorithms import amp

    class Forgetful(np.ndarray):
        """Slopes whose product with the spread vanishes: the Onsager term."""

        def __rmul__(self, other):
            return np.zeros(self.shape)

    system = MessagePassing(iterations=8)
    before = amp.message_passing

    def forgetful(X, y, output, denoise, **options):
        def without(deviation, spread):
            slope, curvature = output(deviation, spread)
            return slope.view(Forgetful), curvature

        return before(X, y, without, denoise, **options)

    monkeypatch.setattr("replicon.inference.algorithms.posterior.message_passing", forgetful)
    draws = realize(system, 600, range(8), seed=2)
    errors = draws.values["final_error"]
    assert abs(errors.mean() - system.theory().final_error) > 10 * errors.std(ddof=1) / np.sqrt(8)


def test_from_zero_the_first_iterates_of_vamp_are_not_those_of_state_evolution():
    """Only the oracle's start is covered by the theory; from r1 = 0 the first channel is no Gaussian one."""
    system = VectorMessagePassing(iterations=2, start_variance=0.2)
    instance = system.sample(800, 3)
    curves = simulation.vector_message_passing_curves(
        simulation.Factors(instance.left, instance.values, instance.right),
        instance.y,
        instance.signal,
        np.zeros(800),
        0.2,
        0.01,
        "bernoulli_gauss",
        1.0,
        0.2,
        2,
    )
    predicted = system.theory().estimation_error
    assert curves["estimation_error"][0] > 1.5 * predicted[0]


def test_bad_input_is_refused():
    with pytest.raises(ParameterError, match="sparsity"):
        MessagePassing(sparsity=0.0)
    with pytest.raises(ParameterError, match="noise_variance"):
        MessagePassing(noise_variance=-0.1)
    with pytest.raises(ParameterError, match="condition_number"):
        VectorMessagePassing(condition_number=0.5)
    with pytest.raises(ParameterError, match="condition_number"):
        simulation.draw_rotationally_invariant(5, 5, 0.5, np.random.default_rng(0))
    with pytest.raises(DataError, match="no sample"):
        MessagePassing(load=0.01).sample(10, 0)
    with pytest.raises(ParameterError, match="denoiser"):
        theory.state_evolution(0.6, 0.1, denoiser="soft")
    with pytest.raises(ParameterError, match="loss"):
        theory.gamp_state_evolution(0.6, "cubic")
