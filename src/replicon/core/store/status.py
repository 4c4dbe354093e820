"""How far a stored study is, readable while it runs."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from replicon.core.store import lock
from replicon.core.store.blocks import read_failures
from replicon.core.store.opening import StudyStore
from replicon.core.store.runs import past_runs

SHOWN_FAILURES = 5


@dataclass
class StudyStatus:
    """State of a stored study.

    Attributes
    ----------
    store, system : str
    points, sizes, realizations : int, list of int, int
    total, done, failed, open : int
        Realisations.
    blocks, blocks_done : int
    theory_points, theory_done, theory_failed : int
        Points of the theory (times sizes, where it has finite-size corrections).
    running : dict or None
        Process, host and start of the sweep that writes now.
    rate : float or None
        Realisations per second of the sweep that runs.
    seconds_left : float or None
    failures : list of dict
        The first failed realisations: parameters, size, seed, error.
    runs : int
        Invocations so far.
    """

    store: str
    system: str
    points: int
    sizes: list[int]
    realizations: int
    total: int
    done: int
    failed: int
    open: int
    blocks: int
    blocks_done: int
    theory_points: int
    theory_done: int
    theory_failed: int
    running: dict[str, Any] | None
    rate: float | None
    seconds_left: float | None
    failures: list[dict[str, Any]]
    runs: int

    @property
    def complete(self) -> bool:
        """Whether nothing is open."""
        return self.open == 0 and self.theory_done + self.theory_failed == self.theory_points

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**asdict(self), "complete": self.complete}


def study_status(path: str | Path) -> StudyStatus:
    """Read how far a study is; takes no lock and disturbs no sweep.

    Parameters
    ----------
    path : str or Path
        What was given to `replicon.sweep` as `store`: a folder or a URL.

    Raises
    ------
    StoreError
        Where there is no study, or it is damaged.
    """
    store = StudyStore.open(path)
    store.check_arrays()
    marks = store.done()
    done, failed = int((marks == 1).sum()), int((marks == 2).sum())
    blocks_open = int((store.blocks.count(marks == 0) > 0).sum()) if marks.size else 0
    theory = (
        store.array("theory_done")[: store.study["points"]["count"]] if store.study["predicted"] is not None else None
    )
    running = lock.holder(store.place)
    runs = past_runs(store.place)
    rate = left = None
    current = [run for run in runs if running is not None and run.get("pid") == running.get("pid")][-1:]
    if current:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(current[0]["start"])).total_seconds()
        fresh = done + failed - current[0]["finished_before"]
        if fresh > 0 and seconds > 0:
            rate = fresh / seconds
            left = (marks.size - done - failed) / rate
    return StudyStatus(
        store=str(store.place),
        system=store.attributes.get("system", ""),
        points=store.study["points"]["count"],
        sizes=sorted(store.study["sizes"]),
        realizations=store.study["realizations"],
        total=marks.size,
        done=done,
        failed=failed,
        open=marks.size - done - failed,
        blocks=len(store.blocks) if marks.size else 0,
        blocks_done=len(store.blocks) - blocks_open if marks.size else 0,
        theory_points=0 if theory is None else theory.size,
        theory_done=0 if theory is None else int((theory == 1).sum()),
        theory_failed=0 if theory is None else int((theory == 2).sum()),
        running=running,
        rate=rate,
        seconds_left=left,
        failures=_first_failures(store, failed, marks),
        runs=len(runs),
    )


def _first_failures(store: StudyStore, failed: int, marks: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if not failed:
        return found
    for block in store.blocks.select(store.blocks.count(marks == 2) > 0):
        found += read_failures(store, block)
        if len(found) >= SHOWN_FAILURES:
            break
    return found[:SHOWN_FAILURES]
