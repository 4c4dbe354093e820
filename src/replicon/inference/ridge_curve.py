"""What error ridge regression will have at every penalty, and which penalty is best: from a design or a covariance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from replicon.core.errors import DataError, ParameterError
from replicon.inference.data import as_features, as_labels
from replicon.maths.ridge import optimal_penalty, ridge_risk

CRITERIA = ("risk", "generalized_cross_validation", "leave_one_out")


class RidgeRiskCurve:
    r"""Risk of ridge regression as a function of the penalty, from the eigenvalues of the user's own design.

    The fit minimises ``sum_i (y_i - x_i.b)^2 / 2 + lam |b|^2 / 2``. Coefficients are taken as random, of
    equal variance `signal`, the noise of variance `noise`. With ``G = (X X^T + lam)^-1`` the expected squared
    error on a new sample is then

        risk(lam) = n tr[G^2 (signal X X^T + noise)] / (tr G)^2,

    which needs the eigenvalues of ``X X^T`` alone: their tr G is the effective ridge that a covariance would be needed
    for otherwise. Good up to relative order 1/n for rows ``S^{1/2} z`` with any covariance S and independent entries z.
    Penalty 0 is least squares, or the interpolator of least norm.

    Parameters
    ----------
    X : array (samples, features)
    y : array (samples,), optional
        Targets; with them come cross-validation and estimates of signal and noise.
    fit_intercept : bool
        Whether the fit has a constant, without penalty: features and targets are centred, and one sample less counts.

    Attributes
    ----------
    eigenvalues : array (min(samples, features),)
        Of ``X^T X``, descending.
    signal, noise : float or None
        Estimates of maximum likelihood where there are targets, else None.

    Raises
    ------
    DataError
        For X or y that are not finite numbers of fitting shapes, or X of zeros only.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((200, 300)) / np.sqrt(300)
    >>> curve = RidgeRiskCurve(X)
    >>> bool(curve.risk(1e-3, signal=1.0, noise=0.5) > curve.risk(0.5, signal=1.0, noise=0.5))
    True

    References
    ----------
    .. [1] T. Hastie, A. Montanari, S. Rosset, R. J. Tibshirani, Ann. Stat. 50, 949 (2022), arXiv:1903.08560, theorem 6.
    .. [2] P. Patil, Y. Wei, A. Rinaldo, R. J. Tibshirani, AISTATS 2021: cross-validation without penalty.
    .. [3] E. Dobriban, S. Wager, Ann. Stat. 46, 247 (2018), arXiv:1507.03003, theorem 2.1: random coefficients.
    """

    def __init__(self, X: Any, y: Any = None, *, fit_intercept: bool = False) -> None:
        features = as_features("RidgeRiskCurve", X)
        self.samples, self.features = features.shape
        self._constant = int(fit_intercept)
        if fit_intercept:
            features = features - features.mean(axis=0)
        left, singular, _ = np.linalg.svd(features, full_matrices=False)
        if singular[0] == 0:
            raise DataError("RidgeRiskCurve: X has only zeros, or constants and an intercept")
        # Directions within rounding of zero are exactly so: at penalty 0 they must not be inverted.
        kept = singular > singular[0] * max(features.shape) * np.finfo(float).eps
        self.eigenvalues = np.where(kept, singular, 0.0) ** 2
        self._inside = int(kept.sum())
        self._outside = self.samples - self._constant - self._inside
        self._modes = left[:, kept]
        self.signal: float | None = None
        self.noise: float | None = None
        self._targets = self._projections = np.zeros(0)
        if y is not None:
            targets = as_labels("RidgeRiskCurve", y, self.samples, real=True)
            self._targets = targets - targets.mean() if fit_intercept else targets
            self._projections = self._modes.T @ self._targets
            rest = float(self._targets @ self._targets - self._projections @ self._projections)
            # What no feature reaches is noise; without such directions there is nothing beyond rounding.
            self._rest = max(rest, 0.0) if self._outside > 0 else 0.0
            self.signal, self.noise = self._components()

    def risk(self, lam: Any, signal: float | None = None, noise: float | None = None) -> Any:
        """Expected squared error on a new sample, its noise included.

        Parameters
        ----------
        lam : float or array
            Penalty, at least 0.
        signal, noise : float, optional
            Variance of each coefficient and of the noise; by default those estimated from the targets.

        Returns
        -------
        float or array of the shape of `lam`

        Raises
        ------
        ParameterError
            For a negative penalty or variance, and variances that are missing.
        """
        strength, variance = self._variances(signal, noise)
        spectrum, outside = self._positive(), self._outside

        def at(level: float) -> float:
            shrink = level / (spectrum + level) if level > 0 else np.zeros_like(spectrum)
            trace = shrink.sum() + outside
            square = np.sum(shrink**2 * (strength * spectrum + variance)) + outside * variance
            if trace > 0:
                return float(self.samples * square / trace**2)
            # All residuals vanish: their ratio to the trace has the limit of inverses.
            inverse = 1 / spectrum
            return float(self.samples * np.sum(inverse**2 * (strength * spectrum + variance)) / inverse.sum() ** 2)

        return self._each(lam, at)

    def degrees_of_freedom(self, lam: Any) -> Any:
        """Trace of the hat matrix, the constant not counted: between 0 and the rank of X."""
        spectrum = self._positive()
        return self._each(lam, lambda level: float(np.sum(spectrum / (spectrum + level))))

    def train_error(self, lam: Any) -> Any:
        """Mean squared residual of the fit to the targets."""
        return self._each(lam, lambda level: float(np.mean(self._residuals(level)[0] ** 2)))

    def generalized_cross_validation(self, lam: Any) -> Any:
        """Mean squared error estimated from the residuals and the degrees of freedom; the interpolator's as a limit."""

        def at(level: float) -> float:
            pulled, diagonal = self._pulled(level)
            return float(np.mean(pulled**2) / np.mean(diagonal) ** 2)

        return self._each(lam, at)

    def leave_one_out(self, lam: Any) -> Any:
        """Mean squared error of each target predicted by the fit to all others, exactly."""

        def at(level: float) -> float:
            pulled, diagonal = self._pulled(level)
            if diagonal.min() <= 1e-12 * diagonal.max():
                raise DataError(
                    "RidgeRiskCurve: some sample is alone with a feature; without it there is no prediction"
                )
            return float(np.mean((pulled / diagonal) ** 2))

        return self._each(lam, at)

    def best_penalty(self, criterion: str = "risk", signal: float | None = None, noise: float | None = None) -> float:
        """Penalty of the smallest risk or cross-validation.

        Parameters
        ----------
        criterion : {"risk", "generalized_cross_validation", "leave_one_out"}
            The last two ask for targets. For "risk" the answer is ``noise / signal`` at any design, where ridge is the
            posterior mean.
        signal, noise : float, optional
            As in `risk`.

        Returns
        -------
        float
            inf where the zero vector predicts best.

        Raises
        ------
        ParameterError
            For an unknown criterion.
        """
        if criterion not in CRITERIA:
            raise ParameterError(f"RidgeRiskCurve: criterion is {criterion!r}; give one of {', '.join(CRITERIA)}")
        if criterion == "risk":
            strength, variance = self._variances(signal, noise)
            return variance / strength if strength > 0 else np.inf
        error = getattr(self, criterion)
        spectrum = self._positive()
        return _smallest(lambda log: error(np.exp(log)), np.log(spectrum[-1] * 1e-4), np.log(spectrum[0] * 1e4))

    def _components(self) -> tuple[float, float]:
        """Variances of coefficients and noise of largest likelihood, for targets ``N(0, signal X X^T + noise)``."""
        spectrum, squares = self._positive(), self._projections**2
        count = self.samples - self._constant
        if np.all(self._targets == 0):
            raise DataError("RidgeRiskCurve: y has only zeros, or is constant beside an intercept")

        def scale(share: float) -> tuple[np.ndarray, float]:
            width = share * spectrum / spectrum.mean() + 1 - share
            outside = self._rest / (1 - share) if self._rest > 0 else 0.0
            return width, float(np.sum(squares / width) + outside) / count

        def minus_likelihood(log_odds: float) -> float:
            share = 1 / (1 + np.exp(-log_odds))
            width, variance = scale(share)
            outside = self._outside * np.log1p(-share)
            return 0.5 * float(np.sum(np.log(width)) + outside + count * np.log(variance))

        best = _smallest(minus_likelihood, -12.0, 12.0, logarithm=True)
        share = 1 / (1 + np.exp(-best)) if best > -12.0 else 0.0
        variance = scale(share)[1]
        return share * variance / float(spectrum.mean()), (1 - share) * variance

    def _positive(self) -> np.ndarray:
        return self.eigenvalues[: self._inside]

    def _residuals(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Residuals, ``lam G y``, and the diagonal of what makes them of the targets, ``lam G``."""
        targets = self._with_targets()
        spectrum = self._positive()
        fit = spectrum / (spectrum + level)
        hat = np.einsum("ij,j,ij->i", self._modes, fit, self._modes) + self._constant / self.samples
        return targets - self._modes @ (fit * self._projections), 1 - hat

    def _pulled(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """``G y`` and the diagonal of G, up to a common factor."""
        if self._outside > 0:
            return self._residuals(level)
        self._with_targets()
        inverse = 1 / (self._positive() + level)
        return self._modes @ (inverse * self._projections), np.einsum("ij,j,ij->i", self._modes, inverse, self._modes)

    def _with_targets(self) -> np.ndarray:
        if self._targets.size == 0:
            raise ParameterError("RidgeRiskCurve: this asks for targets; give RidgeRiskCurve(X, y)")
        return self._targets

    def _variances(self, signal: float | None, noise: float | None) -> tuple[float, float]:
        numbers = []
        for name, given, own in (("signal", signal, self.signal), ("noise", noise, self.noise)):
            value = own if given is None else given
            if value is None:
                raise ParameterError(f"RidgeRiskCurve: {name} is not known; give it, or targets to estimate it from")
            if not 0 <= value < np.inf:
                raise ParameterError(f"RidgeRiskCurve: {name} is {value!r}; give a variance, at least 0")
            numbers.append(float(value))
        return numbers[0], numbers[1]

    def _each(self, lam: Any, function: Any) -> Any:
        levels = np.asarray(lam, dtype=float)
        if not (np.isfinite(levels) & (levels >= 0)).all():
            raise ParameterError(f"RidgeRiskCurve: lam must be finite and at least 0, got {levels.min():g}")
        found = np.array([function(float(level)) for level in levels.ravel()]).reshape(levels.shape)
        return float(found) if found.ndim == 0 else found


@dataclass(frozen=True)
class RidgePopulation:
    """A population in the eigenbasis of its covariance, and the risk of ridge regression on samples of it.

    Attributes
    ----------
    eigenvalues : array (features,)
    coefficients : array (features,)
        True (best linear) coefficients in that basis.
    noise : float
        Variance of what no linear function of the features explains.
    """

    eigenvalues: np.ndarray
    coefficients: np.ndarray
    noise: float

    @classmethod
    def from_covariance(cls, covariance: Any, coefficients: Any, noise: float) -> "RidgePopulation":
        """Population of a covariance matrix (features, features), with coefficients in the same basis.

        Raises
        ------
        DataError
            For a covariance that is not symmetric and positive definite, or coefficients of another length.
        """
        matrix = as_features("RidgePopulation", covariance)
        b = np.asarray(coefficients, dtype=float)
        if matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T, atol=1e-10 * np.abs(matrix).max()):
            raise DataError("RidgePopulation: covariance must be symmetric")
        if b.shape != (len(matrix),):
            raise DataError(
                f"RidgePopulation: coefficients has shape {b.shape}; the covariance asks for ({len(matrix)},)"
            )
        eigenvalues, basis = np.linalg.eigh(matrix)
        if eigenvalues[0] <= 0:
            raise DataError(f"RidgePopulation: covariance has the eigenvalue {eigenvalues[0]:.3g}; it must be positive")
        return cls(eigenvalues, basis.T @ b, float(noise))

    @classmethod
    def random_features(
        cls, weights: Any, teacher: Any, noise: float, activation: Any = np.tanh, nodes: int = 201
    ) -> "RidgePopulation":
        r"""Population of the features ``activation(F x)`` of inputs ``x ~ N(0, I)`` with targets ``teacher.x + noise``.

        A feature is equivalent to ``mu_0 + mu_1 f.x + mu_* z`` with z independent normal, so the covariance is
        ``mu_1 mu_1^T * (F F^T) + diag(mu_*^2)``, and what the features miss of the targets adds to the noise. For wide
        layers of random, nearly orthogonal rows; the mean mu_0 is taken as subtracted.

        Parameters
        ----------
        weights : array (features, inputs)
            F, with rows of norm about one.
        teacher : array (inputs,)
        noise : float
            Variance of the noise in the targets.
        activation : callable
            Elementwise function of arrays, such as `numpy.tanh`.
        nodes : int
            Of the normal average over the activation.

        Returns
        -------
        RidgePopulation

        References
        ----------
        .. [1] S. Mei, A. Montanari, Commun. Pure Appl. Math. 75, 667 (2022), arXiv:1908.05355.
        """
        F = as_features("RidgePopulation", weights)
        w = np.asarray(teacher, dtype=float)
        if w.shape != (F.shape[1],):
            raise DataError(f"RidgePopulation: teacher has shape {w.shape}; the weights ask for ({F.shape[1]},)")
        # The midpoint rule with zero on a cell's edge: kinks at zero, as of rectifiers, cost no order.
        edges = np.linspace(-9.0, 9.0, 10 * (nodes - 1) + 1)
        z = 0.5 * (edges[1:] + edges[:-1])
        density = np.exp(-0.5 * z**2)
        density /= density.sum()
        norms = np.linalg.norm(F, axis=1)
        values = np.asarray(activation(norms[:, None] * z), dtype=float)
        mean = values @ density
        slope = values @ (density * z) / norms
        left = values**2 @ density - mean**2 - (slope * norms) ** 2
        covariance = np.outer(slope, slope) * (F @ F.T)
        covariance[np.diag_indices(len(F))] += np.maximum(left, 0.0)
        cross = slope * (F @ w)
        best = np.linalg.lstsq(covariance, cross, rcond=None)[0]
        return cls.from_covariance(covariance, best, float(noise + w @ w - best @ cross))

    def risk(self, lam: Any, samples: int) -> Any:
        """Expected squared error on a new sample of a fit to so many samples, its noise included.

        Parameters
        ----------
        lam : float or array
            Penalty of ``sum (y - x.b)^2 / 2 + lam |b|^2 / 2``.
        samples : int

        Returns
        -------
        float or array of the shape of `lam`
        """
        return self._solution(lam, samples)["test_error"]

    def train_error(self, lam: Any, samples: int) -> Any:
        """Expected mean squared residual of a fit to so many samples."""
        return self._solution(lam, samples)["train_error"]

    def best_penalty(self, samples: int) -> float:
        """Penalty of the smallest risk of a fit to so many samples."""
        found = optimal_penalty(self.eigenvalues, self.coefficients, self.noise, len(self.eigenvalues) / samples)
        return float(found)

    def _solution(self, lam: Any, samples: int) -> dict[str, Any]:
        if not samples >= 1:
            raise ParameterError(f"RidgePopulation: samples is {samples!r}; give a number of at least 1")
        aspect = len(self.eigenvalues) / samples
        solution = ridge_risk(self.eigenvalues, self.coefficients, self.noise, aspect, np.asarray(lam, dtype=float))
        if np.any(np.asarray(solution.status)):
            raise ParameterError(
                f"RidgePopulation: without penalty the risk diverges at {samples} samples; give lam > 0"
            )
        return solution.values


def _smallest(function: Any, low: float, high: float, logarithm: bool = False) -> float:
    """Place of the least value on an interval, by a grid and a search beside its best point; exp of it by default."""
    grid = np.linspace(low, high, 61)
    values = [function(point) for point in grid]
    best = int(np.argmin(values))
    if best == len(grid) - 1 and not logarithm:
        return np.inf
    if best == 0:
        return low if logarithm else 0.0
    edge = grid[min(best + 1, len(grid) - 1)]
    found: Any = minimize_scalar(function, bounds=(grid[best - 1], edge), method="bounded", options=dict(xatol=1e-8))
    return float(found.x) if logarithm else float(np.exp(found.x))
