"""Numbers as users have them: of Python, numpy or jax, integers for floats, arrays of no axes.

Each function returns the plain Python number that an object keeps, so that objects made from any of
these are the same, or raises one sentence that names the argument.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from relaxon.core.errors import InputError, require


def scalar(value: Any) -> float:
    """`value` as a float; NaN if it is not one real number (text and truth values are none)."""
    array = as_array(value)
    known = array is not None and array.shape == () and array.dtype.kind in "iuf"
    return float(array) if known else math.nan  # type: ignore[arg-type]


def integer(value: Any) -> int | None:
    """`value` as an int; None if it is not one whole number of an integer type."""
    if type(value) is int:  # of any size, which an array does not hold
        return value
    array = as_array(value)
    known = array is not None and array.shape == () and array.dtype.kind in "iu"
    return int(array) if known else None  # type: ignore[arg-type]


def number(name: str, value: Any) -> float:
    """`value` as a finite float, or an `InputError` that names it."""
    found = scalar(value)
    require(math.isfinite(found), f"{name} must be a finite number, but is {shown(value)}.")
    return found


def positive(name: str, value: Any) -> float:
    """`value` as a finite float above 0, or an `InputError` that names it."""
    found = scalar(value)
    bound = "positive and finite" if math.isinf(found) else "positive"
    require(0 < found < math.inf, f"{name} must be {bound}, but is {shown(value)}.")
    return found


def whole(name: str, value: Any, least: int, most: float = math.inf) -> int:
    """`value` as an int from `least` to `most`, or an `InputError` that names it."""
    found = integer(value)
    if found is None or not least <= found <= most:
        allowed = f"of at least {least}" if math.isinf(most) else f"from {least} to {most}"
        raise InputError(f"{name} must be an integer {allowed}, but is {shown(value)}.")
    return found


def dimension(value: Any, allowed: tuple[int, ...] = (1, 2, 3), name: str = "d") -> int:
    """`value` as one of the allowed dimensions, or an `InputError`."""
    found = integer(value)
    if found is None or found not in allowed:
        *most, last = map(str, allowed)
        raise InputError(f"{name} must be {', '.join(most)} or {last}, but is {shown(value)}.")
    return found


def reals(name: str, value: Any) -> np.ndarray:
    """`value` as an array of real numbers of any shape."""
    array = as_array(value)
    if array is None or array.dtype.kind not in "iuf":
        raise InputError(f"{name} must be an array of real numbers, but is {shown(value)}.")
    return array.astype(float)


def plain(value: Any) -> Any:
    """Arrays and their scalars as lists and Python numbers, anything else unchanged."""
    from jax import Array

    return value.tolist() if isinstance(value, np.ndarray | np.generic | Array) else value


def shown(value: Any) -> str:
    """A value in a few words, on one line."""
    array = as_array(value)
    known = array is not None and array.shape == () and array.dtype.kind in "biufc"
    text = " ".join(repr(array.item() if known else value).split())  # type: ignore[union-attr]
    return text if len(text) <= 60 else f"a {type(value).__name__} such as {text[:40]}..."


def as_array(value: Any) -> np.ndarray | None:
    """`value` as an array; None if it is none, such as a nested list of uneven lengths."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        return None
