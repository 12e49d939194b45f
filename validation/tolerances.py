"""What rtol promises: data that nobody tuned, the error of each in units of the tolerance.

Every datum is solved three times on one grid; the run with rtol = 1e-9 counts as exact in time. The
error is the larger of those in L1 and in the maximum norm, the largest over the recorded times;
radial ones are relative to F - M, plane ones to F. Half of the data have tails or edges that the
equilibrium does not have; steps are not resolved by any grid, and say so in their warnings.
"""

import sys

import numpy as np
from table import README, written

import relaxon as rx
from relaxon.collisions.fokker_planck import FokkerPlanck

EXACT, TOLERANCES = 1e-9, (1e-4, 1e-6)


def maxwellians(*parts):
    """Maxwellians at rest: pairs of mass and temperature."""

    def values(r, d):
        return sum(m * (2 * np.pi * T) ** (-d / 2) * np.exp(-(r**2) / (2 * T)) for m, T in parts)

    return values


def shell(radius, width):
    """exp(-(r - radius)^2/(2 width^2))."""
    return lambda r, d: np.exp(-((r - radius) ** 2) / (2 * width**2))


def kappa(power):
    """(1 + r^2/(2 kappa - d))^(-kappa - d/2 + 1/2), temperature of order one."""
    return lambda r, d: (1 + r**2 / (2 * power - d)) ** (-power - d / 2 + 0.5)


def bump(radius):
    """exp(-1/(1 - r^2/radius^2)) inside of it: smooth, of compact support."""

    def values(r, d):
        depth = np.maximum(1 - (r / radius) ** 2, 1e-9)
        return np.where(r < radius, np.exp(-1 / depth), 0.0)

    return values


def flat(radius, edge):
    """A top hat with an edge of a given width."""
    return lambda r, d: 1 / (1 + np.exp(np.minimum((r - radius) / edge, 600.0)))


def step(radius):
    """A top hat: one below the radius, zero above."""
    return lambda r, d: np.where(r < radius, 1.0, 0.0)


# Name -> values, r_max, r_min, end time.
RADIAL = {
    "T = 1e-6, 1e-2, 1e2": (maxwellians((1, 1e-6), (1, 1e-2), (1, 1e2)), 120.0, 5e-4, 0.1),
    "T = 1e-3, 1, 20": (maxwellians((1, 1e-3), (0.3, 1), (0.1, 20)), 60.0, 1e-2, 0.1),
    "T = 1e-4, 1, 100": (maxwellians((1, 1e-4), (1, 1), (1, 100)), 120.0, 5e-3, 1e-3),
    "T = 1e-8, 1": (maxwellians((1e-2, 1e-8), (1, 1)), 12.0, 1e-4, 0.1),
    "T = 1e-8, 1e-4, 1": (maxwellians((1e-3, 1e-8), (0.1, 1e-4), (1, 1)), 12.0, 1e-4, 1.0),
    "T = 0.1, 1": (maxwellians((1, 0.1), (1, 1)), 12.0, 0.2, 1.0),
    "T = 0.5, 1.5": (maxwellians((1, 0.5), (1, 1.5)), 14.0, 0.5, 30.0),
    "T = 1, 10": (maxwellians((1, 1), (1, 10)), 40.0, 0.5, 10.0),
    "T = 1, 30, rare": (maxwellians((1, 1), (1e-3, 30)), 60.0, 0.5, 10.0),
    "T = 1, 30, very rare": (maxwellians((1, 1), (1e-6, 30)), 60.0, 0.5, 10.0),
    "T = 0.01, 1, rare": (maxwellians((1, 0.01), (1e-2, 1)), 12.0, 0.05, 1.0),
    "nearly equal": (maxwellians((1, 0.98), (1, 1.02)), 12.0, 0.5, 100.0),
    "thin shell": (shell(2, 0.2), 24.0, 0.5, 1.0),
    "shell": (shell(2, 0.5), 24.0, 0.5, 10.0),
    "wide shell": (shell(1, 0.7), 14.0, 0.5, 10.0),
    "shell and hot tail": (
        lambda r, d: shell(1, 0.2)(r, d) + 1e-9 * np.exp(-(r**2) / 3), 12.0, 0.2, 0.1,
    ),
    "bump": (bump(2.0), 12.0, 0.5, 1.0),
    "wide bump": (bump(4.0), 24.0, 0.5, 30.0),
    "soft hat": (flat(2.0, 0.3), 14.0, 0.5, 3.0),
    "hat": (flat(2.0, 0.1), 14.0, 0.5, 1.0),
    "step": (step(1.0), 8.0, 0.2, 1.0),
    "wide step": (step(2.0), 16.0, 0.5, 3.0),
    "kappa = 2": (kappa(2.0), 4e6, 0.5, 1.0),
    "kappa = 3": (kappa(3.0), 1e4, 0.5, 10.0),
    "kappa = 4": (kappa(4.0), 300.0, 0.5, 10.0),
    "kappa = 6": (kappa(6.0), 60.0, 0.5, 30.0),
    "exponential": (lambda r, d: np.exp(-np.sqrt(1 + r**2)), 60.0, 0.5, 10.0),
    "quartic": (lambda r, d: np.exp(-(r**4) / 4), 10.0, 0.3, 3.0),
}  # fmt: skip
SCREENED = (
    "T = 0.1, 1", "T = 0.5, 1.5", "T = 1, 10", "nearly equal", "wide shell", "soft hat",
    "kappa = 4", "exponential", "quartic", "bump",
)  # fmt: skip
BATHS = ("T = 0.1, 1", "T = 0.5, 1.5", "wide shell", "soft hat", "bump", "quartic")
TWO = ("T = 0.1, 1", "T = 1, 10", "T = 0.5, 1.5", "soft hat", "bump", "exponential")
PLANE = {
    "two temperatures": ([0.5, 0.5], [[0.0, 0.0]] * 2, [[0.5, 0.5], [1.2, 1.2]]),
    "bi-Maxwellian": ([1.0], [[0.0, 0.0]], [[1.0, 0.5]]),
    "beams": ([0.5, 0.5], [[1.0, 0.0], [-1.0, 0.0]], [[0.7, 0.7]] * 2),
    "bump on a tail": ([0.9, 0.1], [[0.0, 0.0], [2.0, 1.0]], [[0.7, 0.7], [0.5, 0.5]]),
}


def battery(cells=1.0, box=1.0):
    """(system, datum, problem, end time) of every entry.

    Args:
        cells: How many times finer the grids are.
        box: How many times wider the boxes of the plane ones are.
    """
    screening = {d: rx.LenardBalescu(rx.potentials.Gaussian(d)) for d in (2, 3)}
    for system, equation, d, n, names in (
        ("Landau, d = 3", rx.Landau(), 3, 300, RADIAL),
        ("Landau, d = 2", rx.Landau(), 2, 150, TWO),
        ("Lenard-Balescu, d = 3", screening[3], 3, 150, SCREENED),
        ("Lenard-Balescu, d = 2", screening[2], 2, 150, TWO[:3]),
        ("Fokker-Planck, d = 3", FokkerPlanck(1.0), 3, 300, BATHS),
    ):
        for name in names:
            values, r_max, r_min, t_end = RADIAL[name]
            grid = rx.RadialGrid(d=d, n=round(n * cells), r_max=r_max, r_min=r_min)
            f0 = values(np.asarray(grid.r), d)
            yield system, name, rx.Problem(equation, grid, f0 / grid.integrate(f0)), t_end
    grid = rx.VelocityGrid(d=2, n=2 * round(20 * cells * box), v_max=7.5 * box)
    for system, equation in (
        ("Maxwell molecules, plane", rx.Landau(gamma=0.0)),
        ("Landau-Coulomb, plane", rx.Landau()),
        ("Lenard-Balescu, plane", screening[2]),
    ):
        for name, (weights, means, variances) in PLANE.items():
            matrices = [np.diag(pair) for pair in variances]
            f0 = rx.distributions.gaussian_mixture(grid, weights, means, matrices)
            yield system, name, rx.Problem(equation, grid, f0), 0.5


def error(problem, t_end, rtol, exact=None):
    """The solution, and its largest relative error in L1 and the maximum norm."""
    times = [t_end * share for share in (0.01, 0.1, 1.0)]
    solution = rx.solve(problem, t_end, rx.Record(times=times), rtol)
    if exact is None:
        return solution, 0.0
    assert solution.ok and exact.ok, f"{solution.status.name}, {exact.status.name}"
    worst = 0.0
    for f, wanted, size in zip(solution.f, exact.f, exact.fields.get("perturbation", exact.f)):
        gap, size = np.abs(f - wanted), np.abs(size)
        mean = float(problem.grid.integrate(gap) / problem.grid.integrate(size))
        worst = max(worst, mean, float(np.max(gap) / np.max(size)))
    return solution, worst


def measured(entries):
    """(system, datum, [error / rtol]) for every entry."""
    for system, name, problem, t_end in entries:
        exact, _ = error(problem, t_end, EXACT)
        shares = [error(problem, t_end, rtol, exact)[1] / rtol for rtol in TOLERANCES]
        print(f"{system:26} {name:22}", *(f"{share:9.2g}" for share in shares), flush=True)
        yield system, name, shares


def main():
    found = list(measured(battery()))
    lines = [("system", "data", *(f"rtol {r:g}: median, 95 %, largest" for r in TOLERANCES))]
    lines.append(("---",) * len(lines[0]))
    systems = list(dict.fromkeys(system for system, _, _ in found))
    for system in (*systems, "all"):
        shares = np.array([s for name, _, s in found if system in (name, "all")])
        levels = np.quantile(shares, [0.5, 0.95, 1.0], axis=0).T
        shown = [", ".join(f"{x:.2g}" for x in level) for level in levels]
        lines.append((system, str(len(shares)), *shown))
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(table)
    if "--write" in sys.argv:
        written(README, "tolerances", table)


if __name__ == "__main__":
    main()
