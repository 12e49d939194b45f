"""The verdict of the Penrose test on data that earlier versions judged wrongly."""

import jax.numpy as jnp
import numpy as np
import pytest

import relaxon as rx
from relaxon.screening.potentials import Coulomb, Gaussian

VELOCITY = rx.VelocityGrid


def normal(grid, variances, mean=0.0):
    square = jnp.sum((grid.v - jnp.asarray(mean)) ** 2 / jnp.asarray(variances), axis=-1)
    f = jnp.exp(-square / 2)
    return f / grid.integrate(f)


def radial(grid, profile):
    f = profile(jnp.sqrt(jnp.sum(grid.v**2, axis=-1)))
    return f / grid.integrate(f)


def hat(width):
    return lambda speed: 1 / (1 + jnp.exp((speed - 2) / width))


def ring(width):
    return lambda speed: jnp.exp(-((speed - 2) ** 2) / (2 * width**2))


COOL, FLAT = VELOCITY(3, 48, 6.0), VELOCITY(2, 48, 6.0)
SMALL, FINE = VELOCITY(3, 32, 6.0), VELOCITY(2, 96, 6.0)
STABLE = {
    "cool": (Gaussian(3), COOL, lambda g: rx.distributions.maxwellian(g, 1.0, 0.3), "stable"),
    "coulomb": (Coulomb(3, 10), SMALL, lambda g: normal(g, [1.0] * 3), "stable"),
    "anisotropic": (Gaussian(3), SMALL, lambda g: normal(g, [0.8, 0.3, 0.3]), "undecided"),
    "bi-Maxwellian": (Gaussian(2), FLAT, lambda g: normal(g, [1.0, 0.1]), "undecided"),
    "hat": (Gaussian(2), FLAT, lambda g: radial(g, hat(0.2)), "stable"),
    "ring": (Gaussian(2), FINE, lambda g: radial(g, ring(0.2)), "undecided"),
}


@pytest.mark.parametrize("name", STABLE)
def test_good_data_are_not_refused(name):
    potential, grid, build, verdict = STABLE[name]
    f = build(grid)
    report = rx.dispersion.penrose(potential, f, grid)
    assert report.stable and report.verdict == verdict
    assert (verdict == "undecided") == ("raise" in report.reason)
    if name in ("cool", "bi-Maxwellian"):
        assert np.all(np.isfinite(np.asarray(rx.LenardBalescu(potential).rhs(f, grid))))


def test_zeros_in_the_tail_of_a_falling_radial_function_are_no_waves():
    grid = rx.RadialGrid(2, 100, 12.0, 0.5)
    f = jnp.where(grid.r < 4.0, jnp.exp(-(grid.r**2)), 0.0)
    f = f / grid.integrate(f)
    assert rx.dispersion.penrose(Gaussian(2), f, grid).stable
    assert np.all(np.isfinite(np.asarray(rx.LenardBalescu(Gaussian(2)).rhs(f, grid))))


def two_beams(grid, drift):
    drift = np.asarray(drift)
    return 0.5 * (normal(grid, 0.5, drift) + normal(grid, 0.5, -drift))


@pytest.mark.parametrize("ratio, unstable", [(0.998, False), (1.003, True), (1.017, True)])
def test_oblique_beams_in_three_dimensions(ratio, unstable):
    """The threshold .954330927 along a direction that no rule of directions contains."""
    grid, way = VELOCITY(3, 32, 5.5), np.array([0.7915, -0.6083, 0.0583])
    f = two_beams(grid, ratio * 0.954330927 * way / np.linalg.norm(way))
    report = rx.dispersion.penrose(Gaussian(3), f, grid)
    assert (report.verdict == "unstable") == unstable
    if unstable:
        assert abs(np.dot(report.direction, way)) > 0.95 and report.growth > 0


@pytest.mark.parametrize("drift, unstable", [(1.003, False), (1.0045, True), (3.5, True)])
def test_beams_in_two_dimensions(drift, unstable):
    """Unstable from 1.003716366 on; far apart their growing waves are oblique."""
    grid = VELOCITY(2, 64, 9.0 if drift > 3 else 6.5)
    report = rx.dispersion.penrose(Gaussian(2), two_beams(grid, [drift, 0.0]), grid)
    assert (report.verdict == "unstable") == unstable


@pytest.mark.slow
def test_an_anisotropic_run_is_not_ended():
    grid = VELOCITY(3, 32, 5.5)
    problem = rx.Problem(rx.LenardBalescu(Gaussian(3)), grid, normal(grid, [0.8, 0.5, 0.5]))
    assert rx.solve(problem, 2.0, rx.Record(n=3), rtol=1e-4).ok


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_unstable_run_ends_with_its_last_stable_record(monkeypatch):
    """A run that is let start unstable keeps the record at t = 0 and none off the schedule."""
    monkeypatch.setattr(rx.LenardBalescu, "require_stable", lambda self, f, grid: None)
    grid = VELOCITY(2, 32, 6.0)
    problem = rx.Problem(rx.LenardBalescu(Gaussian(2)), grid, two_beams(grid, [1.5, 0.0]))
    solution = rx.solve(problem, 1.0, rx.Record(times=[0.5, 1.0]))
    assert solution.status.name == "PENROSE_UNSTABLE"
    assert np.array_equal(solution.t, [0.0])
