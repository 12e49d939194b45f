"""Settings of objects: written, read, refused."""

import dataclasses
import json

import pytest

import relaxon as rx
from relaxon.core.registry import from_spec, settings, storable, to_spec


@storable
@dataclasses.dataclass(frozen=True)
class Shift:
    by: float
    inner: object = None


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text", [1, "a", None], Shift(1.0)])
def test_round_trip_through_json(value):
    assert from_spec(json.loads(json.dumps(to_spec(value)))) == value


def test_objects_nest():
    value = Shift(1.0, Shift(2.0, [Shift(3.0)]))
    assert from_spec(to_spec(value)) == value


def test_equations_and_grids_round_trip(grid):
    again = from_spec(to_spec(grid))
    assert settings(again) == settings(grid)
    landau = rx.Landau(reaction=0.5)
    assert settings(from_spec(to_spec(landau))) == settings(landau)


def test_what_is_not_registered_is_refused():
    with pytest.raises(rx.InputError, match=r"cannot be stored in a run directory; .*Landau"):
        to_spec(lambda t, f, grid: 0.0)
    with pytest.raises(rx.InputError, match=r"Unknown class 'Landua'\. Did you mean 'Landau'"):
        from_spec({"class": "Landua", "settings": {}})
