r"""The linear Fokker-Planck equation.

$$ \partial_t f = \nu \nabla \cdot (T \nabla f + v f)
   = \nu T \nabla \cdot \Big( M \nabla \frac fM \Big), \qquad
   M(v) = \rho \, (2 \pi T)^{-d/2} e^{-|v|^2/2T} $$

Particles in a bath of temperature T: friction nu v and noise nu T. It conserves the mass rho, and
nothing else; M is stationary, and the entropy relative to M decreases. A Gaussian stays one, its
temperature is $T(t) = T + (T_0 - T) e^{-2 \nu t}$.

Source: H. Risken, The Fokker-Planck Equation, 2nd ed. (Springer 1989), section 5.3.

This file is all that the equation needs: the equation, the discrete system, the method that solves
it. `cases/fokker-planck.toml` is a case of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from relaxon.core.equation import Equation
from relaxon.core.errors import require
from relaxon.core.methods import Posed, solves
from relaxon.core.numbers import positive
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import Field, OnGrid, Real
from relaxon.distributions.functionals import mass
from relaxon.distributions.gaussians import maxwellian
from relaxon.grids.radial import RadialGrid, sphere_area
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.stepping.stepper import Stepper
from relaxon.stepping.system import System

LARGEST_CHANGE = 5.0
"""By how much log f may change in a cell over one step."""


@storable("equation")
class FokkerPlanck(Equation):
    """The equation above, on a `RadialGrid`.

    Mass exact and M stationary to rounding, f positive, the entropy of the semi-discrete equation
    never increases.

    Accuracy: order 2 in the cell size (tests/physics/test_fokker_planck.py). Cost: O(n) a step.

    Attributes:
        temperature: T > 0, of the bath.
        rate: nu > 0.

    Raises:
        InputError: A number that is not positive.
    """

    reference: ClassVar[str] = "H. Risken, The Fokker-Planck Equation, 2nd ed., Springer (1989)"

    temperature: Array
    rate: Array

    def __init__(self, temperature: Real = 1.0, rate: Real = 1.0):
        self.temperature = jnp.asarray(positive("temperature", temperature))
        self.rate = jnp.asarray(positive("rate", rate))

    def rhs(self, f: OnGrid, grid: Any) -> Field:
        """df/dt, shape `grid.shape`."""
        self.require_grid(grid)
        f = on_grid("f", f, grid.shape)
        exchange = Exchange(self, f, grid)
        return f * exchange.rate(jnp.zeros(()), exchange.encode(f))

    def invariants(self, f: OnGrid, grid: RadialGrid) -> dict[str, Array]:
        """The mass."""
        return {"mass": mass(f, grid)}

    def equilibrium(self, f: OnGrid, grid: RadialGrid) -> Field:
        """The Maxwellian of the bath with the mass of f."""
        return mass(f, grid) * maxwellian(grid, 1.0, float(self.temperature))

    def checked_data(self, f0: Any, grid: RadialGrid) -> Array:
        """As every equation; the grid must hold the Maxwellian of the bath, too."""
        f0 = super().checked_data(f0, grid)
        grid.check(self.equilibrium(f0, grid), "the bath's Maxwellian")
        grid.require_maxwellian(float(self.temperature), "the bath")
        return f0

    def require_grid(self, grid: Any) -> None:
        """Raise `InputError` unless the grid is radial."""
        require(
            isinstance(grid, RadialGrid),
            f"The Fokker-Planck equation needs a RadialGrid, but got a {type(grid).__name__}.",
        )


class Exchange(System):
    r"""The exchange of particles between neighbouring cells, for ell = log(f/M).

    With m_i the mass of M in cell i and c the conductance of the face between two cells,

    $$ m_i \frac{d}{dt} \frac{f_i}{M_i} = \sum_{j = i \pm 1} c_{ij}
       \Big( \frac{f_j}{M_j} - \frac{f_i}{M_i} \Big), \qquad
       c = \nu T |S^{d-1}| r^{d-1} M / \Delta r $$

    so $\dot\ell_i = \sum_j (c_{ij}/m_i) (e^{\ell_j - \ell_i} - 1)$. Exchange is symmetric: mass is
    conserved, and every convex functional of f/M decreases.

    Attributes:
        grid: The radial grid.
        log_m: log M at the centres, for the mass of the initial datum.
        outward: c/m of each cell's outer face, shape (n,); 0 at the last one.
        inward: c/m of each cell's inner face, shape (n,); 0 at the first one.
    """

    grid: RadialGrid
    log_m: Array
    outward: Array
    inward: Array

    def __init__(self, equation: FokkerPlanck, f0: Array, grid: RadialGrid):
        T, inside = equation.temperature, grid.faces[1:-1]
        # The quadrature of M is not 1 exactly; the discrete M has the mass of f0.
        weight = grid.volumes * jnp.exp(-(grid.r**2) / (2 * T))
        self.grid = grid
        self.log_m = -(grid.r**2) / (2 * T) + jnp.log(grid.integrate(f0) / jnp.sum(weight))
        gap = grid.face_slope[1:-1] * grid.dx
        area = sphere_area(grid.d) * inside ** (grid.d - 1)

        def over_mass(cell: slice) -> Array:
            """c/m, where M at the face is taken relative to M in the cell: no underflow."""
            relative = jnp.exp((grid.r[cell] ** 2 - inside**2) / (2 * T))
            return equation.rate * T * area / gap * relative / grid.volumes[cell]

        self.outward = jnp.append(over_mass(slice(None, -1)), 0.0)
        self.inward = jnp.append(0.0, over_mass(slice(1, None)))
        self.lyapunov_names = ("relative_entropy",)

    def encode(self, f0: Array) -> Array:
        """ell; where f0 vanishes it is taken as the smallest normal number."""
        return jnp.log(jnp.maximum(f0, jnp.finfo(float).tiny)) - self.log_m

    def fields(self, t: Array, y: Array) -> dict[str, Array]:
        """The distribution, and f - M to its own relative accuracy."""
        reference = jnp.exp(self.log_m)
        return {"f": reference * jnp.exp(y), "perturbation": reference * jnp.expm1(y)}

    def diagnostics(self, t: Array, y: Array) -> dict[str, Array]:
        """Mass, temperature, relative entropy, distance to M."""
        grid, f = self.grid, self.fields(t, y)["f"]
        rho = grid.integrate(f)
        return {
            "mass": rho,
            "temperature": grid.integrate(f * grid.r**2) / (grid.d * rho),
            "relative_entropy": self.lyapunov(t, y)[0],
            "distance_l2": self.size(t, y),
        }

    def rate(self, t: Array, y: Array) -> Array:
        """d ell/dt."""
        step = jnp.diff(y)
        return self.outward * jnp.expm1(jnp.append(step, 0.0)) + self.inward * jnp.expm1(
            jnp.append(0.0, -step)
        )

    def linearize(self, t: Array, y: Array) -> Callable[[Array], Callable[[Array], Array]]:
        """The Jacobian is tridiagonal, and its rows have sum zero."""
        step = jnp.diff(y)
        up = self.outward * jnp.exp(jnp.append(step, 0.0))
        down = self.inward * jnp.exp(jnp.append(0.0, -step))

        def factor(tau: Array) -> Callable[[Array], Array]:
            matrix = -tau * down, 1 + tau * (up + down), -tau * up
            return lambda rhs: jax.lax.linalg.tridiagonal_solve(*matrix, rhs[:, None])[:, 0]

        return factor

    def size(self, t: Array, y: Array) -> Array:
        """The L^2 norm of f - M, at least 1e-250."""
        return jnp.maximum(self.error(t, jnp.zeros_like(y), jnp.expm1(y)), 1e-250)

    def error(self, t: Array, y: Array, defect: Array) -> Array:
        """The L^2 norm of the change of f that `defect` makes."""
        return self.grid.norm(jnp.exp(self.log_m + y) * defect)

    def constrain(self, t: Array, y: Array) -> Array:
        """The mass, which steps for log f keep to their tolerance only, put right."""
        weight = self.grid.volumes * jnp.exp(self.log_m)
        return y - jnp.log1p(jnp.sum(weight * jnp.expm1(y)) / jnp.sum(weight))

    def lyapunov(self, t: Array, y: Array) -> Array:
        """Entropy relative to M: int M (e^ell (ell - 1) + 1), without cancellation near M."""
        small = jnp.abs(y) < 1e-3
        series = y**2 * (1 / 2 + y * (1 / 3 + y * (1 / 8 + y / 30)))
        density = jnp.where(small, series, jnp.exp(y) * (y - 1) + 1)
        return self.grid.integrate(jnp.exp(self.log_m) * density)[None]

    def frozen(self, t: Array, y: Array) -> System:
        """Nothing depends on y."""
        return self

    def admissible(self, t: Array, y: Array) -> Array:
        """f is positive by its form."""
        return jnp.asarray(True)

    def failure(self, t: Array, y: Array) -> Array:
        """Nothing can go wrong."""
        return jnp.zeros((), jnp.int32)


@solves(FokkerPlanck, RadialGrid)
def method(problem: Posed, rtol: float) -> Stepper:
    """Implicit steps for log f/M."""
    exchange = eqx.filter_jit(Exchange)(problem.equation, problem.f0, problem.grid)
    return Rosenbrock(exchange, jnp.asarray(rtol), jnp.asarray(LARGEST_CHANGE))
