"""Simulations in processes of their own: a fixed number of places, one per run, killed on cancel or at a limit.

A compiled call cannot be interrupted inside a process, and a mistake of a third party's system must not take the page
with it: both are settled by ending the process. Requests and answers are lines of JSON, nothing is unpickled.
"""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from replicon.core.execution import SINGLE_THREAD, available_cores
from replicon.explorer.limits import Limits

POLL = 0.1
LOOK = 0.5
"""Seconds between looks at clock and cancel button, and at the memory of the process."""

QUIET = {"JAX_ENABLE_X64": "1"}


@dataclass(frozen=True)
class Task:
    """Some draws at one point and size; `values` by parameter."""

    target: str
    values: Mapping[str, Any]
    size: int
    seed: int
    indices: tuple[int, ...]

    def line(self) -> bytes:
        """The request as it goes to the process."""
        content = {
            "target": self.target, "values": dict(self.values), "size": self.size, "seed": self.seed,
            "indices": list(self.indices),
        }  # fmt: skip
        return (json.dumps(content) + "\n").encode()


class Worker:
    """One simulating process."""

    def __init__(self) -> None:
        # a process that may be killed at any moment must not write to the folder of compiled code
        inherited = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "replicon.explorer.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**inherited, **SINGLE_THREAD, **QUIET, "PYTHONPATH": paths},
        )
        self._rest = b""

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def send(self, task: Task) -> None:
        """Ask for some draws."""
        stream = self.process.stdin
        assert stream is not None
        stream.write(task.line())
        stream.flush()

    def read(self, timeout: float) -> list[dict[str, Any]] | None:
        """What it has said within some time; None once it has ended."""
        stream = self.process.stdout
        assert stream is not None
        if not select.select([stream], [], [], timeout)[0]:
            return []
        received = os.read(stream.fileno(), 1 << 20)
        if not received:
            return None
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def memory(self) -> float:
        """Bytes that it holds; 0 where the machine does not tell."""
        return resident_bytes(self.process.pid)

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(OSError):
            self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]


class Places:
    """So many simulations at once on this machine; processes that are free are kept for the next."""

    def __init__(self, count: int | None = None) -> None:
        self.count = max(1, available_cores() - 1) if count is None else count
        self._free = threading.Semaphore(self.count)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        atexit.register(self.close)

    def take(self, timeout: float) -> Worker | None:
        """A process, or None where no place becomes free in time."""
        if not self._free.acquire(timeout=timeout):
            return None
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                worker.kill()
        try:
            return Worker()
        except BaseException:
            self._free.release()
            raise

    def give_back(self, worker: Worker, *, usable: bool) -> None:
        """Return a place; a process that is not usable is ended."""
        if usable and worker.alive:
            with self._lock:
                self._idle.append(worker)
        else:
            worker.kill()
        self._free.release()

    def close(self) -> None:
        """End the processes that wait for work."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()


@dataclass
class Progress:
    """How far a run is."""

    planned: int
    done: int = 0
    failed: int = 0
    fraction: float = 0.0
    state: str = "waiting for a free place"
    first_error: str = ""
    finished: bool = False

    @property
    def share(self) -> float:
        """Part done, in [0, 1]."""
        return min(1.0, (self.done + self.fraction) / max(self.planned, 1))


@dataclass
class Run:
    """One press of the button: tasks in order, in one process, within the limits.

    `found(task, draws, failed)` is called with what a task gave, `changed()` whenever there is something to show; both
    from the thread of the run.
    """

    places: Places
    tasks: list[Task]
    limits: Limits
    found: Callable[[Task, dict[int, dict[str, Any]], dict[int, str]], None]
    changed: Callable[[], None]
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(sum(len(task.indices) for task in self.tasks))
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def cancel(self) -> None:
        """End it at once; what was measured stays."""
        self._stop.set()
        with self._lock:
            if self._worker is not None:
                with contextlib.suppress(OSError):
                    self._worker.process.kill()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout)

    @property
    def pid(self) -> int | None:
        """The process that simulates."""
        worker = self._worker
        return None if worker is None else worker.process.pid

    def _run(self) -> None:
        progress = self.progress
        began = time.monotonic()
        end = ""
        try:
            while not self._stop.is_set() and self._worker is None:
                worker = self.places.take(POLL)
                with self._lock:
                    self._worker = worker
            if self._worker is not None:
                progress.state = "simulating"
                self.changed()
                began = time.monotonic()
                end = self._work(self._worker, began)
        except OSError as error:
            end = f"the simulating process could not be used: {error}"
        finally:
            with self._lock:
                worker, self._worker = self._worker, None
            if worker is not None:
                self.places.give_back(worker, usable=not end and not self._stop.is_set())
            progress.fraction = 0.0
            counted = f"{progress.done} of {progress.planned} draws"
            seconds = time.monotonic() - began
            if self._stop.is_set():
                progress.state = f"cancelled after {counted}; what was measured stays"
            elif end:
                progress.state = f"stopped after {counted}: {end}"
            else:
                progress.state = f"{counted} in {seconds:.1f} s"
            if progress.failed:
                progress.state += f"; {progress.failed} failed, the first with {progress.first_error}"
            progress.finished = True
            self.changed()

    def _work(self, worker: Worker, began: float) -> str:
        """Do the tasks one by one; why it ended early, or nothing."""
        looked = 0.0
        for task in self.tasks:
            if self._stop.is_set():
                return ""
            worker.send(task)
            while True:
                said = worker.read(POLL)
                if self._stop.is_set():
                    return ""
                if said is None:
                    return "the simulating process ended by itself, out of memory perhaps; try a smaller size"
                if said and self._hear(task, said):
                    break
                now = time.monotonic()
                if now - began > self.limits.seconds:
                    return (
                        f"the limit of {self.limits.seconds:g} s is reached; give a smaller size, fewer points or "
                        "fewer draws, or use replicon.sweep"
                    )
                if now - looked > LOOK:
                    looked = now
                    if (held := worker.memory()) > self.limits.memory:
                        return (
                            f"the simulation holds {held / 2**30:.1f} GiB, above the limit of "
                            f"{self.limits.memory / 2**30:.1f} GiB; give a smaller size"
                        )
        return ""

    def _hear(self, task: Task, said: list[dict[str, Any]]) -> bool:
        """Take note of what the process said; whether the task is finished."""
        finished = False
        for answer in said:
            if "fraction" in answer:
                self.progress.fraction = min(1.0, answer["fraction"])
                continue
            finished = True
            self.progress.fraction = 0.0
            self.progress.done += len(task.indices)
            failed: dict[int, str] = {task.indices[int(k)]: str(text) for k, text in answer.get("failed", {}).items()}
            if "error" in answer:
                failed = dict.fromkeys(task.indices, str(answer["error"]))
            draws = {i: row for i, row in zip(task.indices, answer.get("values", []), strict=False) if i not in failed}
            if failed:
                self.progress.failed += len(failed)
                self.progress.first_error = self.progress.first_error or next(iter(failed.values()))
            self.found(task, draws, failed)
        self.changed()
        return finished


def resident_bytes(pid: int) -> float:
    """Memory that a process holds; 0 where the machine does not tell."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return float(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=5).stdout
        return 1024.0 * float(told)
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0.0
