"""What only a process that belongs to the command line may do: global float64 and compiled code kept on disk.

Everything goes through environment variables, set before JAX is imported: commands that never need it pay nothing,
and worker processes inherit it. What the user has set already stays.
"""

import os
import re
import warnings
from pathlib import Path
from typing import Any

UNREADABLE = re.compile(r"Error reading persistent compilation cache entry for '(?P<name>[^']+)'")

_claimed = False


def claim() -> None:
    """Declare that this process is the command line's own; called by ``main`` only."""
    global _claimed
    _claimed = True


def prepare() -> None:
    """Set up JAX, in an own process, before a command imports it."""
    if not _claimed:
        return
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    # Compiling the theory of a system takes a second or more, reading it back some milliseconds.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_folder()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    folder, shown = Path(os.environ["JAX_COMPILATION_CACHE_DIR"]), warnings.showwarning

    def show(message: Any, *details: Any, **more: Any) -> None:
        if not forget_unreadable(str(message), folder):
            shown(message, *details, **more)

    warnings.showwarning = show


def cache_folder() -> Path:
    """Folder of compiled code, one for each version of the compiler and kind of processor."""
    import importlib.metadata

    import platformdirs

    from replicon.core.provenance import machine

    version = importlib.metadata.version("jaxlib")
    return Path(platformdirs.user_cache_dir("replicon")) / "xla" / f"{version}-{machine()}"


def forget_unreadable(message: str, folder: Path) -> bool:
    """Delete the entries of the function that a warning calls unreadable; False for any other message.

    JAX writes entries in place and never again, so that one truncated by a kill would warn for ever.
    """
    found = UNREADABLE.search(message)
    if found is None:
        return False
    for entry in folder.glob(f"{found['name']}-*"):
        entry.unlink(missing_ok=True)
    return True
