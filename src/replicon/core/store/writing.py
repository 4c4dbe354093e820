"""Writing files so that they are whole or absent, and saying in one line why a write failed."""

import errno
import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from replicon.core.errors import StoreError

FATAL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
    errno.EFBIG: "the file would exceed the largest size allowed",
    errno.ENOENT: "its folder is gone",
    errno.ENOTDIR: "a part of its path is a file",
}
PAUSES = (0.1, 0.5, 2.0)
"""Seconds between the tries of a write whose error may pass."""


def persistently(path: Path, what: str, write: Callable[[], Any]) -> Any:
    """Write, again where the error may pass; `StoreError` where it will not."""
    for pause in (*PAUSES, None):
        try:
            return write()
        except StoreError:
            raise
        except OSError as error:
            if error.errno in FATAL or pause is None:
                raise write_error(path, what, error) from error
            time.sleep(pause)
    return None


def write_error(path: Path, what: str, error: OSError) -> StoreError:
    """The one line for a failed write."""
    reason = FATAL.get(error.errno or 0, error.strerror or str(error))
    return StoreError(f"{path}: {what} could not be written: {reason}; what was stored before is intact")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step: a reader sees the old file or the new one."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(content, file, sort_keys=True, indent=1)
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of the store; `StoreError` where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{path} is missing: metadata of the store was deleted") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} is damaged and cannot be read ({error})") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
