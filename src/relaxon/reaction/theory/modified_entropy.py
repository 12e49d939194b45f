r"""The modified entropies of neumann2016 evaluated on distributions, linear or nonlinear.

Arrays are f[x..., v...]: d axes of a uniform grid on the torus of volume one, then the axes of the
velocity nodes with their weights. F = (f, g) are **perturbations**, f - rho_inf chi_1 and
g - chi_2/rho_inf. Derivatives in x are spectral. All functions are pure, jit-compiled by the caller
if at all, and differentiable.

The dissipation of a functional is minus its derivative along the flow; it takes the time
derivative (df, dg) of the perturbation as an argument, so that the same function serves the
linearised flow, the nonlinear flow and what a scheme really did in a step.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from relaxon.core.errors import require


class ReactionSpace(eqx.Module):
    """The weighted space of neumann2016 (10) on a phase grid.

    Attributes:
        rho_inf: Equilibrium density of the first species.
        velocity: Nodes along the torus axes, shape (*v_shape, d).
        weights: Quadrature weights, shape v_shape.
        chi1: First profile at the nodes, shape v_shape; its discrete mass should be 1.
        chi2: The second one.
    """

    rho_inf: Array
    velocity: Array
    weights: Array
    chi1: Array
    chi2: Array

    def __init__(self, rho_inf, velocity, weights, chi1, chi2):
        self.rho_inf = jnp.asarray(rho_inf, dtype=float)
        self.velocity = jnp.asarray(velocity, dtype=float)
        self.weights = jnp.asarray(weights, dtype=float)
        self.chi1 = jnp.asarray(chi1, dtype=float)
        self.chi2 = jnp.asarray(chi2, dtype=float)
        shape = self.weights.shape
        require(
            self.velocity.ndim == len(shape) + 1 and self.velocity.shape[:-1] == shape,
            f"velocity must have shape {shape} + (d,), but has {self.velocity.shape}.",
        )
        require(
            self.chi1.shape == shape and self.chi2.shape == shape,
            f"The profiles must have the shape {shape} of the weights, but have "
            f"{self.chi1.shape} and {self.chi2.shape}.",
        )

    @property
    def dimension(self) -> int:
        """Dimension of the torus."""
        return self.velocity.shape[-1]


def density(space: ReactionSpace, f):
    """rho_f(x) = int f dv, the velocity axes summed."""
    return jnp.tensordot(f, space.weights, axes=space.weights.ndim)


def flux(space: ReactionSpace, f):
    """Flux int v f dv, shape (*x_shape, d)."""
    return jnp.tensordot(f, space.weights[..., None] * space.velocity, axes=space.weights.ndim)


def inner_product(space: ReactionSpace, F, G):
    r"""$<F, G>$ of neumann2016 (10) for pairs F = (f, g); the torus has volume one."""
    r = space.rho_inf
    integrand = F[0] * G[0] / (r * space.chi1) + F[1] * G[1] * r / space.chi2
    return jnp.mean(density(space, integrand))


def macroscopic_part(space: ReactionSpace, F):
    """Pi F of neumann2016 (12), the projection on the local equilibria."""
    r = space.rho_inf
    u = _on_phase(space, (density(space, F[0]) - density(space, F[1])) / (r * r + 1))
    return u * r * r * space.chi1, -u * space.chi2


def collision(space: ReactionSpace, F):
    """L F of neumann2016 (11)."""
    r = space.rho_inf
    rho_f, rho_g = (_on_phase(space, density(space, h)) for h in F)
    return -r * space.chi1 * rho_g - F[0] / r, -space.chi2 * rho_f / r - r * F[1]


def transport(space: ReactionSpace, F):
    """T F = v.grad_x F of neumann2016 (15), spectral in x."""
    return _advected(space, F[0]), _advected(space, F[1])


def linear_flow(space: ReactionSpace, F):
    """dF/dt = L F - T F, neumann2016 (14)."""
    return tuple(c - t for c, t in zip(collision(space, F), transport(space, F)))


def nonlinear_flow(space: ReactionSpace, F):
    """dF/dt of the nonlinear system (1) for the perturbation F of the equilibrium."""
    # Q - L = -(rho_g f, rho_f g) of the perturbations, proof of Theorem 2.3.
    rho_f, rho_g = (_on_phase(space, density(space, h)) for h in F)
    linear = linear_flow(space, F)
    return linear[0] - rho_g * F[0], linear[1] - rho_f * F[1]


def auxiliary_product(space: ReactionSpace, F, G):
    r"""$<A F, G>$ with A of Theorem 2.1.

    $$ <A F, G> = \rho/(\rho^2+1) \int w\, u_G dx, \quad
       w - div(D_0 grad w) = -div \int v (f - g) dv, \quad u_G = \rho_{G_1} - \rho_{G_2} . $$

    D_0 is taken with the discrete moments of the profiles, so that the identity with the operator
    definition is exact on the grid.
    """
    r = space.rho_inf
    current = flux(space, F[0]) - flux(space, F[1])
    u = density(space, G[0]) - density(space, G[1])
    profile = space.weights * (r * r * space.chi1 + space.chi2) / (r * r + 1)
    nodes = space.velocity.reshape(-1, space.dimension)
    d0 = jnp.einsum("n,ni,nj->ij", profile.ravel(), nodes, nodes)
    waves = _waves(u.shape)
    axes = tuple(range(u.ndim))
    # 1 + k.D_0 k inverts w - div(D_0 grad w); the flux gets one odd derivative.
    hats = jnp.fft.fftn(current, axes=axes)
    symbol = 1 + jnp.einsum("...i,ij,...j->...", waves, d0, waves)
    w = jnp.fft.ifftn(-1j * jnp.sum(_odd(waves, u.shape) * hats, axis=-1) / symbol, axes=axes).real
    return r / (r * r + 1) * jnp.mean(w * u)


def h0_functional(space: ReactionSpace, F, eta):
    """Modified entropy H^0 = |F|^2/2 + eta <A F, F> of Remark 1."""
    return inner_product(space, F, F) / 2 + eta * auxiliary_product(space, F, F)


def h0_dissipation(space: ReactionSpace, F, flow, eta):
    """Dissipation D = -dH^0/dt of neumann2016 (20) along dF/dt = flow.

    Args:
        space: The weighted space.
        F: Perturbation (f, g).
        flow: Its time derivative (df, dg), for example `linear_flow(space, F)`.
        eta: Weight of the auxiliary term.
    """
    tilt = auxiliary_product(space, flow, F) + auxiliary_product(space, F, flow)
    return -inner_product(space, F, flow) - eta * tilt


def h1_functional(space: ReactionSpace, F, weights, velocity_gradient: Callable):
    r"""The H^1 functional of section 2.2 on the rescaled unknowns (21).

    $$ A |F|^2 + \alpha |\nabla_x F|^2 + \beta |\nabla_v F|^2 + 2\gamma (\nabla_x F, \nabla_v F) $$

    Args:
        space: The weighted space.
        F: Perturbation (f, g), before rescaling.
        weights: A, alpha, beta, gamma.
        velocity_gradient: Linear map from h[x..., v...] to its velocity gradient along the torus
            axes, shape (*h.shape, d); the grid of the nodes knows it.
    """
    return _h1_form(space, F, F, weights, velocity_gradient)


def h1_dissipation(space: ReactionSpace, F, flow, weights, velocity_gradient: Callable):
    """Minus the time derivative of `h1_functional` along dF/dt = flow."""
    return -2 * _h1_form(space, F, flow, weights, velocity_gradient)


def _h1_form(space, F, G, weights, velocity_gradient):
    a, alpha, beta, gamma = weights
    total = 0.0
    scales = (
        jnp.sqrt(space.rho_inf * space.chi1),
        jnp.sqrt(space.chi2 / space.rho_inf),
    )
    for f, g, scale in zip(F, G, scales):
        # The rescaled unknowns (21).
        f, g = f / scale, g / scale
        fx, gx = _gradient(space, f), _gradient(space, g)
        fv, gv = velocity_gradient(f), velocity_gradient(g)
        integrand = a * f * g + jnp.sum(
            alpha * fx * gx + beta * fv * gv + gamma * (fx * gv + gx * fv), axis=-1
        )
        total = total + jnp.mean(density(space, integrand))
    return total


def _on_phase(space, field):
    """A field on the torus with axes of length one for the velocities."""
    return field.reshape(field.shape + (1,) * space.weights.ndim)


def _waves(shape) -> Array:
    """Wave vectors 2 pi n of the torus of volume one, shape (*shape, d)."""
    axes = [2 * np.pi * np.fft.fftfreq(n, 1 / n) for n in shape]
    return jnp.asarray(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))


def _odd(waves, shape):
    """Wave vectors for first derivatives: the unpaired highest frequency has none."""
    for axis, n in enumerate(shape):
        if n % 2 == 0:
            index = [slice(None)] * len(shape) + [axis]
            index[axis] = n // 2
            waves = waves.at[tuple(index)].set(0.0)
    return waves


def _gradient(space, f):
    """grad_x f, shape (*f.shape, d)."""
    d = space.dimension
    axes = tuple(range(d))
    waves = _odd(_waves(f.shape[:d]), f.shape[:d])
    waves = waves.reshape(f.shape[:d] + (1,) * space.weights.ndim + (d,))
    hats = jnp.fft.fftn(f, axes=axes)
    return jnp.fft.ifftn(1j * waves * hats[..., None], axes=axes).real


def _advected(space, f):
    """v.grad_x f."""
    d = space.dimension
    axes = tuple(range(d))
    waves = _odd(_waves(f.shape[:d]), f.shape[:d])
    waves = waves.reshape(f.shape[:d] + (1,) * space.weights.ndim + (d,))
    symbol = jnp.sum(waves * space.velocity, axis=-1)
    return jnp.fft.ifftn(1j * symbol * jnp.fft.fftn(f, axes=axes), axes=axes).real
