"""Checks of neumann2016, sections 1 and 2: entropy, bounds, coercivity, decay to equilibrium."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relaxon.distributions.profiles import profile
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.numerics.fits import exponential_rate
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import equilibrium_density
from relaxon.reaction.theory import h1_method as sobolev
from relaxon.reaction.theory import hypocoercivity
from relaxon.reaction.theory import modified_entropy as lyapunov
from relaxon.reaction.theory.semigroup import linear_decay
from relaxon.reaction.theory.spectrum import spectral_gap
from relaxon.runs.problem import Problem
from relaxon.runs.record import Record
from relaxon.theorems.check import Measurement, claim
from relaxon.theorems.measure import solved

LONG = 4 * math.pi
"""Length of a torus whose longest wave, k = 1/2, has a discrete eigenvalue."""


@claim(
    "reaction-entropy",
    source="neumann2016, (6)",
    statement="dH/dt = int int int (chi_1 chi_2' - f g') ln(f g'/chi_1 chi_2') dv' dv dx <= 0.",
    family="data away from local equilibrium, epsilon = 1 and 0.1, grids of 12, 20 (and 28) points",
    measured="largest relative difference of the two sides, the left one by differentiation of H "
    "along the equation",
    rule="zero within 1e-7, the change under refinement included, and both sides negative",
    twin={"factor": 2.0},
)
def entropy(quick: bool, *, factor: float = 1.0) -> Measurement:
    """The identity; `factor` is the claimed factor of the right-hand side."""
    sizes = (12, 20) if quick else (12, 20, 28)
    found, production = [], []
    for n in sizes:
        grid = PhaseGrid(TorusGrid(1, n), UniformNodes(1, 32, 7.0))
        worst = 0.0
        for epsilon in (1.0, 0.1):
            model = KineticReaction("gaussian", "gaussian", epsilon)
            data = _bent(model, grid)
            change = model.rhs(data, grid)
            # dH/dt: the derivative of the entropy in the direction of the rate.
            left = jax.jvp(lambda f, m=model, g=grid: m.entropy(f, g), (data,), (change,))[1]
            made = float(model.entropy_production(data, grid))
            production.append(min(made, -float(left)))
            worst = max(worst, abs(-float(left) - factor * made) / made)
        found.append(worst)
    error = max(abs(found[-1] - found[-2]), 1e-14)
    margin = 1e-7 - found[-1] if min(production) > 0 else -1.0
    shown = ", ".join(f"{x:.1e}" for x in found)
    detail = f"Relative differences {shown} with {sizes} points."
    return Measurement(found[-1], error, margin, detail)


def _bent(model: KineticReaction, grid: PhaseGrid, size: float = 0.5) -> dict[str, Any]:
    """Smooth data inside a box of Theorem 1.1 and away from local equilibrium."""
    chi1, chi2 = model.profiles(grid)
    x, v = 2 * jnp.pi * grid.x[..., 0][:, None], jnp.asarray(grid.v[..., 0])
    bend = jnp.exp(size * (jnp.cos(x) + 0.4 * jnp.sin(x) * jnp.tanh(v)))
    other = jnp.exp(0.6 * size * (jnp.sin(x) - 0.5 * jnp.cos(x) * jnp.tanh(v)))
    return {"f": chi1 * bend, "g": chi2 * other}


@claim(
    "reaction-box",
    source="neumann2016, Theorem 1.1",
    statement="f and g stay in the box of their initial data: low chi_1 <= f <= high chi_1, "
    "chi_2/high <= g <= chi_2/low.",
    family="data that jump in x and in v between the corners of the box, epsilon = 1, 0.1, 1e-3",
    measured="smallest clearance of f/chi_1 and g/chi_2 over the records, relative to the box",
    rule="not negative by more than a rounding of 1e-12",
    twin={"share": 0.9},
)
def box(quick: bool, *, share: float = 1.0) -> Measurement:
    """The box; `share` is the claimed part of its width."""
    n = 16 if quick else 32
    grid = PhaseGrid(TorusGrid(1, n), UniformNodes(1, 12, 5.0))
    clearances = {}
    for epsilon in (1.0, 0.1, 1e-3):
        model = KineticReaction("gaussian", "gaussian", epsilon)
        chi1, chi2 = (np.asarray(chi) for chi in model.profiles(grid))
        half = (np.arange(n)[:, None] < n // 3) ^ (np.arange(12)[None] % 5 == 0)
        ratio = np.where(half, 0.4, 2.5)
        problem = Problem(model, grid, {"f": ratio * chi1, "g": chi2 / np.flip(ratio, 0)})
        solution = solved(problem, 0.02, Record(n=21, first=1e-4), 1e-5)
        low, high = 1.0 - 0.6 * share, 1.0 + 1.5 * share
        F = solution.fields["f"][1:] / chi1
        H = chi2 / solution.fields["g"][1:]
        clearances[epsilon] = min(1 - max(F.max(), H.max()) / high, min(F.min(), H.min()) / low - 1)
    value = min(clearances.values())
    shown = ", ".join(f"{x:.2e} at epsilon = {e:g}" for e, x in clearances.items())
    return Measurement(value, 1e-13, value + 1e-12, f"Clearances {shown}.")


@claim(
    "reaction-microscopic-coercivity",
    source="neumann2016, (13) and (16)",
    statement="-<L F, F> >= min(rho_inf, 1/rho_inf) |(1 - Pi) F|^2.",
    family="rho_inf = 1/3, 1, 2; variances 1 and 0.6; 16 and 24 nodes",
    measured="smallest eigenvalue of -L on the complement of its kernel over the claim",
    rule="at least one and attained, within 1e-10",
    twin={"factor": 1.1},
)
def microscopic(quick: bool, *, factor: float = 1.0) -> Measurement:
    """The constant; `factor` multiplies the claimed one."""
    found = []
    for nodes in (16, 24):
        ratios = []
        for r in (1 / 3, 1.0, 2.0):
            space, _ = _space(r, 1.0, 0.6, nodes)
            weights = _weights(space, 1)
            operator = jax.jacfwd(lambda u, s=space: _flat(lyapunov.collision(s, _pair(u, s))))(
                jnp.zeros(2 * nodes)
            )
            root = np.sqrt(weights)
            symmetric = -root[:, None] * np.asarray(operator) / root
            values = np.linalg.eigvalsh((symmetric + symmetric.T) / 2)
            # Ascending: the first value is 0, that of the local equilibria (12).
            ratios.append(float(values[1] / (factor * min(r, 1 / r))))
        found.append(max(ratios, key=lambda x: abs(x - 1)))
    error = max(abs(found[1] - found[0]), 1e-13)
    detail = f"Largest distance from one: {found[1] - 1:.1e} (24 nodes), {found[0] - 1:.1e} (16)."
    return Measurement(found[1], error, 1e-10 - abs(found[1] - 1), detail)


@claim(
    "reaction-hypocoercivity-conditions",
    source="neumann2016, (17)-(19)",
    statement="|T Pi F|^2 >= lambda_M |Pi F|^2, Pi T Pi = 0, and "
    "|A T (1 - Pi) F| + |A L F| <= C_M |(1 - Pi) F| with lambda_M = k^2 D_0 and the explicit C_M.",
    family="rho_inf = 1/2, 1, 2; variances 1 and 0.6; modes k = 2 pi, 4 pi; 20 and 28 nodes",
    measured="largest relative distance of lambda_M, |A T (1 - Pi)|, |A L| and of C_M from the "
    "norms of the operators on the grid, and the size of Pi T Pi",
    rule="zero within 1e-6: the constants bound the operators and are attained",
    twin={"scale": 0.95},
)
def conditions(quick: bool, *, scale: float = 1.0) -> Measurement:
    """The constants; `scale` multiplies the claimed C_M."""
    found, table = [], {}
    for nodes in (20, 28):
        worst = 0.0
        for r in (0.5, 1.0, 2.0):
            for wave in (1, 2):
                measured = _operator_norms(r, 1.0, 0.6, nodes, wave)
                known = hypocoercivity.dms_constants(r, 1.0, 0.6, 2 * math.pi * wave)
                claimed = (
                    known.macroscopic,
                    known.bound_transport * scale,
                    known.bound_collision * scale,
                    0.0,
                )
                away = [abs(a - b) / max(b, 1.0) for a, b in zip(measured, claimed)]
                worst = max(worst, *away)
                table[f"rho_inf = {r:g}, k = {wave} * 2 pi"] = measured
        found.append(worst)
    error = max(abs(found[1] - found[0]), 1e-12)
    detail = f"Largest distance {found[1]:.1e} with 28 nodes, {found[0]:.1e} with 20."
    return Measurement(found[1], error, 1e-6 - found[1], detail, data=table)


def _operator_norms(r: float, T1: float, T2: float, nodes: int, wave: int) -> tuple:
    """Lambda_M, |A T (1 - Pi)|, |A L| and |Pi T Pi| of one mode, from the operators themselves."""
    space, points = _space(r, T1, T2, nodes, 8)
    x = 2 * math.pi * wave * np.arange(points) / points
    # The mode at local equilibrium, e of the norms below; size is |e|^2.
    u = np.cos(x)[:, None]
    local = (u * r * r * np.asarray(space.chi1), -u * np.asarray(space.chi2))
    size = float(lyapunov.inner_product(space, local, local))
    moved = lyapunov.transport(space, local)
    macroscopic = float(lyapunov.inner_product(space, moved, moved)) / size
    back = lyapunov.macroscopic_part(space, moved)
    parabolic = float(lyapunov.inner_product(space, back, back)) / size
    weights = _weights(space, points)

    def norm(operator: Callable) -> float:
        """Norm of F -> <A operator F, e>/|e|, which is that of A operator on the mode."""

        def functional(flat: Any) -> Any:
            F = _pair(flat, space, points)
            part = lyapunov.macroscopic_part(space, F)
            rest = (F[0] - part[0], F[1] - part[1])
            return lyapunov.auxiliary_product(space, operator(space, rest), local)

        slope = np.asarray(jax.grad(functional)(jnp.zeros(len(weights))))
        return float(np.sqrt(np.sum(slope**2 / weights) / size))

    return macroscopic, norm(lyapunov.transport), norm(lyapunov.collision), parabolic


def _space(
    r: float, T1: float, T2: float, nodes: int, points: int = 1
) -> tuple[lyapunov.ReactionSpace, int]:
    """The weighted space of two Gaussians on equidistant nodes."""
    velocity = UniformNodes(1, nodes, 7.0 * math.sqrt(max(T1, T2)))
    grid = PhaseGrid(TorusGrid(1, max(points, 2)), velocity)
    model = KineticReaction(profile("gaussian", variance=T1), profile("gaussian", variance=T2))
    chi1, chi2 = model.profiles(grid)
    return lyapunov.ReactionSpace(r, velocity.v, velocity.weights, chi1, chi2), points


def _weights(space: lyapunov.ReactionSpace, points: int) -> np.ndarray:
    """Weights of (10) for flat pairs on `points` positions of a torus of volume one."""

    def square(flat: Any) -> Any:
        F = _pair(flat, space, points)
        return lyapunov.inner_product(space, F, F)

    # The form is diagonal: its gradient at ones is twice the weights.
    return np.asarray(jax.grad(square)(jnp.ones(2 * points * len(space.weights)))) / 2


def _pair(flat: Any, space: lyapunov.ReactionSpace, points: int = 1) -> tuple:
    f, g = jnp.split(flat, 2)
    shape = (points, space.weights.shape[0])
    return f.reshape(shape), g.reshape(shape)


def _flat(pair: tuple) -> Any:
    return jnp.concatenate([pair[0].ravel(), pair[1].ravel()])


@claim(
    "reaction-linear-decay",
    source="neumann2016, Theorem 2.2",
    statement="|F(t)|_w <= C e^{-lambda t} |F(0)|_w along (7), with the explicit lambda and C of "
    "Theorem 2.1 at its best weight.",
    family="rho_inf = 1, 2; k = 1/2, 2 pi; T = 1; two data each, without a velocity grid",
    measured="sup over t of |F(t)| e^{lambda t} / (C |F(0)|); beside it the rates",
    rule="at most one, the change with the range of velocities included",
    twin={"excess": 1.2},
)
def linear(quick: bool, *, excess: float | None = None) -> Measurement:
    """The decay; with `excess` the claimed rate is that multiple of the true one."""
    values, errors, lines, data = [], [], [], {}
    for r in (1.0, 2.0):
        for k in (0.5, 2 * math.pi):
            proven, gap = hypocoercivity.dms_rate(r, 1.0, 1.0, k), spectral_gap(r, 1.0, 1.0, k)
            rate = proven.rate if excess is None else excess * gap.rate
            t = np.linspace(0, (8 if quick else 12) / gap.rate, 61)
            for name, (f0, g0) in _modes(r).items():
                fine = linear_decay(r, 1.0, 1.0, k, f0, g0, t)
                rough = linear_decay(r, 1.0, 1.0, k, f0, g0, t, reach=7.5)
                bound = np.exp(rate * t) / proven.prefactor
                values.append(float(np.max(fine.norm / fine.norm[0] * bound)))
                errors.append(float(np.max(np.abs(fine.norm - rough.norm) / fine.norm[0] * bound)))
                data[f"rho_inf={r:g} k={k:.3g} {name}"] = np.stack([t, fine.norm])
            slope = exponential_rate(t, fine.norm, 0.7 * t[-1])
            lines.append(
                f"rho_inf = {r:g}, k = {k:.3g}: measured {slope:.4f}, true {gap.rate:.4f}, "
                f"DMS {proven.rate:.4f}, H1 {sobolev.h1_rate(r, 1.0, 1.0, k).rate:.4f}"
            )
    worst = int(np.argmax(values))
    detail = "; ".join(lines) + "."
    return Measurement(values[worst], max(*errors, 1e-12), 1 - values[worst], detail, None, data)


def _modes(r: float) -> dict[str, tuple[Callable, Callable]]:
    """Data of one mode: at local equilibrium, and a flux."""

    def chi(v: Any) -> Any:
        return np.exp(-v * v / 2) / math.sqrt(2 * math.pi)

    return {
        "local": (lambda v: r * r * chi(v), lambda v: -chi(v)),
        "flux": (lambda v: v * chi(v), lambda v: -0.5 * v * chi(v)),
    }


@claim(
    "reaction-nonlinear-decay",
    source="neumann2016, Theorem 2.3",
    statement="Near equilibrium the norm (10) of the nonlinear solution's distance to equilibrium "
    "is at most C e^{-lambda t} times its first value.",
    family="torus of length 4 pi; relative amplitudes 0.05, 0.2, 0.5 about rho_inf near 1 and 1.5",
    measured="sup over t of |F(t)| e^{lambda t} / (C |F(0)|) with lambda, C of the linear theory",
    rule="at most one, the difference to a run with twice the step included",
    twin={"excess": 1.2},
)
def nonlinear(quick: bool, *, excess: float | None = None) -> Measurement:
    """The decay; with `excess` the claimed rate is that multiple of the true one."""
    values, errors, lines = [], [], []
    cases = [(1.0, 0.05), (1.5, 0.2)] if quick else [(1.0, 0.05), (1.0, 0.5), (1.5, 0.2)]
    grid = PhaseGrid(TorusGrid(1, 16, LONG), UniformNodes(1, 64, 7.0))
    for mean, size in cases:
        runs = [_decaying(grid, mean, size, rtol) for rtol in (4e-6, 1e-6)]
        rho = equilibrium_density(runs[1].diagnostics["mass_difference"][0], grid.torus.volume)
        proven, gap = hypocoercivity.dms_rate(rho, 1.0, 1.0, 0.5), spectral_gap(rho, 1.0, 1.0, 0.5)
        rate = proven.rate if excess is None else excess * gap.rate
        t = runs[1].t
        bound = np.exp(rate * t) / proven.prefactor
        curves = [run.diagnostics["distance"] / run.diagnostics["distance"][0] for run in runs]
        values.append(float(np.max(curves[1] * bound)))
        errors.append(float(np.max(np.abs(curves[1] - curves[0]) * bound)))
        slope = exponential_rate(t, curves[1], 0.7 * t[-1])
        lines.append(
            f"amplitude {size:g}, rho_inf = {rho:.3f}: measured {slope:.4f}, true {gap.rate:.4f}, "
            f"DMS {proven.rate:.4f}"
        )
    worst = int(np.argmax(values))
    return Measurement(values[worst], max(errors), 1 - values[worst], "; ".join(lines) + ".")


@functools.lru_cache(maxsize=8)
def _decaying(grid: PhaseGrid, mean: float, size: float, rtol: float) -> Any:
    """A run from a wave at local equilibrium on the long torus."""
    model = KineticReaction()
    rho = mean * (1 + size * jnp.cos(2 * math.pi / LONG * grid.x[..., 0]))
    problem = Problem(model, grid, model.local_equilibrium(rho, grid))
    return solved(problem, 16.0, Record(times=np.linspace(0.8, 16, 20)), rtol)


@claim(
    "reaction-linear-decay-h1",
    source="neumann2016, Theorem 2.4",
    statement="dH^1[F]/dt <= -2 lambda H^1[F] along (7), with the explicit lambda of section 2.2 "
    "at its best weights; hence F decays exponentially in H^1.",
    family="rho_inf = 1, 2; torus of length 1; T = 1; states along a solution from t = 0 to 3",
    measured="smallest dissipation over the functional, over 2 lambda",
    rule="at least one, the change with the number of nodes included",
    twin={"excess": 2.5},
)
def linear_h1(quick: bool, *, excess: float = 1.0) -> Measurement:
    """The functional decreases; `excess` multiplies the claimed rate."""
    return _sobolev(False, excess)


@claim(
    "reaction-nonlinear-decay-h1",
    source="neumann2016, Theorem 2.5",
    statement="Near equilibrium dH^1[F]/dt <= -2 lambda H^1[F] along the nonlinear equations too.",
    family="rho_inf near 1 and 2; torus of length 1; T = 1; relative amplitude 0.05; t = 0 to 3",
    measured="smallest dissipation over the functional, over 2 lambda of the linear theory",
    rule="at least one, the change with the number of nodes included",
    twin={"excess": 2.5},
)
def nonlinear_h1(quick: bool, *, excess: float = 1.0) -> Measurement:
    """The functional decreases; `excess` multiplies the claimed rate."""
    return _sobolev(True, excess)


def _sobolev(bent: bool, excess: float) -> Measurement:
    """Dissipation over the H^1 functional along a solution, over the claimed 2 lambda."""
    found, lines = [], []
    for nodes in (64, 80):
        ratios = []
        for mean in (1.0, 2.0):
            rate, measured, decay, true = _h1_quotient(bent, mean, nodes)
            ratios.append(measured / (excess * rate))
            lines.append(
                f"rho_inf near {mean:g}: solution {decay:.4f} (true {true:.4f}), functional at "
                f"least {measured:.4f}, proven {rate:.4f}"
            )
        found.append(min(ratios))
    error = max(abs(found[1] - found[0]), 1e-12)
    detail = "Rates of the norm: " + "; ".join(lines[2:]) + "."
    return Measurement(found[1], error, found[1] - 1, detail)


@functools.lru_cache(maxsize=8)
def _h1_quotient(bent: bool, mean: float, nodes: int) -> tuple[float, float, float, float]:
    """Rates of the norm: proven, the smallest D/(2 H^1), of H^1 at late times, the true one."""
    velocity = UniformNodes(1, nodes, 11.0)
    grid = PhaseGrid(TorusGrid(1, 8), velocity)
    model = KineticReaction()
    chi1, chi2 = model.profiles(grid)
    wave = 0.05 * jnp.cos(2 * math.pi * grid.x[..., 0])[:, None]
    record = Record(times=np.linspace(0.2, 3.0, 15))
    if bent:
        data = model.local_equilibrium(mean * (1 + wave[:, 0]), grid)
        solution = solved(Problem(model, grid, data), 3.0, record, 4e-5)
        r = equilibrium_density(solution.diagnostics["mass_difference"][0], grid.torus.volume)
        rest: tuple[Any, Any] = (r * np.asarray(chi1), np.asarray(chi2) / r)
        flow: Callable = lyapunov.nonlinear_flow
    else:
        r, rest, flow = mean, (0.0, 0.0), lyapunov.linear_flow
        data = {"f": wave * r * r * chi1, "g": -wave * chi2}
        solution = solved(Problem(model.linearized(r), grid, data), 3.0, record, 1e-6)
    best = sobolev.h1_rate(r, 1.0, 1.0)
    space = lyapunov.ReactionSpace(r, velocity.v, velocity.weights, chi1, chi2)
    # The box of velocities has the width 22 = 2 * 11.
    waves = 2j * math.pi * np.fft.fftfreq(nodes, 22.0 / nodes)
    waves[nodes // 2] = 0.0

    def slope(h: Any) -> Any:
        """Derivative in v: the rescaled unknowns are below 1e-13 at the ends."""
        return jnp.fft.ifft(waves * jnp.fft.fft(h, axis=-1), axis=-1).real[..., None]

    quotients, sizes = [], []
    for f, g in zip(solution.fields["f"], solution.fields["g"]):
        F = (jnp.asarray(f - rest[0]), jnp.asarray(g - rest[1]))
        whole = lyapunov.h1_functional(space, F, best.weights, slope)
        lost = lyapunov.h1_dissipation(space, F, flow(space, F), best.weights, slope)
        quotients.append(float(lost / whole) / 2)
        sizes.append(float(whole))
    decay = exponential_rate(solution.t, sizes, 2.0) / 2
    true = spectral_gap(r, 1.0, 1.0, 2 * math.pi).rate
    return best.rate, min(quotients), decay, true
