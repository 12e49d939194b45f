r"""The error of a solution, estimated from companion runs.

The problem is solved again with longer time steps (10 and 100 times the rtol) and on coarser grids
(.8 and .64 of the points along every axis). For every number q of the answer the differences at
consecutive levels are extrapolated,

$$ d_1 = |q - q_1|, \quad d_2 = |q_1 - q_2|, \quad \rho = d_1 / d_2, \qquad
   e = S \frac{\rho}{1 - \rho} d_1, $$

once for the time steps and once for the grid; the error is the sum of both. Where q converges like
a power of the cell size, or exponentially in the number of points, $\rho d_1/(1 - \rho)$ is what
follows after the last difference. No error falls faster than the order of the grid allows
(`Grid.order`; of time steps not faster than rtol), so rho is not taken smaller, and d_1 not smaller
than the least rho times d_2: a difference that happens to vanish is no proof. Nor is rho taken
larger than `SLOWEST`: where the differences do not fall, the estimate is five times the last one.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from relaxon.core.errors import unknown
from relaxon.core.invariants import INVARIANTS

TIME, GRID = "time", "grid"

SAFETY = 2.2
"""S, by which the estimate lies above what was extrapolated; see docs/explanation/errors.md."""

SHARE, LONGER = 0.8, 10.0
"""From one companion to the next: the points along an axis, and the factor of rtol."""

SLOWEST = 0.7
"""The largest rho: no less is known where differences do not fall."""

STEADY = 0.4
"""The same for time steps: their errors fall with rtol, at least like its power .4."""

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
class ErrorEstimate(Mapping[str, np.ndarray]):
    """The estimated error of every recorded quantity, over the recorded times.

    A mapping from names of fields and diagnostics to absolute errors, each of the shape of the
    diagnostic; of a field, shape (m,), in the norm of L1 over the whole grid. Infinite where the
    companion runs ended before that time. Quantities that are given by the datum (mass, energy),
    extrema over grid points, and what tells how a run went have no entry.

    Attributes:
        solution: The solution whose error this is.
        rtol: The tolerance that was asked for.
        raises: Settings of the grid that make it finer or wider.
        order: The largest power of the cell size that errors fall with, `Grid.order`.
        companions: For "time" and "grid" the two companion runs, the closer one first.
        gaps: For "time" and "grid" and every field the L1 norms of the two differences, shape
            (2, m); infinite where a companion was not there.
        sizes: L1 norms of the fields, shape (m,).
    """

    solution: Any = dataclasses.field(repr=False)
    rtol: float
    raises: tuple[str, ...]
    order: float
    companions: Mapping[str, tuple[Companion, Companion]] = dataclasses.field(repr=False)
    gaps: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(repr=False)
    sizes: Mapping[str, np.ndarray] = dataclasses.field(repr=False)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.part(name, TIME) + self.part(name, GRID)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @functools.cached_property
    def _names(self) -> list[str]:
        runs = [run for pair in self.companions.values() for run in pair]
        scalars = [
            name
            for name, values in self.solution.diagnostics.items()
            if measures(name)
            and np.asarray(values).dtype.kind == "f"
            and all(name in run.diagnostics for run in runs)
        ]
        return [*self.sizes, *(name for name in scalars if name not in self.sizes)]

    def part(self, name: str, source: str) -> np.ndarray:
        """The share of the error that comes from the steps ("time") or from the grid ("grid")."""
        if name not in self._names:
            raise unknown("quantity with an error", name, self._names)
        if source not in self.companions:
            raise unknown("source of errors", source, self.companions)
        size = self._size(name)
        if name in self.sizes:
            first, second = self.gaps[source][name]
        else:
            first, second = self._differences(name, source)
        return np.maximum(extrapolated(first, second, self._ratios(source)), ROUNDING * size)

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
        for source, pair in self.companions.items():
            first, second = (read(self._solution(run)) if len(run.t) else {} for run in pair)
            for name, value in own.items():
                a, b = first.get(name, np.nan), second.get(name, np.nan)
                d1, d2 = (_gap(np.asarray(x), np.asarray(y)) for x, y in ((value, a), (a, b)))
                error = float(extrapolated(d1, d2, self._ratios(source)))
                found[name] += max(error, ROUNDING * abs(value))
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

    def _differences(self, name: str, source: str) -> tuple[np.ndarray, np.ndarray]:
        """Differences of a diagnostic at consecutive levels."""
        levels = [np.asarray(self.solution.diagnostics[name], float)]
        levels += [_aligned(run, name, self.solution.t) for run in self.companions[source]]
        first, second = (_gap(a, b) for a, b in itertools.pairwise(levels))
        return first, second

    def _ratios(self, source: str) -> tuple[float, float]:
        """The bounds of rho."""
        return (1 / LONGER, STEADY) if source == TIME else (SHARE**self.order, SLOWEST)

    def _solution(self, run: Companion) -> Any:
        """A companion as a solution without fields."""
        status = type(self.solution.status)(run.code)
        return dataclasses.replace(
            self.solution, t=run.t, fields={}, diagnostics=run.diagnostics, status=status
        )


def extrapolated(first: Any, second: Any, ratios: tuple[float, float]) -> np.ndarray:
    r"""$S d_1 \rho/(1 - \rho)$ with rho within bounds; infinite where a difference is."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    known = np.isfinite(first) & np.isfinite(second)
    d1, d2 = np.where(known, first, 0.0), np.where(known, second, 0.0)
    ratio = np.divide(d1, d2, out=np.full(d1.shape, ratios[1]), where=d2 > 0)
    ratio = np.clip(ratio, *ratios)
    error = SAFETY * np.maximum(d1, ratios[0] * d2) * ratio / (1 - ratio)
    return np.where(known, error, np.inf)


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
