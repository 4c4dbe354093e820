"""Writing files so that they are whole or absent, and saying in one line why a write failed."""

import errno
import json
import time
from collections.abc import Callable
from typing import Any

from replicon.core.errors import StoreError
from replicon.core.store.place import Place

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


def persistently(place: Place, what: str, write: Callable[[], Any]) -> Any:
    """Write, again where the error may pass; `StoreError` where it will not."""
    for pause in (*PAUSES, None):
        try:
            return write()
        except StoreError:
            raise
        except OSError as error:
            if error.errno in FATAL or pause is None:
                raise write_error(place, what, error) from error
            time.sleep(pause)
    return None


def write_error(place: Any, what: str, error: OSError) -> StoreError:
    """The one line for a failed write."""
    reason = FATAL.get(error.errno or 0, error.strerror or str(error))
    return StoreError(f"{place}: {what} could not be written: {reason}; what was stored before is intact")


def write_json(place: Place, key: str, content: dict[str, Any]) -> None:
    """Write a JSON file of the store in one step."""
    text = json.dumps(content, sort_keys=True, indent=1)
    persistently(place, key, lambda: place.write(key, text.encode()))


def read_json(place: Place, key: str, *, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    """Read a JSON file of the store; `StoreError` where it is damaged, or is not there and `missing` is not given."""
    try:
        return json.loads(place.read(key).decode())
    except FileNotFoundError:
        if missing is not None:
            return missing
        raise StoreError(f"{place}/{key} is missing: metadata of the store was deleted") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{place}/{key} is damaged and cannot be read ({error})") from None
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{place}/{key} cannot be read: {error.strerror}") from error
