"""Time-activity curves as a table node, two plot series an organ (points and curve), and a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from organdose.anatomy.organs import describe
from organdose.nuclear.time_activity import TimeActivityCurve
from organdose.scene.dvh_plot import CURVE_ROLE, dvh_plot_of_chart
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column

_TABLE_ROLE = "OrganDose.TimeActivityTable"  # node reference from a chart to the table of its curves


@dataclass(frozen=True)
class TimeActivityPlot:
    """The nodes of one chart: vtkMRMLTableNode, vtkMRMLPlotSeriesNodes of the measured points and of the curves through
    them (in the order of the organs), vtkMRMLPlotChartNode."""

    table: object
    points: list
    curves: list
    chart: object


def time_activity_plot(curves: Sequence[TimeActivityCurve], name: str = "Time-activity curves",
                       is_logarithmic: bool = False) -> TimeActivityPlot:
    """Table, series and chart: hours since administration to the right, activity (MBq, as it was then) upwards.

    The table has four columns an organ, `<organ> time_h`, `measured_mbq`, `curve_h` and `curve_mbq`; shorter ones are
    filled up with their last value, which draws nothing. Measured points are markers, the curves lines, both in the
    colour of the organ.
    """
    scene = start_slicer()
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} table")
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.SetNodeReferenceID(_TABLE_ROLE, table.GetID())
    table.SetLocked(True)
    chart.SetTitle(name)
    chart.SetXAxisTitle("Time after administration (h)")
    chart.SetYAxisTitle("Activity (MBq)")
    chart.SetYAxisLogScale(is_logarithmic)
    chart.SetLegendVisibility(True)
    chart.SetLegendFontSize(9)
    chart.SetTitleFontSize(12)
    return draw_curves(chart, curves)


def draw_curves(chart, curves: Sequence[TimeActivityCurve]) -> TimeActivityPlot:
    """Draw these curves in the place of all that a chart of `time_activity_plot` shows, with one event for the chart.

    Organs that are drawn already keep their series.
    """
    scene, table = start_slicer(), chart.GetNodeReference(_TABLE_ROLE)
    there = {series.GetYColumnName(): series for series in dvh_plot_of_chart(chart).series}
    changing = [(node, node.StartModify()) for node in (chart, table)]
    _fill(table, curves)
    points, lines = [], []
    for curve in curves:
        for drawn, x, y in ((lines, "curve_h", "curve_mbq"), (points, "time_h", "measured_mbq")):
            series = there.pop(f"{curve.organ} {y}", None)
            drawn.append(series or _series(scene, table, curve.organ, x, y, is_line=drawn is lines))
    chart.RemoveAllPlotSeriesNodeIDs()
    chart.RemoveNodeReferenceIDs(CURVE_ROLE)
    for series in (*lines, *points):
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        chart.AddNodeReferenceID(CURVE_ROLE, series.GetID())
    for series in there.values():
        scene.RemoveNode(series)
    for node, was_modifying in reversed(changing):
        node.EndModify(was_modifying)
    return TimeActivityPlot(table, points, lines, chart)


def _fill(table, curves: Sequence[TimeActivityCurve]) -> None:
    length = max((max(len(curve.times_s), len(curve.curve_s)) for curve in curves), default=0)
    table.RemoveAllColumns()
    for curve in curves:
        for column, values in _columns(curve).items():
            table.AddColumn(number_column(column, np.pad(values, (0, length - len(values)), mode="edge")))


def _columns(curve: TimeActivityCurve) -> dict[str, np.ndarray]:
    """Columns of the table; points that were not measured are left out, as a plot knows no missing value."""
    measured, drawn = np.isfinite(curve.activity_bq), np.isfinite(curve.curve_bq)
    columns = {"time_h": curve.times_s[measured] / 3600, "measured_mbq": curve.activity_bq[measured] / 1e6,
               "curve_h": curve.curve_s[drawn] / 3600, "curve_mbq": curve.curve_bq[drawn] / 1e6}
    return {f"{curve.organ} {column}": values if len(values) else np.zeros(1) for column, values in columns.items()}


def _series(scene, table, organ_name: str, time_column: str, activity_column: str, *, is_line: bool):
    organ = describe(organ_name)
    node = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", organ.title if is_line else f"{organ.title}, measured")
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetPlotType(node.PlotTypeScatter)
    node.SetXColumnName(f"{organ_name} {time_column}")
    node.SetYColumnName(f"{organ_name} {activity_column}")
    node.SetLineStyle(node.LineStyleSolid if is_line else node.LineStyleNone)
    node.SetMarkerStyle(node.MarkerStyleNone if is_line else node.MarkerStyleCircle)
    node.SetLineWidth(2)
    node.SetMarkerSize(9)
    node.SetColor(*(component / 255 for component in organ.colour_rgb))
    return node
