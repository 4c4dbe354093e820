"""Theory at the points of a study: one compiled map per combination of words and whole numbers."""

from typing import Any

import numpy as np

from replicon.core.errors import ConvergenceError
from replicon.core.sweep.study import Study
from replicon.maths.solution import NOT_CONVERGED

Prediction = tuple[dict[str, np.ndarray], np.ndarray, dict[int, str]]


def predict_points(study: Study, points: np.ndarray, size: int | None) -> Prediction:
    """Evaluate the theory of a study.

    Parameters
    ----------
    study : Study
    points : int array (n,)
        Which points.
    size : int, optional
        Predict for this size.

    Returns
    -------
    values : dict of str to array (n, ...)
        By observable; nan where the theory gives none.
    status : int array (n,)
    errors : dict of int to str
        Message of each point, by its place in `points`, that the system refuses.
    """
    known = study.owner.parameters()
    static = [name for name in study.columns if known[name].static]
    keys = list(zip(*[study.columns[name][points].tolist() for name in static], strict=True)) or [()] * len(points)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(keys):
        groups.setdefault(key, []).append(place)
    values: dict[str, np.ndarray] = {}
    status = np.zeros(len(points), dtype=np.int32)
    errors: dict[int, str] = {}
    for key, places in groups.items():
        words = dict(zip(static, key, strict=True))
        try:
            parts = [(places, _evaluate(study, words, points[places], size))]
        except Exception:
            parts = _one_by_one(study, words, points, places, size, errors)
        for where, record in parts:
            status[where] = np.broadcast_to(record.status, len(where))
            for name, found in record.present().items():
                _place(values, name, np.asarray(found, dtype=np.float64), where, len(points), record.table()[name].dims)
    return values, status, errors


def _evaluate(study: Study, words: dict[str, Any], points: np.ndarray, size: int | None) -> Any:
    traced = {n: column[points] for n, column in study.columns.items() if not study.owner.parameters()[n].static}
    if traced:
        return study.owner(**study.fixed | words | traced).theory(size=size)
    return _single(study.owner(**study.fixed | words), size)


def _single(system: Any, size: int | None) -> Any:
    try:
        return system.theory(size=size)
    except ConvergenceError:
        return type(system).Observables(status=NOT_CONVERGED)


def _one_by_one(
    study: Study, words: dict[str, Any], points: np.ndarray, places: list[int], size: int | None, errors: dict[int, str]
) -> list[tuple[list[int], Any]]:
    """The points that the system accepts; the others leave their message."""
    parts = []
    for place in places:
        try:
            parts.append(([place], _single(study.owner(**study.values(int(points[place])) | words), size)))
        except Exception as error:
            errors[place] = f"{type(error).__name__}: {error}"
    return parts


def _place(
    values: dict[str, np.ndarray], name: str, found: np.ndarray, where: list[int], count: int, dims: tuple[str, ...]
) -> None:
    """Put the values of some points into the array of all; curves of other lengths are padded."""
    found = np.broadcast_to(found, (len(where), *found.shape[found.ndim - len(dims) :]))
    tail = found.shape[1:]
    if name not in values:
        values[name] = np.full((count, *tail), np.nan)
    elif tail and tail[0] > values[name].shape[1]:
        values[name] = np.pad(values[name], [(0, 0), (0, tail[0] - values[name].shape[1])], constant_values=np.nan)
    if tail:
        values[name][where, : tail[0]] = found
    else:
        values[name][where] = found
