"""Phase boundaries: published digits, and the property that defines each line checked by other means."""

import jax
import numpy as np
import pytest

from replicon.memory.hopfield.theory import (
    NO_RETRIEVAL_STATE,
    NO_SUCH_STATE,
    OUT_OF_RANGE,
    almeida_thouless_line,
    critical_load,
    critical_overlap,
    equilibrium,
    log_almeida_thouless_line,
    replica_symmetric,
    retrieval_spinodal,
    spin_glass_temperature,
    thermodynamic_load,
    thermodynamic_transition,
    zero_temperature,
)

SPINODAL = {0.001: 0.9378147, 0.01: 0.8010181, 0.05: 0.5422550, 0.1: 0.3154322, 0.13: 0.1489189}
TRANSITION = {0.001: 0.9160990, 0.01: 0.7216240, 0.03: 0.4787929, 0.045: 0.3004351}


@pytest.fixture(scope="module")
def spinodal():
    return retrieval_spinodal(np.array(list(SPINODAL)))


@pytest.fixture(scope="module")
def transition():
    return thermodynamic_transition(np.array([*TRANSITION, 0.0525, 0.0532]))


def test_capacity_at_zero_temperature():
    zero = np.zeros(1)
    assert critical_load(zero).values == pytest.approx(0.1379056, abs=5e-8)
    assert critical_overlap(zero).values == pytest.approx(0.967417, abs=5e-7)
    assert thermodynamic_load(zero).values == pytest.approx(0.0518543, abs=5e-8)


def test_spinodal_and_transition_digits(spinodal, transition):
    assert not spinodal.status.any()
    np.testing.assert_allclose(spinodal.values, list(SPINODAL.values()), rtol=1e-6)
    np.testing.assert_allclose(transition.values[:4], list(TRANSITION.values()), rtol=1e-6)


def test_spinodal_is_a_fold_of_the_two_equations(spinodal):
    """F(m, q) = 0 and det dF = 0 on a plain grid, with the overlap from `critical_overlap`."""
    overlaps, _ = critical_overlap(spinodal.values)
    loads, _ = critical_load(spinodal.values)
    np.testing.assert_allclose(loads, list(SPINODAL), rtol=1e-9)
    edge = replica_symmetric(loads * (1 - 1e-10), spinodal.values, "retrieval").values["edwards_anderson"]
    at_edge = dict(zip(SPINODAL, edge, strict=True))
    z = np.linspace(-9, 9, 20001)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    for load, temperature, m in zip(SPINODAL, spinodal.values, overlaps, strict=True):

        def equations(m, q, load=load, temperature=temperature):
            r = q / (1 - (1 - q) / temperature) ** 2
            t = np.tanh((m + np.sqrt(load * r) * z) / temperature)
            return np.array([np.sum(weight * t) - m, np.sum(weight * t * t) - q])

        q = at_edge[load]
        residual = equations(m, q)
        assert np.abs(residual).max() < 3e-5 * m**2
        step = 1e-5 * m**2
        jacobian = np.stack(
            [
                (equations(m + step, q) - equations(m - step, q)) / (2 * step),
                (equations(m, q + step) - equations(m, q - step)) / (2 * step),
            ],
            axis=1,
        )
        assert abs(np.linalg.det(jacobian)) < 2e-4 * np.abs(jacobian).max() ** 2


def test_small_load_laws(spinodal, transition):
    assert spinodal.values[0] == pytest.approx(1 - 1.95 * np.sqrt(0.001), abs=6e-4)
    assert transition.values[0] == pytest.approx(1 - 2.6 * np.sqrt(0.001), abs=2e-3)
    # The fold of the expansion about T = 1: s^2 = (sqrt(33) - 3)/12, g = 2 (1-T) s / ((1 + 3 s^2) sqrt(1 + s^2)).
    square = (np.sqrt(33) - 3) / 12
    slope = 2 * np.sqrt(square) / ((1 + 3 * square) * np.sqrt(1 + square))
    assert np.sqrt(critical_load(1 - 1e-5).values) == pytest.approx(slope * 1e-5, rel=1e-4)


def test_free_energies_cross_at_the_transition(transition):
    load, temperature = np.array(list(TRANSITION)), transition.values[:4]
    differences = [
        replica_symmetric(load, temperature * factor, "retrieval").values["free_energy"]
        - replica_symmetric(load, temperature * factor, "spin_glass").values["free_energy"]
        for factor in (0.99, 1.0, 1.01)
    ]
    assert (differences[0] < 0).all()
    assert (np.abs(differences[1]) < 1e-13).all()
    assert (differences[2] > 0).all()
    np.testing.assert_allclose(thermodynamic_load(temperature).values, load, rtol=1e-9)


def test_beyond_the_lines_there_is_nothing(transition):
    assert transition.status.tolist() == [0, 0, 0, 0, 0, NO_SUCH_STATE]
    assert np.isnan(transition.values[5])
    values, status = retrieval_spinodal(np.array([0.1378, 0.1382, 0.5, 0.0, np.nan]))
    assert status.tolist() == [0, NO_RETRIEVAL_STATE, NO_RETRIEVAL_STATE, OUT_OF_RANGE, OUT_OF_RANGE]
    assert np.isnan(values[1:]).all()
    assert critical_load(np.array([0.5, 1.0, 2.0, -0.1, np.nan])).status.tolist() == [0, 2, 2, 16, 16]


def test_reentrance_of_the_replica_symmetric_lines():
    """Naef and Canning 1992: the capacity first rises with temperature, to its largest value 0.1382."""
    temperature = np.array([0.0, 0.01, 0.0227, 0.0228735, 0.0230, 0.05])
    capacity, _ = critical_load(temperature)
    assert capacity.argmax() == 3
    assert capacity[3] == pytest.approx(0.1382, abs=5e-5)
    assert capacity[5] < capacity[0]
    load, _ = thermodynamic_load(np.array([0.0, 0.02, 0.0849, 0.085064, 0.0852, 0.2]))
    assert load.argmax() == 3
    between = 0.5 * (capacity[0] + capacity[3])
    upper = retrieval_spinodal(np.full(5, between)).values[0]
    states = replica_symmetric(between, np.array([1e-4, 0.0228, upper * 0.999, upper * 1.001]), "retrieval")
    assert (states.status & NO_RETRIEVAL_STATE).tolist() == [2, 0, 0, 2]
    assert zero_temperature(between).status & NO_RETRIEVAL_STATE


def test_almeida_thouless_line():
    load = np.array([0.01, 0.02, 0.05, 0.1, 0.12, 0.1381])
    temperature, status = almeida_thouless_line(load)
    assert not status.any()
    np.testing.assert_allclose(temperature[3:5], [0.00145, 0.0050], rtol=5e-3)
    solved = replica_symmetric(load[1:], temperature[1:], "retrieval").values["almeida_thouless"]
    np.testing.assert_allclose(solved, 1, rtol=1e-7)
    above = replica_symmetric(load[1:], temperature[1:] * 1.1, "retrieval").values["almeida_thouless"]
    assert (above < 1).all()
    np.testing.assert_allclose(above[0], 1 / 1.1, rtol=1e-6)
    # exp(-1/(2 alpha)) sqrt(8 alpha / 9 pi) is reached only at the smallest loads.
    small = np.array([1e-4, 1e-3, 0.01, 0.02, 0.05, 0.5])
    logarithm, status = log_almeida_thouless_line(small)
    assert status.tolist() == [0, 0, 0, 0, 0, NO_RETRIEVAL_STATE]
    law = 0.5 * np.log(8 * small / (9 * np.pi)) - 1 / (2 * small)
    np.testing.assert_allclose(logarithm[:3], law[:3], atol=1e-9)
    assert abs(logarithm[4] - law[4]) > 1e-3
    np.testing.assert_allclose(np.exp(logarithm[2:5]), temperature[:3], rtol=1e-9)


def test_glass_transition_is_where_the_paramagnet_loses_its_stability():
    temperature, status = spin_glass_temperature(np.array([0.04, 0.25, -1.0]))
    assert status.tolist() == [0, 0, OUT_OF_RANGE]
    np.testing.assert_allclose(temperature[:2], [1.2, 1.5])
    stability = replica_symmetric(np.array([0.04, 0.25]), temperature[:2], "paramagnet").values["almeida_thouless"]
    np.testing.assert_allclose(stability, 1, rtol=1e-13)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (critical_load, [0.001, 0.01, 0.1, 0.3, 0.6, 0.9]),
        (retrieval_spinodal, list(SPINODAL)),
        (almeida_thouless_line, [0.03, 0.05, 0.08, 0.1, 0.12, 0.13]),
    ],
)
def test_lines_are_differentiable(line, at):
    at = np.array(at)
    with jax.enable_x64(True):
        _, slope = jax.jvp(lambda x: line(x).values, (at,), (np.ones_like(at),))
    step = 1e-4 * at
    difference = (line(at + step).values - line(at - step).values) / (2 * step)
    np.testing.assert_allclose(slope, difference, rtol=1e-4)


def test_slope_of_the_transition_is_that_of_clausius_and_clapeyron():
    load = np.array([0.03])
    with jax.enable_x64(True):
        temperature, slope = jax.jvp(lambda a: thermodynamic_transition(a).values, (load,), (np.ones(1),))
    states = [replica_symmetric(load, np.array(temperature), s).values for s in ("retrieval", "spin_glass")]

    def by_load(v):
        # df/d alpha at fixed order parameters; the crosstalk terms cancel.
        slack = 1 - v["susceptibility"]
        return 0.5 + 0.5 * np.array(temperature) * np.log(slack) - 0.5 * v["edwards_anderson"] / slack

    expected = (by_load(states[0]) - by_load(states[1])) / (states[0]["entropy"] - states[1]["entropy"])
    np.testing.assert_allclose(slope, expected, rtol=1e-6)


def test_the_flag_for_zero_temperature_chooses_the_equations():
    load = np.array([0.1, 0.05])
    cold, warm = equilibrium(load, zero_temperature=True), equilibrium(load, 0.3)
    np.testing.assert_array_equal(cold.values["energy"], zero_temperature(load).values["energy"])
    np.testing.assert_array_equal(warm.values["energy"], replica_symmetric(load, 0.3).values["energy"])
    assert equilibrium(0.1, np.zeros(3), zero_temperature=True).status.shape == (3,)
