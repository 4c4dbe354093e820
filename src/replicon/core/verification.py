"""Recomputing published numbers: published, theory, simulation and a verdict for each.

A number holds when everything that was computed for it, theory or simulation, differs from the published one by at
most its tolerance plus `Z_MAX` times the combined standard error of the two.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import jax
import numpy as np

from replicon.core import catalog
from replicon.core.claims import Claim, Measurement, claims, claims_at
from replicon.core.errors import Cancelled, ParameterError, RepliconError
from replicon.core.execution import make_executor
from replicon.core.precision import to_user
from replicon.core.provenance import provenance
from replicon.core.statistics import excess
from replicon.core.tables import html_table, render, with_error
from replicon.maths.solution import NOT_CONVERGED, Solution

Z_MAX = 3.0
"""Combined standard errors by which a simulated number may differ from the published one."""

HEADER = ["claim", "published", "theory", "simulation", "z", "verdict"]

Verdict = Literal["holds", "fails", "not_computed"]


@dataclass(frozen=True)
class Row:
    """One claim and what came of it; the numbers are nan where there are none."""

    system: str
    topic: str
    name: str
    published: float
    published_error: float
    source: str
    tolerance: float
    why: str
    comparison: str
    theory: float = math.nan
    simulation: float = math.nan
    standard_error: float = math.nan
    count: int = 0
    z: float = math.nan
    verdict: Verdict = "not_computed"
    reproduces: bool = True
    full: bool = False
    raised: bool = False
    reason: str = ""
    remark: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Verification:
    """Published numbers beside recomputed ones; shows itself as a table in terminals and notebooks.

    Attributes
    ----------
    rows : list of Row
        In the order of the catalogue and of each system's claims.
    full : bool
        Whether the long simulations ran.
    provenance : dict
        Versions, machine, time.
    """

    rows: list[Row]
    full: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)

    def count(self, verdict: Verdict) -> int:
        """Number of claims with this verdict."""
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def surprises(self) -> list[Row]:
        """Claims that fail without being known to, hold although marked as not reproducing, or raised an error."""
        return [row for row in self.rows if row.raised or row.verdict == ("fails" if row.reproduces else "holds")]

    def document(self) -> dict[str, Any]:
        """The result as plain data, ready for JSON: nan is None."""
        return {
            "claims": [_plain(asdict(row)) for row in self.rows],
            "holds": self.count("holds"),
            "fails": self.count("fails"),
            "not_computed": self.count("not_computed"),
            "z_max": Z_MAX,
            "full": self.full,
            "provenance": self.provenance,
        }

    def tables(self) -> Iterator[tuple[str, list[list[str]]]]:
        """Title and rows of cells (`HEADER`), system by system."""
        for system in dict.fromkeys(row.system for row in self.rows):
            cells: list[list[str]] = []
            topic = ""
            for row in (row for row in self.rows if row.system == system):
                if row.topic != topic:
                    topic = row.topic
                    cells.append([topic, *[""] * (len(HEADER) - 1)])
                cells.append(_cells(row))
            yield system, cells

    def remarks(self) -> list[str]:
        """What the reader must know besides the table: every claim that does not plainly hold, and the rule."""
        lines = []
        for row in self.rows:
            said = "; ".join(part for part in (row.reason, row.remark) if part)
            if said and row.verdict != "holds":
                lines.append(f"{row.verdict.replace('_', ' ')}: {row.name}: {said}")
            elif row.verdict == "fails":
                lines.append(f"fails: {row.name}: tolerance {row.tolerance:g} ({row.why}); {row.source}")
        tail = "" if self.full else "; --full also runs the long simulations"
        counts = f"{self.count('holds')} hold, {self.count('fails')} fail, {self.count('not_computed')} not computed"
        lines.append(f"{counts} (a number holds within its tolerance plus {Z_MAX:g} combined standard errors{tail})")
        return lines

    @property
    def text(self) -> str:
        """The tables in plain characters."""
        parts = [render(system, HEADER, cells, []) for system, cells in self.tables()]
        return "\n".join([*parts, *self.remarks()])

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [html_table(system, HEADER, cells, []) for system, cells in self.tables()]
        return "".join([*parts, html_table("", [], [], self.remarks())])


def verify(
    name: Any = None,
    *,
    full: bool = False,
    workers: int | None = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> Verification:
    """Recompute the published numbers of one system, or of every system that has some.

    Parameters
    ----------
    name : str, System or System class, optional
        Catalogue name, ``module:Class``, or the system itself; None takes the whole catalogue.
    full : bool
        Also run the simulations that take long; without it they are ``not_computed`` unless a theory decides.
    workers : int or None
        Processes; None takes every core. The numbers do not depend on it.
    progress : callable, optional
        Called with (claims done, claims planned).

    Returns
    -------
    Verification
        ``rows`` with verdicts ``holds``, ``fails`` and ``not_computed`` (with the reason); ``document()`` for JSON.

    Raises
    ------
    ParameterError
        For a name that is in no catalogue, or a system without claims.
    """
    tasks: list[tuple[str, str, str, bool]] = []
    planned: list[int] = []
    broken: dict[int, list[Row]] = {}
    for label, target in _targets(name):
        try:
            known = claims_at(target)
        except RepliconError as error:
            # One package that cannot be read must not keep the others from being verified.
            broken[len(tasks)] = [_unread(label, str(error))]
            tasks.append((label, target, "", full))
            planned.append(0)
            continue
        topics = dict.fromkeys(claim.topic for claim in known)
        tasks += [(label, target, topic, full) for topic in topics]
        planned += [sum(claim.topic == topic for claim in known) for topic in topics]
    if name is not None and not tasks:
        raise ParameterError(
            f"{name if isinstance(name, str) else catalog.name_of(_owner(name))} has no claims to verify"
        )
    results = dict(broken)
    done, waiting = 0, [number for number in range(len(tasks)) if number not in broken]
    for place, rows in make_executor(workers).run(verify_topic, [tasks[number] for number in waiting]):
        results[waiting[place]] = rows
        done += planned[waiting[place]]
        if progress is not None:
            progress(done, sum(planned))
    return Verification([row for number in sorted(results) for row in results[number]], full, provenance())


def verify_topic(label: str, target: str, topic: str, full: bool) -> list[Row]:
    """Recompute the claims of one topic of the system at `target`, in this process."""
    return [check_claim(claim, full=full, system=label) for claim in claims_at(target) if claim.topic == topic]


def check_claim(claim: Claim, *, full: bool = True, system: str = "") -> Row:
    """Recompute one claim and judge it.

    Parameters
    ----------
    claim : Claim
    full : bool
        Run its simulation even where that takes long.
    system : str
        Name to put into the row.
    """
    begin = time.perf_counter()
    found: dict[str, Any] = {}
    reasons, verdicts = [], []
    raised = False
    if claim.compute is None and claim.simulate is None:
        reasons.append("neither theory nor simulation of it exists here")
    if claim.compute is not None:
        try:
            found["theory"] = _theory(claim.compute)
            verdicts.append(_holds(claim, found["theory"], 0.0))
        except (Cancelled, KeyboardInterrupt, MemoryError):
            raise
        except Exception as error:
            raised = True
            reasons.append(f"theory: {_said(error)}")
    if claim.simulate is not None and claim.full and not full:
        about = f", about {_duration(claim.seconds)}" if claim.seconds else ""
        reasons.append(f"the simulation takes long (--full{about})")
    elif claim.simulate is not None:
        try:
            measured = _simulation(claim.simulate)
            scale = math.hypot(measured.standard_error, claim.published_error)
            outside = _excess(claim, measured.mean)
            found |= {
                "simulation": measured.mean,
                "standard_error": measured.standard_error,
                "count": measured.count,
                "z": outside / scale if scale > 0 else 0.0 if outside == 0 else math.copysign(math.inf, outside),
            }
            verdicts.append(_holds(claim, measured.mean, measured.standard_error))
        except (Cancelled, KeyboardInterrupt, MemoryError):
            raise
        except Exception as error:
            raised = True
            reasons.append(f"simulation: {_said(error)}")
    verdict: Verdict = "not_computed" if raised or not verdicts else "holds" if all(verdicts) else "fails"
    copied = ("topic", "name", "published", "published_error", "source", "tolerance", "why", "comparison")
    return Row(
        system=system,
        **{entry: getattr(claim, entry) for entry in (*copied, "reproduces", "full", "remark")},
        **found,
        verdict=verdict,
        raised=raised,
        reason="; ".join(reasons),
        seconds=time.perf_counter() - begin,
    )


def _targets(name: Any) -> list[tuple[str, str]]:
    """Catalogue names and places of the systems asked for."""
    if name is None:
        return [(entry.name, entry.target) for entry in catalog.entries()]
    if isinstance(name, str):
        entry = catalog.find(name)
        claims(name)
        return [(entry.name, entry.target)]
    owner = _owner(name)
    return [(catalog.name_of(owner), f"{owner.__module__}:{owner.__qualname__}")]


def _owner(system: Any) -> type:
    return system if isinstance(system, type) else type(system)


def _unread(label: str, message: str) -> Row:
    return Row(label, "", "claims", math.nan, 0.0, "", 0.0, "", "equal", raised=True, reason=message)


def _theory(compute: Callable[[], Any]) -> float:
    with jax.enable_x64(True):
        result = to_user(compute())
    if isinstance(result, Solution) and np.any(np.asarray(result.status) & NOT_CONVERGED):
        raise RepliconError("the solver did not converge")
    value = float(result)
    if not math.isfinite(value):
        raise RepliconError(f"gives {value}")
    return value


def _simulation(simulate: Callable[[], Measurement]) -> Measurement:
    measured = Measurement(*simulate())
    mean, error = float(measured.mean), float(measured.standard_error)
    if not (math.isfinite(mean) and math.isfinite(error)):
        raise RepliconError(f"gives {mean} +- {error} from {measured.count} draws")
    return Measurement(mean, error, int(measured.count))


def _excess(claim: Claim, value: float) -> float:
    scale = max(abs(value), abs(claim.published))
    return float(excess(np.asarray(value - claim.published), np.asarray(scale), claim.comparison, claim.tolerance))


def _holds(claim: Claim, value: float, standard_error: float) -> bool:
    return abs(_excess(claim, value)) <= Z_MAX * math.hypot(standard_error, claim.published_error)


def _cells(row: Row) -> list[str]:
    sign = {"equal": "", "upper": "<= ", "lower": ">= "}[row.comparison]
    published = (
        with_error(row.published, row.published_error or math.nan) if row.published_error else f"{row.published:.8g}"
    )
    return [
        f"  {row.name}" if row.topic else row.name,
        sign + published,
        f"{row.theory:.7g}" if math.isfinite(row.theory) else "",
        with_error(row.simulation, row.standard_error) if math.isfinite(row.simulation) else "",
        f"{row.z:+.1f}" if math.isfinite(row.z) else "",
        row.verdict.replace("_", " "),
    ]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
