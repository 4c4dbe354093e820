"""A study described in a TOML file. Whatever is wrong in it is one line that names the line."""

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from replicon.core.errors import ParameterError, RepliconError
from replicon.core.parameters import unknown_name
from replicon.core.store.place import is_url
from replicon.core.sweep.study import Study, describe

STUDY_KEYS: dict[str, tuple[type, ...]] = {
    "system": (str,),
    "sizes": (list, int),
    "realizations": (int,),
    "seed": (int,),
    "common_draws": (bool,),
    "store": (str,),
    "theory": (bool,),
    "block": (list,),
    "block_seconds": (int, float),
}
RANGE_KEYS = ("start", "stop", "count", "spacing")
TABLES = ("study", "parameters", "points")
SCALAR = "a number, a word, a list of them, or {start, stop, count}"


@dataclass
class StudyFile:
    """What a study file asks for.

    Attributes
    ----------
    system : str
        Name in the catalogue, or ``module:Class``.
    options : dict
        Arguments of `replicon.sweep` by name.
    store : Path or str
        A folder or a URL, by default the file's own name with the ending ``.zarr``; a relative path starts at the
        file's folder.
    """

    system: Any
    options: dict[str, Any] = field(default_factory=dict)
    store: Path | str = field(default_factory=Path)


def read_study(path: str | Path) -> StudyFile:
    """Read and check a study file.

    Parameters
    ----------
    path : str or Path
        A TOML file with a table ``[study]`` (system, sizes, realizations, seed, common_draws, store, theory, block,
        block_seconds), a table ``[parameters]`` whose entries are numbers, words, lists of them (an axis) or
        ``{start, stop, count, spacing}`` (an axis; spacing "linear" or "log"), or instead of axes ``[[points]]``.

    Raises
    ------
    ParameterError
        Naming file and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParameterError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} cannot be read: {error}") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", str(error), re.DOTALL)
        line = text.count("\n") + 1 if found is None or found[2] is None else int(found[2])
        raise ParameterError(f"{path}, line {line}: {(found[1] if found else str(error)).strip()}") from None
    return _Reader(path, text, content).study_file()


class _Reader:
    def __init__(self, path: Path, text: str, content: dict[str, Any]) -> None:
        self.path, self.lines, self.content = path, text.splitlines(), content

    def study_file(self) -> StudyFile:
        for table in self.content:
            if table not in TABLES:
                raise self.error(
                    table, "", f"unknown table {table!r}{_nearest(table, TABLES)}; known: study, parameters"
                )
        study = self.content.get("study")
        if not isinstance(study, dict):
            raise ParameterError(f"{self.path}: the table [study] is missing; it names at least the system")
        for key, value in study.items():
            self._check_key(key, value)
        if "system" not in study:
            raise self.error("study", "", "system is missing; give a name that 'replicon list' prints")
        owner = self._load(study["system"])
        axes = self._axes(owner)
        options = {key: value for key, value in study.items() if key not in ("system", "store")}
        options["parameters"] = axes
        if "block" in options:
            options["block"] = tuple(options["block"])
        if "points" in self.content:
            options["points"] = self._points(owner)
        self._check(owner, axes, options)
        store = study.get("store", self.path.with_suffix(".zarr").name)
        # a path starts at the file's folder unless it is absolute
        return StudyFile(owner, options, store if is_url(store) else self.path.parent / store)

    def error(self, table: str, key: str, message: str) -> ParameterError:
        """The error for a key of a table, with the line on which it stands."""
        return ParameterError(f"{self.path}, line {self._line(table, key)}: {message}")

    def _check_key(self, key: str, value: Any) -> None:
        if key not in STUDY_KEYS:
            known = ", ".join(STUDY_KEYS)
            raise self.error("study", key, f"unknown key {key!r}{_nearest(key, STUDY_KEYS)}; known: {known}")
        allowed = STUDY_KEYS[key]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            names = " or ".join(_NAMES[kind] for kind in allowed)
            raise self.error("study", key, f"{key} is {value!r}; give {names}")

    def _load(self, name: str) -> Any:
        from replicon.core import catalog

        try:
            if ":" in name:
                return catalog.Entry(name, name, "").load()
            return catalog.load(name)
        except RepliconError as error:
            raise self.error("study", "system", str(error)) from None

    def _axes(self, owner: Any) -> dict[str, Any]:
        found = {}
        parameters = self.content.get("parameters", {})
        if not isinstance(parameters, dict):
            raise self.error("parameters", "", "parameters must be a table")
        for name, value in parameters.items():
            self._name(owner, "parameters", name)
            found[name] = self._range(name, value) if isinstance(value, dict) else value
            values = found[name] if isinstance(found[name], (list, np.ndarray)) else [found[name]]
            if any(isinstance(v, (dict, list)) for v in values) or len(values) == 0:
                raise self.error("parameters", name, f"{name} is {value!r}; give {SCALAR}")
        return found

    def _points(self, owner: Any) -> list[dict[str, Any]]:
        points = self.content["points"]
        if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
            raise self.error("points", "", "points must be tables: [[points]], then name = value")
        for point in points:
            for name in point:
                self._name(owner, "points", name)
        return points

    def _name(self, owner: Any, table: str, name: str) -> None:
        if name not in owner.parameters():
            message = str(unknown_name(name, owner.parameters(), "parameter", owner.__name__))
            raise self.error(table, name, message)

    def _range(self, name: str, value: dict[str, Any]) -> np.ndarray:
        for key in value:
            if key not in RANGE_KEYS:
                raise self.error("parameters", name, f"unknown key {key!r} of {name}; known: {', '.join(RANGE_KEYS)}")
        try:
            start, stop, count = float(value["start"]), float(value["stop"]), int(value["count"])
            spacing = value.get("spacing", "linear")
            if count < 1 or spacing not in ("linear", "log") or count != value["count"]:
                raise ValueError
            if spacing == "linear":
                return np.linspace(start, stop, count)
            if not min(start, stop) > 0:
                raise ValueError
            return np.geomspace(start, stop, count)
        except (KeyError, TypeError, ValueError):
            advice = 'give start, stop (both above 0 for spacing = "log") and a count of at least 1'
            raise self.error("parameters", name, f"{name} is {value!r}; {advice}") from None

    def _check(self, owner: Any, axes: dict[str, Any], options: dict[str, Any]) -> None:
        """Describe the study once, key by key, so that an error can be laid to its line."""
        for name, value in axes.items():
            self._try("parameters", name, owner, {name: value})
        for key in ("sizes", "realizations", "seed"):
            if key in options:
                self._try("study", key, owner, {}, **{key: options[key]})
        if "points" in options:
            self._try("points", "", owner, axes, points=options["points"])

    def _try(self, table: str, key: str, owner: Any, axes: dict[str, Any], **more: Any) -> Study:
        arguments: dict[str, Any] = {"points": None, "sizes": None, "realizations": 1, "seed": 0, "common_draws": False}
        try:
            return describe(owner, axes, **arguments | more)
        except RepliconError as error:
            raise self.error(table, key, str(error)) from None

    def _line(self, table: str, key: str) -> int:
        """Line of a key in a table; that of the table where the key is not found, as it may be written inline."""
        current, header = "", 1
        name = re.escape(key or table)
        for number, line in enumerate(self.lines, 1):
            code = line.partition("#")[0]
            opened = re.match(r"\s*\[{1,2}\s*([^\]\s]+)\s*\]{1,2}", code)
            if opened:
                current = opened[1].strip("\"'")
                header = number if current == table else header
            elif current == (table if key else "") and re.search(rf"(^|[\s,{{])[\"']?{name}[\"']?\s*[=.]", code):
                return number
        return header


_NAMES = {str: "text", list: "a list", int: "a whole number", float: "a number", bool: "true or false"}


def _nearest(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""
