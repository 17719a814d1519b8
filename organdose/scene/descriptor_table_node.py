"""The dose descriptors of a scan as a Slicer table node."""

from __future__ import annotations

from collections.abc import Sequence

from organdose.assess.dose_descriptors import Descriptor
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column, text_column

# Column: (title, explanation).
_COLUMNS = {"title": ("Descriptor", "dose descriptor of the whole scan"), "value": ("Value", "empty: cannot be said"),
            "unit": ("Unit", ""), "remark": ("Remark", "what it refers to, or why it cannot be said")}


def descriptor_table_node(rows: Sequence[Descriptor], name: str = "Dose descriptors"):
    """A new vtkMRMLTableNode, locked: title, value (double, NaN where it cannot be said), unit and remark."""
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for column in _COLUMNS:
        values = [getattr(row, column) for row in rows]
        node.AddColumn(number_column(column, values) if column == "value" else text_column(column, values))
        title, explanation = _COLUMNS[column]
        node.SetColumnTitle(column, title)
        node.SetColumnDescription(column, explanation)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node
