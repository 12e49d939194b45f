"""Named distributions, each with its formula and source, and what is measured from one.

These are the names of `relaxon.distributions`; functionals are those of `relaxon.functionals`.
"""

from relaxon.distributions.bkw import bkw
from relaxon.distributions.gaussians import gaussian_mixture, maxwellian
from relaxon.distributions.hot_spot import blowdown, blowdown_profile
from relaxon.distributions.profiles import profile
from relaxon.distributions.sampling import cell_averages, sampled

__all__ = [
    "bkw",
    "blowdown",
    "blowdown_profile",
    "cell_averages",
    "gaussian_mixture",
    "maxwellian",
    "profile",
    "sampled",
]
