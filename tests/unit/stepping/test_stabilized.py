import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.stepping.stabilized import Flow, StabilizedStepper
from relaxon.stepping.status import Status


class Plain(Flow):
    """A flow whose functional is the square norm."""

    def level(self, y):
        return jnp.sum(y**2)

    def failure(self, y):
        return jnp.asarray(int(Status.FINE), jnp.int32)

    def fields(self, y):
        return {"f": y}

    def diagnostics(self, y):
        return {"total": jnp.sum(y)}


class Heat(Plain):
    """Heat equation on a ring with a cubic sink, stiff: radius 4 n^2."""

    n: int = eqx.field(static=True)
    sink: float = eqx.field(static=True, default=0.0)

    def rate(self, y):
        bend = jnp.roll(y, 1) - 2 * y + jnp.roll(y, -1)
        return bend * self.n**2 / (4 * jnp.pi**2) - self.sink * y**3, jnp.zeros(())


@eqx.filter_jit
def run(stepper, state, t_end):
    return jax.lax.while_loop(
        lambda s: (s.t < t_end) & (s.code == Status.FINE), lambda s: stepper.step(s, t_end), state
    )


def start(n=64):
    return jnp.exp(jnp.cos(2 * jnp.pi * jnp.arange(n) / n))


def test_stiff_diffusion_follows_the_matrix_exponential():
    rate = Heat(64)
    y0 = start()
    matrix = jax.jacfwd(lambda y: rate.rate(y)[0])(y0)
    exact = jax.scipy.linalg.expm(0.7 * matrix) @ y0
    stepper = StabilizedStepper(rate, rtol=1e-7)
    end = run(stepper, stepper.start(y0), jnp.asarray(0.7))
    assert float(end.t) == 0.7
    assert float(jnp.linalg.norm(end.y - exact) / jnp.linalg.norm(exact)) < 1e-7
    assert float(jnp.sum(end.y)) == pytest.approx(float(jnp.sum(y0)), rel=1e-14)
    radius = float(-jnp.linalg.eigvalsh(matrix)[0])
    assert radius <= float(end.radius) <= 1.3 * radius
    # Cost grows with the root of the stiffness: far fewer than t * radius / 2 evaluations.
    assert int(end.evaluations) < 800


def test_the_global_error_is_proportional_to_the_tolerance():
    """Observed error/rtol: .30, .58, .76 at 1e-4, 1e-6, 1e-8, as the order of the steps is 4."""
    rate, y0 = Heat(32, 1.0), start(32)
    tolerances = np.array([1e-4, 1e-6, 1e-8, 1e-12])
    ends = []
    for rtol in tolerances:
        stepper = StabilizedStepper(rate, rtol=rtol)
        ends.append(run(stepper, stepper.start(y0), jnp.asarray(0.5)))
    size = float(jnp.linalg.norm(ends[3].y))
    gaps = np.array([float(jnp.linalg.norm(end.y - ends[3].y)) / size for end in ends[:3]])
    assert np.all(gaps < tolerances[:3])
    slope = np.polyfit(np.log(tolerances[:3]), np.log(gaps), 1)[0]
    steps = [int(end.steps) for end in ends]
    order = np.log(gaps[0] / gaps[2]) / np.log(steps[2] / steps[0])
    assert 0.85 < slope < 1.15 and 3.4 < order < 4.8, (gaps, steps)


def test_one_step_at_fixed_size_has_local_order_five():
    rate, y0 = Heat(32, 1.0), start(32)
    stepper = StabilizedStepper(rate, rtol=0.5)
    fine = StabilizedStepper(rate, rtol=1e-13)
    gaps = []
    for h in (0.012, 0.006):
        state = eqx.tree_at(lambda s: s.dt, stepper.start(y0), jnp.asarray(1.0))
        exact = run(fine, fine.start(y0), jnp.asarray(h))
        gaps.append(float(jnp.linalg.norm(stepper.step(state, h).y - exact.y)))
    assert 4.6 < np.log2(gaps[0] / gaps[1]) < 5.4


def test_steps_stop_where_told_and_remember_their_size():
    stepper = StabilizedStepper(Heat(32), rtol=1e-5)
    state = run(stepper, stepper.start(start(32)), jnp.asarray(0.3))
    size = float(state.dt)
    state = run(stepper, state, jnp.asarray(0.3 + 1e-6))
    assert float(state.t) == 0.3 + 1e-6
    assert float(state.dt) >= 0.5 * size


def test_a_rate_that_is_not_finite_ends_the_run():
    class Breaks(Plain):
        def rate(self, y):
            return jnp.where(jnp.max(y) < 1.5, jnp.nan, -y), jnp.zeros(())

    stepper = StabilizedStepper(Breaks(), rtol=1e-4)
    end = run(stepper, stepper.start(2 * jnp.ones(8)), jnp.asarray(5.0))
    assert int(end.code) == Status.NON_FINITE
    assert bool(jnp.isfinite(end.y).all())
    assert 0.2 < float(end.t) < 0.3  # 2 exp(-t) = 1.5 at 0.288
    state = stepper.start(jnp.full(8, jnp.nan))
    assert int(state.code) == Status.NON_FINITE


def test_stationary_data_stay():
    stepper = StabilizedStepper(Heat(16), rtol=1e-6)
    end = run(stepper, stepper.start(jnp.ones(16)), jnp.asarray(1e3))
    assert float(jnp.abs(end.y - 1).max()) < 1e-15
    assert int(end.code) == Status.FINE


def test_the_functional_and_the_failure_of_the_flow_are_watched():
    class Grows(Plain):
        def rate(self, y):
            return y, jnp.zeros(())

        def failure(self, y):
            return jnp.where(jnp.max(y) > 2.0, Status.PENROSE_UNSTABLE, 0).astype(jnp.int32)

    stepper = StabilizedStepper(Grows(), rtol=1e-4)
    end = run(stepper, stepper.start(jnp.ones(8)), jnp.asarray(5.0))
    assert int(end.code) == Status.PENROSE_UNSTABLE
    assert float(end.growth) > 0 and 0.69 < float(end.t) < 1.2
    assert float(stepper.diagnostics(end)["relative_entropy_growth"]) == float(end.growth)


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="rtol"):
        StabilizedStepper(Heat(8), rtol=0.0)
    with pytest.raises(InputError, match="max_stages"):
        StabilizedStepper(Heat(8), max_stages=2)


def test_what_is_taken_from_the_rate_adds_up():
    class Leaks(Heat):
        def rate(self, y):
            return -y, 1e-3 * jnp.linalg.norm(y)

    stepper = StabilizedStepper(Leaks(8), rtol=1e-4)
    end = run(stepper, stepper.start(jnp.ones(8)), jnp.asarray(2.0))
    found = stepper.diagnostics(end)
    assert float(found["removed_rate"]) == pytest.approx(1e-3, rel=1e-12)
    assert float(found["removed"]) == pytest.approx(2e-3, rel=1e-12)
