"""Fuzzed calls of the Python interface: python3 campaigns/fuzz_calls.py [TRIES] [--seed S].

Half of the tries give a constructor or function an argument that it cannot use (numbers of any size
and type, text, lists, arrays, functions). The others solve a ready-made problem from a damaged
datum (NaN, infinities, negative values, zeros, spikes, wrong shapes and types), with functionals,
recorded times, end times and tolerances that may be hostile, too.

Allowed: a value; an `InputError` of one line; a solution that ended with a named status. A solution
that is `ok` ends at t_end, holds finite fields, conserves its mass and energy to 1e-8, and either
has finite diagnostics or says otherwise in `warnings`. Not allowed: another exception, a warning of
Python, NaN in what is made of finite numbers, a hang, a crash.
"""

from __future__ import annotations

import functools
import math
import random
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from _tries import Try, main, where

MOST_STEPS = 200
INF, NAN = math.inf, math.nan
HOSTILE: list[Any] = [
    0, -1, 1, 2, 3, 0.0, -0.0, 0.5, 1e-3, 1e-8, 1e308, -1e308, NAN, INF, -INF, 1e-320, 5e-324,
    1e300, 1e-300, 10**18, 10**400, True, None, "x", "", b"x", 1j, [], [1.0], [NAN], {}, (),
    object(), np.float32(0.5), np.float64(NAN), np.array(0.5), np.array([0.5, 0.5]), np.int64(2),
    lambda *a: 1.0, float, "0.5", [[1.0], [2.0, 3.0]], {"name": "gaussian"}, "\u00fc\n", range(3),
]  # fmt: skip

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "radial": ("blowdown", {"n": 60, "delta": 1e-2}),
    "mixture": ("mixture", {"n": 60}),
    "screened": ("screened-mixture", {"n": 40}),
    "cartesian": (
        "bi-maxwellian",
        {"d": 2, "n": 24, "means": [[0.0, 0.0]], "variances": [[0.8, 0.5]]},
    ),
    "p1": ("reaction-p1", {"n": 8, "nodes": 12}),
    "limit": ("reaction-limit", {"n": 16}),
    "confined": ("reaction-confined", {"n": 16, "nodes": 10}),
    "two-scale": ("two-scale", {"n": 60, "delta": 1e-2}),
}
SIGNED = ("two-scale", "linear")

DAMAGES = """nan inf -inf negative tiny zeros nothing huge small scale spike constant noise step
float32 float16 int bool shape flat list text object complex mapping none denormal""".split()


@functools.cache
def problem(kind: str) -> Any:
    """A problem of a kind."""
    import relaxon as rx

    name, settings = KINDS[kind]
    return rx.case(name, **settings).problem


def damaged(rng: random.Random, value: Any, how: str) -> Any:
    """A datum with one thing wrong, or strange."""
    f = np.array(value, float)
    flat = f.reshape(-1)
    some = [rng.randrange(flat.size) for _ in range(rng.choice([1, 3, flat.size]))]
    marks = {"nan": NAN, "inf": INF, "-inf": -INF, "tiny": -1e-300, "zeros": 0.0}
    marks["denormal"] = 5e-324
    if how in marks:
        flat[some] = marks[how]
    elif how == "negative":
        flat[some] *= -1
    elif how == "spike":
        flat[some[0]] *= 10.0 ** rng.choice([1, 3, 6, 12, 30])
    elif how == "noise":
        flat *= np.random.default_rng(rng.randrange(1 << 30)).uniform(0, 2, flat.size)
    elif how == "step":
        flat[rng.randrange(flat.size) :] = 0.0
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if how in ("huge", "small", "scale"):
            powers = {"huge": (100, 307), "small": (-320, -100), "scale": (-12, 12)}[how]
            return f * 10.0 ** rng.uniform(*powers)
        if how in ("float32", "float16", "int", "bool", "object", "complex"):
            return f.astype(how)
    whole = {
        "nothing": 0 * f,
        "constant": np.full_like(f, rng.choice([1.0, 1e-10, 1e10])),
        "shape": rng.choice([f[..., None], f[:-1], f[..., :0], np.zeros(()), f[None]]),
        "flat": flat,
        "list": f.tolist(),
        "text": rng.choice(["f", "nan", b"x"]),
        "mapping": rng.choice([{}, {"f": f}, {"f": f, "g": f, "h": f}, {1: f}]),
        "none": None,
    }
    return whole.get(how, f)


def functionals(rng: random.Random) -> Any:
    """Functionals of a record, most of them strange."""
    import jax.numpy as jnp

    if rng.random() < 0.6:
        return {}
    strange: list[Callable[..., Any]] = [
        lambda t, f, grid: t,
        lambda t, f, grid: jnp.nan * t,
        lambda t, f, grid: jnp.stack([t, t]),
        lambda t, f, grid: {"a": t, "mass": t},
        lambda t, f, grid: {"a": t, "b": 1},
        lambda t, f, grid: np.log(f),
        lambda t, f, grid: float(t),
        lambda t, f, grid: 1 / 0,
        lambda t, f, grid: 1j * t,
        lambda t, f, grid: "x",
        lambda t: t,
    ]
    name = rng.choice(["probe", "probe", "mass", "t", "f", "", "a b", 3])
    whole: list[Any] = [[strange[0]], strange[0], None, "x", {name: 1.0}]
    return {name: rng.choice(strange)} if rng.random() < 0.8 else rng.choice(whole)


def solved(rng: random.Random) -> Try:
    """A run from a damaged datum."""
    import relaxon as rx

    kind = rng.choice(sorted(KINDS))
    given, how = problem(kind), rng.choice(DAMAGES)
    f0 = given.f0
    if isinstance(f0, dict):
        key = rng.choice(sorted(f0))
        new: Any = {**f0, key: damaged(rng, f0[key], how)}
    else:
        new = damaged(rng, f0, how)
    rare = rng.random() < 0.15
    t_end = rng.choice(HOSTILE if rare else [0.01, 0.1, 1.0, 10.0, 0, 1e-12, 1e6, 1e300])
    rtol = rng.choice(HOSTILE if rng.random() < 0.1 else [1e-6, 1e-4, 1e-2, 0.1])
    times = rng.choice([None, None, None, [], [0.0], [0.5, 0.1, 0.1], [1e300], HOSTILE])
    measured = functionals(rng)
    what = f"{kind} from {how}, t_end {t_end!r:.20}, rtol {rtol!r:.20}, times {times!r:.20}"

    def run() -> Any:
        record = rx.Record(times=times, n=4, functionals=measured)
        return rx.solve(rx.Problem(given.equation, given.grid, new), t_end, record, rtol)

    solution, outcome, wrong = called(run)
    if outcome != "value":
        return Try(what, outcome, wrong)
    return Try(what, solution.status.name, wrong or wrong_solution(solution, kind, t_end))


def wrong_solution(solution: Any, kind: str, t_end: float) -> str:
    """What is wrong with a solution."""
    from relaxon.reports.headlines import catalogue

    bad = [name for name, x in solution.fields.items() if not np.all(np.isfinite(x))]
    if solution.ok:
        held = solution.diagnostics.items()
        told = " ".join(solution.warnings)
        bad += [n for n, x in held if not np.all(np.isfinite(x)) and f"{n} is NaN" not in told]
    if bad:
        return f"not finite: {', '.join(bad)}"
    if solution.ok and solution.t[-1] != float(t_end):
        return f"ends at {solution.t[-1]}"
    if solution.ok and kind not in SIGNED:
        for name in ("mass", "energy"):
            if name in solution.diagnostics and solution.drift(name) > 1e-8:
                return f"the {name} drifts by {solution.drift(name):.0e}"
    _, outcome, wrong = called(lambda: (str(solution), catalogue.as_text(solution)))
    return "" if outcome == "value" else wrong or "the summary is refused"


@functools.cache
def calls() -> dict[str, tuple[Callable[..., Any], list[Any]]]:
    """Functions with arguments that they take."""
    import relaxon as rx

    profile = rx.distributions.profile
    radial, plane = problem("radial").grid, problem("cartesian").grid
    first = problem("mixture")
    grid, f0 = first.grid, np.asarray(first.f0)
    return {
        "RadialGrid": (rx.RadialGrid, [3, 40, 9.0, 0.5]),
        "VelocityGrid": (rx.VelocityGrid, [2, 24, 6.0]),
        "TorusGrid": (rx.TorusGrid, [1, 16, 1.0]),
        "UniformNodes": (rx.UniformNodes, [1, 24, 6.0]),
        "MappedNodes": (rx.MappedNodes, [1, 24, 1.0]),
        "ThermalNodes": (rx.ThermalNodes, [12, 7.0]),
        "WalledGrid": (rx.WalledGrid, [1, 8, rx.UniformNodes(1, 12, 6.0)]),
        "PhaseGrid": (rx.PhaseGrid, [rx.TorusGrid(1, 8), rx.UniformNodes(1, 12, 6.0)]),
        "ConfinedLine": (rx.ConfinedLine, ["harmonic", 16, 24.0]),
        "confinement": (rx.reaction.confinement, ["quartic"]),
        "profile": (profile, ["gaussian"]),
        "Landau": (rx.Landau, [-3.0, 1.0, 0.0]),
        "TwoScale": (rx.TwoScale, [0.01, 0.3]),
        "KineticReaction": (rx.KineticReaction, [profile("gaussian"), profile("gaussian"), 0.1]),
        "Gaussian": (rx.potentials.Gaussian, [3, 1.0, 1.0]),
        "Coulomb": (rx.potentials.Coulomb, [3, 10.0, 1.0, 0.1]),
        "Yukawa": (rx.potentials.Yukawa, [3, 1.0, 1.0, 10.0, 0.0]),
        "maxwellian": (functools.partial(rx.distributions.maxwellian, radial), [1.0, 1.0]),
        "tilted": (functools.partial(rx.distributions.maxwellian, plane), [1.0, 1.0, [0.0, 0.0]]),
        "blowdown": (functools.partial(rx.distributions.blowdown, radial), [0.05, 0.3]),
        "Record": (rx.Record, [None, 5, 0.1, {}, ("f",), {}]),
        "schedule": (lambda *a: rx.Record(*a).schedule(1.0), [[0.1, 0.2], 5, 0.1]),
        "Problem": (rx.Problem, [rx.Landau(), grid, f0]),
        "case": (rx.case, ["mixture"]),
        "setting": (lambda key, x: rx.case("mixture", **{str(key): x}), ["n", 60]),
        "settings": (lambda n, r, t: rx.case("mixture", n=n, r_max=r, times=t), [60, 12.0, 5]),
        "open": (rx.open, ["none"]),
        "resume": (rx.resume, ["none", 1.0]),
        "solve": (rx.solve, [first, 0.0, rx.Record(n=2), 1e-4]),
    }


def call(rng: random.Random) -> Try:
    """A function with arguments of which about half are hostile."""
    name = rng.choice(sorted(calls()))
    function, good = calls()[name]
    given = [rng.choice(HOSTILE) if rng.random() < 0.5 else value for value in good]
    shown = ", ".join(f"{x!r:.30}" for x in given)
    value, outcome, wrong = called(lambda: function(*given))
    if not wrong and outcome == "value" and nan_inside(value):
        wrong = "NaN in the result"
    return Try(f"{name}({shown})", outcome, wrong)


def nan_inside(value: Any) -> bool:
    """Whether an array of floats, or a number, holds NaN."""
    if not isinstance(value, float | np.ndarray) and type(value).__name__ != "ArrayImpl":
        return False
    return bool(np.any(np.isnan(np.asarray(value, float))))


def called(function: Callable[[], Any]) -> tuple[Any, str, str]:
    """The value, how the call ended, and what is wrong with that."""
    import relaxon as rx

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            value, outcome, wrong = function(), "value", ""
        except rx.InputError as error:
            lines = str(error).splitlines()
            value, outcome = None, "refused"
            wrong = "" if len(lines) == 1 and lines[0] else f"a sentence of {len(lines)} lines"
        except Exception as error:
            value, outcome, wrong = None, "raised", where(error)
    noise = [w for w in heard if issubclass(w.category, RuntimeWarning | UserWarning)]
    if noise and not wrong:
        wrong = f"{noise[0].category.__name__}: {noise[0].message!s:.100}"
    return value, outcome, wrong


def attempt(number: int, rng: random.Random) -> Try:
    """One try."""
    return solved(rng) if number % 2 else call(rng)


def shortened() -> None:
    """Let runs end after few steps."""
    import relaxon.runs.solve  # noqa: F401

    module = sys.modules["relaxon.runs.solve"]
    module.MAX_STEPS, module.CHUNK = MOST_STEPS, MOST_STEPS // 2  # type: ignore[attr-defined]


if __name__ == "__main__":
    shortened()
    main("fuzz_calls", attempt, 5_000)
