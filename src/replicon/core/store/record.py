"""The study's record, and the difference between two of them in words."""

from typing import Any

from replicon.core.errors import StoreError
from replicon.core.seeds import canonical, digest
from replicon.core.store.layout import FORMAT

EXTENT = ("grid", "points", "sizes", "realizations", "words")
"""What an extension may enlarge; everything else is the study's identity."""


def check_format(path: Any, record: dict[str, Any]) -> None:
    """Raise `StoreError` for a store of a newer format or a record that does not match its checksum."""
    version = record.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise StoreError(
            f"{path} has format {version} (written by replicon {record.get('replicon', '?')}); this version reads "
            f"format {FORMAT}: install a newer replicon"
        )
    if digest(record.get("study")) != record.get("sha256"):
        raise StoreError(f"{path}/zarr.json: the study's record does not match its checksum; it was edited or damaged")


def differences(stored: dict[str, Any], asked: dict[str, Any], *, extent: bool = True) -> list[str]:
    """Field by field, what differs between a stored study and the one asked for."""
    found = []
    for field in dict.fromkeys([*stored, *asked]):
        if field in EXTENT and not extent:
            continue
        mine, other = stored.get(field), asked.get(field)
        if canonical(mine) == canonical(other):
            continue
        if isinstance(mine, dict) and isinstance(other, dict):
            for key in dict.fromkeys([*mine, *other]):
                if key == "sha256":
                    continue
                if canonical(mine.get(key)) != canonical(other.get(key)):
                    found.append(f"{field}.{key} is {_short(mine.get(key))}, asked {_short(other.get(key))}")
            if field == "points" and mine.get("count") == other.get("count") and mine != other:
                found.append("points have other values")
        else:
            found.append(f"{field} is {_short(mine)}, asked {_short(other)}")
    return found


def require_same(path: Any, stored: dict[str, Any], asked: dict[str, Any], *, extend: bool) -> None:
    """Raise `StoreError` with the differences unless the studies are equal (apart from what `extend` enlarges)."""
    found = differences(stored, asked, extent=not extend)
    if not found:
        return
    only_extent = not extend and not differences(stored, asked, extent=False)
    advice = (
        "extend=True (--extend) adds points, sizes and realisations, another store keeps both"
        if only_extent
        else "choose another store"
    )
    raise StoreError(f"{path} holds another study: {'; '.join(found)}; {advice}")


def _short(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} values {value[0]} ... {value[-1]}"
    return value if isinstance(value, str) else canonical(value)
