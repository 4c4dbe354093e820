"""Opening the store of a study for writing: compared with the study, checked, repaired and enlarged as asked."""

from dataclasses import replace
from typing import Any

import numpy as np

from replicon.core.errors import StoreError
from replicon.core.store import integrity
from replicon.core.store.opening import StudyStore
from replicon.core.store.place import Place
from replicon.core.store.record import require_same
from replicon.core.sweep.study import Study


def prepare(study: Study, place: Place, *, extend: bool, repair: bool) -> StudyStore:
    """The store, checked against the study and for damage, enlarged and repaired where that was asked for."""
    store = StudyStore.open(place, writable=True)
    if repair and (missing := store.missing_arrays()):
        _require_equal(store, study, extend=False)
        store.restore_arrays(missing, study.coded())
    store.check_arrays()
    _require_equal(store, study, extend=extend)
    store.clean()
    # to look through an object store takes longer than to compute: there the checksums are compared when read
    damages = integrity.find_damage(store) if repair or place.folder is not None else []
    if damages and not repair:
        raise integrity.damage_error(store, damages)
    if damages:
        _repair(store, study, damages)
    if extend and not _equal(store, study):
        _extend(store, study)
    return store


def _repair(store: StudyStore, study: Study, damages: list[integrity.Damage]) -> None:
    of_blocks = {*store.names(), *store.theory_names()}
    of_points = [damage for damage in damages if damage.array not in of_blocks]
    if of_points:
        if store.record["extended"]:
            raise StoreError(
                f"{store.place}: {of_points[0]}; the order of the points of an extended study is lost with it and "
                "cannot be repaired"
            )
        for damage in of_points:
            store.place.remove(f"{damage.array}/{damage.chunk}")
        store.restore_columns(study.coded(), study.coordinates)
    integrity.reopen(store, damages)


def _extend(store: StudyStore, study: Study) -> None:
    """Enlarge the store: stored points and sizes first, in their order, then the new ones."""
    stored = {name: column.tolist() for name, column in store.columns.items()}
    old = list(zip(*stored.values(), strict=True))
    place = {row: k for k, row in enumerate(zip(*[study.columns[name].tolist() for name in stored], strict=True))}
    gone = [row for row in old if row not in place]
    lost = [size for size in store.study["sizes"] if size not in study.sizes]
    if gone or lost or study.realizations < store.study["realizations"]:
        what = (
            f"the point {dict(zip(stored, gone[0], strict=True))}" if gone
            else f"size {lost[0]}" if lost
            else f"{store.study['realizations']} realizations"
        )  # fmt: skip
        raise StoreError(f"{store.place} has {what}, which the study asked for leaves out; an extension only adds")
    kept = [place[row] for row in old]
    order = np.asarray([*kept, *sorted(set(range(study.count)) - set(kept))], dtype=np.int64)
    words = {name: list(dict.fromkeys([*store.study["words"][name], *w])) for name, w in study.words.items()}
    larger = replace(
        study,
        columns={name: column[order] for name, column in study.columns.items()},
        sizes=(*store.study["sizes"], *[size for size in study.sizes if size not in store.study["sizes"]]),
        words=words,
    )
    store.extend(larger.canonical(), larger.coded(), larger.coordinates)


def _require_equal(store: StudyStore, study: Study, *, extend: bool) -> None:
    require_same(store.place, _unordered(store.study), _unordered(study.canonical()), extend=extend)


def _equal(store: StudyStore, study: Study) -> bool:
    return _unordered(store.study) == _unordered(study.canonical())


def _unordered(study: dict[str, Any]) -> dict[str, Any]:
    """The study without the order in which sizes and words came into the store."""
    words = {name: sorted(words) for name, words in study["words"].items()}
    return {**study, "sizes": sorted(study["sizes"]), "words": words}
