"""The step-size controller: landing, proposals, and when it gives up."""

import jax.numpy as jnp
import pytest

from relaxon.stepping.control import StepControl, equal_step, predictive
from relaxon.stepping.status import Status

CONTROL = StepControl(order=3)
CUBIC = StepControl(order=3, safety=0.8)


def number(x):
    return jnp.asarray(float(x))


def test_a_step_lands_exactly_and_is_not_blamed_for_being_short():
    attempt = CONTROL.attempt(number(0.7), number(0.5), number(1.0))
    assert float(attempt.t) == 1.0 and float(attempt.h) == 1.0 - 0.7
    proposed = CONTROL.proposal(attempt, jnp.asarray(True), number(0.9), number(0.5))
    assert float(proposed) == 0.5


def test_a_free_step_is_what_was_asked_for():
    attempt = CONTROL.attempt(number(0.1), number(0.2), number(1.0))
    assert float(attempt.h) == 0.2 and not attempt.cut
    proposed = CONTROL.proposal(attempt, jnp.asarray(True), number(2.0), number(0.5))
    assert float(proposed) == 0.4


def test_a_method_may_stretch_a_step_or_halve_what_is_left():
    stretched = StepControl(order=5, reach=1.001).attempt(number(0), number(1), number(1.0009))
    assert float(stretched.t) == float(stretched.h) == 1.0009
    halved = StepControl(order=3, halve=True).attempt(number(0), number(1), number(1.5))
    assert float(halved.h) == float(halved.t) == 0.75 and halved.cut


def test_deadbeat_proposes_the_longest_step_that_would_have_passed():
    """An error that grows like h^q is brought to safety^q."""
    factor = CONTROL.deadbeat(number(50.0))
    assert float(50.0 * factor**3) == pytest.approx(CONTROL.safety**3)
    assert float(CONTROL.deadbeat(number(0.0))) == float(CONTROL.deadbeat(number(1e-10)))


def test_pi_control_grows_less_when_the_step_before_was_easier():
    easier, harder = (CONTROL.damped(number(0.5), number(e)) for e in (0.1, 0.9))
    assert easier < harder


def test_the_trend_holds_a_step_back_and_never_pushes_it():
    plain, held = predictive(CUBIC, number(0.5), number(1.0), number(0.01), number(1.0))
    assert float(held) == pytest.approx(float(plain) * 0.02 ** (1 / 3))
    plain, held = predictive(CUBIC, number(0.5), number(1.0), number(0.9), number(1.0))
    assert held == plain
    plain, first = predictive(CUBIC, number(0.5), number(1.0), number(1.0), number(0.0))
    assert first == plain


@pytest.mark.parametrize("finite", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_a_step_lost_in_rounding_ends_the_run_with_its_cause(finite, inside):
    flags = jnp.asarray(finite), jnp.asarray(inside)
    assert int(CONTROL.trouble(number(1), number(1e-6), *flags)) == Status.FINE
    cause = Status.STEP_TOO_SMALL if inside else Status.BOUNDS_LEFT
    found = int(CONTROL.trouble(number(1), number(1e-15), *flags))
    assert found == (cause if finite else Status.NON_FINITE)


def test_an_unusable_result_shrinks_the_step_by_a_fixed_factor():
    nothing = number(float("nan"))
    assert float(CONTROL.retreat(nothing, jnp.asarray(False))) == CONTROL.unusable


def test_equal_steps_reach_the_end():
    t, count = number(0.0), 0
    while float(t) < 1.0:
        attempt = equal_step(t, number(1.0), number(0.3))
        assert float(attempt.h) == pytest.approx(0.25)
        t, count = attempt.t, count + 1
    assert float(t) == 1.0 and count == 4
