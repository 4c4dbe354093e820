"""Where a result comes from: versions, commit, machine, seed and time."""

import datetime
import functools
import hashlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("replicon", "jax", "jaxlib", "numpy", "scipy", "numba", "equinox", "xarray")


@functools.cache
def versions() -> dict[str, str]:
    """Installed versions of what determines the numbers."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def commit() -> str:
    """Commit of the checkout that Replicon runs from, with a + when it has changes; empty when installed."""
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return ""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=10)
        dirty = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "") if head.returncode == 0 else ""


@functools.cache
def machine() -> str:
    """Architecture and a hash of the CPU's features: equal bits are promised only where both are equal."""
    try:
        flags = next(
            line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("flags", "Features"))
        )
    except (OSError, StopIteration):
        flags = platform.processor()
    return f"{platform.system()}-{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def provenance(**more: Any) -> dict[str, Any]:
    """Record of where and with what a result was computed; `more` adds seed, wall time and the like."""
    return {
        "versions": versions(),
        "commit": commit(),
        "machine": machine(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **more,
    }
