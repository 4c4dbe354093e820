"""Checks of samples and labels that users hand in."""

from typing import Any

import numpy as np

from replicon.core.errors import DataError


def as_features(owner: str, features: Any) -> np.ndarray:
    """The samples as a float64 matrix (samples, features), finite and not empty, or a `DataError`."""
    matrix = np.array(features, dtype=float)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise DataError(f"{owner}: features must have shape (samples, features), got {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise DataError(f"{owner}: features has nan or infinite entries; remove or impute them")
    return matrix


def as_labels(owner: str, labels: Any, samples: int, real: bool = False) -> np.ndarray:
    """The labels as float64: -1/+1 (0/1 and bool are turned into it) or, where `real`, any finite numbers.

    Raises
    ------
    DataError
        For other values, or another number of labels than of samples.
    """
    answers = np.asarray(labels)
    if answers.shape != (samples,):
        raise DataError(f"{owner}: labels has shape {answers.shape}; {samples} samples ask for ({samples},)")
    if answers.dtype.kind not in "biuf" or not np.isfinite(answers.astype(float)).all():
        raise DataError(f"{owner}: labels must be finite numbers, got {answers.dtype}")
    answers = answers.astype(float)
    if real:
        return answers
    values = set(np.unique(answers).tolist())
    if values <= {-1.0, 1.0}:
        return answers
    if values <= {0.0, 1.0}:
        return 2 * answers - 1
    found = ", ".join(f"{value:g}" for value in sorted(values)[:4])
    raise DataError(f"{owner}: labels must be -1/+1 or 0/1, found the values {found}")
