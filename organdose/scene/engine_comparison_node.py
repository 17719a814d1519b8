"""The mean organ doses of several engines side by side, as a Slicer table that follows their organ tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from organdose.anatomy.organs import describe
from organdose.assess.organ_dose import OrganDose
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column, rows_from_table_node, text_column

COMPARISON_ROLE = "OrganDose.EngineComparison"  # from an organ table to the table of engines that it is part of
ENGINE_ATTRIBUTE, ENGINE_TITLE_ATTRIBUTE = "OrganDose.Engine", "OrganDose.EngineTitle"  # of an organ table
_TABLE_ROLE = "OrganDose.ComparedTable"
REFERENCE = "mc"  # engines are compared with this one where it is among them


def engine_comparison_node(tables: Sequence, name: str = "Engines compared"):
    """A new vtkMRMLTableNode, locked, of the organ tables of several engines, the first of them the chosen one.

    One column an engine (mGy), and one more for each but the reference: the difference from it in percent. The
    reference is Monte Carlo, else the first.
    """
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for table in tables:
        node.AddNodeReferenceID(_TABLE_ROLE, table.GetID())
        table.SetNodeReferenceID(COMPARISON_ROLE, node.GetID())
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    update_engine_comparison(node)
    return node


def update_engine_comparison(node) -> None:
    """Write the table anew from the organ tables that are still in the scene."""
    found = [node.GetNthNodeReference(_TABLE_ROLE, index)
             for index in range(node.GetNumberOfNodeReferences(_TABLE_ROLE))]
    tables = {table.GetAttribute(ENGINE_ATTRIBUTE): table for table in found if table is not None}
    titles = {name: table.GetAttribute(ENGINE_TITLE_ATTRIBUTE) for name, table in tables.items()}
    organs, doses, differences = compared({name: rows_from_table_node(table) for name, table in tables.items()})
    was_modifying = node.StartModify()
    node.RemoveAllColumns()
    _add(node, text_column("organ", [describe(organ).title for organ in organs]), "Organ", "")
    for name, values in doses.items():
        _add(node, number_column(f"{name}_mgy", values), titles[name], "mGy")
    for name, values in differences.items():
        against = titles[REFERENCE] if REFERENCE in titles else next(iter(titles.values()))
        _add(node, number_column(f"{name}_difference_percent", values), f"{titles[name]} - {against}", "%")
    node.EndModify(was_modifying)


def compared(rows: Mapping[str, Sequence[OrganDose]]) -> tuple[list[str], dict[str, list[float]],
                                                               dict[str, list[float]]]:
    """Organs, mean doses (mGy) by engine, and differences from the reference (%) of the others; NaN: not known."""
    means = {name: {row.organ: row.mean_mgy for row in each} for name, each in rows.items()}
    organs = list(dict.fromkeys(row.organ for each in rows.values() for row in each))
    doses = {name: [each.get(organ, math.nan) for organ in organs] for name, each in means.items()}
    reference = REFERENCE if REFERENCE in doses else next(iter(doses), None)
    differences = {name: [_percent(value, base) for value, base in zip(values, doses[reference])]
                   for name, values in doses.items() if name != reference}
    return organs, doses, differences


def _percent(value: float, base: float) -> float:
    return round(100 * (value / base - 1), 2) if base else math.nan


def _add(node, column, title: str, unit: str) -> None:
    node.AddColumn(column)
    node.SetColumnTitle(column.GetName(), f"{title} ({unit})" if unit else title)
    node.SetColumnUnitLabel(column.GetName(), unit)
