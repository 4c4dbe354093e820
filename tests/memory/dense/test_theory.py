"""Theory of dense associative memory: known limits, independent quadratures, the Hopfield model at degree 2."""

import itertools
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats

from replicon.core.precision import in_float64
from replicon.memory.dense import theory
from replicon.memory.dense.theory import interaction as noise
from replicon.memory.dense.theory.one_step import noise_variance
from replicon.memory.hopfield import theory as hopfield


@pytest.mark.parametrize(
    ("degree", "load", "overlap"), [(3, 0.084063, 0.83848), (4, 0.0131907, 0.91792), (5, 0.00164545, 0.94724)]
)
def test_largest_load(degree, load, overlap):
    assert float(theory.critical_load(degree)) == pytest.approx(load, abs=5e-7)
    assert float(theory.critical_load(degree, "rectified")) == pytest.approx(2 * load, abs=1e-6)
    assert float(theory.critical_overlap(degree)) == pytest.approx(overlap, abs=5e-6)
    t = np.linspace(0.5, 3, 200_001)
    scan = special.erf(t) ** (2 * degree - 2) / (2 * t**2 * noise.double_factorial(2 * degree - 3))
    assert float(theory.critical_load(degree)) == pytest.approx(scan.max(), rel=1e-9)


@pytest.mark.parametrize("interaction", theory.INTERACTIONS)
@pytest.mark.parametrize("degree", [2, 3, 4, 5])
def test_field_correlation_is_a_gaussian_average(degree, interaction):
    k, z = degree - 1, np.linspace(-9, 9, 1801)
    weight = stats.norm.pdf(z)
    for p in (1e-3, 0.3, 1.0):
        q = 1 - p
        x, y = z[:, None], q * z[:, None] + np.sqrt(1 - q * q) * z[None, :]
        if interaction == "rectified":
            x, y = np.maximum(x, 0), np.maximum(y, 0)
        step = z[1] - z[0]
        expected = degree**2 * np.sum(weight[:, None] * weight * x**k * y**k) * step**2
        found = in_float64(noise.field_correlation)(jnp.asarray(p), degree, interaction)
        assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("interaction", theory.INTERACTIONS)
def test_slope_and_decrement_are_derivative_and_integral(interaction):
    def at(function, p):
        with jax.enable_x64(True):
            return float(function(jnp.asarray(p, dtype=float), 4, interaction))

    def correlation(p):
        return at(noise.field_correlation, p)

    slope = at(noise.field_correlation_slope, 0.3)
    assert slope == pytest.approx((correlation(0.3 - 1e-5) - correlation(0.3 + 1e-5)) / 2e-5, rel=1e-7)
    decrement = at(noise.energy_decrement, 0.3)
    assert decrement == pytest.approx(integrate.quad(correlation, 0, 0.3)[0], rel=1e-10)


@pytest.mark.parametrize("interaction", theory.INTERACTIONS)
@pytest.mark.parametrize(("degree", "size"), list(itertools.product([2, 3, 4, 5], [4, 7, 50, 51])))
def test_noise_variance_is_the_binomial_sum(degree, size, interaction):
    def energy(x):
        return float(max(x, 0) if interaction == "rectified" else x) ** degree

    others = size - 1 - 2 * np.arange(size)
    weights = [comb(size - 1, k) / 2 ** (size - 1) for k in range(size)]
    exact = sum(w * (energy(b + 1) - energy(b - 1)) ** 2 for w, b in zip(weights, others, strict=True))
    found = in_float64(noise_variance)(jnp.asarray(float(size)), degree, interaction)
    assert float(found) == pytest.approx(exact, rel=1e-10)


def test_one_update_at_infinite_and_finite_size():
    assert float(theory.one_step_error(0.06)) == pytest.approx(0.0092, abs=5e-5)
    assert float(theory.one_step_error(0.12, 3, "rectified")) == pytest.approx(0.0092, abs=5e-5)
    assert float(theory.one_step_error(0.1, 2)) == pytest.approx(float(hopfield.one_step_error(0.1)), rel=1e-12)
    large = theory.finite_one_step_error(1e5, 0.06e10, 3, "power", 0.9)
    assert float(large) == pytest.approx(float(theory.one_step_error(0.06, 3, "power", 0.9)), rel=1e-3)
    assert float(theory.effective_load(1e5, 0.06e10)) == pytest.approx(0.06, rel=1e-4)
    assert np.isnan(theory.one_step_error(-0.1).values) and theory.one_step_error(-0.1).status == theory.OUT_OF_RANGE


def test_exact_noise_moves_the_one_percent_load():
    """At N = 50, n = 3 the load of 1 % errors is 3 % lower than at infinite size."""
    counts = np.arange(100, 200)
    errors = theory.finite_one_step_error(50, counts).values
    at_size = np.interp(0.01, errors, counts) / 2500
    loads = np.linspace(0.05, 0.07, 200)
    infinite = np.interp(0.01, theory.one_step_error(loads).values, loads)
    assert at_size / infinite - 1 == pytest.approx(-0.03, abs=0.01)


@pytest.mark.parametrize(("degree", "interaction"), [(3, "power"), (4, "rectified")])
def test_equations_of_state_hold_on_an_independent_quadrature(degree, interaction):
    load, temperature = (0.05, 0.3) if degree == 3 else (0.012, 0.5)
    values, status = theory.retrieval_state(load, temperature, degree, interaction)
    m, q = float(values["overlap"]), float(values["edwards_anderson"])
    correlation = float(in_float64(noise.field_correlation)(jnp.asarray(1 - q), degree, interaction))
    z = np.linspace(-10, 10, 200_001)
    measure = stats.norm.pdf(z) * (z[1] - z[0])
    response = np.tanh((degree * m ** (degree - 1) + np.sqrt(load * correlation) * z) / temperature)
    assert measure @ response == pytest.approx(m, abs=1e-9)
    assert measure @ response**2 == pytest.approx(q, abs=1e-9)
    assert int(status) == 0 and values["residual"] < 1e-12
    assert values["error_rate"] == pytest.approx(0.5 * (1 - m), abs=1e-14)


def test_free_energy_gives_the_energy_and_is_stationary():
    """e = d(f/T)/d(1/T); the free energy knows the energy only through the saddle point."""
    beta, step = 2.0, 1e-4
    low, high = (b * theory.retrieval_state(0.05, 1 / b).values["free_energy"] for b in (beta - step, beta + step))
    assert (high - low) / (2 * step) == pytest.approx(theory.retrieval_state(0.05, 1 / beta).values["energy"], abs=1e-7)


def test_known_point_and_the_limit_of_zero_temperature():
    assert theory.retrieval_state(0.03, 0.8).values["overlap"] == pytest.approx(0.98751, abs=5e-6)
    assert theory.retrieval_state(0.05, 0.5).values["overlap"] == pytest.approx(0.9805, abs=5e-5)
    cold, frozen = theory.retrieval_state(0.05, 1e-4), theory.zero_temperature(0.05)
    for name in ("overlap", "energy", "free_energy", "error_rate", "edwards_anderson"):
        assert cold.values[name] == pytest.approx(frozen.values[name], abs=1e-5), name
    assert cold.status == frozen.status == theory.REPLICA_SYMMETRY_UNSTABLE


def test_few_memories_are_a_ferromagnet():
    """At load -> 0 the overlap is the largest root of m = tanh(n m^(n-1) / T)."""
    m = 1.0
    for _ in range(2000):
        m = np.tanh(3 * m**2 / 1.5)
    assert theory.retrieval_state(1e-9, 1.5).values["overlap"] == pytest.approx(m, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_degree_two_is_the_hopfield_model_at_twice_the_temperature(temperature):
    if temperature:
        dense, known = theory.retrieval_state(0.05, temperature, 2), hopfield.replica_symmetric(0.05, 0.5)
    else:
        dense, known = theory.zero_temperature(0.1, 2), hopfield.zero_temperature(0.1)
    for name, factor in dict(overlap=1, edwards_anderson=1, energy=2, free_energy=2, almeida_thouless=1).items():
        assert dense.values[name] == pytest.approx(factor * known.values[name], rel=1e-12), name
    assert float(theory.critical_load(2)) == pytest.approx(0.1379056, abs=5e-8)


def test_degree_two_retrieves_below_temperature_two():
    states = theory.retrieval_state(1e-7, [1.99, 2.01], 2)
    assert states.values["overlap"][0] > 0.05 and states.values["overlap"][1] == 0
    assert states.status.tolist() == [0, theory.NO_RETRIEVAL_STATE]


def test_line_of_critical_loads_bounds_the_state():
    for temperature in (0.3, 1.0):
        edge = float(theory.critical_load(3, "power", temperature))
        found = theory.retrieval_state([0.999 * edge, 1.001 * edge], temperature)
        assert found.status.tolist()[1] == theory.NO_RETRIEVAL_STATE and not found.status[0] & 3
        assert found.values["overlap"][1] == 0 and found.values["overlap"][0] > 0.7
    assert theory.critical_load(3, "power", 2.5).status == theory.NO_RETRIEVAL_STATE
    assert theory.critical_load(2, "rectified").status == theory.NOT_SOLVED
    assert theory.zero_temperature(0.05, 2, "rectified").status == theory.NOT_SOLVED


def test_start_below_the_unstable_state():
    """Half-way between the two roots the map m -> erf(m^2 / ...) rises, below the unstable one it falls to zero."""
    load = 0.05
    scale = np.sqrt(2 * load * 3)
    found = theory.zero_temperature(load, 3, "power", [0.3, 0.9])
    for start, status in zip([0.3, 0.9], found.status, strict=True):
        m = start
        for _ in range(200):
            m = special.erf(m**2 / scale)
        assert (m < 0.1) == bool(status & theory.OUTSIDE_BASIN)


def test_derivatives():
    with jax.enable_x64(True):
        slope = jax.grad(lambda T: theory.critical_load(3, "power", T).values)(0.5)
        difference = [theory.critical_load(3, "power", 0.5 + s).values for s in (-1e-4, 1e-4)]
    assert float(slope) == pytest.approx((float(difference[1]) - float(difference[0])) / 2e-4, rel=1e-5)
