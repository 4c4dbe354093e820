"""The part of a parameter's range that a slider covers, and what a typed word means."""

import math
from dataclasses import dataclass
from typing import Any

from replicon.core.errors import DataError, ParameterError
from replicon.core.parameters import Parameter

LONGEST = 64
"""Characters of a number that anyone types."""


@dataclass(frozen=True)
class Reach:
    """Ends and step of a slider."""

    start: float
    end: float
    step: float


def reach_of(info: Parameter, default: float) -> Reach:
    """A slider for a parameter.

    It covers the whole range where that is finite and not much wider than the default, else it goes from the lower end
    to four times as far as the default, or one unit where the default is the end itself.
    """
    low, high = info.low, info.high
    if math.isinf(low) and math.isinf(high):
        half = max(1.0, 2.0 * abs(default))
        low, high = -half, half
    elif math.isinf(low):
        low = high - _width(high - default)
    elif math.isinf(high) or high - low > 40 * _width(default - low):
        high = low + _width(default - low)
    step = nice((high - low) / 200)
    start = low + step if info.open_low and low == info.low else low
    end = high - step if info.open_high and high == info.high else high
    return Reach(clean(start), clean(end), step)


def nice(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most `value`."""
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return clean(next(factor for factor in (5, 2, 1) if factor * power <= value * (1 + 1e-9)) * power)


def clean(value: float) -> float:
    """The number that was meant: 0.12100000000000001 is 0.121."""
    return float(f"{value:.12g}")


def read(name: str, text: str, info: Parameter) -> Any:
    """A typed value. Nothing is evaluated: it is a number, or a word that the system then refuses by name."""
    text = text.strip()
    if len(text) > LONGEST:
        raise ParameterError(f"{name} ({info.symbol}) was given {len(text)} characters; give a number in {info.range}")
    if info.choices is not None:
        return text
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def read_number(what: str, text: str) -> float:
    """A typed finite number."""
    try:
        value = float(text) if len(text) <= LONGEST else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"{what} is {text[:LONGEST]!r}; give a number")
    return value


def read_whole(what: str, text: str, low: int, high: int) -> int:
    """A typed whole number within bounds."""
    try:
        value = int(text.strip()) if len(text) <= LONGEST else None
    except ValueError:
        value = None
    if value is None:
        raise DataError(f"{what} is {text[:LONGEST]!r}; give a whole number")
    if not low <= value <= high:
        raise DataError(f"{what} is {value}; give a whole number in [{low}, {high}]")
    return value


def read_sizes(text: str, most: int = 5) -> tuple[int, ...]:
    """Typed system sizes, ``200, 500``."""
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()] if len(text) <= 4 * LONGEST else []
    sizes = tuple(sorted({read_whole("a size", part, 1, 10**12) for part in parts}))
    if not sizes or len(sizes) > most:
        raise DataError(f"sizes is {text[:LONGEST]!r}; give one to {most} whole numbers, such as 200, 500")
    return sizes


def _width(distance: float) -> float:
    return clean(4.0 * distance) if distance > 0 else 1.0
