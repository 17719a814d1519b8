"""Dose-volume histograms as a table node, one plot series an organ, and a chart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.anatomy.organs import describe
from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column


@dataclass(frozen=True)
class DvhPlot:
    """The nodes of one chart: vtkMRMLTableNode, vtkMRMLPlotSeriesNode each, vtkMRMLPlotChartNode."""

    table: object
    series: list
    chart: object


def dvh_plot(dvhs: list[DoseVolumeHistogram], name: str = "DVH") -> DvhPlot:
    """Table, series and chart of cumulative DVHs: dose (mGy) to the right, volume (%) upwards, organ colours.

    The table has two columns an organ, `<organ> dose_mgy` and `<organ> volume_percent`. A histogram with fewer bins
    than the longest is filled up with its last point, which draws nothing.
    """
    scene = start_slicer()
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} table")
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    longest = max((len(dvh.dose_mgy) for dvh in dvhs), default=0)
    series = []
    for dvh in dvhs:
        columns = f"{dvh.organ} dose_mgy", f"{dvh.organ} volume_percent"
        for column, values in zip(columns, (dvh.dose_mgy, dvh.volume_percent)):
            table.AddColumn(number_column(column, np.pad(values, (0, longest - len(values)), mode="edge")))
        series.append(_series(scene, dvh.organ, table, *columns))
        chart.AddAndObservePlotSeriesNodeID(series[-1].GetID())
    table.SetLocked(True)
    chart.SetTitle("Cumulative dose-volume histogram")
    chart.SetXAxisTitle("Absorbed dose (mGy)")
    chart.SetYAxisTitle("Volume (%)")
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0, 105)
    chart.SetLegendVisibility(True)
    return DvhPlot(table, series, chart)


def dvh_plot_of_chart(chart) -> DvhPlot:
    """The nodes behind a chart that `dvh_plot` made, for example in a scene read back."""
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    return DvhPlot(series[0].GetTableNode() if series else None, series, chart)


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
