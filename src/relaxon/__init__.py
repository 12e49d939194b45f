"""relaxon: relaxation to equilibrium in kinetic theory.

Solve a nonlinear kinetic equation, measure what the theory speaks of, check the theorem.
"""

import jax

jax.config.update("jax_enable_x64", True)

from relaxon import distributions, functionals  # noqa: E402
from relaxon.blowdown import BlowdownDistances, TwoScale, bootstrap_constant  # noqa: E402
from relaxon.collisions.landau import Landau  # noqa: E402
from relaxon.errors import InputError  # noqa: E402
from relaxon.grids.radial import RadialGrid  # noqa: E402
from relaxon.problem import Problem, Record  # noqa: E402
from relaxon.solution import Solution  # noqa: E402
from relaxon.solve import resume, solve  # noqa: E402
from relaxon.status import Status  # noqa: E402
from relaxon.storage import StorageError  # noqa: E402
from relaxon.storage import open_run as open  # noqa: E402
from relaxon.theorems.check import check, checks  # noqa: E402

__all__ = [
    "BlowdownDistances",
    "InputError",
    "Landau",
    "Problem",
    "RadialGrid",
    "Record",
    "Solution",
    "Status",
    "StorageError",
    "TwoScale",
    "bootstrap_constant",
    "check",
    "checks",
    "distributions",
    "functionals",
    "open",
    "resume",
    "solve",
]
