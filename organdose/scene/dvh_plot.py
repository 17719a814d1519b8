"""Dose-volume histograms as a table node, one plot series an organ, and a chart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from organdose.anatomy.organs import describe
from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.export.main_organs import is_main_organ
from organdose.scene import subject_hierarchy
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column

# Node references from a chart to all its curves; those it plots are a choice of them.
CURVE_ROLE = "OrganDose.Curve"
_MOST_AT_ONCE = 12  # more curves than that cannot be told apart, and their legend hides them


@dataclass(frozen=True)
class DvhPlot:
    """The nodes of one chart: vtkMRMLTableNode, vtkMRMLPlotSeriesNode each, vtkMRMLPlotChartNode.

    `series` are all the curves there are, plotted or not.
    """

    table: object
    series: list
    chart: object


def dvh_plot(dvhs: list[DoseVolumeHistogram], name: str = "DVH") -> DvhPlot:
    """Table, series and chart of cumulative DVHs: dose (mGy) to the right, volume (%) upwards, organ colours.

    The table has two columns an organ, `<organ> dose_mgy` and `<organ> volume_percent`. A histogram with fewer bins
    than the longest is filled up with its last point, which draws nothing. Of many organs the main ones are plotted.
    """
    scene = start_slicer()
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} table")
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    series = []
    for dvh in dvhs:
        series.append(_add_curve(scene, table, dvh))
        chart.AddNodeReferenceID(CURVE_ROLE, series[-1].GetID())
    plot_curves(chart)
    table.SetLocked(True)
    chart.SetTitle("Cumulative dose-volume histogram")
    chart.SetXAxisTitle("Absorbed dose (mGy)")
    chart.SetYAxisTitle("Volume (%)")
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0, 105)
    chart.SetLegendVisibility(True)
    chart.SetLegendFontSize(9)
    chart.SetTitleFontSize(12)
    return DvhPlot(table, series, chart)


def plot_curves(chart, organs: Collection[str] = ()) -> None:
    """Plot the curves of these organs; without any the main organs (`export.main_organs`), or all if they are few."""
    curves = {_organ_of(series): series for series in _curves(chart)}
    chosen = [name for name in organs if name in curves][:_MOST_AT_ONCE]
    if not chosen:
        main = [name for name in curves if is_main_organ(name)]
        chosen = list(curves) if len(curves) <= _MOST_AT_ONCE else main[:_MOST_AT_ONCE] or list(curves)[:_MOST_AT_ONCE]
    wanted = [curves[name].GetID() for name in chosen]
    plotted = [chart.GetNthPlotSeriesNodeID(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    if wanted == plotted:
        return
    was_modifying = chart.StartModify()
    chart.RemoveAllPlotSeriesNodeIDs()
    for series_id in wanted:
        chart.AddAndObservePlotSeriesNodeID(series_id)
    chart.EndModify(was_modifying)


def dvh_plot_of_chart(chart) -> DvhPlot:
    """The nodes behind a chart that `dvh_plot` made, for example in a scene read back."""
    series = _curves(chart)
    return DvhPlot(series[0].GetTableNode() if series else None, series, chart)


def update_dvhs(chart, dvhs: list[DoseVolumeHistogram], gone: Collection[str] = (),
                colours: Mapping[str, tuple[float, float, float]] | None = None) -> None:
    """Give the chart of `dvh_plot` new curves for some organs, take away those of the organs `gone`; others stay.

    `colours` (0..1) are those of organs that are not shown in the colour of the vocabulary. The table changes with one
    event; the nodes of a new curve lie beside those of the others.
    """
    scene, plot, colours = start_slicer(), dvh_plot_of_chart(chart), colours or {}
    drawn = {series.GetYColumnName(): series for series in plot.series}
    table = plot.table or scene.AddNewNodeByClass("vtkMRMLTableNode", f"{chart.GetName()} table")
    changing = [(node, node.StartModify()) for node in (chart, table)]
    for organ_name in gone:
        if series := drawn.pop(_columns(organ_name)[1], None):
            _remove_curve(scene, chart, table, series)
    for dvh in dvhs:
        series = drawn.get(_columns(dvh.organ)[1])
        if series is None:
            series = _add_curve(scene, table, dvh)
            chart.AddNodeReferenceID(CURVE_ROLE, series.GetID())
            if chart.GetNumberOfPlotSeriesNodes() < _MOST_AT_ONCE:
                chart.AddAndObservePlotSeriesNodeID(series.GetID())
            _put_beside(series, table if plot.series else chart)
        else:
            _fill_columns(table, dvh)
        if dvh.organ in colours:
            series.SetColor(*colours[dvh.organ])
    table.GetTable().Modified()
    for node, was_modifying in reversed(changing):
        node.EndModify(was_modifying)
    if not _curves(chart):
        scene.RemoveNode(table)


def _curves(chart) -> list:
    """All curves of a chart, plotted or not; one may have been deleted by hand."""
    nodes = [chart.GetNthNodeReference(CURVE_ROLE, index)
             for index in range(chart.GetNumberOfNodeReferences(CURVE_ROLE))]
    if not nodes:  # a chart of an older scene knows only those it plots
        nodes = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
        for node in filter(None, nodes):
            chart.AddNodeReferenceID(CURVE_ROLE, node.GetID())
    return [node for node in nodes if node is not None]


def _organ_of(series) -> str:
    return series.GetYColumnName().rpartition(" ")[0]


def _columns(organ_name: str) -> tuple[str, str]:
    return f"{organ_name} dose_mgy", f"{organ_name} volume_percent"


def _fill_columns(table, dvh: DoseVolumeHistogram) -> None:
    """Put a curve into its two columns, adding them where they are missing; all columns keep one length."""
    from vtk.util.numpy_support import vtk_to_numpy

    rows, there = table.GetNumberOfRows(), table.GetTable()
    if len(dvh.dose_mgy) > rows:
        for index in range(there.GetNumberOfColumns()):
            column = there.GetColumn(index)
            column.DeepCopy(number_column(column.GetName(), _padded(vtk_to_numpy(column), len(dvh.dose_mgy))))
        rows = len(dvh.dose_mgy)
    for name, values in zip(_columns(dvh.organ), (dvh.dose_mgy, dvh.volume_percent)):
        column = number_column(name, _padded(values, rows))
        if there.GetColumnByName(name) is None:
            table.AddColumn(column)
        else:
            there.GetColumnByName(name).DeepCopy(column)


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    """Filled up with the last point, which draws nothing."""
    return np.pad(values, (0, length - len(values)), mode="edge")


def _add_curve(scene, table, dvh: DoseVolumeHistogram):
    _fill_columns(table, dvh)
    return _series(scene, dvh.organ, table, *_columns(dvh.organ))


def _remove_curve(scene, chart, table, series) -> None:
    chart.RemovePlotSeriesNodeID(series.GetID())
    for index in reversed(range(chart.GetNumberOfNodeReferences(CURVE_ROLE))):
        if chart.GetNthNodeReferenceID(CURVE_ROLE, index) == series.GetID():
            chart.RemoveNthNodeReferenceID(CURVE_ROLE, index)
    for name in (series.GetXColumnName(), series.GetYColumnName()):
        table.GetTable().RemoveColumnByName(name)
    scene.RemoveNode(series)


def _put_beside(series, node) -> None:
    folder = subject_hierarchy.parent_of(node)
    if folder:
        subject_hierarchy.put_under(folder, [series])


def _series(scene, organ_name: str, table, dose_column: str, volume_column: str):
    node = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", describe(organ_name).title)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetPlotType(node.PlotTypeScatter)
    node.SetXColumnName(dose_column)
    node.SetYColumnName(volume_column)
    node.SetMarkerStyle(node.MarkerStyleNone)
    node.SetLineWidth(2)
    node.SetColor(*(component / 255 for component in describe(organ_name).colour_rgb))
    return node
