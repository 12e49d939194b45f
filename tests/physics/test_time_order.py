"""Order in time of the Rosenbrock methods, on the radial Landau equation and on scalars."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.runs.methods import stepper_for
from relaxon.stepping.rosenbrock import Rosenbrock, rosenbrock_step
from relaxon.stepping.status import Status
from relaxon.stepping.system import System
from relaxon.stepping.tableaux import RODAS3, RODAS5P


def orders(errors):
    errors = np.asarray(errors)
    return np.log2(errors[:-1] / errors[1:])


def march(system, y, t_end, steps, tableau=RODAS5P):
    """Fixed steps, without error control or corrections."""

    return _march(tableau, system, y, jnp.asarray(t_end / steps), jnp.asarray(steps))


@eqx.filter_jit
def _march(tableau, system, y, dt, steps):
    def body(k, y):
        return rosenbrock_step(tableau, system, k * dt, y, dt)[0]

    return jax.lax.fori_loop(0, steps, body, y)


def test_order_5_on_the_landau_equation(problem):
    """Measured, 8 to 32 steps to t = 4: see the orders asserted; invariants kept by the method."""
    system = stepper_for(problem, 1e-6).system
    y0 = system.encode(problem.f0)
    exact = march(system, y0, 4.0, 512)
    errors = [
        system.error(jnp.zeros(()), exact, march(system, y0, 4.0, n) - exact)
        for n in (8, 16, 32, 64)
    ]
    for norm in np.transpose(errors):
        assert np.all(orders(norm)[-2:] > 4.6), (norm, orders(norm))
        assert norm[-1] < 1e-8


class Scalar(System):
    """dy/dt = force(t, y) for one number (the linear solve is a division)."""

    force: object = eqx.field(static=True)

    def __init__(self, force):
        self.force = force
        self.lyapunov_names = ()

    def encode(self, f0):
        return f0

    def fields(self, t, y):
        return {"f": y}

    def diagnostics(self, t, y):
        return {}

    def frozen(self, t, y):
        return self

    def rate(self, t, y):
        return self.force(t, y)

    def linearize(self, t, y):
        slope = jax.jacfwd(lambda y: self.force(t, y))(y)
        return lambda tau: lambda rhs: jnp.linalg.solve(jnp.eye(1) - tau * slope, rhs)

    def size(self, t, y):
        return jnp.max(jnp.abs(y))

    def error(self, t, y, defect):
        return jnp.max(jnp.abs(defect))

    def constrain(self, t, y):
        return y

    def admissible(self, t, y):
        return jnp.asarray(True)

    def lyapunov(self, t, y):
        return jnp.zeros(0)

    def failure(self, t, y):
        return jnp.asarray(int(Status.FINE))


def riccati(t, y):
    """Solution 1/(2 + t - cos t) from y(0) = 1: nonlinear and non-autonomous."""
    return -(y**2) * (1 + jnp.sin(t))


def test_order_5_on_a_non_autonomous_equation():
    exact = 1 / (5 - np.cos(3.0))
    errors = [
        abs(float(march(Scalar(riccati), jnp.ones(1), 3.0, n)[0]) - exact) for n in (32, 64, 128)
    ]
    assert np.all(np.abs(orders(errors) - 5) < 0.4), (errors, orders(errors))


def test_order_3_of_the_other_tableau():
    exact = 1 / (5 - np.cos(3.0))
    errors = [
        abs(float(march(Scalar(riccati), jnp.ones(1), 3.0, n, RODAS3)[0]) - exact)
        for n in (64, 128, 256)
    ]
    assert np.all(np.abs(orders(errors) - 3) < 0.2), (errors, orders(errors))


def square(t, y):
    return -(y**2)


def test_order_5_of_the_autonomous_part_alone():
    errors = [
        abs(float(march(Scalar(square), jnp.ones(1), 3.0, n)[0]) - 0.25) for n in (32, 64, 128)
    ]
    assert np.all(orders(errors) > 4.6), (errors, orders(errors))


@pytest.mark.parametrize("stiffness", [1e2, 1e5, 1e8])
def test_stiff_relaxation_to_a_moving_target(stiffness):
    """y' = -stiffness (y - cos t) - sin t, y = cos t: stable and accurate at any stiffness."""

    def force(t, y):
        return -stiffness * (y - jnp.cos(t)) - jnp.sin(t)

    end = march(Scalar(force), jnp.ones(1), 3.0, 20)
    assert abs(float(end[0]) - np.cos(3.0)) < 1e-4


@pytest.mark.parametrize("tableau", [RODAS5P, RODAS3], ids=lambda tableau: tableau.name)
def test_the_error_control_delivers_the_tolerance(tableau):
    exact = 1 / (5 - np.cos(3.0))
    for rtol in (1e-4, 1e-6, 1e-8):
        stepper = Rosenbrock(Scalar(riccati), jnp.asarray(rtol), tableau=tableau)
        state = stepper.start(jnp.ones(1))
        step = jax.jit(lambda s, stepper=stepper: stepper.step(s, jnp.asarray(3.0)))
        while float(state.t) < 3.0:
            state = step(state)
            assert int(state.code) == Status.FINE
        assert float(state.t) == 3.0
        assert abs(float(state.y[0]) / exact - 1) < 10 * rtol


def test_a_solution_that_leaves_the_number_range_is_not_a_success():
    """y' = y^2 from 1 is infinite at t = 1; the run stops just before with a named status."""
    stepper = Rosenbrock(Scalar(lambda t, y: y**2), jnp.asarray(1e-6))
    state = stepper.start(jnp.ones(1))
    step = jax.jit(lambda s: stepper.step(s, jnp.asarray(2.0)))
    for _ in range(20000):
        state = step(state)
        if int(state.code) != Status.FINE:
            break
    assert Status(int(state.code)) in (Status.NON_FINITE, Status.STEP_TOO_SMALL)
    assert 0.999 < float(state.t) < 1.001
    assert np.isfinite(float(state.y[0]))


def test_steps_land_on_the_times_asked_for(problem):
    solution = rx.solve(problem, 2.0, rx.Record(times=[0.1, 0.7, 1.9999999]))
    np.testing.assert_array_equal(solution.t, [0.0, 0.1, 0.7, 1.9999999, 2.0])
