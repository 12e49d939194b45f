"""Accuracy reference for smooth data: Fourier in x, orthogonal polynomials in v."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.grids.phase import PhaseGrid
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import density_from_difference
from relaxon.reaction.equations.two_species import Masses, admit, entropy_of
from relaxon.stepping.control import StepControl
from relaxon.stepping.status import Status

CONTROL = StepControl(order=5, grow=(0.2, 4.0), rounding=1e-15)

# Dormand and Prince 5(4), J. Comput. Appl. Math. 6 (1980).
_A = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_E = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def orthonormal(
    nodes: np.ndarray, masses: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Polynomials orthonormal for the discrete measure, by Lanczos with reorthogonalisation.

    $$ v P_n = b_{n+1} P_{n+1} + a_n P_n + b_n P_{n-1}, \quad \sum_j W_j P_m P_n = \delta_{mn} $$

    For a Gaussian these are Hermite polynomials, $b_n = \sqrt{n T}$.

    Raises:
        InputError: Fewer nodes than `count` carry mass.

    Returns:
        a (count,), b (count-1,) and the values P, shape `(count, nodes)`.
    """
    root = np.sqrt(masses)
    basis = [root / np.linalg.norm(root)]
    a, b = [], []
    for n in range(count):
        w = nodes * basis[n]
        a.append(float(w @ basis[n]))
        for _ in range(2):
            for previous in basis:
                w = w - (w @ previous) * previous
        if n + 1 < count:
            b.append(float(np.linalg.norm(w)))
            require(
                b[-1] > 1e-12 * np.max(np.abs(nodes)),
                f"modes must be at most {n + 1}: no more nodes carry mass, but is {count}.",
            )
            basis.append(w / b[-1])
    values = np.array(basis) / np.where(root > 0, root, 1.0)
    return np.array(a), np.array(b), values


class SpectralState(eqx.Module):
    """State of a run: time, next step, coefficients of both species, counters, code."""

    t: jax.Array
    dt: jax.Array
    y: jax.Array
    steps: jax.Array
    rejected: jax.Array
    code: jax.Array


class Spectral(eqx.Module):
    r"""Spectral in x and v, adaptive explicit order 5 in time; no bounds, no limit.

    In dimension 1, with $f = \chi_1 \sum_n c_n(x,t) P_n(v)$ and the recurrence of `orthonormal`,

    $$ \partial_t c_n = -\tfrac1\varepsilon \partial_x (b_{n+1} c_{n+1} + a_n c_n + b_n c_{n-1})
       + \tfrac{1}{\varepsilon^2} (\delta_{n0} - d_0 c_n) $$

    and likewise d_n for g. The density is $c_0$. In dimension 2 and 3 the profiles must be products
    of one density along each axis (Gaussians with diagonal covariance are), the modes are the
    products $P_{n_1}(v_1) P_{n_2}(v_2)$ and so on, and every axis adds its transport term. The
    step is held by stability to a few epsilon^2 when epsilon is small: use `Asymptotic` there, and
    this to check it.

    Args:
        model: The equation.
        grid: Phase space with torus and velocity of one dimension, 1 to 3.
        modes: Polynomials along each axis, at most the nodes there; 0 takes half of them.
        rtol: Error per step relative to the largest coefficient.

    Accuracy: spectral. In dimension 2 with variances (0.5, 1.5) and (1, 0.6) on a torus of length
    12 pi the slowest eigenvalues of four wave vectors are met to 2e-4, 2e-6 and 1e-9 with 4, 8 and
    16 modes an axis (tests/physics/test_reaction_2d.py). Cost: d + 1 Fourier transforms
    of all coefficients a stage.
    """

    grid: PhaseGrid
    masses: Masses
    a: jax.Array
    b: jax.Array
    values: jax.Array
    lines: jax.Array
    epsilon: jax.Array
    rtol: jax.Array

    def __init__(self, model: KineticReaction, grid: PhaseGrid, modes: int = 0, rtol: float = 1e-9):
        require(
            grid.torus.d == grid.velocity.d,
            "The spectral reference needs torus and velocity of the same dimension, "
            f"but they have {grid.torus.d} and {grid.velocity.d}.",
        )
        size = grid.velocity.n
        count = modes or size // 2
        require(
            2 <= count <= size, f"modes must lie between 2 and {size} (the nodes), but is {modes}."
        )
        require(0 < rtol < 1, f"rtol must lie in (0, 1), but is {rtol!r}.")
        self.grid, self.masses = grid, model.masses(grid)
        nodes, _ = grid.velocity.line()
        lines = [
            _factors(w.reshape(grid.velocity.shape), chi.name)
            for w, chi in ((self.masses.chi1, model.chi1), (self.masses.chi2, model.chi2))
        ]
        found = [[orthonormal(nodes, line, count) for line in axes] for axes in lines]
        # (2, d, count), (2, d, count - 1), (2, d, count, n): by species and axis.
        a, b, values = (
            np.array([[item[part] for item in axes] for axes in found]) for part in range(3)
        )
        self.a, self.b, self.values = (jnp.asarray(x, float) for x in (a, b, values))
        self.lines = jnp.asarray(lines)
        self.epsilon, self.rtol = jnp.asarray(model.epsilon), jnp.asarray(float(rtol))

    def start(self, f0: Any) -> SpectralState:
        """State at t = 0 from the distributions (f, g)."""
        ratios = jnp.stack(admit(f0, self.grid, self.masses))
        weighted = self.values * self.lines[:, :, None]
        y = self._along_axes(ratios, jnp.swapaxes(weighted, -1, -2))
        zero = jnp.int32(0)
        # The first step resolves the reactions and the crossing of a cell.
        dt = 0.1 * jnp.minimum(self.epsilon**2, self.epsilon * self.grid.torus.spacing)
        return SpectralState(jnp.asarray(0.0), dt, y, zero, zero, zero)

    def step(self, state: SpectralState, t_stop: jax.Array) -> SpectralState:
        """One attempted step, accepted if its error estimate is within rtol."""
        attempt = CONTROL.attempt(state.t, state.dt, t_stop)
        slopes = [self._slope(state.y)]
        new = state.y
        # The last row gives the new value itself; the rate there is for the estimate only.
        for row in _A:
            new = state.y + attempt.h * sum(c * s for c, s in zip(row, slopes) if c)
            slopes.append(self._slope(new))
        error = attempt.h * sum(c * s for c, s in zip(_E, slopes) if c)
        size = jnp.max(jnp.abs(error)) / (self.rtol * jnp.max(jnp.abs(state.y)))
        finite = jnp.isfinite(size)
        accept = finite & (size <= 1.0)
        growth, retreat = CONTROL.deadbeat(size), CONTROL.retreat(size, finite)
        dt = CONTROL.proposal(attempt, accept, growth, retreat)
        trouble = CONTROL.trouble(t_stop, dt, finite)
        return SpectralState(
            t=jnp.where(accept, attempt.t, state.t),
            dt=dt,
            y=jnp.where(accept, new, state.y),
            steps=state.steps + accept,
            rejected=state.rejected + ~accept,
            code=jnp.where(accept, Status.FINE, trouble).astype(jnp.int32),
        )

    def fields(self, y: jax.Array) -> dict[str, jax.Array]:
        """f, g (shape `grid.shape`), rho_f, rho_g and m."""
        F, G = self._ratios(y)
        f, g = self.masses.distributions(F, G, self.grid)
        rho_f, rho_g = self._densities(y)
        return {"f": f, "g": g, "rho_f": rho_f, "rho_g": rho_g, "m": rho_f - rho_g}

    def diagnostics(self, y: jax.Array) -> dict[str, jax.Array]:
        """Mass difference, relative entropy, least f/chi_1 or g/chi_2, size of the last modes."""
        F, G = self._ratios(y)
        rho_f, rho_g = self._densities(y)
        total = self.grid.torus.integrate(rho_f - rho_g)
        rho_inf = density_from_difference(total / self.grid.torus.volume)
        last = [jnp.max(jnp.abs(jnp.take(y, -1, axis=1 + i))) for i in range(self.grid.torus.d)]
        return {
            "mass_difference": total,
            "entropy": entropy_of(F, G, rho_inf, self.masses, self.grid),
            "min": jnp.minimum(F.min(), G.min()),
            "truncation": jnp.max(jnp.stack(last)),
        }

    def _densities(self, y: jax.Array) -> jax.Array:
        return y[(slice(None), *(0,) * self.grid.torus.d)]

    def _ratios(self, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        ratios = self._along_axes(y, self.values)
        flat = (2, self.grid.velocity.size, *self.grid.torus.shape)
        first, second = ratios.reshape(flat)
        return first, second

    def _along_axes(self, y: jax.Array, matrices: jax.Array) -> jax.Array:
        """Sum each velocity axis against its matrix (old, new); matrices (2, d, old, new)."""
        d, n = self.grid.torus.d, self.grid.torus.size
        shape = (2, *(matrices.shape[-2],) * d, n)
        y = y.reshape(shape)
        for i in range(d):
            moved = jnp.moveaxis(y, 1 + i, -1)
            summed = jnp.einsum("s...o,son->s...n", moved, matrices[:, i])
            y = jnp.moveaxis(summed, -1, 1 + i)
        return y.reshape((*y.shape[:-1], *self.grid.torus.shape))

    def _slope(self, y: jax.Array) -> jax.Array:
        """Right-hand side for the coefficients."""
        d = self.grid.torus.d
        streams = []
        for i in range(d):
            front = jnp.moveaxis(y, 1 + i, 1)
            pad = (..., *(None,) * (2 * d - 1))
            a, b = self.a[:, i][pad], self.b[:, i][pad]
            moved = a * front
            # v P_n = b_(n+1) P_(n+1) + a_n P_n + b_n P_(n-1), along velocity axis i.
            moved = moved.at[:, :-1].add(b * front[:, 1:]).at[:, 1:].add(b * front[:, :-1])
            streams.append(jnp.moveaxis(moved, 1, 1 + i))
        stream = self.grid.torus.divergence(jnp.stack(streams))
        zeroth = (slice(None), *(0,) * d)
        # The zeroth coefficient of the other species is the rate of loss.
        partner = y[::-1][zeroth].reshape((2, *(1,) * d, *self.grid.torus.shape))
        # delta_n0 - d_0 c_n: chi_1 itself is the zeroth polynomial.
        return (-partner * y).at[zeroth].add(1.0) / self.epsilon**2 - stream / self.epsilon


def _factors(mass: np.ndarray, name: str) -> list[np.ndarray]:
    """Node masses along each axis, if their product is the mass.

    Raises:
        InputError: A profile that is no product of one along each axis.
    """
    d = mass.ndim
    lines = [mass.sum(axis=tuple(j for j in range(d) if j != i)) for i in range(d)]
    product = lines[0]
    for line in lines[1:]:
        product = product[..., None] * line
    worst = float(np.max(np.abs(product - mass)) / np.max(mass))
    require(
        worst < 1e-12,
        "The spectral reference needs profiles that are products of one density along each axis, "
        f"but {name!r} is off by {worst:.2g}.",
    )
    return lines
