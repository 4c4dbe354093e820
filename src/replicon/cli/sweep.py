"""The commands sweep and status: studies that are described in a file and kept in a store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", help="Print JSON and nothing else.")]

SWEEP_EXAMPLES = (
    "Examples:\n"
    "  replicon sweep study.toml --workers 2\n"
    "  replicon sweep study.toml --store phase.zarr --retry-failed\n"
    "  replicon sweep study.toml --store s3://bucket/phase.zarr --cluster tcp://head:8786\n"
    "  replicon sweep study.toml --cluster slurm --workers 100\n"
    "The same command goes on where a killed or interrupted one stopped. A study file:\n"
    "  [study]\n"
    '  system = "memory.hopfield"\n'
    "  sizes = [500, 1000]\n"
    "  realizations = 16\n"
    "  [parameters]\n"
    "  load = {start = 0.05, stop = 0.15, count = 11}\n"
    "  temperature = [0.0, 0.2]"
)
STATUS_EXAMPLES = "Examples:\n  replicon status study.zarr\n  replicon status study.zarr --json"


def sweep_command(
    study: Annotated[Path, Parameter(help="The study, a TOML file.")],
    /,
    *,
    workers: Annotated[int | None, Parameter(help="Processes; the numbers do not depend on it. [default: all]")] = None,
    cluster: Annotated[
        str | None, Parameter(help="Run on Dask: a scheduler's address, local, or a queue such as slurm.")
    ] = None,
    store: Annotated[
        str | None, Parameter(help="Folder or URL (s3://...) of the results. [default: as the file says]")
    ] = None,
    retry_failed: Annotated[bool, Parameter(help="Compute realisations that failed again.")] = False,
    extend: Annotated[bool, Parameter(help="Add points, sizes or realisations to what is stored.")] = False,
    repair: Annotated[bool, Parameter(help="Compute damaged blocks again.")] = False,
    as_json: Json = False,
) -> None:
    """Compute a grid of parameters x sizes x seeds; goes on where it stopped."""
    from replicon.cli import process

    process.prepare()
    from replicon.cli.output import console, print_json, progress
    from replicon.core.errors import RepliconError
    from replicon.core.store.status import study_status
    from replicon.core.sweep.run import sweep
    from replicon.core.sweep.toml import read_study

    described = read_study(study)
    path = described.store if store is None else store
    with progress(f"{described.system.__name__}") as listener, _where(cluster, workers) as where:
        sweep(
            described.system, store=path, progress=listener, retry_failed=retry_failed, extend=extend, repair=repair,
            **where, **described.options,
        )  # fmt: skip
    found = study_status(path)
    if as_json:
        print_json(found.as_dict())
    else:
        output = console()
        output.print(_summary(found), markup=False, soft_wrap=True)
        for failure in found.failures:
            output.print(_failure(failure), markup=False, soft_wrap=True)
    if found.failed and not found.done:
        raise RepliconError(f"every realisation failed; the first with {found.failures[0]['error']}")


def status_command(
    store: Annotated[str, Parameter(help="The folder or URL that a sweep writes to.")],
    /,
    *,
    as_json: Json = False,
) -> None:
    """Show how far a stored study is; also while it runs."""
    from replicon.cli.output import console, print_json
    from replicon.core.store.status import study_status

    found = study_status(store)
    if as_json:
        print_json(found.as_dict())
        return
    output = console()
    output.print(_summary(found), markup=False, soft_wrap=True)
    output.print(_activity(found), markup=False, soft_wrap=True)
    for failure in found.failures:
        output.print(_failure(failure), markup=False, soft_wrap=True)


@contextmanager
def _where(cluster: str | None, workers: int | None) -> Iterator[dict[str, Any]]:
    """The arguments of a sweep that say where it runs; a cluster that was started here ends with it."""
    if cluster is None:
        yield {"workers": workers}
        return
    from replicon.core.cluster import connect, silence

    silence()
    with connect(cluster, workers) as client:
        yield {"client": client}


def _summary(found: Any) -> str:
    extent = f"{found.points} points"
    if found.sizes:
        sizes = ", ".join(str(size) for size in found.sizes)
        extent += f" x sizes {sizes} x {found.realizations} realizations"
    parts = [f"{found.store}: {found.system}, {extent}"]
    if found.total:
        failed = f", {found.failed} failed" if found.failed else ""
        parts.append(
            f"{found.done} of {found.total} done{failed}, {found.open} open "
            f"({found.blocks_done} of {found.blocks} blocks)"
        )
    if found.theory_points:
        refused = f", refused at {found.theory_failed}" if found.theory_failed else ""
        parts.append(f"theory at {found.theory_done} of {found.theory_points} points{refused}")
    return "\n  ".join(parts)


def _activity(found: Any) -> str:
    from replicon.core.store.place import is_url

    if found.running is None and found.complete:
        return "  complete"
    if found.running is None:
        # an object store has no lock that would tell
        known = "no sweep that is seen from here" if is_url(found.store) else "not running"
        return f"  {known}; the same sweep goes on from here"
    rate = "" if found.rate is None else f", {found.rate:.3g} realizations/s, {_duration(found.seconds_left)} left"
    return f"  running: process {found.running.get('pid')} on {found.running.get('host')}{rate}"


def _failure(failure: dict[str, Any]) -> str:
    at = ", ".join(f"{name}={value}" for name, value in failure["parameters"].items())
    return f"  failed: {at}, size {failure['size']}, seed {failure['seed']}: {failure['error']}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
