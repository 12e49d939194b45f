"""The radial relaxation problem as a stiff system for the logarithm of F over a Maxwellian."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.collisions.radial.form import STEEP, Frame, log_rate
from relaxon.collisions.radial.jacobian import dense_jacobian, linearize
from relaxon.collisions.radial.kernels import FixedKernel, KernelModel, MinKernel
from relaxon.distributions.functionals import log_ratio_entropy
from relaxon.grids.radial import RadialGrid, sphere_area
from relaxon.stepping.status import Status
from relaxon.stepping.system import System

NEARLY_ZERO = 1e-30

LARGEST_CHANGE = 5.0
"""By how much log F may change in a cell over one step."""

RESOLVED = 1e-3
"""The Fisher information counts as resolved if no more than this share of it is at steep faces."""

STEEP_SHARE = 1e-2
"""Share of the Fisher information at steep faces above which data are named as not resolved."""

SPARE = 1.3
"""The least r_max in units of the turning point: the weighted distance is then right to a per cent
(box of 12 at t = 1e4: 0.9 %)."""

NOTHING = 1e-250
"""The relative distance from equilibrium below which a solution counts as being there."""


class RelativeSystem(System):
    """Unknown ell in F = M exp(ell), with M the Maxwellian that F relaxes to.

    F is positive whatever the step, local Maxwellians form a linear space, and F - M keeps its
    relative accuracy while it decays over hundreds of decades. Mass and energy of F - M are zero
    to rounding after every step. Relative entropy and relative Fisher information are the
    Lyapunov functionals: they equal entropy and Fisher information up to constants.
    """

    frame: Frame
    model: KernelModel
    reaction: Array
    peak: Array
    conservative: bool = eqx.field(static=True)

    def __init__(self, f0: Array, grid: RadialGrid, model: KernelModel, reaction: Array | float):
        """Build the system whose reference is the Maxwellian with the mass and energy of f0.

        Args:
            f0: Initial distribution > 0, shape (n,).
            grid: Its grid.
            model: The kernel of the collision operator; see `relaxon.collisions.radial.kernels`.
            reaction: Prefactor of F^2, concrete (not traced).
        """
        mass = grid.integrate(f0)
        temperature = grid.integrate(f0 * grid.r**2) / (grid.d * mass)
        self.frame = Frame(grid, mass, temperature)
        self.model = model
        self.reaction = jnp.asarray(reaction, float)
        self.peak = jnp.max(f0)
        self.conservative = not bool(reaction != 0)
        self.lyapunov_names = ("relative_entropy", "relative_fisher")

    def encode(self, f0: Array) -> Array:
        """ell = log(f0/M), with the rounding of its mass and energy removed.

        What is below `NEARLY_ZERO` times M becomes that: it is below rounding in every norm, the
        collisions fill it at once, and steps that follow them up from nothing are wasted.
        """
        ell = jnp.log(jnp.maximum(f0, jnp.finfo(float).tiny)) - self.frame.log_maxwellian
        return self.constrain(jnp.zeros(()), jnp.maximum(ell, math.log(NEARLY_ZERO)))

    def fields(self, t: Array, y: Array) -> dict[str, Array]:
        """The distribution f, and f - M to its own relative accuracy."""
        reference = self.frame.maxwellian
        return {"f": reference * jnp.exp(y), "perturbation": reference * jnp.expm1(y)}

    def diagnostics(self, t: Array, y: Array) -> dict[str, Array]:
        """Moments, entropies, Fisher information and distances to the equilibrium M.

        With the stencils of a step from y. `unresolved_fisher` is the part of `relative_fisher` at
        faces across which log F/M is too steep for four points; the true value is larger there.
        """
        frozen = self.frozen(t, y)
        frame, grid, reference = frozen.frame, self.frame.grid, self.frame.maxwellian
        f, phi = reference * jnp.exp(y), jnp.expm1(y)
        rho, energy = grid.integrate(f), grid.integrate(f * grid.r**2)
        # duerinckx2023 (1.5): log M is a sum of invariants, so log(F/M) may stand for log F; near M
        # nothing cancels.
        production = -grid.integrate(f * frozen.collisions(y) * frame.logarithm(y))
        return {
            "mass": rho,
            "energy": energy,
            "temperature": energy / (grid.d * rho),
            "entropy": grid.integrate(f * (y + frame.log_maxwellian)),
            "relative_entropy": relative_entropy(frame, y),
            "entropy_production": production,
            "relative_fisher": relative_fisher(frame, y),
            "unresolved_fisher": unresolved_fisher(frame, y),
            "fisher_information": fisher(frame, y),
            "central_value": grid.at_origin(f),
            "maximum": jnp.max(f),
            "distance_l2": grid.norm(reference * phi),
            "distance_weighted": grid.norm(phi, reference),
            **self.model.monitor(y + frame.log_maxwellian),
        }

    def frozen(self, t: Array, y: Array) -> RelativeSystem:
        """Choose the stencils for the step that begins at y."""
        return eqx.tree_at(lambda s: s.frame, self, self.frame.adapted(y))

    def rate(self, t: Array, y: Array) -> Array:
        """Collisions plus the reaction: d ell/dt = Q(F, F)/F + reaction F."""
        source = self.reaction * self.frame.maxwellian * jnp.exp(y)
        return self.collisions(y) + source

    def linearize(self, t: Array, y: Array) -> Callable:
        """Exact derivative of `rate`: banded and O(n) for a fixed min(r, s), dense otherwise."""
        gain = self.reaction * self.frame.maxwellian * jnp.exp(y)
        # Landau. A screened kernel moves with F at every phase velocity, so its derivative is full.
        if isinstance(self.model, FixedKernel) and isinstance(self.model.value, MinKernel):
            return linearize(self.frame, self.model.value, y, gain).factor
        return dense_solver(dense_jacobian(self.frame, self.model, y) + jnp.diag(gain))

    def collisions(self, y: Array) -> Array:
        """Q(F, F)/F."""
        kernel = self.model.kernel(self.frame.log_maxwellian + y)
        return log_rate(self.frame, kernel, y)

    def size(self, t: Array, y: Array) -> Array:
        r"""Two norms of F - M, shape (2,).

        $$ \Big( \int \frac{(F - M)^2}{F + M} dv \Big)^{1/2}, \qquad \max |F - M| $$

        The first is at most the root of twice the mass, whatever the tail of F; it weighs every
        part of F by its mass, and tends to the norm with weight 1/(2 M) (gualdani2025 (2.6)) as F
        tends to M. The second sees a hot spot of little mass. Neither is below `NOTHING` times
        its value for M: what has decayed that far counts as zero, for steps that resolved it would
        have no end.
        """
        reference, apart = self.frame.maxwellian, jnp.expm1(y)
        # The square is M (e^y - 1)^2/(e^y + 1); its root exists where M underflows.
        root = jnp.exp(0.5 * (self.frame.log_maxwellian - jax.nn.softplus(y)))
        mean = self.frame.grid.norm(root * apart)
        least = NOTHING * jnp.stack([jnp.sqrt(self.frame.grid.integrate(reference)), reference[0]])
        return jnp.maximum(jnp.stack([mean, jnp.max(jnp.abs(reference * apart))]), least)

    def error(self, t: Array, y: Array, defect: Array) -> Array:
        """The same norms of the change of F that `defect` makes."""
        change = self.frame.maxwellian * jnp.exp(y) * defect
        # F^2/(F + M) is F times the logistic function of log F/M.
        share = jnp.exp(0.5 * (self.frame.log_maxwellian + y + jax.nn.log_sigmoid(y)))
        mean = self.frame.grid.norm(share * defect)
        return jnp.stack([mean, jnp.max(jnp.abs(change))])

    def constrain(self, t: Array, y: Array) -> Array:
        """Mass and energy of F - M set to zero, where the equation conserves them."""
        return self.frame.constrained(y) if self.conservative else y

    def admissible(self, t: Array, y: Array) -> Array:
        """F is positive by its form; its mass and energy have gone back to what they must be."""
        if not self.conservative:
            return jnp.asarray(True)
        # Newton's method in `constrain` has not converged if this fails; rounding alone is far
        # smaller.
        return jnp.all(jnp.abs(self.frame.invariants(y)) <= 1e-11 * self._scales())

    def _scales(self) -> Array:
        """Mass and energy of M, shape (2,)."""
        weight = self.frame.grid.volumes * self.frame.maxwellian
        return jnp.stack([jnp.sum(weight), jnp.sum(weight * self.frame.grid.r**2)])

    def lyapunov(self, t: Array, y: Array) -> Array:
        """Relative entropy, and relative Fisher information (NaN where it is not resolved)."""
        fisher = relative_fisher(self.frame, y)
        resolved = unresolved_fisher(self.frame, y) < RESOLVED * fisher
        return jnp.stack([relative_entropy(self.frame, y), jnp.where(resolved, fisher, jnp.nan)])

    def complaints(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """Data that are steeper than the cells; a box that cuts off what decides at late times."""
        return self._steep(diagnostics) + self._narrow(t, diagnostics)

    def _steep(self, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        if "unresolved_fisher" not in diagnostics:  # an earlier version began the run
            return []
        share = diagnostics["unresolved_fisher"][0] / max(diagnostics["relative_fisher"][0], 1e-290)
        if not share > STEEP_SHARE:
            return []
        return [
            f"F changes by more than a factor {math.exp(STEEP):.2g} from cell to cell where "
            f"{share:.1%} of its Fisher information is: the error is that of the cells, whatever "
            "rtol; raise n."
        ]

    def _narrow(self, t: np.ndarray, diagnostics: Mapping[str, np.ndarray]) -> list[str]:
        """The box against `turning_point` at the last time."""
        if not (isinstance(self.model, FixedKernel) and isinstance(self.model.value, MinKernel)):
            return []
        grid, last = self.frame.grid, float(t[-1])
        turn = turning_point(last, float(diagnostics["mass"][-1]), self.model.value, grid)
        if float(grid.r_max) > SPARE * turn:
            return []
        return [
            f"The tail that decides at t = {last:.3g} turns at r = {turn:.3g}, and r_max = "
            f"{float(grid.r_max):.3g} cuts it off: distances from equilibrium fall too fast; take "
            f"r_max >= {(SPARE + 0.1) * turn:.3g}."
        ]

    def failure(self, t: Array, y: Array) -> Array:
        """BLOWUP if the maximum grew a millionfold, PENROSE_UNSTABLE if the kernel is undefined."""
        grown = jnp.max(self.frame.maxwellian * jnp.exp(y)) > 1e6 * self.peak
        stable = self.model.stable(y + self.frame.log_maxwellian)
        return jnp.where(
            grown, Status.BLOWUP, jnp.where(stable, Status.FINE, Status.PENROSE_UNSTABLE)
        )


def turning_point(t: float, rho: float, kernel: MinKernel, grid: RadialGrid) -> float:
    r"""Where the part of the tail turns that decides the weighted distance at the time t.

    Far out $\psi = (F - M)/\sqrt M$ obeys
    $\partial_t \psi = \lambda \psi'' - \lambda r^2/(4 T^2) \psi$ with
    $\lambda = \rho T/(4 \pi r^3)$ to leading order. The path of least action
    $\int \dot r^2/(4 \lambda) + \rho/(16 \pi T r) \, dt$ from the core to a free end reaches

    $$ r = (15 \rho t/64 \pi)^{1/3} $$

    whatever T. Measured: the largest $(F - M)^2/M$ sits at 14.4 and 18.2 where 13.9 and 17.5 are
    predicted (docs/explanation/findings.md).
    """
    # The kernel of gualdani2025 is r^3/3; another strength is another clock.
    clock = float(3 * kernel.a[-1] / grid.faces[-2] ** 3)
    return (15 * rho * clock * t / (64 * math.pi)) ** (1 / 3)


def dense_solver(jacobian: Array) -> Callable[[Array], Callable[[Array], Array]]:
    """tau -> (rhs -> (1 - tau J)^-1 rhs) for a dense J, factored once for each tau."""

    def factor(tau: Array) -> Callable[[Array], Array]:
        lu = jax.scipy.linalg.lu_factor(jnp.eye(len(jacobian)) - tau * jacobian)
        return lambda rhs: jax.scipy.linalg.lu_solve(lu, rhs)

    return factor


def relative_entropy(frame: Frame, ell: Array) -> Array:
    """int F log(F/M) - F + M dv for F = M exp(ell), however small ell is."""
    near = frame.grid.integrate(frame.maxwellian * log_ratio_entropy(ell))
    return near + frame.grid.integrate(frame.maxwellian * jnp.exp(ell) * frame.surplus)


def relative_fisher(frame: Frame, ell: Array) -> Array:
    """int F |grad log(F/M)|^2 dv for F = M exp(ell), a sum over the faces."""
    return jnp.sum(_fisher_density(frame, ell))


def fisher(frame: Frame, ell: Array) -> Array:
    """int |grad F|^2/F dv for F = M exp(ell), a sum over the faces; grad log M = -v/T."""
    return jnp.sum(_fisher_density(frame, ell, 1 / frame.temperature))


def unresolved_fisher(frame: Frame, ell: Array) -> Array:
    """The part of `relative_fisher` at faces across which log F/M is too steep for four points."""
    return jnp.sum(jnp.where(frame.narrow, _fisher_density(frame, ell), 0.0))


def _fisher_density(frame: Frame, ell: Array, less: Array | float = 0.0) -> Array:
    """F (xi - less)^2 r^2 at the interior faces, with their volumes."""
    u, xi = frame.face_values(ell)
    weight = sphere_area(frame.grid.d) * frame.grid.faces[1:-1] ** frame.grid.d
    return weight * frame.measure * u * (xi - less) ** 2
