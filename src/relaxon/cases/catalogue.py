"""Ready-made cases: a configuration file turned into a problem that can be solved."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from relaxon.cases import files as config
from relaxon.core.entries import entries, recorded
from relaxon.core.errors import InputError, require, unknown

if TYPE_CHECKING:
    from relaxon.runs.problem import Problem
    from relaxon.runs.record import Record
    from relaxon.runs.solution import Solution


@dataclasses.dataclass(frozen=True)
class Case:
    """A problem with the end time, the record and the tolerance that show its result.

    Attributes:
        name: Name of the case, or of the file that it came from.
        description: One line.
        problem: Equation, grid and initial datum; on a coarse grid if settings are automatic.
        t_end: End time.
        record: What to keep.
        rtol: Tolerance of the steps.
        settings: Every setting, as in a configuration file.
        automatic: Settings of the grid that are "auto", with the values of the coarse grid.
    """

    name: str
    description: str
    problem: Problem
    t_end: float
    record: Record
    rtol: float
    settings: Mapping[str, Any]
    automatic: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def solve(self, progress: bool = False, out: str | pathlib.Path | None = None) -> Solution:
        """Solve the case; the arguments are those of `relaxon.solve`.

        Automatic settings are chosen first, by runs of which nothing is kept.
        """
        from relaxon.runs.solve import solve

        if self.automatic:
            return self._chosen(progress, out)
        record = self.record
        if self.settings["record"]["towards_end"] and record.times is None:
            record = self._crowded()
        return solve(self.problem, self.t_end, record, self.rtol, progress, out)

    def changed(self, settings: Mapping[str, Any]) -> Case:
        """The case with other settings, by key."""
        return from_tables(self.name, self.settings, settings)

    def require_numbers(self, what: str) -> None:
        """Refuse automatic settings where the settings are what is studied."""
        names = ", ".join(self.automatic)
        require(not names, f"{what} needs numbers for {names}, not {config.AUTO!r}.")

    def _chosen(self, progress: bool, out: str | pathlib.Path | None) -> Solution:
        """Choose the automatic settings, and solve with them: the last of the runs once more."""
        from relaxon.cases.automatic import chosen, described, shortfall
        from relaxon.runs.files import require_new, run_path
        from relaxon.runs.opened import with_error

        if out is not None:
            require_new(run_path(out))
        wanted = self.settings["run"]["accuracy"]
        coarse = self.changed(_numbers(self.automatic))
        best = chosen(coarse, self.automatic, wanted, progress)
        notes = {**best.case.record.notes, "chosen": described(best, self.automatic, wanted)}
        record = dataclasses.replace(
            best.case.record, notes=notes, warnings=shortfall(best, wanted)
        )
        solution = dataclasses.replace(best.case, record=record).solve(progress, out)
        return with_error(solution, best.solution.error, out) if solution.ok else solution

    def _crowded(self) -> Record:
        """The record with times that crowd towards the end of the run, if it ends before t_end."""
        from relaxon.runs.record import Record
        from relaxon.runs.solve import solve

        first = solve(self.problem, self.t_end, Record(n=2), self.rtol)
        if first.ok:
            return self.record
        end = float(first.t[-1])
        # Eight decades in the distance to the end reach the growth at which a run is stopped.
        times = end * (1 - np.geomspace(1.0, 1e-8, self.record.n)[1:])
        return dataclasses.replace(self.record, times=times)


def case(name: str, **settings: Any) -> Case:
    """A ready-made case.

    Args:
        name: One of those that `relaxon cases` lists.
        settings: Changes, by key: `delta=1e-4`, `n=400`, `t_end=1.0`, `rtol=1e-8` ...

    Returns:
        The case: its problem, and `solve`.

    Raises:
        InputError: An unknown name or setting (the nearest right one is named), or a value that
            the case cannot use.
    """
    files = case_files()
    if not isinstance(name, str) or name not in files:
        raise unknown("case", str(name), files)
    return from_tables(name, config.read(files[name]), settings)


def from_file(path: pathlib.Path, settings: Mapping[str, Any] | None = None) -> Case:
    """The case that a configuration file describes.

    Raises:
        InputError: As for `case`; no such file, or not TOML.
    """
    return from_tables(path.stem, config.read(path), settings or {})


def from_tables(name: str, tables: Mapping[str, Any], settings: Mapping[str, Any]) -> Case:
    """The case that the tables of a configuration describe, with changes."""
    from relaxon.runs.problem import Problem, end_time, tolerance

    found = config.parse(tables, settings)
    if found.automatic:
        return _on_coarse_grid(name, found)
    t_end, rtol = end_time(found.run.t_end), tolerance(found.run.rtol)
    equation = _equation(found)
    grid = found.grid.build(equation=equation, width=found.initial.width())
    problem = Problem(equation, grid, found.initial.build(grid=grid, equation=equation))
    given = {**found.initial.values, "equation": equation, "grid": grid}
    functionals = {
        **recorded(found.initial.entry.build, given),
        **recorded(type(equation), given),
    }
    stored = found.settings()
    record = _record(found.record, functionals, {"case": name, **stored})
    return Case(name, found.description, problem, t_end, record, rtol, stored)


def _on_coarse_grid(name: str, found: config.Config) -> Case:
    """The case on the first grid that its datum fits in, of those that a choice starts from."""
    from relaxon.cases.automatic import starts

    width, stored = found.initial.width(), found.settings()
    defaults = {key: found.grid.values[key] for key in found.automatic}
    if defaults.get("n", 0) is None:  # as many as the datum asks for
        defaults["n"] = found.grid.build(equation=_equation(found), width=width).n
    refusal: InputError | None = None
    for start in starts(defaults, width):
        try:
            case = from_tables(name, stored, _numbers(start))
        except InputError as error:
            refusal = refusal or error
        else:
            return dataclasses.replace(case, settings=stored, automatic=start)
    assert refusal is not None
    raise refusal


def _numbers(automatic: Mapping[str, Any]) -> dict[str, Any]:
    """Changes that put numbers in the place of automatic settings of the grid."""
    return {"run.accuracy": None, **{f"grid.{key}": value for key, value in automatic.items()}}


def _equation(found: config.Config) -> Any:
    """The equation of a file, with the interaction of its table [potential] if it has one."""
    described = found.equation
    interaction = described.given.get("potential")
    if found.potential is None:
        require(
            interaction is None or interaction.default is None,
            f"{described.type} needs a table [potential] with a type; "
            f"allowed: {', '.join(entries('potential'))}.",
        )
        return described.build()
    require(
        "potential" not in described.values,
        "A confining potential is a key of [equation], potential = "
        f"{described.values.get('potential')!r}; leave the table [potential] of interactions out.",
    )
    require(
        interaction is not None,
        "This equation has no potential; leave the table [potential] out.",
    )
    potential = found.potential.build(d=found.grid.values.get("d", 3))
    delta, exponent = (found.potential.values[key] for key in ("delta", "exponent"))
    if delta != 1.0:
        potential = potential.rescaled(delta, exponent)
    return described.build(potential=potential)


def _record(
    found: config.RecordSection, functionals: Mapping[str, Any], notes: Mapping[str, Any]
) -> Record:
    """What to keep of a run."""
    from relaxon.runs.record import Record

    fields = None if found.fields is None else tuple(found.fields)
    when: dict[str, Any] = {"n": found.times, "first": found.first}
    if isinstance(found.times, list):
        when = {"times": found.times}
    return Record(**when, functionals=functionals, fields=fields, notes=notes)


def case_files() -> dict[str, pathlib.Path]:
    """The configuration files of the ready-made cases, by name."""
    folder = pathlib.Path(str(resources.files("relaxon") / "cases"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def descriptions() -> dict[str, str]:
    """One line for each ready-made case."""
    return {name: config.read(path)["description"] for name, path in case_files().items()}
