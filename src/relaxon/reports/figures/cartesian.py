"""Figures of runs on Cartesian velocity grids; see `relaxon.reports.figures.radial`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from relaxon.reports.figures import radial as plot
from relaxon.runs.solution import Solution

FLOOR = 1e-6
"""Values below this fraction of the maximum are drawn as the darkest colour."""


def plane(solution: Solution) -> Figure:
    """The distribution over (v1, v2) at several times, logarithmic; integrated over v3 in d = 3."""
    v = np.asarray(solution.coordinates["v1"], float)
    f = np.asarray(solution.f, float)
    if f.ndim == 4:
        f = f.sum(axis=3) * (v[1] - v[0])
    times = plot._spread(np.arange(len(solution.t)), 4)
    top = float(np.max(f))
    figure = Figure(figsize=(plot.WIDTH + 0.8, 2.9), layout="constrained")
    panels = figure.subplots(1, len(times), squeeze=False)[0]
    extent = (v[0], -v[0], v[0], -v[0])
    for axes, k in zip(panels, times):
        image = axes.imshow(
            np.maximum(f[k].T, FLOOR * top),
            norm=LogNorm(FLOOR * top, top),
            origin="lower",
            extent=extent,
            cmap="viridis",
            interpolation="bicubic",
        )
        axes.grid(False)
        axes.set_title(plot._labels(solution)(solution.t[k]))
        axes.set_xlabel("$v_1$")
    panels[0].set_ylabel("$v_2$")
    for axes in panels[1:]:
        axes.set_yticklabels([])
    label = "$f$" if solution.f.ndim == 3 else r"$\int f \, dv_3$"
    figure.colorbar(image, ax=list(panels), label=label, shrink=0.85)
    return figure


def temperatures(solution: Solution) -> Figure:
    """The variance along each axis over time, and the distance from equilibrium."""
    t = np.asarray(solution.t, float)
    positive = t > 0
    figure, panels = plot._panels(2)
    axes = panels[0]
    for i in range(len(solution.coordinates)):
        values = np.asarray(solution.diagnostics[f"temperature_{i}"], float)
        axes.semilogx(t[positive], values[positive], label=f"$T_{i + 1}$")
    axes.axhline(float(solution.diagnostics["temperature"][0]), color="black", lw=0.9, ls=":")
    axes.set_xlabel("$t$")
    axes.set_title("(a) variance along each axis", loc="left")
    axes.legend()
    axes = panels[1]
    entropy = np.asarray(solution.diagnostics["relative_entropy"], float)
    axes.loglog(t[positive], np.maximum(entropy[positive], 1e-18))
    axes.set_xlabel("$t$")
    axes.set_title(r"(b) relative entropy $H(f \,|\, M)$", loc="left")
    return figure


def _cartesian(solution: Solution) -> bool:
    return set(solution.coordinates) in ({"v1", "v2"}, {"v1", "v2", "v3"}) and len(solution.t) > 1


FIGURES: dict[str, tuple[Callable[[Solution], Figure], Callable[[Solution], bool]]] = {
    "plane": (plane, _cartesian),
    "temperatures": (temperatures, _cartesian),
}
"""Figures by name, each with the runs that it applies to."""
