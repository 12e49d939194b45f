"""The Lenard-Balescu equation."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.cartesian.equilibrium import matched_maxwellian
from relaxon.collisions.cartesian.radon_operator import RadonOperator, resolution
from relaxon.collisions.cartesian.relaxation import CartesianRelaxation
from relaxon.collisions.radial.form import Frame, log_rate
from relaxon.collisions.radial.origin import pointwise
from relaxon.collisions.radial.relaxation import LARGEST_CHANGE, NEARLY_ZERO, RelativeSystem
from relaxon.collisions.radial.screening import (
    RadialScreening,
    coefficients_of,
    radial_screening,
)
from relaxon.core.equation import Equation
from relaxon.core.errors import InputError, require
from relaxon.core.methods import Posed, solves
from relaxon.core.references import PAPERS
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import Field, OnGrid
from relaxon.distributions.functionals import VelocitySpace, moments, temperature
from relaxon.distributions.gaussians import maxwellian
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.radial import RadialGrid
from relaxon.screening.criterion import VERDICTS
from relaxon.screening.penrose import penrose
from relaxon.screening.potentials import Potential
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stabilized import StabilizedStepper
from relaxon.stepping.stepper import Stepper


@storable("equation")
class LenardBalescu(Equation):
    r"""The homogeneous Lenard-Balescu equation with dynamical screening.

    $$ \partial_t F = \nabla \cdot \Big( \pi (2 \pi)^{-d} \int_{S^{d-1}} n \, K(z(n \cdot v; n))
       [ F_1 \, n \cdot \nabla F - F F_1' ] \, dn \Big), \qquad
       K(z) = \int_0^\infty \frac{k^d \hat V^2}{|1 + \hat V z|^2} dk $$

    with F_1(u; n) the plane integral of F and z = H[F_1'] + i pi F_1'. Source: duerinckx2023 (1.2),
    (2.12), written over directions.

    On a `RadialGrid` (d = 2, 3): mass and energy exact to rounding, Maxwellians stationary to
    rounding, the entropy of the semi-discrete equation never increases; order 4 in the cell size
    where K is smooth (`rhs` at the origin in d = 2, too: `relaxon.collisions.radial.origin`).
    Radial distributions in d = 3 are always Penrose-stable; in d = 2 rings need not be.

    On a `VelocityGrid` (d = 2, 3): plane integrals by nonuniform FFT, O(n^d log n); mass, momentum
    and energy exact to rounding, Maxwellians stationary to rounding; spectrally accurate while K
    is smooth, else of order 8 with the resonances integrated over their cells.

    Attributes:
        potential: The interaction, of the grid's dimension.
    """

    reference: ClassVar[str] = PAPERS["duerinckx2023"]
    potential: Potential

    def __init__(self, potential: Potential):
        require(
            isinstance(potential, Potential),
            f"potential must be one of relaxon.potentials, but is {potential!r}.",
        )
        self.potential = potential

    def kernel_model(self, grid: RadialGrid) -> Any:
        """The screened kernel of the radial form."""
        return radial_screening(self.potential, grid)

    def rhs(self, f: OnGrid, grid: Any) -> Field:
        """df/dt, shape `grid.shape`.

        Raises:
            InputError: A grid of another dimension, or an f that is not Penrose-stable (naming
                k, direction, u and the margin).
        """
        self.require_grid(grid)
        f = on_grid("f", f, grid.shape)
        if isinstance(grid, VelocityGrid):
            operator = RadonOperator(grid, self.potential)
            if isinstance(f, jax.core.Tracer):
                return operator(f)
            rate, found = operator.judged(f, self.potential.v_max)
            if VERDICTS[int(found.code)] == "unstable":
                self.require_stable(f, grid)
            return rate
        model = radial_screening(self.potential, grid)
        if isinstance(f, jax.core.Tracer):
            return _rate(model, f)[0]
        rate, stable = _rate(model, f)
        if not bool(stable):
            self.require_stable(f, grid)
        return rate

    def coefficients(self, f: OnGrid, grid: Any) -> tuple[Any, Array]:
        r"""Diffusion and friction at the cell faces.

        $$ D = C \int n \otimes n K F_1 dn, \qquad P = C \int n K F_1' dn, \qquad
           C = \pi (2 \pi)^{-d} $$

        Source: duerinckx2023 (2.12) and Lemma 2.2.

        Returns:
            ((lambda_1, lambda_2), P), each of shape (n + 1,) at `grid.faces`: eigenvalues along v
            and across it, and the radial component of the friction vector.
        """
        self.require_grid(grid)
        f = on_grid("f", f, grid.shape)
        if isinstance(grid, VelocityGrid):
            return RadonOperator(grid, self.potential).coefficients(f)
        return coefficients_of(radial_screening(self.potential, grid), f)

    def invariants(self, f: OnGrid, grid: VelocitySpace) -> dict[str, Array]:
        """Mass and energy (and momentum where it is not zero by symmetry)."""
        return moments(f, grid)

    def equilibrium(self, f: OnGrid, grid: VelocitySpace) -> Field:
        """The Maxwellian with the mass, momentum and energy of f."""
        f = on_grid("f", f, grid.shape)
        if isinstance(grid, VelocityGrid):
            return matched_maxwellian(f, grid).values(grid)
        return maxwellian(grid, float(grid.integrate(f)), float(temperature(f, grid)))

    def require_grid(self, grid: Any) -> None:
        """Raise `InputError` unless this equation has an operator on the grid."""
        if not isinstance(grid, RadialGrid | VelocityGrid):
            raise InputError(
                f"The Lenard-Balescu equation has no operator on a {type(grid).__name__}; "
                "allowed: RadialGrid, VelocityGrid."
            )
        require(
            grid.d == self.potential.d,
            f"The potential is of dimension {self.potential.d}, the grid of dimension {grid.d}; "
            "they must agree.",
        )

    def require_stable(self, f: Array, grid: Any) -> None:
        """Raise `InputError` if f is Penrose-unstable (not looked at while jax traces)."""
        if isinstance(f, jax.core.Tracer) or (isinstance(grid, RadialGrid) and grid.d == 3):
            return
        report = penrose(self.potential, f, grid)
        require(report.stable, f"The Lenard-Balescu operator is not defined for this f. {report}")


@eqx.filter_jit
def _rate(model: RadialScreening, f: Array) -> tuple[Array, Array]:
    """df/dt and the verdict; one compiled function, for dozens of small ones cost seconds."""
    grid, log_f = model.strips.grid, jnp.log(jnp.maximum(f, 1e-300))
    frame = Frame(grid, grid.integrate(f), temperature(f, grid))
    # Zeros become what a run makes of them at its start.
    least = jnp.where(f > 0, -jnp.inf, jnp.log(NEARLY_ZERO))
    ell = jnp.maximum(log_f - frame.log_maxwellian, least)
    log_f = jnp.where(f > 0, log_f, ell + frame.log_maxwellian)
    rate = f * log_rate(frame.adapted(ell), model.kernel(log_f), ell)
    return pointwise(grid, f, rate), model.stable(log_f)


@solves(LenardBalescu, RadialGrid, memory=lambda grid: 15.0 * grid.n**2)
def radial_method(problem: Posed, rtol: float) -> Stepper:
    """Implicit steps for log F/M."""
    equation, grid = problem.equation, problem.grid
    equation.require_stable(problem.f0, grid)
    model = equation.kernel_model(grid)
    system = eqx.filter_jit(RelativeSystem)(problem.f0, grid, model, 0.0)
    return Rosenbrock(system, jnp.asarray(rtol), jnp.asarray(LARGEST_CHANGE))


@solves(LenardBalescu, VelocityGrid)
def cartesian_method(problem: Posed, rtol: float) -> Stepper:
    """Stabilised explicit steps for F."""
    equation, grid = problem.equation, problem.grid
    equation.require_stable(problem.f0, grid)
    operator = RadonOperator(grid, equation.potential)
    resolution(operator, problem.f0)  # warns of a resonance that the grid does not resolve
    return StabilizedStepper(CartesianRelaxation(operator, grid, equation.potential.v_max), rtol)
