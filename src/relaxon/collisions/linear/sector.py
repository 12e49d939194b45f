r"""The linearised operator on one spherical harmonic, by Galerkin on radial elements.

With F = mu + sqrt(mu) g, g = g(r) Y_l, s = sqrt(beta) v, e = g' + s g and the plane average

$$ N[g](u) = |S^{d-2}| \pi^{-(d-1)/4} \int_0^\infty e^{-w^2/2} \Big[ e\,\tfrac us P_l(\tfrac us)
   + \tfrac gs (1 - \tfrac{u^2}{s^2}) P_l'(\tfrac us) \Big] w^{d-2}\,dw, \qquad s^2 = u^2 + w^2, $$

$$ -\int g L[g]\,dv \propto \int_0^\infty \Big[ \lambda_1 e^2 + \frac{l(l+d-2)}{s^2} \lambda_2 g^2
   \Big] s^{d-1} ds - 2 \int_0^\infty k(u) N[g]^2 du, $$

where P_l is the Legendre (d = 3) or Chebyshev (d = 2) polynomial. It is duerinckx2023 (2.67) with
the integral over directions done by the addition theorem. The first integral is the local part
(grad + v) . A (grad + v), the second the operator B_o of (2.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.sparse import csr_array, diags_array

from relaxon.collisions.linear.line_density import LineDensity
from relaxon.core.errors import require
from relaxon.grids.radial import sphere_area
from relaxon.numerics.legendre import gauss_legendre
from relaxon.numerics.radial_elements import RadialElements

_REACH = 8.3


def zonal(d: int, l: int, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """c P_l(c) and (1 - c^2) P_l'(c); Chebyshev polynomials for d = 2."""
    basis = np.polynomial.legendre.Legendre if d == 3 else np.polynomial.chebyshev.Chebyshev
    polynomial = basis.basis(l)
    slope = polynomial.deriv()(c) if l else np.zeros_like(c)
    return c * polynomial(c), (1 - c) * (1 + c) * slope


@dataclass(frozen=True)
class Sector:
    """Matrices of the linearised operator on the radial functions of one spherical harmonic.

    A function g(|v|) Y(v/|v|), with Y of degree l and mean square one on the sphere, is given by
    its values at `radius`. The largest radius is excluded (there g = 0), so the space is a
    subspace of the domain of the form.

    Attributes:
        l: Degree of the harmonic.
        radius: Nodes, shape (n,).
        mass: int g h dv.
        form: -int g L[h] dv; symmetric, and the kernel is that of L.
        norm: int grad g . A grad h + beta^2 v g . A v h dv, duerinckx2023 (2.62).
        gradient: int grad g . grad h dv.
        kernel: Orthonormal basis (in `mass`) of the invariants of this degree, shape (n, 0..2).
        kernel_defect: |L w| relative to the local part of it, before it was set to zero on the
            kernel; the error of the discretisation there.
    """

    l: int
    radius: np.ndarray
    mass: np.ndarray
    form: np.ndarray
    norm: np.ndarray
    gradient: np.ndarray
    kernel: np.ndarray
    kernel_defect: float

    @classmethod
    def build(
        cls, line: LineDensity, beta: float, l: int, r_max: float, parts: int, degree: int
    ) -> Sector:
        """Assemble; half a thermal unit holds `parts` elements, which extend beyond `r_max`."""
        d, root = line.d, math.sqrt(beta)
        elements = RadialElements.dividing(line.coarse, r_max * root, parts, degree)
        stop = elements.edges[-1]
        s, weight = line.quadrature(stop, elements.edges)
        value, slope = elements.matrices(s)
        along, across = line.eigenvalues(s)
        angular = l * (l + d - 2)
        volume = weight * s ** (d - 1)

        def gram(left: csr_array, factor: np.ndarray) -> np.ndarray:
            return (left.T @ diags_array(factor) @ left).toarray()

        # |grad Y_l|^2 on the sphere has the mean l (l + d - 2); across v the form sees lambda_2.
        tangential = gram(value, volume * angular * across / s**2)
        local = gram(slope + diags_array(s) @ value, volume * along) + tangential
        norm = gram(slope, volume * along) + gram(value, volume * along * s**2) + tangential
        # (P, size): N[g] where k is not negligible; minus twice its square is the part of B_o,
        # (2.4).
        far = s > line.negligible_beyond()
        u, k = s[~far], (weight * line(s))[~far]
        average = plane_average(elements, d, l, u)
        form = local - 2 * (average.T @ (k[:, None] * average))
        mass = gram(value, volume)
        gradient = gram(slope, volume) + gram(value, volume * angular / s**2)

        # Y_l has no value at the origin unless l = 0; the last node carries g = 0.
        keep = slice(1 if l else 0, -1)
        nodes = elements.nodes[keep]
        mass, form, norm, local, gradient = (
            m[keep, keep] for m in (mass, form, norm, local, gradient)
        )
        kernel = _kernel(nodes, mass, l)
        form, defect = _deflate((form + form.T) / 2, local, mass, kernel)
        unit = sphere_area(d) * beta ** (-d / 2)
        rate = beta**1.5 * unit
        return cls(
            l,
            nodes / root,
            unit * mass,
            rate * form,
            rate * norm,
            beta * unit * gradient,
            kernel / math.sqrt(unit),
            defect,
        )

    def apply(self, g: np.ndarray) -> np.ndarray:
        """L[g] at the nodes, shape of g."""
        return -cho_solve(self._factor, self.form @ g)

    @cached_property
    def _factor(self) -> tuple:
        return cho_factor(self.mass)

    def sample(self, profile) -> np.ndarray:
        """A function of the radius at the nodes."""
        return np.asarray(profile(self.radius), float)

    def centred(self, g: np.ndarray) -> np.ndarray:
        """g minus its projection pi_0 on the invariants, duerinckx2023 (2.66)."""
        return g - self.kernel @ (self.kernel.T @ (self.mass @ g))

    def dirichlet(self, g: np.ndarray) -> float:
        """-int g L[g] dv."""
        return float(g @ self.form @ g)

    def coercivity(self) -> tuple[float, np.ndarray]:
        """The best constant of (2.65) on this space, and a g (with norm 1) that attains it."""
        complement = _complement(self.mass @ self.kernel)
        norm = complement.T @ self.norm @ complement
        form = complement.T @ self.form @ complement
        # Unit diagonals: the entries span many orders of magnitude from r = 0 to r_max.
        scale = 1 / np.sqrt(np.diag(norm))
        values, vectors = eigh(
            form * np.outer(scale, scale), norm * np.outer(scale, scale), subset_by_index=[0, 0]
        )
        return float(values[0]), complement @ (scale * vectors[:, 0])


def plane_average(elements: RadialElements, d: int, l: int, u: np.ndarray) -> np.ndarray:
    """N[g](u) for all elements' functions, shape (len(u), size)."""
    chunks = np.array_split(u, max(1, len(u) // 500))
    return np.concatenate([_plane_average(elements, d, l, part) for part in chunks])


def _plane_average(elements: RadialElements, d: int, l: int, u: np.ndarray) -> np.ndarray:
    w, weight, counts = _plane_rule(elements, u)
    u = np.repeat(u, counts)
    radius = np.hypot(u, w)
    value, slope = elements.matrices(radius)
    radial, angular = zonal(d, l, u / radius)
    area = 2.0 if d == 2 else 2 * math.pi
    # |S^{d-2}| pi^{-(d-1)/4} e^{-w^2/2} w^{d-2} dw at all points, whatever u they belong to.
    rule = area * math.pi ** (-(d - 1) / 4) * weight * np.exp(-(w**2) / 2) * w ** (d - 2)
    starts = np.append(0, np.cumsum(counts))
    shape = len(counts), len(w)

    def summed(factor: np.ndarray) -> csr_array:
        return csr_array((rule * factor, np.arange(len(w)), starts), shape=shape)

    with_value = summed(radial * radius + angular / radius) @ value
    return (summed(radial) @ slope + with_value).toarray()


def _plane_rule(elements: RadialElements, u: np.ndarray) -> tuple:
    """Gauss points w, their weights, and how many for each u, split at the elements' ends.

    Close to the origin s = sqrt(u^2 + w^2) is not smooth on the scale of an element; there the
    rule is split at s = 2u, 4u ... too.
    """
    stop = np.hypot(u, _REACH)
    ends = np.broadcast_to(elements.edges, (len(u), len(elements.edges)))
    near = np.minimum(
        u[:, None] * 2.0 ** np.arange(1, 12), np.maximum(u, elements.edges[1])[:, None]
    )
    ends = np.concatenate([ends, near, u[:, None], stop[:, None]], axis=1)
    ends = np.sort(np.clip(ends, u[:, None], stop[:, None]), axis=1)
    # w^2 = s^2 - u^2 as a product: no cancellation where a panel begins at s = u.
    w = np.sqrt((ends - u[:, None]) * (ends + u[:, None]))
    half = np.diff(w, axis=1) / 2
    used = (half > 0) & (ends[:, :-1] < elements.edges[-1])
    nodes, weights = gauss_legendre(elements.degree + 4)
    start, half = w[:, :-1][used], half[used]
    points = start[:, None] + half[:, None] * (1 + nodes)
    return points.ravel(), (half[:, None] * weights).ravel(), used.sum(axis=1) * len(nodes)


def _kernel(s: np.ndarray, mass: np.ndarray, l: int) -> np.ndarray:
    """sqrt(mu) (1, |v|^2) for l = 0, sqrt(mu) |v| for l = 1, orthonormal in `mass`."""
    powers = {0: (0, 2), 1: (1,)}.get(l, ())
    vectors = [s**p * np.exp(-(s**2) / 2) for p in powers]
    basis: list[np.ndarray] = []
    # Orthogonalised twice, as rounding needs.
    for v in vectors:
        for _ in range(2):
            for b in basis:
                v = v - b * (b @ mass @ v)
        basis.append(v / math.sqrt(v @ mass @ v))
    return np.stack(basis, axis=1) if basis else np.zeros((len(s), 0))


def _deflate(
    form: np.ndarray, local: np.ndarray, mass: np.ndarray, kernel: np.ndarray
) -> tuple[np.ndarray, float]:
    """The form of (1 - pi_0) g, and how far form @ kernel was from zero."""
    if kernel.shape[1] == 0:
        return form, 0.0
    image = form @ kernel
    defect = np.abs(image).max() / np.abs(local @ kernel).max()
    # (1 - pi_0)^T form (1 - pi_0): the invariants are then in the kernel to rounding.
    dual = mass @ kernel
    form = form - dual @ image.T - image @ dual.T + dual @ (kernel.T @ image) @ dual.T
    return form, float(defect)


def _complement(dual: np.ndarray) -> np.ndarray:
    """Basis of {g : dual^T g = 0}, shape (n, n - k)."""
    n, k = dual.shape
    require(n > k, f"The space has only {n} functions; take more elements.")
    if k == 0:
        return np.eye(n)
    return np.linalg.qr(dual, mode="complete")[0][:, k:]
