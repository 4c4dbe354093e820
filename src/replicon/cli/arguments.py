"""Words of the command line as parameters, grids and sizes."""

import math
from typing import TYPE_CHECKING, Any

from replicon.core.errors import DataError, ParameterError

if TYPE_CHECKING:
    from replicon.core.parameters import Parameter
    from replicon.core.system import System

LARGEST_GRID = 100_000
"""Points of a theory grid; more belong in a file, written from Python."""


def parse_assignments(words: tuple[str, ...]) -> dict[str, str]:
    """``("load=0.1", "state=auto")`` as a mapping of text.

    Raises
    ------
    ParameterError
        For a word without "=", without name or value, and for a name given twice.
    """
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise ParameterError(f"{word!r} is no parameter; write key=value, such as load=0.1")
        if name in values:
            raise ParameterError(f"{name} is given twice")
        values[name] = value
    return values


def make_system(owner: "type[System]", words: tuple[str, ...]) -> "System":
    """The system at the single point that the words name.

    Raises
    ------
    ParameterError
        For an unknown name, a value out of range, or several values.
    """
    values = parse_assignments(words)
    _check_names(owner, values)
    point = {}
    for name, text in values.items():
        found = parse_values(name, text, owner.parameters()[name])
        if isinstance(found, list):
            raise ParameterError(
                f"{name}={text} is a grid; this command takes one value, 'replicon theory' takes grids"
            )
        point[name] = found
    return owner.make(**point)


def make_grid(owner: "type[System]", words: tuple[str, ...]) -> dict[str, Any]:
    """Parameter values as `replicon.predict` takes them: a list is an axis.

    Raises
    ------
    ParameterError
        For an unknown name, a range that makes no sense, or too many points.
    """
    values = parse_assignments(words)
    _check_names(owner, values)
    grid = {name: parse_values(name, text, owner.parameters()[name]) for name, text in values.items()}
    points = math.prod(len(value) for value in grid.values() if isinstance(value, list))
    if points > LARGEST_GRID:
        raise ParameterError(f"the grid has {points} points; at most {LARGEST_GRID} are printed, use replicon.predict")
    return grid


def parse_values(name: str, text: str, info: "Parameter") -> Any:
    """A value, or a list for ``0.05,0.1`` (these values) and ``0.05:0.15:11`` (so many, equally spaced)."""
    if info.choices is None and text.count(":") == 2:
        return _spaced(name, text)
    if "," in text:
        return [_value(part.strip(), info) for part in text.split(",")]
    return _value(text, info)


def parse_sizes(text: str | None) -> list[int] | None:
    """``500,1000,2000`` as numbers; None where nothing was given.

    Raises
    ------
    DataError
        For anything but whole numbers.
    """
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise DataError(f"sizes is {text!r}; give whole numbers separated by commas, such as 500,1000,2000") from None


def _check_names(owner: "type[System]", values: dict[str, str]) -> None:
    from replicon.core.parameters import unknown_name

    known = owner.parameters()
    for name in values:
        if name not in known:
            raise unknown_name(name, known, "parameter", owner.__name__)


def _value(text: str, info: "Parameter") -> int | float | str:
    """A number where the parameter is one; what is no number stays a word, which the system refuses by name."""
    if info.choices is not None:
        return text
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def _spaced(name: str, text: str) -> list[float]:
    first, last, count = text.split(":")
    try:
        low, high, number = float(first), float(last), int(count)
    except ValueError:
        raise ParameterError(f"{name}={text} is no range; write first:last:count, such as 0.05:0.15:11") from None
    if not (math.isfinite(low) and math.isfinite(high)) or number < 2:
        raise ParameterError(f"{name}={text} is no range; give finite ends and at least two points")
    if number > LARGEST_GRID:
        raise ParameterError(f"{name}={text} has {number} points; at most {LARGEST_GRID} are printed")
    return [low + (high - low) * k / (number - 1) for k in range(number - 1)] + [high]
