"""What one session may ask of the machine."""

from dataclasses import dataclass

from replicon.core.errors import ParameterError, ResourceError
from replicon.core.system import System


@dataclass(frozen=True)
class Limits:
    """Bounds of one session; a request beyond them is refused with the bound, never cut in silence.

    Attributes
    ----------
    size : int
        Largest system size that may be simulated.
    seconds : float
        Time of one simulation run, from the button to its end; what is measured by then stays.
    memory : float
        Bytes that the simulating process may hold.
    realizations : int
        Draws at each point and size.
    points : int
        Points of parameter space in one run.
    kept : int
        Points times sizes whose measurements a session keeps.
    """

    size: int = 10_000
    seconds: float = 120.0
    memory: float = 2.0 * 2**30
    realizations: int = 256
    points: int = 64
    kept: int = 4096

    def __post_init__(self) -> None:
        for name in ("size", "seconds", "memory", "realizations", "points", "kept"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"the limit of {name} is {getattr(self, name)!r}; give a positive number")

    def check(self, system: System, size: int) -> None:
        """Raise `ResourceError` where one realisation goes beyond these limits, as far as its system knows."""
        owner = type(system).__name__
        if size > self.size:
            raise ResourceError(f"size {size} is above the limit of this page, {self.size}; give a smaller size")
        footprint = system.footprint(size)
        if footprint.bytes > self.memory:
            raise ResourceError(
                f"{owner}: a realisation of size {size} needs about {footprint.bytes / 2**30:.1f} GiB, above the limit "
                f"of this page, {self.memory / 2**30:.1f} GiB; give a smaller size"
            )
        if footprint.seconds is not None and footprint.seconds > self.seconds:
            raise ResourceError(
                f"{owner}: a realisation of size {size} takes about {footprint.seconds:.0f} s, above the limit of this "
                f"page, {self.seconds:.0f} s; give a smaller size"
            )
