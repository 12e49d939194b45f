"""The progress line."""

import pytest

from relaxon.runs.progress import drift


def record(**scalars):
    return {f"scalar/{name}": value for name, value in scalars.items()}


def test_the_drift_is_relative_to_a_scale_that_is_not_zero():
    """A mass difference of zero is compared with the mass of both species at equilibrium."""
    records = [record(mass_difference=0.0), record(mass_difference=2e-16)]
    assert drift(records) == pytest.approx(1e-16)
    assert drift([record(mass=4.0, energy=1.0), record(mass=4.0, energy=1.5)]) == 0.5
    assert drift([]) == drift([record(central_value=1.0)]) == 0.0
