"""Where independent tasks run: here, on threads, or in single-threaded worker processes.

A task is a function that can be imported and its arguments; results come back as they finish. A cluster is a
further `Executor`, see `replicon.core.cluster`; nothing else has to know.
"""

import functools
import io
import os
import pickle
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

from replicon.core.errors import ParameterError

SINGLE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
} | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
"""Environment of a worker process, set before NumPy or JAX is imported there."""


class Executor(Protocol):
    """Runs tasks, at most `workers` at once."""

    @property
    def workers(self) -> int:
        """How many tasks may be in work at once."""
        ...

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Yield (number of the task, result) as tasks finish, in any order; tasks are taken lazily."""
        ...


@dataclass(frozen=True)
class WorkerDied:
    """What an executor yields in place of a result for a task that ends the workers it is given to."""

    reason: str


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
        packed = (pack(function, task) for task in tasks)
        yield from _windowed(self._pool(), unpack_and_call, packed, 2 * self.workers)

    def stop(self) -> None:
        """End the workers at once, whatever they are doing."""
        self._pool().shutdown(wait=True, kill_workers=True)

    def _pool(self) -> Any:
        from loky import get_reusable_executor

        return get_reusable_executor(
            max_workers=self.workers, env=SINGLE_THREAD, timeout=300, initializer=_leave_interrupts_to_the_parent
        )


def pack(function: Callable[..., Any], task: tuple[Any, ...]) -> tuple[list[str], bytes]:
    """A task for another process, where `unpack_and_call` runs it.

    Functions that cannot be imported there go by value. Classes never do: rebuilt piece by piece, a system loses its
    fields. Those of a script are found by importing the script, as Python's own worker processes do.
    """
    import cloudpickle

    forbid_import()

    class Pickler(cloudpickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, type) and obj.__module__ == "__main__":
                return _of_script, (script_of(obj), obj.__qualname__)
            return super().reducer_override(obj)

    buffer = io.BytesIO()
    Pickler(buffer).dump((function, task))
    return [os.path.abspath(path) for path in sys.path], buffer.getvalue()


def script_of(owner: type) -> str:
    """The script that defines a class of the main module.

    Raises
    ------
    ParameterError
        Where it was typed at a prompt, in a notebook, or inside a function.
    """
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is None or not os.path.isfile(path) or "<locals>" in owner.__qualname__:
        raise ParameterError(
            f"{owner.__name__} is defined where worker processes cannot see it (a prompt, a notebook, a function); put "
            "it into a file, or use workers=1"
        )
    return os.path.abspath(path)


def forbid_import() -> None:
    """Raise `ParameterError` in a worker that only imports a script for its classes."""
    if _importing:
        raise ParameterError(
            "the script starts its sweep whenever it is imported, which its worker processes do; put the call under "
            'if __name__ == "__main__":'
        )


_importing: list[str] = []
"""The script that is being imported, if any."""


def _of_script(path: str, name: str) -> Any:
    return functools.reduce(getattr, name.split("."), _import_script(path))


@functools.lru_cache(maxsize=8)
def _import_script(path: str) -> types.ModuleType:
    module = types.ModuleType("__mp_main__")
    module.__file__ = path
    sys.modules[module.__name__] = module
    _importing.append(path)
    try:
        with open(path, "rb") as file:
            exec(compile(file.read(), path, "exec"), module.__dict__)
    finally:
        _importing.clear()
    for value in list(module.__dict__.values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            value.__module__ = "__main__"  # part of a system's identity, hence of its seeds
    return module


def unpack_and_call(paths: list[str], payload: bytes) -> Any:
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


def visible_to_workers(owner: type) -> bool:
    """Whether worker processes can find a class."""
    if owner.__module__ != "__main__":
        return "<locals>" not in owner.__qualname__
    try:
        script_of(owner)
    except ParameterError:
        return False
    return True


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
