"""Arrays as users have them, also inside compiled functions: real, and of the right shape."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from relaxon.core.errors import require
from relaxon.core.numbers import as_array, number, reals


def traceable(name: str, value: Any) -> Any:
    """`value` as a finite float, or as it is inside a compiled function, where it is not known."""
    return value if isinstance(value, jax.core.Tracer) else number(name, value)


def known(name: str, value: Any, complex_too: bool = False) -> Array:
    """`value` as a jax array of real (or complex) numbers; as it is if it is one already."""
    if isinstance(value, Array):
        return value
    array = as_array(value)
    if complex_too and array is not None and array.dtype.kind == "c":
        return jnp.asarray(array)
    return jnp.asarray(reals(name, value))


def on_grid(name: str, f: Any, shape: tuple[int, ...]) -> Array:
    """`f` as an array of the grid's shape, or an `InputError` that names it."""
    f = known(name, f)
    require(
        f.shape == tuple(shape),
        f"{name} must have the grid's shape {tuple(shape)}, but has {f.shape}.",
    )
    return f
