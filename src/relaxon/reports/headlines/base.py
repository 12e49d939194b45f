"""A headline number, and an entry of the ledger of invariants."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Headline:
    """One number with its meaning.

    Attributes:
        name: Key, as in the JSON of `relaxon show --json`.
        label: What it is, in words.
        value: The number.
        error: Its uncertainty, or None.
        note: What to compare it with.
        estimate: The error that time steps and grid leave in it (`relaxon.runs.error`), or None.
    """

    name: str
    label: str
    value: float
    error: float | None = None
    note: str = ""
    estimate: float | None = None

    def text(self) -> str:
        """The number with its uncertainty."""
        if self.error is None or not 0 < self.error < abs(self.value):
            return f"{self.value:.6g}"
        digits = max(0, 1 - math.floor(math.log10(self.error)))
        return f"{self.value:.{digits}f} +- {self.error:.{digits}f}"

    def estimated(self) -> str:
        """The estimate in words; empty without one."""
        if self.estimate is None:
            return ""
        return f"error {self.estimate:.0e}" if math.isfinite(self.estimate) else "error not known"


@dataclasses.dataclass(frozen=True)
class LedgerEntry:
    """What became of one invariant.

    Attributes:
        name: The invariant.
        first: Value at t = 0.
        last: Value at the end.
        drift: Largest relative change.
        conserved: Whether the equation conserves it.
    """

    name: str
    first: float
    last: float
    drift: float
    conserved: bool


def at_start(first: float) -> str:
    """The note that names the value at t = 0."""
    return f"from {float(first):.4g} at t = 0"
