"""Logistic regression whose tests and intervals stay right with many features: a scikit-learn classifier."""

import warnings
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_expit
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from replicon.core.errors import DataError, ParameterError
from replicon.inference.logistic.errors import MLEDoesNotExistError
from replicon.inference.logistic.newton import fit_logistic
from replicon.inference.logistic_frontier import maximise, probe_frontier, strongest_signal
from replicon.inference.logistic_signal import LogisticTruth, law_at, leave_one_out_fields, truth_behind

FALLBACK_PENALTY = 1.0
"""Penalty, on features of unit variance, of the classifier that stands in where the likelihood has no maximum."""


class HighDimLogistic(ClassifierMixin, BaseEstimator):
    """Logistic regression with honest intervals and p-values where features are no longer few beside samples.

    At p/n = 0.2 and gamma^2 = 5 the maximum-likelihood coefficients are too large by half, their textbook standard
    errors too small and null p-values far from uniform. The fit is maximum likelihood, by damped Newton steps; signal
    strength and intercept are estimated by leaving samples out, and the theory of Sur and Candes then gives the bias to
    divide by and the spread. Features may be correlated; the theory is asymptotic in n and p at a fixed ratio, for
    features that are normal or behave so. With 30 to 50 skewed real features 95 % intervals were measured to cover 93
    to 95 % (`benchmarks/inference_logistic.py`). Gamma is that of normal features with the same effect: it comes out 7
    to 18 % high where ``x.beta`` has heavy tails, and the bias is larger there too; refits without each sample say the
    same, and normal features of the same covariance are free of it.

    Parameters
    ----------
    correct : bool
        False gives textbook inference: coefficients as fitted and the inverse Fisher information.
    fit_intercept : bool
        Whether the log-odds have a constant.
    signal_strength : float, optional
        gamma, the standard deviation of ``x.beta``, where it is known; estimated by default.
    signal_method : {"leave_one_out", "probe_frontier"}
        How gamma is estimated: from the fields of samples left out, which costs nothing; or from the share of the
        samples at which the classes become separable, some hundred fits to subsets.
    separable : {"warn", "raise"}
        What `fit` does where the classes are separable, so that there is no maximum. "warn" keeps a penalised
        classifier, `mle_exists_` False, that predicts and refuses inference; "raise" raises `MLEDoesNotExistError`.

    Attributes
    ----------
    classes_ : array (2,)
    coef_ : array (1, features)
        Log-odds per unit of each feature, without the bias (``mle_coef_ / bias_``).
    intercept_ : array (1,)
    mle_coef_, mle_intercept_ : arrays of the same shapes
        As fitted.
    mle_exists_ : bool
        Whether the likelihood has a maximum.
    gamma_hat_ : float
        Signal strength; 0 where the fields of samples left out vary no more than without any signal.
    aspect_ : float
        kappa = features / samples.
    bias_, spread_ : float
        a and s of the theory; 1 and nan with ``correct=False``.
    standard_errors_, p_values_ : arrays (features,)
        Of `coef_`, and of the hypothesis that a coefficient is zero, two-sided. They raise `MLEDoesNotExistError`
        where `mle_exists_` is False.
    likelihood_ratio_factor_ : float
        Twice the log-likelihood ratio of a null coefficient is this times chi-squared with one degree of freedom.
    n_iter_ : int

    References
    ----------
    .. [1] P. Sur, E. J. Candes, PNAS 116, 14516 (2019), arXiv:1803.06964.
    .. [2] Q. Zhao, P. Sur, E. J. Candes, Bernoulli 28, 1835 (2022), arXiv:2001.09351, theorem 3.1: correlated features.
    .. [3] S. Yadlowsky, T. Yun, C. McLean, A. D'Amour, NeurIPS 2021, arXiv:2103.12725: signal by leave-one-out.
    .. [4] P. Sur, E. J. Candes, PNAS 116, 14516 (2019), section "ProbeFrontier": signal by separability.
    """

    def __init__(
        self,
        correct: bool = True,
        *,
        fit_intercept: bool = True,
        signal_strength: float | None = None,
        signal_method: str = "leave_one_out",
        separable: str = "warn",
    ) -> None:
        self.correct = correct
        self.fit_intercept = fit_intercept
        self.signal_strength = signal_strength
        self.signal_method = signal_method
        self.separable = separable

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any) -> "HighDimLogistic":
        """Maximise the likelihood and find the law of the estimate.

        Parameters
        ----------
        X : array (samples, features)
        y : array (samples,)
            Two classes.

        Returns
        -------
        HighDimLogistic

        Raises
        ------
        DataError
            For labels that are not of two classes, constant features, or features that are sums of others.
        MLEDoesNotExistError
            For separable classes with ``separable="raise"``, and a `signal_strength` so large that they should be.
        ParameterError
            For an unknown `separable` or `signal_method`, or a negative `signal_strength`.
        ConvergenceError
            When the equations of the theory were not solved.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64)
        labels = self._read_labels(y)
        self.aspect_ = X.shape[1] / len(X)
        centre = X.mean(axis=0) if self.fit_intercept else np.zeros(X.shape[1])
        scale = np.sqrt(np.mean((X - centre) ** 2, axis=0))
        flat = scale <= 1e-10 * (np.abs(centre) + np.abs(X).max(axis=0))
        design = (X - centre) / np.where(flat, 1.0, scale)
        if self.fit_intercept:
            design = np.column_stack([design, np.ones(len(X))])
        found = maximise(design, labels)
        self.mle_exists_ = found is not None
        if found is None:
            self._without_maximum(design, labels, np.where(flat, 1.0, scale), centre)
            return self
        self._check_rank(flat, design)
        self.n_iter_ = found.iterations
        self._infer(design, labels, found.weights, scale)
        self._store(found.weights, scale, centre)
        return self

    def _check_parameters(self) -> None:
        if self.separable not in ("warn", "raise"):
            raise ParameterError(f"HighDimLogistic: separable is {self.separable!r}; give 'warn' or 'raise'")
        if self.signal_method not in ("leave_one_out", "probe_frontier"):
            raise ParameterError(
                f"HighDimLogistic: signal_method is {self.signal_method!r}; give 'leave_one_out' or 'probe_frontier'"
            )
        strength = self.signal_strength
        if strength is not None and not (0 <= strength < np.inf):
            raise ParameterError(f"HighDimLogistic: signal_strength (γ) is {strength!r}; give a number >= 0, or None")

    def _read_labels(self, y: np.ndarray) -> np.ndarray:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise DataError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise DataError(f"HighDimLogistic: y has 1 class, {self.classes_[0]!r}; two are needed")
        return np.where(y == self.classes_[1], 1.0, -1.0)

    def _check_rank(self, flat: np.ndarray, design: np.ndarray) -> None:
        if flat.any():
            raise DataError(f"HighDimLogistic: constant features {np.flatnonzero(flat)[:10].tolist()}; leave them out")
        rank = int(np.linalg.matrix_rank(design))
        if rank < design.shape[1]:
            raise DataError(
                f"HighDimLogistic: {design.shape[1] - rank} of the features are sums of others, so that their "
                "coefficients are not determined; leave them out"
            )

    def _infer(self, design: np.ndarray, labels: np.ndarray, weights: np.ndarray, scale: np.ndarray) -> None:
        """Bias, standard errors and statistics of the coefficients, from the law of the estimate."""
        samples, count = len(design), len(scale)
        self._law = None
        if not self.correct:
            right = expit(design @ weights)
            fisher = (design.T * (right * (1 - right))) @ design
            errors = np.sqrt(np.diag(_inverse(fisher))[:count])
            self.bias_, self.spread_, self.likelihood_ratio_factor_ = 1.0, np.nan, 1.0
        else:
            law = self._find_law(design, labels, weights)
            self._law, self.gamma_hat_ = law, law.signal_strength
            self.bias_, self.spread_ = law.bias, law.spread
            self.likelihood_ratio_factor_ = self.aspect_ * law.spread**2 / law.step
            # tau_j^2, the variance of a feature given the others, is what their regression leaves over.
            partial = 1 / np.diag(_inverse(design.T @ design))[:count] / (samples - design.shape[1] + 1)
            errors = law.spread / np.sqrt(samples * partial)
        self._errors = errors / self.bias_ / scale
        self._p_values = 2 * norm.sf(np.abs(weights[:count]) / errors)

    def _find_law(self, design: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> LogisticTruth:
        mean = float(weights[-1]) if self.fit_intercept else 0.0
        known = self.signal_strength
        if known is None and self.signal_method == "probe_frontier":
            return law_at(self.aspect_, probe_frontier(design, labels, self.fit_intercept), mean)
        if known is None:
            left_out = leave_one_out_fields(design, labels, weights)
            return truth_behind(self.aspect_, mean, float(np.sqrt(np.mean((left_out - left_out.mean()) ** 2))))
        # With an intercept the threshold is another by little; there the equations themselves decide.
        if self.aspect_ >= 0.5 or known >= 1.05 * strongest_signal(self.aspect_):
            raise MLEDoesNotExistError(
                f"HighDimLogistic: at signal_strength (γ) {known:g} and κ = features / samples {self.aspect_:.3g} "
                "there should be no maximum-likelihood estimate: κ must be below h(γ); give the γ of these data or None"
            )
        return law_at(self.aspect_, known, mean)

    def _store(self, weights: np.ndarray, scale: np.ndarray, centre: np.ndarray) -> None:
        count = len(scale)
        self.mle_coef_ = (weights[:count] / scale)[None, :]
        constant = float(weights[count]) if self.fit_intercept else 0.0
        self.mle_intercept_ = np.array([constant - float(self.mle_coef_[0] @ centre)])
        self.coef_ = self.mle_coef_ / self.bias_
        true_constant = constant if self._law is None else self._law.intercept
        self.intercept_ = np.array([true_constant - float(self.coef_[0] @ centre)])

    def _without_maximum(self, design: np.ndarray, labels: np.ndarray, scale: np.ndarray, centre: np.ndarray) -> None:
        message = self._no_maximum()
        if self.separable == "raise":
            raise MLEDoesNotExistError(message)
        warnings.warn(f"{message}. A classifier with penalty {FALLBACK_PENALTY:g} is kept for prediction", stacklevel=3)
        found = fit_logistic(design, labels, FALLBACK_PENALTY)
        self.n_iter_, self._law, self.bias_ = found.iterations, None, 1.0
        self._store(found.weights, scale, centre)

    def _no_maximum(self) -> str:
        start = "HighDimLogistic: the classes are separable, so the maximum-likelihood estimate does not exist"
        if self.aspect_ >= 0.5:
            bound = f"κ = features / samples is {self.aspect_:.3g}; even without signal it must be below h(0) = 0.5"
        else:
            strongest = strongest_signal(self.aspect_)
            bound = (
                f"κ = features / samples is {self.aspect_:.3g}, and κ < h(γ) holds for signal strengths γ below "
                f"{strongest:.3g} only (normal features)"
            )
        return f"{start}: {bound}; give more samples or fewer features"

    @property
    def standard_errors_(self) -> np.ndarray:
        """Standard errors of `coef_`, shape (features,)."""
        self._check_inference()
        return self._errors

    @property
    def p_values_(self) -> np.ndarray:
        """Two-sided p-values of zero coefficients, shape (features,)."""
        self._check_inference()
        return self._p_values

    def confidence_interval(self, level: float = 0.95) -> np.ndarray:
        """Intervals that hold each true coefficient with probability `level`.

        Parameters
        ----------
        level : float
            In (0, 1).

        Returns
        -------
        array (features, 2)

        Raises
        ------
        MLEDoesNotExistError
            Where the likelihood has no maximum.
        ParameterError
            For a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ParameterError(f"HighDimLogistic: level is {level!r}; give a number in (0, 1)")
        self._check_inference()
        reach = norm.isf(0.5 * (1 - level)) * self._errors
        return np.column_stack([self.coef_[0] - reach, self.coef_[0] + reach])

    def _check_inference(self) -> None:
        check_is_fitted(self)
        if not self.mle_exists_:
            raise MLEDoesNotExistError(self._no_maximum())

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of the second class given the fit; corrected, they are averaged over what the fit leaves open.

        Parameters
        ----------
        X : array (samples, features)

        Returns
        -------
        array (samples,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        fields = X @ self.mle_coef_[0] + self.mle_intercept_[0]
        return fields if self._law is None else self._law.log_odds(fields)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithm of the probability of either class, shape (samples, 2)."""
        odds = self.decision_function(X)
        return np.column_stack([log_expit(-odds), log_expit(odds)])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of either class, calibrated on new samples where corrected, shape (samples, 2)."""
        odds = self.decision_function(X)
        return np.column_stack([expit(-odds), expit(odds)])

    def predict(self, X: Any) -> np.ndarray:
        """The more probable class of each sample, shape (samples,)."""
        second = self.decision_function(X) > 0
        return self.classes_[second.astype(int)]


def _inverse(matrix: np.ndarray) -> np.ndarray:
    return cho_solve(cho_factor(matrix), np.eye(len(matrix)))
