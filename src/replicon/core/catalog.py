"""The systems that there are. Listing them imports no model: a model costs a second, a list must not.

Built-in systems are a literal table; a third party's come through the entry-point group ``replicon.systems``
(``name = "package.module:Class"``), their one line read from the source file without importing it.
"""

import ast
import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

GROUP = "replicon.systems"

BUILT_IN = (
    (
        "inference.m_estimation",
        "replicon.inference.m_estimation.model:MEstimation",
        "Convex M-estimation of a linear model with as many samples as features.",
    ),
    (
        "inference.bayes_linear",
        "replicon.inference.bayes_linear.model:BayesLinear",
        "Bayes-optimal estimation of a linear model: the smallest error there is, and whether it can be reached.",
    ),
    (
        "inference.generalized_linear",
        "replicon.inference.generalized_linear.model:GeneralizedLinear",
        "Generalised linear estimation: a student classifies what a random teacher has labelled.",
    ),
    (
        "inference.logistic_mle",
        "replicon.inference.logistic.model:LogisticMLE",
        "Logistic regression by maximum likelihood with many features: biased, too spread, and not always there.",
    ),
    (
        "inference.perceptron_capacity",
        "replicon.inference.perceptron.model:PerceptronCapacity",
        "Capacity of the perceptron: whether a hyperplane gives random points their random labels.",
    ),
    (
        "inference.ridge",
        "replicon.inference.ridge.model:Ridge",
        "Ridge regression and double descent: test error, training error and cross-validation of one fit.",
    ),
    (
        "inference.amp",
        "replicon.inference.amp.model:MessagePassing",
        "Approximate message passing for sparse linear problems, iterate by iterate.",
    ),
    (
        "inference.vamp",
        "replicon.inference.amp.vector:VectorMessagePassing",
        "Vector message passing for matrices of any condition number, iterate by iterate.",
    ),
    (
        "memory.cavity",
        "replicon.memory.cavity.model:Cavity",
        "Confocal cavity memory: spins at random positions, coupled by light, from ferromagnet to memory to glass.",
    ),
    (
        "memory.hopfield",
        "replicon.memory.hopfield.model:Hopfield",
        "The Hopfield model of associative memory with Hebbian couplings.",
    ),
    (
        "memory.parallel_recall",
        "replicon.memory.hopfield.recall:ParallelRecall",
        "Parallel recall from a damaged pattern, step by step.",
    ),
    (
        "memory.dense",
        "replicon.memory.dense.model:DenseMemory",
        "Dense associative memory: an energy of degree n stores of the order of N^(n-1) memories in N spins.",
    ),
    (
        "memory.exponential",
        "replicon.memory.exponential.model:ExponentialMemory",
        "Exponential associative memory: the number of memories grows exponentially with the number of spins.",
    ),
)

TOOLS = (
    (
        "memory.HopfieldMemory",
        "replicon.memory.hopfield.memory:HopfieldMemory",
        "Associative memory: stores binary patterns in a recurrent network and recalls them from damaged ones.",
    ),
    (
        "memory.CavityMemory",
        "replicon.memory.cavity.memory:CavityMemory",
        "Associative memory in a confocal cavity: its attractors are given by where the spins sit, and patterns adapt.",
    ),
    (
        "memory.capacity_report",
        "replicon.memory.hopfield.capacity:capacity_report",
        "Tell from the patterns' Gram matrix which learning rule should be able to store them.",
    ),
    (
        "inference.HighDimLogistic",
        "replicon.inference.high_dim_logistic:HighDimLogistic",
        "Logistic regression with honest intervals and p-values where features are no longer few beside samples.",
    ),
    (
        "inference.RidgeRiskCurve",
        "replicon.inference.ridge_curve:RidgeRiskCurve",
        "Risk of ridge regression as a function of the penalty, from the eigenvalues of the user's own design.",
    ),
    (
        "inference.RidgePopulation",
        "replicon.inference.ridge_curve:RidgePopulation",
        "A population in the eigenbasis of its covariance, and the risk of ridge regression on samples of it.",
    ),
)
"""Methods for the user's own data: a class or function, imported as ``from replicon.memory import HopfieldMemory``."""


@dataclass(frozen=True)
class Entry:
    """One system or tool of the catalogue: its name, where it is (``module:Class``), one line, and who provides it."""

    name: str
    target: str
    line: str
    provider: str = "replicon"

    def load(self) -> Any:
        """Import the class."""
        from replicon.core.errors import RepliconError

        module, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise RepliconError(
                f"{self.name} of {self.provider} cannot be loaded from {self.target}: {error}"
            ) from error


def entries() -> list[Entry]:
    """Every system, sorted by name. A third party cannot take the name of a built-in system."""
    import importlib.metadata

    found = {name: Entry(name, target, line) for name, target, line in BUILT_IN}
    for point in importlib.metadata.entry_points(group=GROUP):
        provider = point.dist.name if point.dist is not None else "unknown"
        if point.name not in found:
            found[point.name] = Entry(point.name, point.value, first_line(point.value), provider)
    return [found[name] for name in sorted(found)]


def tools() -> list[Entry]:
    """Every tool, sorted by name."""
    return sorted((Entry(*row) for row in TOOLS), key=lambda entry: entry.name)


def find(name: str) -> Entry:
    """The entry of this name; ``module:Class`` names a system that is in no catalogue.

    Raises
    ------
    ParameterError
        When there is none; the nearest name is suggested.
    """
    if ":" in name:
        return Entry(name, name, first_line(name), "here")
    known = {entry.name: entry for entry in entries()}
    if name not in known:
        from replicon.core.errors import ParameterError

        raise ParameterError(
            f"there is no system {name!r}{_nearest(name, [*known, *(row[0] for row in TOOLS)])}; see 'replicon list'"
        )
    return known[name]


def load(name: str) -> Any:
    """The system class of this name."""
    return find(name).load()


def name_of(owner: type) -> str:
    """Catalogue name of a system class, or its own name where it is in no catalogue."""
    target = f"{owner.__module__}:{owner.__qualname__}"
    return next((entry.name for entry in entries() if entry.target == target), owner.__name__)


def first_line(target: str) -> str:
    """First line of a class's docstring, read from the file without importing it; empty where it cannot be found."""
    module, _, attribute = target.partition(":")
    try:
        spec = importlib.util.find_spec(module)
        if spec is None or not spec.origin:
            return ""
        with open(spec.origin, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (ImportError, OSError, SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == attribute:
            return (ast.get_docstring(node) or "").split("\n")[0]
    return ""


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    tails = {entry.rpartition(".")[2]: entry for entry in known}
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5) or [
        tails[tail] for tail in difflib.get_close_matches(name.rpartition(".")[2], list(tails), n=1, cutoff=0.5)
    ]
    return f", did you mean {close[0]!r}?" if close else ""
