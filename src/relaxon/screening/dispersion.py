r"""The dispersion function of a homogeneous plasma with a smooth interaction.

$$ \varepsilon(k, u; n) = 1 + \hat V(k)\, z(u; n), \qquad
   z(u; n) = \mathrm{p.v.}\!\int \frac{F_1'(w)}{u - w}\,dw + i\pi F_1'(u) $$

with F_1(u; n) the plane integral of F over n.v = u. Source: duerinckx2023 (1.3), and Step 1 of the
proof of its Lemma 2.1. The sign of the imaginary part is the paper's: z is the boundary value from
Im u < 0, the complex
conjugate of the usual dielectric function, and complex `u` below is continued from there.
`relaxon.screening.penrose` decides stability, `relaxon.screening.waves` finds the damped waves.

A grid takes part through one method, `grid.marginal(f, direction) -> (u, F1, F1prime)`: a uniform
ascending grid u that covers the support, and the plane integral with its derivative on it.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.core.numbers import reals
from relaxon.core.shapes import known
from relaxon.numerics.hilbert import hilbert_at, hilbert_uniform
from relaxon.screening.penrose import PenroseReport, penrose, penrose_marginal
from relaxon.screening.plasma_function import dispersion_integral, dispersion_integral_real
from relaxon.screening.potentials import Potential
from relaxon.screening.waves import gridded_mode, maxwellian_mode

__all__ = [
    "HasMarginal",
    "PenroseReport",
    "epsilon",
    "epsilon_maxwellian",
    "gridded_mode",
    "marginal_maxwellian",
    "maxwellian_mode",
    "penrose",
    "penrose_marginal",
    "z_maxwellian",
    "z_of_marginal",
]


class HasMarginal(Protocol):
    """What a velocity grid offers to this module."""

    d: int

    def marginal(self, f: Any, direction: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The uniform grid u, F1(u; direction) and its derivative."""
        ...


def marginal_maxwellian(u: Any, beta: Any = 1.0) -> tuple[jax.Array, jax.Array]:
    """F1 = sqrt(beta/pi) exp(-beta u^2) and F1' of the Maxwellian mu_beta, in any dimension."""
    u, beta = known("u", u), known("beta", beta)
    first = jnp.sqrt(beta / math.pi) * jnp.exp(-beta * u**2)
    return first, -2 * beta * u * first


def z_maxwellian(u: Any, beta: Any = 1.0) -> jax.Array:
    r"""z(u) of the Maxwellian mu_beta = (beta/pi)^{d/2} exp(-beta |v|^2), any d.

    $$ z = 2\beta (1 - 2 s D(s)) - 2i\sqrt\pi\,\beta s e^{-s^2}, \qquad s = \sqrt\beta u $$

    Args:
        u: Real or complex phase velocity; complex u is continued from Im u < 0.
        beta: Inverse of twice the variance.

    Returns:
        Complex, same shape.

    Accuracy: 1e-13 relative; for real u the imaginary part keeps its own relative accuracy
    (that of the exponent, s^2 units of rounding) until it underflows at s = 27.
    """
    u, beta = known("u", u, complex_too=True), known("beta", beta)
    s = jnp.sqrt(beta) * u
    if jnp.iscomplexobj(s):
        # conj I(conj s) is analytic and equals conj I on the real axis: the paper's sign of Im z.
        return beta * jnp.conj(dispersion_integral(jnp.conj(s)))
    re, im = dispersion_integral_real(s)
    return jax.lax.complex(beta * re, -beta * im)


def epsilon_maxwellian(potential: Potential, k: Any, u: Any, beta: Any = 1.0) -> jax.Array:
    """eps(k, u) = 1 + Vhat(k) z(u) at the Maxwellian mu_beta; k and u broadcast."""
    return 1.0 + potential.vhat(known("k", k)) * z_maxwellian(u, beta)


def z_of_marginal(f1prime: jax.Array) -> jax.Array:
    """Z at the points of a uniform grid from the samples of F1' (last axis), O(N log N)."""
    return jax.lax.complex(hilbert_uniform(f1prime), jnp.pi * f1prime)


def epsilon(
    potential: Potential, f: Any, grid: HasMarginal, k: Any, direction: Any, u: Any
) -> jax.Array:
    """eps(k, u; direction) of a gridded distribution.

    Args:
        potential: The interaction.
        f: Distribution on `grid`.
        grid: Any grid with `marginal(f, direction)`.
        k: Wavenumber >= 0 (broadcasts with u).
        direction: Unit vector of length d.
        u: Phase velocity or array of them, real; may lie outside the grid.

    Returns:
        Complex, shape of k * u.

    Raises:
        InputError: k < 0, or a direction that is not a unit vector of length d.

    Accuracy: spectral in the grid of the marginal (tests/unit/screening/test_dispersion.py).
    """
    wavenumber, direction = jnp.asarray(reals("k", k)), reals("direction", direction)
    least = float(wavenumber.min())
    require(least >= 0, f"k must be >= 0, but its least value is {least:.6g}.")
    check_direction(direction, grid.d)
    nodes, _, f1prime = grid.marginal(f, direction)
    real, slope = hilbert_at(f1prime, nodes, jnp.asarray(reals("u", u)))
    return 1.0 + potential.vhat(wavenumber) * jax.lax.complex(real, jnp.pi * slope)


def epsilon_plane(potential: Potential, z: Any, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """eps(k, u) = 1 + Vhat(k) z(u) on lines of k from the longest wave to where Vhat has died out.

    Args:
        potential: The interaction.
        z: z(u) of a distribution, shape (m,).
        count: Number of wavenumbers.

    Returns:
        k, shape (count,), up to Vhat = 1e-4 of its largest value (50 at most; 4 where Vhat is
        unbounded), and complex eps, shape (count, m).
    """
    largest, top = float(np.asarray(potential.v_max)), 4.0
    if math.isfinite(largest):
        lowest = max(largest * 1e-4, float(potential.v_min), 1e-300)
        top = min(max(float(potential.wavenumber(jnp.asarray(lowest))), 1e-3), 50.0)
    k = np.linspace(max(top / 400, potential.least_wavenumber), top, count)
    vhat = np.asarray(potential.vhat(jnp.asarray(k)))
    return k, 1 + vhat[:, None] * np.asarray(z)


def weight_ratio(potential: Potential, z: Any) -> tuple[np.ndarray, bool]:
    """K(z)/K_0, what screening makes of the weight of Landau, and True.

    Where K_0 is infinite (Coulomb without k_min) K(z) itself, and False.
    """
    weight = np.asarray(potential.screening(jnp.asarray(z)))
    try:
        return weight / float(potential.k0()), True
    except InputError:
        return weight, False


def check_direction(direction: np.ndarray, d: int) -> None:
    """Refuse anything but a unit vector of length d."""
    good = direction.shape == (d,) and abs(float(np.linalg.norm(direction)) - 1) < 1e-8
    require(good, f"direction must be a unit vector of length {d}, but is {direction.tolist()!r}.")
