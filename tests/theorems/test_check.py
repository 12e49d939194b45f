import json
import math

import numpy as np
import pytest

from relaxon.core.errors import InputError
from relaxon.reports import page as report
from relaxon.reports.figures import catalogue as plot
from relaxon.theorems.check import Check, Measurement, Unmeasured, check, checks, claim, judge
from relaxon.theorems.family import Family, curve


def made(measure):
    return Check("probe", "nowhere", "x > 0", "one", "x", "margin", measure)


def test_the_rule_of_the_verdict():
    assert judge(2.0, 1.0) == "holds"
    assert judge(-2.0, 1.0) == "fails"
    assert judge(0.5, 1.0) == judge(-0.5, 1.0) == judge(1.0, 1.0) == "undecided"
    assert judge(math.nan, 1.0) == judge(1.0, math.nan) == "undecided"


def test_settings_alter_a_check_without_touching_the_original():
    probe = made(lambda quick, x=1.0: Measurement(x, 0.1, x, "as told"))
    assert probe.run().verdict == "holds"
    assert probe.altered(x=-1.0).run().verdict == "fails"
    assert probe.run().verdict == "holds"


def test_a_run_that_ends_badly_is_undecided_and_says_why():
    def measure(quick):
        raise Unmeasured("The run ended with NON_FINITE.")

    verdict = made(measure).run()
    assert verdict.verdict == "undecided"
    assert "NON_FINITE" in verdict.detail
    assert verdict.to_dict()["value"] is None


def test_every_check_of_the_catalogue_is_fully_described():
    catalogue = checks()
    assert len(catalogue) >= 14
    for name, found in catalogue.items():
        assert found.name == name
        for text in (found.source, found.statement, found.family, found.measured, found.rule):
            assert len(text) > 3


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(InputError, match="'landau-c0'"):
        check("landau-c1")


def test_a_name_can_be_taken_once():
    checks()
    words = dict.fromkeys(("source", "statement", "family", "measured", "rule"), "")
    with pytest.raises(InputError, match="two checks"):
        claim("landau-c0", twin={"claimed": 0.0}, **words)(lambda quick: None)


def test_a_claim_needs_a_twin():
    words = dict.fromkeys(("source", "statement", "family", "measured", "rule"), "")
    with pytest.raises(InputError, match="needs a twin"):
        claim("new-claim", twin=[], **words)(lambda quick: None)


def test_a_family_is_written_as_numbers_and_drawn_in_the_report():
    x = np.array([0.04, 0.02, 0.01])
    curves = (
        curve("$y$", x, 3 * x**2, [1e-9, -1e-9, 1.0]),
        curve("$z$", x, x + 5 * x**2, 0.01 * x),
    )
    family = Family(x, r"$\varepsilon$", "two quantities", curves)
    verdict = made(lambda quick: Measurement(2.0, 0.1, 1.0, "as told", family=family)).run()

    found = json.loads(json.dumps(verdict.to_dict()))["family"]
    assert found["values"] == [0.04, 0.02, 0.01]
    assert found["curves"][0]["power"] == pytest.approx(2, abs=1e-12)
    assert found["curves"][0]["errors"] == [1e-9, 1e-9, 1.0]
    assert 1 < found["curves"][1]["power"] < 1.2

    axes = plot.draw_family(family).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(labels) == 2 and "power $2.0" in labels[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.04", "0.02", "0.01"]
    plain = made(lambda quick: Measurement(2.0, 0.1, 1.0, "as told")).run()
    pages = [report.verdicts_page([one]).count("image/svg") for one in (verdict, plain)]
    assert pages == [2, 1]
