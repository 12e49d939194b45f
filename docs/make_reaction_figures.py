"""The figures of the reaction pages: python docs/make_reaction_figures.py (about two minutes).

Everything is computed here by the package; the SVG files under docs/figures are committed.
"""

import pathlib
import sys

import matplotlib
import matplotlib.ticker
import numpy as np

import relaxon as rx
from relaxon import theorems
from relaxon.reaction import h1_functional_rate, hypocoercive_rates, rate_map
from relaxon.reports.figures import catalogue, style
from relaxon.reports.figures.reaction import draw_map

FIGURES = pathlib.Path(__file__).parent / "figures"


def save(figure, name):
    with matplotlib.rc_context(style.STYLE):
        figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None})


def rates_over_density():
    """Four rates over rho_inf on the unit torus, T1 = T2 = 1."""
    r = np.geomspace(1.0, 10.0, 25)
    found = [hypocoercive_rates(x, 1.0, 1.0) for x in r]
    truth = np.array([x.true for x in found])
    figure, (left, right) = style.panels(2, height=3.6)
    for name, label, colour, dash in (
        ("true", "true: spectral gap", "black", "-"),
        ("functional", r"$\mathsf{H}^0$, its exact forms", style.BLUE, "--"),
        ("dms", r"$\mathsf{H}^0$, Theorem 2.1 (DMS)", style.ORANGE, "-."),
        ("h1", r"$\mathsf{H}^1$, section 2.2", style.GREEN, ":"),
    ):
        values = np.array([getattr(x, name) for x in found])
        left.loglog(r, values, color=colour, ls=dash, label=label)
        if name != "true":
            right.loglog(r, values / truth, color=colour, ls=dash)
    left.set_title("(a) rates of the norm", loc="left")
    right.set_title("(b) share of the true rate", loc="left")
    for axes in (left, right):
        axes.set_xlabel(r"$\rho_\infty$")
    right.set_ylim(1e-6, 1)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def rates_over_wave():
    """The same over the wave number at rho_inf = 1 and 2, with the decay of the density."""
    k = np.geomspace(0.1, 20.0, 41)
    figure, panels = style.panels(2, height=3.6)
    for axes, r, title in zip(panels, (1.0, 2.0), ("(a)", "(b)")):
        table = rate_map([r], k, 1.0, 1.0, ("true", "density", "dms", "functional", "h1"))
        critical = rx.reaction.critical_wavenumber(r, 1.0, 1.0)
        for name, label, colour, dash in (
            ("density", "density (Landau pole)", style.PURPLE, "-"),
            ("true", "true: spectral gap", "black", "-"),
            ("functional", r"$\mathsf{H}^0$, exact forms", style.BLUE, "--"),
            ("dms", r"$\mathsf{H}^0$, DMS", style.ORANGE, "-."),
            ("h1", r"$\mathsf{H}^1$", style.GREEN, ":"),
        ):
            axes.loglog(k, table[name][0], color=colour, ls=dash, label=label)
        axes.axvline(critical, color="0.6", lw=0.9, label="critical wave number")
        axes.set_ylim(1e-4, 30)
        axes.set_xlabel("$k$")
        axes.set_ylabel("rate")
        axes.set_title(rf"{title} $\rho_\infty = {r:g}$", loc="left")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def error_over_epsilon():
    """Distance to the limit, and the error of the scheme, over epsilon."""
    verdict = theorems.checks()["reaction-limit"].run()
    exact = {1.0: 1.11005906, 0.1: 0.72417495, 0.01: 0.48839430, 1e-6: 0.48297719}
    errors = {}
    for epsilon, value in exact.items():
        solution = rx.case("reaction-p1", epsilon=epsilon).solve()
        errors[epsilon] = abs(solution.diagnostics["amp1"][-1] / value - 1)
    figure, (left, right) = style.panels(2, height=3.6)
    x = verdict.family.x
    for curve, colour, marker in zip(
        verdict.family.curves, (style.BLUE, style.ORANGE, style.GREEN), "osD"
    ):
        left.loglog(x, curve.y, marker + "-", color=colour, ms=4, label=curve.label)
    left.loglog(x, 0.5 * (x / x[0]) ** 2, "--", color="0.4", lw=1, label=r"$\varepsilon^2$")
    left.set_title("(a) towards the limit", loc="left")
    left.set_xticks(x, [f"{value:g}" for value in x])
    left.set_ylim(top=20)
    left.legend(loc="upper left", ncols=1)
    right.loglog(list(errors), list(errors.values()), "o-", color=style.RED, ms=4)
    right.set_ylim(1e-8, 1e-2)
    right.axhline(1e-3, color="0.4", ls="--", lw=1)
    right.set_title("(b) error of the scheme, one grid and step", loc="left")
    for axes in (left, right):
        axes.set_xlabel(r"$\varepsilon$")
        axes.xaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    print("limit", verdict.detail, "errors", errors)
    return figure


def orders_table():
    """Errors of the scheme over grid, step and epsilon, as the rows of a table."""
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "physics"))
    import reaction_orders as measured

    rows = []
    for words, over, sizes in (
        ("points in x", measured.over_positions, measured.SIZES),
        ("nodes in v", measured.over_velocities, measured.SIZES),
        ("step", measured.over_steps, measured.STEPS),
    ):
        for epsilon in (1.0, 0.1, 1e-3 if over is measured.over_steps else 0.01):
            rows.append((f"{words}, epsilon = {epsilon:g}", sizes, over(epsilon)))
    rows.append(("epsilon", measured.EPSILONS, measured.over_epsilon()))
    for words, sizes, errors in rows:
        powers = ", ".join(f"{abs(x):.2f}" for x in measured.orders(errors, sizes))
        shown = ", ".join(f"{x:g}" for x in sizes)
        print(f"| {words} | {shown} | {', '.join(f'{x:.1e}' for x in errors)} | {powers} |")


def confined():
    """Runs under a confining potential: densities, decay, and phase space where it winds up."""
    run = rx.case("reaction-confined").solve()
    save(catalogue.draw(run, "densities"), "reaction-confined")
    save(catalogue.draw(run, "rates"), "reaction-confined-decay")
    wound = {"potential": "quartic", "epsilon": 1.0, "n": 48, "nodes": 32, "t_end": 3.0}
    run = rx.case("reaction-confined", **wound).solve()
    save(catalogue.draw(run, "phase"), "reaction-confined-phase")


def main():
    with matplotlib.rc_context(style.STYLE):
        save(rates_over_density(), "reaction-rates-density")
        save(rates_over_wave(), "reaction-rates-wave")
        save(draw_map(1.0, 1.0), "reaction-rate-map")
        save(error_over_epsilon(), "reaction-epsilon")
        averaging = theorems.checks()["reaction-averaging"].run()
        print(averaging.detail)
        save(catalogue.draw_family(averaging.family), "reaction-averaging")
    orders_table()
    for name, what, out in (
        ("reaction-decay", "rates", "reaction-decay"),
        ("reaction-p1", "densities", "reaction-p1"),
        ("reaction-2d", "picture", "reaction-2d"),
    ):
        save(catalogue.draw(rx.case(name).solve(), what), out)
    confined()
    for r in (1.0, 1.5, 2.0, 5.0, 10.0):
        found = hypocoercive_rates(r, 1.0, 1.0)
        best = h1_functional_rate(r, 1.0, 1.0).rate
        print(r, found.true, found.functional, found.dms, best, found.h1, flush=True)


if __name__ == "__main__":
    main()
