"""The one exception that bad input raises, and the sentences shared by several modules."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """What a user gave cannot be used; the message is one sentence: what, got, allowed.

    The command line prints the sentence and ends with exit code 2.
    """


def require(condition: bool, sentence: str) -> None:
    """Raise `InputError(sentence)` unless `condition` holds."""
    if not condition:
        raise InputError(sentence)


def positive(name: str, value: Any) -> float:
    """`value` as a finite float above 0, or an `InputError` that names it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a positive number, but is {value!r}.") from None
    require(
        math.isfinite(number) and number > 0,
        f"{name} must be positive and finite, but is {value!r}.",
    )
    return number


def unknown(kind: str, name: str, allowed: Iterable[str]) -> InputError:
    """The error for a wrong name: names the nearest right one and lists all of them."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return InputError(f"Unknown {kind} {name!r}.{hint} Allowed: {', '.join(names)}.")
