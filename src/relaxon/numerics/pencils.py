r"""The best decay rate that a family of quadratic Lyapunov functionals proves.

A functional H(w) and its dissipation D(w), both quadratic forms that are affine in the weights w,
prove the rate l if D(w) - l H(w) >= 0. The largest such l is a quasi-concave function of w, and a
vector that violates the inequality cuts off a half space of weights. The ellipsoid method turns
these cuts into the optimum with a certificate: no local optimum, no derivative, no start to guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import numpy as np

from relaxon.core.errors import InputError


class Witness(NamedTuple):
    """The vector that limits a functional, as its two forms affine in the weights.

    Attributes:
        rate: Largest l with D(w) >= l H(w), or None if H(w) is not positive.
        dissipation: u.D_i u for i = 0 ... n, with u the vector that attains it.
        functional: u.H_i u; with rate None, u has u.H(w) u <= 0.
    """

    rate: float | None
    dissipation: np.ndarray
    functional: np.ndarray


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


def matrix_witness(dissipation: np.ndarray, functional: np.ndarray) -> Callable:
    """The oracle of a family of small matrices.

    Args:
        dissipation: Symmetric matrices, shape (blocks, 1 + n, m, m): D(w) = D_0 + sum w_i D_i.
        functional: The same for H.

    Returns:
        Map from the n weights to the `Witness` of the worst block.
    """

    def witness(weights) -> Witness:
        full = np.concatenate([[1.0], np.atleast_1d(weights)])
        forms = np.einsum("n,bnij->bij", full, functional)
        losses = np.einsum("n,bnij->bij", full, dissipation)
        # Both forms positive: the way that keeps small rates accurate. Otherwise by way of H.
        sharp = _reciprocal(losses, forms)
        if sharp is not None:
            rates, vectors = sharp
            worst = int(np.argmin(rates))
            u = vectors[worst]
            return Witness(
                float(rates[worst]),
                np.einsum("i,nij,j->n", u, dissipation[worst], u),
                np.einsum("i,nij,j->n", u, functional[worst], u),
            )
        lows, vectors = np.linalg.eigh(forms)
        worst = int(np.argmin(lows[:, 0]))
        rate = None
        u = vectors[worst][:, 0]
        if lows[worst, 0] > 0:
            # root^T H root = 1, so eigenvalues of root^T D root are rates.
            root = vectors / np.sqrt(lows)[:, None, :]
            values, vectors = np.linalg.eigh(np.swapaxes(root, 1, 2) @ losses @ root)
            worst = int(np.argmin(values[:, 0]))
            rate, u = float(values[worst, 0]), root[worst] @ vectors[worst][:, 0]
        return Witness(
            rate,
            np.einsum("i,nij,j->n", u, dissipation[worst], u),
            np.einsum("i,nij,j->n", u, functional[worst], u),
        )

    return witness


def _reciprocal(losses: np.ndarray, forms: np.ndarray) -> tuple | None:
    """Smallest eigenvalues and vectors of D relative to H if both are positive, else None.

    As reciprocals of the largest of H relative to D, after D is scaled to a unit diagonal: rates
    far below the other entries, as long waves have, keep their relative accuracy.
    """
    found = []
    for form in (forms, losses):
        diagonals = np.einsum("bii->bi", form)
        if np.any(diagonals <= 0):
            return None
        scale = 1 / np.sqrt(diagonals)
        try:
            found.append((scale, np.linalg.cholesky(form * scale[:, :, None] * scale[:, None, :])))
        except np.linalg.LinAlgError:
            return None
    scale, factor = found[1]
    # With D = L L^t, scaled: L^-1 H L^-t, whose largest eigenvalue is one over the rate.
    half = np.linalg.solve(factor, forms * scale[:, :, None] * scale[:, None, :])
    whole = np.linalg.solve(factor, np.swapaxes(half, 1, 2))
    values, vectors = np.linalg.eigh((whole + np.swapaxes(whole, 1, 2)) / 2)
    top = np.linalg.solve(np.swapaxes(factor, 1, 2), vectors[:, :, -1:])[:, :, 0]
    return 1 / values[:, -1], scale * top


def best_pencil(
    witness: Callable,
    centre,
    radius,
    tolerance: float = 1e-13,
    most_cuts: int = 6000,
    relative: bool = False,
) -> BestPencil:
    """Maximise the proven rate over the weights by deep-cut ellipsoids.

    Args:
        witness: Map from weights to the `Witness` of what limits them.
        centre: Centre of the axis-parallel ellipsoid that is searched, shape (n,).
        radius: Its half axes, shape (n,).
        tolerance: Gap to the optimum at which to stop.
        relative: Whether the tolerance is meant relative to a rate below one.
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
        found = witness(centre)
        full = np.concatenate([[1.0], centre])
        if found.rate is None:
            parts, size = found.functional, np.inf
        else:
            if found.rate > best:
                best, best_weights = found.rate, centre.copy()
            # Better weights w have u.(D(w) - best H(w)) u >= 0; at the centre it is <= 0.
            parts = found.dissipation - best * found.functional
            size = float(found.functional @ full)
        value, gradient = min(float(parts @ full), 0.0), parts[1:]
        # The most that the cut's linear function can grow from the centre within the ellipsoid.
        reach = float(np.sqrt(max(gradient @ shape @ gradient, 0.0)))
        if found.rate is not None:
            gap = max(0.0, value + reach) / size
        scale = min(1.0, max(best, 0.0)) if relative else 1.0
        if reach <= -value or (found.rate is not None and gap <= tolerance * scale):
            break
        centre, shape = _shrunk(centre, shape, gradient / reach, -value / reach)
    if best_weights is None:
        raise InputError("No weights make the functional positive.")
    return BestPencil(float(best), best_weights, float(gap), cuts)


def _shrunk(centre, shape, direction, depth):
    """The smallest ellipsoid around the half ellipsoid direction.(w - centre) >= depth."""
    # A deep cut: depth in [0, 1) is its distance from the centre in units of the half axis.
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
