"""One writer per store, by a lock that the system releases when its holder dies, however it dies.

An object store has no such lock. Two sweeps at once are then harmless but wasteful: each task reads its marks again
before it computes and before it writes, and what is written twice has the same bytes.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from replicon.core.errors import StoreError
from replicon.core.store.place import Place
from replicon.core.store.writing import write_error

try:
    import fcntl
except ImportError:  # no such locks on this platform: two writers are then not noticed
    fcntl = None

WRITER, WORKERS = "runs/writer.lock", "runs/workers.lock"
PATIENCE = 2.0
"""Seconds to wait for a lock held only for a moment, by someone who looks whether a sweep runs."""
ORPHANS = 600.0
"""Seconds to wait for workers that outlived their sweep to finish their block."""


@contextmanager
def writer(place: Place) -> Iterator[None]:
    """Hold the store for writing, where it is a folder.

    Raises
    ------
    StoreError
        Where another process holds it, naming that process, or where the store cannot be written.
    """
    folder = place.folder
    if folder is None:
        yield
        return
    try:
        file = open(folder / WRITER, "a+", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise write_error(folder, "the lock", error) from error
    with file:
        if not _acquire(file, exclusive=True, patience=PATIENCE):
            note = _note(folder)
            raise StoreError(
                f"{folder} is being written by process {note.get('pid')} on {note.get('host')} since "
                f"{note.get('since')}; wait for it to end, or look with: replicon status {folder}"
            )
        try:
            file.seek(0)
            file.truncate()
            json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}, file)
            file.flush()
        except OSError as error:
            raise write_error(folder, "the lock", error) from error
        with open(folder / WORKERS, "a", encoding="utf-8") as orphans:
            _acquire(orphans, exclusive=True, patience=ORPHANS)
        yield


@contextmanager
def working(place: Place) -> Iterator[None]:
    """Hold the store as one of many workers: a new sweep waits for workers that outlived theirs."""
    if place.folder is None:
        yield
        return
    with open(place.folder / WORKERS, "a", encoding="utf-8") as file:
        _acquire(file, exclusive=False, patience=PATIENCE)
        yield


def holder(place: Place) -> dict[str, Any] | None:
    """Process, host and start of the sweep that writes this store now, or None."""
    folder = place.folder
    if fcntl is None or folder is None:
        return None
    try:
        with open(folder / WRITER, encoding="utf-8") as file:
            return None if _acquire(file, exclusive=False, patience=0.0) else _note(folder)
    except OSError:
        return None


def _acquire(file: Any, *, exclusive: bool, patience: float) -> bool:
    if fcntl is None:
        return True
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        except OSError:  # a file system without locks
            return True


def _note(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / WRITER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
