"""Figures of dynamical screening: the weight K(u), the dispersion function, the effect of both.

Unlike other figures these evaluate the dispersion function of what was recorded.
"""

from __future__ import annotations

import math
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from relaxon.runs.solution import Solution

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
WIDTH = 7.2


def is_screened(solution: Solution) -> bool:
    """Whether a run is of the Lenard-Balescu equation on a radial grid."""
    equation = solution.provenance.get("equation", {})
    named = isinstance(equation, dict) and equation.get("class") == "LenardBalescu"
    return named and set(solution.coordinates) == {"r"} and len(solution.t) > 1


def screening(solution: Solution) -> Figure:
    """The screened weight K(u) at several times over that of Landau, and the Penrose margin.

    K differs from K_0 by what the medium does to the interaction: below one it shields, above
    one a weakly damped wave carries it.
    """
    potential, grid = _objects(solution)
    entropy = np.asarray(solution.diagnostics["relative_entropy"], float)
    middle = int(np.argmax(entropy < 0.2 * entropy[0]))
    chosen = sorted({0, middle, len(solution.t) - 1})
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    base = _unscreened(potential)
    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.85, len(chosen)))
    for k, colour in zip(chosen, colours):
        u, z = _dispersion(potential, grid, solution.f[k])
        weight = np.asarray(potential.screening(z)) / base
        left.semilogy(u, weight, color=colour, label=f"$t = {solution.t[k]:.3g}$")
    width = math.sqrt(float(solution.diagnostics["temperature"][0]))
    left.set_xlim(0, 8 * width)
    left.axhline(1.0, color="black", ls="--", lw=0.9, label="Landau")
    left.set_xlabel("$u = n \\cdot v$")
    left.set_ylabel("$K(u) / K_0$" if base != 1.0 else "$K(u)$")
    left.set_title("(a) screened weight", loc="left")
    left.legend(loc="best")
    margin = np.asarray(solution.diagnostics["penrose_margin"], float)
    keep = solution.t > 0
    right.loglog(solution.t[keep], margin[keep], color=BLUE)
    right.set_xlabel("$t$")
    right.set_ylabel(r"$\min_{k,u}\, |\varepsilon(k, u)|$")
    right.set_title("(b) Penrose margin", loc="left")
    return figure


def dispersion(solution: Solution) -> Figure:
    """|eps(k, u)| at the end of the run, with the curve Re eps = 0 of weakly damped waves.

    Dark is weak damping: a particle of velocity component u along k excites the wave there.
    """
    potential, grid = _objects(solution)
    u, z = _dispersion(potential, grid, solution.f[-1])
    return dispersion_map(potential, u, z, float(solution.diagnostics["temperature"][-1]))


def dispersion_map(potential: Any, u: np.ndarray, z: Any, temperature: float = 0.5) -> Figure:
    """The map of |eps(k, u)| for z(u) on a line u >= 0."""
    import jax.numpy as jnp

    reach = 8 * math.sqrt(temperature)
    inside = u <= reach
    u, z = u[inside], np.asarray(z)[inside]
    lowest = max(float(np.asarray(potential.v_max)) * 1e-4, 1e-300)
    top = 4.0
    if math.isfinite(float(potential.v_max)):
        k_end = float(potential.wavenumber(jnp.asarray(max(lowest, float(potential.v_min)))))
        top = min(max(k_end, 1e-3), 50.0)
    k = np.linspace(max(top / 400, float(getattr(potential, "k_min", 0.0))), top, 300)
    vhat = np.asarray(potential.vhat(jnp.asarray(k)))[:, None]
    eps = 1 + vhat * z
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
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
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
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


def _objects(solution: Solution) -> tuple[Any, Any]:
    from relaxon.core.registry import from_spec

    equation = from_spec(solution.provenance["equation"])
    return equation.potential, from_spec(solution.provenance["grid"])


def _dispersion(potential: Any, grid: Any, f: np.ndarray) -> tuple[np.ndarray, Any]:
    """u and z(u) at the Gauss points of the solver."""
    import jax.numpy as jnp

    from relaxon.collisions.radial.screening import radial_screening

    model = radial_screening(potential, grid)
    z = model.dispersion(jnp.log(jnp.maximum(jnp.asarray(f), 1e-300)))
    return np.asarray(model.strips.radius).ravel(), z.reshape(-1)


def _unscreened(potential: Any) -> float:
    """K_0, or one where it diverges (Coulomb without k_min)."""
    from relaxon.core.errors import InputError

    try:
        return float(potential.k0())
    except InputError:
        return 1.0
