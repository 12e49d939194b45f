"""The papers whose theory the equations follow, by the key that docstrings and checks use."""

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
