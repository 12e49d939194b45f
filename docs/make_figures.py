"""Make the figures of the documentation with the code: python docs/make_figures.py (a minute)."""

import pathlib

import relaxon as rx
from relaxon import plot

FIGURES = pathlib.Path(__file__).parent / "figures"


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    bump = rx.case("blowdown").solve()
    for name in ("density", "norms", "invariants", "entropy"):
        plot.save(plot.draw(bump, name), FIGURES / f"blowdown-{name}.svg")
    late = rx.case("blowdown-late").solve()
    plot.save(plot.draw(late, "decay"), FIGURES / "blowdown-decay.svg")


if __name__ == "__main__":
    main()
