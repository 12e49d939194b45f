"""Every check of duerinckx2023 holds, and its spoiled twin fails."""

import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.collisions.lenard_balescu import LenardBalescu
from relaxon.distributions.gaussians import gaussian_mixture
from relaxon.screening.potentials import Coulomb, Gaussian
from relaxon.theorems.duerinckx2023 import operator as theorems


class Spoiled:
    """The operator with its rate changed."""

    def __init__(self, change):
        self.change = change

    def __call__(self, potential):
        self.equation = LenardBalescu(potential)
        return self

    def rhs(self, f, grid):
        return self.change(self.equation.rhs(f, grid), f, grid)


def two_temperatures(grid, mass, temperature):
    centres = [[0.0] * grid.d] * 2
    return gaussian_mixture(
        grid, [0.5 * mass] * 2, centres, [0.95 * temperature, 1.05 * temperature]
    )


TWINS = [
    (theorems.conservation, {"equation": Spoiled(lambda q, f, grid: q * (1 + 1e-6 * grid.r))}),
    pytest.param(
        theorems.entropy_production,
        {"equation": Spoiled(lambda q, f, grid: -q)},
        marks=pytest.mark.slow,
    ),
    (theorems.equilibrium, {"profile": two_temperatures}),
    (theorems.landau_prefactor, {"factor": 2.0}),
    pytest.param(theorems.sum_rules, {"factor": 1.01}, marks=pytest.mark.slow),
    (theorems.dispersion_bound, {"potentials": [Coulomb(3, 10.0)]}),
    (theorems.coulomb_contrast, {"potential": Gaussian(3)}),
    (theorems.eigenvalue_powers, {"claimed": (-2.0, -1.0)}),
]


@pytest.mark.parametrize(("check", "spoiled"), TWINS, ids=lambda x: getattr(x, "name", ""))
def test_the_spoiled_twin_fails(check, spoiled):
    verdict = check.altered(**spoiled).run(quick=True)
    assert verdict.verdict == "fails", str(verdict)


@pytest.mark.parametrize(
    "check",
    [
        theorems.equilibrium,
        theorems.dispersion_bound,
        theorems.coulomb_contrast,
        theorems.eigenvalue_powers,
    ],
    ids=lambda x: x.name,
)
def test_the_statement_holds(check):
    verdict = check.run(quick=True)
    assert verdict.holds, str(verdict)


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        theorems.conservation,
        theorems.entropy_production,
        theorems.landau_prefactor,
        theorems.sum_rules,
    ],
    ids=lambda x: x.name,
)
def test_the_statement_holds_slow(check):
    verdict = check.run(quick=True)
    assert verdict.holds, str(verdict)


def test_the_sum_rules_know_a_wrong_distribution():
    """They relate K to the same F1': a dispersion function of another F breaks them."""
    grid, f = theorems.mixture(3, 100)
    good = theorems.sum_rule_defects(Gaussian(3), f, grid)
    assert max(good) < 1e-4
    assert np.isfinite(float(jnp.sum(f)))
