"""Problem and Record: what they accept, what they refuse, and in which words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import relaxon as rx
from relaxon.collisions.fokker_planck import FokkerPlanck
from relaxon.runs.record import SHORTEST


def refused(call):
    with pytest.raises(rx.InputError) as error:
        call()
    return str(error.value)


def test_a_problem_holds_a_checked_array(grid, mixture):
    problem = rx.Problem(rx.Landau(), grid, np.asarray(mixture).tolist())
    np.testing.assert_array_equal(problem.f0, mixture)
    assert problem.f0.dtype == np.float64


def test_bad_data(grid, mixture):
    f = np.array(mixture)

    def problem(values):
        return refused(lambda: rx.Problem(rx.Landau(), grid, values))

    assert problem(f[:-1]) == "f0 must have the grid's shape (100,), but has (99,)."
    assert problem("abc") == "f0 must be an array of numbers, but is 'abc'."
    assert problem(0 * f) == "f0 must not vanish everywhere."
    bad = f.copy()
    bad[3:5] = math.nan
    assert problem(bad) == "f0 must be finite, but has 2 values that are NaN or infinite."
    bad[3:5] = -0.25
    assert problem(bad) == "f0 must be >= 0, but its minimum is -0.25."


def test_boxes_of_the_wrong_size(grid):
    r = np.asarray(grid.r)
    cut = refused(lambda: rx.Problem(rx.Landau(), grid, np.exp(-r)))
    assert cut.startswith(
        "r_max = 12 is too small for the tail of f0, which falls like r^-11.5 there"
    )
    shell = refused(lambda: rx.Problem(rx.Landau(), grid, np.exp(-4 * (r - 4) ** 2)))
    assert shell.startswith("r_max = 12 is too small for the Maxwellian that f0 relaxes to")
    cold = np.exp(-(r**2) * 50)
    rx.Problem(rx.Landau(), grid, cold)  # a box may be larger than the Maxwellian's number range
    bath = refused(lambda: rx.Problem(FokkerPlanck(0.01), grid, cold))
    assert bath.startswith("r_max = 12 is too large: the Maxwellian of the bath (temperature 0.01)")


def test_an_equation_refuses_its_grid(mixture):
    grid, hard = rx.RadialGrid(3, 100, 12.0, 0.05), rx.Landau(gamma=1.0)
    assert "needs gamma = -3" in refused(lambda: rx.Problem(hard, grid, mixture))


@given(t_end=st.floats(SHORTEST, 1e300), n=st.integers(2, 60))
def test_a_schedule_increases_from_0_to_the_end(t_end, n):
    times = rx.Record(n=n).schedule(t_end)
    assert times[0] == 0 and times[-1] == t_end
    assert np.all(np.diff(times) > 0)
    assert len(times) == (n if 1e-4 * t_end >= SHORTEST else 2)


@given(st.lists(st.floats(0, 100), max_size=8), st.floats(1e-3, 50))
def test_given_times_are_sorted_made_unique_and_cut(times, t_end):
    schedule = rx.Record(times=times).schedule(t_end)
    inside = sorted({t for t in times if SHORTEST <= t < t_end})
    np.testing.assert_array_equal(schedule, [0.0, *inside, t_end])


def test_special_schedules():
    np.testing.assert_array_equal(rx.Record().schedule(0.0), [0.0])
    np.testing.assert_array_equal(rx.Record(n=3, first=0.5).schedule(2.0), [0.0, 0.5, 2.0])
    np.testing.assert_array_equal(rx.Record(n=9, first=5.0).schedule(2.0), [0.0, 2.0])
    np.testing.assert_array_equal(rx.Record(times=0.5).schedule(1.0), [0.0, 0.5, 1.0])


def test_bad_records():
    assert refused(lambda: rx.Record(n=1)) == "A record needs n >= 2 times, but n is 1."
    assert refused(lambda: rx.Record(n=2.5)) == "A record needs n >= 2 times, but n is 2.5."
    assert refused(lambda: rx.Record(times=[-1])) == "Recorded times must be finite and >= 0."
    assert refused(lambda: rx.Record(times=[math.nan])) == "Recorded times must be finite and >= 0."
    sentence = "The first recorded time must be positive and finite, but is 0."
    assert refused(lambda: rx.Record(first=0)) == sentence
