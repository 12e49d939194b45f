"""A catalogue finds what the modules of a package enter."""

import sys

import pytest

from relaxon.core.catalogue import Catalogue
from relaxon.core.errors import InputError

MODULE = """
from zoo import ANIMALS
ANIMALS.enter({name!r}, __name__, {name!r}.upper())
"""


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    folder = tmp_path / "zoo"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from relaxon.core.catalogue import Catalogue\nANIMALS = Catalogue('animal', 'zoo')\n"
    )
    for file, name in (("b.py", "ape"), ("a.py", "zebra"), ("c.py", "cat")):
        (folder / file).write_text(MODULE.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "zoo"]:
        del sys.modules[name]


def test_modules_are_imported_when_asked_and_ordered_by_name(zoo):
    from zoo import ANIMALS

    assert "zoo.a" not in sys.modules
    assert ANIMALS["ape"] == "APE"
    assert list(ANIMALS.all()) == ["zebra", "ape", "cat"]
    with pytest.raises(InputError, match="Did you mean 'cat'"):
        ANIMALS["cta"]


def test_the_order_does_not_depend_on_what_was_imported_first(zoo):
    from zoo import ANIMALS

    assert list(ANIMALS.all()) == ["zebra", "ape", "cat"]


def test_a_name_can_be_taken_once():
    found = Catalogue("thing", "nowhere")
    found.enter("x", "one", 1)
    found.enter("x", "one", 2)
    with pytest.raises(AssertionError, match="two and one both define the thing 'x'"):
        found.enter("x", "two", 3)
