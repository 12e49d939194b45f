r"""The error of a solution, estimated from companion runs.

The problem is solved again with smaller time steps (a tenth of rtol) and on a finer grid (1.25
times the points along every axis, in a wider box where there is one), and every number q of the
answer is compared with theirs:

$$ e = S \, ( |q - q_{time}| + |q - q_{grid}| ), \qquad S = 3 . $$

If the error of a companion is rho times that of the solution, the difference is at least
$(1 - \rho)$ times the error, so that e bounds it as long as $\rho \le 2/3$: on grids of order 4
rho is .41, where convergence is exponential it is less.

Coarser companions, two levels with an extrapolation of their differences, would be cheaper. They
were tried first, and measured on the battery of validation/errors.py: within [1, 10] times the
truth were 93, 85, 84 % of the fields on radial grids, on plane ones and in narrow boxes, with a
finer companion 95, 98, 100 %; of the numbers 87, 53, 70 % against 92, 85, 71 %. A coarser grid is
often in trouble that the grid itself is not in.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from relaxon.core.errors import unknown
from relaxon.core.invariants import INVARIANTS

TIME, GRID = "time", "grid"

SAFETY = 3.0
"""S; see docs/explanation/errors.md for how it was found."""

FAR_ABOVE = 100.0
"""An error of more than so many rtol is worth a warning."""

ROUNDING = 1e-14
"""No estimate is smaller than so many times the number."""

# How a run went; and extrema over grid points, which move with the points.
NO_RESULTS = (
    "dt", "steps", "evaluations", "boxed", "damped", "box_clearance", "asymmetry", "removed",
    "removed_rate", "limited", "unresolved_fisher", "energy_outside",
)  # fmt: skip
EXTREMA = (
    "maximum", "max", "min", "max_f", "min_f", "lowest_value", "penrose_margin",
)  # fmt: skip


def measures(name: str, invariants: tuple[str, ...] = INVARIANTS) -> bool:
    """Whether a diagnostic measures the solution, and is not given by the datum."""
    skipped = name in NO_RESULTS or name in EXTREMA or name.endswith("_growth")
    # The temperature is the energy over the mass; momenta have an axis in their names.
    return not skipped and name != "temperature" and not name.startswith((*invariants, "momentum"))


@dataclasses.dataclass(frozen=True)
class Companion:
    """What is kept of a companion run.

    Attributes:
        t: The times that it reached.
        diagnostics: Its scalars at these times.
        code: Why it ended, the value of a `Status`.
    """

    t: np.ndarray
    diagnostics: Mapping[str, np.ndarray]
    code: int


@dataclasses.dataclass(frozen=True, eq=False)
class ErrorEstimate:
    """The estimated error of every recorded quantity, over the recorded times.

    `error[name]` is the absolute error of a field or diagnostic, of the shape of the diagnostic; of
    a field, shape (m,), in the norm of L1 over the whole grid. `list(error)` has the names.
    Infinite where a companion run ended before that time. Quantities that are given by the datum
    (mass, energy), extrema over grid points, and what tells how a run went have no error.

    Attributes:
        solution: The solution whose error this is.
        rtol: The tolerance that was asked for.
        raises: Settings of the grid that make it finer or wider.
        companions: The companion runs "time" and "grid".
        gaps: For each of them the L1 norms of the differences of all fields, shape (m,); infinite
            where the companion was not there.
        sizes: L1 norms of the fields, shape (m,).
    """

    solution: Any = dataclasses.field(repr=False)
    rtol: float
    raises: tuple[str, ...]
    companions: Mapping[str, Companion] = dataclasses.field(repr=False)
    gaps: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(repr=False)
    sizes: Mapping[str, np.ndarray] = dataclasses.field(repr=False)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.part(name, TIME) + self.part(name, GRID)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def keys(self) -> list[str]:
        """The names of all quantities that have an error."""
        return list(self._names)

    @functools.cached_property
    def _names(self) -> list[str]:
        scalars = [
            name
            for name, values in self.solution.diagnostics.items()
            if measures(name)
            and np.asarray(values).dtype.kind == "f"
            and all(name in run.diagnostics for run in self.companions.values())
        ]
        return [*self.sizes, *(name for name in scalars if name not in self.sizes)]

    def part(self, name: str, source: str) -> np.ndarray:
        """The share of the error that comes from the steps ("time") or from the grid ("grid")."""
        if name not in self._names:
            raise unknown("quantity with an error", name, self._names)
        if source not in self.companions:
            raise unknown("source of errors", source, self.companions)
        if name in self.sizes:
            gap = self.gaps[source][name]
        else:
            own = np.asarray(self.solution.diagnostics[name], float)
            gap = _gap(own, _aligned(self.companions[source], name, self.solution.t))
        return np.maximum(SAFETY * gap, ROUNDING * self._size(name))

    def of(self, name: str) -> np.ndarray:
        """The error of a quantity relative to its size (a field: to its norm in L1)."""
        error, size = self[name], self._size(name)
        return np.divide(error, size, out=np.zeros_like(error), where=error > 0)

    def numbers(self, read: Callable[[Any], Mapping[str, float]]) -> dict[str, float]:
        """The errors of any numbers that are read off a solution, by name.

        Args:
            read: From a solution to numbers by name; it may use all but the fields.

        Returns:
            Absolute errors; infinite where a companion run does not have the number.
        """
        own = read(self.solution)
        found = dict.fromkeys(own, 0.0)
        for run in self.companions.values():
            other = read(self._solution(run)) if len(run.t) else {}
            for name, value in own.items():
                gap = float(_gap(np.asarray(value), np.asarray(other.get(name, np.nan))))
                found[name] += max(SAFETY * gap, ROUNDING * abs(value))
        return found

    def warnings(self, read: Callable[[Any], Mapping[str, float]] | None = None) -> tuple[str, ...]:
        """A sentence if the error of a field, or of a number, is far above what was asked.

        It names the worst of them, and what to raise.

        Args:
            read: Numbers that count beside the fields, as in `numbers`.
        """
        worst = {f"{name} (in L1)": float(np.max(self.of(name))) for name in self.sizes}
        if read is not None:
            own = read(self.solution)
            for name, error in self.numbers(read).items():
                if abs(own[name]) > 0:
                    worst[name] = error / abs(own[name])
        far = [name for name, error in worst.items() if error > FAR_ABOVE * self.rtol]
        if not far:
            return ()
        name = max(far, key=lambda name: worst[name])
        if not np.isfinite(worst[name]):
            return (f"The error of {name} is not known: a companion run ended early.",)
        shares = [
            max((float(np.max(self.part(name, source))) for name in self.sizes), default=0.0)
            for source in (GRID, TIME)
        ]
        cure = f"raise {' or '.join(self.raises)}" if shares[0] > shares[1] else "lower rtol"
        return (
            f"The error of {name} is about {worst[name]:.1e} of it, far above rtol = "
            f"{self.rtol:g}: {cure}.",
        )

    def __str__(self) -> str:
        head = ("at the end", "value", "error", "time", "grid")
        rows: list[tuple[str, ...]] = [head]
        for name in self:
            if np.ndim(self[name]) != 1:
                continue
            whole = self.sizes.get(name)
            value = self.solution.diagnostics[name] if whole is None else whole
            parts = (self[name], self.part(name, TIME), self.part(name, GRID))
            label = name if whole is None else f"{name} (L1)"
            rows.append((label, f"{value[-1]:.6g}", *(f"{part[-1]:.1e}" for part in parts)))
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            "  ".join([first.ljust(widths[0]), *(x.rjust(w) for x, w in zip(rest, widths[1:]))])
            for first, *rest in rows
        ]
        return "\n".join([*lines, *(f"warning  {sentence}" for sentence in self.warnings())])

    def _size(self, name: str) -> np.ndarray:
        if name in self.sizes:
            return self.sizes[name]
        return np.abs(np.asarray(self.solution.diagnostics[name], float))

    def _solution(self, run: Companion) -> Any:
        """A companion as a solution without fields."""
        status = type(self.solution.status)(run.code)
        return dataclasses.replace(
            self.solution, t=run.t, fields={}, diagnostics=run.diagnostics, status=status
        )


def _gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b|; infinite where b alone is not known, 0 where neither is."""
    with np.errstate(invalid="ignore"):
        found = np.abs(a - b)
    same = (a == b) | (~np.isfinite(a) & ~np.isfinite(b))
    return np.where(same, 0.0, np.where(np.isfinite(found), found, np.inf))


def _aligned(run: Companion, name: str, t: np.ndarray) -> np.ndarray:
    """A diagnostic of a companion at the times t, NaN where it has none."""
    values = np.asarray(run.diagnostics[name], float)
    found = np.full((len(t), *values.shape[1:]), np.nan)
    count = min(len(t), len(run.t))
    same = run.t[:count] == t[:count]
    found[:count][same] = values[:count][same]
    return found
