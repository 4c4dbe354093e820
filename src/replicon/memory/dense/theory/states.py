r"""Retrieval state of a dense associative memory, and the largest load at which it exists.

With n >= 3 the other memories make a Gaussian field whose variance knows of the state only through its
Edwards-Anderson order q, without the feedback of the Hopfield model::

    m = int Dz tanh beta(n m^(n-1) + sqrt(xi'(q)) z)      q = int Dz tanh^2 beta(n m^(n-1) + sqrt(xi'(q)) z)
    xi'(q) = alpha n^2 E[f_{n-1}(x) f_{n-1}(x')]

At T = 0, ``m = erf(t)`` with ``t = m^(n-1) / sqrt(2 alpha (2n-3)!! c)``. For n = 2 (power) this is the Hopfield model
with twice its energy and temperature, whose theory is used.

Along a line of constant temperature the load is an explicit function of the overlap: the overlap gives the drive,
drive and overlap give the noise, and the noise the load. It has one maximum, the critical load; the retrieval state
lies on its side of large overlap.

References
----------
.. [1] E. Gardner, J. Phys. A 20, 3453 (1987); L. F. Abbott, Y. Arian, Phys. Rev. A 36, 5091 (1987): such models.
.. [2] J. R. L. de Almeida, D. J. Thouless, J. Phys. A 11, 983 (1978): stability against replicas.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import erf, erfc

from replicon.maths.gaussian import TanhAverages, normal_density, tanh_averages
from replicon.maths.grids import pointwise
from replicon.maths.roots import bracketed_root, implicit_root, locate
from replicon.maths.solution import CONVERGED, NOT_CONVERGED, Solution
from replicon.memory.dense.theory.interaction import (
    energy_decrement,
    field_correlation,
    field_correlation_slope,
    known_interaction,
    noise_strength,
)
from replicon.memory.dense.theory.statuses import (
    NO_RETRIEVAL_STATE,
    NOT_SOLVED,
    OUT_OF_RANGE,
    OUTSIDE_BASIN,
    REPLICA_SYMMETRY_UNSTABLE,
)
from replicon.memory.hopfield import theory as hopfield

OBSERVABLES = ("overlap", "edwards_anderson", "error_rate", "energy", "free_energy", "almeida_thouless")

_TOLERANCE = 1e-9
"""Largest residual, on a quadrature of half the step, of a point that counts as converged."""

_LOWEST, _FROZEN = 0.02, 5.0
"""Range of erfinv(m) that is searched; beyond it (1 - m < 2e-12) the equations contract to their solution at once."""


@pointwise("degree", "interaction")
def retrieval_state(
    load: Array | float,
    temperature: Array | float,
    degree: int = 3,
    interaction: str = "power",
    initial_overlap: Array | float = 1.0,
) -> tuple[dict[str, Array], Array]:
    r"""Replica-symmetric retrieval state at T > 0, ``E = -N^(1-n) sum_mu F(xi^mu . s)``.

    Parameters
    ----------
    load : float or array
        alpha = K / N^(n-1), > 0.
    temperature : float or array
        T > 0, of the heat bath with that E; for n = 2 twice that of the Hopfield model.
    degree : int
        n, at least 2.
    interaction : {"power", "rectified"}
    initial_overlap : float or array
        Where the dynamics starts; below the unstable solution the status has the bit ``OUTSIDE_BASIN``.

    Returns
    -------
    Solution
        `values`: `overlap` m, `edwards_anderson` q, `error_rate`, `energy` and `free_energy` per spin (without the
        mean energy of the other memories, a constant), `almeida_thouless` (replica symmetry is locally stable
        below 1) and `residual`. Without a retrieval state the overlap is 0, the error rate 1/2 and the rest nan.
    """
    load, temperature = jnp.asarray(load), jnp.asarray(temperature)
    if degree == 2:
        return _squares(load, temperature, interaction, zero=False)
    return _warm(load, temperature, degree, interaction, jnp.asarray(initial_overlap))


@pointwise("degree", "interaction")
def zero_temperature(
    load: Array | float, degree: int = 3, interaction: str = "power", initial_overlap: Array | float = 1.0
) -> tuple[dict[str, Array], Array]:
    """Retrieval state at T = 0; arguments and values as for `retrieval_state`.

    Replica symmetry is always unstable at T = 0 (``almeida_thouless`` diverges like 1/T), in the retrieval state only
    below a temperature that is exponentially small in 1/load: the status carries ``REPLICA_SYMMETRY_UNSTABLE``.
    """
    load = jnp.asarray(load)
    if degree == 2:
        return _squares(load, jnp.zeros_like(load), interaction, zero=True)
    valid = (load > 0) & jnp.isfinite(load)
    load = jnp.where(valid, load, 1e-3)
    strength = noise_strength(degree, interaction)
    summit = _frozen_summit(degree)
    exists = load <= _frozen_load(summit, degree, interaction)
    target = jnp.where(exists, load, 0.5 * _frozen_load(summit, degree, interaction))
    # erf < 1 bounds the root from above; at small loads the bound is the root to rounding.
    highest = 1.001 / jnp.sqrt(2 * target * strength)
    t = bracketed_root(lambda t: _frozen_load(t, degree, interaction) - target, summit, highest).values
    edge, _ = locate(lambda t: _frozen_load(t, degree, interaction) - lax.stop_gradient(target), 1e-6, summit)

    m, drive = erf(t), degree * erf(t) ** (degree - 1)
    noise = degree * jnp.sqrt(load * strength)
    energy = -(m**degree) - 2 * noise * normal_density(drive / noise)
    values = dict(
        overlap=m,
        edwards_anderson=jnp.ones_like(load),
        error_rate=0.5 * erfc(t),
        energy=energy,
        free_energy=energy,
        almeida_thouless=jnp.full_like(load, jnp.inf),
        residual=jnp.abs(_frozen_load(t, degree, interaction) / target - 1),
    )
    inside = jnp.asarray(initial_overlap) >= erf(edge)
    return _finished(values, valid, exists, inside, jnp.asarray(True))


def critical_load(degree: int = 3, interaction: str = "power", temperature: Array | float = 0.0) -> Solution:
    r"""Largest load alpha = K / N^(n-1) with a retrieval state.

    At T = 0 ``max_t erf(t)^(2(n-1)) / (2 t^2 (2n-3)!! c)``: 0.0841 for n = 3, 0.0132 for n = 4, 0.00165 for n = 5
    (power). For n = 2 (power) it is the critical load of the Hopfield model at half the temperature.

    Parameters
    ----------
    degree : int
        n, at least 2.
    interaction : {"power", "rectified"}
        c = 1 or 1/2.
    temperature : float or array
        T >= 0, with ``E = -N^(1-n) sum_mu F(xi^mu . s)``.

    Returns
    -------
    Solution
        nan with ``NO_RETRIEVAL_STATE`` where the temperature is too high for any load, or ``NOT_SOLVED`` for
        rectified squares.

    Raises
    ------
    ParameterError
        For a degree that is no whole number of at least 2, or an unknown interaction.
    """
    known_interaction(degree, interaction)
    # At T = 0 the closed form, without compiling the search at T > 0.
    if isinstance(temperature, (int, float)) and temperature == 0:
        return _frozen_critical_load(degree, interaction)
    return _critical_load(temperature, degree, interaction)


@pointwise("degree", "interaction")
def _frozen_critical_load(degree: int, interaction: str) -> tuple[Array, Array]:
    if degree == 2:
        return _squares_critical_load(jnp.zeros(()), interaction)
    return _frozen_load(_frozen_summit(degree), degree, interaction), jnp.asarray(CONVERGED)


@pointwise("degree", "interaction")
def _critical_load(temperature: Array, degree: int, interaction: str) -> tuple[Array, Array]:
    temperature = jnp.asarray(temperature)
    if degree == 2:
        return _squares_critical_load(temperature, interaction)
    valid = (temperature >= 0) & jnp.isfinite(temperature)
    cold = temperature == 0
    safe = jnp.where(valid & ~cold, temperature, 0.5)
    summit, _ = _summit(lax.stop_gradient(safe), degree, interaction)
    warm = _load_at(summit, safe, degree, interaction, search=False)[0]
    value = jnp.where(cold, _frozen_load(_frozen_summit(degree), degree, interaction), warm)
    status = jnp.where(valid, jnp.where(value > 0, CONVERGED, NO_RETRIEVAL_STATE), OUT_OF_RANGE)
    return jnp.where(status == CONVERGED, value, jnp.nan), status


def _squares_critical_load(temperature: Array, interaction: str) -> tuple[Array, Array]:
    if interaction == "rectified":
        return jnp.full_like(temperature, jnp.nan), jnp.full(jnp.shape(temperature), NOT_SOLVED)
    return tuple(hopfield.critical_load(0.5 * temperature))  # type: ignore[return-value]


@pointwise("degree", "interaction")
def critical_overlap(degree: int = 3, interaction: str = "power") -> tuple[Array, Array]:
    """Overlap of the retrieval state at the critical load, T = 0: 0.838, 0.918, 0.947 for n = 3, 4, 5."""
    if degree == 2:
        if interaction == "rectified":
            return jnp.asarray(jnp.nan), jnp.asarray(NOT_SOLVED)
        return tuple(hopfield.critical_overlap())  # type: ignore[return-value]
    return erf(_frozen_summit(degree)), jnp.asarray(CONVERGED)


def equilibrium(
    load: Any, temperature: Any, degree: int, interaction: str, initial_overlap: Any, cold: bool
) -> Solution:
    """`retrieval_state`, or under the static flag `cold` the equations at T = 0."""
    if cold:
        return zero_temperature(load, degree, interaction, initial_overlap)
    return retrieval_state(load, temperature, degree, interaction, initial_overlap)


def _frozen_load(t: Array, degree: int, interaction: str) -> Array:
    return erf(t) ** (2 * degree - 2) / (2 * t * t * noise_strength(degree, interaction))


def _frozen_summit(degree: int) -> Array:
    """t at the largest load: (n-1) t erf'(t) = erf(t)."""
    return bracketed_root(
        lambda t: 2 * (degree - 1) / np.sqrt(np.pi) * t * jnp.exp(-t * t) - erf(t), 0.3, 2 + np.sqrt(np.log(degree))
    ).values


def _drive(x: Array, temperature: Array, degree: int) -> Array:
    return degree * erf(x) ** (degree - 1) / temperature


def _load_at(x: Array, temperature: Array, degree: int, interaction: str, search: bool = True) -> tuple[Array, Array]:
    """Load at which the overlap is erf(x), negative where even the noiseless overlap is smaller, and 1 - q there.

    With ``search`` no derivative is attached, which halves what has to be compiled.
    """
    drive, target = _drive(x, temperature, degree), jnp.log(0.5 * erfc(x))

    def excess(spread: Array) -> Array:
        return jnp.log(tanh_averages(drive, spread).wrong + 1e-300) - target

    noiseless = -target - jnp.logaddexp(0.0, 2 * drive)
    feasible = noiseless < 0
    # The heat bath only adds to the noise, so the spread is below that of T = 0 with the same errors.
    ends = jnp.zeros_like(drive), drive / (np.sqrt(2) * x) * (1 + 1e-9)
    spread = locate(excess, *ends)[0] if search else bracketed_root(excess, *ends).values
    spread = jnp.where(feasible, spread, 1.0)
    p = tanh_averages(drive, spread).sech2
    load = (spread * temperature) ** 2 / field_correlation(p, degree, interaction)
    return jnp.where(feasible, load, -noiseless), p


def _summit(temperature: Array, degree: int, interaction: str) -> tuple[Array, Array]:
    """erfinv of the overlap at the largest load, and that load, by scans of ever smaller ranges around the best."""
    points = np.linspace(0.0, 1.0, 40)

    def narrow(_: int, state: tuple[Array, ...]) -> tuple[Array, ...]:
        low, high = state[:2]
        x = low + (high - low) * points
        loads = jax.vmap(lambda x: _load_at(x, temperature, degree, interaction)[0])(x)
        best = jnp.argmax(loads)
        return x[jnp.maximum(best - 1, 0)], x[jnp.minimum(best + 1, points.size - 1)], x[best], loads[best]

    nothing = jnp.zeros_like(temperature)
    start = nothing + _LOWEST, nothing + _FROZEN, nothing, nothing
    return lax.fori_loop(0, 7, narrow, start)[2:]


def _averages(
    m: Array, p: Array, load: Array, temperature: Array, degree: int, interaction: str, refinement: int = 1
) -> TanhAverages:
    spread = jnp.sqrt(load * field_correlation(p, degree, interaction)) / temperature
    return tanh_averages(degree * m ** (degree - 1) / temperature, spread, refinement)


def _warm(
    load: Array, temperature: Array, degree: int, interaction: str, initial_overlap: Array
) -> tuple[dict[str, Array], Array]:
    valid = (load > 0) & (temperature > 0) & jnp.isfinite(load) & jnp.isfinite(temperature)
    load, temperature = jnp.where(valid, load, 1e-3), jnp.where(valid, temperature, 0.5)
    alpha, heat = lax.stop_gradient((load, temperature))

    summit, largest = _summit(heat, degree, interaction)
    exists = alpha <= largest

    def gap(x: Array) -> Array:
        return _load_at(x, heat, degree, interaction)[0] - alpha

    ends = jnp.stack([jnp.full_like(summit, _LOWEST), jnp.full_like(summit, _FROZEN)])
    edge, upper = jax.vmap(lambda end: locate(gap, summit, end)[0])(ends)
    frozen = ~jnp.isfinite(upper)
    x = jnp.where(frozen, _FROZEN, upper)
    m, p = erf(x), _load_at(x, heat, degree, interaction)[1]

    def settle(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        averages = _averages(*state, alpha, heat, degree, interaction)
        return averages.tanh, averages.sech2

    settled = lax.fori_loop(0, 6, settle, (m, p))
    m, p = (jnp.where(frozen, new, old) for new, old in zip(settled, (m, p), strict=True))

    def equations(unknown: Array, refinement: int = 1) -> Array:
        averages = _averages(unknown[0], unknown[1], safe_load, temperature, degree, interaction, refinement)
        return jnp.stack([averages.tanh - unknown[0], averages.sech2 - unknown[1]])

    safe_load = jnp.where(exists, load, 1e-3)
    root = implicit_root(equations, jnp.stack([m, p]))
    residual = jnp.max(jnp.abs(equations(root, refinement=2)))
    values = _observables(root[0], root[1], safe_load, temperature, degree, interaction)
    values["residual"] = jnp.where(exists, residual, 0.0)
    # Where no state is unstable below the scan, every start is inside.
    inside = (initial_overlap >= erf(edge)) | ~jnp.isfinite(edge)
    return _finished(values, valid, exists, inside, values["residual"] < _TOLERANCE)


def _observables(
    m: Array, p: Array, load: Array, temperature: Array, degree: int, interaction: str
) -> dict[str, Array]:
    averages = _averages(m, p, load, temperature, degree, interaction)
    noise = load * field_correlation(p, degree, interaction)
    decrement = load * energy_decrement(p, degree, interaction) / temperature
    energy = -(m**degree) - decrement
    # f = (n-1) m^n - (beta/2) [xi(1) - xi(q) - (1-q) xi'(q)] - T <ln 2cosh v>, with <ln 2cosh v> = <s> + <v tanh v>.
    field = degree * m**degree + noise * p / temperature
    free_energy = (
        (degree - 1) * m**degree - 0.5 * (decrement - p * noise / temperature) - temperature * averages.entropy - field
    )
    slope = load * field_correlation_slope(p, degree, interaction)
    return dict(
        overlap=averages.tanh,
        edwards_anderson=averages.tanh2,
        error_rate=averages.wrong,
        energy=energy,
        free_energy=free_energy,
        almeida_thouless=slope * averages.sech4 / temperature**2,
    )


def _squares(load: Array, temperature: Array, interaction: str, zero: bool) -> tuple[dict[str, Array], Array]:
    """n = 2: the Hopfield model with E = 2H, hence at half the temperature."""
    if interaction == "rectified":
        nothing = {name: jnp.full_like(load, jnp.nan) for name in (*OBSERVABLES, "residual")}
        return nothing, jnp.full(jnp.shape(load), NOT_SOLVED)
    found, code = hopfield.equilibrium(load, 0.5 * temperature, "retrieval", zero_temperature=zero)
    values = {name: found[name] for name in (*OBSERVABLES, "residual")}
    for name in ("energy", "free_energy"):
        values[name] = 2 * values[name]
    wanted = code & (NOT_CONVERGED | NO_RETRIEVAL_STATE | REPLICA_SYMMETRY_UNSTABLE | OUT_OF_RANGE)
    lost = (wanted & NO_RETRIEVAL_STATE) != 0
    values["overlap"] = jnp.where(lost, 0.0, values["overlap"])
    values["error_rate"] = jnp.where(lost, 0.5, values["error_rate"])
    return values, wanted


def _finished(
    values: dict[str, Array], valid: Array, exists: Array, inside: Array, converged: Array
) -> tuple[dict[str, Array], Array]:
    usable = valid & exists & converged
    status = jnp.where(valid, 0, OUT_OF_RANGE)
    status |= jnp.where(valid & ~exists, NO_RETRIEVAL_STATE, 0)
    status |= jnp.where(valid & exists & ~converged, NOT_CONVERGED, 0)
    status |= jnp.where(usable & ~inside, OUTSIDE_BASIN, 0)
    status |= jnp.where(usable & (values["almeida_thouless"] > 1), REPLICA_SYMMETRY_UNSTABLE, 0)
    lost = valid & ~exists
    found = {name: jnp.where(usable, value, jnp.nan) for name, value in values.items()}
    found["overlap"] = jnp.where(lost, 0.0, found["overlap"])
    found["error_rate"] = jnp.where(lost, 0.5, found["error_rate"])
    return found, status
