"""One function a figure: a saved solution in, a matplotlib Figure out.

`FIGURES` lists the figures by name with the runs that they apply to. Nothing here computes: what is
drawn was recorded, except fits and the explicit formulas of the theorem.
"""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relaxon.core.errors import InputError, unknown
from relaxon.reports.figures import screening as plot_screening
from relaxon.reports.headlines import blowdown as summary
from relaxon.runs.solution import Solution
from relaxon.stepping.status import Status

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


def density(solution: Solution) -> Figure:
    """The distribution over |v| at several times, on linear and logarithmic axes.

    With the equilibrium M_eq; for a blow-down run with M and the explicit profile M + E (1.4).
    """
    r, f = _axis(solution), solution.f
    times = _levels(solution, 5)
    near = np.flatnonzero(f[:, 0] <= 8 * min(f[0, 0], f[-1, 0]))
    late = times if len(near) == len(f) else _spread(near, 4)
    times = sorted({*times, *late})
    settings = summary.blowdown_settings(solution)
    plain = settings and not summary.reaction(solution)
    described = [k for k in times if plain and solution.t[k] <= 1.0]
    label_of = _labels(solution)
    equilibrium = _equilibrium(solution, r)
    colours = dict(zip(times, _ramp(len(times))))

    figure, (left, right) = _panels(2, height=3.9)
    for axes, chosen in ((left, late), (right, times)):
        for k in chosen:
            axes.plot(r, f[k], color=colours[k], label=label_of(solution.t[k]))
        if settings:
            for k in (k for k in chosen if k in described):
                profile = _maxwellian(r) + _profile(r, solution.t[k], *settings)
                label = "$M + E(t)$" if k == described[-1] else None
                axes.plot(r, profile, color="black", lw=0.9, ls=(0, (2, 2)), label=label)
            axes.plot(r, _maxwellian(r), color="0.35", lw=1.1, ls=":", label="$M$")
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


def norms(solution: Solution) -> Figure:
    """The norms of the blow-down theorem over time, against its bound."""
    settings = summary.blowdown_settings(solution)
    assert settings is not None
    delta, alpha = settings
    t, keep = solution.t, solution.t > 0
    figure, (axes,) = _panels(1, height=3.4)
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
    axes.set_title(rf"$\delta = {_power(delta)}$, $\alpha = {alpha:g}$", loc="left")
    _beside(axes)
    return figure


def scales(solution: Solution) -> Figure:
    """The near field h and the far field g of the two-scale system in their own norms.

    Left the norms (2.5) and (2.6), right their ratios to m T and delta^(alpha - 1/4) in (5.1).
    """
    t, keep, values = solution.t, solution.t > 0, solution.diagnostics
    figure, panels = _panels(2)
    rows = (
        ("norm", (r"$\|h\|$ (2.5)", r"$\|g\|$ (2.6)"), "norm", "(a) near and far field"),
        (
            "ratio",
            (r"$\|h\| \,/\, \delta^{\alpha - 1/4}$", r"$\|g\| \,/\, (m T)$"),
            "ratio",
            "(b) against the bootstrap (5.1)",
        ),
    )
    for axes, (kind, labels, label, title) in zip(panels, rows):
        for name, words, colour in zip(("near_field", "far_field"), labels, (BLUE, ORANGE)):
            axes.loglog(t[keep], values[f"{name}_{kind}"][keep], color=colour, label=words)
        axes.set_xlabel("$t$")
        axes.set_ylabel(label)
        axes.set_title(title, loc="left")
        axes.legend(loc="lower right")
    return figure


def invariants(solution: Solution) -> Figure:
    """The relative change of each invariant over time; changes of exactly zero are marked."""
    figure, (axes,) = _panels(1, height=3.0)
    floor, highest = 1e-17, 1e-14
    conserved = not summary.reaction(solution)
    t, keep = solution.t, solution.t > 0
    marks = (("o", BLUE), ("s", ORANGE), ("^", GREEN))
    for entry, (mark, colour) in zip(summary.ledger(solution), marks):
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
    _beside(axes)
    return figure


def entropy(solution: Solution) -> Figure:
    """Relative entropy and relative Fisher information over time, with their largest increase."""
    figure, panels = _panels(2)
    t, keep = solution.t, solution.t > 0
    rows = (
        ("relative_entropy", r"$H(F \,|\, M_{\rm eq})$", "(a) relative entropy", BLUE),
        ("relative_fisher", r"$I(F \,|\, M_{\rm eq})$", "(b) relative Fisher information", ORANGE),
    )
    for axes, (name, label, title, colour) in zip(panels, rows):
        values = np.asarray(solution.diagnostics[name], float)
        positive = keep & (values > 0)
        axes.loglog(t[positive], values[positive], color=colour)
        growth = float(solution.diagnostics[f"{name}_growth"][-1])
        found = "never increased" if growth <= 0 else f"largest increase {growth:.1e}"
        axes.set_title(f"{title}\n      {found}", loc="left")
        axes.set_xlabel("$t$")
        axes.set_ylabel(label)
    return figure


def decay(solution: Solution) -> Figure:
    """The distance to equilibrium at late times with its stretched exponential."""
    fit = summary.decay_fit(solution)
    assert fit is not None
    keep = solution.t > 0
    t, y = solution.t[keep], np.asarray(solution.diagnostics["distance_l2"], float)[keep]
    figure, (left, right) = _panels(2)
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
    left.set_title(f"(a) p = {fit.power:.3f} $\\pm$ {fit.error:.3f}", loc="left")
    left.legend(loc="upper right")

    middle, slope = _local_power(t, y)
    right.semilogx(middle, slope, color=BLUE, label="local exponent")
    right.axhline(2 / 3, color="black", ls="--", lw=1.0, label="theorem: 2/3")
    right.axvspan(fit.start, t[-1], color=SKY, alpha=0.2, lw=0, label="fitted window")
    right.set_ylim(0, 1.05)
    right.set_xlabel("$t$")
    right.set_ylabel(r"$d \log(-\dot y\, t / y) / d \log t$")
    right.set_title("(b) exponent over time", loc="left")
    right.legend(loc="lower right")
    return figure


def blowup(solution: Solution) -> Figure:
    """The growth of F(0, t) towards the fitted blow-up time."""
    fit = summary.blowup_fit(solution)
    assert fit is not None
    t, y = solution.t, np.asarray(solution.diagnostics["central_value"], float)
    figure, (left, right) = _panels(2)
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


def diagnostics(solution: Solution) -> Figure:
    """Every recorded scalar over time; for runs of any kind."""
    names = sorted(n for n, x in solution.diagnostics.items() if np.ndim(x) == 1)
    columns = 4
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(WIDTH + 1.8, 1.75 * rows), layout="constrained")
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
        axes.set_title(name.replace("_", " "), loc="left", fontsize=8)
        axes.tick_params(labelsize=7)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    for axes in grid[max(0, len(names) - columns) : len(names)]:
        axes.set_xlabel("$t$")
    return figure


def verdicts(found: Sequence[Any]) -> Figure:
    """The margin of each verdict in units of its error: right of 1 a statement holds."""
    colours = {"holds": GREEN, "fails": RED, "undecided": ORANGE}
    names = [v.name for v in found]
    sizes = np.array([_ratio(v.margin, v.error) for v in found])
    figure = Figure(figsize=(WIDTH, 0.9 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.barh(np.arange(len(names)), sizes, color=[colours[v.verdict] for v in found], height=0.62)
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
    figure, (axes,) = _panels(1, height=3.6)
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
    _beside(axes)
    return figure


def _always(solution: Solution) -> bool:
    return len(solution.t) > 1


def _is_radial(solution: Solution) -> bool:
    return set(solution.coordinates) == {"r"} and "f" in solution.fields and len(solution.t) > 1


FIGURES: dict[str, tuple[Callable[[Solution], Figure], Callable[[Solution], bool]]] = {
    "density": (density, _is_radial),
    "norms": (norms, lambda s: _always(s) and summary.has_theorem(s)),
    "scales": (
        scales,
        lambda s: (
            _always(s)
            and {f"{x}_field_{k}" for x in ("near", "far") for k in ("norm", "ratio")}
            <= set(s.diagnostics)
        ),
    ),
    "invariants": (invariants, lambda s: _always(s) and bool(summary.ledger(s))),
    "entropy": (
        entropy,
        lambda s: (
            _always(s)
            and not summary.reaction(s)
            and {f"{n}_growth" for n in summary.MONOTONE} <= set(s.diagnostics)
        ),
    ),
    "decay": (decay, lambda s: _always(s) and summary.decay_fit(s) is not None),
    "blowup": (
        blowup,
        lambda s: s.status is Status.BLOWUP and summary.blowup_fit(s) is not None,
    ),
    "screening": (plot_screening.screening, plot_screening.is_screened),
    "dispersion": (plot_screening.dispersion, plot_screening.is_screened),
    "diagnostics": (diagnostics, _always),
}
"""Figures by name: the function, and whether it applies to a solution."""


def catalogue() -> dict[str, tuple[Callable[[Solution], Figure], Callable[[Solution], bool]]]:
    """Every figure by name: `FIGURES` and those of `relaxon.reports.figures.reaction`."""
    from relaxon.reports.figures import cartesian as plot_velocity
    from relaxon.reports.figures import reaction as plot_reaction

    return {**FIGURES, **plot_reaction.FIGURES, **plot_velocity.FIGURES}


def applicable(solution: Solution) -> list[str]:
    """Names of the figures that a solution has the data for."""
    return [name for name, (_, applies) in catalogue().items() if applies(solution)]


def draw(solution: Solution, name: str) -> Figure:
    """The figure of that name, in the package's style.

    Raises:
        InputError: No figure of that name, or the run lacks the data for it.
    """
    figures = catalogue()
    if name not in figures:
        raise unknown("figure", name, figures)
    names = applicable(solution)
    if name not in names:
        have = ", ".join(names) or "none"
        raise InputError(f"This run has no data for the figure {name!r}; it has: {have}.")
    with matplotlib.rc_context(STYLE):
        return figures[name][0](solution)


def draw_verdicts(found: Sequence[Any]) -> Figure:
    """The figure of a set of verdicts, in the package's style."""
    with matplotlib.rc_context(STYLE):
        return verdicts(found)


def draw_family(found: Any) -> Figure:
    """The figure of the family of a verdict, in the package's style."""
    with matplotlib.rc_context(STYLE):
        return family(found)


def save(figure: Figure, path: pathlib.Path) -> None:
    """Write a figure whole or not at all; the suffix says the format (png, svg, pdf).

    Raises:
        InputError: Another suffix, or a path that cannot be written.
    """
    kind = path.suffix.lstrip(".")
    if kind not in ("png", "svg", "pdf"):
        raise InputError(f"A figure's file must end in .png, .svg or .pdf, but is {path}.")
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(STYLE):
            figure.savefig(partial, format=kind)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None


def _panels(count: int, height: float = 3.3) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _beside(axes: Axes) -> None:
    """The legend to the right of the axes, where it covers nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)


def _axis(solution: Solution) -> np.ndarray:
    return np.asarray(solution.coordinates["r"], float)


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


def _spread(indices: np.ndarray, count: int) -> list[int]:
    """So many of the indices, evenly, with the first and the last."""
    chosen = np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)
    return [int(indices[k]) for k in chosen]


def _ramp(count: int) -> list[Any]:
    """Colours from dark to light for increasing time."""
    return [matplotlib.colormaps["viridis"](x) for x in np.linspace(0.0, 0.88, count)]


def _extent(r: np.ndarray, f: np.ndarray, fraction: float) -> float:
    """The radius beyond which every f is below a fraction of the least of their maxima."""
    above = np.flatnonzero(np.any(f > fraction * np.max(f), axis=0))
    return float(r[min(above[-1] + 1, len(r) - 1)])


def _maxwellian(r: np.ndarray, mass: float = 1.0, temperature: float = 1.0, d: int = 3) -> Any:
    return mass * (2 * math.pi * temperature) ** (-d / 2) * np.exp(-(r**2) / (2 * temperature))


def _profile(r: np.ndarray, t: float, delta: float, alpha: float) -> np.ndarray:
    """E(t, v) of gualdani2025 (1.4)."""
    unit = (2 * math.pi) ** 1.5
    return _maxwellian(r, delta**alpha * math.exp(2 * t / unit), delta + 2 * t / (3 * unit))


def _equilibrium(solution: Solution, r: np.ndarray) -> np.ndarray | None:
    """The Maxwellian with the initial mass and temperature; None if they are not conserved."""
    values = solution.diagnostics
    if summary.reaction(solution) or not {"mass", "temperature"} <= set(values):
        return None
    grid = solution.provenance.get("grid", {})
    d = int(grid.get("settings", {}).get("d", 3)) if isinstance(grid, dict) else 3
    return _maxwellian(r, float(values["mass"][0]), float(values["temperature"][0]), d)


def _local_power(t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p(t) = d log(-d log y/d log t)/d log t, which is p for exp(-lambda t^p), by differences."""
    x, log_y = np.log(t), np.log(y)
    rate = -np.diff(log_y) / np.diff(x)
    middle = (x[1:] + x[:-1]) / 2
    good = rate > 0
    middle, rate = middle[good], rate[good]
    return np.exp((middle[1:] + middle[:-1]) / 2), np.diff(np.log(rate)) / np.diff(middle)


def _ratio(margin: float, error: float) -> float:
    if not np.isfinite(margin):
        return 0.0
    return float(np.clip(margin / max(abs(error), 1e-300), -1e12, 1e12))


def _labels(solution: Solution) -> Callable[[float], str]:
    """How times are written: t, or the distance to the blow-up time once it is small."""
    fit = summary.blowup_fit(solution)

    def label(t: float) -> str:
        if fit is not None and t > 0.9 * fit.time:
            return f"$t^* - t = {_power(fit.time - t)}$"
        return f"$t = {_power(t)}$"

    return label


def _power(x: float) -> str:
    """A number in mathematical notation."""
    if x == 0 or 1e-2 <= abs(x) < 1e3:
        return f"{x:.3g}"
    mantissa, exponent = f"{x:.1e}".split("e")
    digits = float(mantissa)
    front = "" if digits == 1 else rf"{digits:g} \times "
    return rf"{front}10^{{{int(exponent)}}}"
