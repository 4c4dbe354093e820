"""The errors Replicon raises: each says what was wrong, with which value, and what would be right."""


class RepliconError(Exception):
    """Base of every error that Replicon raises on purpose."""


class ParameterError(RepliconError, ValueError):
    """A parameter of a system or method is out of range, of the wrong type or unknown."""


class DataError(RepliconError, ValueError):
    """Data handed in by the user does not fit what the method needs."""


class RankError(DataError):
    """Patterns are linearly dependent (or more than neurons) where a rule needs them independent."""


class ConvergenceError(RepliconError, RuntimeError):
    """A solver ended without reaching its tolerance at a single point (in grids the point is nan)."""


class StoreError(RepliconError, OSError):
    """A store is damaged, of another study, of a newer version, or cannot be written."""


class ResourceError(RepliconError, RuntimeError):
    """The work asked for does not fit the memory or time that it may use."""


class RunFailedError(RepliconError, RuntimeError):
    """What was asked for made sense, and failed while it ran."""


class Cancelled(RepliconError):
    """The work was cancelled through its monitor."""
