"""Published and independently computed numbers of Bayes-optimal linear estimation."""

import functools

from replicon.core.claims import Claim
from replicon.inference.bayes_linear import theory
from replicon.inference.m_estimation.claims import printed
from replicon.inference.m_estimation.theory import m_estimation

SOLVED = "Barbier et al., PNAS 116, 5451 (2019), linear channel; digits of an independent solution of the equations"
EQUAL = "Advani and Ganguli, NeurIPS 29 (2016): the optimal M-estimator reaches the Bayes error"


def point(name: str, load: float, branch: str = "bayes") -> float:
    """A number of the Bernoulli-Gauss problem with 40 % non-zero entries and noise variance 1e-4."""
    return theory.bayes_linear(load, noise_variance=1e-4, sparsity=0.4, branch=branch).values[name]


def _equality(load: float) -> float:
    optimum = m_estimation(load, "optimal", "optimal", "laplace", "laplace").values["estimation_error"]
    return theory.bayes_linear(load, "laplace", "laplace").values["estimation_error"] / optimum


def _claims() -> list[Claim]:
    topic = "Bernoulli-Gauss signal, 40 % non-zero, noise variance 1e-4"
    rows = (
        ("largest fixed point at load 0.55", 0.089637, 6, "algorithmic_error", 0.55, "bayes"),
        ("smallest fixed point at load 0.55", 0.00085871, 8, "informed_error", 0.55, "bayes"),
        ("free energy of the largest", 2.14900, 5, "free_energy", 0.55, "algorithmic"),
        ("free energy of the smallest", 2.18628, 5, "free_energy", 0.55, "informed"),
        ("Bayes error at load 0.55, the largest", 0.089637, 6, "bayes_error", 0.55, "bayes"),
        ("single fixed point at load 0.5", 0.13116, 5, "informed_error", 0.5, "bayes"),
        ("single fixed point at load 0.6", 3.68e-4, 6, "algorithmic_error", 0.6, "bayes"),
    )
    found = [
        Claim(
            title, value, SOLVED, *printed(digits), functools.partial(point, name, load, branch), topic=topic,
        )
        for title, value, digits, name, load, branch in rows
    ]  # fmt: skip
    found += [
        Claim(
            f"Bayes error over that of the optimal M-estimator, Laplace, load {load:g}", 1.0, EQUAL, 1e-9,
            "two solvers of the same fixed point, each good to 1e-11", functools.partial(_equality, load),
            topic="Equality with the optimal M-estimator",
        )
        for load in (0.7, 1.5, 4.0)
    ]  # fmt: skip
    return found


claims = {"BayesLinear": _claims()}
