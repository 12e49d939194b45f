"""relaxon: relaxation to equilibrium in kinetic theory.

Solve a nonlinear kinetic equation, measure what the theory speaks of, check the theorem.

The public names are loaded when they are first used, so that `relaxon --help` need not wait for
jax; jax works in float64 from the start. `__init__.pyi` tells editors and type checkers what they
are; `python3 tasks.py stub` writes it from the table below.
"""

import importlib
import os
import sys

from relaxon.core.compilation import keep_compiled_code

# Dense matrices here are small; OpenBLAS threads make their factorisation slower, not faster.
if "numpy" not in sys.modules:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if "jax" in sys.modules:
    sys.modules["jax"].config.update("jax_enable_x64", True)
else:
    os.environ["JAX_ENABLE_X64"] = "1"

keep_compiled_code()

PUBLIC = {
    "Case": "cases.catalogue",
    "ConfinedGrid": "grids.confined_phase",
    "ConfinedLine": "grids.confined_line",
    "ConfinedReaction": "reaction.equations.confined",
    "InputError": "core.errors",
    "KineticReaction": "reaction.equations.kinetic",
    "Landau": "collisions.landau",
    "LenardBalescu": "collisions.lenard_balescu",
    "MappedNodes": "grids.velocity_nodes",
    "PhaseGrid": "grids.phase",
    "Problem": "runs.problem",
    "RadialGrid": "grids.radial",
    "Record": "runs.record",
    "Solution": "runs.solution",
    "Status": "stepping.status",
    "StorageError": "runs.directory",
    "ThermalNodes": "grids.velocity_nodes",
    "TorusGrid": "grids.torus",
    "TwoScale": "collisions.two_scale.equation",
    "UniformNodes": "grids.velocity_nodes",
    "VelocityGrid": "grids.cartesian",
    "WalledGrid": "grids.walls",
    "__version__": "core.version:VERSION",
    "bootstrap_constant": "theorems.gualdani2025.bootstrap",
    "case": "cases.catalogue",
    "check": "theorems",
    "checks": "theorems",
    "convergence": "cases.convergence",
    "dispersion": "screening.dispersion:",
    "distributions": "distributions:",
    "functionals": "distributions.functionals:",
    "linearized": "collisions.linear.linearized",
    "open": "runs.opened:open_run",
    "potentials": "screening.potentials:",
    "reaction": "reaction:",
    "resolved": "cases.resolved",
    "resume": "runs.solve",
    "solve": "runs.solve",
    "storable": "core.registry",
    "verify": "runs.integrity",
}
"""Public name -> the module below `relaxon` that has it; after a colon its name there, if it is
another one, or nothing for the module itself."""

__all__ = list(PUBLIC)


def __getattr__(name: str) -> object:
    if name not in PUBLIC:
        raise AttributeError(f"module 'relaxon' has no attribute {name!r}")
    where, colon, inner = PUBLIC[name].partition(":")
    module = importlib.import_module(f"relaxon.{where}")
    value = getattr(module, inner or name) if inner or not colon else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(PUBLIC)
