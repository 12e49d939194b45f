"""Coefficients, derivative, refusals and storage of the isotropic screened operator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

import relaxon as rx
from relaxon.collisions.radial.form import log_rate
from relaxon.collisions.radial.jacobian import dense_jacobian
from relaxon.collisions.radial.relaxation import RelativeSystem
from relaxon.core.errors import InputError
from relaxon.core.registry import from_spec, to_spec
from relaxon.screening.potentials import Coulomb, Gaussian, Yukawa
from relaxon.screening.potentials.custom import Custom
from relaxon.stepping.status import Status

# duerinckx2023, Lemma 2.2 for the unit Gaussian potential at mu_1: |v| -> (lambda_1, lambda_2).
TABLE = {
    2: {1: (0.098027955863, 0.090874742736), 6: (0.0069462238474, 0.07069071145)},
    3: {1: (0.065814801001, 0.062627901573), 6: (0.022846306482, 0.067937677185)},
}
ORIGIN = {2: 0.087526362104, 3: 0.061109624977}
LANDAU = {1: (2.1100883357, 3.1035175596), 6: (0.022846306484, 0.81104388018)}


def at(grid, values, v):
    """An even function at |v| = v from its values at the faces."""
    x = np.arange(-grid.n, grid.n + 1) * float(grid.dx)
    values = np.asarray(values)
    spline = make_interp_spline(x, np.concatenate([values[:0:-1], values]), k=7)
    return float(spline(np.arcsinh(v / float(grid.r_min)) + 4 * v / float(grid.r_max)))


def mixture(d, n=60, cold=0.3):
    grid = rx.RadialGrid(d, n, 12.0, 0.7)
    return grid, rx.distributions.gaussian_mixture(grid, [0.7, 0.3], [[0.0] * d] * 2, [cold, 1.5])


def eigenvalues(equation, d, n):
    grid = rx.RadialGrid(d, n, 9.0, 0.7)
    f = rx.distributions.maxwellian(grid, 1.0, 0.5)
    return grid, equation.coefficients(f, grid)[0]


@pytest.mark.parametrize(("d", "bound"), [(2, 1e-6), (3, 3e-5)])
def test_eigenvalues_of_the_diffusion_matrix(d, bound):
    """Limited by the kinks of K where resonance sets in, most of all in d = 3."""
    grid, both = eigenvalues(rx.LenardBalescu(Gaussian(d)), d, 400)
    for values in both:
        assert float(values[0]) == pytest.approx(ORIGIN[d], rel=bound)
    for v, pair in TABLE[d].items():
        for values, exact in zip(both, pair, strict=True):
            assert at(grid, values, v) == pytest.approx(exact, rel=bound)


def test_eigenvalues_converge_in_order_four_in_two_dimensions():
    errors = []
    for n in (50, 100, 200):
        grid, (along, _) = eigenvalues(rx.LenardBalescu(Gaussian(2)), 2, n)
        errors.append(abs(at(grid, along, 1.0) / TABLE[2][1][0] - 1))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 3.7), (errors, orders)


def test_landau_with_the_same_prefactor_gives_the_table():
    prefactor = float(Gaussian(3).landau_prefactor())
    assert prefactor == pytest.approx(np.pi**2 / 2, rel=1e-13)
    grid, both = eigenvalues(rx.Landau(strength=prefactor), 3, 200)
    for v, pair in LANDAU.items():
        for values, exact in zip(both, pair, strict=True):
            assert at(grid, values, v) == pytest.approx(exact, rel=1e-8)


def test_two_dimensional_landau_coefficients_against_the_linearised_operator():
    grid, both = eigenvalues(rx.Landau(strength=2.5), 2, 200)
    exact = rx.linearized(rx.Landau(strength=2.5), 0.5, d=2).eigenvalues(np.asarray(grid.faces))
    for values, wanted in zip(both, exact, strict=True):
        assert np.max(np.abs(np.asarray(values) / wanted - 1)) < 1e-6


@pytest.mark.parametrize("d", [2, 3])
def test_a_weak_potential_gives_landau(d):
    """Rates agree up to O(Vhat): ten times weaker, ten times closer."""
    grid, f = mixture(d)
    away = []
    for amplitude in (1e-3, 1e-4):
        potential = Gaussian(d, amplitude)
        prefactor = float(potential.landau_prefactor())
        screened = np.asarray(rx.LenardBalescu(potential).rhs(f, grid)) / prefactor
        bare = np.asarray(rx.Landau(strength=prefactor).rhs(f, grid)) / prefactor
        away.append(np.max(np.abs(screened - bare)) / np.max(np.abs(bare)))
    assert away[0] < 0.1
    assert away[0] / away[1] == pytest.approx(10.0, rel=0.1)


@pytest.mark.parametrize(
    "equation",
    [rx.LenardBalescu(Gaussian(3)), rx.LenardBalescu(Gaussian(2)), rx.Landau(strength=2.0)],
    ids=["screened 3", "screened 2", "landau 2"],
)
def test_the_dense_jacobian_is_the_derivative_of_the_rate(equation):
    d = 3 if getattr(equation, "potential", None) is not None and equation.potential.d == 3 else 2
    grid, f = mixture(d, 30)
    system = RelativeSystem(f, grid, equation.kernel_model(grid), 0.0)
    y, frame, model = system.encode(f), system.frame, system.model

    def rate(ell):
        return log_rate(frame, model.kernel(frame.log_maxwellian + ell), ell)

    exact = np.asarray(jax.jit(jax.jacfwd(rate))(y))
    found = np.asarray(jax.jit(lambda ell: dense_jacobian(frame, model, ell))(y))
    rows = np.max(np.abs(exact), axis=1, keepdims=True)
    assert np.max(np.abs(found - exact) / rows) < 1e-10


def ring(grid, width=0.3):
    """A core and a ring around it in d = 2: F1 has a minimum between them.

    A ring alone is always stable: its F1 has a minimum at u = 0 only, where z = 2 pi F(0) >= 0.
    """
    parts = jnp.exp(-((grid.r - 2.0) ** 2) / (2 * width**2)), jnp.exp(-(grid.r**2) / 0.2)
    halves = sum(part / (2 * grid.integrate(part)) for part in parts)
    return halves + 1e-12 * jnp.exp(-(grid.r**2) / 8)


def test_an_unstable_ring_is_refused_with_wave_number_direction_speed_and_margin():
    grid = rx.RadialGrid(2, 60, 12.0, 0.5)
    equation = rx.LenardBalescu(Gaussian(2, 1.0))
    assert not rx.dispersion.penrose(equation.potential, ring(grid), grid).stable
    with pytest.raises(InputError, match=r"not defined.*margin 0.*k = .*u = .*direction") as caught:
        equation.rhs(ring(grid), grid)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="not defined"):
        rx.solve(rx.Problem(equation, grid, ring(grid)), 1.0)


def test_a_weaker_potential_makes_the_same_ring_stable():
    grid = rx.RadialGrid(2, 60, 12.0, 0.5)
    equation = rx.LenardBalescu(Gaussian(2, 0.1))
    assert np.all(np.isfinite(np.asarray(equation.rhs(ring(grid), grid))))


@pytest.mark.slow
def test_a_run_that_is_unstable_ends_with_its_status_and_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(rx.LenardBalescu, "require_stable", lambda self, f, grid: None)
    grid = rx.RadialGrid(2, 60, 12.0, 0.5)
    problem = rx.Problem(rx.LenardBalescu(Gaussian(2, 1.0)), grid, ring(grid))
    solution = rx.solve(problem, 1.0, rx.Record(n=5))
    assert solution.status is Status.PENROSE_UNSTABLE
    assert not solution.ok
    assert len(solution.t) >= 1
    assert np.all(np.isfinite(solution.f))


def test_the_system_reports_instability():
    grid = rx.RadialGrid(2, 60, 12.0, 0.5)
    for amplitude, code in ((0.1, Status.FINE), (1.0, Status.PENROSE_UNSTABLE)):
        model = rx.LenardBalescu(Gaussian(2, amplitude)).kernel_model(grid)
        system = RelativeSystem(ring(grid), grid, model, 0.0)
        y = jnp.log(ring(grid)) - system.frame.log_maxwellian
        assert int(system.failure(jnp.zeros(()), y)) == code


POTENTIALS = [
    Gaussian(3, 0.7, 1.3),
    Gaussian(2),
    Yukawa(2, 0.4, 1.5),
    Yukawa(3, 0.4, 1.5, k_max=20.0, k_min=0.1),
    Coulomb(3, 10.0, 0.5, k_min=0.2),
]


@pytest.mark.parametrize("potential", POTENTIALS, ids=lambda p: f"{type(p).__name__} {p.d}")
def test_potentials_are_stored_and_built_again(potential):
    again = from_spec(to_spec(rx.LenardBalescu(potential))).potential
    assert type(again) is type(potential)
    z = jnp.asarray([0.3 - 0.1j, -2.0 + 1e-9j])
    assert np.array_equal(np.asarray(again.screening(z)), np.asarray(potential.screening(z)))


def test_a_function_cannot_be_stored(tmp_path):
    grid, f = mixture(3)
    potential = Custom(3, lambda k: jnp.exp(-(k**2)))
    with pytest.raises(InputError, match=r"Custom potential .* cannot be stored"):
        rx.solve(rx.Problem(rx.LenardBalescu(potential), grid, f), 1.0, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    grid, f = mixture(3)
    problem = rx.Problem(rx.LenardBalescu(Gaussian(3)), grid, f)
    record = rx.Record(times=[1.0, 2.0, 3.0])
    whole = rx.solve(problem, 4.0, record, out=tmp_path / "whole")
    assert whole.ok
    rx.solve(problem, 2.0, record, out=tmp_path / "part")
    part = rx.resume(tmp_path / "part", t_end=4.0)
    assert part.ok
    keep = np.isin(part.t, whole.t)
    same = [int(np.flatnonzero(whole.t == t)[0]) for t in part.t[keep]]
    assert len(same) >= 4
    stored = rx.open(tmp_path / "whole")
    assert stored.provenance["equation"]["settings"]["potential"]["class"] == "Gaussian"
    early = [i for i in range(len(part.t)) if part.t[i] <= 2.0]
    assert np.array_equal(part.f[early], whole.f[: len(early)])


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, monkeypatch):
    """Stopped after a checkpoint in mid-run, as by ctrl-C."""
    grid, f = mixture(3)
    problem = rx.Problem(rx.LenardBalescu(Gaussian(3)), grid, f)
    record = rx.Record(times=[1.0, 2.0, 3.0])
    whole = rx.solve(problem, 4.0, record)
    from relaxon.runs import directory as storage

    write, calls = storage.write_checkpoint, []

    def stop(*arguments):
        write(*arguments)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(storage, "write_checkpoint", stop)
    first = rx.solve(problem, 4.0, record, out=tmp_path / "run")
    assert first.status is Status.INTERRUPTED
    monkeypatch.setattr(storage, "write_checkpoint", write)
    resumed = rx.resume(tmp_path / "run")
    assert resumed.ok
    assert np.array_equal(resumed.t, whole.t)
    assert np.array_equal(resumed.f, whole.f)
