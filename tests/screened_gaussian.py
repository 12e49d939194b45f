"""Screening of a Gaussian potential, for tests of the engine alone.

K = -Im G / Im z with G = -2^((d-1)/2) Gamma((d+1)/2) Li_s(-c z) / z, s = (d+1)/2,
c = amplitude (2 pi)^(d/2) (unit length). Li_s from its expansion in log x about x = 1 where
|x| > 1/2 (converges for |log x| < 2 pi) and its power series below; real-line limit -G' where
Im z is tiny and there is no resonance. Good for |c z| < 200.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np


def _log_series(s, terms):
    """Taylor coefficients zeta(s - k) / k! (the pole's term left out)."""
    out = []
    for k in range(terms):
        pole = float(s).is_integer() and k == int(s) - 1
        out.append(0.0 if pole else float(mpmath.zeta(s - k) / mpmath.factorial(k)))
    return np.array(out)


TERMS = 72
SERIES = {s: _log_series(s, TERMS) for s in (0.5, 1.5, 1.0, 2.0)}


def polylog(s, x):
    small = jnp.abs(x) < 0.5
    mu = jnp.log(jnp.where(small, 0.9 + 0.1j, x))
    far = jnp.zeros_like(mu)
    for_far = SERIES[s]

    def horner(k, acc):
        return acc * mu + jnp.asarray(for_far)[TERMS - 1 - k]

    far = jax.lax.fori_loop(0, TERMS, horner, far)
    if s == 2.0:
        far = far + mu * (1.0 - jnp.log(-mu))
    elif s == 1.0:
        far = -jnp.log(-mu) + far
    else:
        gamma = float(mpmath.gamma(1 - s))
        far = far + gamma * (-mu) ** (s - 1)
    y = jnp.where(small, x, 0.1)
    powers = np.arange(1, 54) ** -float(s)

    def power(k, acc):
        return (acc + jnp.asarray(powers)[52 - k]) * y

    near = jax.lax.fori_loop(0, 53, power, jnp.zeros_like(y))
    return jnp.where(small, near, far)


class GaussianScreening(eqx.Module):
    d: int = eqx.field(static=True)
    amplitude: float = eqx.field(static=True, default=1.0)

    @property
    def vhat0(self):
        return self.amplitude * (2 * np.pi) ** (self.d / 2)

    def landau_constant(self):
        return self.vhat0**2 * {2: np.sqrt(np.pi) / 4, 3: 0.5}[self.d]

    def screening(self, z):
        s = (self.d + 1) / 2
        front = 2 ** ((self.d - 1) / 2) * float(mpmath.gamma(s))
        c = self.vhat0
        z = jnp.where(jnp.abs(z) < 1e-12, 1e-12, z)
        li = polylog(s, -c * z)
        direct = jnp.imag(front * li / z) / jnp.where(z.imag == 0, 1.0, z.imag)
        # d/dz [Li_s(-cz)/z] = (Li_{s-1} - Li_s)/z^2
        limit = front * jnp.real((polylog(s - 1, -c * z) - li) / z**2)
        tiny = jnp.abs(z.imag) < 1e-7 * jnp.abs(z)
        quiet = c * z.real > -1.0
        return jnp.where(tiny & quiet, limit, direct)
