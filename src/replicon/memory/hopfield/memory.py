"""A Hopfield network as an associative memory for the user's own binary data."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from replicon.core.errors import DataError, ParameterError
from replicon.memory.hopfield import rules
from replicon.memory.hopfield.coding import Coding, find_coding, from_spins, require_coding, to_spins
from replicon.memory.hopfield.network import Dynamics, HebbianNetwork, MatrixNetwork

RULES = ("hebb", "storkey", "pinv", "gardner")
DYNAMICS = ("sequential", "parallel", "glauber", "steepest")


@dataclass(frozen=True, eq=False)
class Recall:
    """What a memory recalled; arrays with the cues first."""

    patterns: NDArray
    """Final states in the coding and dtype of the stored data, shape (cues, neurons)."""
    overlaps: NDArray[np.float64]
    """Overlaps (1/N) sum_i xi_i s_i of the final states with the stored patterns, shape (cues, patterns)."""
    index: NDArray[np.int64]
    """Stored pattern of largest overlap (the first of equals), -1 where that overlap is below `min_overlap`."""
    converged: NDArray[np.bool_]
    """True where a fixed point was reached: never at a temperature above zero, nor on a cycle."""
    cycle: NDArray[np.int64]
    """1 at a fixed point, 2 where parallel dynamics alternates between two states, 0 where neither was reached."""
    iterations: NDArray[np.int64]
    """Sweeps or parallel steps made, including the one that showed the fixed point or cycle; under steepest descent
    flips per neuron, rounded up."""


class HopfieldMemory(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Associative memory: stores binary patterns in a recurrent network and recalls them from damaged ones.

    ``fit`` turns the rows of X into spins :math:`\xi^\mu \in \{-1, +1\}^N` and learns couplings J; ``transform``
    lets :math:`s_i \leftarrow \operatorname{sgn}(\sum_j J_{ij} s_j)` run from each given row and returns where it
    ends, in the coding of the stored data. A neuron whose field vanishes keeps its state.

    Parameters
    ----------
    rule : {"hebb", "storkey", "pinv", "gardner"}, default="hebb"
        How J is learned. "hebb" (factor 1/N included) holds up to 0.138 N random patterns and fails on correlated
        ones; "storkey" holds more and depends on the order of the rows; "pinv" holds fewer than N linearly
        independent patterns, however correlated; "gardner" finds the couplings of largest stability. See
        :mod:`replicon.memory.hopfield.rules`, and :func:`~replicon.memory.hopfield.capacity.capacity_report` for
        which will do for given data.
    dynamics : {"sequential", "parallel", "glauber", "steepest"}, default="sequential"
        One neuron after the other in random order until a sweep changes nothing; all at once, which may end in a
        cycle of length two; heat-bath updates of random neurons at `temperature`, where the state after
        `max_sweeps` sweeps is returned (at temperature zero this is "sequential"); or always the neuron that its field
        opposes most, whose flip lowers the energy most: the basins are larger, and all couplings are kept in memory.
    temperature : float, default=0.0
        Of the Glauber dynamics, :math:`P(s_i = +1) = 1/(1 + e^{-2 h_i/T})`, in units of the couplings: the signal
        at a stored pattern is 1 for "hebb", about 1 - P/N for "pinv", the stability for "gardner".
    self_coupling : bool, default=False
        Keep the diagonal :math:`J_{ii}`. It makes every state more stable, spurious and damaged ones too; Glauber
        dynamics leaves it out, since it shifts the energy by a constant only.
    kappa : "max" or float, default="max"
        Stability sought by rule "gardner".
    binarize : float or None, default=None
        Threshold for data that are not binary: values above it are +1. None refuses them. Recalled patterns are then
        coded as {0, 1}, unless the stored data were binary already.
    centre : bool, default=False
        Tsodyks-Feigelman couplings and threshold for patterns whose mean activity differs from one half ("hebb"
        only; the mean over all stored entries is subtracted).
    max_sweeps : int, default=100
        Sweeps (parallel: steps; steepest: flips per neuron) after which recall stops. Needed by "gardner", whose
        couplings are not symmetric: there is no energy that descends.
    min_overlap : float, default=0.5
        Smallest overlap at which ``predict`` names a stored pattern: 0.5 means three bits in four agree.
    random_state : int, RandomState instance or None, default=None
        Draws at ``fit`` the seed of the visiting orders and thermal noise. They are hashed from it and the cue, so
        a fitted memory always answers a cue alike, alone or among others.

    Attributes
    ----------
    patterns_ : int8 array of shape (n_patterns, n_features_in_)
        Stored patterns as spins -1/+1.
    couplings_ : float64 array of shape (n_features_in_, n_features_in_)
        J; for "hebb" without centring computed at each access.
    field_ : float64 array of shape (n_features_in_,) or None
        Constant field, where `centre` is on.
    coding_ : {"bool", "binary", "spin"}
        Coding of the stored data: bool, {0, 1} or {-1, 1}.
    activity_ : float
        Mean of the stored spins.
    n_features_in_ : int
        Neurons N.
    feature_names_in_ : array of str
        Column names, when X had them.

    References
    ----------
    J. J. Hopfield, PNAS 79, 2554 (1982).
    D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).

    Examples
    --------
    >>> import numpy as np
    >>> from replicon.memory.hopfield.memory import HopfieldMemory
    >>> stored = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 1, 1, 0, 0]])
    >>> memory = HopfieldMemory(random_state=0).fit(stored)
    >>> memory.transform([[0, 1, 1, 1, 0, 0, 0, 0]])
    array([[1, 1, 1, 1, 0, 0, 0, 0]])
    >>> memory.predict([[0, 1, 1, 1, 0, 0, 0, 0]])
    array([0])
    """

    coding_: Coding

    def __init__(
        self,
        rule: Literal["hebb", "storkey", "pinv", "gardner"] = "hebb",
        *,
        dynamics: Dynamics = "sequential",
        temperature: float = 0.0,
        self_coupling: bool = False,
        kappa: float | Literal["max"] = "max",
        binarize: float | None = None,
        centre: bool = False,
        max_sweeps: int = 100,
        min_overlap: float = 0.5,
        random_state: Any = None,
    ) -> None:
        self.rule = rule
        self.dynamics: Dynamics = dynamics
        self.temperature = temperature
        self.self_coupling = self_coupling
        self.kappa = kappa
        self.binarize = binarize
        self.centre = centre
        self.max_sweeps = max_sweeps
        self.min_overlap = min_overlap
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store the rows of X.

        Parameters
        ----------
        X : array of shape (n_patterns, n_features)
            Patterns coded as {0, 1}, {-1, 1} or bool; anything numeric with `binarize`.
        y : ignored

        Returns
        -------
        HopfieldMemory
            Itself.

        Raises
        ------
        ParameterError
            A parameter out of range, or two that do not go together.
        DataError
            X is not binary (and `binarize` is None), has missing values or the wrong shape, or cannot be stored by
            the rule; linearly dependent patterns under "pinv" raise its subclass RankError.
        """
        self._check_parameters()
        array = self._validated(X, reset=True)
        coding = require_coding(array) if self.binarize is None else find_coding(array) or "binary"
        patterns = to_spins(array, coding, self.binarize)
        activity = float(patterns.mean())
        if self.centre and abs(activity) == 1:
            raise DataError("all stored entries are equal: there is nothing to centre; set centre=False")
        self._network = self._learn(patterns, activity)
        self.patterns_ = patterns
        self.coding_ = coding
        self.activity_ = activity
        self._dtype = array.dtype
        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        return self

    @property
    def couplings_(self) -> NDArray[np.float64]:
        """Couplings J, float64 of shape (n_features_in_, n_features_in_)."""
        self._require_fit("couplings_")
        return self._network.couplings

    @property
    def field_(self) -> NDArray[np.float64] | None:
        """Constant field of shape (n_features_in_,), None without centring."""
        self._require_fit("field_")
        return self._network.field if isinstance(self._network, MatrixNetwork) else None

    def recall(self, X: ArrayLike) -> Recall:
        """Run the network from each row of X and tell how it ended.

        Parameters
        ----------
        X : array of shape (n_cues, n_features)
            Damaged patterns in the coding of the stored ones (bool and {0, 1} are one coding).

        Returns
        -------
        Recall

        Raises
        ------
        NotFittedError
            Nothing is stored yet.
        ParameterError
            A parameter was set out of range since.
        DataError
            X has another coding, another number of features or missing values.
        """
        check_is_fitted(self)
        self._check_parameters()
        cues = self._cues(X)
        run = self._network.run(cues, self.dynamics, float(self.temperature), int(self.max_sweeps), self._seed)
        overlaps = self._overlaps(run.spins)
        index = overlaps.argmax(axis=1)
        index[overlaps.max(axis=1) < self.min_overlap] = -1
        patterns = from_spins(run.spins, self.coding_, self._dtype)
        return Recall(patterns, overlaps, index, run.converged, run.cycle, run.iterations)

    def transform(self, X: ArrayLike) -> NDArray:
        """Recall a pattern from each row of X; see `recall` for the errors.

        Parameters
        ----------
        X : array of shape (n_cues, n_features)

        Returns
        -------
        array of shape (n_cues, n_features)
            Final states in the coding and dtype of the stored data.
        """
        return self.recall(X).patterns

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Index of the stored pattern that is recalled from each row of X; see `recall` for the errors.

        Parameters
        ----------
        X : array of shape (n_cues, n_features)

        Returns
        -------
        int array of shape (n_cues,)
            The pattern of largest overlap with the final state, -1 where that overlap is below `min_overlap`
            (a spurious state, or the mirror image of a pattern).
        """
        return self.recall(X).index

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Mean overlap of what is recalled from the rows of X with what should be; 1 is perfect recall.

        Parameters
        ----------
        X : array of shape (n_cues, n_features)
        y : int array of shape (n_cues,) or array of shape (n_cues, n_features), optional
            Indices of the stored patterns, or the patterns themselves in the coding of X, to compare with.
            Without it each recalled state is compared with the stored pattern nearest to it, whether or not
            that was the one meant.

        Returns
        -------
        float

        Raises
        ------
        DataError
            y does not fit X or names patterns that are not stored; and as `recall`.
        """
        recalled = self.recall(X)
        if y is None:
            return float(recalled.overlaps.max(axis=1).mean())
        wanted = np.asarray(y)
        if wanted.shape[:1] != recalled.index.shape or wanted.ndim not in (1, 2):
            raise DataError(f"y must have one entry or row per cue ({recalled.index.size}), got shape {wanted.shape}")
        if wanted.ndim == 2:
            spins = to_spins(np.asarray(recalled.patterns), self.coding_).astype(np.float64)
            return float((spins * self._cues(wanted)).mean())
        stored = self.patterns_.shape[0]
        if not np.issubdtype(wanted.dtype, np.integer) or wanted.min() < 0 or wanted.max() >= stored:
            raise DataError(f"y must hold indices of stored patterns, integers from 0 to {stored - 1}")
        return float(np.take_along_axis(recalled.overlaps, wanted[:, None], axis=1).mean())

    def _learn(self, patterns: NDArray[np.int8], activity: float) -> HebbianNetwork | MatrixNetwork:
        if self.rule == "hebb":
            if not self.centre:
                return HebbianNetwork(patterns, bool(self.self_coupling))
            couplings = rules.hebb(patterns, self_coupling=self.self_coupling, activity=activity)
            return MatrixNetwork(couplings, rules.centred_field(couplings, activity))
        if self.rule == "gardner":
            return MatrixNetwork(rules.gardner(patterns, kappa=self.kappa, self_coupling=self.self_coupling))
        learn = rules.storkey if self.rule == "storkey" else rules.pinv
        return MatrixNetwork(learn(patterns, self_coupling=self.self_coupling))

    def _cues(self, X: ArrayLike) -> NDArray[np.int8]:
        return to_spins(self._validated(X, reset=False), self.coding_, self.binarize)

    def _overlaps(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        # float32 sums of +-1 are exact up to 2^24 neurons.
        return (spins.astype(np.float32) @ self.patterns_.T.astype(np.float32)).astype(np.float64) / spins.shape[1]

    def _validated(self, X: ArrayLike, reset: bool) -> NDArray:
        data: Any = X
        try:
            return np.asarray(validate_data(self, data, reset=reset))
        except ValueError as error:
            raise DataError(str(error)) from error

    def _require_fit(self, attribute: str) -> None:
        if "_network" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no attribute '{attribute}' before fit")

    def _check_parameters(self) -> None:
        _require(self.rule in RULES, "rule", self.rule, f"one of {', '.join(RULES)}")
        _require(self.dynamics in DYNAMICS, "dynamics", self.dynamics, f"one of {', '.join(DYNAMICS)}")
        _require(_is_number(self.temperature) and self.temperature >= 0, "temperature", self.temperature, ">= 0")
        _require(
            isinstance(self.max_sweeps, Integral) and self.max_sweeps >= 1,
            "max_sweeps",
            self.max_sweeps,
            "an integer >= 1",
        )
        _require(_is_number(self.min_overlap) and self.min_overlap <= 1, "min_overlap", self.min_overlap, "at most 1")
        _require(self.binarize is None or _is_number(self.binarize), "binarize", self.binarize, "None or a threshold")
        for name in ("self_coupling", "centre"):
            _require(isinstance(getattr(self, name), (bool, np.bool_)), name, getattr(self, name), "True or False")
        if self.temperature > 0 and self.dynamics != "glauber":
            raise ParameterError(
                f"temperature = {self.temperature} needs dynamics='glauber'; {self.dynamics} dynamics has none"
            )
        if self.centre and self.rule != "hebb":
            raise ParameterError(f"centre=True belongs to rule 'hebb'; rule {self.rule!r} takes patterns as they are")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn which dtypes are kept."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and math.isfinite(value)


def _require(holds: bool, name: str, value: Any, what: str) -> None:
    if not holds:
        raise ParameterError(f"{name} must be {what}, got {value!r}")
