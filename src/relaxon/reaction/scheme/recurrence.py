r"""What transport winds up beyond the resolution of the velocity nodes, and when it comes back.

On nodes the average of $e^{-i x v}$ over a profile is $K_n(x) = \sum_j W_j e^{-i x v_j}$ instead of
$K(x) = \int \chi e^{-i x v} dv$. With equidistant nodes of spacing h its size has the period
$2 \pi / h$: a wave of wave number k that free transport has mixed stands there again after the time
$2 \pi \varepsilon / (k h)$, damped by the losses only. Other nodes spread the return out, but no
n nodes avoid it.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from relaxon.distributions.profiles import Profile
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.velocity_nodes import VelocityNodes

DOUBTFUL = 1e-3
"""Error of the densities, relative to half of what the data range over, that is warned of."""

AGAIN = 2.5
"""Error of a run over that of free transport, which leaves out what the error makes by reaction.

With it the estimate is 0.57 to 2.1 times the error of 40 runs in d = 1 with errors above 1e-5,
and 4 to 6 times that of the case `reaction-2d` (docs/explanation/reaction.md)."""

MOST = 1024
"""Where the search for a number of nodes ends."""

LINES = 8
"""Lines of positions along an axis on which nodes are judged."""

EARLIER = (0.0, 0.1, 0.2, 0.3)
"""Parts of the time of a recurrence before it at which it is looked for, too: the losses shift it
there."""

NEGLIGIBLE = 14.0
"""Losses over a time after which exp(-14) of what was there is left: no recurrence matters."""


class Recurrence(eqx.Module):
    """The error that recurrence makes in the densities, by a time.

    Attributes:
        t: Times, increasing, shape (m,).
        error: Estimated largest error of rho_f and rho_g until then, relative to half of what
            the data range over, shape (m,).
        nodes: Number of nodes along each axis.
        enough: A number of nodes with the same ends or scale that keeps the error below `DOUBTFUL`.
    """

    t: np.ndarray
    error: np.ndarray
    nodes: np.ndarray
    enough: np.ndarray

    def complaints(self, t_end: float) -> list[str]:
        """A sentence if the error until `t_end` exceeds `DOUBTFUL`."""
        error = float(np.interp(t_end, self.t, self.error))
        if error <= DOUBTFUL:
            return []
        first = float(self.t[np.argmax(self.error > DOUBTFUL)])
        return [
            f"{int(self.nodes)} velocity nodes are too few from t = {first:.2g} on: waves that "
            f"have mixed come back, with an error of the densities of {min(error, 1.0):.1g} of "
            f"their deviation; nodes = {int(self.enough)} suffice."
        ]


def recurrence(
    profiles: tuple[Profile, Profile],
    grid: PhaseGrid,
    epsilon: float,
    densities: tuple[Any, Any],
    losses: tuple[Any, Any],
) -> Recurrence:
    r"""Judge the velocity nodes of a grid by free transport with the losses of the data.

    $$ f(t, x, v) = \chi(v) \rho(x - v t/\varepsilon)
       \exp\Big(-\int_0^{t/\varepsilon^2} loss(x - \varepsilon v s) ds\Big) $$

    The error is `AGAIN` times the largest difference of its densities on n and on 3 n nodes, over
    both species and along each axis. Waves of the losses fade as by diffusion.

    Args:
        profiles: chi_1 and chi_2.
        grid: Positions and velocities.
        epsilon: Scaling of the equation.
        densities: rho_f and rho_g of the data, or their perturbations.
        losses: Loss rates of f and g times epsilon^2, over the positions.
    """
    size = max(float(np.ptp(np.asarray(rho))) / 2 for rho in densities)
    n, k = grid.velocity.n, 2.0 * np.pi / grid.torus.length
    least = min(float(np.mean(loss)) for loss in losses)

    def judged(velocity: VelocityNodes) -> tuple[np.ndarray, np.ndarray]:
        """Times over epsilon^2, and the largest error until then."""
        first = 2.0 * np.pi / (epsilon * k * np.min(np.diff(velocity.line()[0])))
        orders = np.arange(1, grid.torus.n // 2 + 1)
        times = np.unique(np.outer(1.0 / orders, 1.0 - np.array(EARLIER)) * first)
        times = times[times < NEGLIGIBLE / least]
        worst = np.zeros(len(times))
        for chi, rho, loss in zip(profiles, densities, losses):
            for axis in range(min(grid.torus.d, velocity.d)):
                lines = _lines(np.asarray(rho), axis), _lines(np.asarray(loss), axis)
                there = [
                    _transported(*lines, times, epsilon * k, *_marginal(chi, grid, rule, axis))
                    for rule in (velocity, velocity.finer(3 * velocity.n))
                ]
                apart = np.max(np.abs(there[0] - there[1]), axis=(1, 2), initial=0.0)
                worst = np.maximum(worst, apart)
        return times, AGAIN * np.maximum.accumulate(worst) / size

    if size <= 1e-13 * max(float(np.max(np.abs(rho))) for rho in densities):
        return Recurrence(np.zeros(1), np.zeros(1), np.asarray(n), np.asarray(n))
    times, error = judged(grid.velocity)
    enough, last = n, float(np.max(error, initial=0.0))
    while last > DOUBTFUL and enough < MOST:
        enough = 2 * int(np.ceil(0.625 * enough))
        last = float(np.max(judged(grid.velocity.finer(enough))[1], initial=0.0))
    t = np.concatenate([[0.0], times * epsilon**2])
    error = np.concatenate([[0.0], error])
    return Recurrence(t, error, np.asarray(n), np.asarray(enough))


def _lines(field: np.ndarray, axis: int) -> np.ndarray:
    """At most `LINES` lines of a field along an axis, shape `(lines, n)`."""
    flat = np.moveaxis(field, axis, -1).reshape(-1, field.shape[axis])
    return flat[:: max(1, len(flat) // LINES)]


def _marginal(
    chi: Profile, grid: PhaseGrid, rule: VelocityNodes, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of `rule` along an axis with their masses, summed over the grid's nodes across it."""
    d = grid.velocity.d
    lines = [rule.line() if i == axis else grid.velocity.line() for i in range(d)]
    v = np.stack(np.meshgrid(*[nodes for nodes, _ in lines], indexing="ij"), axis=-1)
    masses = np.asarray(chi(v), dtype=float)
    for i, (_, weights) in enumerate(lines):
        masses = masses * np.expand_dims(weights, [j for j in range(d) if j != i])
    masses = masses.sum(axis=tuple(i for i in range(d) if i != axis))
    return lines[axis][0], masses / masses.sum()


def _transported(
    rho: np.ndarray,
    loss: np.ndarray,
    times: np.ndarray,
    k: float,
    nodes: np.ndarray,
    masses: np.ndarray,
) -> np.ndarray:
    """Densities of free transport, shape `(times, lines, n)`; k is that of the longest wave."""
    n = rho.shape[-1]
    order = np.arange(n // 2 + 1)
    turn = k * np.multiply.outer(times, nodes)[..., None] * order  # times, nodes, orders
    back = np.exp(-1j * turn)
    # The mean of exp(-i turn s) over s in (0, 1), 1 where nothing turns.
    mean = np.where(turn == 0, 1.0, (1.0 - back) / np.where(turn == 0, 1.0, 1j * turn))
    # Waves of the losses fade by diffusion, or as fast as the reaction: their mean until then.
    faded = times * min(k**2 * float(masses @ nodes**2), float(loss.mean()))
    mean[..., 1:] *= (-np.expm1(-faded) / faded)[:, None, None]
    found = []
    for one, lost in zip(rho, loss):
        moved = np.fft.irfft(np.fft.rfft(one) * back, n)
        spent = times[:, None, None] * np.fft.irfft(np.fft.rfft(lost) * mean, n)
        found.append(np.einsum("tvx,v->tx", moved * np.exp(-spent), masses))
    return np.stack(found, axis=1)
