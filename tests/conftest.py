"""One BLAS thread for all tests: the same bits everywhere, and no thread pools that fight for two cores."""

import contextlib
import gc
import os
import signal
import sys

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's background jobs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

MANY_MAPS = 30_000
"""Memory maps of this process; Linux allows 65,530, and the compiler crashes where it gets no more."""


@pytest.fixture(scope="module", autouse=True)
def few_compiled_functions():
    """Forget compiled functions after a module once they are many: each holds several maps."""
    yield
    jax = sys.modules.get("jax")
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="ascii", errors="replace") as file:
        if jax is not None and sum(1 for _ in file) > MANY_MAPS:
            jax.clear_caches()
            gc.collect()
