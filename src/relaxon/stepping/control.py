r"""How long the next step is, whether its size was the tolerance's or the end's, when to give up.

A method estimates how wrong an attempt was: the error, in units of the tolerance, changes with the
step size like $h^q$. The longest step that would have been accepted is then $h \, e^{-1/q}$.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from relaxon.stepping.status import Status


class Attempt(NamedTuple):
    """A step that is to be tried.

    Attributes:
        h: Its size.
        t: The time at its end: exactly `t_stop` where it lands there.
        asked: The size that was asked for.
        cut: Whether `t_stop` decided the size, not what was asked for.
    """

    h: Array
    t: Array
    asked: Array
    cut: Array


class StepControl(eqx.Module):
    r"""The constants of one method's step control; all methods are pure functions.

    Attributes:
        order: Power of the step size in the estimated error.
        safety: Share of the step that the estimate allows.
        reach: A step may be stretched by this factor to land on the end.
        grow: Least and largest factor after an accepted step.
        shrink: Least and largest factor after a rejected one.
        unusable: Factor after a step whose result says nothing: not finite, or out of bounds.
        least_error: Smaller errors count as this one.
        rounding: A step below this share of the time is lost in its rounding.
        halve: Whether the last two steps to an end are of equal size, rather than one and a crumb.
    """

    order: int = eqx.field(static=True)
    safety: float = eqx.field(static=True, default=0.9)
    reach: float = eqx.field(static=True, default=1.0 + 1e-10)
    grow: tuple[float, float] = eqx.field(static=True, default=(0.2, 5.0))
    shrink: tuple[float, float] = eqx.field(static=True, default=(0.2, 0.9))
    unusable: float = eqx.field(static=True, default=0.2)
    least_error: float = eqx.field(static=True, default=1e-10)
    rounding: float = eqx.field(static=True, default=1e-14)
    halve: bool = eqx.field(static=True, default=False)

    def attempt(self, t: Array, dt: Array, t_stop: Array) -> Attempt:
        """The next step from t: `dt`, or what is left where that reaches `t_stop`."""
        left = t_stop - t
        lands = left <= dt * self.reach
        free = jnp.where(2 * dt > left, 0.5 * left, dt) if self.halve else dt
        h = jnp.where(lands, left, free)
        return Attempt(h, jnp.where(lands, t_stop, t + h), dt, lands | (h < dt))

    def held(self, error: Array) -> Array:
        """The error as control uses it and remembers it: a lucky zero promises no endless step."""
        return jnp.maximum(error, self.least_error)

    def deadbeat(self, error: Array) -> Array:
        r"""The factor to the longest step that would have been accepted: $s \, e^{-1/q}$."""
        return self.safety * self.held(error) ** (-1 / self.order)

    def damped(self, error: Array, before: Array) -> Array:
        r"""PI control, $s \, e^{-0.7/q} e_0^{0.4/q}$, with the error of the accepted step before.

        Source: K. Gustafsson, ACM Trans. Math. Softw. 17 (1991), 533.
        """
        factor = self.safety * self.held(error) ** (-0.7 / self.order)
        return factor * before ** (0.4 / self.order)

    def retreat(self, error: Array, usable: Array) -> Array:
        """The factor after a rejected step: deadbeat, where the error means anything."""
        return jnp.where(usable, self.deadbeat(error), self.unusable)

    def proposal(self, attempt: Attempt, accept: Array, growth: Array, retreat: Array) -> Array:
        """The step size to try next: a factor `growth` after success, `retreat` after failure."""
        factor = jnp.where(accept, jnp.clip(growth, *self.grow), jnp.clip(retreat, *self.shrink))
        proposed = attempt.h * factor
        # A step cut short by t_stop says nothing against the longer one.
        longer = jnp.maximum(proposed, attempt.asked)
        return jnp.where(accept & attempt.cut, longer, proposed)

    def trouble(
        self, time: Array, proposed: Array, finite: Array, inside: Array | bool = True
    ) -> Array:
        """Why a rejected step ends the run, or `Status.FINE` if a smaller one can be tried.

        Args:
            time: A time that the proposed step must still change.
            proposed: The step size to try next.
            finite: Whether the last result was.
            inside: Whether it was in the bounds of the equation.
        """
        cause = jnp.where(inside, Status.STEP_TOO_SMALL, Status.BOUNDS_LEFT)
        cause = jnp.where(finite, cause, Status.NON_FINITE)
        stuck = proposed <= self.rounding * jnp.maximum(jnp.abs(time), 1e-280)
        return jnp.where(stuck, cause, Status.FINE)


def predictive(
    control: StepControl, error: Array, h: Array, error_before: Array, h_before: Array
) -> tuple[Array, Array]:
    r"""Deadbeat control, and the same held back by the trend.

    $$ s \, e^{-1/q}, \qquad s \, e^{-1/q} \min\Big(1, \frac{h}{h_0} (e_0/e)^{1/q}\Big) $$

    If the error grew faster over the last step than its size explains, it will do so again.

    Source: Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88 (1998), 315.

    Args:
        control: s and q.
        error: Error of the step.
        h: Its size.
        error_before: Error of the accepted step before.
        h_before: Its size; 0 if there was none.
    """
    plain = control.safety * error ** (-1 / control.order)
    trend = (error_before / error) ** (1 / control.order) * h / jnp.maximum(h_before, 1e-300)
    return plain, jnp.where(h_before > 0, jnp.minimum(plain, plain * trend), plain)


def equal_step(t: Array, t_stop: Array, largest: Array) -> Attempt:
    """One of the fewest equal steps of at most `largest` that lead to `t_stop`."""
    left = t_stop - t
    # Rounding of the quotient must not cost a step.
    count = jnp.maximum(jnp.ceil(left / largest * (1.0 - 1e-12)), 1.0)
    h = left / count
    return Attempt(h, jnp.where(count == 1.0, t_stop, t + h), largest, h < largest)
