"""relaxon: relaxation to equilibrium in kinetic theory.

Solve a nonlinear kinetic equation, measure what the theory speaks of, check the theorem.

The public names are loaded when they are first used, so that `relaxon --help` need not wait for
jax; jax works in float64 from the start.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from typing import TYPE_CHECKING, Any

# Dense matrices here are small; OpenBLAS threads make their factorisation slower, not faster.
if "numpy" not in sys.modules:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if "jax" in sys.modules:
    sys.modules["jax"].config.update("jax_enable_x64", True)
else:
    os.environ["JAX_ENABLE_X64"] = "1"

if TYPE_CHECKING:
    from relaxon import reaction
    from relaxon.cases.catalogue import Case, case
    from relaxon.collisions.landau import Landau
    from relaxon.collisions.lenard_balescu import LenardBalescu
    from relaxon.collisions.linear.linearized import linearized
    from relaxon.collisions.two_scale.equation import TwoScale
    from relaxon.core.errors import InputError
    from relaxon.core.version import VERSION as __version__
    from relaxon.distributions import functionals
    from relaxon.distributions import gaussians as distributions
    from relaxon.grids.cartesian import VelocityGrid
    from relaxon.grids.confined_line import ConfinedLine
    from relaxon.grids.confined_phase import ConfinedGrid
    from relaxon.grids.phase import PhaseGrid
    from relaxon.grids.radial import RadialGrid
    from relaxon.grids.torus import TorusGrid
    from relaxon.grids.velocity_nodes import MappedNodes, ThermalNodes, UniformNodes
    from relaxon.grids.walls import WalledGrid
    from relaxon.reaction.equations.confined import ConfinedReaction
    from relaxon.reaction.equations.kinetic import KineticReaction
    from relaxon.runs.directory import StorageError
    from relaxon.runs.directory import open_run as open
    from relaxon.runs.problem import Problem
    from relaxon.runs.record import Record
    from relaxon.runs.solution import Solution
    from relaxon.runs.solve import resume, solve
    from relaxon.screening import dispersion, potentials
    from relaxon.stepping.status import Status
    from relaxon.theorems import check, checks
    from relaxon.theorems.gualdani2025.bootstrap import bootstrap_constant

__all__ = [
    "Case",
    "ConfinedGrid",
    "ConfinedLine",
    "ConfinedReaction",
    "InputError",
    "KineticReaction",
    "Landau",
    "LenardBalescu",
    "MappedNodes",
    "PhaseGrid",
    "Problem",
    "RadialGrid",
    "Record",
    "Solution",
    "Status",
    "StorageError",
    "ThermalNodes",
    "TorusGrid",
    "TwoScale",
    "UniformNodes",
    "VelocityGrid",
    "WalledGrid",
    "__version__",
    "bootstrap_constant",
    "case",
    "check",
    "checks",
    "dispersion",
    "distributions",
    "functionals",
    "linearized",
    "open",
    "potentials",
    "reaction",
    "resume",
    "solve",
]

# Public name -> (module, name in it); None: the module itself.
_WHERE: dict[str, tuple[str, str | None]] = {
    "Case": ("relaxon.case", "Case"),
    "ConfinedGrid": ("relaxon.grids.confined_phase", "ConfinedGrid"),
    "ConfinedLine": ("relaxon.grids.confined_line", "ConfinedLine"),
    "ConfinedReaction": ("relaxon.reaction.equations.confined", "ConfinedReaction"),
    "InputError": ("relaxon.core.errors", "InputError"),
    "KineticReaction": ("relaxon.reaction.equations.kinetic", "KineticReaction"),
    "Landau": ("relaxon.collisions.landau", "Landau"),
    "LenardBalescu": ("relaxon.collisions.lenard_balescu", "LenardBalescu"),
    "dispersion": ("relaxon.screening.dispersion", None),
    "potentials": ("relaxon.screening.potentials", None),
    "MappedNodes": ("relaxon.grids.phase", "MappedNodes"),
    "PhaseGrid": ("relaxon.grids.phase", "PhaseGrid"),
    "Problem": ("relaxon.problem", "Problem"),
    "RadialGrid": ("relaxon.grids.radial", "RadialGrid"),
    "Record": ("relaxon.problem", "Record"),
    "Solution": ("relaxon.solution", "Solution"),
    "Status": ("relaxon.stepping.status", "Status"),
    "StorageError": ("relaxon.runs.directory", "StorageError"),
    "ThermalNodes": ("relaxon.grids.confined_phase", "ThermalNodes"),
    "TorusGrid": ("relaxon.grids.torus", "TorusGrid"),
    "UniformNodes": ("relaxon.grids.phase", "UniformNodes"),
    "WalledGrid": ("relaxon.grids.walls", "WalledGrid"),
    "__version__": ("relaxon.core.version", "VERSION"),
    "TwoScale": ("relaxon.collisions.two_scale.equation", "TwoScale"),
    "VelocityGrid": ("relaxon.grids.cartesian", "VelocityGrid"),
    "bootstrap_constant": ("relaxon.theorems.gualdani2025.bootstrap", "bootstrap_constant"),
    "case": ("relaxon.case", "case"),
    "check": ("relaxon.theorems", "check"),
    "checks": ("relaxon.theorems", "checks"),
    "distributions": ("relaxon.distributions", None),
    "functionals": ("relaxon.distributions.functionals", None),
    "linearized": ("relaxon.collisions.linear.linearized", "linearized"),
    "open": ("relaxon.runs.directory", "open_run"),
    "reaction": ("relaxon.reaction", None),
    "resume": ("relaxon.solve", "resume"),
    "solve": ("relaxon.solve", "solve"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'relaxon' has no attribute {name!r}")
    where, inner = _WHERE[name]
    module = importlib.import_module(where)
    value = module if inner is None else getattr(module, inner)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_WHERE))


class _Package(types.ModuleType):
    """`relaxon.solve` is the function, whoever imports the module of that name, and when."""

    def __setattr__(self, name: str, value: Any) -> None:
        where, inner = _WHERE.get(name, ("", None))
        if inner is not None and isinstance(value, types.ModuleType) and value.__name__ == where:
            value = getattr(value, inner)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
