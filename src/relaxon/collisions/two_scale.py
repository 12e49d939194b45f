r"""The two-scale system of gualdani2025 (2.4) on a radial grid.

With G = M + g (far field), H = E + h (near field) and F = G + H the system reads

$$ \partial_t G = A[F] : \nabla^2 G + G^2, \qquad \partial_t H = Q(F, H) + G H, $$

because Q(M, M) = Q(E, E) = 0 and (2.1), (2.14). The unknowns are gamma = g/M and phi = h/E. For
X = M_T (1 + phi), rho = r^2/2 and radial coefficients lambda_1, a of any field,

$$ \frac{A : \nabla^2 X}{M_T} = (1 + \phi) \Big( \frac{\lambda_1 r^2}{T^2} - \frac{a}{T} \Big)
   + \Big( a - \frac{2 \lambda_1 r^2}{T} \Big) \phi_\rho + \lambda_1 r^2 \phi_{\rho\rho}, $$

so that the Gaussians are differentiated by hand, M and E enter the coefficients in closed form, and
every discretisation error is relative to g and h, however small they are beside M and E. Nothing
grows where E underflows: phi solves a transport equation that runs outwards there.

The collisions of the near field with itself, which are faster than everything else by
delta^(alpha - 1/2), keep the antisymmetric form of `relaxon.collisions.radial`: relative to E

$$ \frac{Q(H, H)}{E} = 3 \beta + r \beta' - \frac{r^2}{T} \beta, \qquad
   r^3 \beta = \phi_\rho \, S[E (1 + \phi)] - (1 + \phi) \, S[E \phi_\rho], $$

S[X] = int a(min(r, s)) X s ds, a = r^3/3; a change of mass or temperature of E is annihilated to
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import erf

from relaxon.distributions import C0
from relaxon.functionals import moments
from relaxon.grids.radial import RadialGrid
from relaxon.stepping.system import System

WIDTH = 3
PEAK = (2 * math.pi) ** -1.5
"""M(0) of the unit Maxwellian."""

CENTRAL = np.array([0, 1, -8, 0, 8, -1, 0]) / 12.0
OUTWARD = np.array([-1, 6, -18, 10, 3, 0, 0]) / 12.0
SECOND = np.array([0, -1, 16, -30, 16, -1, 0]) / 12.0


class Slopes(eqx.Module):
    """Derivatives in rho = r^2/2 at the cell centres, exact for 1 and rho, of order 4.

    Attributes:
        first: Bands of the centred first derivative, shape (n, 7).
        outward: Bands of the one biased against transport away from r = 0.
        second: Bands of r^2 times the second derivative.
    """

    first: Array
    outward: Array
    second: Array

    def __init__(self, grid: RadialGrid):
        """Build the stencils; even at r = 0, linear in rho beyond r_max."""
        n, r = grid.n, np.asarray(grid.r)
        rho = r**2 / 2
        step = rho[-1] - rho[-2]

        def bands(weights: np.ndarray) -> np.ndarray:
            table = np.zeros((n, n + 2 * WIDTH))
            for i in range(n):
                table[i, i : i + 2 * WIDTH + 1] = weights
            full = table[:, WIDTH : WIDTH + n].copy()
            full[:, :WIDTH] += table[:, WIDTH - 1 :: -1][:, :WIDTH]
            for j in range(WIDTH):  # a ghost value beyond r_max, linear in the index
                ghost = table[:, n + WIDTH + j]
                full[:, -1] += ghost * (j + 2)
                full[:, -2] -= ghost * (j + 1)
            return full

        assert step > 0
        central, outward, second = (bands(w) for w in (CENTRAL, OUTWARD, SECOND))
        first = central / (central @ rho)[:, None]
        twice = second - (second @ rho)[:, None] * first
        self.first = jnp.asarray(_compact(first))
        self.outward = jnp.asarray(_compact(outward / (outward @ rho)[:, None]))
        self.second = jnp.asarray(_compact(twice * (r / (central @ rho))[:, None] ** 2))


class Gauss(eqx.Module):
    """Density, lambda_1 and a = tr A at the centres of a field, each of shape (n,)."""

    density: Array
    lam: Array
    trace: Array


def gaussian_coefficients(r: Array, mass: Array, temperature: Array) -> Gauss:
    r"""Of a Maxwellian in closed form.

    $$ a = \frac{\rho}{4 \pi r} \operatorname{erf} z, \quad
       \lambda_1 = \frac{T \rho}{4 \pi r^3} \Big( \operatorname{erf} z - \frac{2 z}{\sqrt\pi}
       e^{-z^2} \Big), \quad z = r / \sqrt{2 T}, $$

    which follow from (2.15) and stationarity. Accuracy: 1e-14 relative.
    """
    width = jnp.sqrt(2 * temperature)
    z = r / width
    density = mass * (2 * jnp.pi * temperature) ** -1.5 * jnp.exp(-(z**2))
    small = z < 0.6
    safe = jnp.where(small, 1.0, z)
    erf_part = jax.scipy.special.erf(safe)
    cubic = (erf_part - 2 * safe * jnp.exp(-(safe**2)) / math.sqrt(math.pi)) / safe**3
    low = jnp.where(small, z, 0.0)
    cubic = jnp.where(small, _series(low, 3, 0), cubic)
    linear = jnp.where(small, _series(low, 1, 0), erf_part / safe)
    strength = mass / (4 * jnp.pi * width)
    return Gauss(density, strength / 2 * cubic, strength * linear)


def unit_excess(r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lambda_1[M] - c0, a[M] - 3 c0, M - M(0)) without cancellation near r = 0; see (3.3)."""
    z = r / math.sqrt(2)
    small = z < 0.6
    low, safe = np.where(small, z, 0.0), np.where(small, 1.0, z)
    cubic = (erf(safe) - 2 * safe * np.exp(-(safe**2)) / math.sqrt(math.pi)) / safe**3
    strength = 1 / (4 * math.pi * math.sqrt(2))
    lam = strength / 2 * np.where(small, _series(low, 3, 1), cubic - _series(0.0, 3, 0))
    trace = strength * np.where(small, _series(low, 1, 1), erf(safe) / safe - _series(0.0, 1, 0))
    return lam, trace, PEAK * np.expm1(-(r**2) / 2)


class Potentials(eqx.Module):
    """The maps from a field at the centres to its lambda_1 and a at the centres.

    lambda_1 = (r^-3 int_0^r s^4 X + int_r^oo s X)/3 and a = r^-1 int_0^r s^2 X + int_r^oo s X by
    sums with the Euler-Maclaurin terms of orders 2 and 4. Accuracy: order 6.
    """

    grid: RadialGrid

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """(lambda_1[x], a[x])."""
        r, flow = self.grid.r, x * self.grid.slope * self.grid.dx
        outer = _outer(flow * r)
        return (_inner(flow * r**4) / r**3 + outer) / 3, _inner(flow * r**2) / r + outer


class TwoScaleSystem(System):
    """Unknowns (phi, gamma) = (h/E, g/M), stacked to shape (2, n); both start at 0.

    Attributes:
        grid: Radial grid, d = 3.
        delta: Squared width of the initial spot.
        alpha: Exponent of its mass.
        unit: Density and coefficients of M.
        excess: (lambda_1[M] - c0, a[M] - 3 c0, 2 (M - M(0))): what E's own equation (2.1) leaves.
        slopes: Stencils at the centres.
    """

    grid: RadialGrid
    delta: Array
    alpha: Array
    unit: Gauss
    excess: tuple[Array, Array, Array]
    slopes: Slopes

    def __init__(self, grid: RadialGrid, delta: Array, alpha: Array):
        """Build the system for the datum M + delta^alpha M_delta (1.2)."""
        self.grid = grid
        self.delta = jnp.asarray(delta, float)
        self.alpha = jnp.asarray(alpha, float)
        self.unit = gaussian_coefficients(grid.r, jnp.ones(()), jnp.ones(()))
        lam, trace, density = unit_excess(np.asarray(grid.r))
        self.excess = jnp.asarray(lam), jnp.asarray(trace), jnp.asarray(2 * density)
        self.slopes = Slopes(grid)
        self.lyapunov_names = ()

    def temperature(self, t: Array) -> Array:
        """T(t) of (2.3)."""
        return self.delta + 2 * C0 * t

    def profile(self, t: Array) -> Gauss:
        """E(t) of (1.4) and its coefficients."""
        mass = self.delta**self.alpha * jnp.exp(2 * PEAK * t)
        return gaussian_coefficients(self.grid.r, mass, self.temperature(t))

    def encode(self, f0: Array) -> Array:
        """g = h = 0."""
        return jnp.zeros((2, self.grid.n))

    def fields(self, t: Array, y: Array) -> dict[str, Array]:
        """F = M + E + g + h, its parts, and f = g + h = F - M - E of Theorem 1.1."""
        spot, unit = self.profile(t).density, self.unit.density
        h, g = spot * y[0], unit * y[1]
        return {"f": unit + spot + (g + h), "g": g, "h": h, "E": spot, "perturbation": g + h}

    def diagnostics(self, t: Array, y: Array) -> dict[str, Array]:
        """Moments of F, the norms (2.5), (2.6), and the quantities of (5.1) and Theorem 1.1."""
        far, near = self.norms(t, y)
        spot = self.profile(t).density
        found = self.fields(t, y)
        rest = found["perturbation"]
        mass = self.delta**self.alpha
        return {
            **moments(found["f"], self.grid),
            "central_value": self.grid.at_origin(found["f"]),
            "width": self.temperature(t),
            "far_field_norm": far,
            "near_field_norm": near,
            "far_field_ratio": far / (mass * self.temperature(t)),
            "near_field_ratio": near / self.delta ** (self.alpha - 0.25),
            "norm_F_minus_M": self._unit_norm(spot + rest),
            "norm_E": self._unit_norm(spot),
            "norm_f": self._unit_norm(rest),
        }

    def norms(self, t: Array, y: Array) -> Array:
        """(|g| of (2.6), |h| of (2.5)), from h^2/mu = phi^2 E^2/mu without overflow."""
        width = self.temperature(t)
        mass = self.delta**self.alpha * jnp.exp(2 * PEAK * t)
        # E^2/mu_T = m^2 (2 pi)^-3 T^-9/2 exp(-r^2/2T)
        weight = jnp.exp(-(self.grid.r**2) / (2 * width)) * width**-1.5
        near = self.grid.integrate(weight * y[0] ** 2)
        far = self.grid.integrate(self.unit.density * y[1] ** 2)
        return jnp.stack([_root(far), mass * (2 * jnp.pi * width) ** -1.5 * _root(near)])

    def rate(self, t: Array, y: Array) -> Array:
        """(d phi/dt, d gamma/dt): (2.4) divided by E and by M."""
        phi, gamma = y
        unit, spot = self.unit, self.profile(t)
        far = Potentials(self.grid)(unit.density * gamma)
        near = Potentials(self.grid)(spot.density * phi)
        width = self.temperature(t)
        return jnp.stack(
            [
                self._near_rate(phi, gamma, far, width) + self.self_collisions(t, phi),
                self._far_rate(gamma, far, near, spot),
            ]
        )

    def _near_rate(self, phi: Array, gamma: Array, far: tuple, width: Array) -> Array:
        """(A[G] : Hess H + 2 G H)/E - (1 + phi) d log E/dt."""
        square = self.grid.r**2
        lam, trace = self.unit.lam + far[0], self.unit.trace + far[1]
        excess = self.excess
        source = (excess[0] + far[0]) * square / width**2 - (excess[1] + far[1]) / width
        source = source + excess[2] + 2 * self.unit.density * gamma
        return (1 + phi) * source + self._transport(phi, lam, trace, width)

    def _far_rate(self, gamma: Array, far: tuple, near: tuple, spot: Gauss) -> Array:
        """(A[F] : Hess G + G^2)/M, with A[M] : Hess M + M^2 = 0 used."""
        lam, trace = spot.lam + far[0] + near[0], spot.trace + far[1] + near[1]
        source = lam * self.grid.r**2 - trace + self.unit.density * gamma
        moved = self._transport(gamma, self.unit.lam + lam, self.unit.trace + trace, 1.0)
        return (1 + gamma) * source + moved

    def _transport(self, x: Array, lam: Array, trace: Array, width: Array | float) -> Array:
        """a x_rho + lambda_1 r^2 x_rhorho - 2 lambda_1 r^2/T x_rho."""
        slopes = self.slopes
        drift = -2 * lam * self.grid.r**2 / width * apply_bands(slopes.outward, x)
        return drift + trace * apply_bands(slopes.first, x) + lam * apply_bands(slopes.second, x)

    def self_collisions(self, t: Array, phi: Array) -> Array:
        """Q(H, H)/E for H = E (1 + phi), in the antisymmetric form."""
        grid, width = self.grid, self.temperature(t)
        faces = grid.faces[1:-1]
        stretch = _on_faces(grid.difference, grid.r**2 / 2)
        mass = self.delta**self.alpha * jnp.exp(2 * PEAK * t)
        profile = mass * (2 * jnp.pi * width) ** -1.5 * jnp.exp(-(faces**2) / (2 * width))
        weight = profile * stretch * grid.dx
        value = 1 + _on_faces(grid.interpolation, phi)
        slope = _on_faces(grid.difference, phi) / stretch
        cube = faces**3
        bracket = slope * _kernel_sum(cube, weight * value)
        beta = (bracket - value * _kernel_sum(cube, weight * slope)) / cube
        origin = 1.5 * beta[0] - 0.6 * beta[1] + 0.1 * beta[2]
        left, right = beta[0][None], beta[-1:]
        around = jnp.concatenate([left, origin[None], beta, right, right])
        q = [around[k : k + grid.n] for k in range(4)]
        middle = (9 * (q[1] + q[2]) - q[0] - q[3]) / 16
        change = (q[0] - 27 * q[1] + 27 * q[2] - q[3]) / (24 * grid.dx)
        return (3 - grid.r**2 / width) * middle + grid.r * change / grid.slope

    def frozen(self, t: Array, y: Array) -> TwoScaleSystem:
        """Nothing to choose."""
        return self

    def linearize(self, t: Array, y: Array) -> Callable:
        """Exact derivative of `rate`, factored densely: O(n^3)."""
        n = 2 * self.grid.n
        jacobian = jax.jacfwd(lambda x: self.rate(t, x))(y).reshape(n, n)

        def factored(tau: Array) -> Callable[[Array], Array]:
            lu = jax.scipy.linalg.lu_factor(jnp.eye(n) - tau * jacobian)
            return lambda rhs: jax.scipy.linalg.lu_solve(lu, rhs.reshape(n)).reshape(2, -1)

        return factored

    def size(self, t: Array, y: Array) -> Array:
        """One: `error` is already relative."""
        return jnp.ones(())

    def error(self, t: Array, y: Array, defect: Array) -> Array:
        """Changes of g and h in their norms, relative to them or to the scales m T, m T^(1/2)."""
        width = self.temperature(t)
        scale = self.delta**self.alpha * jnp.stack([width, jnp.sqrt(width)])
        return jnp.max(self.norms(t, defect) / (self.norms(t, y) + 0.1 * scale))

    def constrain(self, t: Array, y: Array) -> Array:
        """Nothing: the invariants of F are left as a measure of the error."""
        return y

    def admissible(self, t: Array, y: Array) -> Array:
        """Always: steps are controlled by their error."""
        return jnp.asarray(True)

    def lyapunov(self, t: Array, y: Array) -> Array:
        """None."""
        return jnp.zeros(0)

    def blown_up(self, t: Array, y: Array) -> Array:
        """Never: the equation does not (Guillen, Silvestre)."""
        return jnp.asarray(False)

    def _unit_norm(self, x: Array) -> Array:
        """(int x^2/M dv)^(1/2)."""
        weight = jnp.exp(self.grid.r**2 / 4) / math.sqrt(PEAK)
        return jnp.sqrt(self.grid.integrate((x * weight) ** 2))


def apply_bands(bands: Array, x: Array) -> Array:
    """Sum_k bands[i, k] x[i - 3 + k]."""
    n = x.shape[0]
    padded = jnp.pad(x, (WIDTH, WIDTH))
    return sum(bands[:, k] * padded[k : k + n] for k in range(2 * WIDTH + 1))


def _compact(full: np.ndarray) -> np.ndarray:
    """The seven diagonals of a banded matrix."""
    n = full.shape[0]
    padded = np.pad(full, ((0, 0), (WIDTH, WIDTH)))
    return np.stack([padded[i, i : i + 2 * WIDTH + 1] for i in range(n)])


def _on_faces(stencil: Array, x: Array) -> Array:
    n = x.shape[0]
    padded = jnp.pad(x, (1, 1))
    return sum(stencil[:, m] * padded[m : m + n - 1] for m in range(4))


def _kernel_sum(cube: Array, weighted: Array) -> Array:
    """sum_j min(r_i, r_j)^3/3 weighted_j."""
    inner = jnp.cumsum(cube / 3 * weighted)
    return inner + cube / 3 * (jnp.cumsum(weighted[::-1])[::-1] - weighted)


def _end(w: Array, sign: float) -> Array:
    """Euler-Maclaurin terms of orders 2 and 4 at the centres; w even (1) or odd (-1) at r = 0."""
    q = jnp.concatenate([sign * w[1::-1], w, jnp.zeros(2)])
    a, b, c, d = (q[k : k + w.shape[0]] for k in (0, 1, 3, 4))
    return (8 * (c - b) - (d - a)) / 144 - (d - 2 * c + 2 * b - a) / 1440


def _inner(w: Array) -> Array:
    return jnp.cumsum(w) - w / 2 - _end(w, 1.0)


def _outer(w: Array) -> Array:
    return jnp.cumsum(w[::-1])[::-1] - w / 2 + _end(w, -1.0)


def _series(z, power: int, first: int):
    """4/sqrt(pi) (power 3) or 2/sqrt(pi) (power 1) sum_k>=first (-1)^k z^2k/(k! (2k + power))."""
    total = 0.0 * z
    for k in range(13, first - 1, -1):
        term = (-1) ** k / (math.factorial(k) * (2 * k + power))
        total = total + term * z ** (2 * k)
    return total * (4 if power == 3 else 2) / math.sqrt(math.pi)


def _root(x: Array) -> Array:
    """Square root with derivative 0 at 0."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)
