"""Stands for Slicer's plot view: a chart node with its series, drawn off screen by the same VTK chart (vtkChartXY)."""

import vtk

from host.native_widgets import native_widget
from host.observations import Observations
from host.views import RenderedView, ViewHeader, ViewWidget, view_colour

_PLOT_TYPES = {"Bar": vtk.vtkChart.BAR, "ScatterBar": vtk.vtkChart.BAR}  # all others are lines
_PEN = {"none": vtk.vtkPen.NO_PEN, "solid": vtk.vtkPen.SOLID_LINE, "dash": vtk.vtkPen.DASH_LINE,
        "dot": vtk.vtkPen.DOT_LINE, "dash-dot": vtk.vtkPen.DASH_DOT_LINE, "dash-dot-dot": vtk.vtkPen.DASH_DOT_DOT_LINE}
_MARKER = {"none": vtk.vtkPlotPoints.NONE, "cross": vtk.vtkPlotPoints.CROSS, "plus": vtk.vtkPlotPoints.PLUS,
           "square": vtk.vtkPlotPoints.SQUARE, "circle": vtk.vtkPlotPoints.CIRCLE, "diamond": vtk.vtkPlotPoints.DIAMOND}


@native_widget
class qMRMLPlotView(RenderedView):
    """The picture of the chart that a plot view node shows."""

    def __init__(self, node, parent=None):
        super().__init__(parent)
        self._node, self._shown = node, None
        self._chart_observations = Observations(self)
        self._chart = vtk.vtkChartXY()
        actor = vtk.vtkContextActor()
        actor.GetScene().AddItem(self._chart)
        actor.GetScene().SetRenderer(self.renderer)
        self.renderer.AddActor(actor)
        self.renderer.SetBackground(1, 1, 1)
        self._observations.observe(node, "ModifiedEvent", self._follow_chart)
        self._follow_chart()

    def mrmlPlotViewNode(self):
        return self._node

    def fitToContent(self) -> None:
        self._chart.RecalculateBounds()
        self.scheduleRender()

    def prepare(self) -> None:
        self._chart.ClearPlots()
        chart_node = self._node.GetPlotChartNode()
        self._chart.SetVisible(chart_node is not None)
        if chart_node is None:
            return
        for index in range(chart_node.GetNumberOfPlotSeriesNodes()):
            self._add_series(chart_node.GetNthPlotSeriesNode(index))
        self._chart.SetTitle(chart_node.GetTitle() or "" if chart_node.GetTitleVisibility() else "")
        self._chart.GetTitleProperties().SetFontSize(chart_node.GetTitleFontSize())
        self._chart.GetTitleProperties().SetBold(True)
        self._chart.SetShowLegend(chart_node.GetLegendVisibility())
        self._chart.GetLegend().SetLabelSize(chart_node.GetLegendFontSize())
        for letter, position in (("X", vtk.vtkAxis.BOTTOM), ("Y", vtk.vtkAxis.LEFT)):
            self._set_axis(chart_node, letter, self._chart.GetAxis(position))
        self._chart.RecalculateBounds()

    def _add_series(self, series) -> None:
        """One series; incomplete ones (no table, no such column) are left out as in Slicer."""
        table_node = series.GetTableNode() if series is not None else None
        columns = (series.GetXColumnName(), series.GetYColumnName()) if table_node is not None else ()
        if not columns or table_node.GetColumnIndex(columns[1]) < 0:
            return
        kind = series.GetPlotTypeAsString(series.GetPlotType())
        plot = self._chart.AddPlot(_PLOT_TYPES.get(kind, vtk.vtkChart.LINE))
        table = table_node.GetTable()
        has_x = table_node.GetColumnIndex(columns[0] or "") >= 0
        plot.SetUseIndexForXSeries(not has_x)
        plot.SetInputData(table, columns[0] if has_x else columns[1], columns[1])
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.GetPen().SetOpacityF(series.GetOpacity())
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetLineType(_PEN[series.GetLineStyleAsString(series.GetLineStyle())])
        if plot.IsA("vtkPlotPoints"):
            plot.SetMarkerStyle(_MARKER[series.GetMarkerStyleAsString(series.GetMarkerStyle())])
            plot.SetMarkerSize(series.GetMarkerSize())

    @staticmethod
    def _set_axis(chart_node, letter: str, axis) -> None:
        title, visible, logarithmic, automatic, limits = (
            getattr(chart_node, f"Get{letter}Axis{what}")()
            for what in ("Title", "TitleVisibility", "LogScale", "RangeAuto", "Range"))
        axis.SetTitle(title or "" if visible else "")
        axis.GetTitleProperties().SetFontSize(chart_node.GetAxisTitleFontSize())
        axis.GetLabelProperties().SetFontSize(chart_node.GetAxisLabelFontSize())
        axis.SetGridVisible(chart_node.GetGridVisibility())
        axis.SetLogScale(logarithmic)
        axis.SetBehavior(vtk.vtkAxis.AUTO if automatic else vtk.vtkAxis.FIXED)
        if not automatic:
            axis.SetRange(limits)

    def _follow_chart(self) -> None:
        chart_node = self._node.GetPlotChartNode()
        if chart_node is not self._shown:
            self._chart_observations.clear()
            self._shown = chart_node
            for event in ("ModifiedEvent", chart_node.PlotModifiedEvent) if chart_node is not None else ():
                self._chart_observations.observe(chart_node, event, self.scheduleRender)
        self.scheduleRender()


@native_widget
class qMRMLPlotWidget(ViewWidget):
    """The plot view of a view node, under its bar."""

    def __init__(self, node, parent=None):
        self._view = qMRMLPlotView(node)
        super().__init__(ViewHeader(node.GetLayoutLabel(), view_colour(node)), self._view, parent)

    def mrmlPlotViewNode(self):
        return self._view.mrmlPlotViewNode()

    def plotView(self) -> qMRMLPlotView:
        return self._view
