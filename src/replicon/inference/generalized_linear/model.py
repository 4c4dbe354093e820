"""Generalised linear estimation: parameters, one draw of the samples, and the system that joins both sides."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError, ParameterError
from replicon.core.instance import Instance
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.precision import is_traced
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System, check_seed
from replicon.inference.data import as_features, as_labels
from replicon.inference.generalized_linear import simulation, theory
from replicon.inference.generalized_linear.references import AUBIN, BARBIER, MONTANARI
from replicon.maths.solution import NOT_CONVERGED


class LabelledSamples(Instance):
    """Samples that a teacher has labelled.

    Attributes
    ----------
    features : array (samples, features)
        Normal with variance 1 / features.
    labels : array (samples,)
        +-1, or the teacher's field for a linear teacher.
    teacher_weights : array (features,)
        Standard normal, or +-1.
    """

    features: Float[np.ndarray, "samples features"]
    labels: Float[np.ndarray, " samples"]
    teacher_weights: Float[np.ndarray, " features"]


class GeneralizedLinear(System):
    """Generalised linear estimation: a student classifies what a random teacher has labelled.

    Features x ~ N(0, I/d), teacher w* ~ N(0, I) or +-1, labels y = sign(w*.x), or sign(w*.x + noise) (`probit`), or +1
    with probability 1 / (1 + exp(-w*.x)) (`logistic`), or w*.x + noise itself (`linear`); binary labels may be turned
    round afterwards. The size is the number of features d; there are round(load d) samples. The student minimises
    sum_i l(y_i, w.x_i) + (penalty_level / 2) |w|^2 with the square loss (y - w.x)^2 / 2, the hinge max(0, 1 - y w.x) or
    the logistic loss log(1 + exp(-y w.x)); or takes the least |w| with all y w.x >= 1 (`max_margin`), or the mean of
    the posterior (`bayes`), by message passing. The penalty does not enter the last two.

    References
    ----------
    Aubin, Krzakala, Lu and Zdeborova, NeurIPS 2020, arXiv:2006.06560; Barbier, Krzakala, Macris, Miolane and Zdeborova,
    PNAS 116, 5451 (2019); Montanari, Ruan, Sohn and Yan, arXiv:1911.01544.
    """

    load: float = parameter(3.0, symbol="α", low=0, open="l", doc="samples per feature, n/d")
    penalty_level: float = parameter(0.1, symbol="λ", low=0, doc="penalty λ|w|²/2 on the sum of the losses, no 1/n")
    loss: str = parameter("logistic", symbol="loss", choices=theory.LOSSES, doc="how the student learns")
    teacher: str = parameter("sign", symbol="teacher", choices=theory.TEACHERS, doc="how labels come about")
    teacher_noise: float = parameter(
        0.0, symbol="Δ", low=0, doc="variance of the noise on the teacher's field; probit and linear"
    )
    flip_probability: float = parameter(
        0.0, symbol="ε", low=0, high=0.5, open="h", doc="probability that a binary label is turned round"
    )
    weights: str = parameter(
        "gaussian", symbol="P(w*)", choices=theory.WEIGHTS, doc="the teacher's weights: normal, or ±1"
    )

    class Observables(Observables):
        """What is predicted and measured of the student."""

        teacher_overlap: Scalar = observable("m", "overlap w·w*/d of student and teacher")
        weight_norm: Scalar = observable("q", "squared norm |w|²/d of the student")
        response: Scalar = observable("V", "mean diagonal of the inverse Hessian; posterior variance for bayes")
        test_error_01: Scalar = observable("E_gen", "fraction of wrong signs on new samples")
        train_error_01: Scalar = observable("E_train", "fraction of wrong signs on the training samples")
        # Interpolating samples are fitted up to rounding, whose square is far below the tolerance.
        train_loss: Scalar = observable(
            "L_train", "mean loss on the training samples, without the penalty", tolerance=1e-20
        )
        iterations: Scalar = observable("t", "steps or sweeps of the solver", face="measured")

        statuses = {
            theory.NOT_SEPARABLE: Status("not separable: there is no positive margin", declines=True),
            theory.DIVERGES: Status("the norm diverges at this load", declines=True),
            theory.HARD: Status("message passing misses a better solution that exists", valid=True),
        }

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    smallest_size = 2
    references = (AUBIN, BARBIER, MONTANARI)

    def validate(self) -> None:
        """Refuse losses that need +-1 labels where there are none, and those whose minimum may be at infinity."""
        if self.teacher == "linear" and self.loss in ("hinge", "logistic", "max_margin"):
            raise ParameterError(
                f"GeneralizedLinear: loss is {self.loss!r} with a linear teacher, whose labels are not ±1; give loss = "
                "'square' or 'bayes', or another teacher"
            )
        for name, symbol, words in (
            ("teacher_noise", "Δ", ("probit", "linear")), ("flip_probability", "ε", ("sign", "probit", "logistic")),
        ):  # fmt: skip
            value = getattr(self, name)
            if self.teacher not in words and not is_traced(value) and np.any(np.asarray(value) != 0):
                raise ParameterError(
                    f"GeneralizedLinear: {name} ({symbol}) is {value} with a {self.teacher} teacher, who has none; "
                    f"give 0, or teacher = {' or '.join(map(repr, words))}"
                )
        if self.weights == "binary" and self.loss == "bayes" and self.teacher == "linear":
            raise ParameterError(
                "GeneralizedLinear: the Bayes optimum for weights ±1 is there for binary labels; for a linear teacher "
                "use the system inference.bayes_linear, or weights = 'gaussian'"
            )
        needs_penalty = self.loss in ("hinge", "logistic") and not is_traced(self.penalty_level)
        if needs_penalty and np.any(np.asarray(self.penalty_level) == 0):
            raise ParameterError(
                f"GeneralizedLinear: penalty_level (λ) is 0 with the {self.loss} loss, whose minimum is at infinity on "
                "separable samples; give penalty_level > 0, loss = 'max_margin' (the limit λ → 0), or use the system "
                "inference.logistic_mle"
            )

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of samples is zero."""
        if np.any(np.round(np.asarray(self.load) * size) < 1):
            least = int(np.ceil(0.5 / np.min(self.load))) + 1
            raise DataError(
                f"GeneralizedLinear: size is {size}, which at load {self.load} has no sample; give at least {least}"
            )

    def footprint(self, size: int) -> Footprint:
        """Training and test samples, and the Hessian."""
        samples = float(np.max(self.load)) * size
        tested = simulation.TEST_SAMPLES_PER_FEATURE * size
        return Footprint(bytes=8.0 * size * (2 * samples + 2 * tested + 3 * size), seconds=3e-9 * size**2 * samples)

    def theory(self, size: int | None = None, instance: LabelledSamples | None = None) -> Any:
        """State evolution at the load, at the realised load of a size, or for the norm of one draw's teacher."""
        if instance is not None:
            strength = 1.0 if self.loss == "bayes" else float(np.mean(instance.teacher_weights**2))
            values, status = theory.estimate(
                len(instance.labels) / instance.size, self.penalty_level, self.loss, self.teacher, self.teacher_noise,
                self.flip_probability, self.weights, strength,
            )  # fmt: skip
            values.pop("margin", None)
            return self.Observables.from_theory((values, status))
        load: Any = self.load if size is None else jnp.maximum(jnp.round(self.load * size), 1.0) / size
        teacher = theory.Teacher(self.teacher, jnp.asarray(self.teacher_noise), jnp.asarray(self.flip_probability))
        values, status = theory.estimation(
            jnp.asarray(load), jnp.asarray(self.penalty_level), self.loss, teacher, self.weights
        )
        values.pop("margin", None)
        return self.Observables.from_theory((values, status))

    def sample(self, size: int, seed: int) -> LabelledSamples:
        """Draw the teacher, round(load d) samples and their labels."""
        features = simulation.draw_features(round(self.load * size), size, generator(seed, "features"))
        weights = generator(seed, "teacher").standard_normal(size)
        if self.weights == "binary":
            weights = np.where(weights >= 0, 1.0, -1.0)
        labels = simulation.draw_labels(features @ weights, self._labelling(), generator(seed, "labels"))
        return LabelledSamples(size=size, seed=seed, features=features, labels=labels, teacher_weights=weights)

    def instance(self, features: Any, labels: Any, teacher_weights: Any, seed: int = 0) -> LabelledSamples:
        """An instance of the user's own samples.

        Parameters
        ----------
        features : array (samples, features)
            The theory assumes independent entries of variance 1 / features.
        labels : array (samples,)
            -1/+1, 0/1 or bool; any numbers for a linear teacher.
        teacher_weights : array (features,)
            What the overlap and the labels of new samples refer to.
        seed : int
            Seed of the test samples.

        Raises
        ------
        DataError
            For labels of other values, or shapes that do not fit.
        """
        matrix = as_features("GeneralizedLinear", features)
        answers = as_labels("GeneralizedLinear", labels, len(matrix), real=self.teacher == "linear")
        weights = np.asarray(teacher_weights, dtype=float)
        if weights.shape != matrix.shape[1:]:
            raise DataError(
                f"GeneralizedLinear: teacher_weights has shape {weights.shape}; the features ask for {matrix.shape[1:]}"
            )
        return LabelledSamples(
            size=matrix.shape[1], seed=check_seed(seed), features=matrix, labels=answers, teacher_weights=weights
        )

    def simulate(self, instance: LabelledSamples) -> Any:
        """Train the student on the samples of the instance and test it on new ones."""
        student = simulation.train(
            instance.features, instance.labels, self.loss, self.penalty_level, self._labelling(), self.weights
        )
        measured: dict[str, Any] = simulation.measure(
            student, instance.features, instance.labels, instance.teacher_weights, self.loss, self._labelling(),
            generator(instance.seed, "test"),
        )  # fmt: skip
        return self.Observables(**measured, status=0 if student.converged else NOT_CONVERGED)

    def _labelling(self) -> simulation.Labelling:
        return simulation.Labelling(self.teacher, self.teacher_noise, self.flip_probability)
