"""The table [potential] of a configuration file."""

import pytest

import relaxon as rx
from relaxon.cases.catalogue import from_tables
from relaxon.core.errors import InputError
from relaxon.core.registry import settings as settings_of

MIXTURE = {"type": "mixture", "weights": [0.7, 0.3], "temperatures": [0.3, 1.0]}


def tables(equation, potential=None, d=3):
    found = {
        "equation": {"type": equation},
        "grid": {"type": "RadialGrid", "n": 40, "d": d, "r_max": 11.0},
        "initial": dict(MIXTURE),
        "run": {"t_end": 1.0},
    }
    return found if potential is None else {**found, "potential": potential}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("gaussian", {"amplitude": 0.5, "length": 2.0}),
        ("yukawa", {"amplitude": 0.3, "screening_length": 1.0, "k_max": 20.0}),
        ("coulomb", {"k_max": 10.0, "k_min": 0.1}),
    ],
)
def test_the_equation_gets_the_potential_of_the_grid_s_dimension(kind, settings):
    for d in (2, 3):
        case = from_tables("x", tables("LenardBalescu", {"type": kind, **settings}, d), {})
        potential = case.problem.equation.potential
        assert potential.d == d
        assert type(potential).__name__.lower() == kind
        assert {**settings}.items() <= settings_of(potential).items()


def test_landau_takes_the_prefactor_of_the_potential():
    case = from_tables("x", tables("Landau", {"type": "gaussian"}), {})
    expected = float(rx.potentials.Gaussian(3).landau_prefactor())
    assert float(case.problem.equation.strength) == expected


def test_the_rescaled_potential_of_the_landau_limit():
    potential = rx.case("landau-limit", delta=0.5).problem.equation.potential
    assert float(potential.length) == 0.5
    assert float(potential.amplitude) == 1.0


def test_settings_change_the_potential_and_are_kept():
    case = rx.case("screened-mixture", amplitude=0.25)
    assert float(case.problem.equation.potential.amplitude) == 0.25
    assert case.settings["potential"]["amplitude"] == 0.25
    assert "potential" not in rx.case("mixture").settings


def test_screened_and_bare_mixture_have_the_same_prefactor_and_data():
    screened, bare = rx.case("screened-mixture").problem, rx.case("bare-mixture").problem
    prefactor = float(screened.equation.potential.landau_prefactor())
    assert float(bare.equation.strength) == prefactor
    assert (screened.f0 == bare.f0).all()


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (tables("LenardBalescu"), r"needs a table \[potential\].*coulomb, gaussian, yukawa"),
        (tables("LenardBalescu", {"amplitude": 1.0}), r"\[potential\] needs a type"),
        (tables("LenardBalescu", {"type": "gausian"}), "gaussian"),
        (tables("LenardBalescu", {"type": "gaussian", "lenght": 1.0}), "length"),
        (tables("LenardBalescu", {"type": "gaussian", "amplitude": "a"}), "must be a number"),
        (tables("LenardBalescu", {"type": "yukawa", "amplitude": 1.0}), "screening_length"),
        (tables("LenardBalescu", {"type": "gaussian", "amplitude": -1.0}), "positive definite"),
    ],
)
def test_bad_tables_are_one_sentence(found, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        from_tables("x", found, {})
    assert "\n" not in str(caught.value)


def test_an_equation_without_potential_refuses_the_table():
    with pytest.raises(InputError, match="both"):
        found = tables("Landau", {"type": "gaussian"})
        found["equation"]["strength"] = 1.0
        from_tables("x", found, {})
    with pytest.raises(InputError, match="leave the table"):
        found = {**tables("TwoScale", {"type": "gaussian"})}
        found["equation"] |= {"delta": 1e-2, "alpha": 0.3}
        from_tables("x", found, {})
    with pytest.raises(InputError, match=r"key of \[equation\], potential = 'harmonic'"):
        from_tables("x", tables("ConfinedReaction", {"type": "gaussian"}), {})
