"""The captures that an attached model made: which results each belongs to, and for how long."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import torch

from .types import Capture

MOST_RUNS = 64
BUDGETS = 4  # of a run's memory: what all kept runs may take together


@dataclass(eq=False)
class Record:
    """One sampling run.

    origin: what sampled; number: the run's place, from 1, among those of its origin. results:
    fingerprints of what the run returned. capture: None if there is none, which `absent` then
    explains to the user. derived: fingerprints of what was shown to come from the run's origin.
    """

    origin: Hashable
    number: int
    results: frozenset[str]
    capture: Capture | None
    absent: str = ""
    derived: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        """Bytes of the capture."""
        return self.capture.nbytes if self.capture else 0

    def agrees(self, other: "Record") -> bool:
        """Whether both say the same, so that it does not matter which is taken."""
        if self.capture is None or other.capture is None:
            return self.capture is other.capture and self.absent == other.absent
        same = torch.equal(self.capture.scores, other.capture.scores)
        return same and self.capture.labels == other.capture.labels


class History:
    """The newest runs: MOST_RUNS at most, and BUDGETS times the budget of one (bytes).

    The newest run is kept whatever it takes.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget * BUDGETS
        self._records: list[Record] = []

    def __len__(self) -> int:
        return len(self._records)

    @property
    def size(self) -> int:
        """Bytes of all captures."""
        return sum(record.size for record in self._records)

    def add(
        self, origin: Hashable, results: Iterable[str], capture: Capture | None, absent: str = ""
    ) -> None:
        """Note a finished run, and forget the oldest ones that there is no room for."""
        number = 1 + max((record.number for record in self.of(origin)), default=0)
        self._records.append(Record(origin, number, frozenset(results), capture, absent))
        while len(self) > 1 and (len(self) > MOST_RUNS or self.size > self._budget):
            del self._records[0]

    def returned(self, result: str) -> list[Record]:
        """The runs that returned what has this fingerprint, oldest first."""
        return [record for record in self._records if result in record.results]

    def derived(self, result: str) -> list[Record]:
        """The runs that what has this fingerprint was shown to come from, oldest first."""
        return [record for record in self._records if result in record.derived]

    def of(self, origin: Hashable) -> list[Record]:
        """The runs of an origin, oldest first."""
        return [record for record in self._records if record.origin == origin]

    @property
    def origins(self) -> set[Hashable]:
        """What sampled the runs that are kept."""
        return {record.origin for record in self._records}
