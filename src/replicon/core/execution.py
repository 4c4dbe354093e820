"""Where independent tasks run: here, on threads, or in single-threaded worker processes.

A task is a function that can be imported and its arguments; results come back as they finish. A cluster is a
further `Executor`; nothing else has to know.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

from replicon.core.errors import ParameterError

SINGLE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
} | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
"""Environment of a worker process, set before NumPy or JAX is imported there."""


class Executor(Protocol):
    """Runs tasks, at most `workers` at once."""

    workers: int

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Yield (number of the task, result) as tasks finish, in any order; tasks are taken lazily."""
        ...


class Serial:
    """Runs one task after the other in this process."""

    workers = 1

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Yield results in order."""
        for number, task in enumerate(tasks):
            yield number, function(*task)


class Threads:
    """Runs tasks on threads of this process: for theories and kernels that release the interpreter lock."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Yield results as they finish."""
        with ThreadPoolExecutor(self.workers) as pool:
            yield from _windowed(pool, function, tasks, 2 * self.workers)


class Processes:
    """Runs tasks in worker processes with one linear-algebra thread each, started without the caller's main module."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Yield results as they finish; the workers stay for the next call."""
        from cloudpickle import dumps

        paths = [os.path.abspath(path) for path in sys.path]
        packed = ((paths, dumps((function, task))) for task in tasks)
        yield from _windowed(self._pool(), _unpack_and_call, packed, 2 * self.workers)

    def stop(self) -> None:
        """End the workers at once, whatever they are doing."""
        self._pool().shutdown(wait=True, kill_workers=True)

    def _pool(self) -> Any:
        from loky import get_reusable_executor

        return get_reusable_executor(
            max_workers=self.workers, env=SINGLE_THREAD, timeout=300, initializer=_leave_interrupts_to_the_parent
        )


def _unpack_and_call(paths: list[str], payload: bytes) -> Any:
    """Run a task in a worker that may have been started before the caller's search path had its module."""
    sys.path.extend(path for path in paths if path not in sys.path)
    function, arguments = pickle.loads(payload)
    return function(*arguments)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of the terminal; only the parent knows what to do with it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def make_executor(workers: int | None = 1) -> Executor:
    """Serial for one worker, processes for more; None takes every core of the machine."""
    count = available_cores() if workers is None else workers
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ParameterError(f"workers is {workers!r}; give a whole number of at least 1, or None for every core")
    return Serial() if count == 1 else Processes(count)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _windowed(pool: Any, function: Any, tasks: Iterable[tuple[Any, ...]], window: int) -> Iterator[tuple[int, Any]]:
    """Keep `window` tasks submitted: neither starve the workers nor hold a million futures."""
    pending: dict[Future[Any], int] = {}
    source = enumerate(tasks)
    exhausted = False
    try:
        while True:
            while not exhausted and len(pending) < window:
                try:
                    number, task = next(source)
                except StopIteration:
                    exhausted = True
                    break
                pending[pool.submit(function, *task)] = number
            if not pending:
                return
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                yield pending.pop(future), future.result()
    finally:
        for future in pending:
            future.cancel()
