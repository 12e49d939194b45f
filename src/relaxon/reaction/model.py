"""The kinetic generation-recombination model of neumann2016."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.errors import InputError, positive, reals, require
from relaxon.grids.phase import PhaseGrid, VelocityNodes
from relaxon.grids.walls import WalledGrid
from relaxon.reaction.diffusion import DiffusionLimit, density_from_difference, relative
from relaxon.reaction.profiles import Profile, profile, sample
from relaxon.registry import register

Pair = tuple[jax.Array, jax.Array]


def pair(f: Any, grid: Any) -> Pair:
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
            f"{name} must have shape {grid.shape} (positions, then velocities), "
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

    def density_ratio(self, f: jax.Array, g: jax.Array, grid: PhaseGrid) -> Pair:
        """F = f/chi_1 and G = g/chi_2, velocity first; where chi underflows, the density."""
        ratios = []
        for field, mass in ((f, self.chi1), (g, self.chi2)):
            first = grid.velocity_first(field)
            pad = (slice(None),) + (None,) * grid.torus.d
            weighted = first * jnp.asarray(self.weights)[pad]
            safe = jnp.where(mass > 0, mass, 1.0)[pad]
            density = weighted.sum(axis=0)
            # A value on a node without mass that is not zero lies outside every box: keep it.
            empty = (mass[pad] == 0) & (first == 0)
            ratios.append(jnp.where(empty, density, weighted / safe))
        return ratios[0], ratios[1]

    def distributions(self, F: jax.Array, G: jax.Array, grid: PhaseGrid) -> Pair:
        """Inverse of `density_ratio`."""
        pad = (slice(None),) + (None,) * grid.torus.d
        f = F * jnp.asarray(self.chi1 / self.weights)[pad]
        g = G * jnp.asarray(self.chi2 / self.weights)[pad]
        return grid.position_first(f), grid.position_first(g)


@register
class KineticReaction(eqx.Module):
    r"""Two species, created with profiles chi_1, chi_2, annihilating pairwise.

    $$ \varepsilon^2 \partial_t f + \varepsilon v \cdot \nabla_x f = \chi_1 - \rho_g f, \qquad
       \varepsilon^2 \partial_t g + \varepsilon v \cdot \nabla_x g = \chi_2 - \rho_f g $$

    Source: neumann2016 (1) for epsilon = 1 and (9).

    Args:
        chi1: Profile of f: a `Profile`, a name or a callable (see `profile`).
        chi2: Profile of g.
        epsilon: Mean free path over length, > 0; `diffusion_limit()` is the limit.

    Raises:
        InputError: epsilon <= 0; a profile that violates (3) is refused when it meets a grid.
    """

    chi1: Profile
    chi2: Profile
    epsilon: float = eqx.field(static=True)

    def __init__(self, chi1: Any = "gaussian", chi2: Any = "gaussian", epsilon: float = 1.0):
        try:
            value = float(epsilon)
        except (TypeError, ValueError):
            raise InputError(f"epsilon must be a positive number, but is {epsilon!r}.") from None
        require(
            np.isfinite(value) and value > 0,
            f"epsilon must be positive, but is {epsilon!r} "
            "(the limit is the equation diffusion_limit()).",
        )
        self.chi1, self.chi2, self.epsilon = profile(chi1), profile(chi2), value

    def settings(self) -> dict[str, Any]:
        """The arguments that build this equation again."""
        return {"chi1": self.chi1, "chi2": self.chi2, "epsilon": self.epsilon}

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not a torus or a box with velocities."""
        require(
            isinstance(grid, PhaseGrid | WalledGrid),
            "The reaction model lives on a PhaseGrid or a WalledGrid, "
            f"not on a {type(grid).__name__}.",
        )

    def checked_data(self, f0: Any, grid: Any) -> dict[str, jax.Array]:
        """Initial data as a mapping of f and g, checked as `admit` does.

        Raises:
            InputError: Wrong shapes, NaN, negative values, data outside every box of Theorem 1.1,
                or a mass difference for which (4) has no root in floating-point numbers.
        """
        f, g = pair(f0, grid)
        whole = grid
        ends = (f, g)
        if isinstance(grid, WalledGrid):
            whole, ends = grid.doubled, (grid.extend(f), grid.extend(g))
        difference = whole.integrate(ends[0]) - whole.integrate(ends[1])
        root = density_from_difference(difference / whole.torus.volume)
        admit(ends, whole, self.masses(whole))
        require(
            bool(jnp.isfinite(root) & (root > 0) & jnp.isfinite(1.0 / root)),
            f"No rho_inf > 0 has rho_inf - 1/rho_inf = {float(difference):.3g}, the mass "
            "difference of f and g, in floating-point numbers.",
        )
        return {"f": f, "g": g}

    def masses(self, grid: PhaseGrid) -> Masses:
        """Node masses of the profiles on a grid; refuses profiles that violate (3)."""
        return Masses(
            sample(self.chi1, grid.velocity),
            sample(self.chi2, grid.velocity),
            grid.velocity.weights.reshape(-1),
        )

    def profiles(self, grid: PhaseGrid) -> Pair:
        """chi_1 and chi_2 on the nodes, discrete integral one, shape `velocity.shape`."""
        m = self.masses(grid)
        shape = grid.velocity.shape
        first, second = m.chi1 / m.weights, m.chi2 / m.weights
        return jnp.asarray(first.reshape(shape)), jnp.asarray(second.reshape(shape))

    def local_equilibrium(self, rho: jax.Array, grid: PhaseGrid) -> dict[str, jax.Array]:
        r"""$(\rho(x) \chi_1, \chi_2/\rho(x))$, the states that reactions leave alone."""
        rho = jnp.broadcast_to(jnp.asarray(rho, dtype=float), grid.torus.shape)
        rho = rho[(...,) + (None,) * grid.velocity.d]
        chi1, chi2 = self.profiles(grid)
        return {"f": rho * chi1, "g": chi2 / rho}

    def rhs(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """Time derivatives of f and g by Fourier differentiation in x."""
        first, second = pair(f, grid)
        rho_f, rho_g = grid.density(first), grid.density(second)
        chi1, chi2 = self.profiles(grid)
        wide = (...,) + (None,) * grid.velocity.d
        eps = self.epsilon
        return {
            "f": (chi1 - rho_g[wide] * first) / eps**2 - grid.transport(first) / eps,
            "g": (chi2 - rho_f[wide] * second) / eps**2 - grid.transport(second) / eps,
        }

    def invariants(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """The mass difference, the only conserved integral."""
        first, second = pair(f, grid)
        return {"mass_difference": grid.integrate(first) - grid.integrate(second)}

    def rho_infinity(self, f: Any, grid: PhaseGrid) -> jax.Array:
        """The density of f at equilibrium, from the mass difference by (4)."""
        return density_from_difference(
            self.invariants(f, grid)["mass_difference"] / grid.torus.volume
        )

    def equilibrium(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """The steady state of the same mass difference."""
        return self.local_equilibrium(self.rho_infinity(f, grid), grid)

    def entropy(self, f: Any, grid: PhaseGrid) -> jax.Array:
        r"""Entropy relative to equilibrium, (5) plus the constant $r + 1/r$ a volume.

        $$ \int\!\!\int f \ln\frac{f}{r\chi_1} - f + r\chi_1
           + g \ln\frac{r g}{\chi_2} - g + \chi_2/r \; dv\,dx \ge 0 $$

        Zero at equilibrium only, and computed without cancellation near it.
        """
        first, second = pair(f, grid)
        masses = self.masses(grid)
        F, G = masses.density_ratio(first, second, grid)
        return entropy_of(F, G, self.rho_infinity(f, grid), masses, grid)

    def entropy_production(self, f: Any, grid: PhaseGrid) -> jax.Array:
        r"""What (6) takes from the entropy a unit of time, never negative.

        $$ \varepsilon^{-2} \int\!\!\int\!\!\int (f g' - \chi_1 \chi_2')
           \ln \frac{f g'}{\chi_1 \chi_2'} \, dv\,dv'\,dx $$

        The double integral over velocities separates into moments, so the cost is linear in the
        number of nodes.
        """
        first, second = pair(f, grid)
        masses = self.masses(grid)
        F, G = masses.density_ratio(first, second, grid)
        w1, w2 = jnp.asarray(masses.chi1), jnp.asarray(masses.chi2)
        rho_f, rho_g = jnp.tensordot(w1, F, 1), jnp.tensordot(w2, G, 1)
        # ln f g' = (ln F - l) + (ln G' + l) for any l(x): with l = ln rho_f little is cancelled.
        log_f, log_g = jnp.log(F / rho_f), jnp.log(G * rho_f)
        local = (
            rho_g * jnp.tensordot(w1, F * log_f, 1)
            - jnp.tensordot(w1, log_f, 1)
            + rho_f * jnp.tensordot(w2, G * log_g, 1)
            - jnp.tensordot(w2, log_g, 1)
        )
        return grid.torus.integrate(local) / self.epsilon**2

    def box(self, f: Any, grid: PhaseGrid) -> tuple[jax.Array, jax.Array]:
        r"""The smallest box of Theorem 1.1 that holds the data: `(low, high)`.

        $$ low \, \chi_1 \le f \le high \, \chi_1, \qquad
           \chi_2/high \le g \le \chi_2/low $$

        In the paper's letters $low = \rho_\infty - \gamma_1$, $high = \rho_\infty + \gamma_2$.
        """
        first, second = pair(f, grid)
        return box_of(*self.masses(grid).density_ratio(first, second, grid))

    def admit(self, f: Any, grid: PhaseGrid) -> tuple[jax.Array, jax.Array]:
        """Check initial data and return their box, see `admit`."""
        require(
            isinstance(grid, PhaseGrid),
            f"The reaction model lives on a PhaseGrid, not on a {type(grid).__name__}.",
        )
        F, G = admit(f, grid, self.masses(grid))
        return box_of(F, G)

    def linearized(self, rho_inf: float = 1.0) -> LinearizedReaction:
        """The equations (7) for small perturbations of the equilibrium with density rho_inf."""
        return LinearizedReaction(self.chi1, self.chi2, self.epsilon, rho_inf)

    def diffusion_limit(self, velocity: Any = None) -> DiffusionLimit:
        """The equation for m = rho_f - rho_g as epsilon -> 0.

        Args:
            velocity: Velocity nodes (or a grid that has them); then D1 and D2 are the second
                moments on these nodes. Without them the profiles must know their covariance,
                which is taken for dimension 1 to 3, whatever the profile was made for.
        """
        if velocity is not None:
            nodes = getattr(velocity, "velocity", velocity)
            require(
                isinstance(nodes, VelocityNodes),
                "velocity must be velocity nodes or a grid that has them, "
                f"but is a {type(nodes).__name__}.",
            )
            v = nodes.v.reshape(nodes.size, -1)
            moments = [
                np.einsum("j,ja,jb->ab", sample(chi, nodes), v, v) for chi in (self.chi1, self.chi2)
            ]
            return DiffusionLimit(*moments)
        return DiffusionLimit(_covariance(self.chi1), _covariance(self.chi2))


def _covariance(chi: Profile) -> np.ndarray:
    require(
        chi.spread is not None,
        f"The covariance of profile {chi.name!r} is not known in closed form: "
        "give diffusion_limit the velocity nodes.",
    )
    assert chi.spread is not None
    for d in (3, 2, 1):
        try:
            return chi.spread(d)
        except InputError:
            continue
    raise InputError(f"Profile {chi.name!r} has no finite covariance.")


def admit(f: Any, grid: Any, masses: Any) -> Pair:
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


def box_of(F: jax.Array, G: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The smallest box of Theorem 1.1 around F = f/chi_1 and G = g/chi_2: `(low, high)`."""
    low = jnp.minimum(F.min(), 1.0 / G.max())
    high = jnp.maximum(F.max(), 1.0 / G.min())
    return low, high


def entropy_of(F: jax.Array, G: jax.Array, rho_inf: jax.Array, masses: Any, grid: Any) -> jax.Array:
    """Relative entropy from F = f/chi_1 and G = g/chi_2, velocity first."""
    first = jnp.tensordot(jnp.asarray(masses.chi1), relative(F, rho_inf), 1)
    second = jnp.tensordot(jnp.asarray(masses.chi2), relative(G, 1.0 / rho_inf), 1)
    return grid.torus.integrate(first + second)


@register
class LinearizedReaction(eqx.Module):
    r"""Small perturbations of the equilibrium with density r, scaled as (9).

    $$ \varepsilon^2 \partial_t f + \varepsilon v \cdot \nabla_x f
       = -r \chi_1 \rho_g - f/r, \qquad
       \varepsilon^2 \partial_t g + \varepsilon v \cdot \nabla_x g = -\chi_2 \rho_f/r - r g $$

    Source: neumann2016 (7).
    """

    chi1: Profile
    chi2: Profile
    epsilon: float = eqx.field(static=True)
    rho_inf: float = eqx.field(static=True)

    def __init__(self, chi1: Any, chi2: Any, epsilon: float = 1.0, rho_inf: float = 1.0):
        positive("rho_inf", rho_inf)
        base = KineticReaction(chi1, chi2, epsilon)
        self.chi1, self.chi2, self.epsilon = base.chi1, base.chi2, base.epsilon
        self.rho_inf = float(rho_inf)

    def settings(self) -> dict[str, Any]:
        """The arguments that build this equation again."""
        return {
            "chi1": self.chi1,
            "chi2": self.chi2,
            "epsilon": self.epsilon,
            "rho_inf": self.rho_inf,
        }

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not a torus with velocities."""
        require(
            isinstance(grid, PhaseGrid),
            f"The linearised reaction model lives on a PhaseGrid, not on a {type(grid).__name__}.",
        )

    def checked_data(self, f0: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
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

    def rhs(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """Time derivatives of the perturbations by Fourier differentiation in x."""
        first, second = pair(f, grid)
        rho_f, rho_g = grid.density(first), grid.density(second)
        chi1, chi2 = KineticReaction(self.chi1, self.chi2).profiles(grid)
        wide = (...,) + (None,) * grid.velocity.d
        eps, r = self.epsilon, self.rho_inf
        loss_f = r * chi1 * rho_g[wide] + first / r
        loss_g = chi2 * rho_f[wide] / r + r * second
        return {
            "f": -loss_f / eps**2 - grid.transport(first) / eps,
            "g": -loss_g / eps**2 - grid.transport(second) / eps,
        }

    def invariants(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """The mass difference; zero for admissible perturbations, (8)."""
        first, second = pair(f, grid)
        return {"mass_difference": grid.integrate(first) - grid.integrate(second)}

    def norm(self, f: Any, grid: PhaseGrid) -> jax.Array:
        r"""The norm of (10): $(\int\int f^2/(r\chi_1) + r g^2/\chi_2)^{1/2}$."""
        first, second = pair(f, grid)
        masses = KineticReaction(self.chi1, self.chi2).masses(grid)
        F, G = masses.density_ratio(first, second, grid)
        local = jnp.tensordot(jnp.asarray(masses.chi1), F**2, 1) / self.rho_inf
        local += jnp.tensordot(jnp.asarray(masses.chi2), G**2, 1) * self.rho_inf
        return jnp.sqrt(grid.torus.integrate(local))

    def equilibrium(self, f: Any, grid: PhaseGrid) -> dict[str, jax.Array]:
        """What remains: the part of the kernel with the same mass difference."""
        first, second = pair(f, grid)
        m = (grid.integrate(first) - grid.integrate(second)) / grid.torus.volume
        r = self.rho_inf
        chi1, chi2 = KineticReaction(self.chi1, self.chi2).profiles(grid)
        share = m / (r**2 + 1)
        return {
            "f": jnp.broadcast_to(share * r**2 * chi1, grid.shape),
            "g": jnp.broadcast_to(-share * chi2, grid.shape),
        }


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
    later_f = (rp - rm * q * X) / (1.0 - q * X)
    ratio = (1.0 - q) / (1.0 - q * X)
    return later_f, later_f - u, jnp.exp(-rp * t) * ratio, jnp.exp(rm * t) * ratio
