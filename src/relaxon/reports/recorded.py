"""What a saved run says of itself: its equation, its positions, its starting point."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from relaxon.core.errors import InputError
from relaxon.core.registry import from_spec
from relaxon.grids.walls import WalledGrid
from relaxon.runs.solution import Solution


def spec(solution: Solution, what: str) -> Mapping[str, Any]:
    """The stored settings of the "equation" or the "grid"; empty where they were not stored."""
    found = solution.provenance.get(what)
    return found if isinstance(found, dict) else {}


def equation(solution: Solution) -> Any:
    """The equation of a run; None where its class is not known here."""
    return _built(json.dumps(spec(solution, "equation")))


def reaction(solution: Solution) -> float:
    """The prefactor of F^2 in the equation of a run, 0 where there is no such term."""
    return float(spec(solution, "equation").get("settings", {}).get("reaction", 0.0))


def dimension(solution: Solution) -> int:
    """Dimension of velocity space of a run on a radial grid."""
    return int(spec(solution, "grid").get("settings", {}).get("d", 3))


def notes(solution: Solution) -> Mapping[str, Any]:
    """The settings of the case that a run was made from; empty for a run of a script."""
    return solution.provenance.get("notes", {})


def positions(solution: Solution) -> Any:
    """The grid of positions of a run in phase space: torus, line, or box with walls."""
    found = spec(solution, "grid")
    for name in ("torus", "line"):
        if name in found["settings"]:
            found = found["settings"][name]
    return _built(json.dumps(found))


def side(solution: Solution) -> float:
    """Length of the positions along each axis of a torus or a box."""
    where = positions(solution)
    return 1.0 if isinstance(where, WalledGrid) else float(where.length)


def longest_wave(solution: Solution) -> float:
    """Length of the longest wave on a torus or in a box: between walls twice the side."""
    return side(solution) * (2.0 if isinstance(positions(solution), WalledGrid) else 1.0)


def volume(solution: Solution) -> float:
    """Volume of the positions, with the weight exp(-phi) under a confining potential."""
    where = positions(solution)
    return 1.0 if isinstance(where, WalledGrid) else float(where.volume)


@functools.lru_cache(maxsize=16)
def _built(text: str) -> Any:
    """The object of stored settings; kept, since every figure and headline asks for it."""
    try:
        return from_spec(json.loads(text)) if text != "{}" else None
    except (InputError, LookupError, TypeError, ValueError, AttributeError):
        return None  # a run may come from anywhere
