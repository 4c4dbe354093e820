"""The experiment: a teacher labels random samples, a student is trained on them and tested on new ones."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_ndtr

from replicon.inference.generalized_linear.kernels import dual_descent
from replicon.inference.logistic.newton import fit_logistic, inverse_hessian_trace

TEST_SAMPLES_PER_FEATURE = 10
SWEEPS = 20_000
MARGIN_TOLERANCE = 1e-7
FOUND = 1e-9
"""Posterior variance below which weights +-1 are known; the next message would divide by it."""


@dataclass(frozen=True)
class Student:
    """Trained weights, their response (mean diagonal of the inverse Hessian), and whether training converged."""

    weights: np.ndarray
    response: float | None
    iterations: int
    converged: bool = True


@dataclass(frozen=True)
class Labelling:
    """How the teacher's field becomes a label: its kind, the variance of the noise, the probability of a flip."""

    kind: str
    noise: float = 0.0
    flip: float = 0.0


def draw_features(samples: int, features: int, generator: np.random.Generator) -> np.ndarray:
    """Independent normal entries of variance 1 / features."""
    return generator.standard_normal((samples, features)) / np.sqrt(features)


def draw_labels(fields: np.ndarray, teacher: Labelling, generator: np.random.Generator) -> np.ndarray:
    """What the teacher says of each sample, given its field ``w_star.x``."""
    if teacher.kind == "logistic":
        labels = np.where(generator.random(len(fields)) < expit(fields), 1.0, -1.0)
    else:
        noisy = teacher.kind in ("probit", "linear") and teacher.noise > 0
        heard = fields + np.sqrt(teacher.noise) * generator.standard_normal(len(fields)) if noisy else fields.copy()
        if teacher.kind == "linear":
            return heard
        labels = np.where(heard >= 0, 1.0, -1.0)
    if teacher.flip > 0:
        labels[generator.random(len(fields)) < teacher.flip] *= -1
    return labels


def train(
    features: np.ndarray, labels: np.ndarray, loss: str, penalty: float, teacher: Labelling, weights: str
) -> Student:
    """Fit the student; see the system's docstring for the losses."""
    if loss == "square":
        return _square(features, labels, penalty)
    if loss == "logistic":
        fit = fit_logistic(features, labels, penalty, tolerance=1e-9 * np.sqrt(len(labels)))
        response = inverse_hessian_trace(features, fit.weights, penalty) / features.shape[1]
        return Student(fit.weights, response, fit.iterations, fit.converged)
    if loss == "hinge":
        multipliers, found, sweeps = dual_descent(features, labels, penalty, 1.0, MARGIN_TOLERANCE, SWEEPS)
        # Samples on the margin fix the student in as many directions; in all others only the penalty holds it.
        held = np.count_nonzero((multipliers > 0) & (multipliers < 1))
        response = (1 - held / features.shape[1]) / penalty
        return Student(found, response, sweeps, sweeps > 0)
    if loss == "max_margin":
        _, found, sweeps = dual_descent(features, labels, 1.0, np.inf, MARGIN_TOLERANCE, SWEEPS)
        return Student(found, None, sweeps, sweeps > 0)
    return _message_passing(features, labels, teacher, weights)


def measure(
    student: Student, features: np.ndarray, labels: np.ndarray, teacher_weights: np.ndarray, loss: str,
    teacher: Labelling, generator: np.random.Generator,
) -> dict[str, float | None]:  # fmt: skip
    """Observables of a trained student, its test error counted on new samples."""
    weights, size = student.weights, len(student.weights)
    new = draw_features(TEST_SAMPLES_PER_FEATURE * size, size, generator)
    truth = draw_labels(new @ teacher_weights, teacher, generator)
    fields = features @ weights
    lost = {
        "square": lambda: 0.5 * (labels - fields) ** 2,
        "hinge": lambda: np.maximum(1 - labels * fields, 0.0),
        "logistic": lambda: np.logaddexp(0.0, -labels * fields),
    }.get(loss)
    return dict(
        teacher_overlap=float(weights @ teacher_weights) / size,
        weight_norm=float(weights @ weights) / size,
        response=student.response,
        test_error_01=float(np.mean((new @ weights) * truth <= 0)),
        train_error_01=float(np.mean(fields * labels <= 0)),
        train_loss=None if lost is None else float(np.mean(lost())),
        iterations=float(student.iterations),
    )


def _square(features: np.ndarray, labels: np.ndarray, penalty: float) -> Student:
    if penalty == 0:
        weights = np.linalg.lstsq(features, labels, rcond=None)[0]
        if len(labels) < features.shape[1]:
            # The interpolator of least norm: directions that no sample constrains have an infinite response.
            return Student(weights, None, 1)
        return Student(weights, float(np.trace(np.linalg.inv(features.T @ features))) / features.shape[1], 1)
    gram = features.T @ features
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    return Student(np.linalg.solve(gram, features.T @ labels), float(np.trace(inverse)) / len(gram), 1)


def _message_passing(
    features: np.ndarray, labels: np.ndarray, teacher: Labelling, prior: str, iterations: int = 500
) -> Student:
    """Posterior mean by approximate message passing for weights that are standard normal or +-1."""
    samples, size = features.shape
    if teacher.kind == "linear":
        return _linear_posterior(features, labels, teacher.noise)
    weights, memory, variance = np.zeros(size), np.zeros(samples), 1.0
    for count in range(iterations):
        means = features @ weights - variance * memory
        memory, slope = _output(means, variance, labels, teacher)
        precision = samples / size * float(slope.mean())
        pull = features.T @ memory + precision * weights
        if prior == "gaussian":
            new, variance = pull / (1 + precision), 1 / (1 + precision)
        else:
            new = np.tanh(pull)
            variance = float(np.mean(1 - new**2))
        change = float(np.sqrt(np.mean((new - weights) ** 2)))
        weights = new
        # Weights +-1 may all be known: then there is nothing left to pass on.
        if change < 1e-8 or variance < FOUND:
            return Student(weights, variance, count + 1)
    return Student(weights, variance, iterations, False)


def _linear_posterior(features: np.ndarray, labels: np.ndarray, noise: float) -> Student:
    """Posterior mean and variance of standard normal weights from their noisy fields."""
    samples, size = features.shape
    if noise > 0:
        ridge = _square(features, labels, noise)
        assert ridge.response is not None
        return Student(ridge.weights, noise * ridge.response, 1)
    # Without noise the posterior is the prior on the affine space of exact solutions.
    return Student(np.linalg.lstsq(features, labels, rcond=None)[0], max(0.0, 1 - samples / size), 1)


def _output(
    means: np.ndarray, variance: float, labels: np.ndarray, teacher: Labelling
) -> tuple[np.ndarray, np.ndarray]:
    """Derivative of log P(label) in the mean of the field, and minus its second derivative."""
    kept = 1 - 2 * teacher.flip
    if teacher.kind == "logistic":
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        weights = weights / weights.sum()
        up = expit(labels[:, None] * (means[:, None] + np.sqrt(variance) * nodes))
        probability = teacher.flip + kept * (up @ weights)
        first = kept * (up * (1 - up)) @ weights / probability
        second = kept * (up * (1 - up) * (1 - 2 * up)) @ weights / probability
        return labels * first, first**2 - second
    width = np.sqrt(variance + (teacher.noise if teacher.kind == "probit" else 0.0))
    t = labels * means / width
    # The share of the label's probability that is not a flip, as a logarithm: either part may have underflowed.
    honest = np.log(kept) + log_ndtr(t)
    flipped = np.log(teacher.flip) if teacher.flip > 0 else -np.inf
    ratio = np.exp(np.log(kept) - 0.5 * t * t - np.logaddexp(honest, flipped)) / np.sqrt(2 * np.pi)
    return labels * ratio / width, ratio * (ratio + t) / width**2
