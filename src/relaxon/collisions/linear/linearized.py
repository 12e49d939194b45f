r"""The Landau and Lenard-Balescu operators linearised about a Maxwellian, d = 2, 3.

With F = mu_beta (1 + h), the bracket of the operator vanishes at mu, so the screening K stays that
of mu, and with n.grad(mu) = -2 beta u mu the linearised operator is exactly

$$ \mu\, \partial_t h = \nabla \cdot C \int_{S^{d-1}} n\, K(z(u))\, \mu(v)\,
   \big[ \mu_1 \, n\cdot\nabla h - (\mu\, n\cdot\nabla h)_1 \big](u)\, dn, \qquad u = n \cdot v, $$

(.)_1 being plane integrals. Its quadratic form is a variance over the planes n.v = u,

$$ -\int \mu\, h\, L h\, dv = C \int_{S^{d-1}} dn \int du\, K \mu_1^2\,
   \mathrm{Var}_{n \cdot v = u}[\, n \cdot \nabla h \,] \ge 0, $$

which vanishes only for h in span{1, v, |v|^2}. In the paper's unknown g = sqrt(mu) h it is
-int g L[g], duerinckx2023 (2.67). Landau with gamma = -3 is the case K = K_0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.collisions.landau import Landau
from relaxon.collisions.linear.line_density import LineDensity, screened, unscreened
from relaxon.collisions.linear.sector import Sector, zonal
from relaxon.core.errors import InputError, require
from relaxon.core.numbers import dimension, integer, positive, shown, whole
from relaxon.core.types import Real, Whole
from relaxon.grids.radial import sphere_area
from relaxon.numerics.legendre import gauss_legendre
from relaxon.screening.potentials import Potential

_NODES, _WEIGHTS = gauss_legendre(64)


def linearized(equation: Any, temperature: Real = 0.5, d: Whole | None = None) -> Linearized:
    """The operator of an equation linearised about the Maxwellian of mass one.

    Args:
        equation: `Landau` (gamma = -3), or `LenardBalescu` (an equation with a `potential`).
        temperature: Variance per component, 1/(2 beta); the paper's mu has 1/2.
        d: Dimension, for Landau 2 or 3 (default 3); for Lenard-Balescu that of the potential.

    Raises:
        InputError: A temperature that is not positive, another gamma, or another dimension.
    """
    beta = 0.5 / positive("temperature", temperature)
    potential = getattr(equation, "potential", None)
    if isinstance(potential, Potential):
        require(
            d is None or integer(d) == potential.d,
            f"d must be that of the potential, {potential.d}, but is {shown(d)}.",
        )
        return Linearized(beta, screened(potential, beta))
    if isinstance(equation, Landau):
        d = dimension(3 if d is None else d, (2, 3))
        require(
            equation.gamma == -3 and not equation.reactive,
            "The linearised Landau operator needs gamma = -3 and reaction = 0, but gamma = "
            f"{equation.gamma:g} and reaction = {float(equation.reaction):g}.",
        )
        # L = |S^{d-2}|/(d - 1) C K_0, duerinckx2023 (1.7), solved for C K_0.
        area = 2.0 if d == 2 else 2 * math.pi
        return Linearized(beta, unscreened(d, float(equation.strength) * (d - 1) / area))
    raise InputError(
        f"There is no linearised operator of a {type(equation).__name__}; "
        "allowed: Landau and LenardBalescu."
    )


@dataclass(frozen=True)
class Linearized:
    """A linearised operator; build it with `linearized`.

    Attributes:
        beta: mu_beta = (beta/pi)^(d/2) exp(-beta |v|^2).
        line: C K mu_1 in thermal units.
    """

    beta: float
    line: LineDensity

    @property
    def d(self) -> int:
        """Dimension of velocity space."""
        return self.line.d

    @property
    def temperature(self) -> float:
        """Variance per component of the Maxwellian."""
        return 0.5 / self.beta

    def maxwellian(self, r: Any) -> np.ndarray:
        """mu_beta at |v| = r."""
        return (self.beta / math.pi) ** (self.d / 2) * np.exp(-self.beta * np.asarray(r) ** 2)

    def eigenvalues(self, r: Any) -> tuple[np.ndarray, np.ndarray]:
        r"""Eigenvalues of A(v) = \int B(v, v - v_*; \nabla\mu) \mu_* dv_* at |v| = r.

        Source: duerinckx2023 (2.3), (2.14), Lemma 2.2.

        Returns:
            (lambda_1, lambda_2): along v (behaves like <v>^-3) and across it (<v>^-1).

        Accuracy: 1e-11 relative (tests/unit/collisions/test_linearized.py).
        """
        root = math.sqrt(self.beta)
        along, across = self.line.eigenvalues(root * np.asarray(r, float))
        return root * along, root * across

    def diffusion(self, v: Any) -> np.ndarray:
        """The matrix A(v) = lambda_1 P_v + lambda_2 (1 - P_v), shape v.shape + (d,)."""
        v = np.asarray(v, float)
        require(v.shape[-1:] == (self.d,), f"v must have {self.d} components, but is {v.shape}.")
        r = np.linalg.norm(v, axis=-1)
        unit = v / np.where(r > 0, r, 1.0)[..., None]
        along, across = (value[..., None, None] for value in self.eigenvalues(r))
        return (along - across) * unit[..., :, None] * unit[..., None, :] + across * np.eye(self.d)

    def dirichlet(self, phi: Callable, psi: Callable | None = None, l: int = 0) -> float:
        r"""The quadratic form -int mu h L h dv of h = phi(|v|) Y_l, or the bilinear form.

        $$ C |S^{d-1}| \int du\, K \mu_1^2 \big( \langle T - X^2 \rangle + \mathrm{Var} X \big),
           \qquad X = \phi' c P_l(c) + \tfrac\phi r (1 - c^2) P_l'(c), \quad c = u/r, $$
        $$ T = \phi'^2 c^2 + \tfrac{l(l+d-2)}{d-1} \tfrac{\phi^2}{r^2} (1 - c^2) $$

        with averages over the plane n.v = u; Y has mean square one on the sphere (Y_0 = 1).

        Args:
            phi: Function of r written with `jax.numpy`, differentiable, such that phi(|v|) Y_l(v)
                is smooth; it may grow like exp(beta r^2/4).
            psi: Another one, for the bilinear form.
            l: Degree of the harmonic (Fourier mode in d = 2).

        Returns:
            -int mu psi L phi; zero for phi = 1, r^2 (l = 0) and r (l = 1), to rounding squared of
            the terms it consists of.

        Accuracy: 1e-11 relative (tests/unit/collisions/test_linearized.py).
        """
        l = _degree(l)
        # Thermal units s = sqrt(beta) v from here on; (u, w): along n and across it.
        u, w, line, plane = self._planes
        r = np.hypot(u[:, None], w)
        c = u[:, None] / r
        radial, angular = zonal(self.d, l, c)
        factor = l * (l + self.d - 2) / (self.d - 1)

        def parts(function: Callable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            value, slope = _with_slope(function, r / math.sqrt(self.beta))
            slope, ratio = slope / math.sqrt(self.beta), value / r
            return slope, ratio, slope * radial + ratio * angular

        one = parts(phi)
        two = one if psi is None else parts(psi)
        # T is the mean square of n.grad h over all rotations, X Y_l(n) its average over turns about
        # n: the variance on a plane is <T - X^2> within its circles plus Var X between them.
        total = one[0] * two[0] * c**2 + factor * one[1] * two[1] * (1 - c) * (1 + c)
        means = [part[2] @ plane for part in (one, two)]
        spread = [part[2] - mean[:, None] for part, mean in zip((one, two), means, strict=True)]
        density = (total - one[2] * two[2] + spread[0] * spread[1]) @ plane
        # The factor 2 is the half line u < 0.
        return self.beta**1.5 * sphere_area(self.d) * 2 * float(line @ density)

    @cached_property
    def _planes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """u, w, weights k mu_1 du on u > 0 and probabilities of w, all in thermal units."""
        u, weight = self.line.quadrature(11.0, np.array([11.0]))
        line = weight * self.line(u) * np.exp(-(u**2)) / math.sqrt(math.pi)
        keep = line > 0
        w = 5.5 * (1 + _NODES)
        plane = _WEIGHTS * w ** (self.d - 2) * np.exp(-(w**2))
        return u[keep], w, line[keep], plane / plane.sum()

    def sector(self, l: int, r_max: float | None = None, parts: int = 1, degree: int = 8) -> Sector:
        """Galerkin matrices on the functions g(|v|) Y_l, in the paper's unknown g = sqrt(mu) h.

        Args:
            l: Degree of the spherical harmonic (Fourier mode in d = 2).
            r_max: The functions vanish beyond it (default 12 thermal units). Grows cheaply:
                elements grow in proportion to r.
            parts: Elements for each half thermal unit.
            degree: Polynomial degree.

        Accuracy: forms of smooth functions converge exponentially in `degree`; assembly errors
        are 1e-9 relative (see `Sector.kernel_defect`).
        """
        l, parts, degree = _degree(l), whole("parts", parts, 1), whole("degree", degree, 2)
        r_max = 12.0 / math.sqrt(self.beta) if r_max is None else positive("r_max", r_max)
        return Sector.build(self.line, self.beta, l, r_max, parts, degree)

    def coercivity(self, l_max: int = 4, parts: int = 1, degree: int = 8) -> Coercivity:
        r"""The best constant of (2.65) over the harmonics up to l_max.

        $$ c = \inf_g \frac{-\int g L[g]}{|||(1 - \pi_0) g|||^2}, \qquad
           |||g|||^2 = \int \nabla g \cdot A \nabla g + \beta^2 v g \cdot A v g $$

        Far out the quotient tends to 1 (the difference of the two forms is relatively compact),
        so a value below 1 is an isolated eigenvalue and converges exponentially. It depends on
        beta only through beta V, by the scaling of the paper's section 2; for Landau not at all.

        Accuracy: 1e-11 (d = 3) and 1e-10 (d = 2) at the default resolution, against finer ones;
        each value is an upper bound of the true one up to assembly errors. Harmonics above l_max
        are not covered; in all cases tried the constants of the sectors grow from l = 2 on.
        """
        l_max = _degree(l_max, "l_max")
        values = [self.sector(l, None, parts, degree).coercivity()[0] for l in range(l_max + 1)]
        return Coercivity(min(values), int(np.argmin(values)), tuple(values))


@dataclass(frozen=True)
class Coercivity:
    """The coercivity constant of a linearised operator.

    Attributes:
        constant: The least of `sectors`.
        l: The degree of the harmonic that attains it.
        sectors: The constant of each degree 0, 1, ...
    """

    constant: float
    l: int
    sectors: tuple[float, ...]


def _with_slope(function: Callable, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = jnp.asarray(r.ravel())
    value, slope = jax.jvp(
        lambda x: jnp.broadcast_to(function(x), x.shape), (points,), (jnp.ones_like(points),)
    )
    return np.asarray(value, float).reshape(r.shape), np.asarray(slope, float).reshape(r.shape)


def _degree(l: Any, name: str = "l") -> int:
    return whole(name, l, 0, 40)
