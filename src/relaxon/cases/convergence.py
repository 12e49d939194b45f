"""Errors and observed orders of any case: its grid and its time steps refined."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from relaxon.cases.catalogue import Case, case
from relaxon.core.errors import InputError, require, unknown
from relaxon.core.numbers import scalar, shown, whole
from relaxon.core.types import Real, Whole
from relaxon.runs.error import measures

TIME = "rtol"
"""The setting that refines time steps."""

FINER = 10.0
"""By how much the tolerance falls from level to level."""

QUIETER = 100.0
"""By how much it falls while a grid is refined, so that time steps do not blur the comparison."""

FASTEST = 7.0
"""The largest power of any scheme here is 6: an observed order above is called spectral."""

ROUNDING = 1e-12
"""Relative changes up to this size are none."""


@dataclasses.dataclass(frozen=True)
class Refinement:
    """One setting refined: the quantities on every level, coarsest first.

    Attributes:
        setting: What was refined: a size of the grid, or "rtol".
        sizes: Its values, shape (levels,).
        values: The quantities at the end time by name, each of shape (levels,).
    """

    setting: str
    sizes: np.ndarray
    values: Mapping[str, np.ndarray]

    @property
    def resolution(self) -> np.ndarray:
        """What grows from level to level: the size of a grid, or 1/rtol."""
        return 1 / self.sizes if self.setting == TIME else self.sizes

    def changes(self, name: str) -> np.ndarray:
        """Sizes of the changes from each level to the next, 0 if they are rounding only."""
        values = self.values[name]
        found = np.abs(np.diff(values))
        return np.where(found > ROUNDING * np.max(np.abs(values)), found, 0.0)

    def orders(self, name: str) -> np.ndarray:
        r"""Observed powers of the resolution, shape (levels,); NaN where there is none.

        $$ p_k = \frac{\log |q_{k-1} - q_{k-2}| - \log |q_k - q_{k-1}|}{\log (N_k / N_{k-1})} $$
        """
        found, change = np.full(len(self.sizes), np.nan), self.changes(name)
        ratio = self.resolution[2:] / self.resolution[1:-1]
        both = (change[1:] > 0) & (change[:-1] > 0)
        found[2:][both] = np.log(change[:-1][both] / change[1:][both]) / np.log(ratio[both])
        return found

    def errors(self, name: str) -> np.ndarray:
        """Errors of all levels, against the limit of Richardson where an order of 1 shows.

        Otherwise against the finest level, whose own error is then the last change.
        """
        values, order = self.values[name], self.orders(name)[-1]
        last = values[-1] - values[-2]
        if order >= 1:
            ratio = self.resolution[-1] / self.resolution[-2]
            return np.abs(values - (values[-1] + last / (ratio**order - 1)))
        return np.append(np.abs(values[:-1] - values[-1]), abs(last))

    def kind(self, name: str) -> str:
        """The verdict: "order 4.0", "spectral", "exact", or "unresolved" if changes grow."""
        change, order = self.changes(name), self.orders(name)[-1]
        if not np.any(change):
            return "exact"
        if change[-1] == 0 or order > FASTEST:
            return "spectral"
        return f"order {order:.1f}" if order > 0 else "unresolved"

    def rows(self) -> list[tuple[str, ...]]:
        """Cells of the table, a line a level; what is exact stays out."""
        found: list[tuple[str, ...]] = []
        for name in self.values:
            if self.kind(name) == "exact":
                continue
            errors, orders = self.errors(name), self.orders(name)
            for k, size in enumerate(self.sizes):
                order = f"{orders[k]:.2f}" if np.isfinite(orders[k]) else ""
                value, error = f"{self.values[name][k]:.10g}", f"{errors[k]:.1e}"
                kind = self.kind(name) if k == len(self.sizes) - 1 else ""
                found.append(("" if k else name, f"{size:g}", value, error, order, kind))
        return found

    def unchanged(self) -> list[str]:
        """The quantities that do not depend on this setting."""
        return [name for name in self.values if self.kind(name) == "exact"]


@dataclasses.dataclass(frozen=True)
class Convergence:
    """Tables of errors and observed orders; `found["n"]` is the one of a setting.

    Attributes:
        name: The case.
        t: The time that is compared at.
        tables: One for each setting.
    """

    name: str
    t: float
    tables: tuple[Refinement, ...]

    def __getitem__(self, setting: str) -> Refinement:
        found = {table.setting: table for table in self.tables}
        if setting not in found:
            raise unknown("refined setting", str(setting), found)
        return found[setting]

    def __str__(self) -> str:
        lines = [f"{self.name} at t = {self.t:g}"]
        for table in self.tables:
            rows = [self._head(table), *table.rows()]
            widths = [max(map(len, column)) for column in zip(*rows)]
            lines.append("")
            for first, *rest in rows:
                cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:])]
                lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
            if table.unchanged():
                lines.append(f"no change with {table.setting}: {', '.join(table.unchanged())}")
        return "\n".join(lines)

    @staticmethod
    def _head(table: Refinement) -> tuple[str, ...]:
        return ("quantity", table.setting, "value", "error", "order", "")

    def html(self) -> str:
        """The tables for a page."""
        parts = [f"<h3>{html.escape(self.name)}, t = {self.t:g}</h3>"]
        for table in self.tables:
            lines = [f"<tr>{_cells('th', self._head(table))}</tr>"]
            lines += [f"<tr>{_cells('td', row)}</tr>" for row in table.rows()]
            parts.append(f"<table>{''.join(lines)}</table>")
            if table.unchanged():
                names = html.escape(", ".join(table.unchanged()))
                parts.append(f"<p>No change with {table.setting}: {names}.</p>")
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        return self.html()

    def to_xarray(self) -> Any:
        """`value`, `error`, `order` over (setting, quantity, level), and `size` of each level."""
        import xarray

        axes = ("setting", "quantity", "level")
        names = list(self.tables[0].values)
        found = {
            "value": [[table.values[name] for name in names] for table in self.tables],
            "error": [[table.errors(name) for name in names] for table in self.tables],
            "order": [[table.orders(name) for name in names] for table in self.tables],
        }
        variables: dict[str, Any] = {name: (axes, np.array(x)) for name, x in found.items()}
        variables["size"] = (("setting", "level"), np.array([table.sizes for table in self.tables]))
        coordinates = {"setting": [table.setting for table in self.tables], "quantity": names}
        return xarray.Dataset(variables, coordinates, {"case": self.name, "t": self.t})


def convergence(
    problem: Case | str,
    refine: str | Iterable[str] | None = None,
    levels: Whole = 3,
    quantities: Iterable[str] | None = None,
    factor: Real = 2.0,
) -> Convergence:
    """Errors and observed orders of a case, by refining its grid and its time steps.

    The case as it stands is the coarsest level: start from a small one. Grids grow by `factor` from
    level to level, at a hundredth of the case's tolerance; the tolerance falls by ten on the case's
    own grid. Compared are the scalars that a run records, at its end.

    Example:
        >>> import relaxon as rx
        >>> start = rx.case("reaction-limit", n=8, t_end=0.02)
        >>> found = rx.convergence(start, "n", quantities=["amp1"])
        >>> found["n"].sizes
        array([ 8., 16., 32.])
        >>> found["n"].kind("amp1")
        'spectral'

    Args:
        problem: A case, or the name of a ready-made one.
        refine: What to refine: sizes of the grid (`n`, and `nodes` where velocities have nodes of
            their own), "rtol"; None is all that there is.
        levels: How many levels, at least 3.
        quantities: Names of diagnostics; None is all that measure the solution: not the invariants,
            extrema over grid points or counts of steps.
        factor: How much larger a grid is than the one before, > 1.

    Returns:
        The tables: print them, take one with `found["n"]`, or `to_xarray()`.

    Raises:
        InputError: An argument outside its range, an unknown name, or a run that does not reach
            its end time, so that there is nothing to compare.
    """
    start = case(problem) if isinstance(problem, str) else problem
    require(isinstance(start, Case), f"convergence needs a case, but got a {type(start).__name__}.")
    start.require_numbers("convergence")
    levels, given, factor = whole("levels", levels, 3), factor, scalar(factor)
    require(1 < factor <= 10, f"factor must lie in (1, 10], but is {shown(given)}.")
    allowed = [*start.problem.grid.refines, TIME]
    chosen = allowed if refine is None else [refine] if isinstance(refine, str) else list(refine)
    for setting in chosen:
        if setting not in allowed:
            raise unknown("setting to refine", str(setting), allowed)
    require(bool(chosen), f"refine names nothing; allowed: {', '.join(allowed)}.")
    names = None if quantities is None else list(quantities)
    tables = tuple(_refined(start, setting, levels, names, factor) for setting in chosen)
    return Convergence(start.name, start.t_end, tables)


def _refined(
    start: Case, setting: str, levels: int, names: list[str] | None, factor: float
) -> Refinement:
    """One setting refined."""
    if setting == TIME:
        sizes = start.rtol / FINER ** np.arange(levels)
        changes = [{"run.rtol": float(size)} for size in sizes]
    else:
        first = start.settings["grid"].get(setting, getattr(start.problem.grid, setting, None))
        sizes = 2.0 * np.round(first * factor ** np.arange(levels) / 2)  # some grids want even ones
        sizes[0] = first
        rtol = max(start.rtol / QUIETER, ROUNDING)
        changes = [{f"grid.{setting}": int(size), "run.rtol": rtol} for size in sizes]
    ends = [_end(start, change) for change in changes]
    if names is None:
        invariants = tuple(start.problem.equation.invariants(start.problem.f0, start.problem.grid))
        names = [name for name in ends[0] if measures(name, invariants)]
        names = [name for name in names if all(np.isfinite(end[name]) for end in ends)]
    for name in names:
        if name not in ends[0]:
            raise unknown("diagnostic", name, ends[0])
    return Refinement(
        setting, sizes, {name: np.array([end[name] for end in ends]) for name in names}
    )


def _end(start: Case, changes: Mapping[str, Any]) -> dict[str, float]:
    """The diagnostics at the end of the case with some settings changed."""
    whole = {**changes, "record.times": 2, "record.towards_end": False}
    solution = start.changed(whole).solve()
    if not solution.ok:
        raise InputError(
            f"{start.name} ends with {solution.status.name} at t = {solution.t[-1]:.4g} and not at "
            f"t = {start.t_end:g}, so levels cannot be compared; take a smaller t_end."
        )
    ends = {name: values[-1] for name, values in solution.diagnostics.items()}
    return {name: float(end) for name, end in ends.items() if np.ndim(end) == 0}


def _cells(tag: str, row: Iterable[str]) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
