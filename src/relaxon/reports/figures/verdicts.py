"""Figures of verdicts: their margins, and what a check measured over its family of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure

from relaxon.reports.figures.style import BLUE, GREEN, ORANGE, PURPLE, RED, beside, canvas, panels

COLOURS = {"holds": GREEN, "fails": RED, "undecided": ORANGE}


def margins(found: Sequence[Any]) -> Figure:
    """The margin of each verdict in units of its error: right of 1 a statement holds."""
    names = [v.name for v in found]
    sizes = np.array([_ratio(v.margin, v.error) for v in found])
    figure = canvas(0.9 + 0.28 * len(names))
    axes = figure.subplots()
    axes.barh(np.arange(len(names)), sizes, color=[COLOURS[v.verdict] for v in found], height=0.62)
    axes.set_xscale("symlog", linthresh=1.0)
    axes.axvline(1, color="black", ls="--", lw=0.9)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("margin / error  (a statement holds to the right of the dashed line)")
    return figure


def family(found: Any) -> Figure:
    """What a check measured over its family of runs, with error bars and the fitted powers."""
    figure, (axes,) = panels(1, height=3.6)
    x = np.asarray(found.x, float)
    for k, curve in enumerate(found.curves):
        colour, marker = (BLUE, ORANGE, GREEN, PURPLE)[k % 4], "osD^"[k % 4]
        digits = max(1, 1 - math.floor(math.log10(max(curve.fit.error, 1e-5))))
        power = rf"${curve.fit.value:.{digits}f} \pm {curve.fit.error:.{digits}f}$"
        label = f"{curve.label}\npower {power}"
        # An error bar that reaches zero has no lower end on a logarithmic axis.
        below = np.minimum(curve.error, 0.9 * curve.y)
        bars: Any = {"yerr": np.stack([below, curve.error]), "capsize": 2, "elinewidth": 0.9}
        axes.errorbar(x, curve.y, fmt=marker, ms=4.5, color=colour, label=label, **bars)
        line = curve.fit.prefactor * x**curve.fit.value
        axes.plot(x, line, ls="--", lw=1.0, color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    if len(x) <= 8:
        axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_xlabel(found.label)
    axes.set_title(found.title, loc="left")
    beside(axes)
    return figure


def _ratio(margin: float, error: float) -> float:
    if not np.isfinite(margin):
        return 0.0
    return float(np.clip(margin / max(abs(error), 1e-300), -1e12, 1e12))
