r"""The coercivity constant of the linearised Landau-Coulomb operator as an eigenvalue problem.

For g = sqrt(M) w(r) Y_lm the forms of gualdani2025 (2.18) and (2.19) become, with w orthogonal to
the kernel of L_M (sqrt(M) and r^2 sqrt(M) for l = 0, r sqrt(M) for l = 1),

$$ -\langle L_M g, g \rangle_M = \int_0^\infty \Big[ \lambda_1 (w' + \tfrac r2 w)^2
   + \lambda_2 \tfrac{l(l+1)}{r^2} w^2 - M w^2 \Big] r^2 dr
   - \int_0^\infty (r^2 b'' - a) \sqrt M w \, r^2 dr, $$

$$ D_M(g) = \int_0^\infty \Big[ \langle r \rangle^{-1} w^2 + \langle r \rangle^{-3}
   \big( (w' - \tfrac r2 w)^2 + \tfrac{l(l+1)}{r^2} w^2 \big) \Big] r^2 dr, $$

where a and b are the radial parts of a[g] = (-Laplace)^-1 g and of the biharmonic potential with
A[g] = Hess b[g]. Both forms are discretised by continuous piecewise polynomials that vanish at
r_max: a subspace, so the smallest eigenvalue is an upper bound of the infimum and decreases with
r_max. Wave packets far out see lambda_1 = 1/(4 pi r^3) and reach the quotient

$$ \frac{1}{4\pi} \frac{k^2 + 1/4}{k^2 + 5/4} \ge \frac{1}{20 \pi}, $$

for every l, so 1/(20 pi) is where the continuous part begins; the constant is the smaller of it
and of the lowest eigenvalues below it.
"""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
from scipy.linalg import eigh

from relaxon.collisions.radial.gaussian import gaussian_coefficients
from relaxon.numerics.legendre import gauss_legendre, legendre_values, to_legendre

FAR = 1.0 / (20.0 * math.pi)
"""Infimum of the quotient over wave packets that move to infinity."""


@dataclasses.dataclass(frozen=True)
class Forms:
    """The two quadratic forms on piecewise polynomials.

    Attributes:
        nodes: The points that carry the values of w.
        operator: -<L_M g, g>_M, shape (n, n), symmetric.
        dissipation: D_M(g), shape (n, n).
        kernel: Values at the nodes of the kernel's functions, shape (k, n).
        against: Inner products of the kernel's functions with the basis, shape (k, n).
    """

    nodes: np.ndarray
    operator: np.ndarray
    dissipation: np.ndarray
    kernel: np.ndarray
    against: np.ndarray

    def smallest(self, count: int = 1, project: bool = True) -> np.ndarray:
        """The smallest quotients operator/dissipation on the complement of the kernel."""
        operator, dissipation = self.operator, self.dissipation
        if project and len(self.against):
            q, _ = np.linalg.qr(self.against.T, mode="complete")
            basis = q[:, len(self.against) :]
            operator, dissipation = (basis.T @ m @ basis for m in (operator, dissipation))
        return eigh(operator, dissipation, subset_by_index=[0, count - 1], eigvals_only=True)

    def kernel_defect(self) -> float:
        """Largest quotient of the forms on the kernel's own functions: zero but for rounding."""
        found = [abs(u @ self.operator @ u) / (u @ self.dissipation @ u) for u in self.kernel]
        return max(found, default=0.0)


def forms(
    degree: int, r_max: float = 40.0, panels: int = 40, order: int = 8, exchange: float = 1.0
) -> Forms:
    """The forms for the spherical harmonics of one degree l.

    Args:
        degree: l >= 0.
        r_max: Where w is cut off.
        panels: Number of panels; they grow with r beyond the thermal scale.
        order: Polynomial degree on a panel.
        exchange: Factor on the non-local part Q(g, M); 1 is the operator.

    Returns:
        The forms; spectral accuracy in `order` (tests/theorems/test_coercivity.py).
    """
    l = degree
    edges = _edges(panels, r_max)
    x, weights = gauss_legendre(order + 3)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    r = (middle[:, None] + half[:, None] * x).ravel()
    w = (half[:, None] * weights).ravel()
    value, slope, nodes = _basis(edges, order, x)

    unit = gaussian_coefficients(jnp.asarray(r), jnp.ones(()), jnp.ones(()))
    maxwell, lam1, lam2 = (np.asarray(x) for x in (unit.density, unit.lam, unit.across))
    root = np.sqrt(maxwell)
    measure = w * r**2
    angular = l * (l + 1) / r**2
    # `up` belongs to grad(g/M) sqrt(M), which lambda_1 sees; `down` to grad g/sqrt(M), as in
    # (2.19).
    up, down = slope + (r / 2)[:, None] * value, slope - (r / 2)[:, None] * value

    def product(u: np.ndarray, weight: np.ndarray, v: np.ndarray) -> np.ndarray:
        return u.T @ ((measure * weight)[:, None] * v)

    inner = _cumulative(edges, x)
    outer = w[None, :] - inner
    potential = _potential(l, r, inner, outer) * root[None, :]
    # Q(g, M): symmetric but for the error of its quadrature, and with M w^2 as its local part.
    exchanged = value.T @ ((measure * root)[:, None] * (potential @ value))
    exchanged = (exchanged + exchanged.T) / 2 + product(value, maxwell, value)
    operator = product(up, lam1, up) + product(value, lam2 * angular, value)
    operator = operator - exchange * exchanged
    bracket = 1 / np.sqrt(1 + r**2)
    dissipation = product(value, bracket + bracket**3 * angular, value)
    dissipation = dissipation + product(down, bracket**3, down)

    powers = {0: (0, 2), 1: (1,)}.get(l, ())
    root_nodes = _root_maxwellian(nodes)
    kernel = root_nodes * nodes ** np.array(powers, float)[:, None]
    against = (measure * root * r ** np.array(powers, float)[:, None]) @ value
    # w vanishes at r_max, and at 0 unless l = 0.
    keep = slice(0 if l == 0 else 1, -1)
    return Forms(
        nodes[keep],
        operator[keep, keep],
        dissipation[keep, keep],
        kernel[:, keep],
        against[:, keep],
    )


def _edges(panels: int, r_max: float) -> np.ndarray:
    """Panels uniform on the thermal scale, a constant fraction of r beyond r = 4."""
    x = np.linspace(0.0, math.asinh(r_max / 4), panels + 1)
    edges = 4 * np.sinh(x)
    edges[-1] = r_max
    return edges


def _basis(edges: np.ndarray, order: int, x: np.ndarray) -> tuple:
    """Values and slopes at the quadrature points of the nodal basis, and its nodes."""
    # Both ends of a panel are nodes, shared with the neighbours: w is continuous.
    t = -np.cos(np.pi * np.arange(order + 1) / order)
    vandermonde = np.polynomial.chebyshev.chebvander(t, order)
    to_coefficients = np.linalg.inv(vandermonde)
    local = np.polynomial.chebyshev.chebvander(x, order) @ to_coefficients
    derivative = np.polynomial.chebyshev.chebder(np.eye(order + 1))
    local_slope = np.polynomial.chebyshev.chebvander(x, order - 1) @ derivative @ to_coefficients
    panels, q = len(edges) - 1, len(x)
    value = np.zeros((panels * q, panels * order + 1))
    slope = np.zeros_like(value)
    nodes = np.zeros(panels * order + 1)
    for k in range(panels):
        half, middle = (edges[k + 1] - edges[k]) / 2, (edges[k + 1] + edges[k]) / 2
        rows, columns = slice(k * q, (k + 1) * q), slice(k * order, (k + 1) * order + 1)
        value[rows, columns] = local
        slope[rows, columns] = local_slope / half
        nodes[columns] = middle + half * t
    return value, slope, nodes


def _cumulative(edges: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Matrix of the integral from 0 to each quadrature point."""
    q, panels = len(x), len(edges) - 1
    to_coefficients = to_legendre(q)
    primitive = np.polynomial.legendre.legint(np.eye(q), lbnd=-1)
    part = legendre_values(x, q + 1) @ primitive @ to_coefficients
    whole = (legendre_values(np.array([1.0]), q + 1) @ primitive @ to_coefficients)[0]
    half = np.diff(edges) / 2
    matrix = np.kron(np.diag(half), part)
    for k in range(1, panels):
        matrix[k * q : (k + 1) * q, : k * q] = np.kron(half[:k], whole)
    return matrix


def _potential(l: int, r: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Matrix of g -> r^2 b'' - a from the multipole expansions of |v - w| and 1/|v - w|."""

    def inside(power: int) -> np.ndarray:  # r^-(power - 1) int_0^r s^power g ds
        return inner * (r[None, :] / r[:, None]) ** (power - 1) * r[None, :]

    def outside(power: int) -> np.ndarray:  # r^(1 - power) int_r^inf s^power g ds
        return outer * (r[:, None] / r[None, :]) ** (1 - power) * r[None, :]

    # Coefficients of the expansion of |v - w| in Legendre polynomials, differentiated twice.
    first, third = (l + 1) * (l + 2) / (2 * l + 3), l * (l - 1) / (2 * l - 1)
    a = (inside(l + 2) + outside(1 - l)) / (2 * l + 1)
    b = first * (inside(l + 4) + outside(1 - l)) - third * (inside(l + 2) + outside(3 - l))
    return r[:, None] ** 2 * b / (2 * (2 * l + 1)) - a


def _root_maxwellian(r: np.ndarray) -> np.ndarray:
    return (2 * math.pi) ** -0.75 * np.exp(-(r**2) / 4)
