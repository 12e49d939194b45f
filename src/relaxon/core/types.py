"""The types of public signatures: numbers as users have them, and arrays by their shapes.

The shapes are checked where the tests run (`tests/conftest.py`); here they are read. In one
signature a name such as `grid` stands for the same axes wherever it occurs, `*grid` for all axes of
a grid, and `...` for any axes.

`Real` and `Whole` take everything at run time, because what is no number is refused in one sentence
(`relaxon.core.numbers`); a file holds a float and an int for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from jax import Array
from jaxtyping import Float

if TYPE_CHECKING:
    Real = float | int | np.number | np.ndarray | Array
    Whole = int | np.integer | np.ndarray | Array
else:
    Real = Annotated[Any, float]
    Whole = Annotated[Any, int]

AnyArray = Array | np.ndarray
"""An array of jax or of numpy."""

OnGrid = Float[AnyArray, "*grid"]
"""A function on a grid as it is given, such as a distribution, of shape `grid.shape`."""

Field = Float[Array, "*grid"]
"""The same as it is returned."""

Scalar = Float[Array, ""]
"""One number, returned."""

Vector = Float[Array, "d"]
"""A vector of velocities or positions, returned."""

VectorField = Float[Array, "*grid d"]
"""A vector at each point of a grid, returned."""

State = Mapping[str, Any]
"""Functions on a grid by name, such as {"f": ..., "g": ...}: the state of several species."""
