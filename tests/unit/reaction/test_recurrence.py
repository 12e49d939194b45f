"""Warnings of too few velocity nodes, against measured errors (docs/explanation/reaction.md)."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.grids.velocity_nodes import UniformNodes
from relaxon.reaction.scheme.linear_modes import method as linear_method
from relaxon.reaction.scheme.recurrence import recurrence
from relaxon.reaction.scheme.steppers import reaction_method


def judged(T1, T2, epsilon, amplitude, nodes, d=1):
    grid = rx.PhaseGrid(rx.TorusGrid(d, 16), UniformNodes(d, nodes, 6.0))
    chi = [rx.distributions.profile("gaussian", variance=T) for T in (T1, T2)]
    wave = np.cos(2 * np.pi * np.asarray(grid.torus.x)[..., 0])
    rho = 1 + amplitude * wave
    return recurrence(tuple(chi), grid, epsilon, (rho, 1 / rho), (1 / rho, rho))


# The measured errors of runs to t = 8 epsilon^2 (15 at 0.1 and less), against 192 nodes up to 9.
@pytest.mark.parametrize(
    ("T1", "T2", "epsilon", "amplitude", "nodes", "measured"),
    [
        (0.3, 1.0, 1.0, 0.5, 24, 2.5e-1),
        (0.3, 1.0, 1.0, 0.5, 96, 8.2e-3),
        (0.3, 1.0, 0.3, 0.5, 24, 2.0e-2),
        (0.3, 1.0, 0.3, 0.5, 48, 1.8e-3),
        (0.3, 1.0, 0.3, 0.5, 64, 4.9e-4),
        (1.0, 0.3, 0.3, 0.5, 64, 5.8e-4),
        (0.3, 1.0, 0.1, 0.5, 24, 1.5e-3),
        (1.0, 1.0, 0.1, 0.5, 24, 1.1e-3),
        (0.3, 1.0, 0.1, 0.5, 32, 3.2e-4),
        (1.0, 0.3, 0.1, 0.5, 24, 3.9e-3),
        (1.0, 1.0, 0.03, 0.5, 16, 3.5e-4),
        (1.0, 1.0, 0.3, 0.05, 24, 3.6e-3),
        (1.0, 1.0, 0.3, 0.05, 32, 4.6e-4),
    ],
)
def test_the_estimate_is_the_measured_error(T1, T2, epsilon, amplitude, nodes, measured):
    found = judged(T1, T2, epsilon, amplitude, nodes)
    assert measured / 2 < found.error[-1] < 2.2 * measured
    said = found.complaints(np.inf)
    assert bool(said) == (measured > 1e-3)
    if said:
        assert f"{nodes} velocity nodes" in said[0]
        assert f"nodes = {int(found.enough)} suffice" in said[0]
        assert not judged(T1, T2, epsilon, amplitude, int(found.enough)).complaints(np.inf)


def test_nothing_comes_back_before_its_time():
    found = judged(1.0, 1.0, 1.0, 0.5, 24)
    first = 12.0 / 24  # spacing; waves of order 8 return first
    assert found.complaints(0.5 * 2 * np.pi / (8 * 2 * np.pi * first)) == []
    assert found.complaints(1.0) != []


def test_two_dimensions_see_what_one_sees():
    one, two = (judged(0.3, 1.0, 0.3, 0.5, 24, d) for d in (1, 2))
    np.testing.assert_allclose(two.error, one.error, rtol=1e-9)


def test_algebraic_nodes_and_flat_data():
    grid = rx.PhaseGrid(rx.TorusGrid(1, 16), rx.MappedNodes(1, 24, 1.0))
    chi = (rx.distributions.profile("algebraic", k=3.0),) * 2
    flat, wave = np.ones(16), 1 + 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    assert recurrence(chi, grid, 0.3, (flat, flat), (flat, flat)).complaints(np.inf) == []
    assert recurrence(chi, grid, 1.0, (wave, 1 / wave), (1 / wave, wave)).complaints(np.inf) != []


def test_runs_say_it():
    for name in ("reaction-p1", "reaction-linear"):
        problem = rx.case(name, n=8, nodes=24, epsilon=0.5).problem
        method = {"reaction-p1": reaction_method, "reaction-linear": linear_method}[name]
        (said,) = method(problem, 1e-4).complaints(np.array([0.0, 4.0]), {})
        assert "24 velocity nodes are too few" in said
    run = rx.case("reaction-linear", n=8, nodes=24, t_end=4.0, times=3).solve()
    assert any("24 velocity nodes are too few" in sentence for sentence in run.warnings)
