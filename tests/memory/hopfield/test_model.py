"""The Hopfield system: contract, agreement of theory and simulation at several sizes, bad input."""

import math

import numpy as np
import pytest

from replicon import DataError, ParameterError, compare, predict
from replicon.memory import Hopfield, ParallelRecall
from replicon.testing import system_checks

SYSTEMS = {
    "warm": Hopfield(load=0.05, temperature=0.3),
    "cold": Hopfield(load=0.1),
    "cold parallel": Hopfield(load=0.1, dynamics="parallel"),
    "paramagnet": Hopfield(load=0.1, temperature=2.0, state="paramagnet"),
    "recall": ParallelRecall(),
    "projection": ParallelRecall(load=0.5, rule="projection", steps=2),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_contract(name):
    workers = 2 if name in ("warm", "projection") else 1
    for rule, check in system_checks(SYSTEMS[name], workers=workers):
        try:
            check()
        except AssertionError as error:
            raise AssertionError(f"{rule}: {error}") from error


@pytest.mark.parametrize(
    ("load", "temperature", "expected"),
    [
        (0.1, 0.0, dict(overlap=0.9979993)),
        (0.05, 0.3, dict(overlap=0.99116, edwards_anderson=0.98296, free_energy=-0.50124)),
        (0.02, 0.5, dict(overlap=0.94500, edwards_anderson=0.89459, free_energy=-0.51203, crosstalk=1.4364)),
    ],
)
def test_theory_agrees_with_simulation_at_three_sizes(load, temperature, expected):
    result = compare(Hopfield(load=load, temperature=temperature), [500, 1000, 2000], 40, seed=11)
    for name, value in expected.items():
        assert float(result["theory_infinite"].sel(observable=name)) == pytest.approx(value, abs=6e-5)
    assert result.verdict == "agree", str(result)
    measured = ["overlap", "edwards_anderson", "crosstalk", "energy", "error_rate"]
    assert set(measured) <= set(result["observable"].values.tolist())
    z = result["z"].sel(observable=measured, size=2000)
    assert np.abs(z).max() < 4, str(result)


def test_a_wrong_crosstalk_would_be_noticed():
    """The comparison has the power to refuse the naive theory r = q, without the feedback 1/(1 - C)^2."""
    result = compare(Hopfield(load=0.02, temperature=0.5), [500, 1000, 2000], 40, seed=11)
    row = result.sel(observable="crosstalk")
    assert (float(row["extrapolated"]) - 0.894) / float(row["extrapolated_error"]) > 4


def test_paramagnet_and_spin_flip_symmetry():
    result = compare(Hopfield(load=0.1, temperature=2.0, state="paramagnet"), [500, 1000, 2000], 40, seed=5)
    assert result.verdict == "agree", str(result)


def test_no_retrieval_state_declines():
    result = compare(Hopfield(load=0.2), [500, 1000], 10, seed=1)
    assert result.verdict == "undecided" and "no retrieval state" in result.attrs["note"]
    remanence = result["mean"].sel(observable="overlap", size=1000)
    assert 0.2 < float(remanence) < 0.6, "descent keeps a remanence that the equilibrium theory knows nothing of"
    single = Hopfield(load=0.2).theory()
    assert single.declined and not single.valid and single.overlap == 0.0
    assert math.isnan(Hopfield(load=0.2, state="retrieval").theory().overlap)


def test_projection_rule_first_step():
    result = compare(ParallelRecall(load=0.6, rule="projection", steps=1), [200, 400], 40, theory="instance", seed=2)
    assert result.verdict == "agree", str(result)


def test_hebb_first_step_and_the_approximation():
    result = compare(ParallelRecall(load=0.1), [500, 1000, 2000], 200, seed=2)
    assert result.verdict == "agree", str(result)
    second = result["overlap_trajectory_z"].sel(step=2, size=2000)
    assert float(second) > 3, "the approximation of Amari and Maginu falls short at the second step, and it shows"


def test_sizes_use_the_realised_load():
    assert Hopfield(load=0.1).theory(size=14).overlap == Hopfield(load=1 / 14).theory().overlap
    draw = Hopfield(load=0.1).sample(14, 0)
    assert draw.patterns.shape == (1, 14)
    with pytest.raises(DataError, match=r"size is 4.*no pattern; give at least 6"):
        Hopfield(load=0.1).sample(4, 0)


def test_instance_from_the_users_own_patterns():
    model = Hopfield(load=0.1)
    bits = np.random.default_rng(0).integers(0, 2, (20, 100))
    one, two, three = model.instance(bits), model.instance(2 * bits - 1), model.instance(bits.astype(bool))
    assert np.array_equal(one.patterns, two.patterns) and np.array_equal(one.patterns, three.patterns)
    assert set(np.unique(one.patterns)) == {-1, 1}
    assert model.theory(instance=one).kind == "instance"
    assert model.theory(instance=one).status == Hopfield(load=0.2).theory().status
    assert model.simulate(model.instance(bits[:3])).overlap == 1.0
    for bad, words in [
        (bits + 0.5, "found the values 0.5, 1.5"),
        (bits[0], "shape"),
        (np.full((3, 5), np.nan), "nan"),
        (np.empty((0, 5)), "shape"),
    ]:
        with pytest.raises(DataError, match=words):
            model.instance(bad)
    with pytest.raises(DataError, match="start has 7 spins and the patterns have 100"):
        model.instance(bits, start=np.ones(7))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (dict(load=0.0), r"load \(α\) is 0, outside \(0, inf\)"),
        (dict(load=-0.1), "load"),
        (dict(temperature=-0.1), r"temperature \(T\) is -0.1, outside \[0, inf\) J"),
        (dict(load=math.nan), "nan"),
        (dict(state="retreival"), "did you mean 'retrieval'"),
        (dict(dynamics="parallel", temperature=0.1), "Little model"),
    ],
)
def test_bad_parameters(values, words):
    with pytest.raises(ParameterError, match=words):
        Hopfield(**values)


def test_projection_refuses_dependent_patterns():
    with pytest.raises(ParameterError, match="load below 1"):
        ParallelRecall(load=1.0, rule="projection")


def test_phase_diagram_of_one_call():
    from replicon.memory.hopfield import phase_diagram

    diagram = phase_diagram(
        np.linspace(0.02, 0.16, 8), np.linspace(0, 1.4, 8), simulation=True, size=200, realizations=2
    )
    assert set(diagram.boundaries) == {
        "spin_glass_temperature",
        "retrieval_spinodal",
        "thermodynamic_transition",
        "almeida_thouless_line",
    }
    loads, _ = diagram.boundaries["retrieval_spinodal"]
    assert np.nanmax(loads) == pytest.approx(0.138187, abs=1e-4)
    figure = diagram.plot()
    assert len(figure.axes[0].lines) == 8 and len(figure.axes[0].collections) == 2
    points = diagram.points
    inside = points.where((points["load"] < 0.06) & (points["temperature"] < 0.3), drop=True)
    assert float(inside["value"].min()) > 0.9
    outside = points.where(points["temperature"] > 1.0, drop=True)
    assert float(abs(outside["value"]).max()) < 0.3


def test_phase_diagram_from_a_stored_sweep(tmp_path):
    from replicon import open_study, sweep
    from replicon.memory.hopfield import phase_diagram

    loads, temperatures = np.linspace(0.02, 0.16, 8), np.linspace(0, 1.4, 8)
    sweep(
        Hopfield,
        load=loads[::3],
        temperature=temperatures[::3],
        sizes=[100, 200],
        realizations=3,
        store=tmp_path / "s.zarr",
    )
    study = open_study(tmp_path / "s.zarr")
    diagram = phase_diagram(loads, temperatures, simulation=study)
    mean = study["overlap"].sel(size=200).mean("realization")
    assert diagram.points["value"].values == pytest.approx(mean.values.ravel())
    assert int(diagram.points["size"]) == 200 and len(diagram.plot().axes[0].collections) == 2


def test_grid_is_one_call():
    grid = predict(Hopfield, load=[0.05, 0.2], temperature=[0.0, 0.3])
    assert grid["overlap"].shape == (2, 2)
    single = Hopfield(load=0.05, temperature=0.3).theory()
    assert float(grid["overlap"].sel(load=0.05, temperature=0.3)) == pytest.approx(single.overlap, rel=1e-10)
    assert float(grid["overlap"].sel(load=0.2, temperature=0.0)) == 0.0
