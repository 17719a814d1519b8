"""The organ dose table as a Slicer table node with typed columns, titles and units."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np

from organdose.assess.organ_dose import OrganDose
from organdose.errors import InputError
from organdose.scene.headless import start_slicer

# Field of OrganDose: (title, unit, explanation). The column's name is the field's, as in organs.csv.
COLUMNS = {
    "organ": ("Organ", "", "name in the vocabulary, Resources/organs.csv"),
    "snomed": ("SNOMED", "", "SNOMED CT code"),
    "volume_ml": ("Volume", "mL", "volume of the mask"),
    "mass_g": ("Mass", "g", "mass of the mask, from the density of its voxels"),
    "mean_mgy": ("Mean dose", "mGy", "mass-weighted mean of the absorbed dose"),
    "uncertainty_percent": ("Uncertainty", "%", "relative standard uncertainty of the mean; empty: none stated"),
    "sd_mgy": ("SD", "mGy", "standard deviation of the dose over the organ"),
    "min_mgy": ("Min", "mGy", "smallest voxel dose"),
    "max_mgy": ("Max", "mGy", "largest voxel dose"),
    "d98_mgy": ("D98", "mGy", "dose that 98 % of the volume exceeds"),
    "d50_mgy": ("D50", "mGy", "dose that 50 % of the volume exceeds"),
    "d2_mgy": ("D2", "mGy", "dose that 2 % of the volume exceeds"),
    "in_image_percent": ("In image", "%", "how much of the organ the image shows"),
    "note": ("Note", "", "remarks"),
}
_TEXT_COLUMNS = frozenset({"organ", "snomed", "note"})


def organ_table_node(rows: list[OrganDose], name: str = "Organ doses"):
    """A new vtkMRMLTableNode, locked: strings for names and codes, double for every number (NaN: not stated).

    Slicer writes tables with six significant digits.
    """
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for field in fields(OrganDose):
        values = [getattr(row, field.name) for row in rows]
        node.AddColumn(_text_column(field.name, values) if field.name in _TEXT_COLUMNS
                       else number_column(field.name, [math.nan if value is None else value for value in values]))
        title, unit, explanation = COLUMNS[field.name]
        node.SetColumnTitle(field.name, f"{title} ({unit})" if unit else title)
        node.SetColumnUnitLabel(field.name, unit)
        node.SetColumnDescription(field.name, explanation)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def rows_from_table_node(node) -> list[OrganDose]:
    """The rows of a table node made by `organ_table_node`. Raises `InputError` when a column is missing."""
    table = node.GetTable()
    columns = {}
    for field in fields(OrganDose):
        column = table.GetColumnByName(field.name)
        if column is None:
            raise InputError(f"the table {node.GetName()!r} lacks the column {field.name!r}",
                             mend="Compute the organ doses again.")
        columns[field.name] = [column.GetValue(row) for row in range(table.GetNumberOfRows())]
    rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
    for row in rows:
        if math.isnan(row["uncertainty_percent"]):
            row["uncertainty_percent"] = None
    return [OrganDose(**row) for row in rows]


def number_column(name: str, values):
    """A named vtkDoubleArray with a copy of `values`."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    column = vtk.vtkDoubleArray()
    column.DeepCopy(numpy_to_vtk(np.asarray(values, dtype=np.float64)))
    column.SetName(name)
    return column




def _text_column(name: str, values: list[str]):
    import vtk

    column = vtk.vtkStringArray()
    column.SetName(name)
    for value in values:
        # Slicer's table files know no escape for quotes and tabs: a saved note would come back cut.
        column.InsertNextValue(" ".join(value.replace('"', "'").split()))
    return column
