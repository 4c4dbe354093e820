"""Sweeps on Dask: a cluster of processes, killed, stopped, lost, of other versions; the numbers stay the same."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from replicon import ParameterError, ResourceError, StoreError, open_study, study_status, sweep
from replicon.cli.app import run as command
from replicon.core import cluster as clusters
from replicon.core.cluster import Cluster, connect
from replicon.core.errors import RunFailedError
from replicon.core.store import blocks as storage
from replicon.core.store.blocks import LOG_VARIABLE
from replicon.core.sweep import run as sweeps
from replicon.core.sweep import work
from tests.core.bucket import serve
from tests.core.test_sweep_kill import assert_same_numbers, data_files, events, in_work
from tests.core.walk import SlowWalk

STUDY = {"drift": [0.0, 1.0, 2.0], "width": [1.0, 2.0], "wait": 0.02, "sizes": [20, 40], "realizations": 12}
BLOCK = (1, 4)
BLOCKS = 6 * 2 * 3
PROGRAMS = Path(sys.executable).parent


def run(store, **more):
    return sweep(SlowWalk, store=store, **{**STUDY, "block": BLOCK, **more})


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Where every process writes which blocks it starts and ends."""
    path = tmp_path_factory.mktemp("log") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOG_VARIABLE, str(path))
        yield path


@pytest.fixture(scope="module")
def bucket(log):
    with serve() as bucket:
        yield bucket


@pytest.fixture(scope="module")
def client(bucket):
    """A cluster of two processes, in which a task that meets a death is tried alone at once."""
    import distributed  # noqa: F401  (before the options are set: they are put back as they were then)
    from dask import config

    with config.set({"distributed.scheduler.allowed-failures": 0}), connect("local", 2) as client:
        yield client


@pytest.fixture(scope="module")
def alone(tmp_path_factory, log):
    """The study computed in this process."""
    store = tmp_path_factory.mktemp("alone") / "study.zarr"
    run(store, workers=1)
    return store


@pytest.fixture(autouse=True)
def fresh(log):
    log.unlink(missing_ok=True)


def ended(log):
    return Counter(key for event, key, _ in events(log) if event == "end")


def test_same_bytes_written_by_the_workers(alone, client, tmp_path, log):
    seen = []
    run(tmp_path / "study.zarr", client=client, progress=lambda done, total: seen.append((done, total)))
    assert data_files(tmp_path / "study.zarr") == data_files(alone)
    assert seen[0] == (0, 144) and seen[-1] == (144, 144) and len(seen) == 1 + BLOCKS
    workers = {pid for *_, pid in events(log)}
    assert len(workers) == 2 and str(os.getpid()) not in workers
    assert set(ended(log).values()) == {1} and len(ended(log)) == BLOCKS
    log.unlink()
    run(tmp_path / "study.zarr", client=client)
    assert not log.exists()


def test_scheduler_holds_a_window_of_keys_and_no_results(client, tmp_path):
    def held(dask_scheduler):
        return len(dask_scheduler.tasks), sum(task.nbytes or 0 for task in dask_scheduler.tasks.values())

    seen = []
    run(tmp_path / "s.zarr", client=client, wait=0.0, progress=lambda *_: seen.append(client.run_on_scheduler(held)))
    assert max(tasks for tasks, _ in seen) <= clusters.WINDOW * 2 + 2
    assert max(size for _, size in seen) < 1000


def test_same_numbers_for_other_blocks_and_over_s3(alone, client, bucket, tmp_path):
    run(tmp_path / "wide.zarr", client=client, block=(5, 7))
    assert_same_numbers(tmp_path / "wide.zarr", alone)
    url = bucket.url()
    run(url, client=client)
    assert bucket.chunks(url) == data_files(alone)


def test_killed_worker_costs_nothing_but_its_block(alone, client, tmp_path, log):
    victims = []

    def kill(done, total):
        if done >= 24 and not victims:
            running = in_work(log)
            pids = [pid for event, key, pid in events(log) if event == "start" and key in running]
            if pids:
                victims.append(running)
                os.kill(int(pids[-1]), signal.SIGKILL)

    run(tmp_path / "study.zarr", client=client, progress=kill)
    assert victims
    assert data_files(tmp_path / "study.zarr") == data_files(alone)
    assert set(ended(log).values()) == {1} and len(ended(log)) == BLOCKS


def test_slow_worker_holds_up_only_its_own_block(alone, client, tmp_path, log):
    def slow(done, total):
        if done == 24:
            pid = int(events(log)[-1][2])
            os.kill(pid, signal.SIGSTOP)
            threading.Timer(1.5, os.kill, (pid, signal.SIGCONT)).start()

    run(tmp_path / "study.zarr", client=client, progress=slow)
    assert data_files(tmp_path / "study.zarr") == data_files(alone)
    shares = Counter(pid for event, _, pid in events(log) if event == "end")
    assert max(shares.values()) > BLOCKS / 2


def test_block_that_kills_its_workers_fails_and_its_neighbours_do_not(client, tmp_path):
    study = {"fault": ["none", "kill"], "sizes": [5], "realizations": 4}
    swept = sweep(SlowWalk, store=tmp_path / "study.zarr", client=client, block=(1, 4), **study)
    assert (swept.done.sel(fault="none") == 1).all() and (swept.done.sel(fault="kill") == 2).all()
    assert study_status(tmp_path / "study.zarr").failures[0]["error"].startswith("the worker process died")


def test_block_finished_by_another_meanwhile_is_left_as_it_is(alone, tmp_path, log, monkeypatch):
    """What a worker does that counted as lost: the same block is computed twice at once."""
    realize, twice = work._realize, []

    def overtaken(study, point, size, indices):
        if not twice:
            twice.append(True)
            work.compute_block(str(tmp_path / "study.zarr"), "other", SlowWalk, "0.0.0", False, None)
        return realize(study, point, size, indices)

    monkeypatch.setattr(work, "_realize", overtaken)
    run(tmp_path / "study.zarr", workers=1)
    assert data_files(tmp_path / "study.zarr") == data_files(alone)
    assert [event for event, key, _ in events(log) if key == "0.0.0"] == ["start", "start", "end", "left"]


def test_block_written_twice_has_the_same_bytes(alone, tmp_path, monkeypatch):
    """Two workers that write at the same moment: neither sees the mark of the other."""
    run(tmp_path / "study.zarr", workers=1)
    monkeypatch.setattr(storage, "read_mark", lambda store, block: 0 * storage._region(store, "done", block))
    work.compute_block(str(tmp_path / "study.zarr"), "other", SlowWalk, "1.1.2", False, None)
    assert data_files(tmp_path / "study.zarr") == data_files(alone)


def test_store_error_of_a_worker_names_it_and_ends_the_sweep(client, bucket):
    url = bucket.url()
    bucket.fail(codes=[403], methods=["PUT"], part="/scalars/c.", spare=3)
    with pytest.raises(StoreError, match=r"worker tcp://.*could not be written: permission denied") as caught:
        run(url, client=client)
    assert "\n" not in str(caught.value)
    bucket.fail()
    done = open_study(url).done
    assert 0 < int((done == 1).sum()) < done.size
    assert (run(url, client=client).done == 1).all()


def test_workers_of_another_version_are_refused(client, tmp_path, monkeypatch):
    other = {**clusters.versions(), "jax": "0.0.1"}
    monkeypatch.setattr(clusters, "versions", lambda: other)
    expected = rf"worker tcp://.* has jax {importlib.metadata.version('jax')} \(here 0\.0\.1\); install the same"
    with pytest.raises(RunFailedError, match=expected):
        run(tmp_path / "study.zarr", client=client)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(Cluster, "check", lambda self, memory: None)  # a worker that joins later
    with pytest.raises(RunFailedError, match=expected):
        run(tmp_path / "study.zarr", client=client)


def test_other_processors_are_warned_of(client, monkeypatch):
    monkeypatch.setattr(clusters, "machine", lambda: "Linux-vax-0")
    with pytest.warns(UserWarning, match="other processors.*here Linux-vax-0.*need not be equal to the bit"):
        Cluster(client).check(0.0)


def test_memory_of_a_worker_is_compared(client, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "worker_memory", lambda study: 1e15)
    with pytest.raises(ResourceError, match=r"needs about .* GiB and worker"):
        run(tmp_path / "study.zarr", client=client)


def test_arguments_that_make_no_sense(client, tmp_path):
    for options in ({"workers": 2, "store": tmp_path / "s"}, {"store": None}, {"executor": object(), "store": "s"}):
        with pytest.raises(ParameterError, match="leave workers and executor out"):
            sweep(SlowWalk, client=client, **options)
    with pytest.raises(ParameterError, match=r"client is a str; give a distributed\.Client"):
        run(tmp_path / "s", client="tcp://localhost:1")
    with pytest.raises(ParameterError, match=r"cluster is 'slrum'; give the address .* or local, slurm"):
        connect("slrum", None).__enter__()
    with pytest.raises(ParameterError, match="workers is missing"):
        connect("slurm", None).__enter__()


def test_threads_missing_workers_and_silence(monkeypatch):
    from distributed import Client, LocalCluster

    quiet = {"processes": False, "dashboard_address": None}
    with LocalCluster(n_workers=1, threads_per_worker=2, **quiet) as cluster, Client(cluster) as client:
        with pytest.raises(RunFailedError, match="has 2 threads; the same bits need one"):
            Cluster(client).check(0.0)
        with pytest.raises(ParameterError, match="leave workers out"):
            connect("tcp://127.0.0.1:8786", 2).__enter__()
        cluster.scale(0)
        monkeypatch.setattr(clusters, "PATIENCE", 0.1)
        while client.nthreads():
            time.sleep(0.01)
        with pytest.raises(RunFailedError, match="has no workers; start some"):
            Cluster(client).check(0.0)
    monkeypatch.setattr(clusters, "CONNECT", 0.2)
    with pytest.raises(RunFailedError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        connect("tcp://127.0.0.1:9", None).__enter__()


def dask(*words):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [PROGRAMS / "dask", *words], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )


def test_lost_scheduler_is_said_and_the_next_sweep_goes_on(alone, tmp_path, log):
    file, store = tmp_path / "scheduler.json", tmp_path / "study.zarr"
    scheduler = dask("scheduler", "--scheduler-file", file, "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
    processes = [scheduler]
    try:
        while not file.exists() or not file.read_text().endswith("}"):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        processes.append(dask("worker", address, "--nthreads", "1", "--no-dashboard"))
        with (
            connect(address, None) as client,
            pytest.raises(
                RunFailedError, match=f"scheduler at {address} is lost; {store} is valid and keeps .* of 144"
            ),
        ):
            run(store, client=client, progress=lambda done, total: scheduler.kill() if done == 24 else None)
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert 24 <= study_status(store).done < 144
    run(store, workers=1)
    assert data_files(store) == data_files(alone)
    assert set(ended(log).values()) == {1}


STUDY_FILE = """
[study]
system = "tests.core.walk:SlowWalk"
sizes = [20, 40]
realizations = 12
block = [1, 4]
[parameters]
drift = [0.0, 1.0, 2.0]
width = [1.0, 2.0]
wait = 0.02
"""


def test_interrupted_command_on_a_cluster(alone, tmp_path, log):
    (tmp_path / "study.toml").write_text(STUDY_FILE)
    process = subprocess.Popen(
        [PROGRAMS / "replicon", "sweep", tmp_path / "study.toml", "--cluster", "local", "--workers", "1"],
        # whoever runs the tests in the background has Ctrl-C ignored, which children inherit
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while len(ended(log)) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    store = tmp_path / "study.zarr"
    assert process.returncode == 130 and errors.count("\n") == 1, errors
    assert f"interrupted; {store} keeps " in errors and "goes on from there" in errors
    run(store, workers=1)
    assert data_files(store) == data_files(alone)
    assert set(ended(log).values()) == {1}


QUEUE = """#!/bin/sh
echo "$1" >> {folder}/jobs
cp "$1" {folder}/job.sh
sh {folder}/job.sh > {folder}/job.log 2>&1 &
echo "Submitted batch job $!"
"""


def test_command_on_a_queue(alone, tmp_path, monkeypatch, capsys):
    """A queue that runs each job at once, in place of SLURM's commands."""
    (tmp_path / "study.toml").write_text(STUDY_FILE)
    for name, text in (("sbatch", QUEUE.format(folder=tmp_path)), ("scancel", "#!/bin/sh\nkill $1\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    interrupt = signal.getsignal(signal.SIGINT)
    assert command(["sweep", str(tmp_path / "study.toml"), "--cluster", "slurm", "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["complete"]
    assert len((tmp_path / "jobs").read_text().splitlines()) == 1
    assert signal.getsignal(signal.SIGINT) is interrupt  # which dask-jobqueue replaces
    assert "export OPENBLAS_NUM_THREADS='1'" in (tmp_path / "job.sh").read_text()
    assert data_files(tmp_path / "study.zarr") == data_files(alone)
