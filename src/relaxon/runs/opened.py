"""Runs on disk as solutions that know where they came from."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from relaxon.core.registry import from_spec
from relaxon.runs import directory
from relaxon.runs.error import ErrorEstimate
from relaxon.runs.files import damaged, run_path, seal_of
from relaxon.runs.origin import FILE, keep, restored, stored
from relaxon.runs.solution import Solution
from relaxon.runs.solve import origin_of


@dataclasses.dataclass(frozen=True)
class Stored:
    """The origin of a solution that was read from a run directory; its problem is built on demand.

    Attributes:
        path: The run directory.
    """

    path: pathlib.Path

    def error(self, solution: Solution) -> ErrorEstimate:
        """The error of the solution, from the directory or from companion runs."""
        return origin_of(self.path).error(solution)


def open_run(path: str | pathlib.Path) -> Solution:
    """Read a run directory: a finished run, or what an unfinished one has recorded so far.

    The checksum of every file that is read is compared.

    Raises:
        InputError: No such directory, or a damaged one; the sentence names the file and says what
            is left.
    """
    path = run_path(path)
    found = directory.open_run(path)
    if directory.settings_of(path).get("saved"):
        return found
    return dataclasses.replace(found, origin=Stored(path))


def known_error(path: pathlib.Path, solution: Solution) -> ErrorEstimate | None:
    """The estimate that a run directory holds, None if there is none; nothing is computed."""
    if not os.path.lexists(path / FILE):
        return None
    settings = directory.settings_of(path)
    found = stored(path, seal_of(settings))
    with damaged(path / FILE):
        assert found is not None
        return restored(solution, found, settings["rtol"], from_spec(settings["grid"]))


@dataclasses.dataclass(frozen=True)
class Known:
    """The origin of a solution whose error is known.

    Attributes:
        estimate: The error of a solution that has the same values.
    """

    estimate: ErrorEstimate

    def error(self, solution: Solution) -> ErrorEstimate:
        """The error of the solution."""
        return dataclasses.replace(self.estimate, solution=solution)


def with_error(
    solution: Solution, error: ErrorEstimate, path: str | pathlib.Path | None
) -> Solution:
    """A solution with the error that another one, of the same values, has; its directory keeps it.

    Args:
        solution: The solution.
        error: The error.
        path: Its run directory; None if there is none.
    """
    if path is not None:
        path = run_path(path)
        keep(error, path, seal_of(directory.settings_of(path)))
    return dataclasses.replace(solution, origin=Known(error))
