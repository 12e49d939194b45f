r"""Damped waves: complex zeros of the dispersion function.

$$ 1 + \hat V(k)\, Z(u) = 0, \qquad Z(u) = \int \frac{F_1'(w)}{u - w}\,dw \ \ (\Im u > 0), $$

continued below the axis (Landau). A wave is exp(i k (n.x - u t)): Im u < 0 is damping, at the
rate -k Im u. (The paper's z of `dispersion` is the
complex conjugate on the real axis.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.core.errors import require
from relaxon.core.numbers import positive, reals
from relaxon.core.types import Real
from relaxon.numerics.legendre import gauss_legendre
from relaxon.screening.plasma_function import (
    dispersion_integral,
    dispersion_integral_real,
    dispersion_slope,
)
from relaxon.screening.potentials import Potential

_STEPS = 60


@dataclass(frozen=True)
class Mode:
    """A zero of eps.

    Attributes:
        k: Wavenumber.
        u: Complex phase velocity; `frequency` = k Re u, `rate` = k Im u (negative: damped).
        error: Estimated error of u.
    """

    k: float
    u: complex
    error: float

    @property
    def frequency(self) -> float:
        """K Re u."""
        return self.k * self.u.real

    @property
    def rate(self) -> float:
        """K Im u, the growth rate (negative if damped)."""
        return self.k * self.u.imag


def _checked(potential: Potential, k: Real) -> tuple[float, float]:
    """k and Vhat(k), both positive."""
    k = positive("k", k)
    v = float(potential.vhat(jnp.asarray(k)))
    require(v > 0, f"There is no wave at k = {k!r}: Vhat(k) = {v!r}; it must be positive.")
    return k, v


def _newton(
    function: Any, guesses: np.ndarray, steps: int = _STEPS
) -> tuple[np.ndarray, np.ndarray]:
    """Vectorised Newton with a step limit; returns points and last steps."""
    u, step = guesses.copy(), np.full(guesses.shape, np.inf)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            value, slope = function(u)
            step = np.nan_to_num(value / slope, nan=1e9, posinf=1e9, neginf=1e9)
            # Short steps: I(u) grows like exp(|Im u|^2) far below the axis, and Newton would jump.
            limit = 0.5 + 0.25 * np.abs(u)
            step = step * np.minimum(1.0, limit / np.maximum(np.abs(step), 1e-300))
            u = u - step
    return u, np.abs(step)


@jax.jit
def _integral_and_slope(s: jax.Array) -> tuple[jax.Array, jax.Array]:
    value = dispersion_integral(s)
    return value, dispersion_slope(s, value)


def _guesses(v: float, depth: float) -> np.ndarray:
    """Start points: a grid over the damped quadrant and the Langmuir wave u^2 = v + 3/2."""
    reach = 1.5 * math.sqrt(v + 1.5) + 3.0
    real, imag = np.meshgrid(np.linspace(0.0, reach, 25), -np.linspace(0.0, depth, 17))
    langmuir = math.sqrt(v + 1.5)
    return np.append((real + 1j * imag).ravel(), [langmuir, langmuir - 0.01j]).astype(complex)


def maxwellian_mode(potential: Potential, k: Real, beta: Real = 1.0) -> Mode:
    """The least-damped wave of the Maxwellian mu_beta at wavenumber k, Re u >= 0.

    Args:
        potential: The interaction.
        k: Wavenumber > 0 with Vhat(k) > 0.
        beta: Inverse of twice the variance.

    Returns:
        The mode; for weak damping Im u keeps its own relative accuracy (1e-9 or better), down to
        underflow.

    Raises:
        InputError: k <= 0, Vhat(k) = 0, or no wave was found (Vhat(k) so small that every wave
            is damped within 1/8 of a thermal transit).
    """
    beta, (k, v) = positive("beta", beta), _checked(potential, k)
    v *= beta

    def epsilon(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, slope = _integral_and_slope(jnp.asarray(s))
        return 1 + v * np.asarray(value), v * np.asarray(slope)

    s, step = _newton(epsilon, _guesses(v, 8.0))
    with np.errstate(all="ignore"):
        residual = np.abs(epsilon(s)[0])
    good = (step < 1e-9) & (residual < 1e-8) & (s.real > -1e-9) & (s.imag < 1e-9) & (s.imag > -9)
    require(bool(good.any()), f"No wave with Im u > -9/sqrt(beta) exists at k = {k!r}.")
    best = s[good][np.argmax(s[good].imag)]
    error = float(step[good].min()) + 1e-15
    # Im s is below the rounding of the complex function: it follows from the real one.
    if abs(best.imag) < 1e-6 * abs(best.real):
        best = _weakly_damped(v, float(best.real))
        error = max(1e-15 * abs(best.real), 3 * abs(best.imag) ** 2)
    return Mode(k, complex(best) / math.sqrt(beta), error / math.sqrt(beta))


def _weakly_damped(v: float, s: float) -> complex:
    """Root with |Im s| << 1: real root of Re eps, then Im s = -Im eps/(d Re eps/ds)."""
    for _ in range(8):
        real, _ = (float(x) for x in dispersion_integral_real(jnp.asarray(s)))
        slope = _real_slope(s)
        s -= (1 + v * real) / (v * slope)
    imag = float(dispersion_integral_real(jnp.asarray(s))[1])
    return complex(s, -imag / _real_slope(s))


def _real_slope(s: float) -> float:
    """D Re I/ds for large real s from the asymptotic series, else from the identity."""
    # Re I = -sum_n (2n - 1)!!/(2^(n-1) s^(2n)), differentiated term by term; from s = 8 on 29 terms
    # are within rounding before the series turns.
    if s > 8:
        total, term = 0.0, 1.0 / s**2
        for n in range(1, 30):
            total += 2 * n * term / s
            term *= (2 * n + 1) / (2 * s**2)
        return total
    real = float(dispersion_integral_real(jnp.asarray(s))[0])
    return (real - 2) / s - 2 * s * real


def gridded_mode(potential: Potential, k: Real, u: Any, f1prime: Any) -> Mode:
    r"""The least-damped (or fastest growing) wave of a gridded marginal.

    $$ Z(u) = -i \int_0^{x_c} \hat g(x) e^{i x u}\,dx, \qquad \hat g(x) = \int F_1'(w) e^{-ixw}dw $$

    Below the axis the integrand grows like exp(x |Im u|), so x is cut where the transform has
    fallen into its rounding noise (the level at the band limit of the grid).

    Args:
        potential: The interaction.
        k: Wavenumber > 0.
        u: Uniform ascending grid that covers F1'.
        f1prime: F1' on it, analytic data.

    Returns:
        The mode with an error estimate: noise times exp(x_c |Im u|). Waves whose error would
        exceed 1e-3 are not reported; for a Maxwellian this means Im u > -2.2/sqrt(beta).

    Raises:
        InputError: As `maxwellian_mode`; no wave within the range of validity.
    """
    k, v = _checked(potential, k)
    u, g = reals("u", u), reals("f1prime", f1prime)
    h = (u[-1] - u[0]) / (len(u) - 1)
    spread = math.sqrt(float((u**2 * np.abs(g)).sum() / np.abs(g).sum()))
    x, weights, transform, cut, noise = _transform(u, g, h)

    def epsilon(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # d/du brings down i x, which cancels the -i in front of the integral.
        wave = np.exp(1j * np.multiply.outer(s, x)) * (weights * transform)
        return 1 - 1j * v * wave.sum(-1), v * (wave * x).sum(-1)

    # Noise of 1e-15 is multiplied by e^28 = 1e12 at this depth.
    depth = 28.0 / cut
    real = np.linspace(-1, 1, 41) * (1.5 * math.sqrt(v + 1.5 * spread**2) + 3 * spread)
    mesh_re, mesh_im = np.meshgrid(real, np.linspace(0.5 * spread, -depth, 13))
    s, step = _newton(epsilon, (mesh_re + 1j * mesh_im).ravel(), 30)
    with np.errstate(all="ignore"):
        value, slope = epsilon(s)
        sag = np.maximum(-s.imag, 0.0)
        error = v * noise * cut * np.exp(np.minimum(cut * sag, 700.0)) / np.abs(slope)
        good = (step < 1e-8 * (1 + np.abs(s))) & (np.abs(value) < 1e-6) & (error < 1e-3)
    require(
        bool(good.any()),
        f"No wave at k = {k!r} is damped weakly enough for the data: "
        f"Im u > {-depth:.3g} is needed.",
    )
    least = np.where(good, s.imag, -np.inf)
    # A mirror pair is damped equally: take the wave with the larger Re u.
    ties = least > least.max() - 1e-9 * spread
    pick = int(np.argmax(np.where(ties, s.real, -np.inf)))
    return Mode(k, complex(s[pick]), float(error[pick] + step[pick]))


def _transform(u: np.ndarray, g: np.ndarray, h: float) -> tuple:
    """Gauss-Legendre nodes on [0, x_c], weights, the transform there, x_c, and its noise."""
    coarse = np.linspace(0.0, math.pi / h, 400)
    size = np.abs(h * np.exp(-1j * np.outer(coarse, u)) @ g)
    # the last quarter of the band holds rounding of the phases, or data that are not resolved
    noise = max(1e-15 * float(size.max()), float(size[300:].max()))
    quiet = np.convolve(size > 2 * noise, np.ones(5), mode="valid") == 0
    quiet[: size.argmax()] = False
    cut = float(coarse[int(quiet.argmax()) if quiet.any() else len(coarse) - 1])
    n = int(48 + 0.75 * cut * np.abs(u).max())
    nodes, weights = gauss_legendre(n)
    x = cut * (nodes + 1) / 2
    return x, cut / 2 * weights, h * np.exp(-1j * np.outer(x, u)) @ g, cut, noise
