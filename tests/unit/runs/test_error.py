"""`solution.error`: what it holds, what it refuses, where it is kept."""

import dataclasses
import shutil

import numpy as np
import pytest

import relaxon as rx
from relaxon.cli import run_tokens
from relaxon.reports.headlines import catalogue
from relaxon.runs.error import measures


@pytest.fixture(scope="module")
def problem():
    """Eighty cells, whose companion has the hundred that are compiled for other tests."""
    space = rx.RadialGrid(d=3, n=80, r_max=12.0, r_min=0.05)
    f0 = rx.distributions.gaussian_mixture(space, [0.5, 0.5], np.zeros((2, 3)), [0.2, 1.5])
    return rx.Problem(rx.Landau(), space, f0)


@pytest.fixture(scope="module")
def stored(problem, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return path, rx.solve(problem, 1.0, rx.Record(n=3), out=path)


@pytest.fixture(scope="module")
def error(stored):
    return stored[1].error


def test_it_maps_fields_and_numbers_to_errors_over_time(error, stored):
    solution = stored[1]
    assert {"f", "entropy", "distance_l2", "fisher_information"} <= set(error)
    assert not {"mass", "energy", "temperature", "dt", "steps"} & set(error)
    assert all(error[name].shape == solution.t.shape for name in error)
    assert dict(error).keys() == set(error.keys())
    assert error["f"][0] < 1e-12 < error["f"][-1] < 1e-5
    assert np.allclose(error["f"], error.part("f", "time") + error.part("f", "grid"))
    assert np.allclose(error.of("entropy"), error["entropy"] / abs(solution.diagnostics["entropy"]))
    assert solution.error is error


def test_it_prints_as_a_table(error):
    head, *rows = str(error).splitlines()
    assert head.split() == ["at", "the", "end", "value", "error", "time", "grid"]
    assert [row.split()[0] for row in rows] == list(error)


def test_unknown_names_are_refused(error):
    with pytest.raises(rx.InputError, match="Unknown quantity with an error 'entropi'"):
        error["entropi"]
    with pytest.raises(rx.InputError, match="Unknown source of errors 'space'"):
        error.part("f", "space")


def test_a_run_directory_keeps_it(error, stored):
    path, solution = stored
    again = rx.open(path)
    assert (path / "error.npz").exists() and rx.verify(path).ok
    for name in error:
        np.testing.assert_array_equal(again.error[name], error[name])
    numbers = catalogue.values
    assert again.error.numbers(numbers) == error.numbers(numbers)
    assert solution.error is error


def test_show_prints_what_the_directory_has(error, stored, capsys):
    assert run_tokens(["show", str(stored[0])]) == 0
    assert f"error {error['distance_l2'][-1]:.0e}" in capsys.readouterr().out


def test_a_damaged_estimate_is_one_sentence(error, stored):
    path, _ = stored
    file = path / "error.npz"
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-100] + bytes(100))
        with pytest.raises(rx.InputError, match=r"damaged at .*error\.npz"):
            _ = rx.open(path).error
        assert "error.npz" in rx.verify(path).damaged[0]
    finally:
        file.write_bytes(whole)


def test_a_longer_run_forgets_it(error, stored, tmp_path):
    path = shutil.copytree(stored[0], tmp_path / "copy")
    rx.resume(path, t_end=2.0)
    assert not (path / "error.npz").exists()


def test_a_saved_copy_has_none(stored, tmp_path):
    stored[1].save(tmp_path / "saved")
    with pytest.raises(rx.InputError, match="a saved copy, which does not hold its problem"):
        _ = rx.open(tmp_path / "saved").error


def test_headline_numbers_have_theirs(error, stored):
    solution = stored[1]
    found = {h.name: h for h in catalogue.headlines(solution, error)}
    distance = found["distance_l2"]
    assert distance.estimate == pytest.approx(error["distance_l2"][-1], rel=1e-12)
    assert found["relative_entropy_growth"].estimate is None
    assert f"error {distance.estimate:.0e}" in catalogue.as_text(solution, error)
    assert catalogue.as_json(solution, error)["headlines"]["distance_l2"]["estimate"] > 0


def test_far_above_what_was_asked_is_a_warning(stored, error):
    assert error.warnings() == ()
    strict = dataclasses.replace(error, rtol=1e-12)
    assert strict.warnings()[0].endswith("far above rtol = 1e-12: raise n or r_max.")
    assert "far above" in catalogue.as_text(stored[1], strict)


def test_a_companion_that_ended_early_gives_infinity(error):
    short = {k: x for k, x in error.companions.items()}
    run = short["grid"]
    short["grid"] = dataclasses.replace(
        run, t=run.t[:2], diagnostics={k: x[:2] for k, x in run.diagnostics.items()}
    )
    cut = dataclasses.replace(error, companions=short)
    assert np.isfinite(cut["entropy"][1]) and np.isinf(cut["entropy"][2])


def test_functionals_of_the_run_itself_are_left_out(problem):
    """A functional that holds values on the grid cannot be measured on another one."""
    weight = np.asarray(problem.grid.r)
    functionals = {
        "bound": lambda t, f, g: g.integrate(f * weight),
        "free": lambda t, f, g: g.integrate(f * g.r),
    }
    solution = rx.solve(problem, 0.0, rx.Record(functionals=functionals))
    assert "free" in solution.error and "bound" not in solution.error


def test_what_measures_a_solution():
    assert measures("entropy") and measures("distance_m") and measures("amp1")
    for name in ("mass", "energy_outside", "momentum_0", "steps", "max", "entropy_growth"):
        assert not measures(name)
