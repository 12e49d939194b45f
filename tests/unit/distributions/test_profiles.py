"""Profiles and the conditions (3) of neumann2016."""

import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.distributions.profiles import concentration_exponent, profile, sample
from relaxon.grids.velocity_nodes import MappedNodes, UniformNodes

CASES = [
    (profile("gaussian", variance=0.7), UniformNodes(1, 40, 6.0)),
    (profile("gaussian", variance=0.7), UniformNodes(3, 16, 5.0)),
    (profile("anisotropic", covariance=[0.5, 1.5]), UniformNodes(2, 30, 7.0)),
    (profile("two-bump", separation=3.0, variance=0.25), UniformNodes(1, 48, 5.0)),
    (profile("two-bump"), UniformNodes(2, 32, 5.0)),
    (profile("algebraic", k=3.0), MappedNodes(1, 32)),
    (profile("algebraic", k=4.0), MappedNodes(2, 64)),
]


@pytest.mark.parametrize(("chi", "nodes"), CASES)
def test_moments(chi, nodes):
    mass = sample(chi, nodes)
    v = nodes.v.reshape(nodes.size, -1)
    assert mass.min() >= 0
    assert abs(mass.sum() - 1) < 1e-14
    assert np.max(np.abs(mass @ v)) < 1e-15
    second = np.einsum("j,ja,jb->ab", mass, v, v)
    np.testing.assert_allclose(second, chi.covariance(nodes), rtol=2e-4, atol=1e-12)


def test_mean_of_a_lopsided_profile_is_removed_to_rounding():
    def lopsided(v):
        # 0.3 N(1.4, 0.2) + 0.7 N(-0.6, 0.2): zero mean, but not even.
        bump = lambda a: np.exp(-((v[..., 0] - a) ** 2) / 0.4) / np.sqrt(0.4 * np.pi)  # noqa: E731
        return 0.3 * bump(1.4) + 0.7 * bump(-0.6)

    nodes = UniformNodes(1, 41, 4.5)
    mass = sample(profile(lopsided), nodes)
    assert abs(mass @ nodes.v[:, 0]) < 1e-15
    assert abs(mass.sum() - 1) < 1e-14


def logarithmic(v):
    """1/(|v| log^2 |v|) next to 0: integrable, but no power of delta bounds its mass there."""
    r = np.maximum(np.abs(v[..., 0]), 1e-300)
    inner = np.where(r < 0.5, 0.5 * np.log(2) / (r * np.log(np.minimum(r, 0.5)) ** 2), 0.0)
    return np.where(v[..., 0] == 0, 2.0, inner)  # the node at zero makes the sum over nodes one


@pytest.mark.parametrize(
    ("chi", "words"),
    [
        (lambda v: 1.1 * np.exp(-np.sum(v**2, -1) / 2) / np.sqrt(2 * np.pi), "off by 0.1"),
        (lambda v: np.exp(-np.sum((v - 0.5) ** 2, -1) / 2) / np.sqrt(2 * np.pi), "off by 0.5"),
        (
            lambda v: (1.5 - v[..., 0] ** 2) * 2 * np.exp(-(v[..., 0] ** 2) / 2) / 2.5066282746,
            "smallest value",
        ),
        (lambda v: np.full(v.shape[:-1], np.nan), "non-finite"),
        (lambda v: np.where(np.abs(v[..., 0]) < 0.2, 2.0, 0.0), "it is 0.8 by adaptive quadrature"),
        (logarithmic, "no concentration on planes: theta is 0.09"),
    ],
)
def test_condition_3_is_enforced_in_one_sentence(chi, words):
    nodes = UniformNodes(1, 49, 12.25)  # spacing 0.5, a node at zero
    with pytest.raises(InputError, match=words) as refused:
        sample(profile(chi), nodes)
    assert "condition (3)" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_algebraic_needs_a_second_moment():
    with pytest.raises(InputError, match=r"needs k > 1\.5 in dimension 1"):
        sample(profile("algebraic", k=1.4), MappedNodes(1, 32))


def test_theta():
    nodes = UniformNodes(1, 200, 6.0)
    assert concentration_exponent(profile("gaussian"), nodes) == 1.0

    def cusp(v):
        # |v|^{-1/2} on (-1, 1), a quarter of it: theta = 1/2.
        r = np.abs(v[..., 0])
        return np.where(r < 1, 0.25 / np.sqrt(np.maximum(r, 1e-300)), 0.0)

    for n in (20, 2000):  # the nodes give the range only
        assert concentration_exponent(profile(cusp), UniformNodes(1, n, 1.5)) == pytest.approx(
            0.5, abs=1e-6
        )


def test_heavy_tails_of_a_callable_are_refused_with_their_power():
    def heavy(v):
        # c (1 + v^2)^(-1.4), c = Gamma(1.4)/(sqrt(pi) Gamma(0.9)); its second moment is infinite.
        return 0.468436794465 / (1 + v[..., 0] ** 2) ** 1.4

    def light(v):
        return 2 / np.pi / (1 + v[..., 0] ** 2) ** 2

    with pytest.raises(InputError, match=r"falls off like \|v\|\^-2\.8"):
        sample(profile(heavy), MappedNodes(1, 2000))
    assert abs(sample(profile(light), MappedNodes(1, 64)).sum() - 1) < 1e-14


@pytest.mark.parametrize("d", [1, 2, 3])
def test_marginals_and_information_of_named_profiles(d):
    e = np.array([0.6, -0.8, 0.5])[:d]
    e = e / np.linalg.norm(e)
    cases = [
        profile("gaussian", variance=0.6),
        profile("anisotropic", covariance=[0.3, 0.8, 0.5][:d]),
        profile("algebraic", k=5.0),
        profile("two-bump", separation=1.5, variance=0.4),
    ]
    for chi in cases:
        marginal = chi.marginal(3 * e)
        assert marginal.moment(2) == pytest.approx(e @ chi.spread(d) @ e, rel=1e-10), chi.name
        # A central difference in v under a quadrature on nodes, independently.
        nodes = UniformNodes(d, {1: 4000, 2: 260, 3: 72}[d], {1: 20.0, 2: 9.0, 3: 6.0}[d])
        v, h, total = nodes.v, 1e-4, 0.0
        for axis in np.eye(d):
            slope = (chi(v + h * axis) - chi(v - h * axis)) / (2 * h)
            total += np.sum(nodes.weights * slope**2 / np.maximum(chi(v), 1e-300))
        assert chi.information(d) == pytest.approx(total, rel=2e-3), chi.name


def test_marginal_of_a_callable_is_known_on_the_line_only():
    chi = profile(lambda v: np.exp(-0.5 * np.sum(v**2, -1)) * (2 * np.pi) ** (-v.shape[-1] / 2))
    assert chi.marginal().moment(4) == pytest.approx(3.0, abs=1e-12)
    assert chi.information() == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(InputError, match="dimension 2"):
        chi.marginal((1.0, 0.0))
    with pytest.raises(InputError, match="direction"):
        chi.marginal((0.0, 0.0))


def test_bad_names_and_settings():
    with pytest.raises(InputError, match="Did you mean 'gaussian'"):
        profile("gausian")
    with pytest.raises(InputError, match="variance must be positive"):
        profile("gaussian", variance=-1)
    with pytest.raises(InputError, match="Unknown gaussian setting"):
        profile("gaussian", width=2)
    with pytest.raises(InputError, match="takes no settings"):
        profile(np.exp, variance=1)
    with pytest.raises(InputError, match="holds 2 variances"):
        sample(profile("anisotropic", covariance=[1, 2]), UniformNodes(1, 8, 5.0))
