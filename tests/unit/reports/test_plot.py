"""Figures and headline numbers of a made-up run with known content."""

import numpy as np
import pytest
from report_runs import blowing_up
from report_runs import made_up as run

from relaxon.core.errors import InputError
from relaxon.reports import page as report
from relaxon.reports.figures import catalogue as plot
from relaxon.reports.headlines import catalogue as summary
from relaxon.reports.headlines.base import Headline
from relaxon.runs.solution import Solution


def test_what_applies_is_drawn():
    names = plot.applicable(run())
    assert names == ["density", "norms", "invariants", "entropy", "decay", "diagnostics"]
    for name in names:
        figure = plot.draw(run(), name)
        for axes in figure.axes:
            if axes.get_visible() and name != "diagnostics":
                assert axes.get_xlabel()
                assert axes.get_ylabel()
        assert report.svg(figure).lstrip().startswith("<?xml")


def test_a_run_that_blows_up():
    end = 1.5
    solution = blowing_up(end)
    assert plot.applicable(solution) == ["density", "invariants", "blowup", "diagnostics"]
    found = {h.name: h for h in summary.headlines(solution)}
    assert found["blowup_time"].value == pytest.approx(end, rel=1e-6)
    assert found["blowup_power"].value == pytest.approx(1, abs=1e-4)
    assert not any(entry.conserved for entry in summary.ledger(solution))


def test_one_recorded_time_draws_nothing():
    solution = run()
    first = Solution(
        solution.t[:1],
        {"f": solution.f[:1]},
        {name: values[:1] for name, values in solution.diagnostics.items()},
        solution.status,
        solution.coordinates,
        solution.provenance,
    )
    assert plot.applicable(first) == []
    assert "nothing to draw" in report.run_page(first)
    assert "DONE" in summary.as_text(first)


def test_headlines_state_the_measured_numbers():
    found = {h.name: h for h in summary.headlines(run())}
    assert found["decay_power"].value == pytest.approx(2 / 3, abs=1e-4)
    t = run().t[run().t <= 0.5][-1]
    assert found["remainder"].value == pytest.approx(0.01 * t)
    assert found["distance_m"].value == pytest.approx(1 / (0.01 + t))


def test_json_has_no_nan():
    import json

    text = json.dumps(summary.as_json(run(fisher_information=np.full(120, np.nan))))
    assert "NaN" not in text


def test_the_page_escapes_what_it_is_given():
    solution = run()
    solution.provenance["notes"]["description"] = "<script>alert(1)</script>"
    page = report.run_page(solution, {})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_unknown_figures_and_formats(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'norms'"):
        plot.draw(run(), "norm")
    with pytest.raises(InputError, match="no data for the figure 'blowup'"):
        plot.draw(run(), "blowup")
    with pytest.raises(InputError, match=r"must end in \.png"):
        plot.save(plot.draw(run(), "norms"), tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())


def test_a_number_is_written_to_the_digits_that_its_error_allows():
    line = Headline("p", "exponent", 0.65987, 0.0183)
    assert line.text() == "0.660 +- 0.018"
    assert Headline("x", "x", 0.179236).text() == "0.179236"


def test_the_two_scales_are_drawn_where_they_were_recorded():
    t = run().t
    fields = {f"{x}_field_{k}": 1e-3 + t for x in ("near", "far") for k in ("norm", "ratio")}
    assert "scales" in plot.applicable(run(**fields))
    assert len(plot.draw(run(**fields), "scales").axes) == 2
    assert "scales" not in plot.applicable(run())
