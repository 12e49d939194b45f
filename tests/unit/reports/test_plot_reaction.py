"""Figures of the reaction model show what was solved."""

import relaxon
from relaxon.reports.figures import reaction as plot_reaction


def test_picture_of_a_box_has_the_sides_of_the_box():
    """The waves of a box with walls are those of length 2; its sides are of length 1."""
    case = relaxon.case("reaction-walls", d=2, n=6, nodes=10, v_max=5.0, t_end=0.002, times=3)
    figure = plot_reaction.picture(case.solve())
    panels = [axes for axes in figure.axes if axes.images]
    assert panels
    for axes in panels:
        assert list(axes.images[0].get_extent()) == [0, 1, 0, 1]
