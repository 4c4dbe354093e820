"""Checks of the data that the algorithms are given."""

from typing import Any

import numpy as np

from replicon.core.errors import DataError, ParameterError


def checked_problem(X: Any, y: Any, keep_precision: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The design matrix and the outcomes as finite float arrays whose shapes fit.

    Parameters
    ----------
    X : array (samples, features)
    y : array (samples,)
    keep_precision : bool
        Leave a float32 or float64 matrix as it is, without a copy; else it becomes float64.

    Raises
    ------
    DataError
        For shapes that do not fit, values that are no real numbers, nan or inf.
    """
    matrix = np.asarray(X)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise DataError(f"X must have shape (samples, features) with at least one of each, got {matrix.shape}")
    if matrix.dtype.kind not in "fiub":
        raise DataError(f"X must hold real numbers, got {matrix.dtype}")
    if not (keep_precision and matrix.dtype in (np.float32, np.float64)):
        matrix = np.asarray(matrix, dtype=np.float64)
    outcomes = np.asarray(y)
    if outcomes.shape != matrix.shape[:1]:
        raise DataError(f"y must have one value per row of X, shape ({matrix.shape[0]},), got {outcomes.shape}")
    if outcomes.dtype.kind not in "fiub":
        raise DataError(f"y must hold real numbers, got {outcomes.dtype}")
    outcomes = np.asarray(outcomes, dtype=np.float64)
    _refuse_infinite("X", matrix)
    _refuse_infinite("y", outcomes)
    return matrix, outcomes


def _refuse_infinite(name: str, values: np.ndarray) -> None:
    rows = values.reshape(len(values), -1)
    # Row by row in blocks: a mask of a large matrix would take a quarter of its own memory.
    block = max(1, 2**18 // rows.shape[1])
    for start in range(0, len(rows), block):
        if not np.isfinite(rows[start : start + block]).all():
            row = start + int(np.flatnonzero(~np.isfinite(rows[start : start + block]).all(axis=1))[0])
            raise DataError(f"{name} must be finite; found nan or inf in row {row}")


def checked_positive(name: str, value: Any, zero: bool = False) -> float:
    """A positive (or non-negative) finite number, or a `ParameterError` that names it."""
    kind = "non-negative" if zero else "positive"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} is {value!r}; give a {kind} number") from None
    if not (0 <= number < np.inf) or (number == 0 and not zero):
        raise ParameterError(f"{name} is {number}; give a {kind} finite number")
    return number


def checked_count(name: str, value: Any) -> int:
    """A whole number of at least 1, or a `ParameterError` that names it."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ParameterError(f"{name} is {value!r}; give a whole number of at least 1")
    return int(value)
