"""The confined model against stored solutions on finer grids (reference/confined_reaction.json)."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from confined_cases import kinetic, limit, observed, problem, wavy

from relaxon.grids.confined_line import ConfinedLine
from relaxon.reaction.equations.confined_limit import ConfinedLimit

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "confined_reaction.json").read_text()
)


def test_rhs_of_the_library_is_that_of_the_reference_solver():
    grid, model, f0 = problem(0.5, (16, 10), 1.3, 0.6, "quartic")
    rho = wavy(np.asarray(grid.line.nodes))
    h = 1e-5
    F, G = kinetic(grid, model, rho, [h], rtol=1e-12)[0]
    change = model.rhs(f0, grid)
    dF, dG = model.ratios(change, grid)
    middle = model.rhs(model.state(jnp.asarray(F), jnp.asarray(G), grid), grid)
    mF, mG = model.ratios(middle, grid)
    root = np.sqrt(np.outer(grid.velocity.masses, grid.line.weights))
    for later, now, slope, next_slope in ((F, rho, dF, mF), (G, 1 / rho, dG, mG)):
        expected = now + 0.5 * h * (np.asarray(slope) + np.asarray(next_slope))
        assert np.abs(root * (later - expected)).max() < 1e-10


@pytest.mark.parametrize("case", REFERENCE["kinetic"][:1], ids=["epsilon=1"])
def test_a_coarse_grid_meets_the_stored_solution(case):
    grid, model, _ = problem(case["epsilon"], (32, 24), case["T1"], case["T2"])
    rho = wavy(np.asarray(grid.line.nodes))
    found = kinetic(grid, model, rho, REFERENCE["times"], rtol=1e-8)
    for (F, G), expected in zip(found, case["values"]):
        values = observed(grid, F, G)
        for name, most in (("mass_difference", 5e-9), ("dipole", 2e-7), ("cubic", 2e-6)):
            assert abs(values[name] - expected[name]) < most, name


@pytest.mark.parametrize("case", REFERENCE["limit"], ids=lambda c: f"T2={c['T2']}")
def test_the_limit_equation_meets_the_stored_solution(case):
    line = ConfinedLine("harmonic", 32)
    equation = ConfinedLimit(case["T1"], case["T2"], "harmonic")
    x, W = np.asarray(line.nodes), np.asarray(line.weights)
    rho = wavy(x)
    found = limit(line, equation, rho - 1 / rho, REFERENCE["times"])
    for m, expected in zip(found, case["values"]):
        assert abs(W @ m - W @ (rho - 1 / rho)) < 1e-14
        # what the quadrature of the initial data misses
        assert abs(W @ m - expected["mass_difference"]) < 1e-8
        assert abs(W @ (x * m) - expected["dipole"]) < 1e-6
        assert abs(W @ (x**3 * m) - expected["cubic"]) < 3e-6


def test_the_stored_solutions_approach_the_limit_at_second_order_size():
    """epsilon = 0.1 lies within epsilon^2 of the limit, epsilon = 1 far from it."""
    for T2 in (1.0, 0.25):
        end = {c["epsilon"]: c["values"][-1] for c in REFERENCE["kinetic"] if c["T2"] == T2}
        fluid = next(c["values"][-1] for c in REFERENCE["limit"] if c["T2"] == T2)
        assert abs(end[0.1]["dipole"] / fluid["dipole"] - 1) < 0.01
        assert abs(end[1.0]["dipole"] / fluid["dipole"] - 1) > 0.3
