"""The chart draws each histogram from its own columns."""

import numpy as np
import pytest
import slicer

from organdose.anatomy.organs import organ
from organdose.scene.dvh_plot import dvh_plot, dvh_plot_of_chart


def test_each_organ_has_a_series_in_its_colour(scene, dvhs):
    plot = dvh_plot(dvhs)
    assert plot.chart.GetNumberOfPlotSeriesNodes() == len(plot.series) == 2
    assert [series.GetName() for series in plot.series] == ["Liver", "Left kidney"]
    assert plot.series[0].GetColor() == pytest.approx([component / 255 for component in organ("liver").colour_rgb])


def test_the_curve_of_a_series_is_the_histogram(scene, dvhs):
    series = dvh_plot(dvhs).series[1]
    dose, volume = (slicer.util.arrayFromTableColumn(series.GetTableNode(), column)
                    for column in (series.GetXColumnName(), series.GetYColumnName()))
    assert np.array_equal(dose[:21], dvhs[1].dose_mgy)
    assert np.array_equal(volume[:21], dvhs[1].volume_percent)
    # Filled up to the length of the other one with the last point.
    assert set(dose[20:]) == {18.0}
    assert set(volume[20:]) == {0.0}


def test_the_axes_name_quantity_and_unit(scene, dvhs):
    chart = dvh_plot(dvhs).chart
    assert (chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("Absorbed dose (mGy)", "Volume (%)")


def test_the_nodes_are_found_again_from_the_chart(scene, dvhs):
    plot = dvh_plot(dvhs)
    assert dvh_plot_of_chart(plot.chart) == plot
