"""What a report is made of: sections with text, tables, figures and code, no matter who renders them.

Systems make sections for their demonstrations; the report and the command line show them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Table:
    """A table of finished text; its first column and the columns numbered in `words` start at the left."""

    header: list[str]
    rows: list[list[str]]
    caption: str = ""
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A figure, what it shows for those who cannot see it, and a caption."""

    figure: "Figure"
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Code:
    """Lines to copy, and what they do."""

    text: str
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A titled part of a report; text is plain, never markup.

    Attributes
    ----------
    title : str
    text : tuple of str
        Paragraphs.
    tables, pictures, code : tuple
        Shown in this order below the text.
    """

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    code: tuple[Code, ...] = ()


Demonstration = tuple[str, Callable[[], Section]]
"""What a system shows besides its comparison: a title and the function that does the work.

A system class offers them by a class method ``demonstrations()`` that returns a list; each function is called without
arguments by ``replicon run`` and its section becomes part of the report.
"""


def demonstrations_of(system: type) -> list[Demonstration]:
    """The demonstrations that a system class offers; most offer none."""
    offer = getattr(system, "demonstrations", None)
    return [] if offer is None else list(offer())
