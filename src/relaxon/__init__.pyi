"""Public names; `python3 tasks.py stub` writes this file from `PUBLIC`."""

from relaxon import distributions as distributions
from relaxon import reaction as reaction
from relaxon.cases.catalogue import Case as Case
from relaxon.cases.catalogue import case as case
from relaxon.cases.convergence import convergence as convergence
from relaxon.cases.resolved import resolved as resolved
from relaxon.collisions.landau import Landau as Landau
from relaxon.collisions.lenard_balescu import LenardBalescu as LenardBalescu
from relaxon.collisions.linear.linearized import linearized as linearized
from relaxon.collisions.two_scale.equation import TwoScale as TwoScale
from relaxon.core.errors import InputError as InputError
from relaxon.core.registry import storable as storable
from relaxon.core.version import VERSION as __version__
from relaxon.distributions import functionals as functionals
from relaxon.grids.cartesian import VelocityGrid as VelocityGrid
from relaxon.grids.confined_line import ConfinedLine as ConfinedLine
from relaxon.grids.confined_phase import ConfinedGrid as ConfinedGrid
from relaxon.grids.phase import PhaseGrid as PhaseGrid
from relaxon.grids.radial import RadialGrid as RadialGrid
from relaxon.grids.torus import TorusGrid as TorusGrid
from relaxon.grids.velocity_nodes import MappedNodes as MappedNodes
from relaxon.grids.velocity_nodes import ThermalNodes as ThermalNodes
from relaxon.grids.velocity_nodes import UniformNodes as UniformNodes
from relaxon.grids.walls import WalledGrid as WalledGrid
from relaxon.reaction.equations.confined import ConfinedReaction as ConfinedReaction
from relaxon.reaction.equations.kinetic import KineticReaction as KineticReaction
from relaxon.runs.directory import StorageError as StorageError
from relaxon.runs.integrity import verify as verify
from relaxon.runs.opened import open_run as open
from relaxon.runs.problem import Problem as Problem
from relaxon.runs.record import Record as Record
from relaxon.runs.solution import Solution as Solution
from relaxon.runs.solve import resume as resume
from relaxon.runs.solve import solve as solve
from relaxon.screening import dispersion as dispersion
from relaxon.screening import potentials as potentials
from relaxon.stepping.status import Status as Status
from relaxon.theorems import check as check
from relaxon.theorems import checks as checks
from relaxon.theorems.gualdani2025.bootstrap import bootstrap_constant as bootstrap_constant

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
    "convergence",
    "dispersion",
    "distributions",
    "functionals",
    "linearized",
    "open",
    "potentials",
    "reaction",
    "resolved",
    "resume",
    "solve",
    "storable",
    "verify",
]
