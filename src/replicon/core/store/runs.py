"""One file per invocation of a sweep: who computed, when, how much. No file is shared between invocations."""

import os
import socket
import uuid
from datetime import UTC, datetime
from typing import Any

from replicon.core.errors import StoreError
from replicon.core.provenance import provenance
from replicon.core.store.place import Place
from replicon.core.store.writing import read_json, write_json


class Run:
    """The record of one invocation, written when it begins and again when it ends."""

    def __init__(self, place: Place, *, workers: int, finished: int, total: int) -> None:
        self.identity = uuid.uuid4().hex
        self.place = place
        self.content: dict[str, Any] = {
            "start": _now(),
            "end": None,
            "outcome": "running",
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "workers": workers,
            "finished_before": finished,
            "finished_after": None,
            "total": total,
            "worker_deaths": 0,
            **provenance(),
        }
        self._write()

    def end(self, outcome: str, finished: int, worker_deaths: int) -> None:
        """Write how it went: complete, interrupted, or the error."""
        self.content |= {
            "end": _now(),
            "outcome": outcome,
            "finished_after": finished,
            "worker_deaths": worker_deaths,
        }
        self._write()

    def _write(self) -> None:
        write_json(self.place, f"runs/{self.identity}.json", self.content)


def past_runs(place: Place) -> list[dict[str, Any]]:
    """All invocations so far, the oldest first; a file that cannot be read is left out."""
    found = []
    for name in place.names("runs"):
        if name.endswith(".json") and name != "zarr.json":
            try:
                found.append(read_json(place, f"runs/{name}"))
            except StoreError:
                continue
    return sorted(found, key=lambda run: str(run.get("start")))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
