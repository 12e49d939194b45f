"""What a user can get wrong with the reaction model: one sentence, one line, an InputError."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.core.registry import settings

TORUS, NODES = rx.TorusGrid(1, 16), rx.UniformNodes(1, 24, 6.0)
GRID = rx.PhaseGrid(TORUS, NODES)
MODEL = rx.KineticReaction()
RHO = 1 + 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
DATA = {key: np.asarray(value) for key, value in MODEL.local_equilibrium(RHO, GRID).items()}
LIMIT = MODEL.diffusion_limit()


def problem(**fields):
    """The problem with other fields."""
    return rx.Problem(MODEL, GRID, {**DATA, **fields})


def shaped(formula):
    """A problem with a user's profile."""
    return rx.Problem(rx.KineticReaction(formula), GRID, DATA)


def gauss(v):
    """A normalised Gaussian."""
    return np.exp(-0.5 * v[..., 0] ** 2) / np.sqrt(2 * np.pi)


profile = rx.distributions.profile

BAD = {
    "torus, length a word": (lambda: rx.TorusGrid(1, 16, "a"), "length must be positive"),
    "torus, length None": (lambda: rx.TorusGrid(1, 16, None), "length must be positive"),
    "torus, several lengths": (lambda: rx.TorusGrid(1, 16, [1.0, 2.0]), "length must be"),
    "torus, d a float": (lambda: rx.TorusGrid(1.0, 16), "d must be 1, 2 or 3"),
    "torus, d a boolean": (lambda: rx.TorusGrid(True, 16), "d must be 1, 2 or 3"),
    "nodes, v_max a word": (lambda: rx.UniformNodes(1, 8, "a"), "v_max must be positive"),
    "nodes, v_max None": (lambda: rx.UniformNodes(1, 8, None), "v_max must be positive"),
    "nodes, scale a word": (lambda: rx.MappedNodes(1, 8, "a"), "scale must be positive"),
    "walls, n a word": (lambda: rx.WalledGrid(1, "a", NODES), "n must be an integer"),
    "walls, n a float": (lambda: rx.WalledGrid(1, 16.5, NODES), "n must be an integer"),
    "walls, no nodes": (lambda: rx.WalledGrid(1, 16, 7), "velocity must be velocity nodes"),
    "profile, a list": (lambda: profile([1]), "Unknown profile"),
    "profile, a setting": (lambda: profile("gaussian", temperature=2), "Allowed: variance"),
    "profile, none": (lambda: profile("anisotropic"), "needs covariance"),
    "covariance, a word": (lambda: profile("anisotropic", covariance="x"), "covariance must be"),
    "covariance, infinite": (lambda: profile("anisotropic", covariance=[1, np.inf]), "positive"),
    "covariance, ragged": (lambda: profile("anisotropic", covariance=[[1, 2], [1]]), "must be"),
    "callable, raises": (lambda: shaped(lambda v: v.nothing), "raises AttributeError"),
    "callable, a word": (lambda: shaped(lambda v: "a"), "must be an array of real numbers"),
    "callable, complex": (lambda: shaped(lambda v: gauss(v) * (1 + 1j)), "real numbers"),
    "callable, no argument": (lambda: shaped(lambda: 1), "raises TypeError"),
    "data, a word": (lambda: rx.Problem(MODEL, GRID, "ab"), "f must be an array"),
    "data, None": (lambda: problem(f=None), "f must be an array"),
    "data, ragged": (lambda: problem(f=[[1], [1, 2]]), "f must be an array"),
    "data, complex": (lambda: problem(g=DATA["g"] * (1 + 1j)), "g must be an array of real"),
    "limit, a word": (lambda: rx.Problem(LIMIT, TORUS, "a"), "m must be an array"),
    "limit, None": (lambda: rx.Problem(LIMIT, TORUS, None), "m must be an array"),
    "limit, f and g": (lambda: rx.Problem(LIMIT, TORUS, DATA), "must hold m, but holds f, g"),
    "limit, no nodes": (lambda: MODEL.diffusion_limit(3), "velocity must be velocity nodes"),
    "linear, a word": (lambda: MODEL.linearized("a"), "rho_inf must be positive"),
    "linear, None": (lambda: MODEL.linearized(None), "rho_inf must be positive"),
    "linear, a list": (lambda: MODEL.linearized([1, 2]), "rho_inf must be positive"),
    "record, a list": (lambda: rx.solve(problem(), 0.01, record=[0.1]), "must be a Record"),
    "record, times a word": (lambda: rx.Record(times="a"), "times must be an array"),
    "record, times a matrix": (lambda: rx.Record(times=[[1, 2], [3, 4]]), "must be a list"),
    "record, first a word": (lambda: rx.Record(first="a"), "first recorded time must be"),
    "record, no function": (lambda: rx.Record(functionals={"a": 3}), "must be a function"),
    "gap, covariance": (lambda: rx.reaction.torus_gap(1, -np.eye(2), np.eye(2)), "but is [["),
    "poles, a word": (lambda: rx.reaction.landau_poles(1, 1, 1, 1, left="a"), "left must be"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_clear_sentence(name):
    """Every wrong argument is named, on one line."""
    wrong, sentence = BAD[name]
    with pytest.raises(rx.InputError) as caught:
        wrong()
    text = str(caught.value)
    assert sentence in text
    assert "\n" not in text


def test_numpy_integers_are_integers():
    """Sizes may come out of numpy; they are stored as plain numbers."""
    grid = rx.PhaseGrid(
        rx.TorusGrid(np.int64(1), np.int64(16)), rx.UniformNodes(np.int64(1), 24, 6)
    )
    assert grid.shape == GRID.shape
    assert type(settings(grid.torus)["d"]) is int
    rx.Problem(MODEL, grid, DATA)
