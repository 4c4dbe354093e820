"""Sweeps: the numbers, their labels, what goes wrong at single points, and study files."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from replicon import (
    DataError,
    ParameterError,
    ResourceError,
    System,
    open_study,
    predict,
    study_status,
    sweep,
)
from replicon.cli.app import run as command
from replicon.core.execution import Processes, Serial, Threads
from replicon.core.realization import realize
from replicon.core.store import layout
from replicon.core.sweep import plan
from replicon.core.sweep.plan import shape_blocks
from replicon.core.sweep.study import describe
from replicon.core.sweep.toml import read_study
from tests.core.systems import Gaussian, Looped, Regimes, Troubled, Walk
from tests.core.walk import SlowWalk

STUDY = {"width": [2.0, 0.5], "drift": [1.0, -1.0, 0.0], "sizes": [30, 10], "realizations": 8}


class Backwards:
    """Takes the tasks in the opposite order."""

    workers = 1

    def run(self, function: Any, tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        for number, task in reversed(list(enumerate(tasks))):
            yield number, function(*task)


@pytest.fixture(scope="module")
def result():
    return sweep(SlowWalk, workers=1, block=(2, 3), **STUDY)


def assert_same_bits(left, right):
    assert set(left.variables) == set(right.variables)
    for name in left.variables:
        np.testing.assert_array_equal(left[name].values, right[name].values, err_msg=str(name))


def test_dataset_is_labelled(result):
    assert result.end.dims == ("width", "drift", "size", "realization")
    assert result.end.shape == (2, 3, 2, 8)
    assert result.width.values.tolist() == [2.0, 0.5] and result.drift.values.tolist() == [1.0, -1.0, 0.0]
    assert result["size"].values.tolist() == [10, 30]
    assert set(result.data_vars) == {
        *("end", "spread", "status", "seed", "done", "end_theory", "variance_theory", "theory_status")
    }
    assert result.end.attrs == {"symbol": "x", "units": "1", "long_name": "mean step"}
    assert result.width.attrs["symbol"] == "w"
    assert json.loads(result.attrs["fixed"]) == {"wait": 0.0, "fault": "none"}
    assert json.loads(result.attrs["provenance"])["versions"]["jax"]
    assert (result.done == 1).all() and (result.status == 0).all() and (result.theory_status == 0).all()


def test_realisation_is_the_one_of_its_seed(result):
    for width, drift, size in ((2.0, 1.0, 10), (0.5, 0.0, 30)):
        system = SlowWalk(width=width, drift=drift)
        point = result.sel(width=width, drift=drift, size=size)
        np.testing.assert_array_equal(point.end, realize(system, size, range(8)).values["end"])
        seen = system.simulate(system.sample(size=size, seed=int(point.seed[5])))
        assert seen.end == float(point.end[5]) and seen.spread == float(point.spread[5])
    assert len(np.unique(result.seed)) == result.seed.size


def test_theory_beside_is_that_of_each_size(result):
    np.testing.assert_allclose(result.end_theory, np.broadcast_to(result.drift, (2, 2, 3)).transpose(1, 2, 0))
    expected = result.width**2 / result["size"]
    np.testing.assert_allclose(result.variance_theory.mean("drift"), expected, rtol=1e-12)


def test_measurement_agrees_with_theory():
    many = sweep(SlowWalk, drift=[-2.0, 0.5], width=[0.5, 3.0], sizes=[4, 64], realizations=200, workers=1, seed=11)
    error = np.sqrt(many.variance_theory / 200)
    assert (np.abs(many.end.mean("realization") - many.end_theory) / error < 4).all()
    ratio = many.end.var("realization", ddof=1) / many.variance_theory
    assert (np.abs(ratio - 1) / np.sqrt(2 / 199) < 4).all()


@pytest.mark.parametrize(
    "options",
    [
        {"block": (1, 1)},
        {"block": (6, 8)},
        {"block": (4, 5)},
        {"executor": Backwards(), "block": (1, 3)},
        {"executor": Threads(3), "block": (1, 4)},
        {"workers": 2, "block": (2, 4)},
        {"workers": 1},
        {"workers": None},
    ],
    ids=str,
)
def test_same_bits_however_computed(result, options):
    assert_same_bits(sweep(SlowWalk, **STUDY, **options), result)


def test_same_bits_for_batched_and_compiled_systems():
    study = {"step": [0.5, 1.0], "sizes": [50, 1500], "realizations": 6}
    one = sweep(Walk, workers=1, block=(2, 6), **study)
    for options in ({"block": (1, 1)}, {"block": (1, 5)}, {"block": (2, 4), "workers": 2}):
        assert_same_bits(sweep(Walk, **study, **{"workers": 1, **options}), one)
    np.testing.assert_array_equal(
        one.distance.sel(step=0.5, size=1500), realize(Walk(step=0.5), 1500, range(6)).values["distance"]
    )


def test_points_listed_one_by_one(result):
    rows = [{"width": 0.5, "drift": 0.0}, {"width": 2.0, "drift": -1.0}]
    options = {"sizes": [10, 30], "realizations": 8, "workers": 1}
    listed = sweep(SlowWalk, points=rows, **options)
    assert listed.end.dims == ("point", "size", "realization") and listed.drift.dims == ("point",)
    for k, row in enumerate(rows):
        np.testing.assert_array_equal(listed.end[k], result.end.sel(row))
    for columns in ({"width": [0.5, 2.0], "drift": [0.0, -1.0]}, pd.DataFrame(rows)):
        assert_same_bits(sweep(SlowWalk, points=columns, **options), listed)


def test_instance_name_and_scalars_fix_the_other_parameters(result):
    fixed = sweep(SlowWalk(width=2.0), drift=1.0, sizes=10, realizations=8, workers=1)
    assert fixed.end.dims == ("size", "realization")
    np.testing.assert_array_equal(fixed.end[0], result.end.sel(width=2.0, drift=1.0, size=10))
    named = sweep("memory.hopfield", load=[0.05, 0.1])
    assert set(named.dims) == {"load"} and named.attrs["system"] == "Hopfield"


def test_common_draws_share_their_disorder():
    common = sweep(Gaussian, spread=[1.0, 2.0], sizes=[6], realizations=5, common_draws=True, workers=1)
    np.testing.assert_array_equal(common.seed[0], common.seed[1])
    np.testing.assert_allclose(common.average[1] - 1.0, 2.0 * (common.average[0] - 1.0))
    assert common.attrs["common_draws"] == 1
    apart = sweep(Gaussian, spread=[1.0, 2.0], sizes=[6], realizations=5, workers=1)
    assert not np.isin(apart.seed[0], apart.seed[1]).any()


def test_theory_alone_over_regimes_words_and_ragged_curves(tmp_path):
    axes = {"temperature": [0.0, 0.5, 3.0, 7.0], "branch": ["lower", "upper"], "points": [3, 5]}
    swept = sweep(Regimes, store=tmp_path / "theory.zarr", parameters=axes)
    assert swept.sizes == {"temperature": 4, "branch": 2, "points": 2, "time": 5}
    expected = predict(Regimes, temperature=axes["temperature"], branch=axes["branch"], points=5)
    np.testing.assert_allclose(swept.value_theory.sel(points=5), expected.value, rtol=1e-14)
    np.testing.assert_allclose(swept.curve_theory.sel(points=5), expected.curve, rtol=1e-14)
    np.testing.assert_array_equal(swept.theory_status.sel(points=5), expected.status)
    np.testing.assert_array_equal(
        np.isnan(swept.curve_theory.sel(points=3)).all(["temperature", "branch"]), [0, 0, 0, 1, 1]
    )
    np.testing.assert_allclose(swept.time_value.sel(points=3)[0, 0], [0, 0.5, 1, np.nan, np.nan])
    assert np.isnan(swept.value_theory.sel(temperature=7.0)).all()
    assert study_status(tmp_path / "theory.zarr").complete


def test_curves_are_measured():
    swept = sweep(
        Regimes,
        temperature=[0.0, 1.0],
        parameters={"points": 4},
        sizes=[10, 1000],
        realizations=3,
        workers=1,
        block=(1, 2),
    )
    assert swept.curve.dims == ("temperature", "size", "realization", "time")
    np.testing.assert_allclose(swept.time, np.linspace(0, 1, 4))
    alone = realize(Regimes(temperature=1.0, points=4), 1000, range(3))
    np.testing.assert_array_equal(swept.curve.sel(temperature=1.0, size=1000), alone.values["curve"])
    assert swept.curve_theory.dims == ("temperature", "time")


def test_theory_that_cannot_be_traced_and_none_at_all():
    looped = sweep(Looped, order=np.linspace(0, 5, 21))
    inside = looped.order <= 4
    np.testing.assert_allclose(looped.power_theory[inside], 2.0 ** looped.order[inside])
    assert np.isnan(looped.power_theory[~inside]).all() and (looped.theory_status[~inside] == 1).all()
    assert sweep(Looped, order=4.5).theory_status == 1
    assert "value_theory" not in sweep(
        Troubled, rate=[0.0], sizes=[0 + 1], realizations=2, memory_limit=2**40, workers=1
    )


def test_theory_can_come_later(tmp_path):
    study = {"drift": [0.0, 1.0], "sizes": [5], "realizations": 2, "workers": 1, "store": tmp_path / "study.zarr"}
    assert np.isnan(sweep(SlowWalk, theory=False, **study).end_theory).all()
    np.testing.assert_array_equal(sweep(SlowWalk, **study).end_theory[:, 0], [0.0, 1.0])


def test_lazy_indexing_is_that_of_the_values(tmp_path):
    lazy = sweep(SlowWalk, workers=1, block=(2, 3), store=tmp_path / "study.zarr", **STUDY)
    values = open_study(tmp_path / "study.zarr").end.values
    for key in (
        (0,),
        (slice(None), 1, 0, 3),
        (slice(None, None, -1), [2, 0]),
        (1, slice(1, None), slice(None), [0, 5, 2]),
        (0, 0, 0, 0),
        (slice(0, 0),),
    ):
        expected = values
        for axis, k in reversed(list(enumerate(key))):
            expected = expected[(slice(None),) * axis + (k,)]
        np.testing.assert_array_equal(lazy.end[key].values, expected)
    assert lazy.end.sel(size=30, drift=-1.0).values.tobytes() == values[:, 1, 1].tobytes()


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_points_never_stop_a_study(tmp_path, workers):
    store = tmp_path / "study.zarr"
    faults = ["none", "key", "memory", "value", "refuse"]
    swept = sweep(SlowWalk, fault=faults, sizes=[5, 6], realizations=4, store=store, block=(2, 3), workers=workers)
    good = swept.sel(fault="none")
    assert (good.done == 1).all() and np.isfinite(good.end).all()
    bad = swept.sel(fault=faults[1:])
    assert (bad.done == 2).all() and np.isnan(bad.end).all() and (bad.seed > 0).all()
    assert np.isnan(swept.end_theory.sel(fault="refuse")).all() and np.isfinite(swept.end_theory.sel(fault="key")).all()
    status = study_status(store)
    assert (status.done, status.failed, status.open, status.theory_failed) == (8, 32, 0, 2) and status.complete
    failures = [entry for path in (store / "failed").glob("*.*.*.json") if "theory" not in path.name
                for entry in json.loads(path.read_text())["failures"]]  # fmt: skip
    texts = {entry["parameters"]["fault"]: entry["error"] for entry in failures}
    assert texts == {
        "key": "KeyError: 'missing'",
        "memory": "MemoryError: too large",
        "value": "ValueError: invalid literal for int() with base 10: 'no number'",
        "refuse": "ValueError: this combination is refused",
    }
    assert {entry["seed"] for entry in failures} == set(bad.seed.values.ravel().tolist())


def test_draws_that_fail_in_a_batch_leave_their_partners_alone():
    class Fragile(Walk):
        """A batched walk that fails for one seed in three."""

        def simulate_batch(self, instances):
            if any(instance.seed % 3 == 0 for instance in instances):
                raise ValueError("divisible by three")
            return super().simulate_batch(instances)

    swept = sweep(Fragile, sizes=[20], realizations=16, workers=1, block=(1, 16))
    failing = swept.seed % 3 == 0
    assert 0 < int(failing.sum()) < 16
    np.testing.assert_array_equal(swept.done == 2, failing)
    for options in ({"block": (1, 3)}, {"block": (1, 1)}):
        assert_same_bits(sweep(Fragile, sizes=[20], realizations=16, workers=1, **options), swept)


def test_failed_realisations_are_retried_on_request(tmp_path, monkeypatch):
    marker, store = tmp_path / "marker", tmp_path / "study.zarr"
    monkeypatch.setenv("WALK_FAILS_WHILE", str(marker))
    marker.touch()
    study = {"fault": ["none", "once", "key"], "sizes": [5], "realizations": 4, "workers": 1, "block": (3, 2)}
    first = sweep(SlowWalk, store=store, **study).load()
    assert first.done.values[:, 0].tolist() == [[1] * 4, [2] * 4, [2] * 4]
    marker.unlink()
    assert (sweep(SlowWalk, store=store, **study).done == first.done).all()
    second = sweep(SlowWalk, store=store, retry_failed=True, **study).load()
    assert second.done.values[:, 0].tolist() == [[1] * 4, [1] * 4, [2] * 4]
    np.testing.assert_array_equal(second.seed, first.seed)
    np.testing.assert_array_equal(second.end[0], first.end[0])
    np.testing.assert_array_equal(second.end[1, 0], realize(SlowWalk(fault="once"), 5, range(4)).values["end"])
    assert {failure["parameters"]["fault"] for failure in study_status(store).failures} == {"key"}


def test_failed_realisations_stay_when_their_block_is_filled_up(tmp_path, monkeypatch):
    marker, study = tmp_path / "marker", {"fault": "once", "sizes": [5], "workers": 1, "block": (1, 4)}
    monkeypatch.setenv("WALK_FAILS_WHILE", str(marker))
    marker.touch()
    first = study | {"store": tmp_path / "study.zarr", "realizations": 6}
    sweep(SlowWalk, **first)
    marker.unlink()
    larger = sweep(SlowWalk, extend=True, **first | {"realizations": 7})
    assert larger.done.values.tolist() == [[2, 2, 2, 2, 2, 2, 1]]
    failures = json.loads((tmp_path / "study.zarr" / "failed" / "0.0.1.json").read_text())["failures"]
    assert [failure["realization"] for failure in failures] == [4, 5]


def test_block_that_kills_its_worker_fails_and_the_others_go_on():
    swept = sweep(SlowWalk, fault=["none", "kill"], sizes=[5], realizations=4, workers=2, block=(1, 4))
    assert (swept.done.sel(fault="none") == 1).all()
    assert (swept.done.sel(fault="kill") == 2).all() and (swept.seed > 0).all()
    np.testing.assert_array_equal(
        swept.end.sel(fault="none"), sweep(SlowWalk, sizes=[5], realizations=4, workers=1).end
    )


def test_progress_starts_with_what_is_stored(tmp_path):
    seen = []
    study = {"drift": [0.0, 1.0], "sizes": [5], "realizations": 4, "workers": 1, "block": (1, 2)}
    sweep(SlowWalk, store=tmp_path / "s.zarr", progress=lambda *counts: seen.append(counts), **study)
    assert seen == [(0, 8), (2, 8), (4, 8), (6, 8), (8, 8)]
    sweep(
        SlowWalk, store=tmp_path / "s.zarr", extend=True, progress=lambda *counts: seen.append(counts),
        **study | {"realizations": 6},
    )  # fmt: skip
    assert seen[5:] == [(8, 12), (10, 12), (12, 12)]


def test_memory_decides_how_many_workers():
    study = describe(Troubled, {"rate": [0.0, 0.1]}, None, [1], 2, 0, False)
    gib = 2.0**30
    assert plan.allowed_workers(study, 8, 100 * gib, fixed=False) == 8
    assert plan.allowed_workers(study, 8, 5 * gib, fixed=False) == 3
    assert plan.allowed_workers(study, 8, 1.2 * gib, fixed=False) == 1
    with pytest.raises(ResourceError, match=r"needs about 1\.00 GiB.*choose smaller sizes"):
        plan.allowed_workers(study, 8, 0.9 * gib, fixed=False)
    with pytest.raises(ResourceError, match="8 at once"):
        plan.allowed_workers(study, 8, 5 * gib, fixed=True)
    with pytest.raises(ResourceError, match="memory_limit"):
        sweep(Troubled, sizes=[10**6], realizations=2)


def test_blocks_follow_the_time_of_a_realisation(monkeypatch):
    def shape(seconds, points, realizations, workers=1, **more):
        study = describe(SlowWalk, {"drift": np.linspace(-1, 1, points)}, None, [10], realizations, 0, False)
        monkeypatch.setattr(plan, "time_realizations", lambda study: {"10": seconds})
        return shape_blocks(study, more.get("block"), more.get("block_seconds", 2.0), workers).width

    assert shape(0.01, 1000, 10) == (20, 10)
    assert shape(0.1, 100, 100) == (1, 20)
    assert shape(30.0, 10, 5) == (1, 1)
    assert shape(0.01, 10, 10, workers=2) == (1, 10)
    points, realizations = shape(0.001, 100_000, 10)
    assert realizations == 10 and 2.0 <= points * 10 * 0.001 <= 10.0
    assert shape(0.01, 100, 10, block=(7, 3)) == (7, 3)
    study = describe(Walk, {"step": [1.0]}, None, [10], 50, 0, False)
    monkeypatch.setattr(plan, "time_realizations", lambda study: {"10": 0.3})
    assert shape_blocks(study, None, 2.0, 1).width == (1, 8)


def test_pilot_times_a_realisation_and_survives_bad_points():
    study = describe(SlowWalk, {"wait": [0.02], "fault": ["none", "key"]}, None, [10], 4, 0, False)
    assert 0.02 <= plan.time_realizations(study)["10"] < 0.2
    study = describe(SlowWalk, {"fault": ["refuse"]}, None, [10], 4, 0, False)
    assert plan.time_realizations(study) == {}


def test_number_of_files_is_bounded_and_known(tmp_path):
    study = describe(SlowWalk, {"drift": [0.0, 1.0, 2.0]}, None, [5, 6], 4, 0, False)
    sweep(SlowWalk, drift=[0.0, 1.0, 2.0], sizes=[5, 6], realizations=4, block=(2, 3), workers=1, store=tmp_path / "s")
    files = len([path for name in ("drift", "scalars", "done", "seed") for path in (tmp_path / "s" / name).iterdir()])
    specs = layout.arrays(study.canonical(), study.coded(), (2, 3), 3)
    blocks = 2 * 2 * 2
    assert files == 4 + 1 + 3 * blocks
    assert layout.file_count(specs) == files + (2 + 1) + 3 * (2 + 1) + blocks  # size, theory, one failure file a block


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"drfit": [1.0]}, ParameterError, "no parameter 'drfit', did you mean 'drift'"),
        ({"drift": [1.0, 7.0]}, ParameterError, r"drift \(v\) is 7 at position 1, outside \[-5, 5\]"),
        ({"drift": [1.0, float("nan")]}, ParameterError, "is nan at position 1"),
        ({"drift": [1.0, "a"]}, ParameterError, "drift .* is 'a'"),
        ({"drift": ["a"]}, ParameterError, "drift .* is 'a'"),
        ({"drift": [True]}, ParameterError, "drift .* is True"),
        ({"drift": []}, ParameterError, "at least one"),
        ({"drift": [[1.0]]}, ParameterError, "one-dimensional"),
        ({"drift": [1.0, 2.0, 1.0]}, ParameterError, "drift has the value 1.0 twice"),
        ({"drift": 9.0}, ParameterError, "drift .* is 9, outside"),
        ({"fault": ["none", "kye"]}, ParameterError, "is 'kye', did you mean 'key'"),
        ({"sizes": [0]}, DataError, "size is 0"),
        ({"sizes": [2.5]}, DataError, "size is 2.5"),
        ({"realizations": 0}, DataError, "realizations is 0"),
        ({"seed": -1}, ParameterError, "seed is -1"),
        ({"workers": 0}, ParameterError, "workers is 0"),
        ({"block": (0, 3)}, ParameterError, r"block is \(0, 3\)"),
        ({"block": 3}, ParameterError, "block is 3"),
        ({"block_seconds": 0.0}, ParameterError, "block_seconds is 0"),
        ({"points": [{"drift": 1.0}], "width": [1.0]}, ParameterError, "points was given beside the axes width"),
        ({"points": [{"drift": 1.0}, {"width": 1.0}]}, ParameterError, "point 1 has the parameters width"),
        ({"points": {"drift": [1.0], "width": [1.0, 2.0]}}, ParameterError, "lengths"),
        ({"points": []}, ParameterError, "at least one point"),
        ({"points": "drift"}, ParameterError, "points is a str"),
        ({"points": [{"drift": 1.0}, {"drift": 1.0}]}, ParameterError, "twice"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_wrong_arguments_are_one_line(tmp_path, arguments, error, words):
    with pytest.raises(error, match=words) as caught:
        sweep(SlowWalk, store=tmp_path / "study.zarr", **{"sizes": [5], **arguments})
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_is_no_system_or_has_no_simulation():
    with pytest.raises(ParameterError, match="give a system class"):
        sweep(3)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"there is no system 'memory\.hopfeild'"):
        sweep("memory.hopfeild")
    with pytest.raises(DataError, match="Looped has no simulation"):
        sweep(Looped, sizes=[3])
    with pytest.raises(ParameterError, match="is an array; give it as an axis"):
        sweep(SlowWalk(drift=np.array([0.0, 1.0])))


FILE = """
# a study
[study]
system = "memory.hopfield"
sizes = [40, 60]
realizations = 3
seed = 7

[parameters]
load = {start = 0.05, stop = 0.15, count = 3}
temperature = [0.0, 0.2]
dynamics = "sequential"
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "study.toml"
        path.write_text(text)
        return path

    return write


def test_study_file(write, tmp_path):
    found = read_study(write(FILE))
    assert issubclass(found.system, System) and found.system.__name__ == "Hopfield"
    assert found.store == tmp_path / "study.zarr"
    assert found.options["sizes"] == [40, 60] and found.options["seed"] == 7
    np.testing.assert_allclose(found.options["parameters"]["load"], [0.05, 0.1, 0.15])
    logarithmic = FILE.replace("count = 3", 'count = 3, spacing = "log"')
    np.testing.assert_allclose(
        read_study(write(logarithmic)).options["parameters"]["load"], np.geomspace(0.05, 0.15, 3)
    )
    listed = (
        '[study]\nsystem = "memory.hopfield"\nstore = "there.zarr"\n[[points]]\nload = 0.1\n[[points]]\nload = 0.2\n'
    )
    found = read_study(write(listed))
    assert found.options["points"] == [{"load": 0.1}, {"load": 0.2}] and found.store == tmp_path / "there.zarr"
    found = read_study(write('study = {system = "tests.core.walk:SlowWalk"}\n'))
    assert found.system is SlowWalk


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("realizations = 3", "realizations = = 3", 6, "Invalid value"),
        ("seed = 7", "seed = 7\nseed = 8", 8, "Cannot overwrite"),
        ('dynamics = "sequential"', 'dynamics = "sequential', 12, ""),
        ("realizations = 3", "realisations = 3", 6, "unknown key 'realisations', did you mean 'realizations'"),
        ("[parameters]", "[paramters]", 9, "unknown table 'paramters', did you mean 'parameters'"),
        ("sizes = [40, 60]", 'sizes = "40"', 5, "sizes is '40'; give a list or a whole number"),
        ("sizes = [40, 60]", "sizes = [40, 0]", 5, "size is 0"),
        ("seed = 7", "seed = true", 7, "seed is True"),
        ("seed = 7", "seed = -7", 7, "seed is -7"),
        ('"memory.hopfield"', '"memory.hopfeild"', 4, "did you mean 'memory.hopfield'"),
        ("load = {", "laod = {", 10, "did you mean 'load'"),
        ("count = 3", "cuont = 3", 10, "unknown key 'cuont' of load"),
        ("count = 3", "count = 0", 10, "a count of at least 1"),
        ("[0.0, 0.2]", "[0.0, -0.2]", 11, "temperature .* is -0.2 at position 1"),
        ("[0.0, 0.2]", "[]", 11, "temperature is"),
        ('"sequential"', '"parrallel"', 12, "did you mean 'parallel'"),
        ('system = "memory.hopfield"', "", 3, "system is missing"),
    ],
)
def test_mistakes_in_a_study_file_name_the_line(write, capsys, old, new, line, words):
    assert old in FILE
    path = write(FILE.replace(old, new))
    with pytest.raises(ParameterError, match=f"line {line}: .*{words}") as caught:
        read_study(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ") and "\n" not in str(caught.value)
    assert command(["sweep", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not path.with_suffix(".zarr").exists()


def test_study_file_that_is_not_there(tmp_path):
    with pytest.raises(ParameterError, match="there is no file"):
        read_study(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="cannot be read"):
        read_study(tmp_path / "binary.toml")


WALKS = (
    '[study]\nsystem = "tests.core.walk:SlowWalk"\nsizes = [5]\nrealizations = 4\n[parameters]\ndrift = [0.0, 1.0]\n'
)


def test_commands_sweep_and_status(write, tmp_path, capsys):
    path = write(WALKS + 'fault = ["none", "key"]\n')
    assert command(["sweep", str(path), "--workers", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["done"], printed["failed"], printed["complete"], printed["running"]) == (8, 8, True, None)
    assert printed["failures"][0]["error"] == "KeyError: 'missing'"
    store = str(tmp_path / "study.zarr")
    assert command(["status", store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == printed
    assert command(["status", store]) == 0
    text = capsys.readouterr().out
    assert "8 of 16 done, 8 failed, 0 open" in text and "complete" in text and "KeyError: 'missing'" in text
    assert command(["sweep", str(path), "--workers", "1", "--store", str(tmp_path / "other.zarr")]) == 0
    assert "8 of 16 done" in capsys.readouterr().out
    write(WALKS)
    assert command(["sweep", str(path), "--workers", "1"]) == 1
    assert "holds another study" in capsys.readouterr().err
    assert command(["status", str(tmp_path / "absent.zarr")]) == 1
    assert command(["sweep", str(path), "--wrokers", "1"]) == 2


def test_command_whose_realisations_all_fail_fails(write, capsys):
    assert command(["sweep", str(write(WALKS + 'fault = "value"\n')), "--workers", "1"]) == 1
    captured = capsys.readouterr()
    assert "every realisation failed" in captured.err and "no number" in captured.err


def test_executors_are_interchangeable_objects():
    threads = set()

    class Watched(Threads):
        def run(self, function, tasks):
            def watched(*task):
                threads.add(threading.get_ident())
                return function(*task)

            return super().run(watched, tasks)

    sweep(SlowWalk, wait=[0.01, 0.011, 0.012, 0.013], sizes=[5], realizations=1, executor=Watched(2), block=(1, 1))
    assert len(threads) == 2
    assert (Serial().workers, Processes(2).workers) == (1, 2)


SCRIPT = """
import sys
from replicon import Instance, Observables, Scalar, System, observable, parameter, sweep

class Own(System):
    level: float = parameter(0.5, symbol="x", doc="a field of its own")

    class Observables(Observables):
        value: Scalar = observable("y", "what is measured", face="measured")

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        return self.Observables(value=self.level + instance.seed % 1000)

if GUARD:
    study = dict(level=[0.0, 1.0], sizes=[3], realizations=2, block=(1, 1))
    here, there = sweep(Own, workers=1, **study), sweep(Own, workers=2, **study)
    print((there.done == 1).all().item(), (here.value == there.value).all().item())
"""


@pytest.mark.parametrize(
    ("guard", "typed", "words"),
    [
        ('__name__ == "__main__"', False, "True True"),
        ("True", False, "put the call under if __name__"),
        ("True", True, "Own is defined where worker processes cannot see it"),
    ],
)
def test_system_defined_in_a_script_or_at_a_prompt(tmp_path, guard, typed, words):
    text = SCRIPT.replace("GUARD", guard)
    (tmp_path / "script.py").write_text(text)
    command = [sys.executable, *(["-"] if typed else ["script.py"])]
    done = subprocess.run(command, input=text, cwd=tmp_path, capture_output=True, text=True)
    assert words in (done.stdout or done.stderr)
