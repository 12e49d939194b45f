"""Make the figures of docs/explanation/screening.md: python docs/make_screening_figures.py."""

import pathlib

import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure

import relaxon as rx
from relaxon.reports.figures import catalogue, screening, style
from relaxon.screening.dispersion import z_maxwellian
from relaxon.screening.potentials import Coulomb, Gaussian, Yukawa

FIGURES = pathlib.Path(__file__).parent / "figures"


def weights() -> Figure:
    """K(u)/K_0 at the Maxwellian mu_1 for three potentials, and the edge of the resonance."""
    u = np.linspace(0.0, 6.0, 1201)
    z = z_maxwellian(jnp.asarray(u))
    figure, (left, right) = style.panels(2, 3.2)
    shown = (
        (Gaussian(3), "Gaussian, $A = 1$"),
        (Gaussian(3, 0.2), "Gaussian, $A = 0.2$"),
        (Yukawa(3, 0.2, 1.0, k_max=20.0), "Yukawa, $A = 0.2$"),
    )
    for (potential, label), colour in zip(shown, (style.BLUE, style.ORANGE, style.GREEN)):
        k = np.asarray(potential.screening(z)) / float(potential.k0())
        left.semilogy(u, k, color=colour, label=label)
    left.axhline(1.0, color="black", ls="--", lw=0.9, label="Landau")
    left.set_xlabel("$u$")
    left.set_ylabel("$K(u) / K_0$")
    left.set_title(r"(a) at the Maxwellian $\mu_1$", loc="left")
    left.legend(loc="best")
    u = np.linspace(3.9, 4.5, 4001)
    z = z_maxwellian(jnp.asarray(u))
    for potential, label, colour in (
        (Gaussian(3), "Gaussian, $A = 1$", style.BLUE),
        (Coulomb(3, 10.0), r"Coulomb, $k \leq 10$", style.RED),
    ):
        right.semilogy(u, np.asarray(potential.screening(z)), color=colour, label=label)
    right.set_xlabel("$u$")
    right.set_ylabel("$K(u)$")
    right.set_title("(b) the edge of the resonance", loc="left")
    right.legend(loc="lower left")
    return figure


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    with matplotlib.rc_context(style.STYLE):
        catalogue.save(weights(), FIGURES / "screening-weight.svg")
        u = np.linspace(0.0, 6.0, 500)
        z = z_maxwellian(jnp.asarray(u))
        catalogue.save(
            screening.dispersion_map(Gaussian(3), u, z), FIGURES / "screening-dispersion.svg"
        )
        screened, bare = (rx.case(name).solve() for name in ("screened-mixture", "bare-mixture"))
        catalogue.save(screening.comparison(screened, bare), FIGURES / "screening-comparison.svg")
        catalogue.save(screening.screening(screened), FIGURES / "screening-run.svg")


if __name__ == "__main__":
    main()
