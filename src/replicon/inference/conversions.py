r"""Maps between Replicon's normalisation of a linear problem and those of the literature and of scikit-learn.

Replicon: ``y = X s + eps``, entries of X of variance 1/P (P features, N samples, load alpha = N/P), and
``argmin_s sum_mu rho(y_mu - (X s)_mu) + sum_i sigma(s_i)`` without 1/n; square loss u^2/2, ridge g s^2/2,
lasso g ``|s|``.

======================  ==============================  ============================================================
name                    design                          relations
======================  ==============================  ============================================================
El Karoui, Bean et al.  entries of variance one         kappa = 1/alpha, beta = s/sqrt(P), r^2 = ``|beta_hat - beta|^2``
                                                        = q_s, c = lam_rho
compressed sensing      A: entries of variance 1/N      A = X/sqrt(alpha), y' = y/sqrt(alpha), delta = alpha,
                                                        noise v/alpha, tau^2 = q_d, lambda = g/alpha
scikit-learn            Z: columns of variance one      Z = sqrt(P) X, w = s/sqrt(P)
======================  ==============================  ============================================================

Every pair of functions is inverse to each other. Arguments are numbers or arrays.
"""

from typing import Any, NamedTuple

import numpy as np

from replicon.core.errors import DataError, ParameterError


class ElKaroui(NamedTuple):
    """Asymptotic description of robust regression by El Karoui et al. and Bean et al., PNAS 110 (2013).

    Attributes
    ----------
    aspect : float
        kappa = p/n, features per sample.
    risk : float
        r, the limit of ``|beta_hat - beta|``.
    step : float
        c, the step of the loss's proximal operator.
    """

    aspect: Any
    risk: Any
    step: Any


class CompressedSensing(NamedTuple):
    """Description of the lasso by Donoho, Maleki and Montanari, PNAS 106, 18914 (2009).

    Attributes
    ----------
    undersampling : float
        delta = n/N of theirs, samples per feature.
    noise_variance : float
        Of their measurements y'.
    effective_noise : float
        tau^2, variance of the thresholded estimate's input.
    penalty : float
        lambda of ``|y' - A s|^2 / 2 + lambda |s|_1``.
    """

    undersampling: Any
    noise_variance: Any
    effective_noise: Any
    penalty: Any


class LinearTheory(NamedTuple):
    """The same in Replicon's words; what a map does not concern is None."""

    load: Any
    estimation_error: Any = None
    residual_step: Any = None
    noise_variance: Any = None
    effective_noise: Any = None
    penalty_level: Any = None


def to_el_karoui(load: Any, estimation_error: Any, residual_step: Any) -> ElKaroui:
    """(alpha, q_s, lam_rho) as (kappa, r, c)."""
    _positive(load=load)
    return ElKaroui(1 / load, np.sqrt(estimation_error), residual_step)


def from_el_karoui(aspect: Any, risk: Any, step: Any) -> LinearTheory:
    """(kappa, r, c) as load, estimation error and residual step."""
    _positive(aspect=aspect)
    return LinearTheory(1 / aspect, estimation_error=np.square(risk), residual_step=step)


def to_compressed_sensing(
    load: Any, noise_variance: Any, effective_noise: Any, penalty_level: Any
) -> CompressedSensing:
    """(alpha, v, q_d, g) as (delta, noise variance, tau^2, lambda)."""
    _positive(load=load)
    return CompressedSensing(load, noise_variance / load, effective_noise, penalty_level / load)


def from_compressed_sensing(
    undersampling: Any, noise_variance: Any, effective_noise: Any, penalty: Any
) -> LinearTheory:
    """(delta, noise variance, tau^2, lambda) as load, noise variance, effective noise and penalty level."""
    _positive(undersampling=undersampling)
    return LinearTheory(
        undersampling,
        noise_variance=noise_variance * undersampling,
        effective_noise=effective_noise,
        penalty_level=penalty * undersampling,
    )


def data_to_compressed_sensing(design: Any, response: Any) -> tuple[np.ndarray, np.ndarray]:
    """(X, y) with entries of variance 1/P as (A, y') with entries of variance 1/N; the coefficients stay."""
    X, root = _scaled(design, lambda samples, features: features / samples)
    return X, np.asarray(response, dtype=float) * root


def data_from_compressed_sensing(design: Any, response: Any) -> tuple[np.ndarray, np.ndarray]:
    """(A, y') as (X, y)."""
    X, root = _scaled(design, lambda samples, features: samples / features)
    return X, np.asarray(response, dtype=float) * root


def design_to_sklearn(design: Any) -> np.ndarray:
    """X with entries of variance 1/P as Z with columns of variance one."""
    return _scaled(design, lambda _, features: features)[0]


def design_from_sklearn(design: Any) -> np.ndarray:
    """Z with columns of variance one as X with entries of variance 1/P."""
    return _scaled(design, lambda _, features: 1 / features)[0]


def coefficients_to_sklearn(coefficients: Any) -> np.ndarray:
    """s of X as w of Z, w = s / sqrt(P); also beta of El Karoui et al."""
    s = np.asarray(coefficients, dtype=float)
    return s / np.sqrt(s.shape[-1])


def coefficients_from_sklearn(coefficients: Any) -> np.ndarray:
    """w of Z as s of X."""
    w = np.asarray(coefficients, dtype=float)
    return w * np.sqrt(w.shape[-1])


def lasso_alpha(penalty_level: Any, samples: Any, features: Any) -> Any:
    """`alpha` of ``sklearn.linear_model.Lasso`` on Z for a level g on X: ``a = g sqrt(P) / n``."""
    _positive(samples=samples, features=features)
    return penalty_level * np.sqrt(features) / samples


def lasso_level(alpha: Any, samples: Any, features: Any) -> Any:
    """Level g on X for `alpha` of ``sklearn.linear_model.Lasso`` on Z: ``g = n a / sqrt(P)``."""
    _positive(samples=samples, features=features)
    return alpha * samples / np.sqrt(features)


def ridge_alpha(penalty_level: Any, features: Any) -> Any:
    """`alpha` of ``sklearn.linear_model.Ridge`` on Z for a level g on X: ``g P`` (on X itself it is g)."""
    _positive(features=features)
    return penalty_level * features


def ridge_level(alpha: Any, features: Any) -> Any:
    """Level g on X for `alpha` of ``sklearn.linear_model.Ridge`` on Z: ``alpha / P``."""
    _positive(features=features)
    return alpha / features


def logistic_inverse(penalty_level: Any) -> Any:
    """`C` of ``sklearn.linear_model.LogisticRegression`` on the same X: 1/g. It is its own inverse."""
    _positive(penalty_level=penalty_level)
    return 1 / penalty_level


def _scaled(design: Any, square: Any) -> tuple[np.ndarray, float]:
    X = np.asarray(design, dtype=float)
    if X.ndim != 2 or 0 in X.shape:
        raise DataError(f"design must have shape (samples, features), got {X.shape}")
    root = float(np.sqrt(square(*X.shape)))
    return X * root, root


def _positive(**values: Any) -> None:
    for name, value in values.items():
        if not np.all(np.asarray(value, dtype=float) > 0):
            raise ParameterError(f"{name} is {value}; give a positive number")
