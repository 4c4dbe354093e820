"""Tasks on a dask.distributed cluster.

The scheduler holds a window of keys and nothing else: a task is a kilobyte, and what it computes the workers write
themselves. Workers may come, go and die; a lost scheduler ends the run.
"""

import contextlib
import logging
import signal
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from replicon.core.errors import ParameterError, ResourceError, RunFailedError, StoreError
from replicon.core.execution import SINGLE_THREAD, WorkerDied, available_cores, pack, unpack_and_call
from replicon.core.provenance import machine, versions

WINDOW = 4
"""Tasks submitted for each thread: enough that no worker waits, few enough for any scheduler to hold."""
SUSPECTS = 8
"""Tasks that may have ended their workers, of which so many wait to be tried alone before work goes on."""
ALONE = 3
"""Times that the scheduler must give up on a task that runs alone, before it counts as deadly: workers also die of
what has nothing to do with their task, and the one that is first in line meets most of it."""
REFRESH = 10.0
"""Seconds after which the number of workers is asked for again."""
CONNECT = 15.0
"""Seconds in which a scheduler must answer."""
PATIENCE = 60.0
"""Seconds to wait for the first worker of a cluster that was there before; a queue may take longer."""
JOB_QUEUES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "htcondor": "HTCondorCluster",
}
JOB_MEMORY = "4GB"
"""Memory of a job where the configuration of dask-jobqueue names none."""


class SchedulerLost(RunFailedError):
    """The connection to the scheduler broke; what the workers wrote is stored."""


class Cluster:
    """Runs tasks through a Dask client.

    Parameters
    ----------
    client : distributed.Client
        Of a cluster whose workers have one thread each and the same packages as this process.
    name : callable, optional
        Name of a task from its arguments, as the scheduler's pages show it.

    Raises
    ------
    ParameterError
        For what is not a client.
    """

    def __init__(self, client: Any, name: Callable[..., str] | None = None) -> None:
        if not (hasattr(client, "submit") and hasattr(client, "scheduler_info")):
            raise ParameterError(f"client is a {type(client).__name__}; give a distributed.Client")
        if client.asynchronous:
            raise ParameterError("client is asynchronous; give a distributed.Client made without asynchronous=True")
        self.client, self._name = client, name
        self._running: dict[str, tuple[int, tuple[Any, ...], Any]] = {}
        self._token, self._tries = uuid.uuid4().hex[:8], 0

    @property
    def workers(self) -> int:
        """Threads of all workers now."""
        return max(sum(self.client.nthreads().values()), 1)

    def check(self, memory: float) -> None:
        """Wait for a worker and compare all workers with this process.

        Parameters
        ----------
        memory : float
            Bytes that each worker needs.

        Raises
        ------
        RunFailedError
            Where there is no worker, or one has other versions or several threads.
        ResourceError
            Where a worker has too little memory.
        """
        _require_connection(self.client)
        try:
            self.client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise RunFailedError(
                f"the cluster at {address(self.client)} has no workers; start some: dask worker ADDRESS --nthreads 1"
            ) from None
        for worker, threads in self.client.nthreads().items():
            if threads != 1:
                raise RunFailedError(
                    f"worker {worker} has {threads} threads; the same bits need one: dask worker ADDRESS --nthreads 1, "
                    "or Client(threads_per_worker=1)"
                )
        for worker, entry in self.client.scheduler_info(n_workers=-1)["workers"].items():
            limit = entry.get("memory_limit") or float("inf")
            if memory > limit:
                raise ResourceError(
                    f"a realisation with its worker needs about {memory / 2**30:.2f} GiB and worker {worker} may use "
                    f"{limit / 2**30:.2f} GiB; choose smaller sizes or larger workers"
                )
        machines = set()
        for worker, found in self.client.run(_describe, on_error="return").items():
            if isinstance(found, BaseException):
                raise RunFailedError(
                    f"worker {worker} cannot run replicon: {type(found).__name__}: {found}; install the same version"
                ) from found
            _require_versions(worker, found["versions"])
            machines.add(found["machine"])
        if machines - {machine()}:
            warnings.warn(
                f"workers have other processors ({', '.join(sorted(machines))}, here {machine()}): numbers agree "
                "statistically and need not be equal to the bit",
                stacklevel=2,
            )

    def run(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Yield (number, None) as tasks finish: what they return stays where it is.

        A task that the scheduler gives up, because workers died of it or beside it, is tried again with no other at
        the same time; if its workers still die it yields `WorkerDied`.

        Raises
        ------
        SchedulerLost
            Where the scheduler does not answer any more.
        """
        from distributed import KilledWorker, as_completed

        completed, source, finished = as_completed(loop=self.client.loop), enumerate(tasks), object()
        suspects: list[tuple[int, tuple[Any, ...]]] = []
        deaths = Counter[int]()
        exhausted = alone = False
        window, seen = WINDOW * self.workers, time.monotonic()
        try:
            while True:
                if time.monotonic() > seen + REFRESH:
                    _require_connection(self.client)
                    window, seen = WINDOW * self.workers, time.monotonic()
                while not (exhausted or alone) and len(suspects) < SUSPECTS and len(self._running) < window:
                    entry = next(source, finished)
                    if entry is finished:
                        exhausted = True
                    else:
                        self._submit(completed, function, *entry)  # type: ignore[misc]
                if not self._running:
                    if not suspects:
                        return
                    alone = True
                    self._submit(completed, function, *suspects.pop())
                for future in completed.next_batch():
                    number, task, _ = self._running.pop(future.key)
                    if future.status == "cancelled":
                        _require_connection(self.client)
                        self._submit(completed, function, number, task)
                    elif future.status == "error":
                        error = future.exception()
                        if not isinstance(error, KilledWorker):
                            raise error
                        deaths[number] += alone
                        if deaths[number] < ALONE:
                            suspects.append((number, task))
                        else:
                            yield number, WorkerDied(str(error))
                    else:
                        yield number, None
                    alone = alone and bool(self._running)
        finally:
            self.stop()

    def stop(self) -> None:
        """Take back what was not begun; a task in work ends its block."""
        futures = [future for *_, future in self._running.values()]
        self._running.clear()
        if futures and self.client.status == "running":
            self.client.cancel(futures)

    def _submit(self, completed: Any, function: Callable[..., Any], number: int, task: tuple[Any, ...]) -> None:
        _require_connection(self.client)
        name = "task" if self._name is None else self._name(*task)
        # a key of its own for each try: the scheduler still knows the one that failed
        self._tries += 1
        paths, payload = pack(function, task)
        future = self.client.submit(
            _call, paths, payload, versions(), key=f"{name}-{self._token}-{self._tries}", pure=False
        )
        self._running[future.key] = (number, task, future)
        completed.add(future)


@contextmanager
def connect(cluster: str, workers: int | None) -> Iterator[Any]:
    """A client of a cluster that is there, or of one that lives as long as this block.

    Parameters
    ----------
    cluster : str
        Address of a scheduler, "local", or the name of a queueing system such as "slurm".
    workers : int, optional
        How many to start; by default every core ("local").

    Raises
    ------
    ParameterError
        For an unknown word, or where a number of workers is given with an address or missing for a queue.
    RunFailedError
        Where Dask is not installed, nothing answers, or jobs cannot be submitted.
    """
    try:
        from dask import config
        from distributed import Client
    except ImportError as error:
        raise RunFailedError(f"a cluster needs Dask ({error}); pip install 'replicon[cluster]'") from error
    with ExitStack() as stack:
        if "://" in cluster:
            if workers is not None:
                raise ParameterError(f"workers is {workers}, but {cluster} has its own; leave workers out")
            target: Any = cluster
        else:
            # read by the nannies that start the workers, again after each death
            stack.enter_context(config.set({"distributed.nanny.pre-spawn-environ": SINGLE_THREAD}))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Port .* is already in use")  # of the status page: another is taken
                target = stack.enter_context(_start(cluster, workers))
        try:
            client = stack.enter_context(Client(target, set_as_default=False, timeout=CONNECT))
        except (OSError, TimeoutError, ValueError) as error:
            raise RunFailedError(f"no scheduler answers at {cluster}: {' '.join(str(error).split())}") from error
        if target is not cluster:
            client.register_plugin(_plugin())
            client.wait_for_workers(1)  # as long as the queue takes
        yield client


def address(client: Any) -> str:
    """Address of a client's scheduler."""
    return client.scheduler.address if client.scheduler is not None else "an unknown address"


def silence() -> None:
    """Keep Dask's log from the terminal: what a sweep cannot deal with it says itself, in one line."""
    with contextlib.suppress(ImportError):
        import distributed  # noqa: F401  (its import sets the levels)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _start(cluster: str, workers: int | None) -> Any:
    if cluster == "local":
        from distributed import LocalCluster

        # a page that listens is for whoever asks for one; deaths of workers are for the sweep to deal with
        options: dict[str, Any] = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
        return LocalCluster(n_workers=workers or available_cores(), threads_per_worker=1, processes=True, **options)
    if cluster not in JOB_QUEUES:
        known = ", ".join(["local", *JOB_QUEUES])
        raise ParameterError(f"cluster is {cluster!r}; give the address of a scheduler (tcp://host:8786), or {known}")
    if workers is None:
        raise ParameterError(f"workers is missing: give the number of jobs to submit to {cluster}")
    return _job_queue(cluster, workers)


def _job_queue(name: str, workers: int) -> Any:
    """A cluster whose workers are jobs of one core; account, partition and time come from dask-jobqueue's file."""
    from dask import config

    interrupt = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue
    except ImportError as error:
        raise RunFailedError(f"{name} needs dask-jobqueue; pip install 'replicon[cluster]'") from error
    finally:
        # its import makes Ctrl-C end the process without a word
        signal.signal(signal.SIGINT, interrupt)
    exports = [f"export {key}='{value}'" for key, value in SINGLE_THREAD.items()]
    options: dict[str, Any] = {"cores": 1, "processes": 1, "job_script_prologue": exports}
    if config.get(f"jobqueue.{name}.memory", None) is None:
        options["memory"] = JOB_MEMORY
    cluster = getattr(dask_jobqueue, JOB_QUEUES[name])(**options)
    cluster.scale(jobs=workers)
    return cluster


def _plugin() -> Any:
    from distributed.diagnostics.plugin import WorkerPlugin

    class LeaveInterrupts(WorkerPlugin):
        """Ctrl-C reaches every process of the terminal; only the client knows what to do with it."""

        name = "replicon-leave-interrupts"

        def setup(self, worker: Any) -> None:
            import signal

            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return LeaveInterrupts()


def _describe() -> dict[str, Any]:
    return {"versions": versions(), "machine": machine()}


def _call(paths: list[str], payload: bytes, expected: dict[str, str]) -> None:
    """Run a task on a worker, which may have joined after all others were compared."""
    from distributed import get_worker

    worker = get_worker().address
    _require_versions(worker, versions(), expected)
    try:
        unpack_and_call(paths, payload)
    except StoreError as error:
        raise StoreError(f"worker {worker}: {error}") from error
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"worker {worker} cannot import what the study needs ({error}); install it there"
        ) from error


def _require_versions(worker: str, found: dict[str, str], expected: dict[str, str] | None = None) -> None:
    wanted = versions() if expected is None else expected
    other = [f"{name} {found.get(name)} (here {wanted[name]})" for name in wanted if found.get(name) != wanted[name]]
    if other:
        raise RunFailedError(f"worker {worker} has {', '.join(other)}; install the same versions everywhere")


def _require_connection(client: Any) -> None:
    if client.status != "running":
        raise SchedulerLost(f"the connection to the scheduler at {address(client)} is lost")
