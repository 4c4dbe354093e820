"""Where a store lies: a folder of this machine, or a URL such as s3://bucket/study.zarr.

A store needs few operations of its place. Keys are relative and have at most one slash: ``done/c.0.0.0``.
"""

import os
import re
import uuid
from pathlib import Path
from typing import Any, Protocol, TypeGuard
from urllib.parse import unquote, urlsplit

from replicon.core.errors import StoreError

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
SQUEEZED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")


class Place(Protocol):
    """Reads, writes and lists the files of a store. Its text is the path or URL."""

    @property
    def folder(self) -> Path | None:
        """The folder, where there is one: only a folder has locks, half-written files and a rename."""
        ...

    def read(self, key: str) -> bytes:
        """The content of a file; `FileNotFoundError` where it is not there."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Write a file in one step: a reader sees the old content, the new one or, before, none."""
        ...

    def remove(self, key: str) -> None:
        """Remove a file, if it is there."""
        ...

    def names(self, folder: str) -> set[str]:
        """Names of the files in a folder; none where there is no folder. Never decides what is computed."""
        ...

    def array(self, name: str, *, writable: bool) -> Any:
        """What Zarr opens as the array of this name."""
        ...


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self._path

    def read(self, key: str) -> bytes:
        """The content of a file."""
        return (self.folder / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """Write beside and rename."""
        path = self.folder / key
        partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
        try:
            partial.write_bytes(content)
            os.replace(partial, path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def remove(self, key: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / key).unlink(missing_ok=True)

    def names(self, folder: str) -> set[str]:
        """Names of the files in a folder, without half-written ones."""
        try:
            return {entry.name for entry in os.scandir(self.folder / folder) if not entry.name.endswith(".partial")}
        except FileNotFoundError:
            return set()

    def array(self, name: str, *, writable: bool) -> Any:
        """The path, which Zarr takes as it is."""
        return str(self.folder / name)


def place_of(store: "str | Path | Place") -> Place:
    """The place that a user names by a path or a URL.

    Raises
    ------
    StoreError
        For a URL of an unknown kind, or whose package is not installed.
    """
    if isinstance(store, Path):
        if SQUEEZED.match(str(store)):
            raise StoreError(f"{store} was a URL before it became a Path, which drops a slash; give it as text")
        return Folder(store)
    if not isinstance(store, str):
        return store
    if not URL.match(store):
        return Folder(Path(store))
    if store.lower().startswith("file://"):
        return Folder(Path(unquote(urlsplit(store).path)))
    if store.lower().startswith("memory://"):
        raise StoreError(f"{store}: no other process sees this memory; give a folder or a URL such as s3://")
    from replicon.core.store.remote import Remote

    return Remote(store)


def is_url(store: Any) -> TypeGuard[str]:
    """Whether a store is named by a URL."""
    return isinstance(store, str) and URL.match(store) is not None
