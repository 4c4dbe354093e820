"""What all sessions of one server share: the catalogue, compiled theories, places for simulations, stored sweeps."""

import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from replicon.core import catalog
from replicon.core.claims import Claim, claims_at
from replicon.core.errors import ParameterError, RepliconError
from replicon.core.phases import PhaseLine, phase_lines_of
from replicon.explorer.limits import Limits
from replicon.explorer.predictions import Theory
from replicon.explorer.runner import Places
from replicon.explorer.stored import StoredSweep
from replicon.explorer.view import Subject

PREFERRED = "memory.hopfield"
"""Where a page opens that nobody asked for anything else."""


class Shared:
    """The only things that outlive a session; everything else is made within it.

    Parameters
    ----------
    limits : Limits
    first : str, optional
        The system that opens; ``module:Class`` names one that is in no catalogue.
    stores : sequence of str
        Stored sweeps that can be opened. A page cannot name others.
    """

    def __init__(self, limits: Limits, first: str | None = None, stores: Sequence[str] = ()) -> None:
        self.limits = limits
        self.entries = {entry.name: entry for entry in catalog.entries()}
        if first is not None:
            self.entries[first] = catalog.find(first)
            self.entries[first].load()
        self.places = Places()
        self.pool = ThreadPoolExecutor(4, "explorer")
        self.stores = {store.name: store for store in map(StoredSweep, stores)}
        if len(self.stores) != len(stores):
            raise ParameterError("two of the stores have the same name; give stores of different names")
        for store in self.stores.values():
            self.name_of(store)
        self.first = first or next((self.name_of(s) for s in self.stores.values()), None) or self._opening()
        self._lock = threading.Lock()
        self._theories: dict[str, Theory] = {}
        self._subjects: dict[str, Subject] = {}
        self._claims: dict[str, list[Claim]] = {}
        self._phases: dict[str, list[PhaseLine]] = {}
        self._waiting: dict[str, set[Callable[[], None]]] = {}

    def name_of(self, store: StoredSweep) -> str:
        """Name of a stored sweep's system; only those of the catalogue, and the one named at the start, are loaded."""
        for name, entry in self.entries.items():
            if entry.target == store.target:
                return name
        raise ParameterError(
            f"{store.path} is of {store.target}, which is in no catalogue; name it: replicon explore {store.target} "
            f"--store {store.path}"
        )

    def subject(self, name: str) -> Subject:
        """A system by its name on this page.

        Raises
        ------
        ParameterError
            For a name that is not in the list of the page.
        """
        if name not in self.entries:
            raise ParameterError(f"there is no system {name[:60]!r}; choose one of the list")
        with self._lock:
            if name not in self._subjects:
                self._subjects[name] = Subject.of(name, self.entries[name].load())
            return self._subjects[name]

    def theory(self, name: str) -> Theory:
        """The predictions of a system; one object for all sessions, since compiled code is."""
        owner = self.subject(name).owner
        with self._lock:
            return self._theories.setdefault(name, Theory(owner))

    def claims(self, name: str) -> list[Claim]:
        """Published numbers of a system; none where they cannot be read."""
        if name not in self._claims:
            try:
                self._claims[name] = claims_at(self.entries[name].target)
            except RepliconError:
                self._claims[name] = []
        return self._claims[name]

    def phase_lines(self, name: str, changed: Callable[[], None]) -> list[PhaseLine]:
        """Phase boundaries that a system offers; they take long the first time, and then `changed` is called."""
        with self._lock:
            if name in self._phases:
                return self._phases[name]
            first = name not in self._waiting
            self._waiting.setdefault(name, set()).add(changed)
        if first:
            self.pool.submit(self._find_phase_lines, name)
        return []

    def _find_phase_lines(self, name: str) -> None:
        try:
            found = phase_lines_of(self.subject(name).owner)
        except Exception:  # the map of a system is shown without lines that it cannot compute
            traceback.print_exc()
            found = []
        with self._lock:
            self._phases[name] = found
            waiting = self._waiting.pop(name)
        for changed in waiting:
            changed()

    def _opening(self) -> str:
        return PREFERRED if PREFERRED in self.entries else next(iter(self.entries))
