"""What docstrings and pages name exists: files of tests, modules and objects of the package."""

import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TEXTS = [
    path
    for folder in ("src", "docs", "examples", "validation")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".md", ".rst", ".toml")
] + sorted(ROOT.glob("*.md"))


def found(pattern):
    """(where, what) for every match; a path or name that is broken over two lines is joined."""
    for path in TEXTS:
        text = re.sub(r"(?<=[\w/])([/.])\n\s+(?=[a-z_])", r"\1", path.read_text())
        for match in re.finditer(pattern, text):
            yield f"{path.relative_to(ROOT)}: {match.group()}", match.group()


def exists(name):
    """Whether a dotted name is a module of the package or can be reached from one."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        for part in parts[k:]:
            known = getattr(value, "__annotations__", {})
            if part not in known and getattr(value, part, None) is None:
                return False
            value = getattr(value, part, None)
        return True
    return False


def test_tests_that_are_named_exist():
    missing = [where for where, path in found(r"tests/[\w/]+\.\w+") if not (ROOT / path).exists()]
    assert not missing


def test_dotted_names_lead_somewhere():
    pattern = r"(?<![\w/.-])relaxon(?:\.[A-Za-z_]\w*)+"
    names = {}
    for where, name in found(pattern):
        names.setdefault(name, where)
    assert len(names) > 100
    missing = [where for name, where in sorted(names.items()) if not exists(name)]
    assert not missing


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("relaxon.solve", True),
        ("relaxon.numerics.fits.power_law", True),
        ("relaxon.numerics.fits.nothing", False),
        ("relaxon.nothing", False),
    ],
)
def test_a_name_that_leads_nowhere_is_seen(name, there):
    assert exists(name) is there
