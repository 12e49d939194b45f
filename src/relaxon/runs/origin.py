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
from relaxon.grids.companions import carried, coarser, magnitude
from relaxon.runs.error import GRID, LONGER, SHARE, TIME, Companion, ErrorEstimate
from relaxon.runs.files import UNSEALED, read_arrays, write_arrays
from relaxon.runs.seals import Seal
from relaxon.runs.solution import Solution

LOOSEST = 0.1
"""The largest rtol."""

FILE = "error.npz"
"""What a run directory keeps of an estimate."""

Levels = tuple[Solution, Solution]
Run = Callable[[Posed, np.ndarray, float], Solution]


@dataclasses.dataclass(frozen=True)
class Coarsened:
    """A problem on a coarser grid: not a `Problem`, whose data are held to higher standards.

    Attributes:
        equation: The equation.
        grid: The coarser grid.
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
        """The error of the solution: what the run directory has of it, or four companion runs."""
        known = None if self.path is None else stored(self.path, self.seal)
        if known is not None and np.array_equal(known["t"], solution.t):
            return restored(solution, known, self.rtol, self.problem.grid)
        grids = [self.problem]
        for _ in range(2):
            grids.append(coarsened(grids[-1]))
        longer = [min(LOOSEST, self.rtol * LONGER**k) for k in (1, 2)]
        times = [self._run(self.problem, solution, rtol) for rtol in longer]
        levels = [self._run(problem, solution, self.rtol) for problem in grids[1:]]
        runs = {TIME: (times[0], times[1]), GRID: (levels[0], levels[1])}
        spaces = {TIME: [self.problem.grid] * 3, GRID: [problem.grid for problem in grids]}
        found = ErrorEstimate(
            solution,
            self.rtol,
            raises(self.problem.grid),
            self.problem.grid.order,
            {name: (kept(a), kept(b)) for name, (a, b) in runs.items()},
            {name: gaps((solution, *pair), spaces[name]) for name, pair in runs.items()},
            {k: magnitude(f, self.problem.grid) for k, f in solution.fields.items()},
        )
        if self.path is not None:
            with contextlib.suppress(OSError):  # a directory that cannot be written to
                write_arrays(self.path / FILE, arrays(found), self.seal, FILE)
        return found

    def _run(self, problem: Posed, solution: Solution, rtol: float) -> Solution:
        """A companion run; one without any recorded time where there can be none."""
        if problem is self.problem and rtol <= self.rtol:
            return dataclasses.replace(solution, t=solution.t[:0], fields={}, diagnostics={})
        try:
            return self.run(problem, solution.t, rtol)
        except InputError:
            return dataclasses.replace(solution, t=solution.t[:0], fields={}, diagnostics={})


def coarsened(problem: Posed) -> Posed:
    """The problem on the next coarser grid; itself if there is none."""
    grid = coarser(problem.grid, SHARE)
    if grid.shape == problem.grid.shape:
        return problem
    many = isinstance(problem.f0, Mapping)
    data = problem.f0 if many else {"f0": problem.f0}
    moved = {name: datum(values, problem.grid, grid) for name, values in data.items()}
    return Coarsened(problem.equation, grid, moved if many else moved["f0"])


def datum(values: Any, grid: Any, to: Any) -> Any:
    """Initial values on a companion grid; what was nowhere negative stays so."""
    found = carried(values, grid, to)
    return jnp.asarray(np.maximum(found, 0.0) if np.min(values) >= 0 else found)


def gaps(levels: tuple[Solution, ...], grids: list[Any]) -> dict[str, np.ndarray]:
    """L1 norms of the differences of every field at consecutive levels, shape (2, m)."""
    found = {}
    for name in levels[0].fields:
        rows = [
            gap(a, b, name, grid, to)
            for a, b, grid, to in zip(levels, levels[1:], grids, grids[1:])
        ]
        lengths = len(levels[0].t)
        found[name] = np.stack([np.append(r, np.full(lengths - len(r), np.inf)) for r in rows])
    return found


def gap(first: Solution, second: Solution, name: str, grid: Any, to: Any) -> np.ndarray:
    """L1 norms of the differences of a field, at the times that both runs reached."""
    count = min(len(first.t), len(second.t))
    count = int(np.argmin(np.append(first.t[:count] == second.t[:count], False)))
    if not count:
        return np.zeros(0)
    fine, coarse = first.fields[name][:count], second.fields[name][:count]
    return magnitude((fine if grid is to else carried(fine, grid, to)) - coarse, to)


def kept(run: Solution) -> Companion:
    """What an estimate keeps of a companion run."""
    plain = {
        k: np.asarray(x) for k, x in run.diagnostics.items() if np.asarray(x).dtype.kind in "fiu"
    }
    return Companion(run.t, plain, int(run.status))


def raises(grid: Any) -> tuple[str, ...]:
    """The settings of a grid that make it finer or wider."""
    return (*grid.refines, *grid.widens)


def arrays(error: ErrorEstimate) -> dict[str, np.ndarray]:
    """An estimate as plain arrays by name."""
    found: dict[str, np.ndarray] = {"t": error.solution.t}
    for name, pair in error.companions.items():
        for k, run in enumerate(pair):
            found[f"times/{name}{k}"], found[f"code/{name}{k}"] = run.t, np.asarray(run.code)
            found |= {f"scalar/{name}{k}/{key}": x for key, x in run.diagnostics.items()}
        found |= {f"gap/{name}/{key}": x for key, x in error.gaps[name].items()}
    return found | {f"size/{key}": x for key, x in error.sizes.items()}


def restored(
    solution: Solution, known: Mapping[str, np.ndarray], rtol: float, grid: Any
) -> ErrorEstimate:
    """The estimate that `arrays` wrote, of a run with this tolerance and grid."""

    def below(prefix: str) -> dict[str, np.ndarray]:
        return {k[len(prefix) :]: x for k, x in known.items() if k.startswith(prefix)}

    def companion(place: str) -> Companion:
        code = int(known[f"code/{place}"])
        return Companion(known[f"times/{place}"], below(f"scalar/{place}/"), code)

    return ErrorEstimate(
        solution,
        rtol,
        raises(grid),
        grid.order,
        {name: (companion(f"{name}0"), companion(f"{name}1")) for name in (TIME, GRID)},
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
