"""Every figure draws, every headline is of some run, and a new one is entered by its decorator."""

import math

import pytest
from report_runs import every_kind, made_up

from relaxon.reports.figures import catalogue as figures
from relaxon.reports.headlines import catalogue as headlines

FIGURES = [
    *("plane", "density", "densities", "picture", "phase"),
    *("norms", "scales", "invariants"),
    *("temperatures", "entropy", "decay", "blowup", "reaction-entropy", "rates", "rate-map"),
    *("screening", "dispersion", "diagnostics"),
]

GROUPS = [
    *("blowdown", "blowup", "reaction-state", "reaction-laws", "reaction-rates"),
    *("decay", "distance", "fisher", "growth"),
]

BARE = ("diagnostics", "picture", "plane")
"""Figures of many small axes, which share their labels."""


def shown_texts(figure):
    """The texts of a drawn figure that are not empty, with the boxes they take in pixels."""
    import matplotlib.text

    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_visible() and text.get_text().strip():
            yield text, text.get_window_extent(renderer)


def test_the_catalogue_is_found_and_ordered():
    """The state first, then what was proven, conserved and decays, all scalars last."""
    assert list(figures.catalogue()) == FIGURES
    assert list(headlines.GROUPS.all()) == GROUPS


@pytest.fixture(scope="module")
def runs():
    return every_kind()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws(name, runs):
    """With a caption, labelled axes and a title or legend that lies within the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    entry = figures.catalogue()[name]
    fitting = [solution for solution in runs.values() if entry.applies(solution)]
    assert fitting, f"no run shows the figure {name}"
    figure = figures.draw(fitting[0], name)
    FigureCanvasAgg(figure)
    assert len(entry.caption) > 20
    width, height = figure.get_size_inches() * figure.dpi
    titles = [axes.title for axes in figure.axes] + [axes._left_title for axes in figure.axes]
    labels = [label for axes in figure.axes for label in (axes.xaxis.label, axes.yaxis.label)]
    for text, box in shown_texts(figure):
        if text in titles or text in labels:
            assert box.x0 > -1 and box.x1 < width + 1, text.get_text()
            assert box.y0 > -1 and box.y1 < height + 1, text.get_text()
    for axes in figure.axes:
        if axes.get_visible() and name not in BARE and axes.get_label() != "<colorbar>":
            assert axes.get_xlabel(), f"{name} has an axis without a name"


def test_every_group_of_headlines_is_of_some_run(runs):
    found = {
        name: [h for run in runs.values() if group.when(run) for h in group.read(run)]
        for name, group in headlines.GROUPS.all().items()
    }
    for name, numbers in found.items():
        assert numbers, f"no run has the headlines {name}"
        for number in numbers:
            assert (number.label and math.isfinite(number.value)) or number.name == "decay_rate"
    for run in runs.values():
        names = [h.name for h in headlines.headlines(run)]
        assert len(set(names)) == len(names)


def test_a_figure_needs_nothing_but_its_decorator(monkeypatch):
    monkeypatch.setattr(figures.FIGURES, "_entries", dict(figures.FIGURES._entries))

    @figures.figure("made-up", when=lambda s: "mass" in s.diagnostics, part="theorem")
    def drawing(solution):
        """A caption."""
        raise AssertionError

    names = figures.applicable(made_up())
    assert names.index("density") < names.index("made-up") < names.index("invariants")
    with pytest.raises(AssertionError, match="both define the figure 'density'"):
        figures.figure("density", when=bool, part="state")(drawing)
    with pytest.raises(AssertionError, match="is none of"):
        figures.figure("other", when=bool, part="laws of nature")
