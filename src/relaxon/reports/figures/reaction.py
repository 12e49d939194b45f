"""Figures of the reaction model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure

from relaxon.distributions.gaussians import isotropic
from relaxon.reaction.theory.scaled_rates import gaussian_map, gaussian_variances
from relaxon.reports.figures.catalogue import figure as entered
from relaxon.reports.figures.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    WIDE,
    at_time,
    beside,
    canvas,
    panels,
    ramp,
    spread,
)
from relaxon.reports.headlines.reaction import (
    is_confined,
    is_linear,
    is_reaction,
    measured_rate,
    model,
    observed_rates,
    rates,
    rho_infinity,
)
from relaxon.reports.recorded import positions, side
from relaxon.runs.solution import Solution

VISIBLE = 1e-6
"""Part of the largest Gibbs density above which densities relative to it are shown."""


def is_followed(solution: Solution) -> bool:
    """Whether a run is one of the reaction model, recorded at more times than its two ends."""
    return len(solution.t) > 2 and is_reaction(solution)


def has_fields(*names: str) -> Callable[[Solution], bool]:
    """Whether a run of the reaction model recorded these fields."""
    return lambda solution: set(names) <= set(solution.fields) and is_followed(solution)


def on_a_line(solution: Solution) -> bool:
    """Whether a run recorded f over one position and one velocity."""
    axes = set(solution.coordinates)
    return has_fields("f")(solution) and axes in ({"x", "v"}, {"x", "xi"})


def decays(solution: Solution) -> bool:
    """Whether there are rates to compare the decay of a run with."""
    return is_followed(solution) and rates(solution) is not None


@entered(
    "densities",
    when=lambda s: "x" in s.coordinates and has_fields("rho_f", "rho_g")(s),
    part="state",
)
def densities(solution: Solution) -> Figure:
    """The densities of both species over x at several times; the dotted line is the equilibrium.

    Under a confining potential they are relative to exp(-phi), and shown where it is above
    `VISIBLE` of its largest value.
    """
    confined = is_confined(solution)
    shown = _visible(solution) if confined else slice(None)
    x = np.asarray(solution.coordinates["x"], float)[shown]
    times = spread(_milestones(solution), 5)
    figure, both = panels(2, height=3.6)
    r = rho_infinity(solution)
    linear = is_linear(solution)
    for axes, name, title, end in (
        (both[0], "rho_f", r"(a) $\rho_f(t, x)$", r),
        (both[1], "rho_g", r"(b) $\rho_g(t, x)$", 1 / r),
    ):
        for k, colour in zip(times, ramp(len(times))):
            axes.plot(
                x,
                solution.fields[name][k][shown],
                color=colour,
                label=at_time(solution.t[k]),
            )
        level = 0.0 if linear else end
        axes.axhline(level, color=RED, lw=1.0, ls=":", label="equilibrium")
        axes.set_xlabel("$x$")
        words = ", perturbation" if linear else r", relative to $e^{-\phi}$" if confined else ""
        axes.set_title(title + words, loc="left")
    figure.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


@entered(
    "picture",
    when=lambda s: has_fields("m", "rho_f", "rho_g")(s) and np.ndim(s.fields["m"]) == 3,
    part="state",
)
def picture(solution: Solution) -> Figure:
    """The difference m of the densities (above) and the product (below) over the plane."""
    times = spread(_milestones(solution), 4)
    m = solution.fields["m"]
    product = solution.fields["rho_f"] * solution.fields["rho_g"]
    top = float(np.max(np.abs(m[0])))
    far = max(float(np.max(np.abs(product[times] - 1))), 1e-12)
    figure = canvas(4.2, WIDE)
    grid = figure.subplots(2, len(times), squeeze=False)
    length = side(solution)
    box: Any = {"origin": "lower", "extent": (0, length, 0, length), "interpolation": "bicubic"}
    for column, k in enumerate(times):
        above = grid[0, column].imshow(m[k].T, cmap="RdBu_r", vmin=-top, vmax=top, **box)
        below = grid[1, column].imshow(
            product[k].T, cmap="PuOr_r", vmin=1 - far, vmax=1 + far, **box
        )
        grid[0, column].set_title(at_time(solution.t[k]))
        for axes in grid[:, column]:
            axes.grid(False)
            axes.set_xticks([0, length])
            axes.set_yticks([0, length] if column == 0 else [])
    for row in grid:
        row[0].set_ylabel("$x_2$", labelpad=-6)
    for axes in grid[1]:
        axes.set_xlabel("$x_1$", labelpad=-6)
    figure.colorbar(above, ax=grid[0], label=r"$m = \rho_f - \rho_g$", shrink=0.9)
    figure.colorbar(below, ax=grid[1], label=r"$\rho_f \rho_g$", shrink=0.9)
    return figure


@entered("phase", when=on_a_line, part="state")
def phase(solution: Solution) -> Figure:
    """The first species over phase space at four times.

    Under a confining potential it is shown relative to the Gibbs density exp(-phi) chi, where
    that is above `VISIBLE` of its largest value; transport turns this ratio about the minimum of
    the potential, and its equilibrium is a constant.
    """
    times = spread(_milestones(solution), 4)
    f = np.asarray(solution.fields["f"])
    confined = is_confined(solution)
    speed = "xi" if confined else "v"
    x, v = (np.asarray(solution.coordinates[name], float) for name in ("x", speed))
    height = 4 * _width(f, v)
    weight = None
    if confined:
        gibbs = np.asarray(positions(solution).gibbs)
        weight = gibbs[:, None] * np.asarray(isotropic(v, 1.0, 1.0, d=1))
        f, height = f / weight, float(np.sqrt(-2 * np.log(VISIBLE)))
    seen = f[times] if weight is None else f[times][:, weight > VISIBLE * weight.max()]
    top, least = float(np.max(seen)), float(np.min(seen))
    figure, row = panels(len(times), 2.6, WIDE)
    scale: Any = {"vmin": least if confined else min(0.0, least), "vmax": top}
    scale |= {"cmap": "RdBu_r" if confined else "viridis", "shading": "gouraud"}
    for axes, k in zip(row, times):
        mesh = axes.pcolormesh(x, v, f[k].T, rasterized=True, **scale)
        if weight is not None:  # nothing to see beyond
            depth = np.log(weight.T / weight.max())
            ends = [depth.min() - 1, np.log(VISIBLE)]
            axes.contourf(x, v, depth, levels=ends, colors="white", antialiased=True)
            axes.set_xlim(*x[_visible(solution)][[0, -1]])
        axes.grid(False)
        axes.set_title(at_time(solution.t[k]))
        axes.set_xlabel("$x$")
        axes.xaxis.set_major_locator(ticker.MaxNLocator(4, prune="both"))
        axes.set_ylim(-height, height)
    row[0].set_ylabel(r"$\xi = v/\sqrt{T_1}$" if confined else "$v$")
    for axes in row[1:]:
        axes.set_yticklabels([])
    label = r"$f / (e^{-\phi} \chi)$" if confined else "$f(t, x, v)$"
    figure.colorbar(mesh, ax=row, label=label)
    return figure


@entered(
    "reaction-entropy",
    when=lambda s: "entropy" in s.diagnostics and is_followed(s),
    part="laws",
)
def entropy(solution: Solution) -> Figure:
    """The entropy (5) relative to equilibrium, and its production (6) beside its rate of change."""
    t, keep = solution.t, solution.t > 0
    h = np.asarray(solution.diagnostics["entropy"], float)
    figure, (left, right) = panels(2)
    good = keep & (h > 0)
    left.semilogy(t[good], h[good], color=BLUE)
    grown = float(np.max(np.diff(h)))
    words = "never increased" if grown <= 0 else f"largest increase {grown:.1e}"
    left.set_title(f"(a) relative entropy: {words}", loc="left")
    left.set_ylabel("$H(f, g)$")
    if "entropy_production" in solution.diagnostics:
        made = np.asarray(solution.diagnostics["entropy_production"], float)
        shown = keep & (made > 0)
        right.semilogy(t[shown], made[shown], color=BLUE, label="production (6)")
    middle, slope = (t[1:] + t[:-1]) / 2, -np.diff(h) / np.diff(t)
    shown = slope > 0
    label = r"$-\Delta H / \Delta t$ between records"
    right.semilogy(middle[shown], slope[shown], "o", ms=3, color=ORANGE, label=label)
    right.set_title("(b) entropy production", loc="left")
    right.legend()
    for axes in (left, right):
        axes.set_xlabel("$t$")
    return figure


@entered("rates", when=decays, part="laws")
def decay(solution: Solution) -> Figure:
    """Distance to equilibrium with the rates that are proven (DMS, H1) and the true one drawn in.

    The true rate is that of the wave that the run follows, the proven ones hold for all.

    The lines begin at the distance at a tenth of the time: they show slopes; what the proofs
    allow is such a line times a constant.
    """
    found, observed = rates(solution), observed_rates(solution)
    assert found is not None and observed is not None
    t = solution.t
    figure, (axes,) = panels(1, height=3.5)
    y = np.asarray(solution.diagnostics["distance"], float)
    axes.semilogy(t, y, color=BLUE, lw=2.2, label=r"$\|F\|_w$, norm (10)")
    first = int(np.argmin(np.abs(t - 0.1 * t[-1])))
    for rate, label, colour, style in (
        (observed.true, "true: spectral gap", "black", "--"),
        (found.dms, "proven: Theorem 2.1 (DMS)", ORANGE, "-."),
        (found.h1, "proven: section 2.2 ($H^1$)", GREEN, ":"),
    ):
        if rate is None:
            continue
        line = y[first] * np.exp(-rate * (t - t[first]))
        axes.semilogy(
            t[first:], line[first:], color=colour, ls=style, lw=1.3, label=f"{label}, {rate:.4g}"
        )
    if "amp1" in solution.diagnostics:
        wave = np.asarray(solution.diagnostics["amp1"], float)
        words = "wave of $m$" if found.k is not None else "part of $m$ linear in $x$"
        floor = 1e-3 * float(np.min(y[y > 0]))
        axes.semilogy(t, np.where(wave > floor, wave, np.nan), color=PURPLE, lw=1.2, label=words)
    axes.set_xlabel("$t$")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(6))
    axes.set_ylabel("distance to equilibrium")
    said = [rf"$\rho_\infty = {found.rho_inf:.3g}$"]
    said += [] if found.k is None else [rf"$\varepsilon k = {found.k:.3g}$"]
    measured, _ = measured_rate(solution)
    said += [f"measured at the end {measured:.4g}"] if np.isfinite(measured) else []
    axes.set_title(", ".join(said), loc="left")
    beside(axes)
    return figure


def on_a_map(solution: Solution) -> bool:
    """Whether a run is a point of the map of rates."""
    found = rates(solution) if is_followed(solution) and is_linear(solution) else None
    return found is not None and found.k is not None


@entered("rate-map", when=on_a_map, part="laws")
def rate_map(solution: Solution) -> Figure:
    """True rate, and the share of it that Theorem 2.1 proves, over rho_inf and the wave number.

    The dashed curve is the critical wave number: below it there is a discrete eigenvalue, above
    it the essential spectrum decides. The cross is the run.
    """
    variances, found = gaussian_variances(model(solution)), rates(solution)
    assert variances is not None and found is not None and found.k is not None
    return draw_map(*variances, (found.rho_inf, found.k))


def draw_map(T1: float, T2: float, mark: tuple[float, float] | None = None) -> Figure:
    """The map of rates for Gaussian profiles of variance T1, T2; `mark` is a point on it."""
    table = gaussian_map(T1, T2)
    r, k = table.rho_inf, table.k
    figure, both = panels(2, height=3.4)
    for axes, values, title, label in (
        (both[0], table.true, "(a) true rate", "rate of the norm"),
        (both[1], table.dms / table.true, "(b) share proven (DMS)", "DMS rate / true rate"),
    ):
        mesh = axes.pcolormesh(
            r, k, values.T, cmap="viridis", shading="gouraud", vmin=0, rasterized=True
        )
        lines = axes.contour(r, k, values.T, colors="white", linewidths=0.7)
        axes.clabel(lines, fontsize=7, fmt="%g")
        axes.plot(r, table.critical, color=ORANGE, ls="--", lw=1.3, label="critical wave number")
        if mark is not None:
            axes.plot(*mark, "x", color=RED, ms=8, mew=2, label="this run", clip_on=False)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
        axes.xaxis.set_minor_locator(ticker.NullLocator())
        axes.set_xlim(r[0], r[-1])
        axes.set_ylim(k[0], k[-1])
        axes.grid(False)
        axes.set_xlabel(r"$\rho_\infty$")
        axes.set_ylabel("$k$")
        axes.set_title(title, loc="left")
        figure.colorbar(mesh, ax=axes, label=label)
    handles = both[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)
    return figure


def _milestones(solution: Solution) -> np.ndarray:
    """Indices of times between which the distance to equilibrium falls by equal amounts."""
    y = np.asarray(solution.diagnostics["distance"], float)
    wanted = np.linspace(y[0], y[-1], 6)
    return np.unique([int(np.argmin(np.abs(y - w))) for w in wanted] + [0, len(y) - 1])


def _visible(solution: Solution) -> np.ndarray:
    """Where the Gibbs density of a confined run carries mass: nodal values beyond are rough."""
    gibbs = np.asarray(positions(solution).gibbs)
    return gibbs > VISIBLE * gibbs.max()


def _width(f: np.ndarray, v: np.ndarray) -> float:
    """Root mean square velocity of |f| at t = 0."""
    weight = np.sum(np.abs(f[0]), axis=0)
    return float(np.sqrt(np.sum(weight * v**2) / np.sum(weight)))
