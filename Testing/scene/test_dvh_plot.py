"""The chart draws each histogram from its own columns."""

import numpy as np
import pytest
import slicer

from organdose.anatomy.organs import organ, organs
from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.export.main_organs import is_main_organ
from organdose.scene.dvh_plot import dvh_plot, dvh_plot_of_chart, plot_curves, update_dvhs


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


def _curve(plot, organ_name):
    series = next(node for node in plot.series if node.GetYColumnName() == f"{organ_name} volume_percent")
    return [slicer.util.arrayFromTableColumn(series.GetTableNode(), name).copy()
            for name in (series.GetXColumnName(), series.GetYColumnName())]


def test_a_curve_changes_in_place_with_one_event_and_the_others_stay(scene, dvhs):
    plot = dvh_plot(dvhs)
    before, events = _curve(plot, "liver"), []
    plot.table.AddObserver("ModifiedEvent", lambda *_: events.append(1))
    other = DoseVolumeHistogram("kidney_left", np.linspace(0, 9, 11), np.linspace(100, 0, 11))
    update_dvhs(plot.chart, [other])
    assert dvh_plot_of_chart(plot.chart) == plot
    assert np.array_equal(_curve(plot, "kidney_left")[0][:11], other.dose_mgy)
    assert set(_curve(plot, "kidney_left")[1][10:]) == {0.0}
    assert np.array_equal(_curve(plot, "liver"), before)
    assert len(events) == 1


def test_a_longer_curve_fills_up_the_others(scene, dvhs):
    plot = dvh_plot(dvhs)
    update_dvhs(plot.chart, [DoseVolumeHistogram("kidney_left", np.linspace(0, 9, 61), np.linspace(100, 0, 61))])
    assert len(_curve(plot, "kidney_left")[0]) == len(_curve(plot, "liver")[0]) == 61
    assert set(_curve(plot, "liver")[0][40:]) == {20.0}


def test_curves_come_in_their_colour_and_go_with_their_columns(scene, dvhs):
    plot = dvh_plot(dvhs)
    new = DoseVolumeHistogram("spleen", np.linspace(0, 9, 41), np.linspace(100, 0, 41))
    update_dvhs(plot.chart, [new], gone=["liver", "nowhere"], colours={"spleen": (0.1, 0.2, 0.3)})
    after = dvh_plot_of_chart(plot.chart)
    assert [series.GetName() for series in after.series] == ["Left kidney", "Spleen"]
    assert after.series[1].GetColor() == pytest.approx((0.1, 0.2, 0.3))
    columns = [after.table.GetColumnName(index) for index in range(after.table.GetNumberOfColumns())]
    assert len(columns) == 4 and not any("liver" in column for column in columns)
    assert plot.series[0].GetScene() is None


def test_a_chart_may_lose_all_its_curves_and_get_new_ones(scene, dvhs):
    plot = dvh_plot(dvhs)
    update_dvhs(plot.chart, [], gone=["liver", "kidney_left"])
    assert plot.table.GetScene() is None
    update_dvhs(plot.chart, dvhs)
    assert len(dvh_plot_of_chart(plot.chart).series) == 2


def test_a_curve_deleted_by_hand_comes_back_when_its_organ_changes(scene, dvhs):
    plot = dvh_plot(dvhs)
    scene.RemoveNode(plot.series[1])
    assert len(dvh_plot_of_chart(plot.chart).series) == 1
    update_dvhs(plot.chart, dvhs[1:])
    assert len(dvh_plot_of_chart(plot.chart).series) == 2


def curves_of_many_organs(count=20):
    names = list(organs())[:count]
    dose_mgy, volume_percent = np.linspace(0, 5, 11), np.linspace(100, 0, 11)
    return names, dvh_plot([DoseVolumeHistogram(name, dose_mgy, volume_percent) for name in names])


def plotted(chart):
    return [chart.GetNthPlotSeriesNode(index).GetYColumnName().split()[0]
            for index in range(chart.GetNumberOfPlotSeriesNodes())]


def test_of_many_organs_the_main_ones_are_plotted_and_all_are_kept(scene):
    _, plot = curves_of_many_organs(40)
    shown = plotted(plot.chart)
    assert 0 < len(shown) <= 12 and all(map(is_main_organ, shown))
    assert len(dvh_plot_of_chart(plot.chart).series) == 40


def test_chosen_organs_are_plotted_and_none_chosen_goes_back_to_the_main_ones(scene):
    names, plot = curves_of_many_organs(40)
    before = plotted(plot.chart)
    plot_curves(plot.chart, [names[30], names[2], "nobody"])
    assert plotted(plot.chart) == [names[30], names[2]]
    plot_curves(plot.chart)
    assert plotted(plot.chart) == before


def test_a_curve_that_is_not_plotted_is_updated_and_removed_too(scene):
    names, plot = curves_of_many_organs(40)
    hidden = next(name for name in names if name not in plotted(plot.chart))
    update_dvhs(plot.chart, [DoseVolumeHistogram(hidden, np.linspace(0, 7, 11), np.linspace(100, 0, 11))])
    assert plot.table.GetTable().GetColumnByName(f"{hidden} dose_mgy").GetValue(10) == 7
    assert hidden not in plotted(plot.chart)
    update_dvhs(plot.chart, [], gone=[hidden])
    assert plot.table.GetTable().GetColumnByName(f"{hidden} dose_mgy") is None
    assert len(dvh_plot_of_chart(plot.chart).series) == 39
