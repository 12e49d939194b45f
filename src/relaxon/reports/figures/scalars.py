"""Figures of what any run records: the drift of invariants, and every scalar."""

from __future__ import annotations

import math

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure

from relaxon.core.errors import printable
from relaxon.reports.figures.catalogue import figure as entered
from relaxon.reports.figures.style import BLUE, GREEN, ORANGE, WIDTH, beside, canvas, panels
from relaxon.reports.headlines.catalogue import ledger
from relaxon.reports.recorded import reaction
from relaxon.runs.solution import Solution


@entered("invariants", when=lambda s: bool(ledger(s)), part="invariants")
def invariants(solution: Solution) -> Figure:
    """The relative change of each invariant over time; changes of exactly zero are marked."""
    figure, (axes,) = panels(1, height=3.0)
    floor, highest = 1e-17, 1e-14
    conserved = not reaction(solution)
    t, keep = solution.t, solution.t > 0
    marks = (("o", BLUE), ("s", ORANGE), ("^", GREEN))
    for entry, (mark, colour) in zip(ledger(solution), marks):
        values = np.asarray(solution.diagnostics[entry.name], float)
        change = np.abs(values - values[0])[keep] / solution.scale(entry.name)
        zero = change == 0
        shown = np.where(zero, floor, change)
        label = f"{entry.name.replace('_', ' ')}: largest {entry.drift:.1e}"
        axes.plot(t[keep], shown, color=colour, lw=0.8, alpha=0.6)
        axes.plot(t[keep][~zero], shown[~zero], mark, color=colour, ms=3.5, label=label)
        axes.plot(t[keep][zero], shown[zero], mark, color=colour, ms=3.5, mfc="white")
        highest = max(highest, float(np.max(shown)))
    axes.set_yscale("log")
    if conserved:
        label = r"rounding unit $2.2 \times 10^{-16}$"
        axes.axhline(2.2e-16, color="black", ls="--", lw=0.9, label=label)
        axes.set_xscale("log")
        axes.set_ylim(floor / 3, 10 * highest)
    axes.set_xlabel("$t$")
    axes.set_ylabel("relative change since $t = 0$")
    unchanged = r"open symbols at $10^{-17}$: no change at all"
    changing = "the reaction changes the moments"
    axes.set_title(unchanged if conserved else changing, loc="left")
    beside(axes)
    return figure


@entered("diagnostics", when=lambda s: bool(s.diagnostics), part="everything")
def diagnostics(solution: Solution) -> Figure:
    """Every recorded scalar over time; for runs of any kind."""
    names = sorted(n for n, x in solution.diagnostics.items() if np.ndim(x) == 1)
    columns = 4
    rows = math.ceil(len(names) / columns)
    figure = canvas(1.75 * rows, WIDTH + 1.8)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    keep = solution.t > 0 if len(solution.t) > 1 else np.ones(1, bool)
    for axes, name in zip(grid, names):
        values = np.asarray(solution.diagnostics[name], float)[keep]
        axes.plot(solution.t[keep], values, color=BLUE, lw=1.2)
        if len(values) > 1:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(ticker.LogLocator(numticks=4))
            axes.xaxis.set_minor_locator(ticker.NullLocator())
        if np.all(values > 0) and np.max(values) > 30 * np.min(values):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(ticker.LogLocator(numticks=4))
            axes.yaxis.set_minor_locator(ticker.NullLocator())
        else:
            axes.ticklabel_format(axis="y", useOffset=False)
            finite = values[np.isfinite(values)]
            if len(finite) and np.ptp(finite) <= 1e-9 * np.max(np.abs(finite)):
                middle = float(finite[0])
                axes.set_ylim(middle - 0.1 * (abs(middle) or 1), middle + 0.1 * (abs(middle) or 1))
        title = printable(name.replace("_", " "))
        axes.set_title(title, loc="left", fontsize=8, parse_math=False)
        axes.tick_params(labelsize=7)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    for axes in grid[max(0, len(names) - columns) : len(names)]:
        axes.set_xlabel("$t$")
    return figure
