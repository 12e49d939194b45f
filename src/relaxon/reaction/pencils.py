r"""The best decay rate that a family of quadratic Lyapunov functionals proves.

A functional H(w) and its dissipation D(w), both quadratic forms that are affine in the weights w,
prove the rate l if D(w) - l H(w) >= 0. The largest such l is a quasi-concave function of w, and a
vector that violates the inequality cuts off a half space of weights. The ellipsoid method turns
these cuts into the optimum with a certificate: no local optimum, no derivative, no start to guess.
"""

from __future__ import annotations

import equinox as eqx
import numpy as np
from scipy.linalg import eigh

from relaxon.errors import InputError


class BestPencil(eqx.Module):
    """The optimum over the weights.

    Attributes:
        rate: Largest l with D(w) >= l H(w).
        weights: The weights w that prove it.
        gap: No weights in the searched ball prove more than `rate + gap`.
        cuts: Number of half spaces used.
    """

    rate: float
    weights: np.ndarray
    gap: float
    cuts: int


def pencil_rate(dissipation: np.ndarray, functional: np.ndarray, weights) -> float:
    """Largest l with D(w) >= l H(w) for every block, or -inf if H(w) is not positive.

    Args:
        dissipation: Symmetric matrices, shape (blocks, 1 + n, m, m): D(w) = D_0 + sum w_i D_i.
        functional: The same for H.
        weights: The n weights.
    """
    full = np.concatenate([[1.0], np.atleast_1d(weights)])
    rates = []
    for d, h in zip(
        np.tensordot(dissipation, full, (1, 0)), np.tensordot(functional, full, (1, 0))
    ):
        if np.linalg.eigvalsh(h)[0] <= 0:
            return -np.inf
        rates.append(eigh(d, h, eigvals_only=True, subset_by_index=[0, 0])[0])
    return float(min(rates))


def best_pencil(
    dissipation: np.ndarray,
    functional: np.ndarray,
    centre,
    radius,
    tolerance: float = 1e-13,
    most_cuts: int = 6000,
) -> BestPencil:
    """Maximise the proven rate over the weights by deep-cut ellipsoids.

    Args:
        dissipation: Symmetric matrices, shape (blocks, 1 + n, m, m), affine in n weights.
        functional: The same for the functional.
        centre: Centre of the axis-parallel ellipsoid that is searched, shape (n,).
        radius: Its half axes, shape (n,).
        tolerance: Gap to the optimum at which to stop, relative to the size of the forms.
        most_cuts: Limit on the number of cuts.

    Returns:
        `BestPencil`.

    Raises:
        InputError: No weights in the ball give a positive functional.

    Accuracy: `gap` is proven, up to rounding. Cost: about 2 n (n + 1) ln(radius/tolerance) cuts.
    """
    centre = np.asarray(centre, dtype=float).copy()
    shape = np.diag(np.asarray(radius, dtype=float) ** 2)
    best, best_weights, gap, cuts = -np.inf, None, np.inf, 0
    while cuts < most_cuts:
        cuts += 1
        value, gradient, rate, size = _cut(dissipation, functional, centre, best)
        if rate is not None and rate > best:
            best, best_weights = rate, centre.copy()
        reach = float(np.sqrt(max(gradient @ shape @ gradient, 0.0)))
        if best_weights is not None and rate is not None:
            gap = max(0.0, value + reach) / size
        if best_weights is not None and (value + reach <= tolerance * size or reach == 0):
            break
        depth = min(max(-value / reach, 0.0), 1 - 1e-9)
        centre, shape = _shrunk(centre, shape, gradient / reach, depth)
    if best_weights is None:
        raise InputError("No weights make the functional positive.")
    return BestPencil(float(best), best_weights, float(gap), cuts)


def _cut(dissipation, functional, weights, best):
    """A half space value + gradient.(w - weights) >= 0 that holds every better w."""
    full = np.concatenate([[1.0], weights])
    forms = np.tensordot(functional, full, (1, 0))
    lows, vectors = np.linalg.eigh(forms)
    worst = int(np.argmin(lows[:, 0]))
    if lows[worst, 0] <= 0:
        u = vectors[worst][:, 0]
        parts = np.einsum("i,nij,j->n", u, functional[worst], u)
        return float(parts @ full), parts[1:], None, 1.0
    losses = np.tensordot(dissipation, full, (1, 0))
    rates = [
        eigh(d, h, eigvals_only=True, subset_by_index=[0, 0])[0] for d, h in zip(losses, forms)
    ]
    level = max(best, float(min(rates)))
    lows, vectors = np.linalg.eigh(losses - level * forms)
    worst = int(np.argmin(lows[:, 0]))
    u = vectors[worst][:, 0]
    parts = np.einsum("i,nij,j->n", u, dissipation[worst] - level * functional[worst], u)
    size = float(u @ forms[worst] @ u)
    return float(min(parts @ full, 0.0)), parts[1:], float(min(rates)), size


def _shrunk(centre, shape, direction, depth):
    """The smallest ellipsoid around the half ellipsoid direction.(w - centre) >= depth."""
    n = centre.size
    image = shape @ direction
    if n == 1:
        half = np.sqrt(shape[0, 0])
        return centre + np.sign(image) * half * (1 + depth) / 2, shape * ((1 - depth) / 2) ** 2
    step = (1 + n * depth) / (n + 1)
    scale = n * n * (1 - depth**2) / (n * n - 1)
    squeeze = 2 * step / (1 + depth)
    shape = scale * (shape - squeeze * np.outer(image, image))
    return centre + step * image, (shape + shape.T) / 2
