"""The general operator with a screened potential (unit Gaussian) against independent values."""

import functools
import json
import pathlib
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.collisions.cartesian.convolution import LandauConvolution
from relaxon.collisions.cartesian.equilibrium import excess_entropy, matched_maxwellian, moments
from relaxon.collisions.cartesian.radon_operator import (
    ConstantScreening,
    RadonOperator,
    ResolutionWarning,
    resolution,
)
from relaxon.collisions.cartesian.relaxation import CartesianRelaxation
from relaxon.grids.cartesian import VelocityGrid
from relaxon.stepping.stabilized import StabilizedStepper
from relaxon.stepping.status import Status

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from screened_gaussian import GaussianScreening

CASES = json.loads((HERE.parent / "reference" / "screened_rates.json").read_text())


@functools.lru_cache
def operator(d, n, v_max, **settings):
    return RadonOperator(VelocityGrid(d, n, v_max), GaussianScreening(d), **settings)


@eqx.filter_jit
def apply(op, f):
    return op(f)


def normal(grid, covariance, mean=0.0):
    covariance = np.atleast_2d(covariance)
    if len(covariance) == 1:
        covariance = np.diag(covariance[0])
    shift = np.asarray(grid.v) - mean
    power = np.einsum("...i,ij,...j", shift, np.linalg.inv(covariance), shift)
    norm = np.sqrt((2 * np.pi) ** grid.d * np.linalg.det(covariance))
    return jnp.asarray(np.exp(-0.5 * power) / norm)


def production(op, f):
    rate = apply(op, f)
    safe = jnp.where(f > 1e-300, f, 1e-300)
    return float(-op.grid.integrate(rate * jnp.log(safe)))


@pytest.mark.parametrize("case", CASES[:2], ids=lambda c: str(c["covariance"]))
def test_rates_in_two_dimensions(case):
    errors = []
    for n in (32, 48, 64):
        op = operator(2, n, 6.0)
        rate = apply(op, normal(op.grid, case["covariance"]))
        got = float(op.grid.integrate(rate * op.grid.v[..., 0] ** 2))
        errors.append(abs(got / case["rate"] - 1))
    assert errors[2] < 1e-6
    assert errors[2] < 0.1 * errors[0]
    exact = 0.5 * case["rate"] * (1 / case["covariance"][0] - 1 / case["covariance"][1])
    assert production(op, normal(op.grid, case["covariance"])) == pytest.approx(exact, rel=1e-6)


def test_rates_in_three_dimensions():
    case = CASES[2]
    op = operator(3, 44, 5.0)
    rate = apply(op, normal(op.grid, case["covariance"]))
    got = [float(op.grid.integrate(rate * op.grid.v[..., i] ** 2)) for i in range(3)]
    assert got[0] == pytest.approx(case["rate"], rel=2e-4)
    assert got[0] == pytest.approx(-0.052008, rel=2e-4)
    assert got[1] == pytest.approx(0.026004, rel=2e-4)
    assert sum(got) == pytest.approx(0.0, abs=1e-15)


def test_landau_engines_agree():
    grid = VelocityGrid(2, 64, 6.5)
    f = normal(grid, [0.8, 0.3], 0.2)
    radon = RadonOperator(grid, ConstantScreening(2, 0.7))
    rate = LandauConvolution(grid, -3.0, 0.7)(f)
    assert float(jnp.abs(apply(radon, f) - rate).max() / jnp.abs(rate).max()) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("convolution", [True, False])
def test_landau_rates_in_three_dimensions(convolution):
    grid = VelocityGrid(3, 64, 6.5)
    strength = np.pi**2 / 2
    if convolution:
        op = LandauConvolution(grid, -3.0, strength)
    else:
        op = RadonOperator(grid, ConstantScreening(3, strength))
    rate = apply(op, normal(grid, [0.8, 0.3, 0.3]))
    got = [float(grid.integrate(rate * grid.v[..., i] ** 2)) for i in range(3)]
    assert got == pytest.approx([-2.22439904, 1.11219952, 1.11219952], abs=1e-8)


def test_diffusion_tensor_at_a_maxwellian():
    # Lemma 2.2: eigenvalues at |v| = 0, 1, 6.
    op = operator(2, 96, 8.0)
    grid = op.grid
    tensor, friction = eqx.filter_jit(lambda op, f: op.coefficients(f))(
        op, normal(grid, [0.5, 0.5])
    )
    table = {0.0: (0.087526362, 0.087526362), 1.0: (0.098027956, 0.090874743)}
    table[6.0] = (0.0069462238, 0.0706907115)
    for radius, expected in table.items():
        i = grid.n // 2 + round(radius / grid.spacing)
        got = [float(tensor[i, grid.n // 2, k, k]) for k in range(2)]
        assert got == pytest.approx(expected, rel=2e-4)
    assert float(jnp.linalg.eigvalsh(tensor).min()) > 0
    gap = friction + 2 * jnp.einsum("...ij,...j", tensor, grid.v)
    assert float(jnp.abs(gap).max()) < 1e-13


def test_sum_rule_on_lines_of_a_mixture():
    # int u K F1' du = -K0 on every line through a stable distribution's own frame. The defaults
    # (fewer points and cells) leave 8e-6 here and nothing in the rates.
    op = operator(2, 64, 6.0, refine=4, cells=20, nodes=12)
    f = 0.7 * normal(op.grid, [0.5, 0.6]) + 0.3 * normal(op.grid, [0.9, 0.7])
    maxwellian = matched_maxwellian(f, op.grid)
    lines, _ = eqx.filter_jit(lambda op, *x: op.line_functions(*x))(op, f, maxwellian)
    stack = jnp.stack([lines.hilbert, lines.slope, lines.value, lines.slope])
    correct = eqx.filter_jit(lambda op, x: op._correct(x, op._products(x, 1e-14), 1e-14))
    products, _ = correct(op, stack)
    moment = op.radon.fine_spacing * jnp.sum(op.radon.u * products[1], axis=-1)
    assert np.asarray(moment) == pytest.approx(-op.potential.landau_constant(), rel=2e-6)


def test_rotation_and_boost_commute():
    op = operator(2, 64, 6.5)
    base = np.diag([0.8, 0.4])
    angle = 0.6
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    value = production(op, normal(op.grid, base))
    assert production(op, normal(op.grid, turn @ base @ turn.T)) == pytest.approx(value, rel=1e-5)
    boost = np.array([0.31, -0.17])
    assert production(op, normal(op.grid, base, boost)) == pytest.approx(value, rel=1e-5)


def test_invariants_and_stationarity():
    op = operator(2, 48, 6.0)
    grid = op.grid
    f = 0.5 * normal(grid, [0.5, 0.5], [0.7, 0.2]) + 0.5 * normal(grid, [0.5, 0.5], [-0.7, 0.1])
    rate = apply(op, f)
    assert np.abs(moments(rate, grid)).max() < 1e-15
    maxwellian = 1.3 * normal(grid, [0.6, 0.6], [0.3, -0.2])
    assert float(jnp.abs(apply(op, maxwellian)).max()) < 1e-13


@eqx.filter_jit
def run(stepper, state, count):
    def advance(_, state):
        new = stepper.step(state, jnp.inf)
        return new

    return jax.lax.fori_loop(0, count, advance, state)


@pytest.mark.parametrize(("n", "undershoot"), [(48, 2e-6), (64, 1e-6)])
def test_entropy_never_increases_and_invariants_stay(n, undershoot):
    """The undershoot in the tail: -1.7e-6 at worst for n = 48 and -1.4e-7 for n = 64."""
    op = operator(2, n, 6.0, refine=2)
    f = normal(op.grid, [0.8, 0.3])
    stepper = StabilizedStepper(CartesianRelaxation(op, op.grid), rtol=1e-5)
    state, entropies = stepper.start(f), []
    for _ in range(3):
        state = run(stepper, state, 10)
        entropies.append(float(excess_entropy(state.y, op.grid)))
        assert float(state.y.min()) > -undershoot * float(state.y.max())
    assert int(state.code) == Status.FINE
    assert float(state.t) > 6.0
    assert np.all(np.diff(entropies) < 0)
    assert np.abs(moments(state.y, op.grid) - moments(f, op.grid)).max() < 1e-13


@pytest.mark.slow
@pytest.mark.parametrize("screened", [False, True])
def test_drift_over_a_thousand_steps(screened):
    grid = VelocityGrid(2, 48, 6.0)
    op = operator(2, 48, 6.0) if screened else LandauConvolution(grid, -3.0, 0.1)
    f = normal(grid, [0.8, 0.3], 0.1)
    stepper = StabilizedStepper(CartesianRelaxation(op, op.grid), rtol=1e-9)
    state = run(stepper, stepper.start(f), 1000)
    assert int(state.steps) > 900
    drift = (moments(state.y, grid) - moments(f, grid)) / moments(f, grid)[0]
    assert np.abs(drift).max() < 1e-12


def test_penrose_margin_of_two_beams():
    # Unit Gaussian, beta = 1: the beams turn unstable at a = 1.003716366.
    op = operator(2, 64, 6.0)

    def margin(a):
        f = 0.5 * normal(op.grid, [0.5, 0.5], [a, 0]) + 0.5 * normal(op.grid, [0.5, 0.5], [-a, 0])
        return float(eqx.filter_jit(lambda op, f: op.stability(f, 2 * np.pi))(op, f))

    assert margin(0.9) > 0
    assert margin(1.0035) > 0
    assert margin(1.004) < 0
    assert margin(1.5) < -1


def test_an_unresolved_resonance_is_named_with_its_size():
    coarse = operator(2, 16, 6.0, refine=1)
    f = normal(coarse.grid, [0.7, 0.5])
    with pytest.warns(ResolutionWarning, match="line spacings wide"):
        report = resolution(coarse, f)
    assert report.correction > 1e-2
    fine = operator(2, 64, 6.0)
    report = resolution(fine, normal(fine.grid, [0.7, 0.5]))
    assert report.correction < 1e-2


@pytest.mark.slow
def test_coulomb_pair_of_gaussians_in_two_dimensions():
    # Means (-2, 1) and (0, -1), unit variances, C = 1/16, to t = 40.
    grid = VelocityGrid(2, 64, 10.0)
    f = 0.5 * (normal(grid, [1, 1], [-2.0, 1.0]) + normal(grid, [1, 1], [0.0, -1.0]))
    stepper = StabilizedStepper(
        CartesianRelaxation(LandauConvolution(grid, -3.0, 1 / 16), grid), rtol=1e-6
    )

    def fisher(f):
        solid = f > 1e-9
        ratio = jnp.sum(grid.grad(f) ** 2, -1) / jnp.where(solid, f, 1.0)
        return float(grid.integrate(jnp.where(solid, ratio, 0.0)))

    @eqx.filter_jit
    def advance(stepper, state, t_end):
        return jax.lax.while_loop(
            lambda s: (s.t < t_end) & (s.code == Status.FINE),
            lambda s: stepper.step(s, t_end),
            state,
        )

    state = stepper.start(f)
    entropies, informations = [float(excess_entropy(f, grid))], [fisher(f)]
    for k in range(1, 9):
        state = advance(stepper, state, jnp.asarray(5.0 * k))
        entropies.append(float(excess_entropy(state.y, grid)))
        informations.append(fisher(state.y))
    assert float(state.t) == 40.0
    assert np.all(np.diff(entropies) < 0)
    assert np.all(np.diff(informations) < 0)
    drift = (moments(state.y, grid) - moments(f, grid)) / moments(f, grid)[0]
    assert np.abs(drift).max() < 1e-13
    assert float(state.y.min()) > -1e-10
