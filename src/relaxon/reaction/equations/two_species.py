"""What all equations of two species share: ratios to profiles, entropy, box, equilibrium."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.numbers import reals
from relaxon.core.references import PAPERS
from relaxon.core.types import Scalar
from relaxon.grids.base import Grid, PhaseSpace
from relaxon.reaction.equations.limit import ReactionEquation, density_from_difference, relative

Pair = tuple[jax.Array, jax.Array]


def pair(f: Any, grid: Grid) -> Pair:
    """The two distributions from a mapping with keys f, g or from a pair; shapes checked."""
    if isinstance(f, Mapping):
        missing = sorted({"f", "g"} - set(f))
        require(not missing, f"The state must hold f and g, but lacks {', '.join(missing)}.")
        first, second = f["f"], f["g"]
    else:
        try:
            first, second = f
        except (TypeError, ValueError):
            raise InputError(
                "The state must be a pair (f, g) or a mapping with keys f and g."
            ) from None
    first, second = _array("f", first), _array("g", second)
    for name, value in (("f", first), ("g", second)):
        require(
            value.shape == grid.shape,
            f"{name} must have the grid's shape {grid.shape} (positions, then velocities), "
            f"but has {value.shape}.",
        )
    return first, second


def _array(name: str, value: Any) -> jax.Array:
    known = isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jnp.floating)
    return jnp.asarray(value if known else reals(name, value), dtype=float)


class Masses(eqx.Module):
    r"""Node masses of the two profiles on a grid: what every formula needs.

    Attributes:
        chi1: $w_j \chi_1(v_j)$, shape `(N,)`, sum 1.
        chi2: The same for chi_2.
        weights: Quadrature weights $w_j$, shape `(N,)`.
    """

    chi1: np.ndarray
    chi2: np.ndarray
    weights: np.ndarray

    def density_ratio(self, f: jax.Array, g: jax.Array, grid: PhaseSpace) -> Pair:
        """F = f/chi_1 and G = g/chi_2, velocity first; where chi underflows, the density."""
        ratios = []
        for field, mass in ((f, self.chi1), (g, self.chi2)):
            first = grid.velocity_first(field)
            pad = (slice(None),) + (None,) * grid.positions.d
            weighted = first * jnp.asarray(self.weights)[pad]
            safe = jnp.where(mass > 0, mass, 1.0)[pad]
            density = weighted.sum(axis=0)
            # A value on a node without mass that is not zero lies outside every box: keep it.
            empty = (mass[pad] == 0) & (first == 0)
            ratios.append(jnp.where(empty, density, weighted / safe))
        return ratios[0], ratios[1]

    def distributions(self, F: jax.Array, G: jax.Array, grid: PhaseSpace) -> Pair:
        """Inverse of `density_ratio`."""
        pad = (slice(None),) + (None,) * grid.positions.d
        f = F * jnp.asarray(self.chi1 / self.weights)[pad]
        g = G * jnp.asarray(self.chi2 / self.weights)[pad]
        return grid.position_first(f), grid.position_first(g)


class TwoSpecies(ReactionEquation):
    """What the nonlinear and the linearised equations share.

    On a `PhaseGrid` F = f/chi_1 and G = g/chi_2, and integrals over positions are plain; on a
    `ConfinedGrid` the profiles carry the Gibbs factor, and integrals its weight.
    """

    reference: ClassVar[str] = PAPERS["neumann2016"]
    """The paper of the theory, for the report of a run."""

    epsilon: eqx.AbstractVar[float]

    @abc.abstractmethod
    def masses(self, grid: Any) -> Any:
        """Node masses of the profiles on a grid: `Masses` or what has its interface."""

    def ratios(self, f: Any, grid: PhaseSpace) -> Pair:
        """F and G, velocity first."""
        return self.masses(grid).density_ratio(*pair(f, grid), grid)

    def state(self, F: jax.Array, G: jax.Array, grid: PhaseSpace) -> dict[str, jax.Array]:
        """The distributions of ratios given velocity first."""
        f, g = self.masses(grid).distributions(F, G, grid)
        return {"f": f, "g": g}

    def invariants(self, f: Any, grid: PhaseSpace) -> dict[str, jax.Array]:
        """The mass difference, the only conserved integral."""
        first, second = pair(f, grid)
        return {"mass_difference": grid.integrate(first) - grid.integrate(second)}

    def _level(self, f: Any, grid: PhaseSpace) -> jax.Array:
        """The mean of m = <F> - <G>."""
        return self.invariants(f, grid)["mass_difference"] / grid.positions.volume


class Reaction(TwoSpecies):
    """A nonlinear equation of the family: entropy, box and equilibrium of neumann2016."""

    def admit(self, f: Any, grid: Any) -> tuple[jax.Array, jax.Array]:
        """Check initial data, see the function `admit`, and return their box."""
        return box_of(*admit(f, grid, self.masses(grid)))

    def checked_data(self, f0: Any, grid: Any) -> dict[str, jax.Array]:
        """Initial data as a mapping of f and g.

        Raises:
            InputError: Wrong shapes, NaN, negative values, data outside every box of Theorem 1.1,
                or a mass difference for which (4) has no root in floating-point numbers.
        """
        f, g = pair(f0, grid)
        self.admit((f, g), grid)
        level = self._level((f, g), grid)
        root = density_from_difference(level)
        require(
            bool(jnp.isfinite(root) & (root > 0) & jnp.isfinite(1.0 / root)),
            f"No rho_inf > 0 has rho_inf - 1/rho_inf = {float(level):.3g}, the mass "
            "difference of f and g a volume, in floating-point numbers.",
        )
        return {"f": f, "g": g}

    def local_equilibrium(self, rho: jax.Array, grid: PhaseSpace) -> dict[str, jax.Array]:
        r"""F = rho(x), G = 1/rho(x): the states that reactions leave alone."""
        rho = jnp.broadcast_to(jnp.asarray(rho, dtype=float), grid.positions.shape)
        flat = jnp.ones((grid.velocity.size,) + (1,) * grid.positions.d)
        return self.state(flat * rho, flat / rho, grid)

    def rho_infinity(self, f: Any, grid: PhaseSpace) -> Scalar:
        """The density of f at equilibrium, from the mass difference by (4)."""
        return density_from_difference(self._level(f, grid))

    def equilibrium(self, f: Any, grid: PhaseSpace) -> dict[str, jax.Array]:
        """The steady state of the same mass difference."""
        return self.local_equilibrium(self.rho_infinity(f, grid), grid)

    def entropy(self, f: Any, grid: PhaseSpace) -> Scalar:
        r"""Entropy relative to equilibrium, (5) plus the constant $r + 1/r$ a volume.

        $$ \int\!\!\int f \ln\frac{f}{r\chi_1} - f + r\chi_1
           + g \ln\frac{r g}{\chi_2} - g + \chi_2/r \; dv\,dx \ge 0 $$

        Zero at equilibrium only, and computed without cancellation near it.
        """
        F, G = self.ratios(f, grid)
        return entropy_of(F, G, self.rho_infinity(f, grid), self.masses(grid), grid)

    def entropy_production(self, f: Any, grid: PhaseSpace) -> Scalar:
        r"""What (6) takes from the entropy a unit of time, never negative.

        $$ \varepsilon^{-2} \int\!\!\int\!\!\int (f g' - \chi_1 \chi_2')
           \ln \frac{f g'}{\chi_1 \chi_2'} \, dv\,dv'\,dx $$

        The double integral over velocities separates into moments, so the cost is linear in the
        number of nodes.
        """
        F, G = self.ratios(f, grid)
        return production_of(F, G, self.masses(grid), grid) / self.epsilon**2

    def box(self, f: Any, grid: PhaseSpace) -> tuple[Scalar, Scalar]:
        r"""The smallest box of Theorem 1.1 that holds the data: `(low, high)`.

        $$ low \, \chi_1 \le f \le high \, \chi_1, \qquad
           \chi_2/high \le g \le \chi_2/low $$

        In the paper's letters $low = \rho_\infty - \gamma_1$, $high = \rho_\infty + \gamma_2$.
        """
        return box_of(*self.ratios(f, grid))


class Perturbation(TwoSpecies):
    """An equation linearised about F = r, G = 1/r."""

    rho_inf: eqx.AbstractVar[float]

    def checked_data(self, f0: Any, grid: Any) -> dict[str, jax.Array]:
        """Perturbations as a mapping of f and g: finite, of mass difference zero.

        Raises:
            InputError: Wrong shapes, NaN, or a mass difference that violates (8).
        """
        first, second = pair(f0, grid)
        for name, value in (("f", first), ("g", second)):
            require(bool(jnp.all(jnp.isfinite(value))), f"{name} holds non-finite values.")
        lost = float(grid.integrate(first) - grid.integrate(second))
        size = float(grid.integrate(jnp.abs(first)) + grid.integrate(jnp.abs(second)))
        require(
            abs(lost) <= 1e-10 * size,
            "A perturbation of the equilibrium has mass difference zero (8), but that of f and g "
            f"is {lost:.3g}: another rho_inf, or f0 less equilibrium(f0, grid), removes it.",
        )
        return {"f": first, "g": second}

    def norm(self, f: Any, grid: PhaseSpace) -> Scalar:
        r"""The norm of (10): $(\int\int f^2/(r\chi_1) + r g^2/\chi_2)^{1/2}$."""
        return norm_of(*self.ratios(f, grid), self.rho_inf, self.masses(grid), grid)

    def equilibrium(self, f: Any, grid: PhaseSpace) -> dict[str, jax.Array]:
        """What remains: the part of the kernel with the same mass difference."""
        r = self.rho_inf
        # Pi of (12), averaged: the kernel at each x is spanned by F, G = r^2, -1.
        share = self._level(f, grid) / (r**2 + 1)
        flat = jnp.ones((grid.velocity.size, *grid.positions.shape))
        return self.state(share * r**2 * flat, -share * flat, grid)


def admit(f: Any, grid: PhaseSpace, masses: Any) -> Pair:
    """Check initial data; returns f/chi_1 and g/chi_2, velocity first.

    Inside a compiled function values are not known and only shapes are checked: `checked_data`
    has done the rest when a `Problem` was made.

    Raises:
        InputError: Wrong shapes, NaN, negative values, or no box of Theorem 1.1 holds them.
    """
    first, second = pair(f, grid)
    if isinstance(first, jax.core.Tracer) or isinstance(second, jax.core.Tracer):
        return masses.density_ratio(first, second, grid)
    for name, value in (("f", first), ("g", second)):
        require(bool(jnp.all(jnp.isfinite(value))), f"{name} holds non-finite values.")
        require(
            bool(value.min() >= 0),
            f"{name} must not be negative, but its smallest value is {float(value.min()):.3g}.",
        )
    F, G = masses.density_ratio(first, second, grid)
    low, high = box_of(F, G)
    require(
        bool(low > 0) and bool(jnp.isfinite(high)),
        "No box of Theorem 1.1 holds the data: f/chi_1 and chi_2/g must lie between two "
        f"positive numbers, but they reach from {float(low):.3g} to {float(high):.3g}.",
    )
    return F, G


@jax.jit
def box_of(F: jax.Array, G: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The smallest box of Theorem 1.1 around F = f/chi_1 and G = g/chi_2: `(low, high)`."""
    low = jnp.minimum(F.min(), 1.0 / G.max())
    high = jnp.maximum(F.max(), 1.0 / G.min())
    return low, high


def weighted_squares(first: Any, second: Any, rho_inf: Any) -> Any:
    r"""$F^2/r + r G^2$, the density of the norm (10), from the squares of F and G."""
    return first / rho_inf + second * rho_inf


def norm_of(F: jax.Array, G: jax.Array, rho_inf: Any, masses: Any, grid: PhaseSpace) -> jax.Array:
    """The norm (10) from F = f/chi_1 and G = g/chi_2, velocity first."""
    first = jnp.tensordot(jnp.asarray(masses.chi1), F**2, 1)
    second = jnp.tensordot(jnp.asarray(masses.chi2), G**2, 1)
    return jnp.sqrt(grid.positions.integrate(weighted_squares(first, second, rho_inf)))


def entropy_of(
    F: jax.Array, G: jax.Array, rho_inf: jax.Array, masses: Any, grid: PhaseSpace
) -> jax.Array:
    """Relative entropy from F = f/chi_1 and G = g/chi_2, velocity first."""
    # Mean over velocities of a ln(a/b) - a + b for F and r, then for G and 1/r: (5) plus constants.
    first = jnp.tensordot(jnp.asarray(masses.chi1), relative(F, rho_inf), 1)
    second = jnp.tensordot(jnp.asarray(masses.chi2), relative(G, 1.0 / rho_inf), 1)
    return grid.positions.integrate(first + second)


def production_of(F: jax.Array, G: jax.Array, masses: Any, grid: PhaseSpace) -> jax.Array:
    """The triple integral of (6), unscaled, from F and G, velocity first."""
    w1, w2 = jnp.asarray(masses.chi1), jnp.asarray(masses.chi2)
    rho_f, rho_g = jnp.tensordot(w1, F, 1), jnp.tensordot(w2, G, 1)
    # ln F G' = (ln F - l) + (ln G' + l) for any l(x): with l = ln rho_f little is cancelled.
    log_f, log_g = jnp.log1p((F - rho_f) / rho_f), jnp.log(G * rho_f)
    # (F G' - 1)(log_f + log_g') under chi_1 chi_2': products of moments at each x.
    local = (
        rho_g * jnp.tensordot(w1, F * log_f, 1)
        - jnp.tensordot(w1, log_f, 1)
        + rho_f * jnp.tensordot(w2, G * log_g, 1)
        - jnp.tensordot(w2, log_g, 1)
    )
    return grid.positions.integrate(local)


def homogeneous_flow(
    rho_f: jax.Array, rho_g: jax.Array, t: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    r"""Exact reaction without transport: densities and losses after time t (epsilon = 1).

    With $u = \rho_f - \rho_g$ constant, $s = \sqrt{u^2+4}$, $r_\pm = (u \pm s)/2$,
    $q = (\rho_f - r_+)/(\rho_f - r_-)$, $X = e^{-st}$:

    $$ \rho_f(t) = \frac{r_+ - r_- q X}{1 - qX}, \qquad
       I_f = \int_0^t \rho_f = r_+ t + \ln\frac{1-qX}{1-q}, \qquad I_g = I_f - u t $$

    and then $f(t) = f e^{-I_g} + \chi_1 (\rho_f(t) - \rho_f e^{-I_g})$, likewise g.

    Returns:
        rho_f(t), rho_g(t), e^{-I_f}, e^{-I_g}. The difference of the densities is kept exactly.
    """
    u = rho_f - rho_g
    s = jnp.sqrt(u * u + 4.0)
    # rp * rm = -1: take the larger root in modulus first.
    rp = density_from_difference(u)
    rm = -1.0 / rp
    q = (rho_f - rp) / (rho_f - rm)
    X = jnp.exp(-s * t)
    # rho_f(t) relaxes between the two roots of rho (rho - u) = 1; e^{-I_f} and e^{-I_g} follow in
    # closed form, with u - r_+ = r_-.
    later_f = (rp - rm * q * X) / (1.0 - q * X)
    ratio = (1.0 - q) / (1.0 - q * X)
    return later_f, later_f - u, jnp.exp(-rp * t) * ratio, jnp.exp(rm * t) * ratio
