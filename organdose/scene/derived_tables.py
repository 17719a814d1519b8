"""Tables made of several organ tables that go with them: engines side by side, and the total of an examination."""

from __future__ import annotations

import math
from collections.abc import Sequence

from organdose.anatomy.organs import describe
from organdose.assess.engine_comparison import engine_comparison
from organdose.assess.total_organ_dose import total_organ_doses
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column, rows_from_table_node, text_column

COMPARISON_ROLE = "OrganDose.EngineComparison"  # from an organ table to the table of engines that it is part of
ENGINE_ATTRIBUTE, ENGINE_TITLE_ATTRIBUTE = "OrganDose.Engine", "OrganDose.EngineTitle"  # of an organ table
RESULT_ATTRIBUTE, TOTAL = "OrganDose.Result", "examination-total"
ENGINES = "engine-comparison"
_SOURCE_ROLE = "OrganDose.DerivedFrom"
_WRITTEN_ATTRIBUTE = "OrganDose.WrittenFrom"  # the IDs of the organ tables that were there when it was written


def engine_comparison_node(tables: Sequence, name: str = "Engines compared"):
    """A new vtkMRMLTableNode, locked, of the organ tables of several engines, the first of them the chosen one.

    One column an engine (mGy), and beside it for each but the reference the difference from it in percent. The
    reference is Monte Carlo, else the first.
    """
    node = _new_table(name, ENGINES, tables)
    for table in tables:
        table.SetNodeReferenceID(COMPARISON_ROLE, node.GetID())
    return node


def total_node(ct_table, internal_table, name: str = "Examination total"):
    """A new vtkMRMLTableNode, locked: organ doses of CT and radiopharmaceutical, their sum, and the shares in it."""
    return _new_table(name, TOTAL, [ct_table, internal_table])


def find_total(ct_table, internal_table):
    """The total of these two organ tables in the scene; None where there is none yet."""
    wanted = [ct_table.GetID(), internal_table.GetID()]
    return next((node for node in _derived(TOTAL) if [each.GetID() for each in _sources(node)] == wanted), None)


def update_tables_of(table) -> None:
    """Write the tables anew that are made of this organ table."""
    for node in [*_derived(ENGINES), *_derived(TOTAL)]:
        if table.GetID() in [each.GetID() for each in _sources(node)]:
            _write(node)


def update_all() -> None:
    """After nodes have come or gone: tables without a source, and totals without both, go; others forget the gone."""
    for node in [*_derived(ENGINES), *_derived(TOTAL)]:
        sources = _sources(node)
        if len(sources) < (2 if node.GetAttribute(RESULT_ATTRIBUTE) == TOTAL else 1):
            start_slicer().RemoveNode(node)
        elif node.GetAttribute(_WRITTEN_ATTRIBUTE) != _ids(sources):
            _write(node)


def _new_table(name: str, kind: str, sources: Sequence):
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", start_slicer().GenerateUniqueName(name))
    node.SetAttribute(RESULT_ATTRIBUTE, kind)
    for table in sources:
        node.AddNodeReferenceID(_SOURCE_ROLE, table.GetID())
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    _write(node)
    return node


def _derived(kind: str) -> list:
    import slicer

    return [node for node in slicer.util.getNodesByClass("vtkMRMLTableNode", start_slicer())
            if node.GetAttribute(RESULT_ATTRIBUTE) == kind]


def _sources(node) -> list:
    found = [node.GetNthNodeReference(_SOURCE_ROLE, index)
             for index in range(node.GetNumberOfNodeReferences(_SOURCE_ROLE))]
    return [table for table in found if table is not None]


def _ids(sources: Sequence) -> str:
    return " ".join(table.GetID() for table in sources)


def _write(node) -> None:
    sources = _sources(node)
    was_modifying = node.StartModify()
    node.RemoveAllColumns()
    (_write_total if node.GetAttribute(RESULT_ATTRIBUTE) == TOTAL else _write_engines)(node, sources)
    node.SetAttribute(_WRITTEN_ATTRIBUTE, _ids(sources))
    node.EndModify(was_modifying)


def _write_engines(node, sources: Sequence) -> None:
    titles = {table.GetAttribute(ENGINE_ATTRIBUTE): table.GetAttribute(ENGINE_TITLE_ATTRIBUTE) for table in sources}
    tables = {table.GetAttribute(ENGINE_ATTRIBUTE): rows_from_table_node(table) for table in sources}
    compared = engine_comparison(next(iter(tables)), tables)
    _add(node, text_column("organ", [describe(row.organ).title for row in compared.rows]), "Organ")
    for name in compared.engines:
        _add(node, number_column(f"{name}_mgy", [_digits(row.mean_mgy[name]) for row in compared.rows]),
             titles[name], "mGy")
        if name != compared.reference:
            values = [round(row.difference_percent[name], 2) for row in compared.rows]
            _add(node, number_column(f"{name}_difference_percent", values), f"from {titles[compared.reference]}", "%")


def _write_total(node, sources: Sequence) -> None:
    parts = {_part_title(table): rows_from_table_node(table) for table in sources}
    totals = total_organ_doses(parts)
    _add(node, text_column("organ", [describe(total.organ).title for total in totals]), "Organ")
    _add(node, number_column("total_mgy", [_digits(total.total_mgy) for total in totals]), "Total", "mGy")
    spread = [math.nan if total.uncertainty_percent is None else _digits(total.uncertainty_percent, 2)
              for total in totals]
    _add(node, number_column("uncertainty_percent", spread), "Uncertainty", "%")
    for index, title in enumerate(parts):
        _add(node, number_column(f"part{index + 1}_mgy", [_digits(total.parts_mgy[index]) for total in totals]),
             title, "mGy")
    for index, title in enumerate(parts):
        _add(node, number_column(f"part{index + 1}_percent",
                                 [_digits(total.shares_percent[index], 3) for total in totals]), f"{title} share", "%")
    _add(node, text_column("mask", [total.mask for total in totals]), "Mask")
    _add(node, text_column("note", [total.note for total in totals]), "Note")


def _part_title(table) -> str:
    return "Radiopharmaceutical" if table.GetAttribute(ENGINE_TITLE_ATTRIBUTE) else "CT"


def _digits(value: float, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")


def _add(node, column, title: str, unit: str = "") -> None:
    node.AddColumn(column)
    node.SetColumnTitle(column.GetName(), f"{title} ({unit})" if unit else title)
    node.SetColumnUnitLabel(column.GetName(), unit)


def table_texts(node) -> tuple[list[str], list[list[object]]]:
    """Headings and rows of a derived table, for a window."""
    table = node.GetTable()
    columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
    headings = [node.GetColumnTitle(column.GetName()) for column in columns]
    return headings, [[column.GetValue(row) for column in columns] for row in range(table.GetNumberOfRows())]
