"""Convex M-estimation of a linear model: parameters, one draw of the data, theory beside simulation."""

from typing import Any

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.precision import is_traced
from replicon.core.system import Footprint, System
from replicon.inference import linear_problem as linear
from replicon.inference.linear_problem import LinearProblem
from replicon.inference.m_estimation import simulation, theory
from replicon.inference.m_estimation.references import ADVANI, BEAN, EL_KAROUI


class MEstimation(System):
    """Convex M-estimation of a linear model with as many samples as features.

    ``y = X s0 + eps`` with X of N = load P rows and P columns, independent entries of variance 1/P. The estimate is
    ``argmin_s sum_mu rho(y_mu - (X s)_mu) + sum_i sigma(s_i)``, without 1/n. The size is P; the prediction at a size,
    or for a draw, uses the realised load N/P. The "optimal" loss and penalty come from the theory's fixed point and are
    handed to the simulation as tables.

    References
    ----------
    Advani and Ganguli, Phys. Rev. X 6, 031034 (2016); El Karoui et al. and Bean et al., PNAS 110, 14557 and 14563
    (2013).
    """

    load: float = linear.load_parameter(1.5)
    loss: str = parameter("huber", symbol="ρ", choices=theory.LOSSES, doc="loss of a residual u")
    loss_scale: float = parameter(1.0, symbol="c", low=0, open="l", doc="threshold of Huber's loss")
    penalty: str = parameter("lasso", symbol="σ", choices=theory.PENALTIES, doc="penalty of a coefficient s")
    penalty_level: float = parameter(0.5, symbol="g", low=0, open="l", doc="g s²/2 (ridge) or g |s| (lasso)")
    noise: str = linear.noise_parameter("laplace")
    noise_variance: float = linear.noise_variance_parameter(1.0)
    signal: str = linear.signal_parameter("bernoulli_gauss")
    signal_variance: float = linear.signal_variance_parameter(1.0)
    sparsity: float = linear.sparsity_parameter(0.2)

    class Observables(Observables):
        """What is predicted and measured of an M-estimator."""

        estimation_error: Scalar = observable("q_s", "squared error per coefficient")
        effective_noise: Scalar = observable("q_d", "variance of the debiased estimate about the truth")
        residual_step: Scalar = observable("λ_ρ", "step of the loss's proximal operator")
        coefficient_step: Scalar = observable("λ_σ", "step of the penalty's proximal operator")
        train_error: Scalar = observable("E_train", "mean squared residual of the fit")
        train_loss: Scalar = observable("L_train", "mean loss of the fit, without the penalty")
        test_error: Scalar = observable("E_test", "squared error of the prediction on a new row")
        false_positive_rate: Scalar = observable("FPR", "fraction of the zeros that are estimated non-zero")
        true_positive_rate: Scalar = observable("TPR", "fraction of the non-zeros that are estimated non-zero")
        duality_gap: Scalar = observable("gap", "relative duality gap of the fit", face="measured")

        statuses = {
            theory.NO_ESTIMATOR: Status(theory.STATUS_TEXTS[theory.NO_ESTIMATOR], declines=True),
            theory.NOT_CONVEX: Status(theory.STATUS_TEXTS[theory.NOT_CONVEX], declines=True),
        }

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    smallest_size = 2
    references = (ADVANI, EL_KAROUI, BEAN)

    def validate(self) -> None:
        """Refuse pairs of loss and penalty that define no estimator."""
        theory.check_combination(self.loss, self.penalty)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of samples is zero."""
        linear.check_samples("MEstimation", self.load, size)

    def footprint(self, size: int) -> Footprint:
        """The design twice, a factorised Gram matrix, and a few hundred products with them."""
        samples = float(np.max(self.load)) * size
        least = min(samples, size)
        return Footprint(
            bytes=8 * (2 * samples * size + 2 * least**2), seconds=3e-10 * (samples * size * least + 800 * least**2)
        )

    def theory(self, size: int | None = None, instance: LinearProblem | None = None) -> Any:
        """Replica-symmetric prediction: at the realised load of a size, and at the realised numbers of a draw.

        Of a draw the load, and the sufficient statistics of noise and signal in place of their parameters; the optimal
        loss and penalty stay those of the parameters, which the estimator knows.
        """
        load, numbers = self.load, (self.noise_variance, self.signal_variance, self.sparsity)
        if instance is not None:
            load, numbers = instance.load, linear.realised(instance.noise, instance.signal, *self._population)
        return self.Observables.from_theory(
            theory.m_estimation(
                linear.realised_load(load, size), self.loss, self.penalty, self.noise, self.signal, *numbers,
                self.loss_scale, self.penalty_level,
            )
        )  # fmt: skip

    @property
    def _population(self) -> tuple[str, float, str, float, float]:
        return self.noise, self.noise_variance, self.signal, self.signal_variance, self.sparsity

    def sample(self, size: int, seed: int) -> LinearProblem:
        """Draw X, the signal and the noise."""
        return linear.draw_problem(size, seed, self.load, *self._population)

    def instance(self, design: Any, response: Any, signal: Any, seed: int = 0) -> LinearProblem:
        """An instance of the user's own data with a known signal.

        Parameters
        ----------
        design : array (samples, features)
            Entries of mean zero and variance 1/features, for the theory to apply.
        response : array (samples,)
        signal : array (features,)
            The true coefficients.
        seed : int
            Not used by the fit, which is deterministic.

        Raises
        ------
        DataError
            For shapes that do not fit, nan or inf.
        """
        X, y, truth = (np.array(a, dtype=np.float64) for a in (design, response, signal))
        if X.ndim != 2 or 0 in X.shape or y.shape != X.shape[:1] or truth.shape != X.shape[1:]:
            raise DataError(
                f"MEstimation: design (samples, features), response (samples,) and signal (features,) have shapes "
                f"{X.shape}, {y.shape} and {truth.shape}"
            )
        if not all(np.all(np.isfinite(a)) for a in (X, y, truth)):
            raise DataError("MEstimation: design, response and signal must be finite; found nan or inf")
        return LinearProblem(size=X.shape[1], seed=seed, design=X, response=y, signal=truth)

    def simulate(self, instance: LinearProblem) -> Any:
        """Fit the draw and measure the estimate against the truth."""
        load = instance.load
        if self.penalty == "none" and load <= 1:
            raise ParameterError(
                f"MEstimation: load is {load:g}; unregularised M-estimation needs load > 1, give a penalty"
            )
        measured: dict[str, Any] = simulation.measure(
            instance.design, instance.response, instance.signal, self.noise_variance, self.loss, self.loss_scale,
            self.penalty, self.penalty_level, self.tables(load),
        )  # fmt: skip
        return self.Observables(**{name: value for name, value in measured.items() if value is not None})

    def tables(self, load: float | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
        """The optimal loss and penalty as columns (argument u, slope f'(u)); None where neither is "optimal".

        Parameters
        ----------
        load : float, optional
            Realised load; by default the parameter.

        Raises
        ------
        NonConvexLossError
            Where such a function is not convex, so that no M-estimator reaches the Bayes error.
        """
        if "optimal" not in (self.loss, self.penalty):
            return None
        if is_traced(self):
            raise ParameterError("MEstimation: the tables of the optimal functions cannot be traced")
        found = theory.optimal_tables(
            self.load if load is None else load, self.loss, self.penalty, self.noise, self.signal, self.noise_variance,
            self.signal_variance, self.sparsity,
        )  # fmt: skip
        return {name: (np.asarray(table.argument), np.asarray(table.slope)) for name, table in found.items()}
