"""Docstrings: formulas as TeX reads them, examples that print what they show."""

import ast
import doctest
import importlib
import pathlib

import pytest

SOURCE = pathlib.Path(__file__).parents[2] / "src" / "relaxon"
FILES = sorted(SOURCE.rglob("*.py"))
NODES = ast.Module | ast.ClassDef | ast.FunctionDef


def docstrings(path):
    """(line, source text) of every docstring of a file."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, NODES) and ast.get_docstring(node) is not None:
            literal = node.body[0].value
            yield literal.lineno, ast.get_source_segment(text, literal)


def spoiled(source):
    r"""Whether TeX would get a command wrong: `\\int` in a raw string, `\int` in a plain one.

    A raw docstring may break a line of a matrix with two backslashes, but no word follows them.
    """
    doubled = any(part[:1].isalpha() or part[:1] in ",;{}" for part in source.split("\\\\")[1:])
    return doubled or ("\\" in source and not source.startswith("r"))


@pytest.mark.parametrize(
    "source, wrong",
    [
        ('r"""$\\int f$"""', False),
        ('r"""$a \\\\ b$"""', False),
        ('r"""$\\\\int f$"""', True),
        ('"""$\\int f$"""', True),
        ('"""$\\\\int f$"""', True),
    ],
)
def test_a_spoiled_formula_is_seen(source, wrong):
    assert spoiled(source) is wrong


def test_no_formula_has_doubled_backslashes():
    wrong = [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in FILES
        for line, source in docstrings(path)
        if spoiled(source)
    ]
    assert not wrong


WITH_EXAMPLES = [path for path in FILES if ">>>" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_examples_print_what_they_show(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testmod(module, optionflags=flags)
    assert found.attempted and not found.failed
