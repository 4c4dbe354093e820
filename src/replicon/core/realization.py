"""Drawing and measuring realisations so that their bits never depend on who computes them, when or beside what.

A realisation is always computed in the system's declared batch width (short batches padded by repeating the last
instance) and with one linear-algebra thread: JAX's LAPACK splits some routines by thread count.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import threadpoolctl

from replicon.core.errors import Cancelled, DataError, RepliconError, ResourceError
from replicon.core.precision import own, to_user
from replicon.core.seeds import realization_seed

if TYPE_CHECKING:
    from replicon.core.system import System

MEMORY_SHARE = 0.8
"""Part of the memory now free that one realisation may be expected to use."""


Caught = type[Exception] | tuple[type[Exception], ...]

EXPECTED: Caught = (RepliconError, ArithmeticError, ValueError, RuntimeError, np.linalg.LinAlgError)
"""What a realisation may raise without ending a comparison; anything else is a mistake in the system."""


@dataclass
class Draws:
    """Measurements of several realisations at one size.

    Attributes
    ----------
    values : dict of str to array (realization, ...)
        nan where a realisation failed.
    seeds : int array (realization,)
    errors : dict of int to str
        Index and message of each realisation that failed.
    predictions : dict of str to array (realization, ...)
        The theory given each draw, where it was asked for.
    """

    seeds: np.ndarray
    values: dict[str, np.ndarray] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    predictions: dict[str, np.ndarray] = field(default_factory=dict)


def realize(
    system: "System",
    size: int,
    indices: Sequence[int],
    *,
    seed: int = 0,
    common_draws: bool = False,
    per_instance_theory: bool = False,
    progress: Callable[[int], Any] | None = None,
) -> Draws:
    """Sample and simulate the numbered realisations of a study.

    Parameters
    ----------
    system : System
        A single point.
    size : int
    indices : sequence of int
        Numbers of the realisations; a number means the same draw in every study of this seed.
    seed : int
        Seed of the study.
    common_draws : bool
        Leave the parameters out of the seed: the same disorder at every point of a grid (correlated errors).
    per_instance_theory : bool
        Also predict from each draw itself.
    progress : callable, optional
        Called with the number of realisations finished since its last call.

    Returns
    -------
    Draws
        A realisation that raised is kept with its message; the others go on.
    """
    identity = system.identity()
    if common_draws:
        identity = {**identity, "parameters": "common"}
    seeds = [realization_seed(seed, identity, size, int(index)) for index in indices]
    return realize_seeds(system, size, seeds, per_instance_theory=per_instance_theory, progress=progress)


def realize_seeds(
    system: "System",
    size: int,
    seeds: Sequence[int],
    *,
    per_instance_theory: bool = False,
    progress: Callable[[int], Any] | None = None,
    catch: Caught | None = None,
) -> Draws:
    """Like `realize`, for the realisations' own seeds; `catch` names the exceptions that are kept as messages."""
    attempt = functools.partial(_attempt, catch=EXPECTED if catch is None else catch)
    draws = Draws(seeds=np.asarray(seeds, dtype=np.int64))
    records: list[Any] = [None] * len(seeds)
    predicted: list[Any] = [None] * len(seeds)
    # every look-up of a method of an equinox module makes a new module, which costs more than a small realisation
    sample, simulate = system.sample, system.simulate
    with single_threaded():
        for start in range(0, len(seeds), system.batch):
            block = range(start, min(start + system.batch, len(seeds)))
            instances = attempt(draws.errors, block, lambda i: sample(size, int(seeds[i])))
            if system.batch == 1:
                measured = attempt(draws.errors, instances, lambda i, given=instances: simulate(given[i]))
            else:
                measured = _measure_batch(system, instances, draws.errors, attempt)
            for i, record in measured.items():
                records[i] = record
            if per_instance_theory:
                found = attempt(draws.errors, measured, lambda i, given=instances: system.theory(instance=given[i]))
                for i, record in found.items():
                    predicted[i] = record
            if progress is not None:
                progress(len(block))
    draws.values = _columns(records)
    draws.predictions = _columns(predicted)
    return draws


def _attempt(
    errors: dict[int, str], indices: Any, call: Callable[[int], Any], catch: Caught = EXPECTED
) -> dict[int, Any]:
    """Results of the calls that succeed; the others leave their message (cancelling goes through)."""
    results = {}
    for i in indices:
        try:
            results[i] = call(i)
        except (Cancelled, KeyboardInterrupt, MemoryError):
            raise
        except catch as error:
            errors[i] = f"{type(error).__name__}: {error}"
    return results


def _measure_batch(
    system: "System", instances: dict[int, Any], errors: dict[int, str], attempt: Callable[..., dict[int, Any]]
) -> dict[int, Any]:
    if not instances:
        return {}
    order = list(instances)
    batch = [instances[i] for i in order]
    failed: dict[int, str] = {}
    result = attempt(failed, [0], lambda _: simulate_batch(system, batch))
    if failed and len(batch) > 1:
        # one bad draw must not take its partners with it: alone, padded, each has the same bits
        return attempt(errors, order, lambda i: simulate_batch(system, [instances[i]])[0])
    if failed:
        errors[order[0]] = failed[0]
        return {}
    return dict(zip(order, result[0], strict=True))


def simulate_batch(system: "System", instances: Sequence[Any]) -> list[Any]:
    """Measure up to ``batch`` instances in the declared width."""
    padded = [*instances, *[instances[-1]] * (system.batch - len(instances))]
    with jax.enable_x64(True), single_threaded():
        records = system.simulate_batch(padded)
        return [_measured(record) for record in records[: len(instances)]]


def default_batch(system: "System", instances: Sequence[Any]) -> list[Any]:
    """What ``System.simulate_batch`` does unless a system knows better."""
    method = type(system).simulate.__wrapped__  # type: ignore[attr-defined]
    if not system.simulation_in_jax:
        return [method(system, instance) for instance in instances]
    instances = own(list(instances))
    if system.batch == 1:
        return [_compiled(method, False)(system, instance) for instance in instances]
    stacked = jax.tree_util.tree_map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *instances)
    result = _compiled(method, True)(system, stacked)
    return [jax.tree_util.tree_map(lambda leaf, k=k: leaf[k], result) for k in range(len(instances))]


def simulate_one(system: "System", method: Callable[..., Any], instance: Any) -> Any:
    """Measure one instance: with the same bits as among others in a batch."""
    with jax.enable_x64(True), single_threaded():
        if system.batch > 1 or system.simulation_in_jax:
            return simulate_batch(system, [instance])[0]
        return _measured(method(system, instance))


def draw(system: "System", method: Callable[..., Any], size: int, seed: int) -> Any:
    """Sample one instance."""
    with jax.enable_x64(True), single_threaded():
        instance = to_user(method(system, size, seed))
    if instance.seed != seed:
        instance = dataclasses.replace(instance, seed=seed)
    return instance


def check_memory(system: "System", size: int) -> None:
    """Raise `ResourceError` where one realisation would not fit into the memory now free."""
    needed = type(system).footprint(system, size).bytes
    if needed < 2**28:
        return
    free = free_memory()
    if needed > MEMORY_SHARE * free:
        raise ResourceError(
            f"{type(system).__name__}: a realisation of size {size} needs about {needed / 2**30:.1f} GiB and "
            f"{free / 2**30:.1f} GiB are free; choose a smaller size"
        )


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for BLAS and LAPACK (NumPy's and, through SciPy's library, JAX's) inside this block."""
    if _limited.get():
        yield
        return
    token = _limited.set(True)
    try:
        with _thread_controller().limit(limits=1):
            yield
    finally:
        _limited.reset(token)


_limited: ContextVar[bool] = ContextVar("replicon_single_threaded", default=False)
"""Whether the limit is set already: realisations are many and setting it takes as long as a small one."""


@functools.lru_cache(maxsize=1)
def _thread_controller() -> threadpoolctl.ThreadpoolController:
    import scipy.linalg  # noqa: F401  (loads the LAPACK that jaxlib borrows, so that the controller sees it)

    return threadpoolctl.ThreadpoolController()


@functools.lru_cache(maxsize=256)
def _compiled(method: Callable[..., Any], mapped: bool) -> Callable[..., Any]:
    return jax.jit(jax.vmap(method, in_axes=(None, 0)) if mapped else method)


def _measured(record: Any) -> Any:
    return dataclasses.replace(to_user(record), kind="measured")


def _columns(records: list[Any]) -> dict[str, np.ndarray]:
    """Arrays by observable name from one record per realisation, nan where there is none."""
    present = [record for record in records if record is not None]
    if not present:
        return {}
    columns = {}
    names = dict.fromkeys(name for record in present for name in record.present())
    for name in names:
        shape = next(np.shape(getattr(r, name)) for r in present if getattr(r, name) is not None)
        empty = np.full(shape, np.nan)
        rows = [empty if r is None or getattr(r, name) is None else getattr(r, name) for r in records]
        columns[name] = np.asarray(rows, dtype=np.float64)
    status = [0 if r is None else int(np.asarray(r.status)) for r in records]
    columns["status"] = np.asarray(status, dtype=np.float64)
    return columns


def free_memory() -> float:
    """Bytes of memory that can be had now without swapping."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return 1024.0 * float(line.split()[1])
    except OSError:
        pass
    import os

    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def require_realizations(count: Any) -> int:
    """The number of realisations as an int of at least 1, or a `DataError`."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise DataError(f"realizations is {count!r}; give a whole number of at least 1")
    return int(count)
