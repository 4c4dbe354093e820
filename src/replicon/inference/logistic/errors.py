"""The error of an estimate that is not there."""

from replicon.core.errors import DataError


class MLEDoesNotExistError(DataError):
    """The unregularised logistic likelihood has no maximum: the classes are separable, or asymptotically so."""
