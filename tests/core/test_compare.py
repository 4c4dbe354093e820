"""Realisations, statistics, and the comparison of theory and simulation."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from replicon import DataError, ParameterError, ResourceError, compare
from replicon.core import statistics
from replicon.core.errors import Cancelled, RunFailedError
from replicon.core.monitor import listen
from replicon.core.realization import realize
from replicon.core.tables import with_error
from replicon.maths.extrapolation import extrapolate
from replicon.memory import Hopfield
from tests.core.systems import Coin, Gaussian, Regimes, Troubled, Walk


@pytest.fixture(scope="module")
def agreeing():
    return compare(Gaussian(slope=2.0), [50, 100, 200], 40, seed=3)


def test_comparison_is_a_dataset_with_the_draws(agreeing):
    assert isinstance(agreeing, xr.Dataset)
    assert agreeing["average"].dims == ("size", "realization") and agreeing["average"].shape == (3, 40)
    draws = agreeing["average"].sel(size=100)
    row = agreeing.sel(observable="average", size=100)
    assert float(row["mean"]) == pytest.approx(float(draws.mean()))
    assert float(row["standard_error"]) == pytest.approx(float(draws.std(ddof=1)) / math.sqrt(40))
    assert float(row["theory"]) == pytest.approx(1.02)
    assert agreeing["average"].attrs["symbol"] == "m" and agreeing["square"].attrs["units"] == "V^2"


def test_seed_of_each_draw_gives_it_again(agreeing):
    system = Gaussian(slope=2.0)
    seed = int(agreeing["seed"].sel(size=50)[7])
    assert system.simulate(system.sample(50, seed)).average == float(agreeing["average"].sel(size=50)[7])


def test_correct_theory_agrees_and_wrong_one_does_not(agreeing):
    assert agreeing.verdict == "agree" and not agreeing["rejected"].any()
    wrong = compare(Gaussian(slope=2.0, shift=0.1), [50, 100, 200], 40, seed=3)
    assert wrong.verdict == "disagree" and "average" in wrong.attrs["disagreeing"]
    assert "disagrees" in str(wrong)


def test_false_alarms_are_as_rare_as_the_level():
    verdicts = [compare(Gaussian(), [20, 40], 8, seed=seed).verdict for seed in range(60)]
    alarms = verdicts.count("disagree")
    assert stats.binomtest(alarms, len(verdicts), 0.05, alternative="greater").pvalue > 1e-3


def test_bounds_tolerance_and_approximation():
    result = compare(Gaussian(), [400], 20)
    z = result["z"].sel(size=400)
    assert float(z.sel(observable="upper")) == 0.0, "a measurement below an upper bound agrees"
    assert float(z.sel(observable="rough")) == 0.0, "a difference within the stated tolerance is none"
    assert float(z.sel(observable="approximate")) < -10, "the error of an approximation is shown"
    assert math.isnan(result["p_value"].sel(observable="approximate")), "and takes no part in the verdict"
    assert result.verdict == "agree"
    assert compare(Gaussian(shift=-1.2), [400], 20).sel(observable="upper")["rejected"]
    assert compare(Gaussian(shift=-1.2), [400], 20).sel(observable="rough")["rejected"]


def test_predicted_and_measured_only_have_no_z(agreeing):
    for name in ("entropy", "largest"):
        assert np.isnan(agreeing["z"].sel(observable=name)).all()
    assert np.isfinite(agreeing["theory_infinite"].sel(observable="entropy"))
    assert np.isfinite(agreeing["mean"].sel(observable="largest")).all()


def test_kinds_of_theory_are_said():
    system = Gaussian(slope=50.0)
    finite = compare(system, [50, 100], 20)
    infinite = compare(system, [50, 100], 20, theory="infinite")
    instance = compare(system, [50, 100], 20, theory="instance")
    assert "at this size" in finite.attrs["theory_used"] and finite.verdict == "agree"
    z = infinite["z"].sel(observable="average")
    assert float(z.sel(size=50)) > 5, "the correction shows against the infinite theory at a finite size"
    value, error = (float(infinite[c].sel(observable="average")) for c in ("extrapolated", "extrapolated_error"))
    assert abs(value - 1.0) < 4 * error, "and is gone in the extrapolation"
    assert "draw itself" in instance.attrs["theory_used"]
    spread = instance["z"].sel(observable="average", size=50)
    assert abs(float(spread)) > 1e3, "the draw's own mean leaves only the correction c / N, without noise"
    fallback = compare(Regimes(), [50, 100], 5, theory="instance")
    assert "no theory of a single draw" in fallback.attrs["note"]


def test_theory_that_declines_shows_numbers_without_z():
    result = compare(Regimes(temperature=3.0), [50, 100], 5)
    assert result.verdict == "undecided" and np.isnan(result["z"]).all()
    assert "no state" in result.attrs["note"] and "no state" in str(result)
    assert np.isfinite(result["mean"].sel(observable="value")).all()
    not_converged = compare(Regimes(temperature=6.0), [50, 100], 5)
    assert not_converged.verdict == "undecided" and "did not converge" in not_converged.attrs["note"]


def test_curve_has_one_verdict():
    result = compare(Regimes(), [50, 100], 20)
    assert result["curve_z"].dims == ("size", "time") and result.verdict == "agree"
    assert "curve c" in str(result)


def test_bimodal_observable_is_a_success_fraction():
    result = compare(Coin(chance=0.75), [10, 20], 40)
    fraction = result["success_fraction"].sel(observable="level", size=20)
    assert float(fraction) == float((result["level"].sel(size=20) > 0.5).mean())
    assert int(result["count"].sel(observable="level", size=20)) == round(40 * float(fraction))
    assert result.verdict == "agree", "the mean over the draws in the predicted state agrees"
    assert "means are over these" in result.attrs["note"] and "fraction" in str(result)
    rare = compare(Coin(chance=0.2), [10, 20], 40)
    assert rare.verdict == "undecided" and "fewer than half" in rare.attrs["note"]


def test_target_standard_error_draws_on():
    result = compare(Gaussian(), [100], 4, target_se={"average": 0.01})
    assert float(result["standard_error"].sel(observable="average", size=100)) <= 0.01
    assert 60 < int(result["count"].sel(observable="average", size=100)) < 400
    first = compare(Gaussian(), [100], 4)
    assert np.array_equal(first["average"][0, :4], result["average"][0, :4])
    capped = compare(Gaussian(), [100], 4, target_se=1e-6, max_realizations=32)
    assert int(capped["count"].sel(observable="average", size=100)) == 32
    with pytest.raises(ParameterError, match="target_se names 'entropy'"):
        compare(Gaussian(), [100], 4, target_se={"entropy": 0.1})
    with pytest.raises(ParameterError, match="positive"):
        compare(Gaussian(), [100], 4, target_se=0.0)


def test_same_numbers_from_worker_processes():
    here = compare(Walk(), [16, 32], 10, seed=2)
    there = compare(Walk(), [16, 32], 10, seed=2, workers=2)
    assert np.array_equal(here["distance"], there["distance"])
    assert np.array_equal(here["seed"], there["seed"])


def test_failed_draws_are_counted_and_named():
    result = compare(Troubled(rate=0.5), [1], 20)
    failed = result.attrs["failed"]
    assert 0 < failed < 20 and int(result["count"].sel(observable="value", size=1)) == 20 - failed
    size, seed, message = json.loads(result.attrs["errors"])[0]
    assert size == 1 and f"draw {seed} failed" in message
    with pytest.raises(RunFailedError, match=r"every realisation at size 1 failed.*DataError"):
        compare(Troubled(rate=1.0), [1], 3)


def test_work_that_does_not_fit_is_refused():
    with pytest.raises(ResourceError, match=r"size 100000 needs about 100000.0 GiB"):
        compare(Troubled(), [100_000], 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(sizes=[]), "sizes is empty"),
        (dict(sizes=[0]), "size is 0"),
        (dict(sizes=[10.5]), "size is 10.5"),
        (dict(realizations=0), "realizations is 0"),
        (dict(seed=-1), "seed is -1"),
        (dict(theory="exact"), "theory is 'exact'"),
        (dict(workers=0), "workers is 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((DataError, ParameterError), match=message):
        compare(Gaussian(), **{"sizes": [10], "realizations": 2} | arguments)


def test_only_a_single_point_can_be_compared():
    with pytest.raises(ParameterError, match="single point"):
        compare(Gaussian(mean=[1.0, 2.0]), [10], 2)
    with pytest.raises(ParameterError, match="give a system"):
        compare(Gaussian, [10], 2)


def test_progress_and_cancelling():
    seen = []
    compare(Gaussian(), [10, 20], 5, progress=lambda done, planned: seen.append((done, planned)))
    assert seen[-1] == (10, 10) and len(seen) == 10
    heard = []
    with (
        listen(lambda fraction, partial: heard.append((fraction, partial)) or fraction >= 0.5),
        pytest.raises(Cancelled),
    ):
        realize(Troubled(rate=0.0), 1, [0])
    assert heard == [(0.25, {"value": 0.25}), (0.5, {"value": 0.5})]


def test_provenance(agreeing):
    record = agreeing.provenance
    assert {"versions", "commit", "machine", "created", "seed", "wall_time_seconds"} <= set(record)
    assert record["seed"] == 3 and {"python", "jax", "numpy"} <= set(record["versions"])


def test_table_and_html(agreeing):
    text = str(agreeing)
    assert "average m" in text and "N = 200" in text and "verdict" in text and "agree" in text
    html = agreeing._repr_html_()
    assert html.startswith("<div") and "<script" not in html and "average" in html


def test_extrapolation_recovers_an_exact_law():
    sizes = np.array([100, 200, 400, 800])
    fit = extrapolate(sizes, 0.3 + 2.0 * sizes**-0.5, np.full(4, 0.01), 0.5)
    assert fit.intercept == pytest.approx(0.3, abs=1e-12) and fit.slope == pytest.approx(2.0, abs=1e-10)
    free = extrapolate(sizes, 0.3 + 2.0 * sizes**-0.5, np.full(4, 0.01), None)
    assert free.exponent == pytest.approx(0.5, abs=1e-3) and free.degrees_of_freedom == 1
    assert math.isnan(extrapolate([100], [1.0], [0.1]).intercept)


def test_extrapolation_error_is_the_spread_of_repeated_fits():
    sizes, noise = np.array([50, 100, 200]), np.random.default_rng(1)
    fits = [extrapolate(sizes, 1 + 3 / sizes + 0.02 * noise.standard_normal(3), np.full(3, 0.02)) for _ in range(2000)]
    spread = np.std([fit.intercept for fit in fits])
    assert spread == pytest.approx(fits[0].intercept_error, rel=0.06)
    assert np.mean([fit.chi_square for fit in fits]) == pytest.approx(1.0, abs=0.12)


def test_holm_against_the_textbook():
    rejected = statistics.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": math.nan})
    assert rejected == {"a": True, "b": False, "c": False, "d": True, "e": False}


def test_z_without_spread():
    assert statistics.z_score(np.array(0.0), np.array(0.0)) == 0.0
    assert statistics.z_score(np.array(-0.1), np.array(0.0)) == -math.inf
    assert math.isnan(statistics.z_score(np.array(0.1), np.array(math.nan)))


def test_number_with_error():
    assert with_error(0.99834, 0.00082) == "0.99834(82)"
    assert with_error(12.3, 1.4) == "12.3 +- 1" or with_error(12.3, 1.4) == "12.3(14)"
    assert with_error(math.nan, 1.0) == "-"


def test_equal_draws_of_a_discrete_observable_say_no_more_than_one_quantum():
    """Four draws of 100 spins without a wrong bit do not refute an error rate of 1e-5."""
    result = compare(Hopfield(load=0.05), [100, 200], 4, seed=3)
    assert float(result["spread"].sel(observable="overlap").max()) == 0.0
    assert result.verdict == "agree", str(result)
    summary = statistics.summarize(np.ones(4))
    (error,) = statistics.trusted_errors([100], [summary], quantum=2.0)
    assert float(error) == pytest.approx(2 / 400)
