"""The fast-reaction limit: nonlinear diffusion of the difference of the densities."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.equation import Equation
from relaxon.core.errors import require
from relaxon.core.numbers import reals
from relaxon.core.references import PAPERS
from relaxon.core.registry import storable
from relaxon.core.shapes import on_grid
from relaxon.core.types import Field, OnGrid, Scalar
from relaxon.distributions.profiles import Profiled, profile_of
from relaxon.grids.base import Positions
from relaxon.grids.torus import TorusGrid


@jax.jit
def density_from_difference(m: jax.Array) -> jax.Array:
    r"""$\rho = (m + \sqrt{m^2+4})/2$, the root of $m = \rho - 1/\rho$, without cancellation."""
    root = jnp.sqrt(m * m + 4.0)
    return jnp.where(m >= 0, 0.5 * (m + root), 2.0 / (root - jnp.minimum(m, 0.0)))


def equilibrium_density(difference: Any, volume: Any) -> float:
    """The density rho_inf of the first species from the mass difference, neumann2016 (4)."""
    return float(density_from_difference(jnp.asarray(difference, float) / volume))


def diffusion_tensor(given: Any, d: int, name: str = "D1") -> np.ndarray:
    """A scalar or a matrix as a symmetric `(d, d)` array; further rows are cut or padded by 0."""
    array = reals(name, given)
    require(bool(np.all(np.isfinite(array))), f"{name} must be finite.")
    if array.ndim == 0:
        array = float(array) * np.eye(d)
    require(
        array.ndim == 2 and array.shape[0] == array.shape[1],
        f"{name} must be a number or a square matrix, but has shape {array.shape}.",
    )
    require(bool(np.allclose(array, array.T)), f"{name} must be symmetric.")
    require(
        float(np.linalg.eigvalsh(array).min()) >= 0,
        f"{name} must not have negative eigenvalues.",
    )
    tensor = np.zeros((d, d))
    common = min(d, array.shape[0])
    tensor[:common, :common] = array[:common, :common]
    return tensor


class ReactionEquation(Equation):
    """An equation of the family, from the kinetic ones to their limit."""

    @abc.abstractmethod
    def at_density(self, rho: jax.Array, grid: Any) -> Any:
        """The data at local equilibrium with this density of the first species, rho(x) > 0."""


class Limit(ReactionEquation):
    """What the limit shares on a torus and under a confining potential; m has the grid's shape."""

    reference: ClassVar[str] = PAPERS["neumann2016"]
    """The paper of the theory, for the report of a run."""

    @abc.abstractmethod
    def mean_symbol(self, m: jax.Array, grid: Any) -> jax.Array | None:
        """Fourier symbol of the equation with the mean diffusivity; None without Fourier modes."""

    def at_density(self, rho: jax.Array, grid: Any) -> jax.Array:
        """m = rho - 1/rho."""
        return rho - 1 / rho

    def checked_data(self, f0: Any, grid: Positions) -> Field:
        """The difference m of the densities: finite, of the grid's shape, of either sign."""
        if isinstance(f0, Mapping):
            require("m" in f0, f"The state must hold m, but holds {', '.join(sorted(f0))}.")
            f0 = f0["m"]
        m = on_grid("m", reals("m", f0), grid.shape)
        require(bool(jnp.all(jnp.isfinite(m))), "m holds non-finite values.")
        return m

    def invariants(self, m: OnGrid, grid: Positions) -> dict[str, jax.Array]:
        """The integral of m."""
        return {"mass_difference": grid.integrate(on_grid("m", m, grid.shape))}

    def equilibrium(self, m: OnGrid, grid: Positions) -> Field:
        """The constant of the same integral."""
        return jnp.full(grid.shape, self.invariants(m, grid)["mass_difference"] / grid.volume)

    def entropy(self, m: OnGrid, grid: Positions) -> Scalar:
        r"""Entropy (5) at local equilibrium relative to its minimum, never negative.

        $$ \int \rho \ln(\rho/r) - \rho + r + \tfrac1\rho \ln(r/\rho) - \tfrac1\rho + \tfrac1r $$
        """
        m = on_grid("m", m, grid.shape)
        rho = density_from_difference(m)
        r = density_from_difference(grid.integrate(m) / grid.volume)
        return grid.integrate(relative(rho, r) + relative(1.0 / rho, 1.0 / r))


@storable("equation", build="from_file", replaces={"chi1": "T1", "chi2": "T2"})
class DiffusionLimit(Limit):
    r"""Limit of the scaled reaction system as epsilon -> 0.

    $$ \partial_t m = \nabla \cdot (D(m) \nabla m)
       = \nabla \cdot \nabla \cdot \tfrac12 (D_1 \rho^2 - D_2 \rho^{-2}), \qquad
       \rho = (m + \sqrt{m^2+4})/2 $$

    with $D(m) = (D_1 \rho^2 + D_2 \rho^{-2}) / \sqrt{m^2+4}$. Source: neumann2016, section 1.3.

    Args:
        D1: Second moment of chi_1, a number or a symmetric matrix.
        D2: The same of chi_2.
    """

    D1: jax.Array
    D2: jax.Array

    def __init__(self, D1: Any = 1.0, D2: Any = 1.0):
        # Three by three serves every torus: a smaller one uses the leading block.
        self.D1 = jnp.asarray(diffusion_tensor(D1, 3, "D1"))
        self.D2 = jnp.asarray(diffusion_tensor(D2, 3, "D2"))

    @classmethod
    def from_file(
        cls,
        chi1: Profiled = "gaussian",
        chi2: Profiled = "gaussian",
        T1: float | None = None,
        T2: float | None = None,
    ) -> DiffusionLimit:
        """The limit of `KineticReaction` with these profiles, T1 and T2 their variances."""
        return cls(
            profile_of(chi1, T1).closed_covariance(), profile_of(chi2, T2).closed_covariance()
        )

    def require_grid(self, grid: Any) -> None:
        """Refuse a grid that is not a torus."""
        require(
            isinstance(grid, TorusGrid),
            f"The limit equation lives on a TorusGrid, not on a {type(grid).__name__}.",
        )

    def tensors(self, d: int) -> tuple[jax.Array, jax.Array]:
        """D1 and D2 as `(d, d)` arrays."""
        return self.D1[:d, :d], self.D2[:d, :d]

    def diffusivity(self, m: jax.Array, d: int) -> jax.Array:
        """D(m), shape `m.shape + (d, d)`."""
        first, second = self.tensors(d)
        rho = density_from_difference(m)[..., None, None]
        return (first * rho**2 + second / rho**2) / (rho + 1.0 / rho)

    def mean_symbol(self, m: jax.Array, grid: TorusGrid) -> jax.Array:
        r"""$k \cdot \bar D k$ with the mean of D(m)."""
        k = grid.full_wavenumbers
        D = jnp.mean(self.diffusivity(m, grid.d), axis=tuple(range(grid.d)))
        return jnp.einsum("a...,b...,ab->...", k, k, D)

    def rhs(self, m: OnGrid, grid: TorusGrid) -> Field:
        """Time derivative of m; its mean vanishes to rounding."""
        first, second = self.tensors(grid.d)
        m = on_grid("m", m, grid.shape)
        rho = density_from_difference(m)
        # div div of Phi(m): exactly conservative, and no product rule on the grid.
        up, down = grid.transform(rho**2), grid.transform(rho**-2)
        k = grid.full_wavenumbers
        squared = [jnp.einsum("a...,b...,ab->...", k, k, tensor) for tensor in (first, second)]
        return grid.inverse(-0.5 * (squared[0] * up - squared[1] * down))


@jax.jit
def relative(value: jax.Array, reference: jax.Array) -> jax.Array:
    r"""$a \ln(a/b) - a + b$, accurate where a is near b; zero iff a = b."""
    # (1 + s) log(1 + s) - s in units of b; its value is 1 where a = 0.
    s = (value - reference) / reference
    safe = jnp.where(s > -1.0, s, 0.0)
    return reference * jnp.where(s > -1.0, (1.0 + safe) * jnp.log1p(safe) - safe, 1.0)
