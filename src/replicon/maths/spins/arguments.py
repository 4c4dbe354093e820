"""Checks of what the public functions of this package are given."""

from typing import NamedTuple

import numpy as np

from replicon.core.errors import DataError, ParameterError


class Descent(NamedTuple):
    """Where a zero-temperature dynamics ended; for a batch of starts every entry has a leading batch axis."""

    spins: np.ndarray
    """Final configuration, int8, shape (spins,) or (batch, spins)."""
    sweeps: np.ndarray
    """Sweeps (parallel: steps) made, including the last one, in which nothing changed."""
    flips: np.ndarray
    """Spins turned over on the way."""
    converged: np.ndarray
    """True where a fixed point was reached; False on a 2-cycle or when `max_sweeps` ran out."""


def checked_spins(spins: np.ndarray, size: int | None = None) -> np.ndarray:
    """Return a fresh contiguous int8 copy with a batch axis, shape (batch, spins); refuse all but +-1."""
    array = np.asarray(spins)
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise DataError(f"spins must have shape (spins,) or (batch, spins), got {array.shape}")
    if size is not None and array.shape[-1] != size:
        raise DataError(f"configurations have {array.shape[-1]} spins, the couplings {size}")
    copy = np.array(np.atleast_2d(array), dtype=np.int8, order="C")
    if not np.all(np.abs(copy) == 1) or not (array.dtype == np.int8 or np.array_equal(copy, np.atleast_2d(array))):
        raise DataError("spins must be +1 or -1")
    return copy


def checked_patterns(patterns: np.ndarray) -> np.ndarray:
    """Return the patterns as int8, shape (patterns, spins); refuse all but +-1."""
    array = np.asarray(patterns)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"patterns must have shape (patterns, spins) with at least one of each, got {array.shape}")
    small = array if array.dtype == np.int8 else array.astype(np.int8)
    if not np.all(np.abs(small) == 1) or (small is not array and not np.array_equal(small, array)):
        raise DataError("patterns must be +1 or -1")
    return small


def checked_couplings(couplings: np.ndarray) -> np.ndarray:
    """Return square couplings, contiguous: integers as int16 or int32, floats as float32 or float64."""
    array = np.asarray(couplings)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise DataError(f"couplings must be a square matrix, got shape {array.shape}")
    if array.dtype not in (np.int16, np.int32, np.float32, np.float64):
        array = array.astype(np.int32 if np.issubdtype(array.dtype, np.integer) else np.float64)
    if np.issubdtype(array.dtype, np.floating) and not np.all(np.isfinite(array)):
        raise DataError("couplings must be finite, got nan or inf")
    return np.ascontiguousarray(array)


def checked_bias(fields: np.ndarray | None, scale: float, size: int) -> np.ndarray:
    """Return the external fields in units of `scale`, float64, shape (size,); zeros for None."""
    if not (0.0 < scale < np.inf):
        raise ParameterError(f"scale = {scale} must be positive and finite")
    if fields is None:
        return np.zeros(size)
    bias = np.asarray(fields, dtype=np.float64)
    if bias.shape != (size,) or not np.all(np.isfinite(bias)):
        raise DataError(f"fields must be {size} finite numbers, got shape {bias.shape}")
    return bias / scale


def checked_temperature(temperature: float) -> float:
    """Return the temperature if it is positive and finite."""
    if not (0.0 < temperature < np.inf):
        raise ParameterError(f"temperature = {temperature} must be positive and finite; use the descent at T = 0")
    return float(temperature)


def checked_count(name: str, count: int, low: int) -> int:
    """Return a count of sweeps or steps if it is an integer and at least `low`."""
    if int(count) != count or count < low:
        raise ParameterError(f"{name} = {count} must be an integer of at least {low}")
    return int(count)
