"""How well one segmentation agrees with another, as a table node that refers to both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from organdose.assess.mask_comparison import SURFACE_TOLERANCE_MM, MaskAgreement
from organdose.scene import subject_hierarchy
from organdose.scene.headless import start_slicer
from organdose.scene.kept_fingerprints import changed_organs, keep_fingerprints, kept_fingerprints
from organdose.scene.organ_table_node import number_column, text_column

RESULT_ATTRIBUTE, MASK_COMPARISON = "OrganDose.Result", "mask-comparison"
_TEST_ROLE, _REFERENCE_ROLE = "OrganDose.ComparedMasks", "OrganDose.ReferenceMasks"
_DIGITS = 4
# Field of MaskAgreement: (title, unit, explanation).
COLUMNS = {
    "organ": ("Organ", "", "name in the vocabulary"),
    "dice": ("Dice", "", "twice the common volume over the sum of both"),
    "jaccard": ("Jaccard", "", "common volume over that of both joined"),
    "precision": ("Precision", "", "share of the test mask that lies in the reference"),
    "recall": ("Recall", "", "share of the reference that the test mask has"),
    "hd95_mm": ("HD95", "mm", "95th percentile of the surface distances, the larger of both directions"),
    "surface_dice": ("Surface Dice", "", f"share of both surfaces within {SURFACE_TOLERANCE_MM:g} mm of the other"),
    "volume_ml": ("Volume", "ml", "of the test mask"),
    "reference_volume_ml": ("Reference volume", "ml", "of the reference"),
}


def mask_comparison_node(rows: Sequence[MaskAgreement], test, reference, fingerprints: Mapping[str, str]):
    """A new vtkMRMLTableNode, locked, of a comparison of the segmentation nodes `test` and `reference`.

    `fingerprints` are those of the test masks that were compared, by organ.
    """
    name = start_slicer().GenerateUniqueName(f"{test.GetName()} against {reference.GetName()}")
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for field in fields(MaskAgreement):
        values = [getattr(row, field.name) for row in rows]
        node.AddColumn(text_column(field.name, values) if field.name == "organ" else
                       number_column(field.name, [float(f"{value:.{_DIGITS}g}") for value in values]))
        title, unit, explanation = COLUMNS[field.name]
        node.SetColumnTitle(field.name, f"{title} ({unit})" if unit else title)
        node.SetColumnUnitLabel(field.name, unit)
        node.SetColumnDescription(field.name, explanation)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.SetAttribute(RESULT_ATTRIBUTE, MASK_COMPARISON)
    keep_fingerprints(node, fingerprints)
    node.SetNodeReferenceID(_TEST_ROLE, test.GetID())
    node.SetNodeReferenceID(_REFERENCE_ROLE, reference.GetID())
    study = subject_hierarchy.study_of(test)
    if study:
        subject_hierarchy.put_under(study, [node])
    return node


def find_mask_comparison(test, reference):
    """The newest comparison of these two segmentation nodes in the scene; None where there is none."""
    import slicer

    found = [node for node in slicer.util.getNodesByClass("vtkMRMLTableNode", start_slicer())
             if node.GetAttribute(RESULT_ATTRIBUTE) == MASK_COMPARISON
             and (node.GetNodeReferenceID(_TEST_ROLE), node.GetNodeReferenceID(_REFERENCE_ROLE))
             == (test.GetID(), reference.GetID())]
    return found[-1] if found else None


def comparison_rows(node) -> list[MaskAgreement]:
    """The rows of a comparison; none where the table is not one."""
    columns = [node.GetTable().GetColumnByName(field.name) for field in fields(MaskAgreement)]
    if None in columns:
        return []
    return [MaskAgreement(*(column.GetValue(row) for column in columns))
            for row in range(node.GetTable().GetNumberOfRows())]


def edited_since_comparison(node, fingerprints: Mapping[str, str]) -> set[str]:
    """The compared organs of the test whose masks, now with these fingerprints, are others than then."""
    return changed_organs(kept_fingerprints(node), fingerprints)
