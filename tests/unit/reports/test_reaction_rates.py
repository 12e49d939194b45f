"""The measured decay rate of a reaction run and the rate that it is set beside."""

import numpy as np
import pytest

import relaxon as rx
from relaxon.numerics.fits import tail_rate
from relaxon.reaction.theory.scaled_rates import ScaledRates, scaled_rates
from relaxon.reaction.theory.semigroup import linear_decay
from relaxon.reaction.theory.spectrum import spectral_gap
from relaxon.reports.headlines.reaction import decay, leading_wave, measured_rate, observed_rates


def test_a_plane_wave_in_two_dimensions_is_set_beside_its_own_rate():
    """cos x cos y has k^2 twice that of the longest wave, and in the limit twice its rate."""
    settings = {"d": 2, "n": 4, "nodes": 16, "v_max": 0.3, "length": 1.0, "t_end": 12.0}
    run = rx.case("reaction-rates", T1=0.0025, T2=0.0025, **settings).solve()
    assert leading_wave(run) == (1, 1)
    k = 2 * np.pi * np.sqrt(2)
    true, longest = (spectral_gap(1.0, 0.0025, 0.0025, q).rate for q in (k, k / np.sqrt(2)))
    assert true / longest > 1.75
    rate, _ = measured_rate(run)
    assert rate == pytest.approx(true, rel=2e-3)
    assert observed_rates(run).true == pytest.approx(true, rel=1e-12)
    (number,) = decay(run)
    assert f"true {true:.4g} of the wave (1, 1) that the data excite" in number.note
    assert f"{longest:.4g} of the longest" in number.note


def test_a_wave_is_known_by_f_when_its_density_has_gone():
    """In the essential spectrum the density is rounding long before the norm is."""
    run = rx.case("reaction-linear", n=8, t_end=5.0).solve()
    assert np.ptp(run.fields["rho_f"][-1]) < 1e-9 * np.ptp(run.fields["rho_f"][0])
    assert leading_wave(run) == (1,)
    (number,) = decay(run)
    assert "no isolated eigenvalue: the edge of the essential spectrum" in number.note
    assert abs(number.value - 0.5) < number.error < 1e-3


def chi(v):
    return np.exp(-v * v / 2) / np.sqrt(2 * np.pi)


# A plain fit of the window gives 0.98494, 0.99914, 0.49948; this one 1.0012, 1.00001, 0.500005.
@pytest.mark.parametrize(
    ("r", "k", "close"), [(1.0, 1.4, 2e-3), (1.0, 1.6, 2e-5), (2.0, 0.9, 2e-5)]
)
def test_a_rate_in_the_essential_spectrum_is_extrapolated(r, k, close):
    gap = spectral_gap(r, 1.0, 1.0, k)
    assert gap.eigenvalue is None
    model = rx.KineticReaction().linearized(r)
    beyond = scaled_rates(model, r, 2 * np.pi / k).beyond
    assert beyond == pytest.approx(gap.density_rate - gap.rate)
    t = np.linspace(0, 8 / gap.rate, 41)
    norm = linear_decay(r, 1.0, 1.0, k, lambda v: r * r * chi(v), lambda v: -chi(v), t).norm
    plain, _ = tail_rate(t, norm, 0.75 * t[-1])
    rate, error = tail_rate(t, norm, 0.75 * t[-1], beyond)
    assert abs(rate - gap.rate) < min(close * gap.rate, error)
    assert abs(rate - gap.rate) < 0.25 * abs(plain - gap.rate)


def test_an_isolated_eigenvalue_has_no_such_approach():
    assert scaled_rates(rx.KineticReaction(), 1.0, 4 * np.pi).beyond is None
    t = np.linspace(0, 8, 41)
    rate, error = tail_rate(t, np.exp(-0.3 * t), 6.0)
    assert rate == pytest.approx(0.3, rel=1e-12) and error < 1e-12
    assert np.isnan(tail_rate(t, np.exp(-0.3 * t), 7.9)[1])


def test_a_true_rate_with_an_error_says_so():
    assert ScaledRates(0.02, None, 0.0795, 1.0, None, 0.0062).told == "0.0795 +- 0.006"
    assert ScaledRates(0.02, None, 0.0795, 1.0, None, 1e-9).told == "0.0795"
