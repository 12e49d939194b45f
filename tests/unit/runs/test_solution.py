"""Solution and Status: text, drift, labelled arrays."""

import json

import numpy as np
import pytest

import relaxon as rx


@pytest.fixture(scope="module")
def solution(problem):
    return rx.solve(problem, 1.0, rx.Record(n=4))


def test_text_tells_status_time_steps_and_drift(solution):
    lines = str(solution).splitlines()
    assert lines[0] == "status     DONE: The run reached its end time."
    assert lines[1].startswith("time       0 to 1, 4 recorded")
    assert lines[2].startswith(f"steps      {solution.provenance['steps']} accepted")
    assert [line.split()[0] for line in lines[3:]] == ["mass", "energy"]


def test_drift_is_relative_to_the_first_value(solution):
    made = rx.Solution(
        np.arange(3.0), {}, {"mass": np.array([2.0, 2.5, 1.0])}, rx.Status.DONE, {}, {}
    )
    assert made.drift("mass") == 0.5
    assert solution.drift("mass") < 1e-14


def test_dataset_has_labels_and_provenance(solution):
    dataset = solution.to_xarray()
    assert dataset["f"].dims == ("time", "r")
    np.testing.assert_array_equal(dataset["r"], solution.coordinates["r"])
    np.testing.assert_array_equal(dataset["entropy"], solution.diagnostics["entropy"])
    provenance = json.loads(dataset.attrs["provenance"])
    assert {"relaxon", "jax", "numpy", "python", "device", "wall_time", "steps"} <= set(provenance)
    assert provenance["grid"]["settings"]["n"] == 100


def test_diagnostics_agree_with_the_functionals(solution, grid):
    for k, f in enumerate(solution.f):
        for name in ("mass", "energy", "entropy", "temperature"):
            value = float(getattr(rx.functionals, name)(f, grid))
            assert abs(solution.diagnostics[name][k] - value) < 1e-13 * (1 + abs(value))
        production = float(rx.functionals.entropy_production(f, grid, rx.Landau()))
        assert abs(solution.diagnostics["entropy_production"][k] - production) < 1e-12


def test_only_done_is_a_success():
    assert [status for status in rx.Status if status.ok] == [rx.Status.DONE]
    for status in rx.Status:
        assert status.advice.endswith(".")
