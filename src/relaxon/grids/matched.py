"""The Maxwellian whose sums on a Cartesian grid are those of a distribution."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp


class Maxwellian(eqx.Module):
    r"""`density (2 pi T)^{-d/2} exp(-|v - mean|^2 / (2 T))`, T = variance per component."""

    density: jax.Array
    mean: jax.Array
    temperature: jax.Array

    def values(self, grid: Any) -> jax.Array:
        """Point values on the grid."""
        total = self.density * (2 * jnp.pi * self.temperature) ** (-grid.d / 2)
        for axis in range(grid.d):
            wave = jnp.exp(-((grid.nodes - self.mean[axis]) ** 2) / (2 * self.temperature))
            total = total[..., None] * wave if axis else total * wave
        return total

    def logarithm(self, grid: Any) -> jax.Array:
        """Logarithm of `values`, finite where they underflow."""
        top = jnp.log(self.density) - grid.d / 2 * jnp.log(2 * jnp.pi * self.temperature)
        return top - 0.5 * jnp.sum((grid.v - self.mean) ** 2, axis=-1) / self.temperature

    def tilt(self, grid: Any) -> jax.Array:
        """Minus the slope of `log M`: `(v - mean) / T`, shape `grid.shape + (d,)`."""
        return (grid.v - self.mean) / self.temperature


def moments(f: jax.Array, grid: Any) -> jax.Array:
    """The invariants: mass, momentum (d entries), and `int |v|^2 f / 2`, as one vector."""
    lines = [
        grid.cell * jnp.sum(f, axis=tuple(j for j in range(grid.d) if j != axis))
        for axis in range(grid.d)
    ]
    momentum = [jnp.sum(grid.nodes * line) for line in lines]
    energy = 0.5 * sum(jnp.sum(grid.nodes**2 * line) for line in lines)
    return jnp.stack([jnp.sum(lines[0]), *momentum, energy])


def mean_and_heat(raw: jax.Array, d: int) -> tuple[jax.Array, jax.Array]:
    """Mean and variance per component of the textbook Maxwellian with these `moments`."""
    mean = raw[1 : 1 + d] / raw[0]
    return mean, (2 * raw[-1] / raw[0] - jnp.sum(mean**2)) / d


def matched_maxwellian(f: jax.Array, grid: Any, iterations: int = 12) -> Maxwellian:
    """The Maxwellian whose sums on the grid have the mass, momentum and energy of `f`.

    On a box that holds it well it is the textbook one to rounding; otherwise a few fixed-point
    rounds on the one-dimensional factors (the Maxwellian is a product) make the sums agree, so
    that a sampled Maxwellian is reproduced to rounding on any box.

    Cost: O(n^d) for the moments of f, the rest O(n).
    """
    raw = moments(f, grid)
    mean, heat = mean_and_heat(raw, grid.d)
    nodes = grid.nodes

    def lines(centre, temperature):
        weight = jnp.exp(-((nodes[:, None] - centre) ** 2) / (2 * temperature))
        count = jnp.sum(weight, axis=0)
        got = jnp.sum(nodes[:, None] * weight, axis=0) / count
        square = jnp.sum((nodes[:, None] - got) ** 2 * weight, axis=0) / count
        return count, got, jnp.mean(square)

    def better(_, guess):
        # The mean is corrected by its defect, the temperature by its ratio.
        centre, temperature = guess
        _, got, square = lines(centre, temperature)
        return centre + (mean - got), temperature * heat / square

    centre, temperature = jax.lax.fori_loop(0, iterations, better, (mean, heat))
    count, _, _ = lines(centre, temperature)
    top = raw[0] / (grid.cell * jnp.prod(count))
    density = top * (2 * jnp.pi * temperature) ** (grid.d / 2)
    return Maxwellian(density, centre, temperature)
