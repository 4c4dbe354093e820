"""The cavity system: contract, theory beside simulation, its definition, bad input."""

import numpy as np
import pytest

from replicon import DataError, ParameterError, compare, predict
from replicon.memory.cavity import simulation, theory
from replicon.memory.cavity.model import Cavity
from replicon.testing import check_system


@pytest.mark.parametrize("dynamics", ["steepest", "metropolis"])
def test_contract(dynamics):
    check_system(Cavity(width=0.8, dynamics=dynamics), workers=2 if dynamics == "steepest" else 1)


@pytest.mark.parametrize("width", [0.6, 1.0])
def test_theory_agrees_with_simulation_at_three_sizes(width):
    result = compare(Cavity(width=width), [50, 100, 200], 150, seed=3)
    assert result.verdict == "agree", str(result)
    z = result["z"].sel(observable=["coupling_mean", "coupling_square", "largest_eigenvalue"], size=[100, 200])
    assert np.abs(z).max() < 4, str(result)
    assert float(np.abs(result["coupling_histogram_z"].sel(size=100)).max()) < 4.5


def test_a_width_in_other_units_would_be_noticed():
    """Positions in units of w_0/sqrt 2, a trap of the definition of the waist, are refused by both moments."""
    wrong = Cavity(width=0.7 * np.sqrt(2)).theory()
    result = compare(Cavity(width=0.7), [50, 100], 60, seed=4)
    for name in ("coupling_mean", "coupling_square"):
        row = result.sel(observable=name, size=100)
        assert abs(float(row["mean"]) - getattr(wrong, name)) / float(row["standard_error"]) > 8


def test_instance_of_own_positions_and_what_is_measured_of_it():
    system = Cavity(width=1.0)
    positions = np.random.default_rng(0).normal(size=(40, 2))
    found = system.simulate(system.instance(positions, seed=5))
    couplings = np.array(
        [[0 if i == j else np.cos(2 * a @ b) for j, b in enumerate(positions)] for i, a in enumerate(positions)]
    )
    np.testing.assert_allclose(simulation.cavity_couplings(positions), couplings, atol=1e-14)
    assert found.largest_eigenvalue == pytest.approx(np.linalg.eigvalsh(couplings)[-1] / 40, abs=1e-12)
    assert found.ferromagnet_error == (couplings.sum(axis=1) < 0).mean()
    assert found.coupling_mean == pytest.approx(couplings.sum() / (40 * 39), abs=1e-12)
    assert np.sum(found.coupling_histogram) == pytest.approx(1)
    assert found.energy > -found.largest_eigenvalue / 2
    assert 1 <= found.attractors <= 300
    assert system.simulate(system.instance(positions, seed=5)).attractors == found.attractors


def test_ferromagnet_at_small_width():
    found = Cavity(width=0.2).simulate(Cavity(width=0.2).sample(60, 1))
    assert found.attractors == 1 and found.basin_radius == simulation.FLIPPED[-1] and found.ferromagnet_error == 0
    assert (np.asarray(found.return_curve) == 1).all()
    assert found.energy == pytest.approx(-0.5 * found.coupling_mean * 59 / 60, abs=1e-12)


def test_basin_radius_is_where_the_curve_first_falls():
    curve = np.ones(len(simulation.FLIPPED))
    curve[3] = 0.9
    assert simulation.basin_radius(curve) == simulation.FLIPPED[2]
    assert simulation.basin_radius(np.zeros_like(curve)) == 0 and simulation.basin_radius(np.ones_like(curve)) == 0.4


def test_steepest_descent_returns_more_often():
    curves = {}
    for dynamics in ("steepest", "metropolis"):
        system = Cavity(width=1.0, dynamics=dynamics)
        curves[dynamics] = np.mean(
            [system.simulate(system.sample(100, seed)).return_curve for seed in range(60)], axis=0
        )
    assert (curves["steepest"][:5] - curves["metropolis"][:5] > 0.1).all()


def test_size_is_part_of_the_prediction():
    infinite, finite = Cavity(width=0.7).theory(), Cavity(width=0.7).theory(size=100)
    assert infinite.kind == "infinite" and finite.kind == "finite"
    assert infinite.ferromagnet_error == 0 and finite.ferromagnet_error == pytest.approx(0.0252, abs=1e-4)
    assert finite.largest_eigenvalue < infinite.largest_eigenvalue == pytest.approx(0.624929, abs=1e-6)
    lost = Cavity(width=1.5).theory(size=50)
    assert np.isnan(lost.largest_eigenvalue) and "lost in sampling noise" in lost.note and not lost.declined
    grid = predict(Cavity, width=[0.5, 1.0])
    assert grid["coupling_mean"].values.tolist() == pytest.approx([0.8, 0.2])
    assert theory.coupling_moments(0.5).values["mean"] == pytest.approx(0.8)


def test_bad_input():
    for width in (0.0, -1.0, np.nan):
        with pytest.raises(ParameterError, match="width"):
            Cavity(width=width)
    with pytest.raises(ParameterError, match="dynamics"):
        Cavity(dynamics="greedy")
    with pytest.raises(DataError, match="at least 16"):
        Cavity().sample(10, 0)
    for positions in (np.zeros((20, 3)), np.zeros(20), np.full((20, 2), "a")):
        with pytest.raises(DataError, match=r"shape \(spins, 2\)"):
            Cavity().instance(positions)
    with pytest.raises(DataError, match="finite"):
        Cavity().instance(np.full((20, 2), np.nan))
    with pytest.raises(DataError, match="at least 16"):
        Cavity().instance(np.zeros((5, 2)))
    with pytest.raises(ParameterError, match="local"):
        simulation.cavity_couplings(np.zeros((20, 2)), -1.0)
