"""The replica-symmetric states: independent quadrature, thermodynamic identities, limits and branch selection."""

import jax
import numpy as np
import pytest

from replicon.memory.hopfield.theory import (
    NO_RETRIEVAL_STATE,
    NO_SUCH_STATE,
    OBSERVABLES,
    OUT_OF_RANGE,
    REPLICA_SYMMETRY_UNSTABLE,
    STATUS_TEXTS,
    critical_load,
    replica_symmetric,
    status_text,
    zero_temperature,
)

Z = np.linspace(-9, 9, 40001)
DZ = np.exp(-Z * Z / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])

# (load, temperature) of retrieval states; the last lies where Lambda > 1.
RETRIEVAL = np.array([(0.05, 0.3), (0.02, 0.5), (1e-4, 0.97), (0.1, 0.1), (0.13, 0.02), (0.12, 0.003)])
GLASS = np.array([(0.1, 0.05), (0.1, 1.2), (0.5, 0.4), (1.2, 1.9), (0.02, 0.8), (1e-3, 0.6)])


@pytest.fixture(scope="module")
def retrieval():
    return replica_symmetric(RETRIEVAL[:, 0], RETRIEVAL[:, 1], "retrieval")


@pytest.fixture(scope="module")
def glass():
    return replica_symmetric(GLASS[:, 0], GLASS[:, 1], "spin_glass")


def free_energy(load, temperature, m, q, r):
    """The replica-symmetric functional, by direct summation."""
    beta = 1 / temperature
    field = np.abs(beta * (m + np.sqrt(load * r) * Z))
    log_2cosh = np.sum(DZ * (field + np.log1p(np.exp(-2 * field))))
    susceptibility = beta * (1 - q)
    return (
        load / 2
        + m * m / 2
        + load * beta / 2 * r * (1 - q)
        + load / (2 * beta) * (np.log(1 - susceptibility) - beta * q / (1 - susceptibility))
        - temperature * log_2cosh
    )


@pytest.mark.parametrize(
    ("load", "temperature", "expected"),
    [
        (0.05, 0.3, dict(overlap=0.99116, edwards_anderson=0.98296, free_energy=-0.50124)),
        (0.02, 0.5, dict(overlap=0.94500, edwards_anderson=0.89459, free_energy=-0.51203, crosstalk=1.4364)),
    ],
)
def test_published_points(load, temperature, expected):
    values, status = replica_symmetric(load, temperature)
    assert status == 0
    for name, value in expected.items():
        digits = 4 if name == "crosstalk" else 5
        assert values[name] == pytest.approx(value, abs=0.6 * 10**-digits), name


def test_overlaps_at_zero_temperature():
    values, status = zero_temperature(np.array([0.05, 0.1, 0.13]))
    np.testing.assert_allclose(values["overlap"], [0.99999223, 0.9979993, 0.9872119], rtol=5e-8)
    assert (status == REPLICA_SYMMETRY_UNSTABLE).all()
    np.testing.assert_allclose(values["error_rate"], (1 - values["overlap"]) / 2, rtol=1e-9)


@pytest.mark.parametrize("kind", ["retrieval", "glass"])
def test_states_solve_the_equations_by_direct_summation(kind, request):
    values, status = request.getfixturevalue(kind)
    assert not (status & ~REPLICA_SYMMETRY_UNSTABLE).any()
    assert (values["residual"] < 1e-13).all()
    points = RETRIEVAL if kind == "retrieval" else GLASS
    for i, (load, temperature) in enumerate(points):
        m, q, r, c = (values[n][i] for n in ("overlap", "edwards_anderson", "crosstalk", "susceptibility"))
        t = np.tanh((m + np.sqrt(load * r) * Z) / temperature)
        assert np.sum(DZ * t) == pytest.approx(m, abs=1e-11)
        assert np.sum(DZ * t * t) == pytest.approx(q, abs=1e-11)
        assert c == pytest.approx((1 - q) / temperature, abs=1e-11)
        assert 0 <= c < 1
        assert r == pytest.approx(q / (1 - c) ** 2, rel=1e-10)
        stability = load / temperature**2 / (1 - c) ** 2 * np.sum(DZ * (1 - t * t) ** 2)
        assert values["almeida_thouless"][i] == pytest.approx(stability, rel=1e-9)


@pytest.mark.parametrize("kind", ["retrieval", "glass"])
def test_free_energy_is_stationary_and_matches_energy_and_entropy(kind, request):
    values, _ = request.getfixturevalue(kind)
    points = RETRIEVAL if kind == "retrieval" else GLASS
    for i, (load, temperature) in enumerate(points):
        order = [values[n][i] for n in ("overlap", "edwards_anderson", "crosstalk")]
        at_solution = free_energy(load, temperature, *order)
        assert values["free_energy"][i] == pytest.approx(at_solution, abs=1e-11)
        identity = values["energy"][i] - temperature * values["entropy"][i]
        assert values["free_energy"][i] == pytest.approx(identity, abs=1e-13)
        # A step that is not along a slope changes f alike in both directions. q is stepped on the scale of 1 - C.
        scales = (order[0] or 0.1, min(order[1], temperature * (1 - values["susceptibility"][i])), order[2])
        for k in range(3):
            step = np.zeros(3)
            step[k] = 1e-3 * scales[k]
            above, below = (free_energy(load, temperature, *(order + d)) for d in (step, -step))
            assert abs(above - below) < 0.02 * abs(above + below - 2 * at_solution), (load, temperature, k)


@pytest.mark.parametrize(("kind", "state"), [("retrieval", "retrieval"), ("glass", "spin_glass")])
def test_entropy_is_the_slope_of_the_free_energy(kind, state, request):
    values, _ = request.getfixturevalue(kind)
    load, temperature = (RETRIEVAL if kind == "retrieval" else GLASS).T
    step = 1e-4 * temperature
    above, below = (replica_symmetric(load, temperature + d, state).values["free_energy"] for d in (step, -step))
    np.testing.assert_allclose(values["entropy"], -(above - below) / (2 * step), rtol=2e-5, atol=1e-7)


def test_paramagnet_is_exact_and_marked_unstable_below_the_glass_transition():
    load, temperature = 0.1, 1.5
    values, status = replica_symmetric(load, temperature, "auto")
    # Gaussian integral over the macroscopic fluctuations of all overlaps, J_ii = 0.
    exact = load / 2 * (1 + temperature * np.log(1 - 1 / temperature)) - temperature * np.log(2)
    assert values["free_energy"] == pytest.approx(exact, rel=1e-14)
    assert status == NO_RETRIEVAL_STATE
    assert (values["overlap"], values["edwards_anderson"], values["error_rate"]) == (0, 0, 0.5)
    assert values["free_energy"] == pytest.approx(values["energy"] - temperature * values["entropy"], rel=1e-13)
    assert values["almeida_thouless"] < 1
    assert replica_symmetric(load, 1.2, "paramagnet").status == REPLICA_SYMMETRY_UNSTABLE
    assert replica_symmetric(load, 0.9, "paramagnet").status == NO_SUCH_STATE
    at_transition = replica_symmetric(load, 1 + np.sqrt(load), "paramagnet").values["almeida_thouless"]
    assert at_transition == pytest.approx(1, rel=1e-13)


def test_the_glass_grows_continuously_out_of_the_paramagnet():
    load, transition = 0.1, 1 + np.sqrt(0.1)
    distance = np.array([1e-3, 1e-4, 1e-5, 0, -1e-6, -0.1])
    values, status = replica_symmetric(load, transition - distance, "spin_glass")
    assert (status == np.array([4, 4, 4, 8, 8, 8])).all()
    q = values["edwards_anderson"][:3]
    assert (q > 0).all()
    np.testing.assert_allclose(q[1:] / q[:-1], 0.1, rtol=0.01)
    fluid = replica_symmetric(load, transition - distance, "paramagnet").values["free_energy"][:3]
    # A transition of third order: the free energies part with the cube of the distance.
    parting = values["free_energy"][:3] - fluid
    assert parting[1] / parting[0] == pytest.approx(1e-3, rel=0.02)


def test_auto_is_retrieval_then_glass_then_paramagnet():
    load = np.full(6, 0.05)
    temperature = np.array([0.3, 0.5422, 0.5423, 1.2, 1.23, 2.0])
    auto = replica_symmetric(load, temperature, "auto")
    parts = [replica_symmetric(load, temperature, s) for s in ("retrieval", "spin_glass", "paramagnet")]
    chosen = [0, 0, 1, 1, 2, 2]
    for name in OBSERVABLES:
        expected = [parts[k].values[name][i] for i, k in enumerate(chosen)]
        np.testing.assert_allclose(auto.values[name], expected, rtol=1e-12)
    assert [bool(s & NO_RETRIEVAL_STATE) for s in auto.status] == [k > 0 for k in chosen]
    assert np.isnan(parts[0].values["overlap"][2:]).all()
    assert (parts[0].status[2:] == NO_RETRIEVAL_STATE).all()


@pytest.mark.parametrize("distance", [1e-4, 1e-8])
def test_retrieval_ends_at_the_spinodal_and_not_before(distance):
    temperature = np.array([1e-3, 0.03, 0.1, 0.3, 0.9, 0.99])
    edge, _ = critical_load(temperature)
    inside, further, outside = (
        replica_symmetric(edge * factor, temperature, "retrieval")
        for factor in (1 - distance, (1 - distance) * (1 - 1e-9), 1 + distance)
    )
    assert (inside.status & ~REPLICA_SYMMETRY_UNSTABLE == 0).all()
    assert (outside.status == NO_RETRIEVAL_STATE).all()
    assert np.isnan(outside.values["overlap"]).all()
    # On the upper side of the fold, and only there, the overlap falls with the load.
    assert (further.values["overlap"] > inside.values["overlap"]).all()


def test_retrieval_at_zero_temperature_ends_at_the_critical_load():
    edge = critical_load(0.0).values
    values, status = zero_temperature(edge * np.array([1 - 1e-4, 1 - 1e-8, 1 + 1e-8]), "retrieval")
    assert status.tolist() == [REPLICA_SYMMETRY_UNSTABLE, REPLICA_SYMMETRY_UNSTABLE, NO_RETRIEVAL_STATE]
    assert values["overlap"][0] > values["overlap"][1] > 0.967417
    assert np.isnan(values["overlap"][2])
    auto = zero_temperature(edge * (1 + 1e-8))
    assert auto.status == NO_RETRIEVAL_STATE | REPLICA_SYMMETRY_UNSTABLE
    assert auto.values["overlap"] == 0


@pytest.mark.parametrize("state", ["retrieval", "spin_glass"])
def test_low_temperatures_join_zero_temperature(state):
    load = np.array([0.02, 0.1, 0.13, 0.02, 0.1, 0.13])
    temperature = np.array([1e-3, 1e-3, 1e-3, 1e-5, 1e-5, 1e-5])
    frozen = zero_temperature(load, state).values
    values, status = replica_symmetric(load, temperature, state)
    assert not (status & ~REPLICA_SYMMETRY_UNSTABLE).any()
    for name in ("overlap", "edwards_anderson", "crosstalk", "susceptibility", "energy", "free_energy", "entropy"):
        assert (np.abs(values[name] - frozen[name]) < 4 * temperature * frozen["crosstalk"]).all(), name
    # sech^4 has the weight 4T/(3 sigma) at the kink, so Lambda T tends to a constant.
    product = values["almeida_thouless"] * temperature
    np.testing.assert_allclose(product[:3], product[3:], rtol=2e-2)


def test_zero_temperature_entropy_is_the_known_negative_one():
    values, _ = zero_temperature(0.1, "spin_glass")
    c = values["susceptibility"]
    assert values["entropy"] == pytest.approx(-0.05 * (np.log(1 - c) + c / (1 - c)))
    assert values["entropy"] < 0
    assert np.sqrt(values["crosstalk"]) == pytest.approx(1 + np.sqrt(2 / (np.pi * 0.1)))


def test_small_load_is_the_ferromagnet():
    temperature = np.array([0.01, 0.1, 0.2, 0.5, 0.8, 0.9])
    values, status = replica_symmetric(np.full(6, 1e-7), temperature, "retrieval")
    assert (status == 0).all()
    m = values["overlap"]
    np.testing.assert_allclose(m, np.tanh(m / temperature), atol=2e-6)
    np.testing.assert_allclose(values["edwards_anderson"], m * m, atol=2e-6)
    np.testing.assert_allclose(values["energy"], -m * m / 2, atol=2e-6)


def test_a_grid_equals_its_points():
    load, temperature = np.meshgrid([0.01, 0.06, 0.14, 0.9], [0.004, 0.2, 0.7, 1.1, 1.6])
    grid = replica_symmetric(load, temperature)
    large = replica_symmetric(np.tile(load, (4, 4)), np.tile(temperature, (4, 4)))
    assert large.status.shape == (20, 16)
    for i, j in [(0, 0), (1, 1), (2, 0), (3, 2), (4, 3)]:
        point = replica_symmetric(float(load[i, j]), float(temperature[i, j]))
        assert point.status == grid.status[i, j] == large.status[i + 5, j + 4]
        for name, value in point.values.items():
            if name != "residual":
                assert grid.values[name][i, j] == pytest.approx(value, rel=1e-11, abs=1e-14)
                assert large.values[name][i + 5, j + 4] == pytest.approx(value, rel=1e-11, abs=1e-14)


def test_derivatives_in_the_temperature_and_the_load():
    # Retrieval, spin glass and paramagnet, each reached by "auto".
    load, temperature = np.array([0.05, 0.13, 0.005, 0.1, 0.5, 0.1]), np.array([0.3, 0.1, 0.6, 0.6, 0.3, 1.6])
    step = 1e-5
    zero, one = np.zeros(6), np.ones(6)
    for direction in ((one, zero), (zero, one)):
        with jax.enable_x64(True):
            _, slope = jax.jvp(lambda a, t: replica_symmetric(a, t).values, (load, temperature), direction)
        ends = [
            replica_symmetric(load + d * direction[0], temperature + d * direction[1]).values for d in (step, -step)
        ]
        for name in OBSERVABLES:
            difference = (ends[0][name] - ends[1][name]) / (2 * step)
            np.testing.assert_allclose(slope[name], difference, rtol=1e-5, atol=1e-7, err_msg=name)


def test_reverse_mode_gives_minus_the_entropy():
    slope = jax.grad(lambda t: replica_symmetric(0.05, t, "retrieval").values["free_energy"])(0.3)
    assert float(slope) == pytest.approx(-replica_symmetric(0.05, 0.3, "retrieval").values["entropy"], rel=1e-6)


def test_derivative_at_zero_temperature_and_for_a_float32_caller():
    slope = jax.grad(lambda a: zero_temperature(a).values["overlap"])(0.1)
    ends = zero_temperature(np.array([0.1 - 1e-6, 0.1 + 1e-6])).values["overlap"]
    assert slope.dtype == np.float32
    assert float(slope) == pytest.approx((ends[1] - ends[0]) / 2e-6, rel=1e-6)


def test_out_of_range_is_nan_with_a_status():
    load = np.array([0.0, -0.1, np.nan, 0.1, 0.1, np.inf])
    values, status = replica_symmetric(load, np.array([0.5, 0.5, 0.5, 0.0, np.nan, 0.5]))
    assert (status == OUT_OF_RANGE).all()
    assert all(np.isnan(v).all() for v in values.values())
    assert (zero_temperature(load).status == np.array([16, 16, 16, 4, 4, 16])).all()


def test_statuses_have_words_and_states_a_table():
    assert status_text(0) == "converged"
    assert status_text(NO_RETRIEVAL_STATE | REPLICA_SYMMETRY_UNSTABLE) == (
        "no retrieval state, replica symmetry unstable"
    )
    assert all(bit & (bit - 1) == 0 for bit in STATUS_TEXTS)
    assert zero_temperature(0.1, "paramagnet").status == NO_SUCH_STATE
    with pytest.raises(ValueError, match="state must be one of"):
        replica_symmetric(0.1, 0.1, "ferromagnet")
