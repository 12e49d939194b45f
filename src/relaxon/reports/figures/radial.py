"""Figures of runs of a homogeneous equation on a radial grid, and of scalars that such runs record.

Nothing here computes: what is drawn was recorded, except fits and the explicit formulas of the
blow-down theorem.
"""

from __future__ import annotations

import functools

import numpy as np
from matplotlib.figure import Figure

from relaxon.distributions.gaussians import isotropic
from relaxon.distributions.hot_spot import spot_at
from relaxon.numerics import fits
from relaxon.reports.figures.catalogue import figure as entered
from relaxon.reports.figures.style import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SKY,
    at_time,
    beside,
    panels,
    power,
    ramp,
    spread,
)
from relaxon.reports.headlines.blowdown import blowdown_settings, has_theorem
from relaxon.reports.headlines.blowup import blowup_fit
from relaxon.reports.headlines.relaxation import MONOTONE, decay_fit, relaxes
from relaxon.reports.recorded import dimension
from relaxon.runs.solution import Solution

SCALES = {f"{field}_field_{kind}" for field in ("near", "far") for kind in ("norm", "ratio")}
"""What a run of the two-scale system records."""


def is_radial(solution: Solution) -> bool:
    """Whether a run recorded distributions on a radial grid."""
    return set(solution.coordinates) == {"r"} and "f" in solution.fields


@entered("density", when=is_radial, part="state")
def density(solution: Solution) -> Figure:
    """The distribution over |v| at several times, on linear and logarithmic axes.

    With the equilibrium M_eq; for a blow-down run with M and the explicit profile M + E (1.4).
    """
    r, f = np.asarray(solution.coordinates["r"], float), solution.f
    times = _levels(solution, 5)
    near = np.flatnonzero(f[:, 0] <= 8 * min(f[0, 0], f[-1, 0]))
    late = times if len(near) == len(f) else spread(near, 4)
    times = sorted({*times, *late})
    settings = blowdown_settings(solution)
    plain = settings and relaxes(solution)
    described = [k for k in times if plain and solution.t[k] <= 1.0]
    fit = blowup_fit(solution)
    label_of = functools.partial(at_time, end=None if fit is None else fit.time)
    equilibrium = _equilibrium(solution, r)
    unit = np.asarray(isotropic(r, 1.0, 1.0))
    colours = dict(zip(times, ramp(len(times))))

    figure, (left, right) = panels(2, height=3.9)
    for axes, chosen in ((left, late), (right, times)):
        for k in chosen:
            axes.plot(r, f[k], color=colours[k], label=label_of(solution.t[k]))
        if settings:
            for k in (k for k in chosen if k in described):
                profile = unit + np.asarray(spot_at(r, solution.t[k], *settings))
                label = "$M + E(t)$" if k == described[-1] else None
                axes.plot(r, profile, color="black", lw=0.9, ls=(0, (2, 2)), label=label)
            axes.plot(r, unit, color="0.35", lw=1.1, ls=":", label="$M$")
        if equilibrium is not None:
            axes.plot(r, equilibrium, color=RED, lw=1.1, ls="-.", label=r"$M_{\rm eq}$")
        axes.set_xlabel(r"$|v|$  (unit: thermal velocity of $M$)" if settings else "$|v|$")
        axes.set_ylabel("$F(t, v)$")
    left.set_xlim(0, _extent(r, f[late], 1e-3))
    left.set_ylim(0, 1.06 * float(np.max(f[late])))
    part = "" if late == times else ", early times" if late[0] == 0 else ", late times"
    left.set_title(f"(a) linear{part}", loc="left")

    top = float(np.max(f[times]))
    bottom = 1e-3 * float(np.min(np.max(f[times], axis=1)))
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlim(r[0], 1.2 * _extent(r, f[times], bottom / top))
    right.set_ylim(bottom, 3 * top)
    right.set_title("(b) logarithmic", loc="left")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


@entered("norms", when=has_theorem, part="theorem")
def norms(solution: Solution) -> Figure:
    """The norms of the blow-down theorem over time, against its bound."""
    settings = blowdown_settings(solution)
    assert settings is not None
    delta, alpha = settings
    t, keep = solution.t, solution.t > 0
    figure, (axes,) = panels(1, height=3.4)
    for name, label, colour in (
        ("distance_m", r"$\|F - M\|_{L^2_M}$", BLUE),
        ("remainder", r"remainder $\|F - M - E\|_{L^2_M}$", ORANGE),
    ):
        axes.loglog(t[keep], solution.diagnostics[name][keep], color=colour, label=label)
    axes.axhline(
        delta ** (alpha - 0.25),
        color="black",
        ls="--",
        lw=1.0,
        label=r"bound at $t^*$ with $C = 1$: $\delta^{\alpha - 1/4}$",
    )
    axes.axhline(delta**alpha, color="0.45", ls=":", lw=1.2, label=r"$\delta^{\alpha}$")
    axes.axvline(0.5, color=GREEN, lw=1.0, ls="-.", label=r"$t^* = 1/2$")
    axes.set_xlabel("$t$")
    axes.set_ylabel(r"$\|x\|_{L^2_M} = (\int\, x^2 M^{-1}\, dv)^{1/2}$")
    axes.set_title(rf"$\delta = {power(delta)}$, $\alpha = {alpha:g}$", loc="left")
    beside(axes)
    return figure


@entered("scales", when=lambda s: set(s.diagnostics) >= SCALES, part="theorem")
def scales(solution: Solution) -> Figure:
    """The near field h and the far field g of the two-scale system in their own norms.

    Left the norms (2.5) and (2.6), right their ratios to m T and delta^(alpha - 1/4) in (5.1).
    """
    t, keep, values = solution.t, solution.t > 0, solution.diagnostics
    figure, both = panels(2)
    rows = (
        ("norm", (r"$\|h\|$ (2.5)", r"$\|g\|$ (2.6)"), "norm", "(a) near and far field"),
        (
            "ratio",
            (r"$\|h\| \,/\, \delta^{\alpha - 1/4}$", r"$\|g\| \,/\, (m T)$"),
            "ratio",
            "(b) against the bootstrap (5.1)",
        ),
    )
    for axes, (kind, labels, label, title) in zip(both, rows):
        for name, words, colour in zip(("near_field", "far_field"), labels, (BLUE, ORANGE)):
            axes.loglog(t[keep], values[f"{name}_{kind}"][keep], color=colour, label=words)
        axes.set_xlabel("$t$")
        axes.set_ylabel(label)
        axes.set_title(title, loc="left")
        axes.legend(loc="lower right")
    return figure


def watches_growth(solution: Solution) -> bool:
    """Whether a run watched the functionals that must not increase."""
    return relaxes(solution) and {f"{name}_growth" for name in MONOTONE} <= set(
        solution.diagnostics
    )


@entered("entropy", when=watches_growth, part="laws")
def entropy(solution: Solution) -> Figure:
    """Relative entropy and relative Fisher information over time, with their largest increase."""
    figure, both = panels(2)
    t, keep = solution.t, solution.t > 0
    rows = (
        ("relative_entropy", r"$H(F \,|\, M_{\rm eq})$", "(a) relative entropy", BLUE),
        ("relative_fisher", r"$I(F \,|\, M_{\rm eq})$", "(b) relative Fisher information", ORANGE),
    )
    for axes, (name, label, title, colour) in zip(both, rows):
        values = np.asarray(solution.diagnostics[name], float)
        positive = keep & (values > 0)
        axes.loglog(t[positive], values[positive], color=colour)
        growth = float(solution.diagnostics[f"{name}_growth"][-1])
        found = "never increased" if growth <= 0 else f"largest increase {growth:.1e}"
        axes.set_title(f"{title}\n      {found}", loc="left")
        axes.set_xlabel("$t$")
        axes.set_ylabel(label)
    return figure


@entered("decay", when=lambda s: decay_fit(s) is not None, part="laws")
def decay(solution: Solution) -> Figure:
    """The distance to equilibrium at late times with its stretched exponential."""
    fit = decay_fit(solution)
    assert fit is not None
    keep = solution.t > 0
    t, y = solution.t[keep], np.asarray(solution.diagnostics["distance_l2"], float)[keep]
    figure, (left, right) = panels(2)
    left.semilogy(t ** (2 / 3), y, color=BLUE, label=r"$\|F - M_{\rm eq}\|_{L^2}$")
    later = t >= fit.start
    left.semilogy(
        t[later] ** (2 / 3),
        fit(t[later]),
        color="black",
        ls="--",
        lw=1.0,
        label=r"fit $t^b e^{-\lambda t^p}$",
    )
    left.set_xlabel(r"$t^{2/3}$")
    left.set_ylabel(r"distance to equilibrium")
    found = "at the bound" if fit.at_bound else f"$\\pm$ {fit.error:.3f}"
    left.set_title(f"(a) p = {fit.power:.3f} {found}", loc="left")
    left.legend(loc="upper right")

    middle, slope = fits.local_power(t, y)
    right.semilogx(middle, slope, color=BLUE, label="local exponent")
    right.axhline(2 / 3, color="black", ls="--", lw=1.0, label="theorem: 2/3")
    right.axvspan(fit.start, t[-1], color=SKY, alpha=0.2, lw=0, label="fitted window")
    right.set_ylim(0, 1.05)
    right.set_xlabel("$t$")
    right.set_ylabel(r"$d \log(-\dot y\, t / y) / d \log t$")
    right.set_title("(b) exponent over time", loc="left")
    right.legend(loc="lower right")
    return figure


@entered("blowup", when=lambda s: blowup_fit(s) is not None, part="laws")
def blowup(solution: Solution) -> Figure:
    """The growth of F(0, t) towards the fitted blow-up time."""
    fit = blowup_fit(solution)
    assert fit is not None
    t, y = solution.t, np.asarray(solution.diagnostics["central_value"], float)
    figure, (left, right) = panels(2)
    left.semilogy(t, y, color=BLUE)
    left.axvline(fit.time, color="black", ls="--", lw=1.0, label=f"$t^* = {fit.time:.6g}$")
    left.set_xlabel("$t$")
    left.set_ylabel("$F(t, 0)$")
    left.set_title("(a) central value", loc="left")
    left.legend(loc="upper left")
    right.loglog(fit.time - t, y, "o", color=BLUE, ms=3, label="$F(t, 0)$")
    later = t >= fit.start
    label = rf"fit $(t^* - t)^{{-q}}$, $q = {fit.power:.3f} \pm {fit.error:.3f}$"
    right.loglog(fit.time - t[later], fit(t[later]), color="black", ls="--", lw=1.0, label=label)
    right.invert_xaxis()
    right.set_xlabel("$t^* - t$")
    right.set_ylabel("$F(t, 0)$")
    right.set_title("(b) towards the blow-up time", loc="left")
    right.legend(loc="upper left")
    return figure


def _levels(solution: Solution, count: int) -> list[int]:
    """Indices of t = 0, the end, and times between at which the picture has changed equally.

    The change is that of log F at the centre; where that moves little, time by its logarithm.
    """
    last = len(solution.t) - 1
    if last < count:
        return list(range(last + 1))
    centre = np.log(np.maximum(solution.f[:, 0], 1e-300))
    path = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(centre)))])
    if path[-1] < 1.0:
        path = np.arange(last + 1.0)
    wanted = np.linspace(0.0, path[-1], count)
    return sorted({int(np.argmin(np.abs(path - w))) for w in wanted} | {0, last})


def _extent(r: np.ndarray, f: np.ndarray, fraction: float) -> float:
    """The radius beyond which every f is below a fraction of the least of their maxima."""
    above = np.flatnonzero(np.any(f > fraction * np.max(f), axis=0))
    return float(r[min(above[-1] + 1, len(r) - 1)])


def _equilibrium(solution: Solution, r: np.ndarray) -> np.ndarray | None:
    """The Maxwellian with the initial mass and temperature; None if they are not conserved."""
    values = solution.diagnostics
    if not relaxes(solution) or not {"mass", "temperature"} <= set(values):
        return None
    mass, temperature = float(values["mass"][0]), float(values["temperature"][0])
    return np.asarray(isotropic(r, mass, temperature, dimension(solution)))
