"""What `solution.error` promises: the estimate beside the truth on data that nobody tuned.

The battery of `tolerances.py`, two beams in boxes that are too narrow, and reactions of which some
have too few nodes of velocity. Truth is a run from the same formula of the datum on a grid twice as
fine (plane: 1.25 times in a box 1.2 times as wide; phase space: 1.5 times, nodes too) at a
hundredth of the tolerance. Counted are all recorded times after 0, of all fields (in L1) and of
all numbers that measure the solution; both sides are at least 1e-12 of the size.
"""

import sys

import numpy as np
from table import README, written
from tolerances import battery

import relaxon as rx
from relaxon.grids.companions import carried, magnitude
from relaxon.runs.error import ErrorEstimate

RTOL, ROUNDING = 1e-6, 1e-12
REACTIONS = {
    "epsilon = 1": {"epsilon": 1.0},
    "epsilon = 0.1": {"epsilon": 0.1},
    "epsilon = 0.01": {"epsilon": 0.01},
    **{
        f"epsilon = {epsilon:g}, T1 = 0.3, {nodes} nodes": {
            "epsilon": epsilon, "amplitude": 0.9, "T1": 0.3, "nodes": nodes,
        }
        for epsilon in (0.1, 0.3)
        for nodes in (24, 32, 48)
    },
}  # fmt: skip


def collisions():
    """(system, datum, problem, fine problem, end time) of the battery, the plane ones last."""
    plain, fine, wide = battery(), battery(2.0), battery(1.25, 1.2)
    for (system, name, problem, t_end), (*_, better, _), (*_, wider, _) in zip(plain, fine, wide):
        plane = isinstance(problem.grid, rx.VelocityGrid)
        yield system, name, problem, wider if plane else better, t_end


def beams():
    """Beams at +-3 whose equilibrium does not fit: 3 % to 2e-4 of its energy lies outside."""
    for v_max in (7.0, 8.0, 9.0, 10.0):
        problems = []
        for width, spacing in ((v_max, 0.44), (1.3 * v_max, 0.35)):
            grid = rx.VelocityGrid(d=2, n=2 * round(width / spacing), v_max=width)
            means, variances = [[3.0, 0.0], [-3.0, 0.0]], [0.3, 0.3]
            f0 = rx.distributions.gaussian_mixture(grid, [0.5, 0.5], means, variances)
            problems.append(rx.Problem(rx.Landau(gamma=0.0, strength=0.1), grid, f0))
        yield "narrow boxes", f"v_max = {v_max:g}", *problems, 5.0


def reactions():
    """Problem P1 and its relatives, walls, a confining potential, the limit."""
    for name, settings in REACTIONS.items():
        nodes = settings.get("nodes", 24)
        finer = {**settings, "n": 48, "nodes": 2 * nodes, "v_max": 7.0}
        pair = [rx.case("reaction-p1", **x) for x in (settings, finer)]
        yield "reactions", name, *(case.problem for case in pair), pair[0].t_end
    for name, settings, finer in (
        ("reaction-walls", {"n": 16}, {"n": 24, "nodes": 44, "v_max": 7.0}),
        ("reaction-confined", {"n": 24, "nodes": 16}, {"n": 36, "nodes": 24}),
        ("reaction-confined", {"n": 32, "nodes": 20}, {"n": 48, "nodes": 30}),
        ("reaction-limit", {"n": 16}, {"n": 32}),
        ("reaction-limit", {"n": 32}, {"n": 64}),
    ):
        pair = [rx.case(name, **x) for x in (settings, finer)]
        yield "reactions", f"{name}, n = {settings['n']}", *(c.problem for c in pair), pair[0].t_end


def ratios(problem, fine, t_end, rtol=RTOL):
    """Estimate over truth at every time after 0: those of the fields, those of the numbers."""
    record = rx.Record(times=[t_end * share for share in (0.01, 0.03, 0.1, 0.3)])
    solution = rx.solve(problem, t_end, record, rtol)
    exact = rx.solve(fine, t_end, record, max(rtol / 100, 1e-10))
    assert solution.ok and exact.ok, f"{solution.status.name}, {exact.status.name}"
    error: ErrorEstimate = solution.error
    fields, numbers = [], []
    for name in error:
        if name in solution.fields:
            moved = carried(exact.fields[name], fine.grid, problem.grid)
            truth = magnitude(moved - solution.fields[name], problem.grid)
            size, found = error.sizes[name], fields
        else:
            truth = np.abs(exact.diagnostics[name] - solution.diagnostics[name])
            size, found = np.max(np.abs(exact.diagnostics[name])), numbers
        pair = (np.maximum(x, ROUNDING * size)[1:] for x in (error[name], truth))
        found += list(np.divide(*pair))
    return fields, numbers


def row(name, found):
    """A line of the table."""
    found = np.asarray(found)
    shares = np.mean((found >= 1) & (found <= 10)), np.mean(found < 1), np.mean(found > 10)
    return name, str(len(found)), *(f"{100 * x:.0f} %" for x in shares), f"{np.median(found):.2g}"


def tabulated(fields, numbers):
    """The table of all ratios by system."""
    lines = [("system", "values", "within 1 to 10", "below", "above 10", "median")]
    lines.append(("---",) * len(lines[0]))
    lines += [row(f"{system}: fields", found) for system, found in fields.items()]
    lines.append(row("all fields", [x for part in fields.values() for x in part]))
    lines += [row(f"{system}: numbers", found) for system, found in numbers.items()]
    lines.append(row("all numbers", [x for part in numbers.values() for x in part]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main():
    fields, numbers = {}, {}
    for entries in (collisions(), beams(), reactions()):
        for system, name, problem, fine, t_end in entries:
            first, second = ratios(problem, fine, t_end)
            print(
                f"{system:26} {name:34}", *row("", first)[2:], "|", *row("", second)[2:], flush=True
            )
            fields.setdefault(system, []).extend(first)
            numbers.setdefault(system, []).extend(second)
    table = tabulated(fields, numbers)
    print(table)
    if "--write" in sys.argv:
        for page in (README, README.parents[1] / "docs" / "explanation" / "errors.md"):
            written(page, "errors", table)


if __name__ == "__main__":
    main()
