"""Imports go down one list of modules, and no file grows without end."""

import ast
import pathlib

import pytest

SOURCE = pathlib.Path(__file__).parents[2] / "src" / "relaxon"

# A module may import modules of its own line and of the lines above it. Names ending in a dot
# stand for all modules of a package. A new module must be given its place here.
ORDER = [
    ["version", "errors", "registry", "status", "fits", "citations"],
    ["solution"],
    ["grids."],
    ["distributions", "functionals"],
    [
        "parallel",
        "split",
        "special",
        "rational_screening",
        "wavenumber_panels",
        "plasma_function",
        "hilbert",
    ],
    ["potential_forms"],
    ["custom_potential"],
    ["potentials"],
    ["penrose", "modes", "dispersion", "radon"],
    ["stepping.", "collisions.", "blowdown", "reaction.", "reaction"],
    ["problem"],
    ["methods"],
    ["storage", "progress"],
    ["observables", "observables_reaction"],
    ["solve", "summary_reaction"],
    ["sweep", "blowup"],
    ["theorems.", "theorems"],
    ["config", "config_reaction", "config_velocity"],
    ["case", "cases."],
    ["summary", "plot", "plot_reaction", "plot_screening", "plot_velocity"],
    ["report", "doctor"],
    ["cli"],
    ["__init__", "__main__"],
]

# Imports inside functions that go up the list, and why.
LATE = {
    ("solution", "storage"),  # a solution saves itself; the store is loaded when it does
    ("distributions", "reaction.profiles"),  # `profile` is a name of the public contract there
}


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if parts[-1] == "__init__" and len(parts) > 1:
            continue
        yield ".".join(parts), path


def line_of(name):
    for k, names in enumerate(ORDER):
        if any(name == n or (n.endswith(".") and name.startswith(n)) for n in names):
            return k
    return None


def imported(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "relaxon":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("relaxon."):
                base = node.module.removeprefix("relaxon.")
                inner = [f"{base}.{a.name}" for a in node.names]
                packages = [n for n in inner if (SOURCE / (n.replace(".", "/") + ".py")).exists()]
                found |= set(packages) or {base}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("relaxon.") for a in node.names if "relaxon." in a.name}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"relative import in {path}"
    return found


@pytest.mark.parametrize(
    "name, path", list(modules()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_imports_go_down_the_list(name, path):
    place = line_of(name)
    assert place is not None, f"{name} has no place in ORDER"
    for other in imported(path):
        target = line_of(other)
        assert target is not None, f"{name} imports {other}, which has no place in ORDER"
        assert target <= place or (name, other) in LATE, f"{name} must not import {other}"


@pytest.mark.parametrize(
    "name, path", list(modules()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_no_file_exceeds_600_lines(name, path):
    assert len(path.read_text().splitlines()) <= 600
