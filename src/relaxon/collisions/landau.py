"""The Landau equation."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.collisions.cartesian.convolution import landau_operator
from relaxon.collisions.cartesian.equilibrium import matched_maxwellian
from relaxon.collisions.cartesian.relaxation import CartesianRelaxation
from relaxon.collisions.radial.form import Frame, log_rate
from relaxon.collisions.radial.kernels import FixedKernel, MinKernel
from relaxon.collisions.radial.origin import pointwise
from relaxon.collisions.radial.relaxation import LARGEST_CHANGE, RelativeSystem
from relaxon.collisions.radial.screening import (
    RadialScreening,
    coefficients_of,
    radial_screening,
)
from relaxon.core.equation import Equation
from relaxon.core.errors import InputError, require
from relaxon.core.methods import Posed, solves
from relaxon.core.numbers import number
from relaxon.core.references import PAPERS
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import Field, OnGrid, Real
from relaxon.distributions.functionals import VelocitySpace, moments
from relaxon.distributions.gaussians import maxwellian
from relaxon.grids.cartesian import VelocityGrid
from relaxon.grids.radial import RadialGrid
from relaxon.screening.potentials import Potential
from relaxon.screening.potentials.unscreened import Unscreened
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stabilized import StabilizedStepper
from relaxon.stepping.stepper import Stepper

STRENGTH = 1.0 / (8.0 * math.pi)
"""The strength of gualdani2025 (1.1), for which div A[F] grad F has A = (1/8pi) Pi/|.| * F."""


@storable("equation", build="from_file")
class Landau(Equation):
    r"""The Landau equation, with an optional quadratic reaction.

    $$ \partial_t F = \nabla \cdot ( A[F] \nabla F - \nabla \cdot A[F] \, F ) + \epsilon F^2, \qquad
       A[F](v) = C \int |w|^{\gamma + 2} \Pi(w) F(v - w) \, dw $$

    with Pi(w) = Id - w w^T/|w|^2. For gamma = -3 and C = 1/(8 pi) this is the Landau-Coulomb
    equation of gualdani2025 (1.1); with epsilon > 0 it is the modified equation of its
    introduction, whose solutions can blow up.

    On a `RadialGrid` (gamma = -3): mass and energy exact to rounding, Maxwellians stationary to
    rounding, the entropy of the semi-discrete equation never increases; order 4 in the cell size;
    an evaluation costs O(n) in d = 3 and O(n^2) in d = 2, where the kernel is not a function of
    min(r, s).

    On a `VelocityGrid` (d = 2, 3, any gamma in [-3, 1]): fast convolution with the truncated
    kernel, spectrally accurate; mass, momentum and energy exact to rounding, Maxwellians
    stationary to rounding; f >= 0 and no step raises the entropy, by a conservative limiter
    that acts at the level of the discretisation error (recorded along a run).

    Attributes:
        gamma: Exponent of the kernel, -3 for Coulomb.
        strength: C > 0, the prefactor of the kernel.
        reaction: epsilon, the prefactor of F^2; 0 is the Landau equation.

    Raises:
        InputError: gamma outside [-3, 1], strength <= 0, or a value that is not finite.
    """

    reference: ClassVar[str] = PAPERS["gualdani2025"]
    gamma: float = eqx.field(static=True)
    strength: Array
    reaction: Array
    reactive: bool = eqx.field(static=True)

    def __init__(self, gamma: Real = -3.0, strength: Real = STRENGTH, reaction: Real = 0.0):
        gamma, strength = number("gamma", gamma), number("strength", strength)
        reaction = number("reaction", reaction)
        require(-3 <= gamma <= 1, f"gamma must lie in [-3, 1], but is {gamma:g}.")
        require(strength > 0, f"strength must be > 0, but is {strength:g}.")
        self.gamma, self.reactive = gamma, reaction != 0
        self.strength, self.reaction = jnp.asarray(strength), jnp.asarray(reaction)

    @classmethod
    def from_file(
        cls,
        gamma: float = -3.0,
        strength: float | None = None,
        reaction: float = 0.0,
        potential: Potential | None = None,
    ) -> Landau:
        """The equation with a strength, or the prefactor L of a potential (duerinckx2023 (1.7))."""
        if potential is not None:
            require(strength is None, "Landau takes a strength or a table [potential], not both.")
            strength = float(potential.landau_prefactor())
        return cls(gamma, STRENGTH if strength is None else strength, reaction)

    def kernel_model(self, grid: RadialGrid) -> FixedKernel:
        r"""The kernel of the radial form, `relaxon.collisions.radial.form`, at the interior faces.

        $$ d = 3:\ \kappa = \tfrac{8 \pi}{3} C \min(r, s)^3, \qquad
           d = 2:\ \kappa = \frac2\pi \int_0^{\min(r, s)}
           \frac{2 \pi C u^2 du}{\sqrt{r^2 - u^2} \sqrt{s^2 - u^2}} $$

        In d = 2 this is the screened kernel with K = 2 pi C for all u.
        """
        if grid.d == 2:
            return FixedKernel(self._lines(grid).kernel(jnp.zeros(grid.n)))
        return FixedKernel(MinKernel(self.strength / STRENGTH * grid.faces[1:-1] ** 3 / 3))

    def rhs(self, f: OnGrid, grid: Any) -> Field:
        """Collisions plus reaction, shape `grid.shape`.

        Accuracy: order 4 in integrals against smooth functions and at fixed r; the error at single
        cells grows like dx^4/r^2 towards r = 0, where it is of order 2 in d = 3 (tests/physics) and
        of order 4 in d = 2 (`relaxon.collisions.radial.origin`).

        Raises:
            InputError: A grid and gamma for which there is no operator.
        """
        self.require_grid(grid)
        f = on_grid("f", f, grid.shape)
        if isinstance(grid, VelocityGrid):
            operator = landau_operator(grid, self.gamma, self.strength)
            return operator(f) + self.reaction * f**2
        mass, temperature = _mass_and_temperature(f, grid)
        frame = Frame(grid, mass, temperature)
        ell = jnp.log(jnp.maximum(f, 1e-300) / jnp.maximum(frame.maxwellian, 1e-300))
        collisions = f * log_rate(frame.adapted(ell), self.kernel_model(grid).value, ell)
        return pointwise(grid, f, collisions) + self.reaction * f**2

    def coefficients(self, f: OnGrid, grid: Any) -> tuple[Any, Array]:
        r"""Diffusion and friction at the cell faces.

        $$ \lambda_1(r) = \frac13 \Big[ r^{-3} \int_0^r s^4 F ds + \int_r^\infty s F ds \Big],
           \quad \lambda_2 = (a - \lambda_1)/2, \quad P = a' = -m/r^2 $$

        times 8 pi C in d = 3; a = tr A. Source: gualdani2025, Lemma 2.3 and (2.15). In d = 2 the
        formulas of duerinckx2023, Lemma 2.2, with constant K.

        Returns:
            ((lambda_1, lambda_2), P), each of shape (n + 1,) at `grid.faces`: eigenvalues of A[F]
            along v and across it, and the radial component of the friction vector.

        Accuracy: order 6 in the cell size in d = 3, order 4 in d = 2.
        """
        self.require_grid(grid)
        f = on_grid("f", f, grid.shape)
        if isinstance(grid, VelocityGrid):
            return landau_operator(grid, self.gamma, self.strength).coefficients(f)
        if grid.d == 2:
            return coefficients_of(self._lines(grid), f)
        scale, faces = self.strength / STRENGTH, grid.faces
        mass, _ = grid.cumulative(f, 2)
        fourth, _ = grid.cumulative(f, 4)
        _, outer = grid.cumulative(f, 1)
        lam1 = (_over(fourth, faces**3) + outer) / 3
        trace = _over(mass, faces) + outer
        friction = -_over(mass, faces**2)
        return (scale * lam1, scale * (trace - lam1) / 2), scale * friction

    def _lines(self, grid: RadialGrid) -> RadialScreening:
        """The engine of the screened operator with the constant weight of this one."""
        return radial_screening(Unscreened(2, 2 * jnp.pi * self.strength), grid)

    def invariants(self, f: OnGrid, grid: VelocitySpace) -> dict[str, Array]:
        """Mass and energy (and momentum where it is not zero by symmetry)."""
        return moments(f, grid)

    def equilibrium(self, f: OnGrid, grid: VelocitySpace) -> Field:
        """The Maxwellian with the mass, momentum and energy of f (gualdani2025, Theorem 1.1)."""
        f = on_grid("f", f, grid.shape)
        if isinstance(grid, VelocityGrid):
            return matched_maxwellian(f, grid).values(grid)
        mass, temperature = _mass_and_temperature(f, grid)
        return maxwellian(grid, float(mass), float(temperature))

    def require_grid(self, grid: Any) -> None:
        """Raise `InputError` unless this equation has an operator on the grid."""
        if isinstance(grid, RadialGrid):
            require(
                self.gamma == -3,
                "On a radial grid the Landau equation needs gamma = -3, "
                f"but gamma = {self.gamma:g}.",
            )
        elif not isinstance(grid, VelocityGrid):
            raise InputError(
                f"The Landau equation has no operator on a {type(grid).__name__}; "
                "allowed: RadialGrid, VelocityGrid."
            )


def _mass_and_temperature(f: Array, grid: RadialGrid) -> tuple[Array, Array]:
    mass = grid.integrate(f)
    return mass, grid.integrate(f * grid.r**2) / (grid.d * mass)


def _over(x: Array, y: Array) -> Array:
    """x / y at the faces, 0 at r = 0 where both vanish."""
    return jnp.where(y > 0, x / jnp.where(y > 0, y, 1.0), 0.0)


def _radial_memory(grid: RadialGrid) -> float:
    """Bands of the Jacobian and their factors; matrices where the kernel is one (d = 2)."""
    return 20.0 * grid.n**2 if grid.d == 2 else 200.0 * grid.n


@solves(Landau, RadialGrid, memory=_radial_memory)
def radial_method(problem: Posed, rtol: float) -> Stepper:
    """Implicit steps for log F/M."""
    equation, grid = problem.equation, problem.grid
    reaction = float(equation.reaction)
    if grid.d == 2:  # the kernel is a matrix that numpy sets up
        model = equation.kernel_model(grid)
        system = eqx.filter_jit(RelativeSystem)(problem.f0, grid, model, reaction)
    else:
        system = _relative_system(equation, grid, problem.f0, reaction)
    return Rosenbrock(system, jnp.asarray(rtol), jnp.asarray(LARGEST_CHANGE))


@eqx.filter_jit
def _relative_system(
    equation: Landau, grid: RadialGrid, f0: Array, reaction: float
) -> RelativeSystem:
    """One compiled function: dozens of small ones cost seconds when they are first called."""
    return RelativeSystem(f0, grid, equation.kernel_model(grid), reaction)


@solves(Landau, VelocityGrid)
def cartesian_method(problem: Posed, rtol: float) -> Stepper:
    """Stabilised explicit steps for F."""
    equation, grid = problem.equation, problem.grid
    operator = landau_operator(grid, equation.gamma, equation.strength)
    if equation.reactive:
        raise InputError(
            "The modified equation (reaction != 0) is solved on a RadialGrid only; "
            "take a RadialGrid or reaction = 0."
        )
    return StabilizedStepper(CartesianRelaxation(operator, grid), rtol)
