"""Grids and tolerances that are chosen for a wanted accuracy."""

import pytest

import relaxon as rx
from relaxon.cases.rounds import better


def test_what_makes_the_larger_error_is_made_better():
    start = rx.case("reaction-p1", n=16)
    assert better(start, grid=False) == {"run.rtol": pytest.approx(1e-7)}
    found = better(start, grid=True)
    assert found == {"grid.n": 24, "grid.nodes": 36, "grid.v_max": pytest.approx(6.6)}
    assert better(start, grid=True, only=["nodes"]) == {"grid.nodes": 36}
    assert better(start, grid=True, only=["v_max"]) == {"grid.v_max": pytest.approx(6.6)}


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("blowdown", 0.0), r"accuracy must lie in \(0, 1\), but is 0.0"),
        (("blowdown", "high"), r"accuracy must lie in \(0, 1\), but is 'high'"),
        (("blowdown", 1e-3, 0), "rounds must be an integer of at least 1, but is 0"),
        ((3,), "resolved needs a case, but got a int"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments, sentence):
    with pytest.raises(rx.InputError, match=sentence):
        rx.resolved(*arguments)


@pytest.mark.slow
def test_a_coarse_case_is_refined_until_it_is_accurate():
    start = rx.case("blowdown", delta=1e-2, n=50, times=4, t_end=0.1)
    found = rx.resolved(start, 1e-4)
    errors = [error for _, error in found.rounds]
    assert len(errors) > 1 and errors[-1] <= 1e-4 < errors[0]
    exact = rx.case("blowdown", delta=1e-2, n=400, times=4, t_end=0.1, rtol=1e-9).solve()
    value, wanted = (s.diagnostics["distance_m"][-1] for s in (found.solution, exact))
    assert value == pytest.approx(wanted, rel=3e-4)
    assert str(found).splitlines()[-1].endswith(f"n = {found.case.problem.grid.n}")


@pytest.mark.slow
def test_an_accuracy_out_of_reach_is_one_sentence():
    start = rx.case("blowdown", delta=1e-2, n=50, times=2, t_end=0.1)
    with pytest.raises(rx.InputError, match="is not reached in 1 rounds: the least error is"):
        rx.resolved(start, 1e-8, rounds=1)
