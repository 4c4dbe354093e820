"""One BLAS thread for all tests: the same bits everywhere, and no thread pools that fight for two cores."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
