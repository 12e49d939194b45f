"""How figures look: palette, matplotlib's settings, widths, and what several figures share."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
"""Colours that readers with colour blindness can tell apart (Okabe and Ito)."""

STYLE: Any = {
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.dpi": 100,
    "savefig.dpi": 180,
    "mathtext.fontset": "cm",
    "svg.hashsalt": "relaxon",
}

WIDTH = 7.2
"""Width of a figure in inches."""

WIDE = WIDTH + 0.8
"""Width of a figure with a colour bar."""


def canvas(height: float, width: float = WIDTH) -> Figure:
    """An empty figure whose parts do not overlap."""
    return Figure(figsize=(width, height), layout="constrained")


def panels(count: int, height: float = 3.3, width: float = WIDTH) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes side by side."""
    figure = canvas(height, width)
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def beside(axes: Axes) -> None:
    """The legend to the right of the axes, where it covers nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)


def spread(indices: Any, count: int) -> list[int]:
    """So many of the indices, evenly, with the first and the last."""
    chosen = np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)
    return [int(indices[k]) for k in chosen]


def ramp(count: int) -> list[Any]:
    """Colours from dark to light for increasing time."""
    return [matplotlib.colormaps["viridis"](x) for x in np.linspace(0.0, 0.88, count)]


def power(x: float) -> str:
    """A number in mathematical notation."""
    if x == 0 or 1e-2 <= abs(x) < 1e3:
        return f"{x:.3g}"
    mantissa, exponent = f"{x:.1e}".split("e")
    digits = float(mantissa)
    front = "" if digits == 1 else rf"{digits:g} \times "
    return rf"{front}10^{{{int(exponent)}}}"


def at_time(t: float, end: float | None = None) -> str:
    """How a time is written: t, or the distance to the blow-up time `end` once it is small."""
    if end is not None and t > 0.9 * end:
        return f"$t^* - t = {power(end - t)}$"
    return f"$t = {power(t)}$"
