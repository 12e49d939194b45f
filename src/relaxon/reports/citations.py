"""The papers that runs and statements refer to by key."""

PAPERS = {
    "gualdani2025": (
        "M. P. Gualdani, R. Winter, A blow-down mechanism for the Landau-Coulomb equation, "
        "J. Funct. Anal. (2025) 110816, https://doi.org/10.1016/j.jfa.2024.110816"
    ),
    "duerinckx2023": (
        "M. Duerinckx, R. Winter, Well-posedness of the Lenard-Balescu equation with smooth "
        "interactions (2023)"
    ),
    "neumann2016": (
        "L. Neumann, C. Schmeiser, A kinetic reaction model: decay to equilibrium and macroscopic "
        "limit (2016)"
    ),
}
METHOD = (
    "Time steps: Rodas5P, G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and "
    "numerical benchmarks within the Julia Differential Equations package, BIT 63 (2023) 27"
)


def cite(sources: list[str]) -> list[str]:
    """The papers whose keys occur in the sources, in the order of the list above."""
    text = " ".join(sources)
    return [paper for key, paper in PAPERS.items() if key in text]
