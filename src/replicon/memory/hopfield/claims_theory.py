"""Published numbers of the Hopfield model that the theory alone gives."""

import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import erfinv

from replicon.core.claims import Claim
from replicon.memory.hopfield import theory
from replicon.memory.hopfield.theory import ground_state

AGS_1985A = "Amit, Gutfreund and Sompolinsky, Phys. Rev. A 32, 1007 (1985)"
AGS_1985B = "Amit, Gutfreund and Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985)"
AGS_1987 = "Amit, Gutfreund and Sompolinsky, Ann. Phys. 173, 30 (1987)"
MCELIECE = "McEliece, Posner, Rodemich and Venkatesh, IEEE Trans. Inf. Theory 33, 461 (1987)"
KANTER = "Kanter and Sompolinsky, Phys. Rev. A 35, 380 (1987)"
SOLVED = "; digits of an independent solution of the equations"

EXACT = "closed form"
DIGITS = "the digits printed hold to 1e-6 relative"

SPINODAL = {0.001: 0.9378147, 0.01: 0.8010181, 0.05: 0.5422550, 0.1: 0.3154322, 0.13: 0.1489189}
TRANSITION = {0.001: 0.9160990, 0.01: 0.7216240, 0.03: 0.4787929, 0.045: 0.3004351}
WARM_POINTS = {
    (0.3, 0.05): {"overlap": 0.99116, "edwards_anderson": 0.98296, "free_energy": -0.50124},
    (0.5, 0.02): {
        "overlap": 0.94500,
        "edwards_anderson": 0.89459,
        "free_energy": -0.51203,
        "crosstalk": 1.4364,
    },
}
"""Printed observables of the retrieval state by (temperature, load)."""

CRITICAL = {"of": "load", "at": {"temperature": 0}}
SYMBOLS = {"overlap": "m", "edwards_anderson": "q", "crosstalk": "r", "energy": "e", "free_energy": "f"}


def printed(digits: int) -> tuple[float, str]:
    """Half a unit of the last of so many decimals, and the reason for it as a tolerance."""
    return 0.5000001 * 10.0**-digits, f"half a unit of the {digits} decimals printed"


def theory_claims() -> list[Claim]:
    """Every published number of the theory."""
    return [*_capacity(), *_states(), *_lines(), *_mixtures(), *_counting(), *_rules()]


def _capacity() -> list[Claim]:
    topic = "Capacity at T = 0"
    source = f"{AGS_1985B}, eqs. 9-11{SOLVED}"
    return [
        Claim("critical load, as quoted", 0.138, AGS_1985B, *printed(3), theory.critical_load, topic=topic, **CRITICAL),
        Claim(
            "critical load", 0.1379056, source, *printed(7), theory.critical_load, topic=topic, **CRITICAL,
        ),
        Claim(
            "overlap at the critical load", 0.967417, source, *printed(6), theory.critical_overlap, topic=topic,
            of="overlap", at={"load": 0.1379056, "temperature": 0},
        ),
        Claim(
            "t_c = m / sqrt(2 load r) at the critical load", 1.5112185, source, 1.5e-6, DIGITS,
            lambda: erfinv(float(theory.critical_overlap())), topic=topic,
        ),
        Claim(
            "fraction of errors at the critical load", 0.0163, source, *printed(4),
            lambda: 0.5 * (1 - float(theory.critical_overlap())), topic=topic,
            of="error_rate", at={"load": 0.1379056, "temperature": 0},
        ),
        Claim(
            "load of equal energies", 0.0518543, source, *printed(7),
            theory.thermodynamic_load, topic=topic, **CRITICAL,
        ),
        Claim(
            "load of equal energies, as quoted", 0.051, AGS_1985B, *printed(3), theory.thermodynamic_load, topic=topic,
            reproduces=False,
            remark="the equations of the paper give 0.05185, which rounds to 0.052; 0.051 is its truncation",
        ),
        Claim(
            "critical load, one step of broken replica symmetry", 0.141,
            "literature values 0.138 to 0.144: Crisanti, Amit and Gutfreund, Europhys. Lett. 2, 337 (1986), and later",
            0.003, "the interval quoted", topic=topic, **CRITICAL, remark="broken replica symmetry is not solved here",
        ),
    ]  # fmt: skip


def _states() -> list[Claim]:
    topic = "The retrieval state"
    frozen = {0.05: (0.99999223, 8), 0.1: (0.9979993, 7), 0.13: (0.9872119, 7)}
    found = [
        Claim(
            f"m at T = 0, load {load:g}", value, f"{AGS_1985B}, eqs. 9-11{SOLVED}", *printed(digits),
            lambda load=load: theory.zero_temperature(load).values["overlap"], topic=topic,
            of="overlap", at={"load": load, "temperature": 0},
        )
        for load, (value, digits) in frozen.items()
    ]  # fmt: skip
    for (temperature, load), values in WARM_POINTS.items():
        found += [
            Claim(
                f"{SYMBOLS[name]} at T = {temperature:g}, load {load:g}", value,
                f"{AGS_1987}, eqs. 3.17-3.22{SOLVED}", *printed(4 if name == "crosstalk" else 5),
                lambda name=name, load=load, temperature=temperature: theory.replica_symmetric(
                    load, temperature, "retrieval"
                ).values[name],
                topic=topic, of=name, at={"load": load, "temperature": temperature},
            )
            for name, value in values.items()
        ]  # fmt: skip
    return found


def _lines() -> list[Claim]:
    topic = "Lines of the phase diagram"
    figure = f"{AGS_1987}, fig. 2{SOLVED}"
    found = [
        Claim(
            "spin-glass temperature at load 0.1, 1 + sqrt(load)", 1 + np.sqrt(0.1), AGS_1985B, 1e-12, EXACT,
            lambda: theory.spin_glass_temperature(0.1), topic=topic, of="temperature", at={"load": 0.1},
        ),
        Claim(
            "spin-glass temperature as the load vanishes", 1.0, AGS_1985B, 1e-6, "sqrt(load) at the load 1e-12 taken",
            lambda: theory.spin_glass_temperature(1e-12), topic=topic,
        ),
    ]  # fmt: skip
    for symbol, line, values in (
        ("T_M", theory.retrieval_spinodal, SPINODAL),
        ("T_c", theory.thermodynamic_transition, TRANSITION),
    ):
        found += [
            Claim(
                f"{symbol} at load {load:g}", value, figure, 1e-6 * value, DIGITS,
                lambda line=line, load=load: line(load), topic=topic, of="temperature", at={"load": load},
            )
            for load, value in values.items()
        ]  # fmt: skip
    found += [
        Claim(
            f"T_R at load {load:g}", value, figure, *printed(decimals),
            lambda load=load: theory.almeida_thouless_line(load), topic=topic, of="temperature", at={"load": load},
        )
        for load, value, decimals in ((0.1, 0.00145, 5), (0.12, 0.0050, 4))
    ]  # fmt: skip
    return [
        *found,
        Claim(
            "T_M at load 0.001, law 1 - 1.95 sqrt(load)", 1 - 1.95 * np.sqrt(0.001), AGS_1987, 6e-4,
            "the accuracy stated for the law at this load", lambda: theory.retrieval_spinodal(0.001), topic=topic,
        ),
        Claim(
            "(1 - T_M) / sqrt(load) as the load vanishes", 1.95, AGS_1987, 0.0051,
            "half a unit of the 2 decimals printed, and the correction of relative order sqrt(load) at 1e-8",
            lambda: (1 - float(theory.retrieval_spinodal(1e-8))) / 1e-4, topic=topic,
        ),
        Claim(
            "(1 - T_c) / sqrt(load) as the load vanishes", 2.6, AGS_1987, 0.051,
            "half a unit of the decimal printed, and the correction of relative order sqrt(load) at 1e-8",
            lambda: (1 - float(theory.thermodynamic_transition(1e-8))) / 1e-4, topic=topic,
        ),
        Claim(
            "T_R over sqrt(8 load / 9 pi) exp(-1 / 2 load), load 0.02", 1.0, AGS_1987, 1e-7,
            "asymptotic: the correction is exp(-1 / 2 load) = 1e-11 times powers of 1 / load",
            lambda: float(theory.almeida_thouless_line(0.02)) / (np.sqrt(0.16 / (9 * np.pi)) * np.exp(-25)),
            topic=topic,
        ),
    ]  # fmt: skip


def _mixtures() -> list[Claim]:
    topic = "Mixture states"
    overlaps = {3: 1 / 2, 5: 3 / 8, 7: 5 / 16}
    temperatures = {3: 0.4598, 5: 0.3847, 7: 0.3439}
    found = [
        Claim(
            f"T_{n} of the {n}-mixture at load 0", value, f"{AGS_1985A}, section III", *printed(4),
            lambda n=n: theory.mixture_critical_temperature(n), topic=topic,
        )
        for n, value in temperatures.items()
    ]  # fmt: skip
    found += [
        Claim(
            f"overlap of the {n}-mixture at T = 0, load 0", value, f"{AGS_1985A}, eqs. 3.5-3.9", 1e-12, EXACT,
            lambda n=n: theory.mixture_overlap(n), topic=topic,
        )
        for n, value in overlaps.items()
    ]  # fmt: skip
    found += [
        Claim(
            f"energy of the {n}-mixture at T = 0, load 0", -n * value**2 / 2, AGS_1985A, 1e-6,
            "linear in the load, which is m^2 / 2 t^2 < 4e-8 at the t = 2000 taken",
            lambda n=n: _frozen_energy(n),
            topic=topic,
        )
        for n, value in overlaps.items()
    ]  # fmt: skip
    return [
        *found,
        Claim(
            "largest load of the 3-mixture at T = 0", 0.0299, f"{AGS_1987}, section 5", *printed(4),
            lambda: theory.largest_mixture_load(3), topic=topic,
        ),
        Claim(
            "curvature of the 2-mixture, T = 0.05 to 0.95", 0.0,
            f"{AGS_1985A}, section III: mixtures of an even number are never stable", 0.0, "a sign", topic=topic,
            comparison="upper",
            compute=lambda: np.max(theory.mixture_eigenvalues(2, np.linspace(0.05, 0.95, 19)).values["relative"]),
        ),
    ]  # fmt: skip


def _frozen_energy(patterns: int) -> Array:
    """Energy of a mixture at T = 0 and a load below 4e-8."""
    t = jnp.asarray(2000.0)
    return ground_state.mixture_observables(t, ground_state.root_load(t, patterns) ** 2, patterns)["energy"]


def _counting() -> list[Claim]:
    topic = "Exact fixed points"
    whole = "rounded down to a whole number of patterns"
    return [
        Claim(
            "N / (2 ln N) patterns at N = 2000", 131, MCELIECE, 1.0, whole, lambda: theory.stable_patterns(2000),
            topic=topic,
        ),
        Claim(
            "N / (4 ln N) patterns at N = 2000", 65, MCELIECE, 1.0, whole, lambda: theory.all_stable_patterns(2000),
            topic=topic,
        ),
    ]  # fmt: skip


def _rules() -> list[Claim]:
    topic = "Other couplings"
    return [
        Claim(
            "Gardner's capacity at margin 0", 2.0, "Gardner, J. Phys. A 21, 257 (1988), eqs. 20-32", 1e-9,
            "closed form, solved to rounding", theory.gardner_capacity, topic=topic,
        ),
        Claim(
            "capacity of the projection rule with self-coupling", 0.5, KANTER, 1e-12, EXACT,
            lambda: theory.projection_capacity(True), topic=topic,
        ),
        Claim(
            "field on a flipped neuron there", 0.0, KANTER, 1e-12, EXACT,
            lambda: theory.projection_field(0.5, True).values["at_flip"], topic=topic,
        ),
        Claim(
            "capacity of the projection rule without self-coupling", 1.0, KANTER, 1e-12, EXACT,
            theory.projection_capacity, topic=topic,
        ),
    ]  # fmt: skip
