"""What the quality control found in a segmentation, kept with it in the scene: a table node that it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.scene import subject_hierarchy
from organdose.scene.headless import start_slicer
from organdose.scene.kept_fingerprints import changed_organs, keep_fingerprints, kept_fingerprints
from organdose.scene.organ_table_node import number_column, text_column

FINDINGS_ROLE, CHECKED_ROLE = "OrganDose.MaskFindings", "OrganDose.CheckedMasks"
_TIME_ATTRIBUTE = "OrganDose.CheckedAt"
_PLACE = ("x_mm", "y_mm", "z_mm")
_TITLES = {"organ": "Organ", "severity": "Severity", "kind": "Kind", "reason": "Reason", "x_mm": "x (mm, LPS)",
           "y_mm": "y (mm, LPS)", "z_mm": "z (mm, LPS)"}


@dataclass(frozen=True)
class MaskCheck:
    """One look of the quality control at a segmentation. `fingerprints` are those of the masks it looked at,
    `checked_at` the time in UTC (20261121T194418Z)."""

    findings: tuple[Finding, ...]
    fingerprints: Mapping[str, str]
    checked_at: str

    def edited_since(self, fingerprints: Mapping[str, str]) -> set[str]:
        """The organs whose masks, now with these fingerprints, have come, gone or changed since."""
        return changed_organs(self.fingerprints, fingerprints)


def put_mask_check(segmentation_node, findings: Iterable[Finding], fingerprints: Mapping[str, str],
                   when: datetime | None = None):
    """The table node of a segmentation's findings, with these in the place of earlier ones. `when`: default now."""
    findings = list(findings)
    node = _table_of(segmentation_node)
    if node is None:
        node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", f"Findings: {segmentation_node.GetName()}")
        node.SetUseColumnTitleAsColumnHeader(True)
        node.SetLocked(True)
        node.SetNodeReferenceID(CHECKED_ROLE, segmentation_node.GetID())
        segmentation_node.SetNodeReferenceID(FINDINGS_ROLE, node.GetID())
        study = subject_hierarchy.study_of(segmentation_node)
        if study:
            subject_hierarchy.put_under(study, [node])
    was_modifying = node.StartModify()
    node.RemoveAllColumns()
    for name, title in _TITLES.items():
        values = [found.place_mm[_PLACE.index(name)] if name in _PLACE else str(getattr(found, name))
                  for found in findings]
        node.AddColumn(number_column(name, values) if name in _PLACE else text_column(name, values))
        node.SetColumnTitle(name, title)
    keep_fingerprints(node, fingerprints)
    node.SetAttribute(_TIME_ATTRIBUTE, (when or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"))
    node.EndModify(was_modifying)
    return node


def mask_check_of(segmentation_node) -> MaskCheck | None:
    """The last check of a segmentation; None where there was none, or its table cannot be read."""
    node = segmentation_node.GetNodeReference(FINDINGS_ROLE)
    table = node.GetTable() if node is not None and node.IsA("vtkMRMLTableNode") else None
    columns = {name: table.GetColumnByName(name) for name in _TITLES} if table is not None else {}
    if not columns or None in columns.values():
        return None
    try:
        findings = tuple(_finding({name: column.GetValue(row) for name, column in columns.items()})
                         for row in range(table.GetNumberOfRows()))
    except ValueError:
        return None
    return MaskCheck(findings, kept_fingerprints(node), node.GetAttribute(_TIME_ATTRIBUTE) or "")


def _table_of(segmentation_node):
    """Its own table: a copy of a segmentation refers to that of the original."""
    node = segmentation_node.GetNodeReference(FINDINGS_ROLE)
    return node if node is not None and node.GetNodeReferenceID(CHECKED_ROLE) == segmentation_node.GetID() else None


def _finding(row: Mapping[str, object]) -> Finding:
    return Finding(str(row["organ"]), FindingKind(str(row["kind"])), str(row["reason"]),
                   tuple(float(row[name]) for name in _PLACE), Severity(str(row["severity"])))
