"""Why a run ended, and what to try next."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The named end of a run; only `DONE` is a success.

    The integer is the code that a stepper keeps in its state: `FINE`, another name of the same
    number, while nothing is wrong.
    """

    DONE = 0
    FINE = 0
    NON_FINITE = 1
    STEP_TOO_SMALL = 2
    BOUNDS_LEFT = 3
    BLOWUP = 4
    PENROSE_UNSTABLE = 5
    STEP_LIMIT = 6
    INTERRUPTED = 7

    @property
    def ok(self) -> bool:
        """True if the run reached its end time."""
        return self is Status.DONE

    @property
    def advice(self) -> str:
        """One sentence: what happened and what to try."""
        return _ADVICE[self]


_ADVICE = {
    Status.DONE: "The run reached its end time.",
    Status.NON_FINITE: (
        "A value became infinite or NaN; the last finite state is kept. "
        "Try a smaller rtol, or check the initial datum for values near overflow."
    ),
    Status.STEP_TOO_SMALL: (
        "The step size fell to the rounding of t; the last good state is kept. "
        "Try a larger rtol, or more cells: an unresolved scale forces small steps."
    ),
    Status.BOUNDS_LEFT: (
        "Every smaller step still left the bounds (f >= 0); the last good state is kept. "
        "Try more cells: a front steeper than the cells overshoots."
    ),
    Status.BLOWUP: (
        "The solution grows without bound in finite time; the last good state and the fitted "
        "blow-up time are kept. Resolve a smaller scale (r_min) to follow it further."
    ),
    Status.PENROSE_UNSTABLE: (
        "The distribution became Penrose-unstable, so the Lenard-Balescu operator is not defined; "
        "the last record is a stable state. Try data nearer to equilibrium or a weaker potential."
    ),
    Status.STEP_LIMIT: (
        "The run used up its number of steps; the last state is kept. "
        "Resume it, or try a larger rtol."
    ),
    Status.INTERRUPTED: "The run was interrupted; resume it from its directory.",
}
