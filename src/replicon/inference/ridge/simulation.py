"""The experiment: regression on samples of a known covariance, by the singular values of the data."""

import numpy as np

TEST_SAMPLES_PER_FEATURE = 10


def spectrum_at(size: int, spectrum: str) -> np.ndarray:
    """Eigenvalues of the covariance: ones, evenly spread over [0.1, 3], or half 0.1 and half 3."""
    if spectrum == "isotropic":
        return np.ones(size)
    if spectrum == "uniform":
        return 0.1 + 2.9 * (np.arange(size) + 0.5) / size
    return np.where(np.arange(size) < size // 2, 0.1, 3.0)


def draw(
    samples: int, eigenvalues: np.ndarray, noise: float, signal: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of variance eigenvalue / size, targets, and the true coefficients."""
    features = draw_features(samples, eigenvalues, generator)
    coefficients = np.sqrt(signal) * generator.standard_normal(len(eigenvalues))
    return features, features @ coefficients + np.sqrt(noise) * generator.standard_normal(samples), coefficients


def draw_features(samples: int, eigenvalues: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Independent normal rows with the diagonal covariance eigenvalues / size."""
    return generator.standard_normal((samples, len(eigenvalues))) * np.sqrt(eigenvalues / len(eigenvalues))


def fit(features: np.ndarray, targets: np.ndarray, penalty: float) -> tuple[np.ndarray, dict[str, float]]:
    """Coefficients, and what the training samples alone tell: training error and both cross-validations.

    Without penalty these are least squares, or the interpolator of least norm. Leave-one-out needs no retraining: with
    G = (K + lambda)^-1, K the samples' Gram matrix, the residual is lambda (G y)_i and the one without the sample (G
    y)_i / G_ii.
    """
    samples, size = features.shape
    left, singular, right = np.linalg.svd(features, full_matrices=False)
    squares = singular**2
    weights = right.T @ (singular / (squares + penalty) * (left.T @ targets))
    freedom = float(np.sum(squares / (squares + penalty)))
    residuals = targets - features @ weights
    if samples <= size:
        inverse = (left / (squares + penalty)) @ left.T
        pulled = inverse @ targets
        left_out = pulled / np.diag(inverse)
        rotated = pulled / (np.trace(inverse) / samples)
    else:
        hat = np.einsum("ij,j,ij->i", left, squares / (squares + penalty), left)
        left_out = residuals / (1 - hat)
        rotated = residuals / (1 - freedom / samples)
    return weights, dict(
        train_error=float(np.mean(residuals**2)),
        generalized_cross_validation=float(np.mean(rotated**2)),
        leave_one_out=float(np.mean(left_out**2)),
        degrees_of_freedom=freedom / samples,
    )


def measure(
    weights: np.ndarray, coefficients: np.ndarray, eigenvalues: np.ndarray, noise: float, generator: np.random.Generator
) -> dict[str, float]:
    """Excess risk of the fit, in closed form over new samples and, with the noise, counted on such samples."""
    error = weights - coefficients
    size = len(weights)
    new = draw_features(TEST_SAMPLES_PER_FEATURE * size, eigenvalues, generator)
    misfit = new @ error + np.sqrt(noise) * generator.standard_normal(len(new))
    return dict(excess_risk=float(eigenvalues @ error**2) / size, test_error=float(np.mean(misfit**2)))
