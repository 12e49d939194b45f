"""Figures of dynamical screening: the weight K(u), the dispersion function, the effect of both.

Unlike other figures these ask the operator for the dispersion function of what was recorded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from relaxon.collisions.lenard_balescu import LenardBalescu
from relaxon.collisions.radial.screening import dispersion_of
from relaxon.core.registry import from_spec
from relaxon.reports.figures.catalogue import figure as entered
from relaxon.reports.figures.style import BLUE, ORANGE, canvas, panels, ramp
from relaxon.reports.recorded import equation, spec
from relaxon.runs.solution import Solution
from relaxon.screening.dispersion import epsilon_plane, weight_ratio


def is_screened(solution: Solution) -> bool:
    """Whether a run is of the Lenard-Balescu equation on a radial grid."""
    return isinstance(equation(solution), LenardBalescu) and set(solution.coordinates) == {"r"}


@entered("screening", when=is_screened, part="medium")
def screening(solution: Solution) -> Figure:
    """The screened weight K(u) at several times over that of Landau, and the Penrose margin.

    K differs from K_0 by what the medium does to the interaction: below one it shields, above
    one a weakly damped wave carries it.
    """
    potential, grid = equation(solution).potential, from_spec(spec(solution, "grid"))
    entropy = np.asarray(solution.diagnostics["relative_entropy"], float)
    middle = int(np.argmax(entropy < 0.2 * entropy[0]))
    chosen = sorted({0, middle, len(solution.t) - 1})
    figure, (left, right) = panels(2, 3.2)
    for k, colour in zip(chosen, ramp(len(chosen))):
        u, z = dispersion_of(potential, grid, solution.f[k])
        weight, relative = weight_ratio(potential, z)
        left.semilogy(u, weight, color=colour, label=f"$t = {solution.t[k]:.3g}$")
    width = math.sqrt(float(solution.diagnostics["temperature"][0]))
    left.set_xlim(0, 8 * width)
    left.axhline(1.0, color="black", ls="--", lw=0.9, label="Landau")
    left.set_xlabel("$u = n \\cdot v$")
    left.set_ylabel("$K(u) / K_0$" if relative else "$K(u)$")
    left.set_title("(a) screened weight", loc="left")
    left.legend(loc="best")
    margin = np.asarray(solution.diagnostics["penrose_margin"], float)
    keep = solution.t > 0
    right.loglog(solution.t[keep], margin[keep], color=BLUE)
    right.set_xlabel("$t$")
    right.set_ylabel(r"$\min_{k,u}\, |\varepsilon(k, u)|$")
    right.set_title("(b) Penrose margin", loc="left")
    return figure


@entered("dispersion", when=is_screened, part="medium")
def dispersion(solution: Solution) -> Figure:
    """|eps(k, u)| at the end of the run, with the curve Re eps = 0 of weakly damped waves.

    Dark is weak damping: a particle of velocity component u along k excites the wave there.
    """
    potential, grid = equation(solution).potential, from_spec(spec(solution, "grid"))
    u, z = dispersion_of(potential, grid, solution.f[-1])
    return dispersion_map(potential, u, z, float(solution.diagnostics["temperature"][-1]))


def dispersion_map(potential: Any, u: Any, z: Any, temperature: float = 0.5) -> Figure:
    """The map of |eps(k, u)| for z(u) on a line u >= 0."""
    u = np.asarray(u)
    inside = u <= 8 * math.sqrt(temperature)
    u, z = u[inside], np.asarray(z)[inside]
    k, eps = epsilon_plane(potential, z)
    figure = canvas(3.6)
    axes = figure.subplots()
    size = np.abs(eps)
    norm = LogNorm(max(float(size.min()), 1e-8), float(size.max()))
    image = axes.pcolormesh(u, k, size, norm=norm, cmap="magma", shading="auto", rasterized=True)
    if np.any(eps.real < 0):
        axes.contour(u, k, eps.real, levels=[0.0], colors="white", linewidths=1.0)
    figure.colorbar(image, ax=axes, label=r"$|\varepsilon(k, u)|$")
    axes.grid(visible=False)
    axes.set_xlabel("phase velocity $u$")
    axes.set_ylabel("wavenumber $k$")
    axes.set_title(r"white: $\mathrm{Re}\, \varepsilon = 0$", loc="left")
    return figure


def comparison(screened: Solution, bare: Solution) -> Figure:
    """A screened run beside the Landau run with the same prefactor: entropy and the centre.

    The ratio of the entropy productions is what screening does to the speed of relaxation.
    """
    figure, (left, right) = panels(2, 3.2)
    for solution, label, colour in (
        (screened, "Lenard-Balescu", BLUE),
        (bare, "Landau, same $L$", ORANGE),
    ):
        t, keep = solution.t, solution.t > 0
        entropy = np.asarray(solution.diagnostics["relative_entropy"], float)
        left.loglog(t[keep], entropy[keep], color=colour, label=label)
        production = np.asarray(solution.diagnostics["entropy_production"], float)
        right.loglog(entropy[keep], production[keep], color=colour, label=label)
    left.set_xlabel("$t$")
    left.set_ylabel(r"$H(F \,|\, M_{\rm eq})$")
    left.set_ylim(1e-12 * float(screened.diagnostics["relative_entropy"][0]), None)
    left.set_title("(a) relative entropy", loc="left")
    left.legend(loc="lower left")
    start = float(screened.diagnostics["relative_entropy"][0])
    right.set_xlim(1.3 * start, 1e-6 * start)
    shown = np.asarray(bare.diagnostics["relative_entropy"], float) > 1e-6 * start
    least = np.asarray(screened.diagnostics["entropy_production"], float)
    seen = np.asarray(screened.diagnostics["relative_entropy"], float) > 1e-6 * start
    highest = np.asarray(bare.diagnostics["entropy_production"], float)[shown].max()
    right.set_ylim(0.5 * least[seen].min(), 2 * highest)
    right.set_xlabel(r"$H(F \,|\, M_{\rm eq})$")
    right.set_ylabel("entropy production")
    right.set_title("(b) production at equal entropy", loc="left")
    return figure
