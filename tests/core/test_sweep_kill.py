"""Sweeps whose processes are killed at random moments, compared file by file with one left alone."""

import importlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from replicon import open_study, sweep
from replicon.core.store.blocks import LOG_VARIABLE
from replicon.core.store.opening import StudyStore

HERE = Path(__file__).parent
KILLS = 5
STUDY = {"drift": [0.0, 1.0, 2.0], "width": [1.0, 2.0], "wait": 0.02, "sizes": [20, 40], "realizations": 12}
SWEEP = f"""
import sys
from walk import SlowWalk
from replicon import sweep
sweep(SlowWalk, store=sys.argv[1], workers=int(sys.argv[2]), block=(1, 4), **{STUDY})
"""


def launch(store, log, workers):
    return subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(store), str(workers)],
        env={**os.environ, LOG_VARIABLE: str(log), "PYTHONPATH": str(HERE)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def events(log):
    """(event, block, pid) of each line so far."""
    return [tuple(line.split()[:3]) for line in log.read_text().splitlines()] if log.exists() else []


def wait_for_work(log, before, process):
    """Wait until this launch has started a block."""
    while len([e for e in events(log) if e[0] == "start"]) <= before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def in_work(log):
    """Blocks that were started more often than they ended."""
    count = Counter()
    for event, key, _ in events(log):
        count[key] += 1 if event == "start" else -count[key]
    return {key for key, n in count.items() if n > 0}


def data_files(store):
    """Name and bytes of every chunk."""
    opened = StudyStore.open(store)
    return {
        f"{name}/{path.name}": path.read_bytes()
        for name in opened.record["arrays"]
        for path in sorted((Path(store) / name).glob("c.*"))
        if path.suffix != ".partial"  # half a file of a killed write, under a name that nobody reads
    }


def assert_same_numbers(store, other):
    left, right = open_study(store).load(), open_study(other).load()
    assert set(left) == set(right)
    for name in left.variables:
        np.testing.assert_array_equal(left[name].values, right[name].values, err_msg=name)


@pytest.fixture(scope="module")
def complete():
    """Compute what is left of a store in this process, which has everything imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        system = importlib.import_module("walk").SlowWalk

    def complete(store, log, block=(1, 4)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(LOG_VARIABLE, str(log))
            assert (sweep(system, store=store, workers=1, block=block, **STUDY).done == 1).all()

    return complete


@pytest.fixture(scope="module")
def alone(tmp_path_factory, complete):
    """The study computed without a disturbance."""
    folder = tmp_path_factory.mktemp("alone")
    complete(folder / "study.zarr", folder / "log")
    return folder / "study.zarr"


def test_killed_sweep_ends_with_the_same_bytes_and_repeats_nothing(alone, tmp_path, complete):
    store, log = tmp_path / "study.zarr", tmp_path / "log"
    chance = random.Random(2024)
    met = 0
    for kill in range(KILLS):
        before = len([e for e in events(log) if e[0] == "start"])
        process = launch(store, log, (1, 2)[kill % 2])
        wait_for_work(log, before, process)
        time.sleep(chance.uniform(0.0, 0.25))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        met += bool(in_work(log))
    assert met >= 1
    assert not (open_study(store).done == 1).all()
    complete(store, log)
    assert data_files(store) == data_files(alone)
    assert_same_numbers(store, alone)
    ended = [(k, key) for k, (event, key, _) in enumerate(events(log)) if event == "end"]
    assert len({key for _, key in ended}) == len(ended)
    for k, key in ended:
        assert ("start", key) not in [e[:2] for e in events(log)[k:]]


def test_same_bits_for_other_workers_and_blocks(alone, tmp_path, complete):
    process = launch(tmp_path / "three.zarr", tmp_path / "log", 3)
    complete(tmp_path / "wide.zarr", tmp_path / "wide.log", block=(5, 7))
    assert_same_numbers(tmp_path / "wide.zarr", alone)
    finish(process)
    assert data_files(tmp_path / "three.zarr") == data_files(alone)


def test_killed_worker_costs_nothing_but_its_block(alone, tmp_path):
    store, log = tmp_path / "study.zarr", tmp_path / "log"
    process = launch(store, log, 2)
    wait_for_work(log, 3, process)
    os.kill(int(events(log)[-1][2]), signal.SIGKILL)
    finish(process)
    assert data_files(store) == data_files(alone)
    ends = Counter(key for event, key, _ in events(log) if event == "end")
    assert max(ends.values()) == 1


def test_orphaned_workers_finish_their_block_and_stop(alone, tmp_path, complete):
    store, log = tmp_path / "study.zarr", tmp_path / "log"
    process = launch(store, log, 2)
    wait_for_work(log, 2, process)
    os.kill(process.pid, signal.SIGKILL)
    complete(store, log)
    assert data_files(store) == data_files(alone)
    assert max(Counter(key for event, key, _ in events(log) if event == "end").values()) == 1


def test_interrupted_command_says_how_to_go_on(alone, tmp_path, complete):
    study, store, log = tmp_path / "study.toml", tmp_path / "study.zarr", tmp_path / "log"
    study.write_text(
        '[study]\nsystem = "walk:SlowWalk"\nsizes = [20, 40]\nrealizations = 12\nblock = [1, 4]\n'
        "[parameters]\ndrift = [0.0, 1.0, 2.0]\nwidth = [1.0, 2.0]\nwait = 0.02\n"
    )
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("replicon")), "sweep", str(study), "--workers", "2"],
        # whoever runs the tests in the background has Ctrl-C ignored, which children inherit
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, LOG_VARIABLE: str(log), "PYTHONPATH": str(HERE)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_work(log, 2, process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    kept = int((open_study(store).done == 1).sum())
    assert process.returncode == 130 and kept < 144
    assert (
        errors
        == f"replicon: interrupted; {store} keeps {kept} of 144 realisations, and the same sweep goes on from there\n"
    )
    complete(store, log)
    assert data_files(store) == data_files(alone)
