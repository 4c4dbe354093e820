"""The store: what it holds, who may write it, and every way in which it can be damaged."""

import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr.storage._local

from replicon import ParameterError, StoreError, open_study, study_status, sweep
from replicon.core.store.blocks import LOG_VARIABLE
from replicon.core.store.opening import StudyStore
from tests.core.systems import Regimes
from tests.core.walk import SlowWalk

STUDY = {"drift": [0.0, 1.0, 2.0], "width": [0.5, 1.0], "sizes": [5, 9], "realizations": 6, "workers": 1}
BLOCK = (2, 3)


def run(store, **more):
    return sweep(SlowWalk, store=store, **{**STUDY, "block": BLOCK, **more})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    store = tmp_path_factory.mktemp("finished") / "study.zarr"
    run(store)
    return store


@pytest.fixture
def store(finished, tmp_path):
    """A copy that may be damaged."""
    return Path(shutil.copytree(finished, tmp_path / "study.zarr"))


def contents(store):
    """Name and bytes of every file but the locks and the runs' records."""
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(Path(store).rglob("*"))
        if path.is_file() and path.relative_to(store).parts[0] != "runs"
    }


def chunks(store):
    return {name: content for name, content in contents(store).items() if "/c." in name}


def refused(call, match):
    """Assert that the call raises a StoreError of one line that matches; returns the message."""
    with pytest.raises(StoreError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_layout_is_packed_and_checksummed(finished):
    names = {path.name for path in finished.iterdir()}
    columns = {"drift", "width", "size"}
    assert (
        names
        == {"scalars", "seed", "done", "theory", "theory_status", "theory_done", "runs", "failed", "zarr.json"}
        | columns
    )
    metadata = json.loads((finished / "scalars" / "zarr.json").read_text())
    assert [codec["name"] for codec in metadata["codecs"]] == ["bytes", "zstd", "crc32c"]
    assert metadata["dimension_names"] == ["point", "size", "realization", "observable"]
    assert metadata["chunk_grid"]["configuration"]["chunk_shape"] == [2, 1, 3, 3]
    for name in ("scalars", "seed", "done"):
        assert len(list((finished / name).glob("c.*"))) == 3 * 2 * 2


def test_opens_with_plain_xarray(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = xr.open_zarr(finished).load()
    assert plain.scalars.dims == ("point", "size", "realization", "observable")
    assert set(plain.coords) == {"drift", "width", "size"} and plain.seed.dtype == np.uint64
    index = plain.scalars.attrs["observable_names"].index("spread")
    result = open_study(finished)
    point = plain.where((plain.drift == 1.0) & (plain.width == 0.5), drop=True)
    expected = result.spread.sel(drift=1.0, width=0.5)
    np.testing.assert_array_equal(point.scalars.values[0, :, :, index], expected.values)


def test_finished_study_is_opened_without_computing(store, monkeypatch, tmp_path):
    monkeypatch.setenv(LOG_VARIABLE, str(tmp_path / "log"))
    before = contents(store)
    run(store)
    assert not (tmp_path / "log").exists()
    assert contents(store) == before


def array_chunks():
    blocks = ["scalars/c.1.0.1.0", "seed/c.0.1.0", "done/c.2.0.0"]
    return [*blocks, "theory/c.0.1.0", "theory_status/c.0.0", "theory_done/c.0.0", "drift/c.0", "size/c.1"]


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-3])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, truncate, empty])
@pytest.mark.parametrize("chunk", array_chunks())
def test_damaged_chunk_is_named_and_repaired(finished, store, chunk, damage, monkeypatch, tmp_path):
    damage(store / chunk)
    array, name = chunk.split("/")
    before = contents(store)
    message = refused(lambda: run(store), rf"chunk {name} of array {array} is damaged")
    assert "repair=True" in message
    if array != "size":  # the sizes are in the record, too
        refused(lambda: open_study(store).load(), rf"chunk {name} of array {array} is damaged")
    assert contents(store) == before
    monkeypatch.setenv(LOG_VARIABLE, str(tmp_path / "log"))
    run(store, repair=True)
    assert chunks(store) == chunks(finished)
    log = tmp_path / "log"
    started = [line.split()[1] for line in log.read_text().splitlines()[::2]] if log.exists() else []
    assert started == ([".".join(name.split(".")[1:4])] if array in ("scalars", "seed", "done") else [])


def test_missing_chunk_of_a_finished_block_is_damage(finished, store):
    (store / "scalars/c.1.0.1.0").unlink()
    for call in (lambda: open_study(store), lambda: run(store)):
        refused(call, r"chunk c\.1\.0\.1\.0 of array scalars is missing")
    run(store, repair=True)
    assert chunks(store) == chunks(finished)


def test_block_without_its_mark_is_not_shown_and_computed_again(finished, store, monkeypatch, tmp_path):
    (store / "done/c.1.0.1").unlink()
    opened = open_study(store)
    assert int((opened.done == 0).sum()) == 6
    for name in ("end", "spread"):
        np.testing.assert_array_equal(np.isnan(opened[name]), opened.done == 0)
    np.testing.assert_array_equal(opened.seed == 0, opened.done == 0)
    monkeypatch.setenv(LOG_VARIABLE, str(tmp_path / "log"))
    run(store)
    assert [line.split()[:2] for line in (tmp_path / "log").read_text().splitlines()] == [
        ["start", "1.0.1"],
        ["end", "1.0.1"],
    ]
    assert chunks(store) == chunks(finished)


def test_flip_after_opening_is_an_error_and_never_a_number(store):
    opened = open_study(store)
    flip(store / "scalars/c.0.0.0.0")
    assert np.isfinite(opened.end.sel(drift=2.0).values).all()
    refused(lambda: opened.end.values, r"chunk c\.0\.0\.0\.0 of array scalars is damaged")


@pytest.mark.parametrize("spoil", [Path.unlink, truncate], ids=["missing", "truncated"])
def test_spoiled_metadata_of_an_array(finished, store, spoil):
    spoil(store / "scalars" / "zarr.json")
    before = contents(store)
    for call in (lambda: run(store), lambda: open_study(store), lambda: study_status(store)):
        refused(call, "scalars/zarr.json is (missing|damaged)")
    assert contents(store) == before
    run(store, repair=True)
    assert chunks(store) == chunks(finished)


@pytest.mark.parametrize("spoil", [Path.unlink, truncate], ids=["missing", "truncated"])
def test_spoiled_record(store, spoil):
    spoil(store / "zarr.json")
    before = contents(store)
    for call in (lambda: run(store), lambda: open_study(store), lambda: run(store, repair=True)):
        refused(call, "metadata was deleted|is damaged")
    assert contents(store) == before


def edit(store, change):
    path = store / "zarr.json"
    content = json.loads(path.read_text())
    change(content["attributes"]["replicon"])
    path.write_text(json.dumps(content))


def test_newer_format_and_edited_record(store):
    edit(store, lambda record: record.update(format=2, replicon="9.0"))
    refused(lambda: run(store), r"has format 2 \(written by replicon 9\.0\).*install a newer replicon")
    edit(store, lambda record: record.update(format=1))
    edit(store, lambda record: record["study"].update(seed=5))
    refused(lambda: run(store), "does not match its checksum")


def test_other_study_is_refused_field_by_field(store):
    before = contents(store)
    message = refused(lambda: run(store, seed=3, wait=0.001, common_draws=True), "holds another study")
    assert "seed is 0, asked 3" in message and "fixed.wait is 0.0, asked 0.001" in message
    assert "common_draws is false, asked true" in message and "choose another store" in message
    message = refused(lambda: run(store, realizations=8), "realizations is 6, asked 8")
    assert "extend=True" in message
    message = refused(lambda: run(store, drift=[0.0, 1.0]), r"grid\.drift is \[0\.0,1\.0,2\.0\], asked \[0\.0,1\.0\]")
    refused(lambda: sweep(Regimes, temperature=[0.1], sizes=[5], store=store), "system is .*SlowWalk, asked .*Regimes")
    assert contents(store) == before


def test_what_is_no_store_is_left_alone(tmp_path):
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    refused(lambda: run(folder), "no zarr.json: it is a folder and no store")
    refused(lambda: run(folder / "letter.txt"), "is a file and no store")
    xr.Dataset({"a": ("x", np.ones(3))}).to_zarr(tmp_path / "other.zarr", consolidated=False)
    refused(lambda: run(tmp_path / "other.zarr"), "that Replicon did not write")
    refused(lambda: open_study(tmp_path / "absent.zarr"), "there is no store at")
    refused(lambda: run("memory://study.zarr"), "no other process sees this memory")
    refused(lambda: run("nowhere://bucket/study.zarr"), "nowhere.*give a folder, or a URL such as s3://")
    assert (folder / "letter.txt").read_text() == "dear"
    assert (xr.open_zarr(tmp_path / "other.zarr", consolidated=False).a == 1).all()


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")]
)
def test_write_error_in_the_middle_keeps_what_is_stored(finished, tmp_path, monkeypatch, number, words):
    store = tmp_path / "study.zarr"
    put, written = zarr.storage._local._put, []

    def full(path, value, *arguments, **options):
        if path.parent.name == "scalars" and path.name.startswith("c."):
            written.append(path)
            if len(written) > 5:
                raise OSError(number, os.strerror(number))
        return put(path, value, *arguments, **options)

    monkeypatch.setattr(zarr.storage._local, "_put", full)
    message = refused(lambda: run(store), words)
    assert "of array scalars could not be written" in message and "is intact" in message
    monkeypatch.setattr(zarr.storage._local, "_put", put)
    assert study_status(store).done == 5 * 6
    kept = chunks(store)
    run(store)
    assert chunks(store) == chunks(finished)
    assert kept.items() <= chunks(finished).items()


def test_full_disk_at_the_end_of_a_file(tmp_path):
    """A limit on the size of files, set by the system, cuts the write short instead of a simulated error."""
    code = (
        "import resource, signal, sys, replicon\n"
        "from walk import SlowWalk\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "study = dict(drift=[0.0, 1.0], sizes=[5], realizations=2000, block=(1, 2000), workers=1, store=sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16384, resource.RLIM_INFINITY))\n"
        "try: replicon.sweep(SlowWalk, **study)\n"
        "except replicon.StoreError as error: print(error)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "print(replicon.study_status(sys.argv[1]).done, int(replicon.sweep(SlowWalk, **study).done.sum()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "study.zarr")], capture_output=True, text=True, env=environment
    )
    lines = done.stdout.splitlines()
    assert "of array scalars could not be written: the file would exceed" in lines[0], done.stderr
    assert lines[1:] == ["0 4000"]


def test_store_that_cannot_be_made_or_locked(store, tmp_path, monkeypatch):
    refused(lambda: run("/proc/replicon/study.zarr"), "could not be written")
    (store / "runs" / "writer.lock").unlink()
    (store / "runs" / "writer.lock").mkdir()
    before = contents(store)
    refused(lambda: run(store), "the lock could not be written")
    assert contents(store) == before
    assert (open_study(store).done == 1).all()


def test_creation_is_all_or_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "rename", lambda *paths: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    refused(lambda: run(tmp_path / "study.zarr"), "the disk is full")
    assert list(tmp_path.iterdir()) == []


HOLD = """
import sys, time
from replicon.core.store.lock import writer
from replicon.core.store.place import place_of
with writer(place_of(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_sweeps_on_one_store(store):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(store)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        message = refused(lambda: run(store), f"is being written by process {holder.pid}")
        assert "replicon status" in message
        assert (study_status(store).running or {}).get("pid") == holder.pid
        assert (open_study(store).done == 1).all()
    finally:
        holder.kill()
        holder.communicate()
    assert study_status(store).running is None
    run(store)


def test_status_and_reading_while_it_runs(tmp_path):
    store, seen = tmp_path / "study.zarr", []

    def look(done, total):
        status = study_status(store)
        opened = open_study(store)
        assert status.done == done == int((opened.done == 1).sum())
        np.testing.assert_array_equal(np.isfinite(opened.end), opened.done == 1)
        assert (opened.seed.values > 0).sum() == done
        seen.append((done, total, status.running is not None, status.complete))

    run(store, progress=look)
    assert seen[0] == (0, 72, True, False) and seen[-1] == (72, 72, True, True)
    assert [done for done, *_ in seen] == list(range(0, 73, 6))
    status = study_status(store)
    assert status.running is None and status.complete and status.blocks == status.blocks_done == 12
    assert (status.points, status.sizes, status.realizations) == (6, [5, 9], 6)
    json.dumps(status.as_dict(), allow_nan=False)


def test_half_written_files_are_ignored_and_removed_when_old(store):
    old, young = store / "scalars" / "c.0.0.0.0.abc.partial", store / "done" / "c.0.0.0.def.partial"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert study_status(store).complete
    run(store)
    assert not old.exists() and young.exists()


def test_more_realizations_points_and_sizes(finished, store):
    before = {name: content for name, content in contents(store).items() if name.startswith(("scalars/c", "seed/c"))}
    larger = {"realizations": 9, "drift": [0.0, 0.5, 1.0, 2.0], "sizes": [5, 7, 9]}
    result = run(store, extend=True, **larger).load()
    after = contents(store)
    assert before.items() <= after.items()
    fresh = sweep(SlowWalk, **{**STUDY, **larger})
    for name in fresh.variables:
        np.testing.assert_array_equal(result[name].values, fresh[name].values, err_msg=name)
    run(store, **larger)
    refused(lambda: run(store), "realizations is 9, asked 6")
    refused(lambda: run(store, extend=True), "an extension only adds")
    old = open_study(finished)
    np.testing.assert_array_equal(
        result.end.sel(drift=old.drift, size=old["size"], realization=old.realization), old.end
    )


def test_extension_within_a_block_and_of_words(tmp_path):
    store = tmp_path / "study.zarr"
    first = {
        "points": [{"drift": 0.1, "fault": "none"}, {"drift": 0.2, "fault": "none"}, {"drift": 0.3, "fault": "key"}]
    }
    options = {"sizes": 4, "workers": 1, "block": (2, 3)}
    sweep(SlowWalk, store=store, realizations=4, **options, **first)
    second = [*first["points"], {"drift": 0.4, "fault": "value"}, {"drift": 0.5, "fault": "none"}]
    result = sweep(SlowWalk, store=store, realizations=5, extend=True, points=second[::-1], **options)
    result, fresh = result.sortby("drift"), sweep(SlowWalk, realizations=5, points=second, **options)
    for name in fresh.variables:
        np.testing.assert_array_equal(result[name].values, fresh[name].values, err_msg=name)
    assert study_status(store).failed == 10
    assert result.fault.values.tolist() == ["none", "none", "key", "value", "none"]


def test_extension_killed_in_the_middle(finished, store, monkeypatch):
    def killed(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "write_record", killed)
        with pytest.raises(KeyboardInterrupt):
            run(store, realizations=9, drift=[0.0, 0.5, 1.0, 2.0], extend=True)
    run(store)
    xr.testing.assert_identical(open_study(store).load().drop_attrs(), open_study(finished).load().drop_attrs())
    result = run(store, realizations=9, drift=[0.0, 0.5, 1.0, 2.0], extend=True)
    assert (result.done == 1).all() and result.done.size == 8 * 2 * 9


def test_too_many_files_are_refused_with_advice(tmp_path):
    many = {"drift": np.linspace(-1, 1, 300), "width": np.linspace(0, 1, 300), "sizes": [5], "realizations": 8}
    with pytest.raises(ParameterError, match=r"360[0-9]{3,4} files, more than 200000; give larger blocks"):
        sweep(SlowWalk, store=tmp_path / "study.zarr", block=(1, 8), workers=1, **many)
    assert not list(tmp_path.iterdir())


def test_runs_are_recorded(finished):
    records = [json.loads(path.read_text()) for path in (finished / "runs").glob("*.json") if path.name != "zarr.json"]
    (record,) = records
    assert record["outcome"] == "complete" and record["finished_before"] == 0 and record["finished_after"] == 72
    assert record["versions"]["jax"] and record["machine"] and record["end"] >= record["start"]
