"""How many memories a network holds at a given rate of errors, measured, and how that number grows with its size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.special import erfcinv

from replicon.core.errors import DataError
from replicon.core.seeds import generator, realization_seed
from replicon.memory.dense.simulation import streamed_errors

SIZES = (50, 100, 200)
RANGE = np.geomspace(0.11, 0.27, 8)
"""Numbers of memories tried, in units of N^(n-1) / (2n-3)!! (twice that when rectified)."""


@dataclass(frozen=True, eq=False)
class StorageCurve:
    """Errors of one parallel update against the number of memories, from numbered draws.

    Attributes
    ----------
    size : int
    counts : int array (points,)
        Numbers of memories K.
    errors : array (draws, points)
        Fraction of wrong spins of each draw.
    """

    size: int
    counts: np.ndarray
    errors: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean over the draws, shape (points,)."""
        return self.errors.mean(axis=0)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `mean`."""
        return self.errors.std(axis=0, ddof=1) / np.sqrt(len(self.errors))

    def at_error(self, error: float = 0.01) -> tuple[float, float]:
        """Number of memories with that rate of errors, and its standard error (by jackknife).

        A rate p is turned into the ratio of noise to signal 1 / (2 erfcinv(2p)^2), which is nearly linear in K, and a
        straight line is fitted.

        Raises
        ------
        DataError
            Where the measured rates do not enclose the one asked for.
        """
        if not self.mean.min() < error < self.mean.max():
            raise DataError(
                f"the errors measured at size {self.size} go from {self.mean.min():.2g} to {self.mean.max():.2g}, "
                f"without {error:g}; give other counts"
            )
        total, draws = self.errors.sum(axis=0), len(self.errors)
        left_out = np.array([self._crossing((total - row) / (draws - 1), error) for row in self.errors])
        spread = np.sqrt((draws - 1) * np.mean((left_out - left_out.mean()) ** 2))
        return self._crossing(self.mean, error), float(spread)

    def _crossing(self, mean: np.ndarray, error: float) -> float:
        noise = 0.5 / erfcinv(2 * mean) ** 2
        slope, constant = np.polyfit(self.counts, noise, 1)
        return float((0.5 / erfcinv(2 * error) ** 2 - constant) / slope)


def storage_curve(
    size: int,
    degree: int,
    interaction: str = "power",
    draws: int = 32,
    counts: Sequence[int] | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> StorageCurve:
    """Measure the errors of one update at several numbers of memories, which are streamed and never held.

    Parameters
    ----------
    size, degree, interaction
        N, n and F.
    draws : int
        Independent sets of memories, at least 2.
    counts : increasing sequence of int, optional
        Numbers of memories; by default eight around one percent of errors.
    seed : int
    progress : callable, optional
        Called with the fraction done.
    """
    if counts is None:
        halved = 2 if interaction == "rectified" else 1
        scale = halved * float(size) ** (degree - 1) / prod(range(2 * degree - 3, 0, -2))
        counts = np.unique(np.maximum(np.round(RANGE * scale), 2).astype(int)).tolist()
    tried = [int(count) for count in counts or ()]
    identity = {"storage": [degree, interaction, tried]}
    found = []
    for index in range(draws):
        stream = generator(realization_seed(seed, identity, size, index), "memories")
        found.append(streamed_errors(size, tried, stream, degree, interaction))
        if progress is not None:
            progress((index + 1) / draws)
    return StorageCurve(size, np.asarray(tried), np.array(found))


def capacity_exponent(curves: Sequence[StorageCurve], error: float = 0.01) -> tuple[float, float]:
    """Slope of ln(K - 1) against ln N at a rate of errors, and its standard error; n - 1 for degree n.

    Of K memories K - 1 disturb the one that is recalled, which at n = 2 and N = 50 is a tenth fewer.
    """
    points = [curve.at_error(error) for curve in curves]
    log_size = np.log([curve.size for curve in curves])
    log_count = np.log([count - 1 for count, _ in points])
    weights = log_size - log_size.mean()
    weights /= weights @ weights
    errors = np.array([spread / (count - 1) for count, spread in points])
    return float(weights @ log_count), float(np.sqrt(np.sum((weights * errors) ** 2)))
