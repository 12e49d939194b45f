"""Which function makes the time stepper of which equation on which grid."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

from relaxon.core.errors import InputError
from relaxon.core.memory import require_memory
from relaxon.core.registry import discover


@runtime_checkable
class Posed(Protocol):
    """What a method needs of a problem."""

    @property
    def equation(self) -> Any:
        """The equation."""

    @property
    def grid(self) -> Any:
        """The grid that it is solved on."""

    @property
    def f0(self) -> Any:
        """The initial datum, checked."""


Method = Callable[[Any, float], Any]
F = TypeVar("F", bound=Method)

_METHODS: dict[tuple[type, type], Method] = {}


Memory = Callable[[Any], float]


def _nothing(grid: Any) -> float:
    return 0.0


def solves(equation: type, grid: type, memory: Memory = _nothing) -> Callable[[F], F]:
    """Decorator of a function `(problem, rtol) -> Stepper` for an equation on a grid.

    Args:
        equation: Class of the equation.
        grid: Class of the grid.
        memory: How many numbers a run on a grid holds at once, from below, where these are many
            more than the distributions that `relaxon.core.memory.ARRAYS` counts.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def within(problem: Any, rtol: float) -> Any:
            what = f"{equation.__name__} on this {grid.__name__}"
            require_memory(what, memory(problem.grid), "take a coarser one")
            return function(problem, rtol)

        _METHODS[equation, grid] = within
        return function

    return decorate


def method_of(problem: Posed) -> Method:
    """The function that makes the stepper of a problem.

    Raises:
        InputError: There is no method for this equation on this grid.
    """
    pair = type(problem.equation), type(problem.grid)
    if pair not in _METHODS:
        discover()  # the method may live in a module that nothing has imported yet
    if pair not in _METHODS:
        known = ", ".join(sorted(f"{e.__name__} on {g.__name__}" for e, g in _METHODS))
        raise InputError(
            f"There is no method for {pair[0].__name__} on {pair[1].__name__}; allowed: {known}."
        )
    return _METHODS[pair]
