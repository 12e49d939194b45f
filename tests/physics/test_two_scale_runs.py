"""The two-scale system against the direct solver, its invariants, its order, the bootstrap."""

import functools
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.collisions.two_scale.norms import BlowdownNorms
from relaxon.distributions.functionals import weighted_norm
from relaxon.distributions.hot_spot import PEAK
from relaxon.runs.solve import advance
from relaxon.stepping.rosenbrock import Rosenbrock
from relaxon.theorems.gualdani2025.bootstrap import bootstrap

END = 0.5


@functools.cache
def both(delta, alpha, n):
    grid = rx.RadialGrid(3, n, 12.0, math.sqrt(delta))
    equation = rx.TwoScale(delta, alpha)
    f0 = equation.initial(grid)
    record = rx.Record(n=41, first=delta)
    split = rx.solve(rx.Problem(equation, grid, f0), END, record)
    norms = {"distances": BlowdownNorms(delta, alpha)}
    record = rx.Record(n=2, functionals=norms)
    direct = rx.solve(rx.Problem(rx.Landau(), grid, f0), END, record, rtol=1e-7)
    assert split.ok and direct.ok
    return grid, split, direct


def gap(grid, split, direct):
    """|F - F_direct| over |F_direct - M|."""
    excess = direct.f[-1] - np.asarray(rx.distributions.maxwellian(grid))
    difference = weighted_norm(split.f[-1] - direct.f[-1], grid)
    return float(difference / weighted_norm(excess, grid))


@pytest.mark.parametrize(
    "delta,alpha,tolerance", [(1e-2, 0.35, 4e-6), (1e-4, 0.1, 2e-5), (1e-6, 0.3, 3e-5)]
)
def test_sum_agrees_with_the_direct_solver(delta, alpha, tolerance):
    grid, split, direct = both(delta, alpha, 200)
    assert gap(grid, split, direct) < tolerance
    names = ("distance_m", "remainder")
    for name, margin in zip(names, (tolerance, 30 * tolerance)):
        found, wanted = split.diagnostics[name][-1], direct.diagnostics[name][-1]
        assert found == pytest.approx(wanted, rel=margin), name
    parts = sum(split.fields[key][-1] for key in ("g", "h", "E"))
    parts = parts + np.asarray(rx.distributions.maxwellian(grid))
    assert np.allclose(parts, split.f[-1], rtol=1e-13)


def test_reference_values():
    """Two grids of another code and Richardson extrapolation: six digits, four for f."""
    _, split, _ = both(1e-2, 0.35, 200)
    assert split.diagnostics["distance_m"][-1] == pytest.approx(1.703941, abs=2e-6)
    assert split.diagnostics["remainder"][-1] == pytest.approx(0.03703, abs=1e-5)
    assert split.diagnostics["central_value"][-1] == pytest.approx(2.527054, abs=3e-6)


def test_invariants_converge_in_order_four():
    coarse, fine = both(1e-2, 0.35, 100)[1], both(1e-2, 0.35, 200)[1]
    assert fine.drift("mass") < 1.2e-7 and fine.drift("energy") < 2e-9
    assert np.log2(coarse.drift("mass") / fine.drift("mass")) > 3.8


@pytest.mark.slow
def test_norms_converge_in_order_four():
    """The near field needs 300 cells before its errors fall in order 4 (2.9 from 100 to 400)."""
    near, far = [], []
    for n in (200, 400, 800):
        grid = rx.RadialGrid(3, n, 12.0, 0.1)
        equation = rx.TwoScale(1e-2, 0.35)
        problem = rx.Problem(equation, grid, equation.initial(grid))
        solution = rx.solve(problem, END, rx.Record(n=2), rtol=1e-8)
        near.append(solution.diagnostics["near_field_norm"][-1])
        far.append(solution.diagnostics["far_field_norm"][-1])
    assert np.log2((near[0] - near[1]) / (near[1] - near[2])) > 3.5
    assert np.log2((far[0] - far[1]) / (far[1] - far[2])) > 3.8


def test_far_field_starts_like_the_field_of_a_point():
    """g_t = m A[point] : Hess M = -m M/(4 pi r) as delta -> 0, so |g| = m t/(4 pi)."""
    delta, alpha = 1e-8, 0.45
    grid = rx.RadialGrid(3, 200, 12.0, math.sqrt(delta))
    equation = rx.TwoScale(delta, alpha)
    problem = rx.Problem(equation, grid, equation.initial(grid))
    solution = rx.solve(problem, 1e-4, rx.Record(times=[1e-5]))
    slope = solution.diagnostics["far_field_norm"][1:] / (delta**alpha * solution.t[1:])
    assert slope == pytest.approx(1 / (4 * math.pi), rel=1e-3)


def test_bootstrap_constants():
    found = [bootstrap(both(delta, 0.3, 200)[1]) for delta in (1e-4, 1e-6)]
    for constants in found:
        assert 1.7 < constants.far < 1.9
        assert constants.far_rate == pytest.approx(1 / (4 * math.pi), rel=0.01)
        assert constants.R == max(constants.far, constants.near)
    # |h| peaks like delta^(alpha - 1/2), above the delta^(alpha - 1/4) of (5.1) ...
    exponent = math.log(found[1].near / found[0].near) / math.log(1e-2)
    assert exponent == pytest.approx(-0.25, abs=0.01)
    # ... and is m T^(-1/2) times a constant throughout.
    assert found[1].near_scaled == pytest.approx(found[0].near_scaled, rel=0.05)


def test_wrong_growth_of_the_profile_is_detected():
    """E grows with 2 M(0); a source written for M(0) must show in every comparison."""
    delta, alpha, n = 1e-2, 0.35, 100
    grid, split, direct = both(delta, alpha, n)
    system = rx.TwoScale(delta, alpha).system(grid)
    spoiled = eqx.tree_at(lambda s: s.excess[2], system, replace_fn=lambda x: x + PEAK)
    stepper = Rosenbrock(spoiled, jnp.asarray(1e-6))
    state = stepper.start(rx.TwoScale(delta, alpha).initial(grid))
    state = advance(stepper, state, jnp.asarray(END), jnp.asarray(10_000))
    wrong = np.asarray(stepper.fields(state)["f"])
    error = weighted_norm(wrong - direct.f[-1], grid) / weighted_norm(split.f[-1], grid)
    assert gap(grid, split, direct) < 1e-4
    assert float(error) > 1e-2
    assert abs(float(grid.integrate(wrong)) - 1 - delta**alpha) > 1e3 * split.drift("mass")


def test_run_can_be_stored_and_resumed(tmp_path):
    grid = rx.RadialGrid(3, 100, 12.0, 0.1)
    equation = rx.TwoScale(1e-2, 0.35)
    problem = rx.Problem(equation, grid, equation.initial(grid))
    rx.solve(problem, 0.1, rx.Record(times=[0.05]), out=tmp_path / "run")
    longer = rx.resume(tmp_path / "run", t_end=0.2)
    assert longer.ok and longer.t[-1] == 0.2
    assert set(longer.fields) == {"f", "g", "h", "E", "perturbation"}
