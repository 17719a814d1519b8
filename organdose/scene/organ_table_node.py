"""The organ dose table as a Slicer table node with typed columns, titles and units."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields

import numpy as np

from organdose.anatomy.mask_status import row_status
from organdose.assess.internal_organ_dose import InternalOrganDose
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
    "mask": ("Mask", "", "how the mask was drawn and who approved it; empty: not known"),
    "mean_mgy_per_mbq": ("Mean dose per activity", "mGy/MBq", "mean dose over the net administered activity"),
    "tia_mbq_h": ("TIA", "MBq h", "time-integrated activity: decays in the organ"),
    "tiac_h": ("TIAC", "h", "time-integrated activity coefficient: TIA over the net administered activity"),
}
_TEXT_COLUMNS = frozenset({"organ", "snomed", "note", "mask"})
_LATER_COLUMNS = frozenset({"mask"})  # that tables in scenes of earlier versions lack

# A column that only tables have whose masks were edited; it is no part of organs.csv.
STATE_COLUMN, UPDATING = "state", "updating"


def organ_table_node(rows: list[OrganDose], name: str = "Organ doses"):
    """A new vtkMRMLTableNode, locked: strings for names and codes, double for every number (NaN: not stated).

    Rows of internal dose (`InternalOrganDose`) give it their further columns.
    Slicer writes tables with six significant digits.
    """
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for field in fields(rows[0] if rows else OrganDose):
        _add_column(node, field.name)
    write_rows(node, rows)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def write_rows(node, rows: list[OrganDose], updating: Collection[str] = ()) -> None:
    """Put `rows` in the place of all rows of a table made by `organ_table_node`, with one event for the whole.

    The column 'state' says of the organs in `updating` that their numbers are being computed again; it is added when
    the first row needs it.
    """
    was_modifying = node.StartModify()
    if updating and node.GetTable().GetColumnByName(STATE_COLUMN) is None:
        node.AddColumn(text_column(STATE_COLUMN))
        _describe(node, STATE_COLUMN, "State", "", f"'{UPDATING}' while the row is computed again after an edit")
    for field in fields(_row_kind(node)):
        if field.name in _LATER_COLUMNS and node.GetTable().GetColumnByName(field.name) is None:
            _add_column(node, field.name)
        _fill(_column(node, field.name), [getattr(row, field.name) for row in rows])
    states = node.GetTable().GetColumnByName(STATE_COLUMN)
    if states is not None:
        _fill(states, [UPDATING if row.organ in updating else "" for row in rows])
    node.GetTable().Modified()
    node.EndModify(was_modifying)


def write_masks(node, statuses: Mapping[str, str]) -> None:
    """Let the column 'mask' say what `statuses` (of all drawn masks, `anatomy.mask_status`) say of the rows' masks;
    nothing else of the table is touched."""
    organs, masks = _column(node, "organ"), node.GetTable().GetColumnByName("mask")
    now = [_plain(row_status(organs.GetValue(row), statuses)) for row in range(organs.GetNumberOfValues())]
    if masks is not None and now == [masks.GetValue(row) for row in range(masks.GetNumberOfValues())]:
        return
    was_modifying = node.StartModify()
    if masks is None:
        _add_column(node, "mask")
    _fill(_column(node, "mask"), now)
    node.GetTable().Modified()
    node.EndModify(was_modifying)


def rows_updating(node) -> set[str]:
    """The organs whose rows are marked as being computed again."""
    states = node.GetTable().GetColumnByName(STATE_COLUMN)
    if states is None:
        return set()
    organs = _column(node, "organ")
    return {organs.GetValue(row) for row in range(organs.GetNumberOfValues()) if states.GetValue(row) == UPDATING}


def rows_from_table_node(node) -> list[OrganDose]:
    """The rows of a table node made by `organ_table_node`. Raises `InputError` when a column is missing."""
    columns, kind = {}, _row_kind(node)
    for field in fields(kind):
        if field.name in _LATER_COLUMNS and node.GetTable().GetColumnByName(field.name) is None:
            continue
        column = _column(node, field.name)
        columns[field.name] = [column.GetValue(row) for row in range(column.GetNumberOfTuples())]
    rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
    for row in rows:
        if math.isnan(row["uncertainty_percent"]):
            row["uncertainty_percent"] = None
    return [kind(**row) for row in rows]


def _row_kind(node) -> type[OrganDose]:
    return OrganDose if node.GetTable().GetColumnByName("tia_mbq_h") is None else InternalOrganDose


def number_column(name: str, values):
    """A named vtkDoubleArray with a copy of `values`."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    column = vtk.vtkDoubleArray()
    column.DeepCopy(numpy_to_vtk(np.asarray(values, dtype=np.float64)))
    column.SetName(name)
    return column


def _column(node, name: str):
    column = node.GetTable().GetColumnByName(name)
    if column is None:
        raise InputError(f"the table {node.GetName()!r} lacks the column {name!r}",
                         mend="Compute the organ doses again.")
    return column


def _add_column(node, name: str) -> None:
    node.AddColumn(text_column(name) if name in _TEXT_COLUMNS else number_column(name, []))
    _describe(node, name, *COLUMNS[name])


def _describe(node, column: str, title: str, unit: str, explanation: str) -> None:
    node.SetColumnTitle(column, f"{title} ({unit})" if unit else title)
    node.SetColumnUnitLabel(column, unit)
    node.SetColumnDescription(column, explanation)


def _fill(column, values: list) -> None:
    column.SetNumberOfTuples(len(values))
    for row, value in enumerate(values):
        if isinstance(value, str):
            column.SetValue(row, _plain(value))
        else:
            column.SetValue(row, math.nan if value is None else value)
    column.Modified()


def _plain(text: str) -> str:
    """Slicer's table files know no escape for quotes and tabs: a saved note would come back cut."""
    return " ".join(text.replace('"', "'").split())


def text_column(name: str, values: Sequence[str] = ()):
    """A named vtkStringArray with `values`."""
    import vtk

    column = vtk.vtkStringArray()
    column.SetName(name)
    _fill(column, list(values))
    return column
