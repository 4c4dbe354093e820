"""Public predictions of M-estimation: any loss and penalty by name, ridge in closed form, the tables of the optimum."""

import jax
import jax.numpy as jnp
from jax import Array

from replicon.core.errors import ParameterError
from replicon.core.precision import in_float64
from replicon.inference.families import noise_density, signal_density
from replicon.inference.m_estimation.theory import equations, optimal
from replicon.inference.m_estimation.theory.statuses import NO_ESTIMATOR, NOT_CONVEX
from replicon.maths.grids import pointwise
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import bayes
from replicon.maths.scalar_channel.fixed_point import fixed_point
from replicon.maths.solution import NOT_CONVERGED

LOSSES = ("square", "absolute", "huber", "optimal")
PENALTIES = ("none", "ridge", "lasso", "optimal")


class NonConvexLossError(ParameterError):
    """The optimal loss or penalty is not convex: there is no M-estimator that reaches the Bayes error."""


def check_combination(loss: str, penalty: str) -> None:
    """Raise `ParameterError` for a pair of words that defines no estimator."""
    if loss not in LOSSES or penalty not in PENALTIES:
        raise ParameterError(
            f"loss is {loss!r} and penalty {penalty!r}; choose loss among {', '.join(LOSSES)} and penalty among "
            f"{', '.join(PENALTIES)}"
        )
    if loss == "optimal" and penalty in ("ridge", "lasso"):
        raise ParameterError(
            f"the optimal loss belongs to the optimal penalty or to none, not to penalty = {penalty!r}; give "
            "penalty = 'optimal' or 'none'"
        )
    if penalty == "optimal" and loss not in ("optimal", "square"):
        raise ParameterError(
            f"the optimal penalty belongs to the optimal or the square loss, not to loss = {loss!r}; give "
            "loss = 'optimal' or 'square'"
        )


@pointwise("loss", "penalty", "noise", "signal")
def m_estimation(
    load: Array | float,
    loss: str = "square",
    penalty: str = "ridge",
    noise: str = "gaussian",
    signal: str = "gaussian",
    noise_variance: Array | float = 1.0,
    signal_variance: Array | float = 1.0,
    sparsity: Array | float = 1.0,
    loss_scale: Array | float = 1.0,
    penalty_level: Array | float = 1.0,
) -> tuple[dict[str, Array], Array]:
    r"""Error of ``argmin_s sum_mu rho(y_mu - (X s)_mu) + sum_i sigma(s_i)`` for samples and features to infinity.

    ``y = X s0 + eps`` with independent entries of X of mean zero and variance 1/P (P features), independent s0 and eps.

    Parameters
    ----------
    load : float or array
        alpha = samples / features, positive; above one with ``penalty="none"``.
    loss : {"square", "absolute", "huber", "optimal"}
        u^2/2, ``|u|``, Huber's with threshold `loss_scale`, or the best there is for this noise.
    penalty : {"none", "ridge", "lasso", "optimal"}
        0, g s^2/2, g ``|s|`` with g = `penalty_level`, or the best for this signal. "optimal" goes with the square and
        the optimal loss, the optimal loss with "optimal" and "none".
    noise : {"gaussian", "laplace", "student"}
        Student's t has three degrees of freedom.
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    noise_variance, signal_variance : float or array
        Variances of eps and of the non-zero entries of s0, positive.
    sparsity : float or array
        Fraction of non-zero entries, for "bernoulli_gauss" only.
    loss_scale, penalty_level : float or array
        Positive.

    Returns
    -------
    Solution
        `values`: dict of `estimation_error` (q_s, per coefficient), `effective_noise` (q_d), `residual_step` (lam_rho),
        `coefficient_step` (lam_sig), `train_error` and `train_loss` (mean square and mean loss of the residuals),
        `test_error` (q_s + noise variance), `residual` (relative, of the equations), and with the lasso of a
        "bernoulli_gauss" signal `false_positive_rate` and `true_positive_rate` of its support. The optimal loss is
        counted from its value at zero. `status`: bits of ``STATUS_TEXTS``; nan where any is set.

    Raises
    ------
    ParameterError
        For words that define no estimator.

    References
    ----------
    .. [1] M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016), eqs. 15-18 and 32-43.
    .. [2] N. El Karoui, D. Bean, P. Bickel, C. Lim, B. Yu, PNAS 110, 14557 (2013).
    """
    check_combination(loss, penalty)
    noise_of = noise_density(noise, noise_variance)
    signal_of = signal_density(signal, signal_variance, sparsity)
    load, scale, level = (jnp.asarray(number, dtype=float) for number in (load, loss_scale, penalty_level))
    missing = (load <= 1) if penalty == "none" else jnp.zeros((), bool)
    safe_load = jnp.where(missing, 2.0, load)
    values, status = solve(safe_load, loss, scale, penalty, level, noise_of, signal_of)
    if penalty == "lasso" and signal == "bernoulli_gauss":
        values |= equations.support(level, signal_variance, values["effective_noise"], values["coefficient_step"])
    status = jnp.where(missing, NO_ESTIMATOR, status)
    refused = (status & (NO_ESTIMATOR | NOT_CONVEX | NOT_CONVERGED)) != 0
    return {name: jnp.where(refused, jnp.nan, value) for name, value in values.items()}, status


def solve(
    load: Array, loss: str, scale: Array, penalty: str, level: Array, noise: Density, signal: Density
) -> tuple[dict[str, Array], Array]:
    """Values and status of `m_estimation` for any two densities, before anything is refused; traceable."""
    if loss == "optimal":
        return _optimal(load, penalty, noise, signal)
    found = equations.solve(load, loss, scale, penalty, level, noise, signal)
    values = equations.describe(load, loss, scale, noise, found.values[0], found.values[1])
    values["residual"] = found.residual
    if penalty != "optimal":
        return values, found.status
    convex = optimal.is_convex(signal, values["effective_noise"])
    return values, found.status + jnp.where(convex, 0, NOT_CONVEX)


def _optimal(load: Array, penalty: str, noise: Density, signal: Density) -> tuple[dict[str, Array], Array]:
    """The optimal loss, with the optimal penalty or none."""
    if penalty == "none":
        found = optimal.unregularised_error(load, noise)
        channel_noise = found.values[0]
        convex = optimal.is_convex(noise, channel_noise)
    else:
        # For log-concave densities there is one fixed point only; where there are several the penalty is not convex.
        found = fixed_point(
            lambda values: bayes(signal, optimal.effective_noise(load, noise, values[0])).error[None],
            signal.variance()[None],
        )
        channel_noise = optimal.effective_noise(load, noise, found.values[0])
        convex = optimal.is_convex(noise, found.values[0]) & optimal.is_convex(signal, channel_noise)
    error, status = found.values[0], found.status
    train_error, train_loss = optimal.train_averages(noise, error)
    values = {
        "estimation_error": error,
        "effective_noise": channel_noise,
        "residual_step": error,
        "coefficient_step": channel_noise,
        "train_error": train_error,
        "train_loss": train_loss,
        "test_error": error + noise.second_moment(),
        "residual": found.residual,
    }
    return values, status + jnp.where(convex | (status == NOT_CONVERGED), 0, NOT_CONVEX)


@pointwise()
def ridge_closed_form(
    load: Array | float,
    noise_variance: Array | float = 1.0,
    signal_variance: Array | float = 1.0,
    penalty_level: Array | float = 1.0,
) -> tuple[dict[str, Array], Array]:
    """Square loss and ridge penalty g s^2/2 in closed form, for noise and signal of any shape.

    ``alpha g L^2 + (alpha - g - 1) L - 1 = 0`` gives the coefficient step L. Arguments and values as those of
    `m_estimation`; `penalty_level` may be zero for loads above one.
    """
    load, level = jnp.asarray(load, dtype=float), jnp.asarray(penalty_level, dtype=float)
    middle = load - level - 1
    root = jnp.sqrt(middle**2 + 4 * load * level)
    # The positive root, in the form that does not cancel.
    step = jnp.where(middle > 0, 2 / (middle + root), (root - middle) / jnp.where(middle > 0, 1.0, 2 * load * level))
    missing = (level <= 0) & (load <= 1)
    shrink = 1 / (1 + level * step) ** 2
    error = shrink * (level**2 * step**2 * signal_variance + noise_variance / load) / (1 - shrink / load)
    residual_step = step / (1 + level * step)
    total = error + noise_variance
    values = {
        "estimation_error": error,
        "effective_noise": total / load,
        "residual_step": residual_step,
        "coefficient_step": step,
        "train_error": total / (1 + residual_step) ** 2,
        "train_loss": 0.5 * total / (1 + residual_step) ** 2,
        "test_error": total,
    }
    status = jnp.where(missing, NO_ESTIMATOR, 0)
    return {name: jnp.where(missing, jnp.nan, value) for name, value in values.items()}, status


@pointwise()
def optimal_ridge_error(
    load: Array | float, noise_variance: Array | float = 1.0, signal_variance: Array | float = 1.0
) -> tuple[Array, Array]:
    """Estimation error of ridge at its best level, noise variance / signal variance: optimal for Gaussian densities.

    As the noise vanishes it tends to ``max(1 - load, 0)`` times the signal variance, with a kink at load one.
    """
    load = jnp.asarray(load, dtype=float)
    ratio = jnp.asarray(noise_variance, dtype=float) / signal_variance
    middle = load + ratio - 1
    root = jnp.sqrt(middle**2 + 4 * ratio)
    relative = jnp.where(middle > 0, 2 * ratio / (middle + root), 0.5 * (root - middle))
    return signal_variance * relative, jnp.zeros((), jnp.int32)


@in_float64
def optimal_tables(
    load: float,
    loss: str,
    penalty: str,
    noise: str,
    signal: str,
    noise_variance: float,
    signal_variance: float,
    sparsity: float,
) -> dict[str, optimal.Table]:
    """The optimal loss and penalty of one point as tabulated functions, for fitting data.

    Returns
    -------
    dict
        `Table` by "loss" and "penalty", for those of the two words that are "optimal".

    Raises
    ------
    NonConvexLossError
        Where such a function is not convex.
    ParameterError
        For words that define no estimator, and for no penalty at a load of one or less.
    """
    values, status = m_estimation(
        load, loss, penalty, noise, signal, noise_variance, signal_variance, sparsity, 1.0, 1.0
    )
    if status & NO_ESTIMATOR:
        raise ParameterError(f"unregularised M-estimation needs load > 1, and load is {load:g}; give a penalty")
    if status & NOT_CONVEX:
        raise NonConvexLossError(
            f"the optimal loss for {noise} noise and penalty {penalty!r} for a {signal} signal are not both convex at "
            f"load {load:g}; the Bayes error there is that of inference.bayes_linear, and no M-estimator reaches it"
        )
    return _tabulated(values, loss, penalty, noise, signal, noise_variance, signal_variance, sparsity)


def _tabulated(
    values: dict[str, float],
    loss: str,
    penalty: str,
    noise: str,
    signal: str,
    noise_variance: float,
    signal_variance: float,
    sparsity: float,
) -> dict[str, optimal.Table]:
    tables = {}
    build = jax.jit(optimal.tabulate)
    if loss == "optimal":
        tables["loss"] = build(noise_density(noise, noise_variance), values["residual_step"])
    if penalty == "optimal":
        channel_noise, step = values["effective_noise"], values["coefficient_step"]
        table = build(signal_density(signal, signal_variance, sparsity), channel_noise)
        # The posterior mean is the prox at step q_d; the estimator takes it at lam_sig (equal with the optimal loss).
        scale = channel_noise / step
        tables["penalty"] = optimal.Table(table.argument, scale * table.slope, scale * table.value)
    return tables
