"""A store in an object store (S3 and what fsspec knows besides), whose errors are made uniform here.

Such a place has neither locks nor renames, and its listings may be old: what is done is read from the marks by get.
Errors that pass (5xx, timeouts) are tried again; a refusal (403, no bucket, no credentials) is final at once.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import zarr
from zarr.storage import FsspecStore

from replicon.core.errors import StoreError

PAUSES = (0.2, 1.0, 4.0)
"""Seconds between the tries of a request; s3fs has by then tried it five times by itself."""
CONCURRENCY = 64
"""Requests under way at once when many chunks are read."""
REFUSALS = {"NoCredentialsError", "PartialCredentialsError", "ParamValidationError", "ProfileNotFound"}


class Remote:
    """A place that a URL names."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._files = _open(self.url)

    def __str__(self) -> str:
        return self.url

    @property
    def folder(self) -> None:
        """There is none."""
        return None

    def read(self, key: str) -> bytes:
        """The content of an object, as it is now."""
        return self._try(f"{key} could not be read", lambda: self._files.cat_file(f"{self.url}/{key}"))

    def write(self, key: str, content: bytes) -> None:
        """Put an object."""
        self._try(f"{key} could not be written", lambda: self._files.pipe_file(f"{self.url}/{key}", content))

    def create(self, key: str, content: bytes) -> bytes:
        """Put an object unless there is one (IfNoneMatch); returns what is there now, which may be another's."""
        try:
            self._try(
                f"{key} could not be written",
                lambda: self._files.pipe_file(f"{self.url}/{key}", content, mode="create"),
                exists=True,
            )
        except FileExistsError:
            return self.read(key)
        return content

    def remove(self, key: str) -> None:
        """Remove an object, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._try(f"{key} could not be removed", lambda: self._files.rm_file(f"{self.url}/{key}"))

    def names(self, folder: str) -> set[str]:
        """Names of the objects under a prefix, asked for anew."""
        path = f"{self.url}/{folder}".rstrip("/")
        try:
            found = self._try(f"{folder} could not be listed", lambda: self._files.ls(path, detail=False, refresh=True))
        except FileNotFoundError:
            return set()
        return {name.rstrip("/").rpartition("/")[2] for name in found} - {""}

    def array(self, name: str, *, writable: bool) -> Any:
        """A Zarr store of this array alone."""
        options = {"use_listings_cache": False} if self.url.startswith("s3") else {}
        zarr.config.set({"async.concurrency": max(CONCURRENCY, zarr.config.get("async.concurrency"))})
        return _ArrayStore.from_url(f"{self.url}/{name}", storage_options=options, read_only=not writable)

    def _try(self, what: str, request: Callable[[], Any], *, exists: bool = False) -> Any:
        for pause in (*PAUSES, None):
            try:
                return request()
            except FileNotFoundError as error:
                if "written" in what:
                    raise refusal(self.url, what, error) from error
                raise
            except Exception as error:
                if exists and _is_there(error):
                    raise FileExistsError(what) from error
                if pause is None or not passes(error):
                    raise refusal(self.url, what, error) from error
                time.sleep(pause)
        return None


class _ArrayStore(FsspecStore):
    """Zarr's view of one array. What fails for good is a `StoreError`, never a missing chunk."""

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        request = functools.partial(super().get, key, prototype, byte_range)
        return await self._persistently(f"{key} could not be read", request)

    async def set(self, key: str, value: Any, byte_range: Any = None) -> None:
        request = functools.partial(super().set, key, value, byte_range)
        await self._persistently(f"{key} could not be written", request)

    async def _persistently(self, what: str, request: Callable[[], Awaitable[Any]]) -> Any:
        for pause in (*PAUSES, None):
            try:
                return await request()
            except Exception as error:
                if pause is None or not passes(error):
                    raise refusal(self.path, what, error) from error
                await asyncio.sleep(pause)
        return None


def passes(error: Exception) -> bool:
    """Whether an error may pass when the request is made again; their types are not uniform."""
    return not isinstance(error, (PermissionError, FileNotFoundError, StoreError)) and (
        type(error).__name__ not in REFUSALS
    )


def refusal(place: str, what: str, error: Exception) -> StoreError:
    """The one line for a request that failed for good."""
    if isinstance(error, StoreError):
        return error
    kind = {PermissionError: "permission denied", FileNotFoundError: "there is no such bucket"}.get(type(error), "")
    text = " ".join(str(error).split()) or type(error).__name__
    reason = f"{kind} ({text})" if kind else text
    return StoreError(f"{place}: {what}: {reason}; what was stored before is intact")


def _is_there(error: Exception) -> bool:
    return isinstance(error, FileExistsError) or "PreconditionFailed" in repr(error.__cause__ or error)


def _open(url: str) -> Any:
    """The file system of a URL."""
    try:
        from fsspec.core import url_to_fs

        options = {"use_listings_cache": False} if url.startswith("s3") else {}
        return url_to_fs(url, **options)[0]
    except ImportError as error:
        advice = "pip install 'replicon[s3]'" if url.startswith("s3") else str(error)
        raise StoreError(f"{url} needs a package that is not installed: {advice}") from error
    except ValueError as error:
        raise StoreError(f"{url}: {error}; give a folder, or a URL such as s3://bucket/study.zarr") from error
