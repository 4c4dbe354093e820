"""Ridge regression with many features: the system that joins theory and simulation."""

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
from replicon.core.system import System
from replicon.inference.ridge import simulation, theory

HASTIE = Reference(
    key="hastie2022surprises",
    authors="Hastie, Trevor and Montanari, Andrea and Rosset, Saharon and Tibshirani, Ryan J.",
    title="Surprises in high-dimensional ridgeless least squares interpolation",
    year=2022,
    journal="Ann. Stat.",
    volume="50",
    pages="949",
    doi="10.1214/21-AOS2133",
    arxiv="1903.08560",
)


class RegressionSamples(Instance):
    """Samples of a linear model.

    Attributes
    ----------
    features : array (samples, features)
        Independent normal with variances eigenvalue / features.
    targets : array (samples,)
    coefficients : array (features,)
        The true ones.
    """

    features: Float[np.ndarray, "samples features"]
    targets: Float[np.ndarray, " samples"]
    coefficients: Float[np.ndarray, " features"]


class Ridge(System):
    """Ridge regression and double descent: test error, training error and cross-validation of one fit.

    n samples x ~ N(0, S/p) with y = w*.x + noise, w* normal with variance `signal`. The size is the number of features
    p; there are n = round(p / aspect) samples. The fit minimises sum_i (y_i - w.x_i)^2 / 2 + (penalty_level / 2) |w|^2;
    penalty 0 is least squares for aspect < 1 and the interpolator of least norm beyond, with a pole between. The best
    penalty is noise / signal.

    References
    ----------
    Hastie, Montanari, Rosset and Tibshirani, Ann. Stat. 50, 949 (2022).
    """

    aspect: float = parameter(1.5, symbol="γ", low=0, open="l", doc="features per sample, p/n")
    penalty_level: float = parameter(0.1, symbol="λ", low=0, doc="penalty λ|w|²/2 on the sum of the losses, no 1/n")
    noise: float = parameter(0.25, symbol="v", low=0, doc="variance of the noise")
    signal: float = parameter(1.0, symbol="r", low=0, open="l", doc="variance of the true coefficients")
    spectrum: str = parameter(
        "isotropic",
        symbol="S",
        choices=theory.SPECTRA,
        doc="eigenvalues of the covariance: all 1; evenly over [0.1, 3]; half 0.1 and half 3",
    )

    class Observables(Observables):
        """What is predicted and measured of the fit."""

        excess_risk: Scalar = observable("R", "mean squared error of the prediction on new samples, noise left out")
        test_error: Scalar = observable("E_test", "mean squared error on new samples")
        train_error: Scalar = observable("E_train", "mean squared residual of the training samples", tolerance=1e-20)
        generalized_cross_validation: Scalar = observable("GCV", "generalised cross-validation, from training samples")
        leave_one_out: Scalar = observable("LOO", "mean squared error on samples left out of the fit one by one")
        degrees_of_freedom: Scalar = observable("df/n", "trace of the hat matrix per sample")
        effective_ridge: Scalar = observable("k", "ridge that the infinite sample would need", face="predicted")

        statuses = {
            theory.DIVERGES: Status("the risk diverges: as many samples as features, and no penalty", declines=True)
        }

    theory_kinds = ("infinite", "finite")
    traced_size = True
    smallest_size = 2
    references = (HASTIE,)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of samples is below 2."""
        if np.any(np.round(size / np.asarray(self.aspect)) < 2):
            least = int(np.ceil(2 * np.max(self.aspect)))
            raise DataError(f"Ridge: size is {size}, which at aspect {self.aspect} has no two samples; give {least}")

    def theory(self, size: int | None = None, instance: RegressionSamples | None = None) -> Any:
        """Risk at the aspect, or at the realised aspect of a size."""
        aspect: Any = self.aspect if size is None else size / jnp.maximum(jnp.round(size / self.aspect), 1.0)
        values, status = theory.population_risk(
            jnp.asarray(aspect), jnp.asarray(self.penalty_level), jnp.asarray(self.noise), jnp.asarray(self.signal),
            self.spectrum,
        )  # fmt: skip
        kept = {name: values[name] for name in (*self.Observables.table(), "residual")}
        return self.Observables.from_theory((kept, status))

    def sample(self, size: int, seed: int) -> RegressionSamples:
        """Draw the coefficients and the samples."""
        eigenvalues = simulation.spectrum_at(size, self.spectrum)
        drawn = simulation.draw(
            round(size / self.aspect), eigenvalues, self.noise, self.signal, generator(seed, "samples")
        )
        return RegressionSamples(size=size, seed=seed, features=drawn[0], targets=drawn[1], coefficients=drawn[2])

    def simulate(self, instance: RegressionSamples) -> Any:
        """Fit the samples of the instance and measure the error on new ones."""
        eigenvalues = simulation.spectrum_at(instance.size, self.spectrum)
        told: dict[str, Any]
        weights, told = simulation.fit(instance.features, instance.targets, self.penalty_level)
        measured: dict[str, Any] = simulation.measure(
            weights, instance.coefficients, eigenvalues, self.noise, generator(instance.seed, "test")
        )
        return self.Observables(**told, **measured)
