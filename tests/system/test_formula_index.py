"""The generated index of formulas is fresh."""

import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).parents[2]


def loaded():
    spec = importlib.util.spec_from_file_location("make_index", ROOT / "docs" / "make_index.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mentions_are_read():
    found = loaded().mentions("Source: gualdani2025 (2.12)-(2.14); neumann2016, Lemma 3.1 and (9).")
    assert found == {
        ("gualdani2025", "(2.12)"),
        ("gualdani2025", "(2.13)"),
        ("gualdani2025", "(2.14)"),
        ("neumann2016", "Lemma 3.1"),
        ("neumann2016", "(9)"),
    }


def test_the_index_is_fresh():
    index = loaded()
    assert index.PAGE.read_text(encoding="utf-8") == index.page(), (
        "run `python docs/make_index.py` and commit docs/reference/formulas.md"
    )
