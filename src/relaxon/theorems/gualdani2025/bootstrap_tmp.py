"""x"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from relaxon.core.errors import InputError, require
from relaxon.solution import Solution

BOOTSTRAP_END = 0.5
"""t* of Theorem 1.1, the end of the interval of (5.1)."""


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    r"""The constants of gualdani2025, Lemma 5.1, measured along one run up to t = 1/2.

    Measured for delta from 1e-4 to 1e-12, alpha from 0.1 to 0.45: |g| behaves as (5.1) and (5.2)
    say, with `far` <= 1.9 and `far_rate` -> 1/(4 pi); but `near` grows like delta^(-1/4) for every
    alpha, since max |h| is 0.25 to 0.28 times delta^(alpha - 1/2), attained at t of 32 to 39 delta.
    At t = 1/2, |h| is of order delta^alpha again, well inside (5.1).

    Attributes:
        R: The smallest R with |g| <= R m T and |h| <= R delta^(alpha - 1/4), (5.1).
        far: max |g|/(m T), and `far_time` where it is attained.
        far_time: Time of the maximum.
        near: max |h|/delta^(alpha - 1/4), and `near_time`.
        near_time: Time of the maximum.
        near_scaled: max |h| T^(1/2)/m, the scale that the source S_E gives h: |S_E| is of order
            m T^(-3/2), because the second derivatives of E carry 1/T, so |h| of order m T^(-1/2).
        far_rate: max |g|/(m t), the constant of (5.2) once R m is small against one.
        near_source: max |h|/(m R delta^(alpha - 1/4) + delta^(2 alpha - 1/2)), the C of (5.3).
    """

    R: float
    far: float
    far_time: float
    near: float
    near_time: float
    near_scaled: float
    far_rate: float
    near_source: float


def bootstrap(solution: Solution) -> Bootstrap:
    """Measure Lemma 5.1 on a run of `TwoScale` over its recorded times in [0, 1/2].

    At t = 0 both ratios are 0 (T = delta > 0); |g|/(m t) is taken at t > 0.

    Raises:
        InputError: A solution of another equation, or one that ends before t = 1/2.
    """
    spec = solution.provenance.get("equation")
    if not isinstance(spec, Mapping) or spec.get("class") != "TwoScale":
        raise InputError("The bootstrap constants need a solution of TwoScale.")
    t = np.asarray(solution.t)
    require(
        bool(t[-1] >= BOOTSTRAP_END),
        f"The bootstrap constants need a run to t = {BOOTSTRAP_END}, but it ends at {t[-1]:g}.",
    )
    delta, alpha = (float(spec["settings"][key]) for key in ("delta", "alpha"))
    inside = t <= BOOTSTRAP_END
    t, mass = t[inside], delta**alpha
    found = {key: np.asarray(value)[inside] for key, value in solution.diagnostics.items()}
    far, near = found["far_field_ratio"], found["near_field_ratio"]
    constant = float(max(far.max(), near.max()))
    later = t > 0
    scale = mass * constant * delta ** (alpha - 0.25) + delta ** (2 * alpha - 0.5)
    return Bootstrap(
        R=constant,
        far=float(far.max()),
        far_time=float(t[far.argmax()]),
        near=float(near.max()),
        near_time=float(t[near.argmax()]),
        near_scaled=float(np.max(found["near_field_norm"] * np.sqrt(found["width"])) / mass),
        far_rate=float(np.max(found["far_field_norm"][later] / (mass * t[later]))),
        near_source=float(found["near_field_norm"].max() / scale),
    )


def bootstrap_constant(solution: Solution) -> float:
    """The smallest R of (5.1) along a run; see `bootstrap`."""
    return bootstrap(solution).R
