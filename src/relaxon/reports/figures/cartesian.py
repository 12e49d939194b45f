"""Figures of runs on Cartesian velocity grids."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from relaxon.reports.figures.catalogue import figure as entered
from relaxon.reports.figures.style import BLUE, GREEN, ORANGE, WIDE, at_time, panels, spread
from relaxon.runs.solution import Solution

FLOOR = 1e-6
"""Values below this fraction of the maximum are drawn as the darkest colour."""


def is_cartesian(solution: Solution) -> bool:
    """Whether a run is one on a Cartesian velocity grid."""
    return set(solution.coordinates) in ({"v1", "v2"}, {"v1", "v2", "v3"})


@entered("plane", when=is_cartesian, part="state")
def plane(solution: Solution) -> Figure:
    """The distribution over (v1, v2) at several times, logarithmic; integrated over v3 in d = 3."""
    v = np.asarray(solution.coordinates["v1"], float)
    f = np.asarray(solution.f, float)
    if f.ndim == 4:
        f = f.sum(axis=3) * (v[1] - v[0])
    times = spread(np.arange(len(solution.t)), 4)
    top = float(np.max(f))
    figure, row = panels(len(times), 2.9, WIDE)
    extent = (v[0], -v[0], v[0], -v[0])
    for axes, k in zip(row, times):
        image = axes.imshow(
            np.maximum(f[k].T, FLOOR * top),
            norm=LogNorm(FLOOR * top, top),
            origin="lower",
            extent=extent,
            cmap="viridis",
            interpolation="bicubic",
        )
        axes.grid(False)
        axes.set_title(at_time(solution.t[k]))
        axes.set_xlabel("$v_1$")
    row[0].set_ylabel("$v_2$")
    for axes in row[1:]:
        axes.set_yticklabels([])
    label = "$f$" if solution.f.ndim == 3 else r"$\int f \, dv_3$"
    figure.colorbar(image, ax=row, label=label, shrink=0.85)
    return figure


@entered("temperatures", when=is_cartesian, part="laws")
def temperatures(solution: Solution) -> Figure:
    """The variance along each axis over time, and the distance from equilibrium."""
    t = np.asarray(solution.t, float)
    positive = t > 0
    figure, (axes, right) = panels(2)
    mark = "o" if np.sum(positive) == 1 else None  # one point makes no line
    for i, colour in zip(range(len(solution.coordinates)), (BLUE, ORANGE, GREEN)):
        values = np.asarray(solution.diagnostics[f"temperature_{i}"], float)
        label = f"$T_{i + 1}$"
        axes.semilogx(t[positive], values[positive], marker=mark, color=colour, label=label)
    axes.axhline(float(solution.diagnostics["temperature"][0]), color="black", lw=0.9, ls=":")
    axes.set_xlabel("$t$")
    axes.set_ylabel("$T_i$")
    axes.set_title("(a) variance along each axis", loc="left")
    axes.legend()
    entropy = np.asarray(solution.diagnostics["relative_entropy"], float)
    right.loglog(t[positive], np.maximum(entropy[positive], 1e-18), marker=mark, color=BLUE)
    right.set_ylabel(r"$H(f \,|\, M)$")
    right.set_xlabel("$t$")
    right.set_title(r"(b) relative entropy", loc="left")
    return figure
