"""What a solution came from, so that companion runs can say how accurate it is."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError
from relaxon.core.methods import Posed
from relaxon.grids.companions import carried, finer, magnitude
from relaxon.runs.error import GRID, TIME, Companion, ErrorEstimate
from relaxon.runs.files import UNSEALED, read_arrays, write_arrays
from relaxon.runs.seals import Seal
from relaxon.runs.solution import Solution

FINER = 1.25
"""Points along an axis of a companion, relative to those of the grid."""

SHARPER = 0.1
"""The rtol of a companion, relative to that of the run."""

SHARPEST = 1e-13
"""The smallest rtol of a companion: steps beyond are rounding."""

FILE = "error.npz"
"""What a run directory keeps of an estimate."""

Run = Callable[[Posed, np.ndarray, float], Solution]


@dataclasses.dataclass(frozen=True)
class Refined:
    """A problem on a finer grid: not a `Problem`, which asks the data for more than they have.

    Attributes:
        equation: The equation.
        grid: The finer grid.
        f0: The datum, carried there.
    """

    equation: Any
    grid: Any
    f0: Any


@dataclasses.dataclass(frozen=True)
class Origin:
    """The problem that a solution came from, and how it was solved.

    Attributes:
        problem: The problem.
        rtol: The tolerance.
        run: Solves a problem up to the times given, with a tolerance.
        path: The run directory; None if there is none.
        seal: The seal of its files.
    """

    problem: Posed
    rtol: float
    run: Run
    path: pathlib.Path | None = None
    seal: Seal = UNSEALED

    def error(self, solution: Solution) -> ErrorEstimate:
        """The error of the solution: what the run directory has of it, or two companion runs."""
        known = None if self.path is None else stored(self.path, self.seal)
        if known is not None and np.array_equal(known["t"], solution.t):
            return restored(solution, known, self.rtol, self.problem.grid)
        sharper = max(self.rtol * SHARPER, SHARPEST)
        found = ErrorEstimate(
            solution,
            self.rtol,
            raises(self.problem.grid),
            *self._compared(solution, {TIME: (False, sharper), GRID: (True, self.rtol)}),
            {k: magnitude(f, self.problem.grid) for k, f in solution.fields.items()},
        )
        if self.path is not None:
            keep(found, self.path, self.seal)
        return found

    def _compared(
        self, solution: Solution, settings: Mapping[str, tuple[bool, float]]
    ) -> tuple[dict[str, Companion], dict[str, dict[str, np.ndarray]]]:
        """What is kept of companion runs, and how far their fields are from those of the run."""
        companions, gaps = {}, {}
        for name, (on_finer, rtol) in settings.items():
            problem, run = self.problem, nothing(solution)
            with contextlib.suppress(InputError):  # no memory for it, say
                problem = refined(self.problem) if on_finer else self.problem
                run = self.run(problem, solution.t, rtol)
            companions[name] = kept(run)
            gaps[name] = {
                key: gap(solution, run, key, self.problem.grid, problem.grid)
                for key in solution.fields
            }
        return companions, gaps


def nothing(solution: Solution) -> Solution:
    """A companion run that was not possible: one without recorded times."""
    return dataclasses.replace(solution, t=solution.t[:0], fields={}, diagnostics={})


def refined(problem: Posed) -> Posed:
    """The problem on the finer grid."""
    grid = finer(problem.grid, FINER)
    many = isinstance(problem.f0, Mapping)
    data = problem.f0 if many else {"f0": problem.f0}
    moved = {name: datum(values, problem.grid, grid) for name, values in data.items()}
    return Refined(problem.equation, grid, moved if many else moved["f0"])


def datum(values: Any, grid: Any, to: Any) -> Any:
    """Initial values on a companion grid; what was nowhere negative stays so."""
    found = carried(values, grid, to)
    return jnp.asarray(np.maximum(found, 0.0) if np.min(values) >= 0 else found)


def gap(own: Solution, other: Solution, name: str, grid: Any, its: Any) -> np.ndarray:
    """L1 norms of the difference of a field, infinite at the times that the other did not reach.

    On the grid of the companion, whose datum is the carried one: there is no difference at t = 0.
    """
    found = np.full(len(own.t), np.inf)
    count = min(len(own.t), len(other.t))
    count = int(np.argmin(np.append(own.t[:count] == other.t[:count], False)))
    if count:
        values = own.fields[name][:count]
        values = values if its is grid else carried(values, grid, its)
        found[:count] = magnitude(values - other.fields[name][:count], its)
    return found


def kept(run: Solution) -> Companion:
    """What an estimate keeps of a companion run."""
    plain = {
        k: np.asarray(x) for k, x in run.diagnostics.items() if np.asarray(x).dtype.kind in "fiu"
    }
    return Companion(run.t, plain, int(run.status))


def raises(grid: Any) -> tuple[str, ...]:
    """The settings of a grid that make it finer or wider."""
    return (*grid.refines, *grid.widens)


def keep(error: ErrorEstimate, path: pathlib.Path, seal: Seal) -> None:
    """Write an estimate to a run directory, unless nothing can be written there."""
    with contextlib.suppress(OSError):
        write_arrays(path / FILE, arrays(error), seal, FILE)


def arrays(error: ErrorEstimate) -> dict[str, np.ndarray]:
    """An estimate as plain arrays by name."""
    found: dict[str, np.ndarray] = {"t": error.solution.t}
    for name, run in error.companions.items():
        found[f"times/{name}"], found[f"code/{name}"] = run.t, np.asarray(run.code)
        found |= {f"scalar/{name}/{key}": x for key, x in run.diagnostics.items()}
        found |= {f"gap/{name}/{key}": x for key, x in error.gaps[name].items()}
    return found | {f"size/{key}": x for key, x in error.sizes.items()}


def restored(
    solution: Solution, known: Mapping[str, np.ndarray], rtol: float, grid: Any
) -> ErrorEstimate:
    """The estimate that `arrays` wrote, of a run with this tolerance and grid."""

    def below(prefix: str) -> dict[str, np.ndarray]:
        return {k[len(prefix) :]: x for k, x in known.items() if k.startswith(prefix)}

    def companion(name: str) -> Companion:
        code = int(known[f"code/{name}"])
        return Companion(known[f"times/{name}"], below(f"scalar/{name}/"), code)

    return ErrorEstimate(
        solution,
        rtol,
        raises(grid),
        {name: companion(name) for name in (TIME, GRID)},
        {name: below(f"gap/{name}/") for name in (TIME, GRID)},
        below("size/"),
    )


def stored(path: pathlib.Path, seal: Seal) -> dict[str, np.ndarray] | None:
    """What a run directory has of an estimate.

    Raises:
        Damaged: The file is not what was written.
    """
    if not os.path.lexists(path / FILE):
        return None
    return read_arrays(path / FILE, seal, FILE, path)[0]
