import dataclasses

import pytest

import relaxon
from relaxon.cases import files as config
from relaxon.core import entries
from relaxon.core.errors import InputError
from relaxon.grids.radial import CELL

TABLES = {
    "description": "A line",
    "equation": {"type": "Landau"},
    "grid": {"type": "RadialGrid", "n": 100},
    "initial": {"type": "blowdown", "delta": 1e-2, "alpha": 0.3},
    "run": {"t_end": 0.5},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-6", 1e-6),
        ("-.5", -0.5),
        ("true", True),
        ("[1, 2.5]", [1, 2.5]),
        ('["a"]', ["a"]),
        ("inf", float("inf")),
        ("half", "half"),
        ("1e", "1e"),
    ],
)
def test_values_are_read_as_what_they_look_like(text, value):
    found = config.parse_value(text)
    assert found == value
    assert type(found) is type(value)


def test_a_file_gives_the_objects_that_a_script_builds():
    found = config.parse(TABLES)
    grid = found.grid.build(width=found.initial.width())
    assert (grid.n, float(grid.r_min), float(grid.r_max)) == (100, 0.1, 12.0)
    assert found.equation.build().gamma == -3.0
    assert (found.run.t_end, found.run.rtol) == (0.5, 1e-6)


def test_the_number_of_cells_follows_from_delta():
    tables = {**TABLES, "grid": {"type": "RadialGrid"}}
    counts = {}
    for delta in (1e-2, 1e-6, 1e-12):
        found = config.parse(tables, {"delta": delta})
        grid = found.grid.build(width=found.initial.width())
        counts[delta] = grid.n
        assert float(grid.dx) <= CELL
    # one decade of width costs log(10) of the mapped coordinate
    assert counts[1e-12] - counts[1e-6] == pytest.approx(3 * 2.302585 / CELL, abs=1)


def test_a_plain_key_and_a_key_with_its_table():
    assert config.parse(TABLES, {"delta": 1e-3}).initial.values["delta"] == 1e-3
    assert config.parse(TABLES, {"initial.delta": 1e-3}).initial.values["delta"] == 1e-3


def test_settings_are_a_configuration_again():
    found = config.parse(TABLES, {"rtol": 1e-8})
    stored = found.settings()
    assert config.parse(stored).settings() == stored


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dleta": 1}, "Did you mean 'delta'"),
        ({"initial.dleta": 1}, "Did you mean 'delta'"),
        ({"inital.delta": 1}, "Did you mean 'initial'"),
        ({"delta": "1"}, "delta must be a number, but is '1'"),
        ({"n": 10.0}, "n must be a whole number, but is 10.0"),
        ({"towards_end": 1}, "towards_end must be true or false"),
    ],
)
def test_bad_settings(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        config.parse(TABLES, settings)


def test_a_file_can_name_what_a_decorator_enters(monkeypatch):
    monkeypatch.setattr(entries, "_TABLES", {**entries._TABLES, "initial": {}})

    @entries.datum("point", width=lambda speed: speed)
    def point(grid, speed: float, times: list[int] | None = None):
        return speed

    found = config.parse({**TABLES, "initial": {"type": "point", "speed": 2}})
    assert found.initial.width() == found.initial.build(grid=None) == 2.0
    assert found.settings()["initial"] == {"type": "point", "speed": 2.0}
    with pytest.raises(InputError, match="needs a value for speed"):
        config.parse({**TABLES, "initial": {"type": "point"}})
    with pytest.raises(AssertionError, match=r"one type of \[initial\]: point"):
        entries.datum("point")(lambda grid: 0)


def test_a_configuration_does_not_change():
    with pytest.raises((dataclasses.FrozenInstanceError, ValueError)):
        config.parse(TABLES).initial.values = {}
    with pytest.raises((dataclasses.FrozenInstanceError, ValueError)):
        config.parse(TABLES).run.t_end = 2.0


def test_a_setting_stands_in_for_the_one_it_excludes():
    """The case has v_max and T2; no need to take them out first."""
    algebraic = {"name": "algebraic", "k": 3}
    grid = relaxon.case("reaction-p1", scale=1.0, chi1=algebraic, chi2=algebraic).problem.grid
    assert type(grid.velocity).__name__ == "MappedNodes"
    found = relaxon.case("reaction-2d", chi2="two-bump", nodes=20).problem.equation
    assert found.chi2.parameters == ()
    with pytest.raises(InputError, match="either v_max or scale, not both"):
        assert relaxon.case("reaction-p1", scale=1.0, v_max=6.0).problem
    with pytest.raises(InputError, match="leave T1, T2 out"):
        assert relaxon.case("reaction-2d", chi2=algebraic, T2=0.5).problem
