"""Stores in an object store: a real server that speaks S3, with errors now and then or for good."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from zarr.storage import FsspecStore

from replicon import StoreError, open_study, study_status, sweep
from replicon.cli.app import run as command
from replicon.core.store import remote
from replicon.core.store.blocks import LOG_VARIABLE
from replicon.core.store.place import place_of
from replicon.core.store.remote import Remote
from replicon.core.sweep.study import describe
from tests.core.bucket import serve
from tests.core.walk import SlowWalk

STUDY = {"drift": [0.0, 1.0, 2.0], "fault": ["none", "value"], "sizes": [5, 9], "realizations": 4, "workers": 1}
BLOCK = (2, 3)
BLOCKS = 3 * 2 * 2


def run(store, **more):
    return sweep(SlowWalk, store=store, **{**STUDY, "block": BLOCK, **more})


def refused(call, match):
    with pytest.raises(StoreError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def bucket():
    with serve() as bucket:
        yield bucket


@pytest.fixture(autouse=True)
def calm(bucket):
    yield
    bucket.fail()


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The study in a folder."""
    folder = tmp_path_factory.mktemp("local") / "study.zarr"
    run(folder)
    return folder


@pytest.fixture
def log(tmp_path, monkeypatch):
    path = tmp_path / "log"
    monkeypatch.setenv(LOG_VARIABLE, str(path))
    return path


def events(log, event):
    return [line.split()[1] for line in log.read_text().splitlines() if line.startswith(event)] if log.exists() else []


def files(store):
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in Path(store).glob("*/c.*")}


@pytest.fixture(scope="module")
def finished(bucket, local):
    url = bucket.url()
    run(url)
    return url


def test_store_has_the_bytes_of_a_folder(bucket, local, finished, log):
    assert bucket.chunks(finished) == files(local)
    there, here = open_study(finished).load(), open_study(local).load()
    for name in here.variables:
        np.testing.assert_array_equal(there[name].values, here[name].values, err_msg=name)
    status = study_status(finished)
    assert (status.store, status.done, status.failed, status.complete) == (finished, 24, 24, True)
    assert status.failures[0]["error"].startswith("ValueError: invalid literal")
    run(finished)
    assert not log.exists()


def test_errors_now_and_then_change_nothing(bucket, local, log, monkeypatch):
    monkeypatch.setattr(remote, "PAUSES", (0.01, 0.02, 0.05))
    url = bucket.url()
    bucket.fail(codes=[500, 503], share=0.05)
    run(url)
    assert bucket.fail() > 5
    assert bucket.chunks(url) == files(local)
    assert len(events(log, "start")) == len(set(events(log, "end"))) == BLOCKS


@pytest.mark.parametrize("part", ["/scalars/c.", "/seed/c.", "/failed/", "/done/c."])
def test_refusal_in_the_middle_keeps_what_is_stored(bucket, local, log, part):
    url = bucket.url()
    bucket.fail(codes=[403], methods=["PUT"], part=part, spare=5)
    refused(lambda: run(url), "could not be written: permission denied .*is intact")
    assert bucket.fail() == 1  # a refusal is not asked for again
    marked = {name.removeprefix("done/c.") for name in bucket.chunks(url) if name.startswith("done/c.")}
    assert len(marked) == (4 if part == "/failed/" else 5)  # failed/zarr.json is one of the five
    before = bucket.chunks(url)
    for key in marked:
        assert {f"scalars/c.{key}.0", f"seed/c.{key}"} <= set(before)
    opened = open_study(url).load()
    np.testing.assert_array_equal(np.isfinite(opened.end), opened.done == 1)
    first = events(log, "end")
    assert set(first) == marked
    run(url)
    assert bucket.chunks(url) == files(local)
    assert sorted(events(log, "end")) == sorted(set(events(log, "end")))


@pytest.mark.parametrize("part", ["done/c.", "scalars/c.", "zarr.json"])
def test_what_cannot_be_read_is_an_error_and_never_a_number(bucket, finished, part):
    bucket.fail(codes=[403], methods=["GET"], part=part)
    refused(lambda: open_study(finished).load(), "could not be read: permission denied")
    if part == "scalars/c.":
        # a refusal is no damage: nothing is opened again, let alone removed
        refused(lambda: run(finished, repair=True), "could not be read: permission denied")
    bucket.fail()
    assert study_status(finished).complete


def test_errors_that_pass_are_tried_again_and_then_named(bucket, finished, monkeypatch):
    monkeypatch.setattr(remote, "PAUSES", (0.01, 0.01, 0.01))
    place, tries = Remote(finished), []

    def flaky(path, **options):
        tries.append(path)
        if len(tries) < 4 or endless:
            raise TimeoutError("no answer")
        return b"content"

    monkeypatch.setattr(place._files, "cat_file", flaky)
    endless = False
    assert place.read("done/zarr.json") == b"content" and len(tries) == 4
    tries.clear()
    endless = True
    refused(lambda: place.read("done/zarr.json"), "done/zarr.json could not be read: no answer")
    assert len(tries) == 4


def test_chunk_whose_request_fails_is_asked_for_again(finished, monkeypatch):
    monkeypatch.setattr(remote, "PAUSES", (0.01, 0.01, 0.01))
    get, failed = FsspecStore.get, []

    async def flaky(self, *arguments):
        if len(failed) < 3:
            failed.append(arguments)
            raise TimeoutError("no answer")
        return await get(self, *arguments)

    monkeypatch.setattr(FsspecStore, "get", flaky)
    assert int(open_study(finished).done.sum()) == 24 + 2 * 24 and len(failed) == 3


def test_flipped_bit_is_found_and_repaired(bucket, local, finished, log):
    url = bucket.url()
    bucket.files().copy(finished, url, recursive=True)
    content = bytearray(bucket.chunks(url)["scalars/c.0.1.0.0"])
    content[len(content) // 2] ^= 4
    bucket.files().pipe_file(f"{url}/scalars/c.0.1.0.0", bytes(content))
    refused(lambda: open_study(url).load(), r"chunk c\.0\.1\.0\.0 of array scalars is damaged")
    run(url, repair=True)
    assert events(log, "start") == ["0.1.0"] and bucket.chunks(url) == files(local)


def test_old_listings_decide_nothing(finished, log, monkeypatch):
    monkeypatch.setattr(Remote, "names", lambda self, folder: {"creation.json"})
    assert (run(finished).done != 0).all()
    assert not log.exists()


def test_missing_chunk_is_not_read_as_empty(bucket, local, finished):
    url = bucket.url()
    bucket.files().copy(finished, url, recursive=True)
    bucket.files().rm(f"{url}/scalars/c.1.0.1.0")
    refused(lambda: open_study(url), r"chunk c\.1\.0\.1\.0 of array scalars is missing")
    run(url, repair=True)
    assert bucket.chunks(url) == files(local)


def test_two_makers_make_one_store(bucket, local, monkeypatch):
    """The second comes when the first has claimed the place and not yet written the rest."""
    url, create = bucket.url(), Remote.create
    second = []

    def interrupted(self, key, content):
        claim = create(self, key, content)
        if key == "creation.json" and not second:
            second.append(True)
            run(url, block=(1, 1))
        return claim

    monkeypatch.setattr(Remote, "create", interrupted)
    run(url)
    assert bucket.chunks(url) == files(local)


def test_maker_killed_in_the_middle_is_followed(bucket, local, monkeypatch):
    url, write = bucket.url(), Remote.write

    def killed(self, key, content):
        if key.startswith("seed/"):
            raise KeyboardInterrupt
        write(self, key, content)

    with monkeypatch.context() as patch:
        patch.setattr(Remote, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            run(url)
    refused(lambda: open_study(url), "there is no store at")
    refused(lambda: run(url, seed=1), "holds another study: seed is 0, asked 1")
    run(url, block=(1, 1))
    assert bucket.chunks(url) == files(local)


def test_extension_and_other_study(bucket, finished):
    url = bucket.url()
    bucket.files().copy(finished, url, recursive=True)
    larger = {"drift": [0.0, 1.0, 2.0, 3.0], "realizations": 5}
    result, fresh = run(url, extend=True, **larger).load(), run(None, **larger)
    for name in fresh.variables:
        np.testing.assert_array_equal(result[name].values, fresh[name].values, err_msg=name)
    refused(lambda: run(url, seed=3), "seed is 0, asked 3")


def test_places_that_are_no_store(bucket):
    refused(lambda: open_study("s3://studies/nothing.zarr"), "there is no store at s3://studies/nothing.zarr")
    refused(lambda: run("s3://no-such-bucket/study.zarr"), "no such bucket")
    bucket.files().pipe_file("s3://studies/letters/letter.txt", b"dear")
    refused(lambda: run("s3://studies/letters"), "no zarr.json: it is a folder and no store")
    assert place_of("file:///studies/a%20b").folder == Path("/studies/a b")
    refused(lambda: run(Path("s3://studies/a.zarr")), "s3:/studies/a.zarr was a URL before it became a Path")


def test_commands_take_a_url(bucket, finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "study.toml"
    url = bucket.url()
    study.write_text(
        f'[study]\nsystem = "tests.core.walk:SlowWalk"\nsizes = [5]\nrealizations = 2\nstore = "{url}"\n'
        "[parameters]\ndrift = [0.0, 1.0]\n"
    )
    assert command(["sweep", str(study), "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["store"] == url
    assert command(["status", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["complete"]
    assert command(["report", url]) == 0
    assert "end" in (tmp_path / "study.html").read_text()


def test_missing_package_is_named(tmp_path):
    code = (
        "import sys; sys.modules['s3fs'] = None\n"
        "import replicon\n"
        "try: replicon.open_study('s3://bucket/study.zarr')\n"
        "except replicon.StoreError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'replicon[s3]'" in done.stdout and done.stdout.count("\n") == 1


def test_seeds_of_a_store_are_those_of_the_study(finished):
    study = describe(SlowWalk, {"drift": STUDY["drift"], "fault": STUDY["fault"]}, None, [5, 9], 4, 0, False)
    point = open_study(finished).sel(drift=1.0, fault="none", size=9)
    system = study.system(2)
    assert float(point.end[3]) == system.simulate(system.sample(size=9, seed=int(point.seed[3]))).end
