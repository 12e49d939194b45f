"""The one exception that bad input raises, and the sentences shared by several modules."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


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
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    require(math.isfinite(number) and number > 0, f"{name} must be positive, but is {value!r}.")
    return number


def dimension(value: Any) -> None:
    """Refuse all but the integers 1, 2 and 3."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 3
    require(fits, f"d must be 1, 2 or 3, but is {value!r}.")


def whole(name: str, value: Any, least: int) -> None:
    """Refuse all but integers from `least` on."""
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
    require(fits, f"{name} must be an integer of at least {least}, but is {value!r}.")


def reals(name: str, value: Any) -> np.ndarray:
    """`value` as an array of real numbers of any shape."""
    import numpy as np

    try:
        array = np.asarray(value)
        real = array.astype(float) if array.dtype.kind in "biuf" else None
    except (TypeError, ValueError):
        real = None
    if real is None:
        raise InputError(f"{name} must be an array of real numbers, but is {_shown(value)}.")
    return real


def _shown(value: Any) -> str:
    """A value in a few words, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"a {type(value).__name__} such as {text[:40]}..."


def unknown(kind: str, name: str, allowed: Iterable[str]) -> InputError:
    """The error for a wrong name: names the nearest right one and lists all of them."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return InputError(f"Unknown {kind} {name!r}.{hint} Allowed: {', '.join(names)}.")
