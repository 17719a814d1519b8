"""The chart of activity over time draws points and curves of each organ from its own columns."""

import math

import numpy as np
import pytest
import slicer

from organdose.anatomy.organs import organ
from organdose.nuclear.time_activity import time_activity_curves
from organdose.scene.time_activity_plot import time_activity_plot

TIMES_S = np.array([4, 24, 96]) * 3600.0


@pytest.fixture
def curves():
    activity_bq = np.stack([2e8 * np.exp(-TIMES_S / 3e5), [9e7, np.nan, 5e7]], axis=1)
    return time_activity_curves(["liver", "tumour_1"], TIMES_S, activity_bq, math.log(2) / 574_000, 1e9, "mono")


def column(series, axis):
    name = series.GetXColumnName() if axis == "x" else series.GetYColumnName()
    return slicer.util.arrayFromTableColumn(series.GetTableNode(), name)


def test_each_organ_has_points_and_a_curve_in_its_colour(scene, curves):
    plot = time_activity_plot(curves)
    assert plot.chart.GetNumberOfPlotSeriesNodes() == 4
    assert [series.GetName() for series in plot.curves] == ["Liver", organ("tumour_1").title]
    for series in (plot.points[0], plot.curves[0]):
        assert series.GetColor() == pytest.approx([component / 255 for component in organ("liver").colour_rgb])
    assert plot.points[0].GetLineStyle() == plot.points[0].LineStyleNone
    assert plot.curves[0].GetMarkerStyle() == plot.curves[0].MarkerStyleNone


def test_the_points_are_hours_and_mbq_and_missing_ones_are_not_drawn(scene, curves):
    plot = time_activity_plot(curves)
    assert column(plot.points[0], "x")[:3] == pytest.approx([4, 24, 96])
    assert column(plot.points[0], "y")[:3] == pytest.approx(200 * np.exp(-TIMES_S / 3e5))
    assert column(plot.points[1], "x")[:3] == pytest.approx([4, 96, 96])
    assert set(column(plot.points[1], "y")[1:]) == {50.0}


def test_the_curve_is_that_of_the_organ(scene, curves):
    series = time_activity_plot(curves).curves[0]
    assert np.array_equal(column(series, "x"), curves[0].curve_s / 3600)
    assert np.array_equal(column(series, "y"), curves[0].curve_bq / 1e6)


def test_the_axes_name_quantity_and_unit(scene, curves):
    chart = time_activity_plot(curves, is_logarithmic=True).chart
    assert (chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("Time after administration (h)", "Activity (MBq)")
    assert chart.GetYAxisLogScale()


def test_without_organs_the_chart_is_empty(scene):
    plot = time_activity_plot([])
    assert plot.chart.GetNumberOfPlotSeriesNodes() == 0
