"""Vector message passing for linear problems with an ill-conditioned matrix."""

from typing import Any

import numpy as np
from jaxtyping import Float

from replicon.core.instance import Instance
from replicon.core.observables import Curve, Observables, Scalar, observable
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System
from replicon.inference import linear_problem as linear
from replicon.inference.algorithms.vector import Factors
from replicon.inference.amp import simulation, theory
from replicon.inference.amp.references import RANGAN_2019


class RotationallyInvariantProblem(Instance):
    """One linear problem ``y = X s0 + noise`` with ``X = left diag(values) right``, and the oracle's start.

    Attributes
    ----------
    left : array (samples, rank)
    values : array (rank,)
        Singular values.
    right : array (rank, features)
    y : array (samples,)
    signal, start : arrays (features,)
        s0, and r1 = s0 + Gaussian noise.
    """

    left: Float[np.ndarray, "samples rank"]
    values: Float[np.ndarray, " rank"]
    right: Float[np.ndarray, "rank features"]
    y: Float[np.ndarray, " samples"]
    signal: Float[np.ndarray, " features"]
    start: Float[np.ndarray, " features"]

    @property
    def noise(self) -> np.ndarray:
        """The noise of the draw, shape (samples,)."""
        return self.y - self.left @ (self.values * (self.right @ self.signal))


class VectorMessagePassing(System):
    """Vector message passing for matrices of any condition number, iterate by iterate.

    y = X s0 + noise, X = U diag(values) V^T with random rotations U, V and singular values that are evenly spaced in
    the logarithm, of sum of squares N = load P. The size is the number of features P. It starts from the truth seen
    through Gaussian noise (an oracle's start, for which alone state evolution is exact from the first iteration on) and
    denoises with the posterior mean. The theory at a size is that of the realised load.

    References
    ----------
    Rangan, Schniter and Fletcher, IEEE Trans. Inf. Theory 65, 6664 (2019).
    """

    load: float = linear.load_parameter(0.6)
    noise_variance: float = linear.noise_variance_parameter(0.01)
    condition_number: float = parameter(
        10.0, symbol="κ", low=1, high=1e6, doc="largest over smallest non-zero singular value"
    )
    signal: str = linear.signal_parameter("bernoulli_gauss")
    signal_variance: float = linear.signal_variance_parameter(1.0)
    sparsity: float = linear.sparsity_parameter(0.2)
    start_variance: float = parameter(0.5, symbol="1/γ₁", low=0, open="l", doc="variance of the noise in the start")
    iterations: int = parameter(15, symbol="T", low=1, high=1000, static=True, doc="number of iterations")

    class Observables(Observables):
        """Errors along the iterations."""

        estimation_error: Curve = observable("q_s", "squared error per coefficient", dims=("iteration",))
        effective_noise: Curve = observable(
            "1/γ₁", "variance of the noise in the channel that is denoised", dims=("iteration",)
        )
        final_error: Scalar = observable("q_s(T)", "squared error per coefficient after the last iteration")

    theory_kinds = ("infinite", "finite", "instance")
    smallest_size = 2
    traced_size = True
    references = (RANGAN_2019,)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of samples is zero."""
        linear.check_samples("VectorMessagePassing", self.load, size)

    def footprint(self, size: int) -> Footprint:
        """The factors, and the Gaussian matrix that they are made from."""
        load = float(np.max(self.load))
        rank = min(load, 1.0) * size
        return Footprint(bytes=8 * (2 * load * size**2 + rank * size * (1 + load)), seconds=4e-10 * size**2 * rank * 8)

    def coords(self) -> dict[str, Any]:
        """Iterations 0 (the start, denoised) to T."""
        return {"iteration": np.arange(self.iterations + 1)}

    def theory(self, size: int | None = None, instance: RotationallyInvariantProblem | None = None) -> Any:
        """State evolution: at the realised load of a size, and for the singular values and numbers of a draw.

        Of a draw the sufficient statistics of noise, signal and start take the place of their parameters.
        """
        if instance is None:
            values, status = theory.geometric_state_evolution(
                linear.realised_load(self.load, size), self.condition_number, self.noise_variance, self.signal,
                self.signal_variance, self.sparsity, self.start_variance, self.iterations,
            )  # fmt: skip
        else:
            found = linear.realised(
                instance.noise, instance.signal, "gaussian", self.noise_variance, self.signal, self.signal_variance,
                self.sparsity,
            )  # fmt: skip
            values, status = theory.vector_state_evolution(
                instance.values, float(instance.size), found.noise_variance, self.signal, found.signal_variance,
                found.sparsity, float(np.mean((instance.start - instance.signal) ** 2)), self.iterations,
            )  # fmt: skip
        return self.Observables(
            estimation_error=values["estimation_error"],
            effective_noise=values["effective_noise"],
            final_error=values["estimation_error"][..., -1],
            status=status,
        )

    def sample(self, size: int, seed: int) -> RotationallyInvariantProblem:
        """Draw the rotations, the true coefficients, the noise and the start."""
        samples = round(self.load * size)
        left, values, right = simulation.draw_rotationally_invariant(
            samples, size, self.condition_number, generator(seed, "matrix")
        )
        signal = linear.draw_signal(self.signal, self.signal_variance, size, generator(seed, "signal"), self.sparsity)
        noise = linear.draw_noise("gaussian", self.noise_variance, samples, generator(seed, "noise"))
        start = signal + linear.draw_noise("gaussian", self.start_variance, size, generator(seed, "start"))
        y = left @ (values * (right @ signal)) + noise
        return RotationallyInvariantProblem(
            size=size, seed=seed, left=left, values=values, right=right, y=y, signal=signal, start=start
        )

    def simulate(self, instance: RotationallyInvariantProblem) -> Any:
        """Run the algorithm and follow its error."""
        return self.Observables(
            **simulation.vector_message_passing_curves(
                Factors(instance.left, instance.values, instance.right),
                instance.y,
                instance.signal,
                instance.start,
                self.start_variance,
                self.noise_variance,
                self.signal,
                self.signal_variance,
                self.sparsity,
                self.iterations,
            )
        )
