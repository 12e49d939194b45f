"""The reaction model through the public names: problems, solutions, storage, cases."""

import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.core.registry import from_spec, to_spec
from relaxon.reports.figures import catalogue as plot
from relaxon.reports.headlines import catalogue as summary
from relaxon.runs import directory as storage
from relaxon.runs.solve import solve

AMPLITUDES = {1.0: 1.11005906, 0.1: 0.72417495, 0.01: 0.48839430}
LIMIT = 0.48297719
GRID = rx.PhaseGrid(rx.TorusGrid(1, 32), rx.UniformNodes(1, 24, 6.0))
SMALL = rx.PhaseGrid(rx.TorusGrid(1, 8), rx.UniformNodes(1, 10, 4.5))
FEW = {"n": 8, "nodes": 10, "v_max": 4.5}


def wave(grid, amplitude=0.5):
    return 1 + amplitude * jnp.cos(2 * jnp.pi * grid.x[..., 0])


def problem(epsilon=0.1, grid=SMALL, **profiles):
    model = rx.KineticReaction(**profiles, epsilon=epsilon)
    return rx.Problem(model, grid, model.local_equilibrium(wave(grid), grid))


@pytest.mark.parametrize("epsilon", [1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-6])
def test_p1_with_default_settings(epsilon):
    solution = rx.solve(problem(epsilon, GRID), 0.02, rx.Record(n=2))
    assert solution.ok
    exact = AMPLITUDES.get(epsilon, LIMIT if epsilon < 1e-5 else None)
    if exact:
        assert abs(solution.diagnostics["amp1"][-1] / exact - 1) < 2e-4
    assert solution.drift("mass_difference") < 1e-13
    assert np.min(solution.diagnostics["box_clearance"]) > -1e-15
    assert np.all(np.diff(solution.diagnostics["entropy"]) <= 0)


def test_limit_equation():
    rho = wave(GRID)
    equation = rx.KineticReaction().diffusion_limit()
    solution = rx.solve(rx.Problem(equation, GRID.torus, rho - 1 / rho), 0.02, rx.Record(n=2))
    assert abs(solution.diagnostics["amp1"][-1] / LIMIT - 1) < 1e-6
    assert solution.fields["m"].shape == (2, 32)
    assert solution.drift("mass_difference") < 1e-13


def test_linearised_equation_follows_the_semigroup_without_a_grid():
    chi = rx.distributions.profile("gaussian", variance=1.0)
    grid = rx.PhaseGrid(rx.TorusGrid(1, 4, 4 * np.pi), rx.UniformNodes(1, 64, 7.0))
    model = rx.KineticReaction(chi, chi)
    chi1, chi2 = model.profiles(grid)
    u = jnp.cos(0.5 * grid.x[..., 0])[:, None]
    linear = rx.Problem(model.linearized(2.0), grid, {"f": 4 * u * chi1, "g": -u * chi2})
    solution = rx.solve(linear, 10.0, rx.Record(times=[1.0, 3.0, 7.0]))

    def gaussian(v):
        return np.exp(-v * v / 2) / np.sqrt(2 * np.pi)

    exact = rx.reaction.linear_decay(
        2.0, 1.0, 1.0, 0.5, lambda v: 4 * gaussian(v), lambda v: -gaussian(v), solution.t
    )
    norm = exact.norm * np.sqrt(2 * np.pi)
    np.testing.assert_allclose(solution.diagnostics["distance"], norm, rtol=1e-9)
    np.testing.assert_allclose(
        solution.diagnostics["amp1"], abs(exact.rho_f - exact.rho_g), rtol=1e-9
    )
    assert np.max(np.abs(solution.diagnostics["mass_difference"])) < 1e-14


def test_walls():
    grid = rx.WalledGrid(1, 8, rx.UniformNodes(1, 10, 4.5))
    model = rx.KineticReaction(epsilon=0.3)
    chi1, chi2 = model.profiles(grid.doubled)
    rho = (1 + 0.4 * jnp.cos(jnp.pi * grid.x[..., 0]))[:, None]
    data = {"f": rho * chi1, "g": chi2 / rho}
    solution = rx.solve(rx.Problem(model, grid, data), 0.05, rx.Record(n=3), rtol=1e-4)
    assert solution.ok and solution.fields["f"].shape == (3, 9, 10)
    assert solution.fields["m"].shape == (3, 9)
    assert solution.drift("mass_difference") < 1e-13
    assert solution.diagnostics["distance"][-1] < solution.diagnostics["distance"][0]


def test_first_production_is_the_rate_of_the_entropy():
    # Points enough that the box is kept by itself: limiting is a further source of entropy loss.
    grid = rx.PhaseGrid(rx.TorusGrid(1, 16), rx.UniformNodes(1, 16, 6.0))
    solution = rx.solve(problem(0.5, grid), 0.02, rx.Record(times=np.linspace(0.001, 0.02, 20)))
    assert solution.diagnostics["boxed"][-1] == 0
    h, made = solution.diagnostics["entropy"], solution.diagnostics["entropy_production"]
    centred = (h[:-2] - h[2:]) / (solution.t[2:] - solution.t[:-2])
    # Production begins like t^2: centred differences err by (spacing/t)^2/3.
    np.testing.assert_allclose(centred[9:], made[1:-1][9:], rtol=4e-3)


def test_modified_entropy_along_a_nonlinear_run():
    found = rx.case("reaction-decay", n=12, nodes=20, v_max=6.0, t_end=0.4)
    assert "h0" in found.record.functionals
    record = rx.Record(times=np.linspace(0.02, 0.4, 20), functionals=found.record.functionals)
    run = rx.solve(found.problem, 0.4, record, 4e-6).diagnostics
    t = np.r_[0, np.linspace(0.02, 0.4, 20)]
    centred = (run["h0"][:-2] - run["h0"][2:]) / (t[2:] - t[:-2])
    np.testing.assert_allclose(centred[8:], run["h0_dissipation"][9:-1], rtol=1e-2)
    proven = rx.reaction.hypocoercive_rates(1.387, 1.0, 1.0)
    assert np.min(run["h0_rate"]) > proven.dms


def test_dataset_names_the_axes_of_each_field(tmp_path):
    solution = rx.solve(problem(), 1e-3, rx.Record(n=2), rtol=1e-3)
    dataset = solution.to_xarray()
    assert dataset["f"].dims == ("time", "x", "v")
    assert dataset["rho_f"].dims == ("time", "x")
    solution.save(tmp_path / "run")
    again = rx.open(tmp_path / "run")
    for name, values in solution.fields.items():
        np.testing.assert_array_equal(again.fields[name], values)


@pytest.mark.parametrize("kind", ["kinetic", "limit", "linear"])
def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, monkeypatch, kind):
    given = problem()
    if kind == "limit":
        given = rx.Problem(given.equation.diffusion_limit(), SMALL.torus, wave(SMALL) - 1)
    elif kind == "linear":
        chi1, chi2 = given.equation.profiles(SMALL)
        u = 0.1 * (wave(SMALL) - 1)[:, None]
        given = rx.Problem(given.equation.linearized(1.0), SMALL, {"f": u * chi1, "g": -u * chi2})
    record = rx.Record(n=6)
    whole = solve(given, 0.01, record, 1e-4, out=tmp_path / "whole")
    write, count = storage.write_checkpoint, []

    def stop(*arguments):
        write(*arguments)
        count.append(0)
        if len(count) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(storage, "write_checkpoint", stop)
    part = solve(given, 0.01, record, 1e-4, out=tmp_path / "part")
    assert not part.ok
    monkeypatch.undo()
    rest = rx.resume(tmp_path / "part")
    assert rest.ok
    for name, values in whole.fields.items():
        np.testing.assert_array_equal(rest.fields[name], values)
    for name, values in whole.diagnostics.items():
        np.testing.assert_array_equal(rest.diagnostics[name], values)


def test_settings_build_every_object_again():
    chi = rx.distributions.profile("anisotropic", covariance=[1.0, 0.5])
    mapped = rx.PhaseGrid(rx.TorusGrid(2, 4), rx.MappedNodes(2, 24))
    model = rx.KineticReaction(chi, rx.distributions.profile("algebraic", k=3.5), 0.2)
    objects = [
        mapped,
        rx.WalledGrid(1, 4, rx.UniformNodes(2, 6, 3.0)),
        model,
        model.linearized(1.5),
        model.diffusion_limit(),
    ]
    for found in objects:
        spec = to_spec(found)
        assert to_spec(from_spec(spec)) == spec
    np.testing.assert_array_equal(
        from_spec(to_spec(model)).profiles(mapped)[0], model.profiles(mapped)[0]
    )


def test_a_callable_profile_solves_but_cannot_be_stored(tmp_path):
    def bell(v):
        return np.exp(-np.sum(v**2, axis=-1) / 2) / np.sqrt(2 * np.pi)

    given = problem(chi1=rx.distributions.profile(bell))
    assert rx.solve(given, 1e-3, rx.Record(n=2), rtol=1e-3).ok
    with pytest.raises(rx.InputError, match=r"made from a callable.*cannot be stored"):
        rx.solve(given, 1e-3, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f, g: {"f": f[:-1], "g": g}, r"f must have the grid's shape \(8, 10\)"),
        (lambda f, g: {"f": f}, "lacks g"),
        (lambda f, g: {"f": -f, "g": g}, "f must not be negative"),
        (lambda f, g: {"f": f * jnp.nan, "g": g}, "f holds non-finite"),
        (lambda f, g: {"f": f.at[0].set(0.0), "g": g}, "No box of Theorem 1.1"),
        (lambda f, g: f, r"pair \(f, g\)"),
    ],
)
def test_bad_data_is_one_sentence(change, words):
    given = problem()
    with pytest.raises(rx.InputError, match=words):
        rx.Problem(given.equation, SMALL, change(given.f0["f"], given.f0["g"]))


def test_bad_problems():
    model = rx.KineticReaction()
    data = model.local_equilibrium(wave(SMALL), SMALL)
    with pytest.raises(rx.InputError, match="PhaseGrid or a WalledGrid"):
        rx.Problem(model, SMALL.torus, data)
    with pytest.raises(rx.InputError, match="mass difference zero"):
        rx.Problem(model.linearized(2.0), SMALL, data)
    with pytest.raises(rx.InputError, match="m must have the grid's shape"):
        rx.Problem(model.diffusion_limit(), SMALL.torus, jnp.zeros(5))
    with pytest.raises(rx.InputError, match="No rho_inf"):
        huge = {"f": data["f"] * 1e200, "g": data["g"] / 1e200}
        rx.Problem(model, SMALL, huge)
    for bad in (0.0, -1.0, "x"):
        with pytest.raises(rx.InputError, match="epsilon must be"):
            rx.KineticReaction(epsilon=bad)


@pytest.mark.slow
def test_every_case_builds():
    from relaxon.cases.catalogue import descriptions

    names = [name for name in descriptions() if name.startswith("reaction")]
    assert len(names) == 9
    for name in names:
        small = {"reaction-limit": {"n": 8}, "reaction-confined": {"n": 12}}.get(name, FEW)
        found = rx.case(name, **small)
        assert found.problem.f0 is not None and found.t_end > 0
    assert rx.case("reaction-p1", epsilon=0.01).problem.equation.epsilon == 0.01
    algebraic = rx.case("reaction-p1", chi1={"name": "algebraic", "k": 3}, scale=1.0, v_max=None)
    assert algebraic.problem.equation.chi1.name == "algebraic"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epsilon": 0.0}, "epsilon must be positive"),
        ({"amplitude": 1.5}, "initial density must be positive"),
        ({"chi1": "gausian"}, "gaussian"),
        ({"epsilonn": 1.0}, "epsilon"),
        ({"nodes": "many"}, "whole number"),
        ({"T1": -1.0}, "variance must be positive"),
    ],
)
def test_bad_settings_of_a_case(settings, words):
    with pytest.raises(rx.InputError, match=words):
        rx.case("reaction-p1", **settings)


@pytest.mark.slow
def test_headlines_and_figures(tmp_path):
    found = rx.case("reaction-p1", n=8, nodes=12, v_max=5.0, times=5, rtol=1e-4)
    solution = found.solve()
    keys = {h.name for h in summary.headlines(solution)}
    assert {"rho_inf", "amp1", "entropy", "box_clearance", "decay_rate"} <= keys
    names = plot.applicable(solution)
    assert {"densities", "phase", "reaction-entropy", "rates", "invariants"} <= set(names)
    for name in names:
        plot.save(plot.draw(solution, name), tmp_path / f"{name}.svg")
