"""Published numbers, each with its source and a reasoned tolerance, and where a system keeps them.

A system's claims live in the module ``claims`` next to its ``model`` (``pkg.model:Ising2D`` has ``pkg.claims``), in
the name `claims`: a list or, where one room has several systems, a dict of lists by class name. They are
imported only when asked for.
"""

import importlib
import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from replicon.core import catalog
from replicon.core.errors import ParameterError, RepliconError


class Measurement(NamedTuple):
    """What the simulation of a claim returns.

    Attributes
    ----------
    mean, standard_error : float
        The measured number and its standard error.
    count : int
        Draws that it rests on.
    """

    mean: float
    standard_error: float
    count: int


@dataclass(frozen=True)
class Claim:
    """One published number and how to obtain it again: from theory, from simulation, or from both.

    Attributes
    ----------
    name : str
        What the number is, with the parameters it belongs to.
    published : float
        The number as printed.
    source : str
        Paper with equation, figure or table.
    tolerance : float
        Systematic difference allowed, absolute; never adjusted to the outcome.
    why : str
        Reason for the tolerance: the number of digits printed, a correction that is known.
    compute : callable, optional
        The number by theory; returns a float or a `Solution`.
    simulate : callable, optional
        The number by simulation; returns a `Measurement`.
    published_error : float
        Standard error printed with the number, 0.004 for .172(4).
    comparison : {"equal", "upper", "lower"}
        "upper" and "lower" claim only that the number is at most, or at least, the published one.
    full : bool
        The simulation takes long: it runs only when asked for.
    seconds : float
        About how long a `full` one takes on one core.
    topic : str
        Heading under which the claim is shown. Claims of one topic run in one process and may share draws.
    reproduces : bool
        False for a number that is known not to come out; `remark` says what we get and the likely reason.
    remark : str
        What the reader must know besides.
    of : str
        Name of the observable whose value this is, or of the parameter (a critical load); empty for any other number.
    at : dict of str to float or str
        Parameters (or the coordinate of a curve) that it belongs to, by name; those left out do not matter. With `of`
        it says where the number lies on a plot.

    Raises
    ------
    ParameterError
        For a tolerance that is negative, nan or without reason, or a claim that cannot come out without a remark.
    """

    name: str
    published: float
    source: str
    tolerance: float
    why: str
    compute: Callable[[], Any] | None = None
    simulate: Callable[[], Measurement] | None = None
    published_error: float = 0.0
    comparison: Literal["equal", "upper", "lower"] = "equal"
    full: bool = False
    seconds: float = 0.0
    topic: str = ""
    reproduces: bool = True
    remark: str = ""
    of: str = ""
    at: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise ParameterError(f"claim {self.name!r}: tolerance is {self.tolerance}; give a number of at least 0")
        if not self.why or not self.source:
            raise ParameterError(f"claim {self.name!r}: give its source, and why its tolerance is what it is")
        if not self.reproduces and not self.remark:
            raise ParameterError(f"claim {self.name!r} does not reproduce; say in its remark what comes out, and why")
        if self.comparison not in ("equal", "upper", "lower"):
            raise ParameterError(f"claim {self.name!r}: comparison is {self.comparison!r}; use equal, upper or lower")


def claims(system: Any) -> list[Claim]:
    """The published numbers of a system.

    Parameters
    ----------
    system : str, System or System class
        Catalogue name, ``module:Class``, or the system itself.

    Returns
    -------
    list of Claim
        Empty where the system has no module ``claims``.

    Raises
    ------
    ParameterError
        For a name that is in no catalogue.
    RepliconError
        When the module is there and cannot be read.
    """
    if isinstance(system, str):
        return claims_at(catalog.find(system).target)
    owner = system if isinstance(system, type) else type(system)
    return claims_at(f"{owner.__module__}:{owner.__qualname__}")


def claims_at(target: str) -> list[Claim]:
    """The claims of the system at ``module:Class``; see `claims`."""
    module, _, owner = target.partition(":")
    package = module.rpartition(".")[0]
    if not package:
        return []
    place = f"{package}.claims"
    try:
        if importlib.util.find_spec(place) is None:
            return []
        found = importlib.import_module(place).claims
    except Exception as error:
        raise RepliconError(f"the claims of {target} cannot be read from {place}: {error}") from error
    return list(found.get(owner, []) if isinstance(found, dict) else found)
