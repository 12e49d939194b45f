"""Every check of the reaction model holds, and its spoiled twin fails."""

import pytest

from relaxon.reaction.equations.limit import DiffusionLimit
from relaxon.theorems import checks

TWINS = [
    # What the twin claims instead.
    ("reaction-entropy", {"factor": 2.0}),
    ("reaction-box", {"share": 0.9}),
    ("reaction-microscopic-coercivity", {"factor": 1.1}),
    ("reaction-hypocoercivity-conditions", {"scale": 0.95}),
    ("reaction-linear-decay", {"excess": 1.2}),
    ("reaction-nonlinear-decay", {"excess": 1.2}),
    ("reaction-linear-decay-h1", {"excess": 2.5}),
    ("reaction-nonlinear-decay-h1", {"excess": 2.5}),
    ("reaction-local-equilibrium", {"claimed": 1.5}),
    ("reaction-averaging", {"claimed": lambda theta: theta}),
    ("reaction-confined", {"excess": 1.2}),
    ("reaction-confined", {"share": 0.9}),
    ("reaction-limit", {"equation": DiffusionLimit(1.3, 1.3)}),
]
SLOW = {
    "reaction-entropy",
    "reaction-box",
    "reaction-hypocoercivity-conditions",
    "reaction-nonlinear-decay",
    "reaction-linear-decay-h1",
    "reaction-nonlinear-decay-h1",
    "reaction-averaging",
    "reaction-confined",
}


@pytest.mark.parametrize(
    ("name", "claim"),
    [pytest.param(*t, id=t[0], marks=[pytest.mark.slow] if t[0] in SLOW else []) for t in TWINS],
)
def test_holds_and_its_spoiled_twin_fails(name, claim):
    found = checks()[name]
    verdict = found.run(quick=True)
    assert verdict.verdict == "holds", str(verdict)
    twin = found.altered(**claim).run(quick=True)
    assert twin.verdict == "fails", str(twin)


def test_every_check_of_the_paper_has_a_twin():
    ours = {name for name, found in checks().items() if "neumann2016" in found.source}
    assert ours == {name for name, _ in TWINS}
