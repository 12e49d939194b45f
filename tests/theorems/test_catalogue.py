"""Every check of the catalogue comes out as expected, and every one of its spoiled twins fails."""

import pytest

from relaxon.theorems import checks

CATALOGUE = checks()

SLOW = {
    "blowdown-bound": 35,
    "blowdown-rate": 35,
    "blowdown-remainder-bound": 35,
    "bootstrap-far": 36,
    "bootstrap-near": 36,
    "bootstrap-near-scaled": 36,
    "entropy-decreases": 29,
    "fisher-decreases": 12,
    "landau-identities": 12,
    "reaction-averaging": 18,
    "reaction-box": 9,
    "reaction-confined": 16,
    "reaction-entropy": 9,
    "reaction-hypocoercivity-conditions": 14,
    "reaction-linear-decay-h1": 15,
    "reaction-nonlinear-decay": 18,
    "reaction-nonlinear-decay-h1": 31,
    "relaxation-exponent": 14,
    "relaxation-limit": 13,
    "relaxation-prefactor": 35,
    "screened-coercivity": 8,
    "screened-entropy-decay": 17,
    "screened-local-solution": 10,
    "screening-conservation": 17,
    "screening-entropy": 39,
    "screening-landau-prefactor": 21,
    "screening-sum-rules": 29,
}
"""Seconds of a check with its twins, alone on a busy core, where they are more than seven. Some
share their runs: the first of them pays."""

TWINS = [(name, k) for name, found in CATALOGUE.items() for k in range(len(found.twins))]


def marked(name, *values):
    return pytest.param(name, *values, marks=pytest.mark.slow if name in SLOW else ())


@pytest.mark.parametrize("name", [marked(name) for name in CATALOGUE])
def test_the_verdict_is_the_expected_one(name):
    found = CATALOGUE[name]
    verdict = found.run(quick=True)
    assert verdict.verdict == found.expected, str(verdict)


@pytest.mark.parametrize(("name", "k"), [marked(*twin) for twin in TWINS])
def test_the_spoiled_twin_fails(name, k):
    found = CATALOGUE[name]
    verdict = found.altered(**found.twins[k]).run(quick=True)
    assert verdict.verdict == "fails", str(verdict)


def test_the_table_of_slow_checks_names_checks():
    assert set(SLOW) <= set(CATALOGUE)


def test_the_catalogue_goes_by_papers_and_holds_the_refuted_statements():
    papers = [found.measure.__module__.split(".")[2] for found in CATALOGUE.values()]
    assert papers == sorted(papers)
    refuted = {name for name, found in CATALOGUE.items() if found.expected == "fails"}
    assert refuted == {"near-field-source", "bootstrap-near"}
