import numpy as np
import pytest

import relaxon as rx
from relaxon.cases.catalogue import case_files, descriptions


@pytest.mark.parametrize("name", sorted(case_files()))
def test_every_case_builds(name):
    case = rx.case(name)
    f0 = case.problem.f0
    for field in f0.values() if isinstance(f0, dict) else [f0]:
        assert field.shape == tuple(case.problem.grid.shape)
    assert case.t_end > 0
    assert case.description == descriptions()[name]
    assert case.record.notes["case"] == name


def test_settings_change_a_case():
    case = rx.case("blowdown", delta=1e-2, alpha=0.35, n=60, t_end=0.1, rtol=1e-4)
    grid = case.problem.grid
    assert (grid.n, case.t_end, case.rtol) == (60, 0.1, 1e-4)
    expected = rx.distributions.blowdown(grid, 1e-2, 0.35)
    np.testing.assert_array_equal(case.problem.f0, expected)
    solution = case.solve()
    assert solution.ok
    assert solution.diagnostics["distance_m"][0] > solution.diagnostics["distance_m"][-1] > 0


def test_unknown_names_are_refused():
    with pytest.raises(rx.InputError, match="Did you mean 'blowdown'"):
        rx.case("blowdwon")
    with pytest.raises(rx.InputError, match="Did you mean 'delta'"):
        rx.case("blowdown", dleta=0.1)


def test_public_names_are_functions_and_classes():
    assert callable(rx.solve)
    assert callable(rx.case)
    with pytest.raises(AttributeError, match="no attribute 'slove'"):
        _ = rx.slove
    assert set(rx.__all__) <= set(dir(rx))
