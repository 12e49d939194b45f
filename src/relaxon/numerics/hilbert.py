r"""The Hilbert transform on the line, without periodic images and without a cut-off tail.

$$ H[g](u) = \mathrm{p.v.}\!\int_{-\infty}^{\infty} \frac{g(w)}{u - w}\,dw $$

Samples on a uniform grid are read as the band-limited function through them (sinc series), whose
transform on the whole line is exact; nothing is assumed periodic. On a graded grid r(x) the same
alternate-point rule is applied in x.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def hilbert_uniform(g: jax.Array) -> jax.Array:
    r"""H[g] at the sample points themselves.

    $$ H_m = \sum_{m-j\ \mathrm{odd}} \frac{2 g_j}{m - j} $$

    Exact for functions of band limit pi/spacing that vanish outside the grid; the spacing drops
    out. Computed by FFT with zero padding to twice the length: O(N log N).

    Args:
        g: Samples along the last axis, shape (..., N), decayed at both ends.

    Returns:
        Shape (..., N).

    Accuracy: spectral; for Gaussian data 1e-14 once spacing <= 0.55/sqrt(beta).
    """
    n = g.shape[-1]
    m = jnp.arange(-n, n)
    odd = m % 2 == 1
    kernel = jnp.where(odd, 2.0 / jnp.where(odd, m, 1), 0.0)
    # The symbol of the lags, m = 0 first; twice the length, so that no image wraps around.
    symbol = jnp.fft.rfft(jnp.roll(kernel, n))
    return jnp.fft.irfft(jnp.fft.rfft(g, 2 * n) * symbol, 2 * n)[..., :n]


@jax.jit
def hilbert_at(g: jax.Array, u: jax.Array, targets: jax.Array) -> tuple[jax.Array, jax.Array]:
    r"""H[g] and g anywhere on the line, from samples on a uniform grid.

    $$ H(t) = \sum_j g_j h\, \frac{1 - \cos(\pi (t - u_j)/h)}{t - u_j}, \qquad
       g(t) = \sum_j g_j\, \mathrm{sinc}((t - u_j)/h) $$

    Args:
        g: Samples, shape (N,).
        u: Uniform grid, shape (N,).
        targets: Points, any shape; outside the grid the tail sum g_j h/(t - u_j) is exact too.

    Returns:
        H[g] and g at the targets. Cost O(N) a target.
    """
    h = (u[-1] - u[0]) / (len(u) - 1)
    x = (jnp.asarray(targets)[..., None] - u) / h
    half = jnp.sinc(x / 2)
    # (1 - cos(pi x))/x = (pi^2 x/2) sinc(x/2)^2, regular at x = 0
    transform = (g * (jnp.pi**2 * x / 2 * half**2)).sum(-1)
    inside = (x[..., 0] >= -1) & (x[..., -1] <= 1)
    tail = (g / jnp.where(inside[..., None], 1.0, x)).sum(-1)
    value = jnp.where(inside, (g * jnp.sinc(x)).sum(-1), 0.0)
    return jnp.where(inside, transform, tail), value
