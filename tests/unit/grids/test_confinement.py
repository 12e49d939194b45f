"""Confining potentials: intervals, storage, refusals."""

import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.core.registry import from_spec, to_spec
from relaxon.grids.confined_line import ConfinedLine
from relaxon.grids.confinement import Confinement, confinement


@pytest.mark.parametrize("stiffness", [1e-8, 1.0, 3.0, 1e8])
def test_interval_of_a_harmonic_potential(stiffness):
    low, high, least = confinement("harmonic", stiffness=stiffness).interval(24.0)
    assert least == 0.0
    end = np.sqrt(48 / stiffness)
    np.testing.assert_allclose([low, high], [-end, end], rtol=1e-7)


def test_interval_of_the_others():
    low, high, _ = confinement("quartic", strength=2.0).interval(20.0)
    np.testing.assert_allclose([low, high], [-(40**0.25), 40**0.25], rtol=1e-12)
    low, high, least = confinement("double-well", barrier=3.0, distance=1.5).interval(24.0)
    np.testing.assert_allclose(high, 1.5 * np.sqrt(1 + np.sqrt(8.0)), rtol=1e-6)
    assert abs(least) < 1e-6

    def far(x):
        return 0.5 * (x - 1000.0) ** 2 - 7.0

    low, high, least = confinement(far).interval(24.0)
    np.testing.assert_allclose([low, high], [1000 - np.sqrt(48), 1000 + np.sqrt(48)], rtol=1e-9)
    np.testing.assert_allclose(least, -7.0, atol=1e-5)

    def lopsided(x):
        return np.exp(x) - 2 * x

    low, high, _ = confinement(lopsided).interval(24.0)
    for end in (low, high):
        np.testing.assert_allclose(lopsided(end), 24 + 2 - 2 * np.log(2.0), atol=1e-5)


def test_named_potentials_are_stored_and_compare_equal():
    given = confinement("double-well", barrier=3)
    again = from_spec(to_spec(given))
    assert again == given and hash(again) == hash(given)
    np.testing.assert_array_equal(again(np.array([0.0, 1.0])), [3.0, 0.0])
    line = ConfinedLine(given, 12)
    copy = from_spec(to_spec(line))
    np.testing.assert_array_equal(copy.nodes, line.nodes)
    assert confinement(given) is given


def test_a_callable_works_but_cannot_be_stored():
    def steep(x):
        return np.cosh(x)

    potential = confinement(steep)
    assert isinstance(potential, Confinement) and potential.name == "steep"
    with pytest.raises(InputError, match="callable and cannot be stored"):
        to_spec(potential)


@pytest.mark.parametrize(
    "formula, message",
    [
        (lambda x: 0.0 * x, "does not confine"),
        (lambda x: x, "does not confine"),
        (lambda x: -(x**2), "does not confine"),
        (lambda x: np.arctan(x) ** 2, "does not confine"),
        (lambda x: np.where(x > 3, np.nan, x**2), "not a finite number"),
        (lambda x: np.zeros(3), "must return shape"),
        (lambda x: 100 * ((x / 2) ** 2 - 1) ** 2, "barrier higher than depth"),
    ],
)
def test_what_does_not_confine_is_refused(formula, message):
    with pytest.raises(InputError, match=message):
        ConfinedLine(formula, 16)


def test_wrong_names_and_numbers():
    with pytest.raises(InputError, match=r"Unknown potential '\[\]'\. Allowed: double-well"):
        confinement([])
    with pytest.raises(InputError, match=r"Unknown potential 'harmonik'\. Did you mean 'harmonic'"):
        confinement("harmonik")
    with pytest.raises(InputError, match="stifness"):
        confinement("harmonic", stifness=1)
    with pytest.raises(InputError, match="stiffness must be positive, but is -1"):
        confinement("harmonic", stiffness=-1)
    with pytest.raises(InputError, match="takes no settings"):
        confinement(np.cosh, strength=1)
    with pytest.raises(InputError, match=r"n must be an integer in 4\.\.\.256"):
        ConfinedLine("harmonic", 3)
    with pytest.raises(InputError, match="depth must lie between"):
        ConfinedLine("harmonic", 8, depth=100)
