"""The verdict of the Penrose test on data that earlier versions judged wrongly."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import relaxon as rx
from relaxon.collisions.cartesian.relaxation import CartesianRelaxation
from relaxon.screening.criterion import VERDICTS, judge_grid
from relaxon.screening.penrose import penrose
from relaxon.screening.potentials import Coulomb, Gaussian

VELOCITY = rx.VelocityGrid


def normal(grid, variances, mean=0.0, turned=None):
    centred = grid.v - jnp.asarray(mean)
    if turned is not None:
        centred = centred @ jnp.asarray(turned)
    f = jnp.exp(-jnp.sum(centred**2 / jnp.asarray(variances), axis=-1) / 2)
    return f / grid.integrate(f)


def radial(grid, profile):
    speed = grid.r if isinstance(grid, rx.RadialGrid) else jnp.linalg.norm(grid.v, axis=-1)
    f = profile(speed)
    return f / grid.integrate(f)


def hat(width):
    return lambda speed: 1 / (1 + jnp.exp((speed - 2) / width))


def ring(width):
    return lambda speed: jnp.exp(-((speed - 2) ** 2) / (2 * width**2))


def beams(grid, drift, temperature=0.5):
    drift = np.asarray(drift)
    return 0.5 * (normal(grid, temperature, drift) + normal(grid, temperature, -drift))


def verdict(potential, f, grid):
    return VERDICTS[int(judge_grid(f, grid, jnp.asarray(potential.v_max))[0].code)]


FLAT, SMALL = VELOCITY(2, 48, 6.0), VELOCITY(3, 32, 6.0)
WIDE = Coulomb(3, 10)
GOOD = {
    "cool": (Gaussian(3), SMALL, lambda g: rx.distributions.maxwellian(g, 1.0, 0.3)),
    "Coulomb": (WIDE, SMALL, lambda g: normal(g, [1.0] * 3)),
    "anisotropic": (Gaussian(3), SMALL, lambda g: normal(g, [0.8, 0.3, 0.3])),
    "anisotropic Coulomb": (WIDE, SMALL, lambda g: normal(g, [0.8, 0.5, 0.5])),
    "bi-Maxwellian": (Gaussian(2), FLAT, lambda g: normal(g, [1.0, 0.1])),
    "hat": (Gaussian(2), FLAT, lambda g: radial(g, hat(0.2))),
    "ring": (Gaussian(2), FLAT, lambda g: radial(g, ring(0.3))),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_data_are_stable(name):
    potential, grid, build = GOOD[name]
    assert verdict(potential, build(grid), grid) == "stable"


@pytest.mark.slow
@pytest.mark.parametrize("d, n, v_max", [(2, 32, 6), (2, 64, 8), (3, 32, 5.5), (3, 48, 6)])
def test_gaussians_are_stable(d, n, v_max):
    """The logarithm of a Gaussian is concave, however little of its F1' is above the noise."""
    grid = VELOCITY(d, n, float(v_max))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(d, d)))[0]
    variances = itertools.combinations_with_replacement([0.3, 0.5, 0.8, 1.0], d)
    for variance, turned in itertools.product(variances, (None, turn)):
        f = normal(grid, variance, turned=turned)
        for potential in (Gaussian(d), Coulomb(d, 10)):
            assert verdict(potential, f, grid) == "stable", (variance, potential)


def test_what_the_grid_does_not_resolve_is_undecided_and_not_refused():
    """A ring narrower than the spacing: the report says what to raise, `rhs` gives its rate."""
    f = radial(FLAT, ring(0.2))
    report = penrose(Gaussian(2), f, FLAT)
    assert report.stable and report.verdict == "undecided" and "raise n = 48" in report.reason
    assert np.all(np.isfinite(np.asarray(rx.LenardBalescu(Gaussian(2)).rhs(f, FLAT))))


@pytest.mark.parametrize("profile", [hat(0.2), ring(0.5), lambda s: jnp.exp(-5 * s**2)])
def test_radial_data_are_stable(profile):
    grid = rx.RadialGrid(2, 100, 12.0, 0.5)
    f = radial(grid, profile)
    for potential in (Gaussian(2), Coulomb(2, 10)):
        assert penrose(potential, f, grid).verdict == "stable"


def test_a_core_in_a_ring_is_unstable_on_both_grids():
    def profile(speed):
        return jnp.exp(-(speed**2) / 0.6) + 0.02 * jnp.exp(-2 * (speed - 2.5) ** 2)

    grid = rx.RadialGrid(2, 100, 12.0, 0.5)
    reports = [penrose(Gaussian(2), radial(g, profile), g) for g in (grid, FLAT)]
    assert all(report.verdict == "unstable" for report in reports)
    assert reports[0].growth == pytest.approx(reports[1].growth, rel=5e-2)


def test_zeros_in_the_tail_of_a_falling_radial_function_are_no_waves():
    grid = rx.RadialGrid(2, 100, 12.0, 0.5)
    f = radial(grid, lambda speed: jnp.where(speed < 4.0, jnp.exp(-(speed**2)), 0.0))
    assert penrose(Gaussian(2), f, grid).stable
    assert np.all(np.isfinite(np.asarray(rx.LenardBalescu(Gaussian(2)).rhs(f, grid))))


OBLIQUE = np.array([0.7915, -0.6083, 0.0583])


@pytest.mark.parametrize("ratio, unstable", [(0.998, False), (1.003, True), (1.017, True)])
def test_oblique_beams_in_three_dimensions(ratio, unstable):
    """The threshold .954330927 along a direction that no rule of directions contains."""
    drift = ratio * 0.954330927 * OBLIQUE / np.linalg.norm(OBLIQUE)
    assert (verdict(Gaussian(3), beams(SMALL, drift), SMALL) == "unstable") == unstable


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.97, 0.997, 0.999, 1.001, 1.003, 1.007, 1.017, 1.1])
def test_the_report_on_oblique_beams(ratio):
    grid = VELOCITY(3, 48, 6.5)
    drift = ratio * 0.954330927 * OBLIQUE / np.linalg.norm(OBLIQUE)
    report = penrose(Gaussian(3), beams(grid, drift), grid)
    assert report.verdict == ("unstable" if ratio > 1 else "stable")
    if ratio > 1:
        assert abs(np.dot(report.direction, OBLIQUE)) > 0.99
        assert report.growth == pytest.approx(fastest(3, np.linalg.norm(drift)), rel=5e-2)


@pytest.mark.parametrize("drift, unstable", [(1.003, False), (1.0045, True), (3.5, True)])
def test_beams_in_two_dimensions(drift, unstable):
    """Unstable from 1.003716366 on; far apart their growing waves are oblique."""
    grid = VELOCITY(2, 48, 9.0 if drift > 3 else 6.0)
    found = verdict(Gaussian(2), beams(grid, [drift, 0.0]), grid)
    assert (found == "unstable") == unstable


def fastest(d, drift, temperature=0.5):
    """The growth rate of two beams for the unit Gaussian: eps(k, i gamma) = 0 along the drift."""
    w = np.linspace(-12.0, 12.0, 24001)
    sides = (drift, -drift)
    slope = sum(-(w - a) * np.exp(-((w - a) ** 2) / (2 * temperature)) for a in sides)
    slope /= 2 * temperature * np.sqrt(2 * np.pi * temperature)

    def rate(gamma):
        share = np.trapezoid(slope * w / (w**2 + gamma**2), w) * (2 * np.pi) ** (d / 2)
        return gamma * np.sqrt(2 * np.log(share)) if share > 1 else 0.0

    gammas = np.geomspace(1e-4, 3.0, 200)
    i = int(np.argmax([rate(gamma) for gamma in gammas]))
    bounds = gammas[max(i - 1, 0)], gammas[i + 1]
    return -minimize_scalar(lambda x: -rate(x), bounds=bounds, method="bounded").fun


@pytest.mark.parametrize("drift", [1.1, 1.5])
def test_growth_rates_of_beams(drift):
    report = penrose(Gaussian(2), beams(FLAT, [drift, 0.0]), FLAT)
    assert report.growth == pytest.approx(fastest(2, drift), rel=1e-3)


def test_concave_logarithms_hide_no_second_hump():
    """Two humps with zeros between them: where f has no logarithm nothing is taken for concave."""
    speed = jnp.abs(FLAT.v[..., 0])
    f = jnp.where((speed > 1) & (speed < 3), jnp.sin(jnp.pi * (speed - 1) / 2) ** 4, 0.0)
    f = f * jnp.exp(-(FLAT.v[..., 1] ** 2))
    assert verdict(Gaussian(2), f / FLAT.integrate(f), FLAT) == "unstable"


@pytest.mark.slow
def test_an_anisotropic_run_is_not_ended():
    """It was, at t = 1.2. (What the tail of n = 32 becomes by t = 13 is unstable as it stands.)"""
    grid = VELOCITY(3, 32, 5.5)
    problem = rx.Problem(rx.LenardBalescu(Gaussian(3)), grid, normal(grid, [0.8, 0.5, 0.5]))
    assert rx.solve(problem, 5.0, rx.Record(n=3), rtol=1e-4).ok


@pytest.mark.slow
def test_an_unstable_run_ends_with_its_last_stable_record(monkeypatch):
    """Driven from stable to unstable beams, which it becomes between t = .4 and t = .5."""
    grid = VELOCITY(2, 32, 6.0)
    apart, start = beams(grid, [1.5, 0.0]), beams(grid, [0.9, 0.0])
    monkeypatch.setattr(CartesianRelaxation, "rate", lambda self, y: (apart - y, jnp.zeros(())))
    monkeypatch.setattr(CartesianRelaxation, "limited", lambda self, y, level: y)
    times = np.arange(31) / 10
    problem = rx.Problem(rx.LenardBalescu(Gaussian(2)), grid, start)
    solution = rx.solve(problem, 3.0, rx.Record(times=times), rtol=1e-3)
    assert solution.status.name == "PENROSE_UNSTABLE"
    assert np.array_equal(solution.t, times[: len(solution.t)]) and len(solution.t) > 2
    assert verdict(Gaussian(2), jnp.asarray(solution.f[-1]), grid) == "stable"
    weight = np.exp(-times[len(solution.t)])
    assert verdict(Gaussian(2), apart + (start - apart) * weight, grid) == "unstable"
