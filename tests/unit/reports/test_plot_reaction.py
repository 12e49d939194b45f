"""Figures of the reaction model show what was solved."""

from report_runs import in_two_dimensions

from relaxon.reports.figures import reaction as plot_reaction


def test_picture_of_a_box_has_the_sides_of_the_box():
    """The waves of a box with walls are those of length 2; its sides are of length 1."""
    figure = plot_reaction.picture(in_two_dimensions())
    panels = [axes for axes in figure.axes if axes.images]
    assert panels
    for axes in panels:
        assert list(axes.images[0].get_extent()) == [0, 1, 0, 1]
