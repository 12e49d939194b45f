"""The plan of the house: layers, insides, no circles, nothing private across modules."""

import ast
import pathlib

import pytest

SOURCE = pathlib.Path(__file__).parents[2] / "src" / "relaxon"

# Folders from the ground up: a module imports from lower lines only, and from its own folder.
LAYERS = [
    ["core"],
    ["numerics", "stepping"],
    ["grids", "screening"],
    ["distributions"],
    ["collisions", "reaction"],
    ["runs"],
    ["cases", "reports", "theorems"],
    ["cli"],
    ["__main__"],
]

# The same for the inside of folders that have parts: a star stands for all that is not named. What
# has no line here is free of circles.
INSIDE = {
    "screening": [
        ["criterion", "plasma_function", "potentials"],
        ["penrose", "waves"],
        ["dispersion"],
    ],
    "collisions": [["cartesian", "radial"], ["*"], ["linear", "two_scale"]],
    "reaction": [["equations"], ["data", "scheme", "theory"]],
    "reports": [["recorded"], ["citations", "headlines"], ["figures"], ["page"]],
    "theorems": [
        ["family"],
        ["check"],
        ["measure", "spoiled"],
        ["duerinckx2023", "gualdani2025", "neumann2016"],
    ],
}


def name_of(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").removesuffix(".")


TREES = {name_of(p): ast.parse(p.read_text()) for p in sorted(SOURCE.rglob("*.py"))}


def imports(name):
    """(module, name in it) for everything that a module of the package takes from another one."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} has a relative import"
            if node.module and node.module.split(".")[0] == "relaxon":
                base = node.module.removeprefix("relaxon").removeprefix(".")
                for alias in node.names:
                    inner = f"{base}.{alias.name}".removeprefix(".")
                    yield (inner, "") if inner in TREES else (base, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                assert not alias.name.startswith("relaxon"), f"{name}: from relaxon... import"


def floor(folders, name):
    named = next((k for k, line in enumerate(folders) if name in line), None)
    return (
        next((k for k, line in enumerate(folders) if "*" in line), None) if named is None else named
    )


def test_imports_go_down_the_layers():
    wrong = []
    for name in filter(None, TREES):
        here = name.split(".")[0]
        assert floor(LAYERS, here) is not None, f"{name} has no place in LAYERS"
        for other, _ in imports(name):
            there = other.split(".")[0]
            if there != here and not floor(LAYERS, there) < floor(LAYERS, here):
                wrong.append(f"{name} -> {other}")
    assert not wrong


def test_imports_go_down_inside_a_folder():
    wrong = []
    for name in filter(None, TREES):
        here, *rest = name.split(".")
        if here not in INSIDE or not rest:
            continue
        place = floor(INSIDE[here], rest[0])
        if place is None:  # a file of its own, such as one equation: nothing beside it needs it
            place = len(INSIDE[here])
        for other, _ in imports(name):
            there, *inner = other.split(".")
            if there == here and inner and inner[0] != rest[0]:
                found = floor(INSIDE[here], inner[0])
                if found is None or not found < place:
                    wrong.append(f"{name} -> {other}")
    assert not wrong


def test_no_circle_of_files():
    graph = {name: {other for other, _ in imports(name)} for name in TREES if name}
    while True:  # take away what imports nothing that is left; a circle stays
        free = [name for name, others in graph.items() if not others & graph.keys()]
        if not free:
            break
        for name in free:
            del graph[name]
    assert not graph, f"these files import each other: {sorted(graph)}"


def test_private_names_stay_at_home():
    wrong = []
    for name, tree in TREES.items():
        modules = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("relaxon"):
                base = (node.module + ".").removeprefix("relaxon.")
                for alias in node.names:
                    if alias.name.startswith("_") and not alias.name.startswith("__"):
                        wrong.append(f"{name}: {alias.name}")
                    if base + alias.name in TREES:
                        modules.add(alias.asname or alias.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in modules and node.attr.startswith("_"):
                    wrong.append(f"{name}: {node.value.id}.{node.attr}")
    assert not wrong


def test_no_dispatch_on_attributes_and_no_missing_methods():
    """A method of the base class, and an abstract one, stand for them."""
    wrong = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in ("hasattr", "NotImplementedError"):
                wrong.append(f"{name}:{node.lineno} {node.id}")
    assert not wrong


@pytest.mark.parametrize("limit", [600])
def test_no_file_grows_without_end(limit):
    lengths = {p.name: len(p.read_text().splitlines()) for p in SOURCE.rglob("*.py")}
    assert not {name: n for name, n in lengths.items() if n > limit}


def test_public_names_are_where_the_table_says():
    import relaxon

    for name in relaxon.PUBLIC:
        assert getattr(relaxon, name) is not None
