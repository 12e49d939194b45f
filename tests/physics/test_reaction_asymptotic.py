"""The asymptotic stepper: uniform accuracy, conservation, box, entropy, linear rates."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reaction_cases import P1, P1_LIMIT, amplitude, distance, p1, run, watch

from relaxon.core.errors import InputError
from relaxon.distributions.profiles import profile
from relaxon.grids.phase import PhaseGrid
from relaxon.grids.torus import TorusGrid
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.equations.kinetic import KineticReaction
from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.reaction.equations.two_species import homogeneous_flow
from relaxon.reaction.scheme.asymptotic import Asymptotic
from relaxon.reaction.scheme.bounds import diffused
from relaxon.reaction.scheme.limit import Diffusive
from relaxon.reaction.scheme.spectral import Spectral
from relaxon.stepping.status import Status

END = jnp.asarray(0.02)
STEP = 5e-4


def solve_p1(epsilon, dt=STEP, **options):
    grid, model, f0 = p1(epsilon)
    stepper = Asymptotic(model, grid, dt, **options)
    return stepper, run(stepper, stepper.start(f0), END)


@pytest.mark.parametrize("epsilon", [1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-6, 1e-8])
def test_p1_on_one_grid_and_step(epsilon):
    grid, model, f0 = p1(epsilon)
    stepper = Asymptotic(model, grid, STEP)
    start = stepper.start(f0)
    state, history = watch(stepper, start, END, 44)
    assert float(state.t) == float(END)
    assert (int(state.boxed), int(state.damped), int(state.rejected)) == (0, 0, 0)
    mass = np.asarray(history["mass_difference"])
    assert np.max(np.abs(mass - stepper.diagnostics(start.y)["mass_difference"])) < 1e-13
    assert np.max(history["box_violation"]) < 0
    assert np.all(np.diff(np.r_[start.entropy, history["entropy"]]) < 0)
    fields = stepper.fields(state.y)
    if epsilon in P1:
        assert abs(amplitude(fields["m"]) / P1[epsilon] - 1) < 2e-4
    if epsilon >= 0.03:
        # Many polynomials: at epsilon = 0.1 the solution is rough in v.
        fine, _, f1 = p1(epsilon, nodes=96, v_max=9.0)
        reference = Spectral(model, fine, modes=80, rtol=1e-7)
        exact = reference.fields(run(reference, reference.start(f1), END).y)
        assert distance(fields["m"], exact["m"]) < 2e-4
    if epsilon <= 1e-6:
        limit = Diffusive(model.diffusion_limit(), grid.torus, rtol=1e-7)
        m = run(limit, limit.start(fields_of(f0, grid)), END).y
        assert distance(fields["m"], m) < 2e-4
        assert abs(amplitude(fields["m"]) / P1_LIMIT - 1) < 2e-4


@pytest.mark.parametrize("epsilon", [1.0, 0.1])
def test_extrema_between_the_points_cost_nothing(epsilon):
    """P1 shifted by half a cell: with the box of the samples the error was 6e-3 and 1.2e-3."""
    grid, model, _ = p1(epsilon)
    rho = 1 + 0.5 * jnp.cos(2 * jnp.pi * (grid.x[..., 0] - 0.5 * grid.torus.spacing))
    stepper = Asymptotic(model, grid, STEP)
    start = stepper.start(model.local_equilibrium(rho, grid))
    np.testing.assert_allclose([start.y.box.low, start.y.box.high], [0.5, 1.5], rtol=1e-8)
    state = run(stepper, start, END)
    assert int(state.boxed) == 0
    assert abs(amplitude(stepper.fields(state.y)["m"]) / P1[epsilon] - 1) < 1e-4


def fields_of(f0, grid):
    return grid.density(f0["f"]) - grid.density(f0["g"])


def test_the_limit_itself():
    stepper, state = solve_p1(1.0, limit=True)
    assert abs(amplitude(stepper.fields(state.y)["m"]) / P1_LIMIT - 1) < 2e-4
    assert float(stepper.diagnostics(state.y)["reaction_imbalance"]) < 1e-10


@pytest.mark.parametrize("epsilon", [1.0, 0.1, 0.01, 1e-7])
def test_second_order_in_time_for_every_epsilon(epsilon):
    exact = P1.get(epsilon, P1_LIMIT)
    errors = []
    for dt in (1e-3, 5e-4, 2.5e-4):
        stepper, state = solve_p1(epsilon, dt)
        errors.append(abs(amplitude(stepper.fields(state.y)["m"]) / exact - 1))
    order = np.log2(errors[0] / errors[2]) / 2
    assert 1.7 < order < 2.4, errors


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1.0, 0.01])
def test_spectral_in_x_and_v(epsilon):
    def solution(n, nodes):
        grid, model, f0 = p1(epsilon, n, nodes)
        stepper = Asymptotic(model, grid, 1e-3)
        return amplitude(stepper.fields(run(stepper, stepper.start(f0), END).y)["m"])

    fine = solution(32, 24)
    errors = [abs(solution(n, 24) - fine) for n in (8, 16)]
    assert errors[0] > 20 * errors[1], errors
    assert errors[1] < 2e-4
    # 2e-9 of the mass has velocities beyond 6.
    assert abs(solution(32, 20) - fine) < 1e-8


def test_error_in_epsilon_is_second_order():
    differences = [
        amplitude(stepper.fields(state.y)["m"])
        for stepper, state in (solve_p1(e, 2.5e-4) for e in (0.02, 0.01, 1e-8))
    ]
    gaps = [value - differences[2] for value in differences[:2]]
    assert 1.8 < np.log2(gaps[0] / gaps[1]) < 2.2


def test_cost_does_not_depend_on_epsilon():
    steps = {int(solve_p1(e)[1].steps) for e in (1.0, 1e-6)}
    assert steps == {44}


@pytest.mark.parametrize(
    ("temperature", "length", "rate"),
    [
        pytest.param(0.01, 1.0, 0.3198846627556, marks=pytest.mark.slow),
        (1.0, 4 * np.pi, 0.21407115581145),
    ],
)
def test_linear_decay_rate(temperature, length, rate):
    # neumann2016 (7): the discrete eigenvalue of the dispersion relation, r = 1.
    width = np.sqrt(temperature)
    grid = PhaseGrid(TorusGrid(1, 8, length), UniformNodes(1, 64, 7 * width))
    chi = profile("gaussian", variance=temperature)
    model = KineticReaction(chi, chi)
    wave = 1 + 1e-7 * jnp.cos(2 * jnp.pi / length * grid.x[..., 0])
    stepper = Asymptotic(model, grid, 0.02)
    early = run(stepper, stepper.start(model.local_equilibrium(wave, grid)), jnp.asarray(12.0))
    late = run(stepper, early, jnp.asarray(15.0))
    ratio = amplitude(late.y.rho_f - late.y.rho_g) / amplitude(early.y.rho_f - early.y.rho_g)
    assert abs(-np.log(ratio) / 3.0 / rate - 1) < 2e-4


def test_homogeneous_data_follow_the_exact_reaction():
    grid, model, _ = p1(0.5, n=16)
    chi1, chi2 = model.profiles(grid)
    v = grid.v[:, 0]
    f = jnp.broadcast_to(chi1 * (1.5 + 0.5 * np.cos(v)), grid.shape)
    g = jnp.broadcast_to(chi2 * (0.8 + 0.3 * np.sin(v)), grid.shape)
    t = 0.2
    rho_f, rho_g, keep_f, keep_g = homogeneous_flow(
        grid.density(f), grid.density(g), jnp.asarray(t / 0.25)
    )
    exact_f = f * keep_g[:, None] + chi1 * (rho_f - grid.density(f) * keep_g)[:, None]
    exact_g = g * keep_f[:, None] + chi2 * (rho_g - grid.density(g) * keep_f)[:, None]
    errors = []
    for dt in (4e-3, 2e-3):
        stepper = Asymptotic(model, grid, dt)
        fields = stepper.fields(run(stepper, stepper.start((f, g)), jnp.asarray(t)).y)
        errors.append([distance(fields["f"], exact_f), distance(fields["g"], exact_g)])
    assert np.max(errors[1]) < 1e-4
    assert np.all(np.array(errors[0]) / np.array(errors[1]) > 3.3), errors


GRID = PhaseGrid(TorusGrid(1, 16), UniformNodes(1, 10, 4.5))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    epsilon=st.sampled_from([1.0, 0.1, 0.03, 0.01, 1e-4, 1e-8]),
    dt=st.sampled_from([1e-4, 1e-3, 1e-2, 1.0]),
    low=st.floats(0.05, 0.9),
    high=st.floats(1.1, 20.0),
    kind=st.sampled_from(["noise", "corners", "jump", "opposed"]),
)
def test_box_mass_and_entropy_for_any_data(seed, epsilon, dt, low, high, kind):
    rng = np.random.default_rng(seed)
    model = KineticReaction("gaussian", "gaussian", epsilon)
    chi1, chi2 = model.profiles(GRID)
    if kind == "noise":
        F, H = rng.uniform(low, high, (2, *GRID.shape))
    elif kind == "corners":
        F, H = rng.choice([low, high], (2, *GRID.shape))
    else:
        half = np.arange(16)[:, None] < rng.integers(2, 15)
        F = np.broadcast_to(np.where(half, low, high), GRID.shape)
        H = F if kind == "jump" else F[::-1]
    stepper = Asymptotic(model, GRID, dt)
    start = stepper.start((F * chi1, chi2 / H))
    state, history = watch(stepper, start, jnp.asarray(1e6), 20)
    assert int(state.code) == Status.FINE
    box = float(start.y.box.high / start.y.box.low)
    assert np.max(history["box_violation"]) < 1e-14 * (1 + box)
    mass = np.asarray(history["mass_difference"])
    size = float(start.y.box.high + 1 / start.y.box.low)
    assert np.max(np.abs(mass - stepper.diagnostics(start.y)["mass_difference"])) < 1e-14 * size
    entropy = np.r_[start.entropy, history["entropy"]]
    assert np.max(np.diff(entropy)) <= 1e-15 * entropy[0]
    fields = stepper.fields(state.y)
    assert np.all(fields["f"] >= start.y.box.low * chi1 * (1 - 1e-15))
    assert np.all(fields["f"] <= start.y.box.high * chi1 * (1 + 1e-15))


def test_without_limiters_the_box_is_left():
    """The spoiled twin: the unlimited scheme does leave the box on the data above."""
    grid, model, _ = p1(0.01, n=16)
    rho = jnp.where(jnp.arange(16) < 7, 0.4, 2.5)
    stepper = Asymptotic(model, grid, 1e-3)
    start = stepper.start(model.local_equilibrium(rho, grid))
    raw = stepper._advance(start.y, start.y, jnp.asarray(1e-3), jnp.asarray(0.0), jnp.asarray(1))
    raw, limits, boxed = stepper.limiter.confine(start.y, raw)
    assert bool(boxed)
    free = eqx.tree_at(
        lambda c: (c.rho_f, c.rho_g, c.keep_p, c.keep_q),
        limits,
        (raw.rho_f, raw.rho_g, jnp.ones(16), jnp.ones(16)),
    )
    violations = [
        float(stepper.diagnostics(stepper.limiter.settle(start.y, raw, which))["box_violation"])
        for which in (free, limits)
    ]
    assert violations[0] > 1e-3
    assert violations[1] < 1e-14


@pytest.mark.parametrize(
    ("d", "dv"),
    [pytest.param(*dims, marks=pytest.mark.slow) for dims in [(2, 2), (2, 1), (1, 3), (3, 3)]],
)
def test_every_dimension_through_one_code(d, dv):
    """Data that vary along one axis only reproduce the one-dimensional run."""
    n = 12 if d < 3 else 6
    nodes = 8
    line = PhaseGrid(TorusGrid(1, n), UniformNodes(1, nodes, 4.5))
    grid = PhaseGrid(TorusGrid(d, n), UniformNodes(dv, nodes, 4.5))
    model = KineticReaction("gaussian", profile("gaussian", variance=0.8), 0.1)
    ends = []
    for g in (line, grid):
        rho = 1 + 0.4 * jnp.cos(2 * jnp.pi * g.x[..., 0])
        stepper = Asymptotic(model, g, 2e-3)
        state = run(stepper, stepper.start(model.local_equilibrium(rho, g)), END)
        ends.append(stepper.fields(state.y))
        assert float(stepper.diagnostics(state.y)["box_violation"]) < 1e-14
    along = np.asarray(ends[1]["m"]).reshape(n, -1)
    np.testing.assert_allclose(
        along, np.tile(np.asarray(ends[0]["m"])[:, None], along.shape[1]), atol=1e-9
    )


def test_sawtooth_decays():
    grid, model, _ = p1(0.01, n=16)
    rho = 1 + 0.2 * (-1.0) ** jnp.arange(16)
    stepper = Asymptotic(model, grid, 1e-3)
    state = run(stepper, stepper.start(model.local_equilibrium(rho, grid)), jnp.asarray(0.05))
    assert float(jnp.ptp(state.y.rho_f)) < 1e-6


def test_restart_is_bitwise():
    grid, model, f0 = p1(0.1)
    stepper = Asymptotic(model, grid, STEP)
    half = run(stepper, stepper.start(f0), jnp.asarray(0.01))
    whole = run(stepper, half, END)
    again = run(stepper, eqx.tree_at(lambda s: s.t, half, half.t + 0.0), END)
    np.testing.assert_array_equal(whole.y.rho_f, again.y.rho_f)


def test_settings_are_checked():
    grid, model, _ = p1(0.1)
    for bad in ({"dt": 0.0}, {"dt": 1e-3, "sweeps": 0}, {"dt": 1e-3, "ramp": -1}):
        with pytest.raises(InputError):
            Asymptotic(model, grid, **bad)
    with pytest.raises(InputError, match="steps a KineticReaction"):
        Asymptotic(3, grid, 1e-3)


@pytest.mark.parametrize(
    ("epsilon", "dt", "jump"), [(0.1, 0.1, 30.0), (1.0, 2.0, 500.0), (1e-3, 1e-3, 500.0)]
)
def test_extreme_jumps_relax(epsilon, dt, jump):
    """Steps far beyond what resolves them: entropy may only slow the fall, not stop it.

    Standard deviation of m after 40 steps: 1.7e-13, 6.4e-11, and 0.66 (limit equation 0.68).
    """
    grid = PhaseGrid(TorusGrid(1, 32), UniformNodes(1, 40, 6.0))
    model = KineticReaction(epsilon=epsilon)
    x = grid.x[..., 0]
    rho = jnp.where((x > 0.2) & (x < 0.7), jump**0.5, jump**-0.5)
    stepper = Asymptotic(model, grid, dt)
    start = stepper.start(model.local_equilibrium(rho, grid))
    end = jnp.asarray(40 * dt)
    state, history = watch(stepper, start, end, 44)
    assert np.all(np.diff(np.r_[start.entropy, history["entropy"]]) <= 0)
    assert np.max(history["box_violation"]) < 1e-13
    spread = float(jnp.std(stepper.fields(state.y)["m"]))
    if epsilon >= 0.1:
        assert spread < 1e-9
    else:
        limit = Diffusive(model.diffusion_limit(), grid.torus, rtol=1e-6)
        exact = float(jnp.std(run(limit, limit.start(rho - 1 / rho), end).y))
        assert abs(spread / exact - 1) < 0.05


def test_the_fallback_is_a_mean_of_neighbours():
    """It keeps the mean, shrinks the range, and agrees with the diffusion it stands for."""
    torus = TorusGrid(2, 16)
    m = 2.0 * jnp.sin(2 * jnp.pi * torus.x[..., 0]) * jnp.cos(2 * jnp.pi * torus.x[..., 1])
    rough = jnp.where(m > 0.3, 20.0, -5.0)
    tensors = np.diag([1.0, 0.5]), np.diag([0.3, 1.0])
    for data in (m, rough):
        new = diffused(torus, data, jnp.asarray(0.1), tensors)
        assert abs(float(jnp.mean(new - data))) < 1e-13 * float(jnp.abs(data).max())
        assert data.min() <= new.min() <= new.max() <= data.max()
    errors = []
    for n in (16, 32):
        torus = TorusGrid(2, n)
        m = 0.3 * jnp.sin(2 * jnp.pi * torus.x[..., 0]) * jnp.cos(2 * jnp.pi * torus.x[..., 1])
        h = jnp.asarray(1e-6)
        exact = DiffusionLimit(*tensors).rhs(m, torus)
        errors.append(float(jnp.abs((diffused(torus, m, h, tensors) - m) / h - exact).max()))
    assert 1.8 < np.log2(errors[0] / errors[1]) < 2.2, errors
