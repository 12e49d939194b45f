"""The kinetic reaction model of neumann2016: its linear theory and its hypocoercive rates."""

from relaxon.grids.confinement import confinement
from relaxon.reaction.theory.confined_rates import (
    confined_dms_constants,
    confined_functional_rate,
    confined_rates,
    poincare_constant,
)
from relaxon.reaction.theory.confined_spectrum import confined_gap
from relaxon.reaction.theory.h1_method import h1_functional_rate, h1_rate
from relaxon.reaction.theory.hypocoercivity import (
    dms_constants,
    dms_rate,
    functional_rate,
    hypocoercive_rates,
    rate_map,
)
from relaxon.reaction.theory.semigroup import linear_decay
from relaxon.reaction.theory.spectrum import (
    critical_wavenumber,
    dispersion,
    landau_poles,
    limit_diffusivity,
    spectral_gap,
)
from relaxon.reaction.theory.torus_gap import torus_gap

__all__ = [
    "confined_dms_constants",
    "confined_functional_rate",
    "confined_gap",
    "confined_rates",
    "confinement",
    "critical_wavenumber",
    "dispersion",
    "dms_constants",
    "dms_rate",
    "functional_rate",
    "h1_functional_rate",
    "h1_rate",
    "hypocoercive_rates",
    "landau_poles",
    "limit_diffusivity",
    "linear_decay",
    "poincare_constant",
    "rate_map",
    "spectral_gap",
    "torus_gap",
]
