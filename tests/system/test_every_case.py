"""Every ready-made case takes two steps, and a run stopped after the first one goes on to them."""

import dataclasses
import importlib

import equinox as eqx
import numpy as np
import pytest

import relaxon as rx
from relaxon.cases.catalogue import case_files
from relaxon.runs.functionals import prepared
from relaxon.runs.methods import stepper_for

SOLVE = importlib.import_module("relaxon.runs.solve")

# Small, and one size for all cases of one grid: what is compiled for one serves the others.
SIZES = {
    "RadialGrid": {"n": 60},
    "VelocityGrid": {},
    "TorusGrid": {"n": 8},
    "PhaseGrid": {"n": 8, "nodes": 24, "v_max": 7.0},
    "WalledGrid": {"n": 8, "nodes": 24, "v_max": 7.0},
    "ConfinedGrid": {"n": 12, "nodes": 8},
}
OTHERS = {"reaction-2d": {"n": 8, "nodes": 12, "v_max": 5.0}, "bi-maxwellian": {"n": 16}}
REFUSED = {"drifting-unstable": "Penrose-unstable"}
SLOW = {"bi-maxwellian", "drifting", "landau-limit", "reaction-2d", "reaction-walls", "two-scale"}
CASES = [
    pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
    for name in sorted(case_files())
]


def small(name):
    settings = OTHERS.get(name) or SIZES[rx.case(name).settings["grid"]["type"]]
    return rx.case(name, **settings, rtol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_a_case_takes_two_steps_and_resumes(name, tmp_path, monkeypatch):
    case = small(name)
    # Only the start and the last step are recorded: between them steps are as long as they like.
    record = dataclasses.replace(case.record, times=[case.t_end])

    def run(steps, path, start):
        monkeypatch.setattr(SOLVE, "MAX_STEPS", steps)
        return start(path)

    def begin(path):
        return rx.solve(case.problem, case.t_end, record, case.rtol, out=path)

    monkeypatch.setattr(SOLVE, "CHUNK", 1)
    if name in REFUSED:
        with pytest.raises(rx.InputError, match=REFUSED[name]):
            run(2, tmp_path / "none", begin)
        return
    whole = run(2, tmp_path / "whole", begin)
    assert whole.status in (rx.Status.STEP_LIMIT, rx.Status.DONE)
    assert whole.t[-1] > 0 and (whole.ok or whole.provenance["steps"] == 2)
    run(1, tmp_path / "part", begin)
    rest = run(2, tmp_path / "part", rx.resume)
    assert rest.status is whole.status
    np.testing.assert_array_equal(rest.t, whole.t)
    for part, values in (*whole.fields.items(), *whole.diagnostics.items()):
        again = {**rest.fields, **rest.diagnostics}[part]
        np.testing.assert_array_equal(again, values, err_msg=part)


@pytest.mark.parametrize("name", ["landau-limit", "two-scale"])
def test_what_a_case_records_is_accepted(name):
    """By its shapes alone, so that nothing of its method is compiled."""
    case = small(name)
    stepper = stepper_for(case.problem, case.rtol)
    start = eqx.filter_eval_shape(stepper.start, case.problem.f0)
    found = prepared(case.record.functionals, stepper, case.problem.grid, start)
    assert set(found) == set(case.record.functionals)
