"""Literature sources and their BibTeX."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One source.

    Attributes
    ----------
    key : str
        BibTeX key.
    authors, title, journal : str
        As printed; authors joined by " and ".
    year : int
    volume, pages, doi, arxiv : str
        Empty where they do not exist.
    """

    key: str
    authors: str
    title: str
    year: int
    journal: str = ""
    volume: str = ""
    pages: str = ""
    doi: str = ""
    arxiv: str = ""

    @property
    def short(self) -> str:
        """One line for tables and captions: ``Hopfield, PNAS 79, 2554 (1982)``."""
        names = [
            re.split(r",|\s(?=\S+$)", author)[0 if "," in author else -1] for author in self.authors.split(" and ")
        ]
        who = (
            names[0]
            if len(names) == 1
            else f"{', '.join(names[:-1])} and {names[-1]}"
            if len(names) < 4
            else f"{names[0]} et al."
        )
        where = " ".join(part for part in (self.journal, self.volume) if part) or (
            f"arXiv:{self.arxiv}" if self.arxiv else ""
        )
        return ", ".join(part for part in (who, where, self.pages) if part) + f" ({self.year})"

    def bibtex(self) -> str:
        """The BibTeX entry."""
        kind = "article" if self.journal else "misc"
        fields = {
            "author": self.authors,
            "title": f"{{{self.title}}}",
            "journal": self.journal,
            "volume": self.volume,
            "pages": self.pages,
            "year": str(self.year),
            "doi": self.doi,
            "eprint": self.arxiv,
            "archivePrefix": "arXiv" if self.arxiv else "",
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        return f"@{kind}{{{self.key},\n{body}\n}}"
