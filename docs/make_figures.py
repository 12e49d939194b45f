"""Make the figures of the documentation with the code: python docs/make_figures.py (minutes)."""

import pathlib

import matplotlib.pyplot as plt
import numpy as np

import relaxon as rx
from relaxon.reports.figures import catalogue as plot
from relaxon.theorems.gualdani2025.blowdown import exponents

FIGURES = pathlib.Path(__file__).parent / "figures"


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    bump = rx.case("blowdown").solve()
    for name in ("density", "norms", "invariants", "entropy"):
        plot.save(plot.draw(bump, name), FIGURES / f"blowdown-{name}.svg")
    late = rx.case("blowdown-late").solve()
    plot.save(plot.draw(late, "decay"), FIGURES / "blowdown-decay.svg")
    plot.save(exponents_figure(exponents(quick=True)), FIGURES / "blowdown-exponents.svg")
    plot.save(bootstrap_figure(), FIGURES / "blowdown-bootstrap.svg")


def exponents_figure(table: dict) -> plt.Figure:
    """The distances of Theorem 1.1 at t = 1/2 over delta, and their exponents over alpha."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.8), layout="constrained")
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(table["alpha"])))
    for alpha, values, colour in zip(table["alpha"], table["distance_m"], colours):
        left.loglog(
            table["delta"], values, "o-", ms=4, color=colour, label=rf"$\alpha = {alpha:g}$"
        )
    left.set_xlabel(r"$\delta$")
    left.set_ylabel(r"$\|F - M\|_{L^2_M}$ at $t = 1/2$")
    left.legend(frameon=False, fontsize="small")
    styles = {
        "distance_m": ("o", 5, r"$\|F - M\|_{L^2_M}$"),
        "remainder": ("s", 10, r"$\|f\|_{L^2_M}$"),
    }
    for name, (marker, size, label) in styles.items():
        fits = table["fits"][name]
        right.errorbar(
            table["alpha"],
            [fit.value for fit in fits],
            [fit.error for fit in fits],
            fmt=marker,
            ms=size,
            mfc="none",
            capsize=3,
            label=f"measured, {label}",
        )
    line = np.linspace(0.05, 0.65, 2)
    right.plot(line, line, "k-", lw=1, label=r"$\alpha$")
    inside = np.linspace(0.25, 0.5, 2)
    right.plot(inside, inside - 0.25, "k--", lw=1, label=r"the theorem: $\alpha - 1/4$")
    right.set_xlabel(r"$\alpha$")
    right.set_ylabel(r"exponent of $\delta$")
    right.legend(frameon=False, fontsize="small")
    return figure


def bootstrap_figure() -> plt.Figure:
    """The near field in the norm (2.5), in units of (5.1) and of the corrected bound."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
    deltas = (1e-2, 1e-4, 1e-6, 1e-8)
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(deltas)))
    alpha = 0.3
    for delta, colour in zip(deltas, colours):
        solution = rx.case("two-scale", delta=delta, alpha=alpha, first=delta).solve()
        width = np.asarray(solution.diagnostics["width"])[1:]
        norm = np.asarray(solution.diagnostics["near_field_norm"])[1:]
        label = rf"$\delta = 10^{{{int(np.log10(delta))}}}$"
        left.loglog(solution.t[1:], norm / delta ** (alpha - 0.25), color=colour, label=label)
        right.semilogx(solution.t[1:] / delta, norm * width**0.5 / delta**alpha, color=colour)
    left.set_xlabel("$t$")
    left.set_ylabel(r"$\|h\|_{L^2_\mu} \, / \, \delta^{\alpha - 1/4}$")
    left.legend(frameon=False, fontsize="small")
    right.set_xlabel(r"$t / \delta$")
    right.set_ylabel(r"$\|h\|_{L^2_\mu} \, T^{1/2} / \, \delta^\alpha$")
    return figure


if __name__ == "__main__":
    main()
