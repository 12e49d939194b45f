"""The table of rates of docs/explanation/hypocoercivity.md for profiles that are not Gaussians.

Run `python docs/make_rates_table.py` and paste. All profiles are scaled to variance one along the
wave vector, so that only their shape differs.
"""

import numpy as np

from relaxon.core.errors import InputError
from relaxon.distributions.marginals import DensityMarginal, GaussianMarginal
from relaxon.distributions.profiles import profile
from relaxon.reaction import dms_rate, functional_rate, h1_functional_rate, h1_rate, torus_gap

SHAPES = {
    "Gaussian": profile("gaussian"),
    "algebraic, $k = 6$": profile("algebraic", k=6.0),
    "algebraic, $k = 4$": profile("algebraic", k=4.0),
    "algebraic, $k = 2$": profile("algebraic", k=2.0),
    "two-bump, separation 2, variance 1/4": profile("two-bump"),
}


def shape(chi):
    """The marginal on the line, stretched to variance one."""
    marginal = chi.marginal()
    width = np.sqrt(marginal.moment(2))
    if isinstance(marginal, GaussianMarginal):
        return marginal
    return DensityMarginal(lambda v: width * marginal.density(width * np.asarray(v)))


def row(name, chi, r):
    """One line of the table."""
    p, cells = shape(chi), []
    for method in (torus_gap, functional_rate, dms_rate, h1_functional_rate, h1_rate):
        try:
            cells.append(f"{method(r, p, p).rate:.4f}")
        except InputError:
            cells.append("none")
    return f"| {name} | {r:g} | {' | '.join(cells)} |"


def table():
    """All lines, in the order of the page."""
    return [row(name, chi, r) for name, chi in SHAPES.items() for r in (1.0, 2.0)]


if __name__ == "__main__":
    print("\n".join(table()))
