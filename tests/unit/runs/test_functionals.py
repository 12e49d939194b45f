"""Functionals of a record: names, values, what cannot be traced, compilations, warnings."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.reports import page
from relaxon.reports.headlines import catalogue as summary


@rx.storable
class Quantiles(eqx.Module):
    """A vector and a matrix at once."""

    def __call__(self, t, f, grid):
        return {"ends": jnp.stack([f[0], f[-1]]), "table": jnp.outer(f[:2], f[:3])}


@rx.storable
class Sometimes(eqx.Module):
    """Not a number after t = 0.5."""

    def __call__(self, t, f, grid):
        return jnp.where(t < 0.5, t, jnp.nan)


@pytest.fixture
def problem(grid, mixture):
    return rx.Problem(rx.Landau(), grid, mixture)


def refused(problem, functionals, **options):
    with pytest.raises(rx.InputError) as error:
        rx.solve(problem, 1.0, rx.Record(n=2, functionals=functionals), **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["mass", "energy", "dt", "t", "f", "r", "time"])
def test_names_that_a_run_records_itself_are_taken(problem, name, tmp_path):
    sentence = refused(problem, {name: lambda t, f, grid: f[0]}, out=tmp_path / "run")
    assert sentence.startswith(f"A functional is called {name!r}, a name that is taken; choose")
    assert "central_value" in sentence
    assert not (tmp_path / "run").exists()


def test_two_functionals_cannot_give_one_name(problem):
    both = {"a": lambda t, f, grid: {"b": f[0]}, "b": lambda t, f, grid: f[0]}
    assert "is called 'b', a name that is taken" in refused(problem, both)


@pytest.mark.parametrize(
    "function, sentence",
    [
        (lambda t, f, grid: np.log(f)[0], "jax.numpy instead of numpy"),
        (lambda t, f, grid: 1.0 if f[0] > 0 else 0.0, "jnp.where instead of if"),
        (lambda t, f, grid: float(f[0]), "jax.numpy instead of numpy"),
        (lambda t, f, grid: f[f > 0][0], "jax.numpy instead of numpy"),
        (lambda f: f[0], "fails: TypeError: "),
        (lambda t, f, grid: grid.nothing, "fails: AttributeError: "),
        (lambda t, f, grid: "text", "fails: TypeError: "),
        (lambda t, f, grid: None, "fails: "),
        (lambda t, f, grid: 1j * f[0], "must give real numbers, but gives complex128"),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence(problem, function, sentence):
    assert sentence in refused(problem, {"probe": function})


@pytest.mark.parametrize(
    "functionals, sentence",
    [
        ([lambda t, f, grid: 1.0], "must be a mapping from names to functions (t, f, grid)"),
        ({3: lambda t, f, grid: 1.0}, "must be text such as 'tail_mass', but is 3"),
        ({"a/b": lambda t, f, grid: 1.0}, "must be text such as 'tail_mass', but is 'a/b'"),
        ({"a": 1.0}, "Functional 'a' must be a function (t, f, grid), but is 1.0"),
        ({"a": Quantiles}, "Functional 'a' must be a function (t, f, grid)"),
    ],
)
def test_records_refuse_what_is_no_mapping_of_functions(functionals, sentence):
    with pytest.raises(rx.InputError) as error:
        rx.Record(functionals=functionals)
    assert sentence in str(error.value)


def test_a_lambda_has_no_place_in_a_run_directory(problem, tmp_path):
    sentence = refused(problem, {"probe": lambda t, f, grid: f[0]}, out=tmp_path / "run")
    assert sentence.startswith("Functional 'probe' cannot be written to a run directory")
    assert "@rx.storable" in sentence
    assert not (tmp_path / "run").exists()


def test_arrays_keep_their_own_axes_on_disk_and_back(problem, tmp_path):
    record = rx.Record(n=4, functionals={"q": Quantiles()})
    solution = rx.solve(problem, 1.0, record, out=tmp_path / "run")
    assert solution.diagnostics["ends"].shape == (4, 2)
    assert solution.diagnostics["table"].shape == (4, 2, 3)
    np.testing.assert_array_equal(solution.diagnostics["ends"][:, 0], solution.f[:, 0])
    dataset = solution.to_xarray()
    assert dataset["table"].dims == ("time", "table_0", "table_1")
    solution.save(tmp_path / "saved")
    for found in (rx.open(tmp_path / "run"), rx.open(tmp_path / "saved")):
        np.testing.assert_array_equal(found.diagnostics["table"], solution.diagnostics["table"])
        assert set(found.diagnostics) == set(solution.diagnostics)
    longer = rx.resume(tmp_path / "run", 2.0)
    assert longer.ok and longer.diagnostics["ends"].shape == (len(longer.t), 2)
    assert page.run_page(longer) and summary.as_json(longer)


def test_numbers_that_are_not_finite_are_warnings(problem, tmp_path):
    record = rx.Record(times=[0.25, 0.75], functionals={"probe": Sometimes()})
    solution = rx.solve(problem, 1.0, record, out=tmp_path / "run")
    sentence = "probe is NaN or infinite at 2 of 4 recorded times, first at t = 0.75."
    assert solution.ok and solution.warnings == (sentence,)
    assert rx.open(tmp_path / "run").warnings == (sentence,)
    assert f"warning    {sentence}" in str(solution)
    assert sentence in page.run_page(solution)
    assert summary.as_json(solution)["warnings"] == [sentence]


def test_quantities_may_say_that_they_end(problem):
    class Ending(Sometimes):
        partly_defined = ("probe",)

    solution = rx.solve(problem, 1.0, rx.Record(n=2, functionals={"probe": Ending()}))
    assert np.isnan(solution.diagnostics["probe"][-1]) and solution.warnings == ()
    assert rx.solve(problem, 1.0, rx.Record(n=2)).warnings == ()


def test_a_new_lambda_with_the_same_text_compiles_nothing_large(problem):
    def run(power):
        record = rx.Record(n=2, functionals={"probe": lambda t, f, grid: f[0] ** power})
        return rx.solve(problem, 1.0, record)

    first = run(2)
    compiled = []

    def note(event, seconds, **_):
        if event.endswith("backend_compile_duration"):
            compiled.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        again = run(2)
        assert not compiled
        other = run(3)
        assert compiled
    finally:
        jax.monitoring.clear_event_listeners()
    np.testing.assert_array_equal(again.diagnostics["probe"], first.diagnostics["probe"])
    np.testing.assert_allclose(other.diagnostics["probe"], first.f[:, 0] ** 3, rtol=1e-14)
