"""The theory of a study, chunk by chunk into its store."""

from typing import Any

import numpy as np

from replicon.core.store import blocks as storage
from replicon.core.store.integrity import reading
from replicon.core.store.opening import StudyStore
from replicon.core.store.writing import persistently, write_json
from replicon.core.sweep.predictions import predict_points
from replicon.core.sweep.study import Study

Key = tuple[int, int | None]


def open_chunks(store: StudyStore, retry_failed: bool) -> list[Key]:
    """Chunks of the theory that are to be computed: (number along points, position of the size or None)."""
    if store.study["predicted"] is None:
        return []
    count, width = store.study["points"]["count"], store.record["theory_chunk"]
    with reading(store, "theory_done"):
        mark = store.array("theory_done")[:count]
    wanted = (mark == storage.OPEN) | ((mark == storage.FAILED) if retry_failed else False)
    if wanted.ndim == 1:
        wanted = wanted[:, None]
        sizes: list[int | None] = [None]
    else:
        sizes = list(range(wanted.shape[1]))
    return [
        (chunk, size)
        for j, size in enumerate(sizes)
        for chunk in range(-(-count // width))
        if wanted[chunk * width : (chunk + 1) * width, j].any()
    ]


def compute_chunk(store: StudyStore, study: Study, key: Key, retry_failed: bool) -> None:
    """Evaluate the theory on the open points of a chunk and store it."""
    number, size = key
    count, width = study.count, store.record["theory_chunk"]
    rows = slice(number * width, min((number + 1) * width, count))
    region = (rows,) if size is None else (rows, slice(size, size + 1))
    arrays = {}
    for name in store.theory_names():
        with reading(store, name):
            arrays[name] = store.array(name)[region]
    mark = arrays["theory_done"].reshape(-1)
    wanted = (mark == storage.OPEN) | ((mark == storage.FAILED) if retry_failed else False)
    where = np.flatnonzero(wanted)
    values, status, errors = predict_points(
        study, where + rows.start, None if size is None else store.study["sizes"][size]
    )
    predicted = store.study["predicted"]
    for j, name in enumerate(predicted["scalars"]):
        _rows(arrays["theory"])[where, j] = values.get(name, np.nan)
    for name in predicted["curves"]:
        if name in values:
            _rows(arrays[f"theory_curve_{name}"])[where, : values[name].shape[1]] = values[name]
    _rows(arrays["theory_status"])[where] = status[:, None]
    mark[where] = storage.DONE
    mark[where[list(errors)]] = storage.FAILED
    arrays["theory_done"] = mark.reshape(arrays["theory_done"].shape)
    label = ".".join(str(part) for part in key if part is not None)
    for name in store.theory_names()[:-1]:
        _write(store, name, region, arrays[name])
    if errors:
        failures = [
            {"parameters": study.values(int(where[i]) + rows.start), "error": message} for i, message in errors.items()
        ]
        write_json(store.place, f"failed/theory.{label}.json", {"failures": failures})
    _write(store, "theory_done", region, arrays["theory_done"])


def _rows(array: np.ndarray) -> np.ndarray:
    """The chunk as (point, value): its axis of sizes has length one."""
    return array.reshape(len(array), -1)


def _write(store: StudyStore, name: str, region: tuple[slice, ...], values: Any) -> None:
    def write() -> None:
        store.array(name)[region] = values

    persistently(store.place, f"array {name}", write)
