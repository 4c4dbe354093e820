"""How a user's binary data are written, and the way to spins -1/+1 and back."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from replicon.core.errors import DataError

Coding = Literal["bool", "binary", "spin"]

VALUES: dict[Coding, str] = {"bool": "{False, True}", "binary": "{0, 1}", "spin": "{-1, 1}"}


def list_values(values: NDArray) -> str:
    """Name up to five distinct values, for error messages."""
    distinct = np.unique(values)
    shown = ", ".join(f"{value:g}" for value in distinct[:5].tolist())
    return shown + (f" and {distinct.size - 5} more" if distinct.size > 5 else "")


def find_coding(array: NDArray) -> Coding | None:
    """Tell in which coding an array is written, None when in neither.

    Ones alone fit {0, 1} and {-1, 1}; they are read as the former.
    """
    if array.dtype == bool:
        return "bool"
    if ((array == 0) | (array == 1)).all():
        return "binary"
    if ((array == -1) | (array == 1)).all():
        return "spin"
    return None


def require_coding(array: NDArray) -> Coding:
    """Tell in which coding an array is written.

    Raises
    ------
    DataError
        Other values than {0, 1} or {-1, 1} or bool; names them.
    """
    coding = find_coding(array)
    if coding is None:
        raise DataError(
            f"X must be coded as {{0, 1}}, {{-1, 1}} or bool, found the values {list_values(array)}; "
            "set binarize to a threshold to code other data"
        )
    return coding


def to_spins(array: NDArray, coding: Coding, binarize: float | None = None) -> NDArray[np.int8]:
    """Turn data into spins, +1 for what is above the threshold or the larger of the two values.

    Parameters
    ----------
    array : array of any shape
    coding : {"bool", "binary", "spin"}
        What the memory was fitted with.
    binarize : float, optional
        Threshold; values above it become +1, all others -1, and `coding` is not looked at.

    Returns
    -------
    int8 array of the same shape

    Raises
    ------
    DataError
        Values outside the coding, without a threshold.
    """
    if binarize is not None:
        return _signs(array > binarize)
    low = -1 if coding == "spin" else 0
    up = array == 1
    strange = ~(up | (array == low))
    if strange.any():
        raise DataError(
            f"X must be coded as {VALUES[coding]} like the stored patterns, found {list_values(array[strange])}"
        )
    return _signs(up)


def _signs(up: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(up, np.int8(1), np.int8(-1))


def from_spins(spins: NDArray[np.int8], coding: Coding, dtype: np.dtype) -> NDArray:
    """Turn spins back into the coding and dtype of the data that were stored."""
    if coding == "spin":
        return spins.astype(dtype)
    return (spins > 0).astype(bool if coding == "bool" else dtype)
