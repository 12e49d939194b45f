import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaxon.core.errors import InputError
from relaxon.distributions.marginals import DensityMarginal, GaussianMarginal
from relaxon.distributions.profiles import as_marginal


def algebraic(v):
    """Exact transform 1/(s + k) + k/(s + k)^2, because its characteristic is (1+|w|)e^-|w|."""
    return 2 / np.pi / (1 + v * v) ** 2


def points():
    rng = np.random.default_rng(1)
    s = rng.uniform(0, 3, 60) + 1j * rng.uniform(-8, 8, 60)
    s[:5] = [0, 1e-20 - 2j, 1e-9 + 1j, 3j, 1e-300]
    return s


@pytest.mark.parametrize("k", [0.05, 0.7, 6.3, 100.0])
def test_panels_reproduce_gaussian_up_to_the_edge(k):
    closed = GaussianMarginal(1.3)
    panels = DensityMarginal(closed.density)
    exact = closed.cauchy(points(), k)
    assert np.max(np.abs(panels.cauchy(points(), k) - exact) / np.maximum(1, np.abs(exact))) < 2e-14


@pytest.mark.parametrize("k", [0.05, 0.7, 6.3])
def test_panels_reproduce_algebraic_tail(k):
    s = points()
    exact = 1 / (s + k) + k / (s + k) ** 2
    value = DensityMarginal(algebraic).cauchy(s, k)
    assert np.max(np.abs(value - exact) / np.maximum(1, np.abs(exact))) < 1e-14


def test_continuation_crosses_the_edge_smoothly():
    closed = GaussianMarginal(0.4)
    panels = DensityMarginal(closed.density)
    s = -np.abs(points().real) + 1j * points().imag
    exact = closed.continued(s, 2.0)
    assert np.max(np.abs(panels.continued(s, 2.0) - exact) / np.maximum(1, np.abs(exact))) < 1e-13


def test_moments_and_characteristic():
    closed = GaussianMarginal(0.6)
    panels = DensityMarginal(closed.density)
    w = np.linspace(-9, 9, 31)
    assert panels.moment(2) == pytest.approx(0.6, abs=1e-14)
    assert panels.moment(4) == pytest.approx(3 * 0.36, abs=1e-14)
    assert np.max(np.abs(panels.characteristic(w) - closed.characteristic(w))) < 1e-14
    w = np.array([0.0, 0.3, 4.0, -4.0])
    tail = (1 + np.abs(w)) * np.exp(-np.abs(w))
    assert np.max(np.abs(DensityMarginal(algebraic).characteristic(w) - tail)) < 1e-13


@given(st.floats(0.01, 50), st.floats(1e-3, 30), st.floats(0.05, 4))
def test_defect_is_one_minus_s_times_transform(s, k, variance):
    marginal = GaussianMarginal(variance)
    direct = 1 - s * marginal.cauchy(s, k)
    assert marginal.defect(s, k) == pytest.approx(direct, rel=1e-12, abs=1e-14)


@given(st.floats(-40, 40), st.floats(0.1, 10))
def test_logarithm_has_no_overflow(s, k):
    marginal = GaussianMarginal(1.0)
    value = marginal.log_cauchy(s, k)
    assert np.isfinite(value)
    if s / k > -20:
        assert value == pytest.approx(np.log(marginal.continued(s, k)), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (-1.0, "positive"),
        (np.nan, "positive"),
        ("hot", "positive"),
        (lambda v: 0.9 * GaussianMarginal(1.0).density(v), "mass"),
        (lambda v: GaussianMarginal(1.0).density(v - 0.1), "mean"),
        (lambda v: np.where(np.abs(v) < 1, np.nan, 0.0), "finite"),
    ],
)
def test_bad_profiles_are_refused(profile, words):
    with pytest.raises(InputError, match=words):
        as_marginal("T1", profile)


def test_infinite_moment_is_refused():
    with pytest.raises(InputError, match="infinite"):
        DensityMarginal(algebraic).moment(4)


def test_kinks_are_allowed_and_still_accurate():
    def tent(v):
        return np.maximum(0, 1 - np.abs(v))

    s, k = np.array([0.3 + 0.2j, 1e-6 + 0.1j]), 1.5
    z = 1j * s / k
    exact = (1j / k) * ((1 + z) * np.log(1 + z) - 2 * z * np.log(z) + (z - 1) * np.log(z - 1))
    assert np.max(np.abs(DensityMarginal(tent).cauchy(s, k) - exact)) < 1e-12
