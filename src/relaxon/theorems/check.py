"""A statement of a paper made testable, and the verdict on it."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from relaxon.core.errors import require, unknown
from relaxon.core.registry import import_all
from relaxon.numerics.fits import Fit
from relaxon.theorems.family import Family

_CATALOGUE: dict[str, Check] = {}


class Unmeasured(Exception):
    """A measurement could not be made (a run ended badly, say); the verdict is `undecided`."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a check measured.

    Attributes:
        value: The measured number.
        error: Its uncertainty >= 0: refinement, fit scatter, drift.
        margin: Signed distance of the value from where the statement stops to be true, in the
            units of `error`: positive inside, negative outside.
        detail: One or two sentences with the numbers behind the value.
        exponent: The fit, where the statement is about a rate.
        data: Arrays and tables for a figure, by name.
        family: Powers of the parameter that varies over the family, ready to be drawn.
    """

    value: float
    error: float
    margin: float
    detail: str
    exponent: Fit | None = None
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    family: Family | None = None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The outcome of a check.

    Attributes:
        name: Name of the check.
        source: Paper and number of the statement.
        statement: The statement in words and formulas.
        verdict: "holds" if margin > error, "fails" if margin < -error, otherwise "undecided".
        value: The measured number.
        error: Its uncertainty.
        margin: Signed distance from the border of the statement.
        detail: The numbers behind the value, or why nothing could be measured.
        exponent: The fitted exponent with its uncertainty, where the statement is about a rate.
        data: Arrays for a figure, by name.
        family: Powers of the parameter that varies over the family, ready to be drawn.
        seconds: Wall time of the measurement.
    """

    name: str
    source: str
    statement: str
    verdict: str
    value: float
    error: float
    margin: float
    detail: str
    exponent: Fit | None = None
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    family: Family | None = None
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """True if the verdict is "holds"."""
        return self.verdict == "holds"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the figure data, as JSON values (NaN becomes None)."""
        found: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("data", "exponent", "family")
        }
        if self.family is not None:
            found["family"] = self.family.to_dict()
        if self.exponent is not None:
            found["exponent"] = {"value": self.exponent.value, "error": self.exponent.error}
        return {
            key: None if isinstance(item, float) and not math.isfinite(item) else item
            for key, item in found.items()
        }

    def __str__(self) -> str:
        return (
            f"{self.verdict.upper():<9} {self.name} ({self.source})\n"
            f"          {self.statement}\n"
            f"          measured {self.value:.6g} +- {self.error:.1e}, margin {self.margin:.2e}; "
            f"{self.detail}"
        )


@dataclasses.dataclass(frozen=True)
class Check:
    """One statement of a paper, the family of runs that tests it, and the rule of the verdict.

    Attributes:
        name: Name in the catalogue.
        source: Paper and number of the statement.
        statement: The statement.
        family: Over what it is tested: runs, grids, parameters.
        measured: What is measured.
        rule: How the verdict is reached.
        measure: Function (quick, **settings) -> Measurement.
        twins: Settings of the spoiled twins: the same check with a wrong constant, a wrong exponent
            or a faulty operator. Each must come out `fails`, or the check would see nothing.
        expected: "holds", or "fails" for a statement that is false as printed.
        settings: Changes to the function's defaults: what the paper claims, and the code under
            test.
    """

    name: str
    source: str
    statement: str
    family: str
    measured: str
    rule: str
    measure: Callable[..., Measurement]
    twins: tuple[Mapping[str, Any], ...] = ()
    expected: str = "holds"
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def altered(self, **settings: Any) -> Check:
        """The same check with other settings, not entered in the catalogue."""
        return dataclasses.replace(self, settings={**self.settings, **settings})

    def run(self, quick: bool = False) -> Verdict:
        """Measure and judge.

        Args:
            quick: A smaller family and coarser grids; the errors are larger and say so.

        Returns:
            The verdict; "undecided" with the reason if a run ended badly.
        """
        began = time.perf_counter()
        try:
            found = self.measure(quick, **self.settings)
        except Unmeasured as reason:
            found = Measurement(math.nan, math.inf, math.nan, str(reason))
        return Verdict(
            name=self.name,
            source=self.source,
            statement=self.statement,
            verdict=judge(found.margin, found.error),
            value=float(found.value),
            error=float(found.error),
            margin=float(found.margin),
            detail=found.detail,
            exponent=found.exponent,
            data=found.data,
            family=found.family,
            seconds=time.perf_counter() - began,
        )


def judge(margin: float, error: float) -> str:
    """The rule: holds if margin > error, fails if margin < -error, else undecided (NaN too)."""
    if margin > error:
        return "holds"
    return "fails" if margin < -error else "undecided"


def claim(
    name: str,
    *,
    source: str,
    statement: str,
    family: str,
    measured: str,
    rule: str,
    twin: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    expected: str = "holds",
) -> Callable[[Callable[..., Measurement]], Check]:
    """Decorator: turns a measuring function into a `Check` and enters it in the catalogue.

    Args:
        name: Its name, once in the catalogue.
        source: As in `Check`, as the next four.
        statement: The statement.
        family: Over what it is tested.
        measured: What is measured.
        rule: How the verdict is reached.
        twin: Settings that must come out `fails`, or several of them.
        expected: The verdict that the statement deserves.
    """

    def enter(measure: Callable[..., Measurement]) -> Check:
        require(name not in _CATALOGUE, f"There are two checks with the name {name!r}.")
        twins = (twin,) if isinstance(twin, Mapping) else tuple(twin)
        require(len(twins) > 0, f"The check {name!r} needs a twin that fails.")
        texts = (source, statement, family, measured, rule)
        found = Check(name, *texts, measure, twins, expected)
        _CATALOGUE[name] = found
        return found

    return enter


def checks() -> dict[str, Check]:
    """The catalogue: every check by name, paper by paper, as they stand in the modules."""
    import_all("relaxon.theorems")
    ordered = sorted(_CATALOGUE.values(), key=lambda found: found.measure.__module__)
    return {found.name: found for found in ordered}


def check(names: str | Check | Iterable[str | Check] | None = None, quick: bool = False) -> list:
    """Run checks.

    Args:
        names: A name, a `Check`, or several; None is the whole catalogue.
        quick: Smaller families and coarser grids; the whole catalogue in about a minute.

    Returns:
        The verdicts, in order.

    Raises:
        InputError: A name that is not in the catalogue (the message names the nearest).
    """
    catalogue = checks()
    if names is None:
        names = list(catalogue)
    chosen = [names] if isinstance(names, str | Check) else list(names)
    for name in chosen:
        if not isinstance(name, Check) and name not in catalogue:
            raise unknown("check", str(name), catalogue)
    found = [name if isinstance(name, Check) else catalogue[name] for name in chosen]
    return [one.run(quick) for one in found]
