"""Unregularised logistic regression with many features: the system that joins theory and simulation."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.references import Reference
from replicon.core.seeds import generator
from replicon.core.system import System, check_seed
from replicon.inference.data import as_features, as_labels
from replicon.inference.logistic import simulation, theory
from replicon.inference.logistic.errors import MLEDoesNotExistError
from replicon.maths.solution import NOT_CONVERGED

SUR = Reference(
    key="sur2019modern",
    authors="Sur, Pragya and Candès, Emmanuel J.",
    title="A modern maximum-likelihood theory for high-dimensional logistic regression",
    year=2019,
    journal="Proc. Natl. Acad. Sci. USA",
    volume="116",
    pages="14516",
    doi="10.1073/pnas.1810420116",
    arxiv="1803.06964",
)
CANDES = Reference(
    key="candes2020phase",
    authors="Candès, Emmanuel J. and Sur, Pragya",
    title="The phase transition for the existence of the maximum likelihood estimate in high-dimensional logistic "
    "regression",
    year=2020,
    journal="Ann. Stat.",
    volume="48",
    pages="27",
    doi="10.1214/18-AOS1789",
    arxiv="1804.09753",
)


class LogisticSamples(Instance):
    """Samples of a logistic model.

    Attributes
    ----------
    features : array (samples, features)
        Normal with variance 1 / samples.
    labels : array (samples,)
        +-1.
    coefficients : array (features,)
        beta.
    """

    features: Float[np.ndarray, "samples features"]
    labels: Float[np.ndarray, " samples"]
    coefficients: Float[np.ndarray, " features"]


class LogisticMLE(System):
    """Logistic regression by maximum likelihood with many features: biased, too spread, and not always there.

    n samples x ~ N(0, I/n) with P(y = 1) = 1 / (1 + exp(-x.beta)) and |beta|^2 = n signal_strength^2, no intercept, no
    penalty. The size is the number of features p; there are n = round(p / aspect) samples, and the last quarter of beta
    is zero. The estimate is distributed
    as N(bias beta_j, spread^2), and exists if and only if the classes cannot be separated. All draws count towards
    `exists`; the other observables are of draws with an estimate, and the theory declines where these are a vanishing
    fraction.

    References
    ----------
    Sur and Candes, PNAS 116, 14516 (2019); Candes and Sur, Ann. Stat. 48, 27 (2020).
    """

    aspect: float = parameter(0.2, symbol="κ", low=0, high=1, open="lh", doc="features per sample, p/n")
    signal_strength: float = parameter(
        2.0, symbol="γ", low=0, open="l", doc="standard deviation of the field x·β of a sample"
    )

    class Observables(Observables):
        """What is predicted and measured of the maximum-likelihood estimate."""

        exists: Scalar = observable("exists", "1 where the estimate exists, else 0")
        bias: Scalar = observable("a", "slope of the estimate on the coefficients; 1 is unbiased")
        spread: Scalar = observable("s", "standard deviation of the estimate around bias times coefficient")
        step: Scalar = observable("l", "trace of the inverse Hessian over the number of samples")
        likelihood_ratio_factor: Scalar = observable(
            "κs²/l", "mean of twice the log-likelihood ratio of null coefficients; 1 without its stretch"
        )
        test_error_01: Scalar = observable("E_gen", "fraction of wrong labels on new samples")
        train_loss: Scalar = observable("L_train", "mean logistic loss on the training samples")
        threshold: Scalar = observable("h", "largest aspect with an estimate", face="predicted")
        iterations: Scalar = observable("t", "Newton steps", face="measured")

        statuses = {
            theory.NO_ESTIMATE: Status("the maximum-likelihood estimate does not exist", declines=True),
            theory.OUT_OF_RANGE: Status("parameters outside the range of the theory", declines=True),
        }

    theory_kinds = ("infinite", "finite")
    traced_size = True
    smallest_size = 2
    model_version = "2"
    references = (SUR, CANDES)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised aspect is 1."""
        if np.any(np.round(size / np.asarray(self.aspect)) <= size):
            raise DataError(
                f"LogisticMLE: at size {size} and aspect {self.aspect} there are no more samples than features"
            )

    def theory(self, size: int | None = None, instance: LogisticSamples | None = None) -> Any:
        """Equations of Sur and Candes at the aspect, or at the realised aspect of a size."""
        aspect: Any = self.aspect if size is None else size / jnp.round(size / self.aspect)
        values, status = theory.maximum_likelihood(jnp.asarray(aspect), jnp.asarray(self.signal_strength))
        values["exists"] = jnp.where(status == theory.NO_ESTIMATE, 0.0, 1.0)
        return self.Observables.from_theory((values, status))

    def sample(self, size: int, seed: int) -> LogisticSamples:
        """Draw coefficients, features and labels."""
        samples = round(size / self.aspect)
        drawn = simulation.draw(samples, size, self.signal_strength, generator(seed, "samples"))
        return LogisticSamples(size=size, seed=seed, features=drawn[0], labels=drawn[1], coefficients=drawn[2])

    def instance(self, features: Any, labels: Any, coefficients: Any, seed: int = 0) -> LogisticSamples:
        """An instance of the user's own samples.

        Parameters
        ----------
        features : array (samples, features)
            Variance 1 / samples is what the theory assumes.
        labels : array (samples,)
            -1/+1, 0/1 or bool.
        coefficients : array (features,)
            The true beta that bias and spread refer to.
        seed : int
            Seed of the test samples.

        Raises
        ------
        DataError
            For labels of other values, or shapes that do not fit.
        MLEDoesNotExistError
            When the classes are separable.
        """
        matrix = as_features("LogisticMLE", features)
        answers = as_labels("LogisticMLE", labels, len(matrix))
        beta = np.asarray(coefficients, dtype=float)
        if beta.shape != matrix.shape[1:]:
            raise DataError(
                f"LogisticMLE: coefficients has shape {beta.shape}; the features ask for {matrix.shape[1:]}"
            )
        if simulation.is_separable(matrix, answers):
            limit = float(np.asarray(theory.mle_threshold(self.signal_strength)))
            raise MLEDoesNotExistError(
                f"LogisticMLE: a hyperplane separates the classes of these {len(matrix)} samples with "
                f"{matrix.shape[1]} "
                f"features, so the likelihood has no maximum; at γ = {self.signal_strength:g} it has one typically for "
                f"features / samples below h(γ) = {limit:.6g}; give more samples, or a penalty "
                "(inference.generalized_linear)"
            )
        return LogisticSamples(
            size=matrix.shape[1], seed=check_seed(seed), features=matrix, labels=answers, coefficients=beta
        )

    def simulate(self, instance: LogisticSamples) -> Any:
        """Maximise the likelihood of the instance."""
        measured, decided = simulation.maximise(
            instance.features, instance.labels, instance.coefficients, generator(instance.seed, "test")
        )
        return self.Observables(**measured, status=0 if decided else NOT_CONVERGED)
