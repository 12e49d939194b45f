"""Every public constructor and function takes the numbers a user has, and refuses what is none.

A row of the table is a call with valid numbers. Each of them is given as a Python number, a numpy
or jax scalar, an array of no axes, and as an integer where it is a whole float: the result is the
same. Text, truth values, NaN, complex numbers and lists get one sentence that names the argument.
"""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import relaxon as rx
from relaxon.core.registry import to_spec

RADIAL = rx.RadialGrid(3, 60, 12.0, 0.1)
PLANE = rx.VelocityGrid(2, 16, 6.0)
GAUSSIAN = rx.potentials.Gaussian(3)
LINEAR = rx.linearized(rx.Landau())
F0 = rx.distributions.maxwellian(RADIAL)
REACTION = rx.KineticReaction()
R = rx.reaction
D = rx.dispersion
U = np.linspace(-6.0, 6.0, 64)
RATE = {"rho_inf": 2.0, "T1": 1.0, "T2": 3.0}
MODE = {**RATE, "k": 4.0}


def rescaled(delta, a):
    return GAUSSIAN.rescaled(delta, a), GAUSSIAN.time_factor(delta, a)


def vhat(k):
    return jnp.exp(-(k**2) / 2)


def solved(t_end, rtol):
    """What `solve` keeps of its numbers, without a step."""
    return rx.solve(rx.Problem(rx.Landau(), RADIAL, F0), t_end, rx.Record(n=2), rtol).provenance[
        "rtol"
    ]


def of_case(**settings):
    return dict(rx.case("blowdown", **settings).settings)


def rows():
    """Name, function, and its numbers."""
    yield "RadialGrid", rx.RadialGrid, {"d": 3, "n": 20, "r_max": 12.0, "r_min": 2.0}
    yield "VelocityGrid", rx.VelocityGrid, {"d": 2, "n": 16, "v_max": 6.0}
    yield "TorusGrid", rx.TorusGrid, {"d": 2, "n": 8, "length": 2.0}
    yield "UniformNodes", rx.UniformNodes, {"d": 2, "n": 8, "v_max": 6.0}
    yield "MappedNodes", rx.MappedNodes, {"d": 2, "n": 8, "scale": 2.0}
    yield "ThermalNodes", rx.ThermalNodes, {"n": 8, "xi_max": 7.0}
    yield "ConfinedLine", rx.ConfinedLine, {"n": 8, "depth": 24.0}
    nodes = rx.UniformNodes(2, 8, 6.0)
    yield "WalledGrid", lambda d, n: rx.WalledGrid(d, n, nodes), {"d": 2, "n": 8}
    yield "Landau", rx.Landau, {"gamma": -3.0, "strength": 2.0, "reaction": 1.0}
    yield "TwoScale", rx.TwoScale, {"delta": 0.25, "alpha": 1.0}
    yield "KineticReaction", rx.KineticReaction, {"epsilon": 2.0}
    yield "ConfinedReaction", rx.ConfinedReaction, {"T1": 2.0, "T2": 1.0, "epsilon": 3.0}
    yield "KineticReaction.linearized", REACTION.linearized, {"rho_inf": 2.0}
    yield "ConfinedReaction.linearized", rx.ConfinedReaction().linearized, {"rho_inf": 2.0}
    yield "Gaussian", rx.potentials.Gaussian, {"d": 3, "amplitude": 2.0, "length": 3.0}
    coulomb = {"d": 3, "k_max": 9.0, "amplitude": 2.0, "k_min": 1.0}
    yield "Coulomb", rx.potentials.Coulomb, coulomb
    yukawa = {"d": 3, "amplitude": 2.0, "screening_length": 3.0, "k_max": 9.0, "k_min": 1.0}
    yield "Yukawa", rx.potentials.Yukawa, yukawa
    yield "Custom", lambda d: rx.potentials.Custom(d, vhat).k0(), {"d": 3}
    yield "rescaled", rescaled, {"delta": 2.0, "a": 3.0}
    yield (
        "blowdown",
        lambda **x: rx.distributions.blowdown(RADIAL, **x),
        {
            "delta": 0.25,
            "alpha": 1.0,
        },
    )
    yield (
        "blowdown_profile",
        lambda **x: rx.distributions.blowdown_profile(RADIAL, **x),
        {
            "t": 1.0,
            "delta": 0.25,
            "alpha": 1.0,
        },
    )
    yield "bkw", lambda **x: rx.distributions.bkw(PLANE, **x), {"t": 9.0, "strength": 1.0, "c": 1.0}
    yield (
        "maxwellian",
        lambda **x: rx.distributions.maxwellian(RADIAL, **x),
        {
            "mass": 2.0,
            "temperature": 1.0,
        },
    )
    for name, numbers in {
        "gaussian": {"variance": 2.0},
        "algebraic": {"k": 3.0},
        "two-bump": {"separation": 2.0, "variance": 1.0},
    }.items():
        yield f"profile {name}", lambda name=name, **x: rx.distributions.profile(name, **x), numbers
    for name, numbers in {
        "harmonic": {"stiffness": 2.0},
        "quartic": {"strength": 2.0},
        "double-well": {"barrier": 2.0, "distance": 1.0},
    }.items():
        yield f"confinement {name}", lambda name=name, **x: R.confinement(name, **x), numbers
    yield "lp_norm", lambda p: rx.functionals.lp_norm(F0, RADIAL, p), {"p": 2.0}
    yield (
        "weighted_norm",
        lambda temperature: rx.functionals.weighted_norm(F0, RADIAL, temperature),
        {"temperature": 2.0},
    )
    yield (
        "near_field_norm",
        lambda width: rx.functionals.near_field_norm(F0, RADIAL, width),
        {"width": 2.0},
    )
    yield "maxwellian_mode", lambda **x: D.maxwellian_mode(GAUSSIAN, **x), {"k": 1.0, "beta": 1.0}
    slope = D.marginal_maxwellian(U)[1]
    yield "gridded_mode", lambda k: D.gridded_mode(GAUSSIAN, k, U, slope), {"k": 1.0}
    yield (
        "linearized",
        lambda **x: rx.linearized(rx.Landau(), **x).eigenvalues(1.0),
        {
            "temperature": 2.0,
            "d": 3,
        },
    )
    yield (
        "sector",
        lambda **x: LINEAR.sector(**x).coercivity()[0],
        {
            "l": 2,
            "r_max": 12.0,
            "parts": 1,
            "degree": 2,
        },
    )
    yield "Record", rx.Record, {"n": 9, "first": 1.0}
    yield "solve", lambda t_end, rtol=1e-3: solved(t_end, rtol), {"t_end": 0.0, "rtol": 0.0625}
    yield "case", of_case, {"delta": 0.25, "n": 80, "t_end": 1.0, "rtol": 0.0625}
    yield "dispersion", lambda **x: R.dispersion(0.5j, **x), MODE
    for function in (R.spectral_gap, R.landau_poles, R.dms_rate, R.dms_constants, R.h1_rate):
        yield function.__name__, function, MODE
    yield "functional_rate", R.functional_rate, {**MODE, "modes": 3}
    yield "hypocoercive_rates k", lambda k: R.hypocoercive_rates(1.0, 1.0, 1.0, k), {"k": 4.0}
    yield (
        "h1_rate dimension",
        lambda dimension: R.h1_rate(**MODE, dimension=dimension),
        {"dimension": 2},
    )
    weights = [0.5, 0.01, 0.1, 0.01]
    yield (
        "h1_functional_rate",
        lambda **x: R.h1_functional_rate(**{**MODE, **x}, weights=weights),
        {"k": 4.0, "step": 1.0},
    )
    yield "critical_wavenumber", R.critical_wavenumber, RATE
    yield "limit_diffusivity", R.limit_diffusivity, RATE
    yield "torus_gap", R.torus_gap, {**RATE, "dimension": 2}
    yield "landau_poles left", lambda left: R.landau_poles(**MODE, left=left), {"left": -4.0}
    yield "poincare_constant", lambda n: R.poincare_constant(n=n), {"n": 16}
    yield "confined_dms_constants", R.confined_dms_constants, {**RATE, "n": 16}
    yield "confined_functional_rate", R.confined_functional_rate, {**RATE, "n": 8}
    yield (
        "linear_decay",
        lambda **x: R.linear_decay(**x, f0=vhat, g0=vhat, t=[0.0, 0.1]).norm,
        {**MODE, "reach": 8.0},
    )


TABLE = {name: (function, numbers) for name, function, numbers in rows()}

# Too long to be called with valid numbers here.
LONG = {
    "coercivity": (LINEAR.coercivity, {"l_max": 2}),
    "dirichlet": (lambda l: LINEAR.dirichlet(vhat, l=l), {"l": 2}),
    "convergence": (
        lambda **x: rx.convergence(rx.case("blowdown", n=80), **x),
        {"levels": 3, "factor": 2.0},
    ),
    "confined_gap": (R.confined_gap, RATE),
    "confined_rates": (R.confined_rates, RATE),
    "confined_gap n": (lambda n: R.confined_gap(**RATE, n=(n, 6)), {"n": 8}),
}

CALLS = TABLE | LONG
PAIRS = [(name, argument) for name, (_, numbers) in CALLS.items() for argument in numbers]

# Arguments that may as well be arrays.
ARRAYS = {
    "marginal_maxwellian": (D.marginal_maxwellian, {"u": 2.0, "beta": 1.0}),
    "z_maxwellian": (D.z_maxwellian, {"u": 2.0, "beta": 1.0}),
    "epsilon_maxwellian": (
        lambda **x: D.epsilon_maxwellian(GAUSSIAN, **x),
        {"k": 1.0, "u": 2.0, "beta": 1.0},
    ),
    "epsilon": (
        lambda k, u: D.epsilon(GAUSSIAN, F0, RADIAL, k, [1.0, 0.0, 0.0], u),
        {"k": 1.0, "u": 2.0},
    ),
    "gaussian_mixture": (
        lambda weights: rx.distributions.gaussian_mixture(RADIAL, weights, np.zeros((1, 3)), [1.0]),
        {"weights": 2.0},
    ),
    "Record times": (rx.Record, {"times": 2.0}),
    "anisotropic": (
        lambda covariance: rx.distributions.profile("anisotropic", covariance=[covariance]),
        {"covariance": 2.0},
    ),
    "rate_map": (
        lambda rho_inf, k: R.rate_map(rho_inf, k, 1.0, 1.0, ("dms",))["dms"],
        {"rho_inf": 2.0, "k": 4.0},
    ),
    "linear_decay t": (
        lambda t: R.linear_decay(**MODE, f0=vhat, g0=vhat, t=t).norm,
        {"t": 1.0},
    ),
}

FORMS = {
    "numpy": lambda x: np.float64(x) if isinstance(x, float) else np.int64(x),
    "numpy, single": lambda x: np.float32(x) if isinstance(x, float) else np.int32(x),
    "jax": jnp.asarray,
    "array of no axes": np.asarray,
    "an integer": lambda x: int(x) if float(x).is_integer() else x,
}
"""Ways to write a number; those in the table are exact in single precision."""

WRONG = ["text", True, math.nan, 1j, [1.0, 2.0], np.array([1.0, 2.0]), np.str_("3"), jnp.nan * 1j]

NONE_ALLOWED = {
    *(
        ("linearized", "d"),
        ("Record", "first"),
        ("Record times", "times"),
        ("case", "n"),
        ("landau_poles left", "left"),
    ),
    *(("sector", "r_max"), ("dms_rate", "k"), ("dms_constants", "k"), ("h1_rate", "k")),
    *(("functional_rate", "k"), ("hypocoercive_rates k", "k"), ("h1_functional_rate", "k")),
}


def content(value):
    """What an object is, comparable: its spec where it has one, its numbers elsewhere."""
    if isinstance(value, rx.Record):
        return dataclasses.astuple(value)
    if isinstance(value, tuple | list):
        return [content(item) for item in value]
    if isinstance(value, dict):
        return {key: content(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return np.asarray(value).tolist()
    if dataclasses.is_dataclass(value):
        try:
            return to_spec(value)
        except rx.InputError:
            leaves = jax.tree.leaves(eqx.filter(value, eqx.is_inexact_array_like))
            return [type(value).__name__, *map(content, leaves)]
    return value


@pytest.fixture(scope="module")
def plainly():
    """The objects made from Python numbers, made once."""
    made = {}

    def of(name):
        if name not in made:
            function, numbers = TABLE[name]
            made[name] = content(function(**numbers))
        return made[name]

    return of


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=5)
@given(data=st.data())
def test_every_form_of_a_number_gives_the_same(name, data, plainly):
    function, numbers = TABLE[name]
    forms = {key: data.draw(st.sampled_from(sorted(FORMS)), key) for key in numbers}
    found = function(**{key: FORMS[forms[key]](value) for key, value in numbers.items()})
    assert content(found) == plainly(name)


@pytest.mark.parametrize(("name", "argument"), PAIRS)
def test_what_is_no_number_gets_one_sentence(name, argument):
    function, numbers = CALLS[name]
    for wrong in [*WRONG, *([] if (name, argument) in NONE_ALLOWED else [None])]:
        refused(function, numbers, argument, wrong)


@pytest.mark.parametrize("name", ARRAYS)
def test_what_may_be_an_array(name):
    function, numbers = ARRAYS[name]
    wanted = content(function(**numbers))
    for form in FORMS.values():
        assert content(function(**{key: form(value) for key, value in numbers.items()})) == wanted
    for argument in numbers:
        none = [] if (name, argument) in NONE_ALLOWED else [None]
        for wrong in ["text", True, [[1.0], [1.0, 2.0]], *none]:
            refused(function, numbers, argument, wrong)


def refused(function, numbers, argument, wrong):
    with pytest.raises(rx.InputError) as caught:
        function(**{**numbers, argument: wrong})
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith("."), sentence
    assert len(sentence) < 300, sentence
    assert argument in sentence, sentence
