"""Everything of one computation lies in one study, with the dose unit where SlicerRT reads it."""

import slicer

from organdose.scene import subject_hierarchy


def test_the_study_holds_every_node_and_the_dose_unit(result):
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = subject_hierarchy.study_of(result.dose)
    assert hierarchy.GetItemName(study) == "CT dose"
    assert hierarchy.GetItemAttribute(study, "DicomRtImport.DoseUnitName") == "mGy"
    assert hierarchy.GetItemAttribute(study, "DicomRtImport.DoseUnitValue") == "1"
    for node in (result.ct, result.dose, result.uncertainty, result.segmentation, result.organ_table, result.dvh.chart,
                 result.dvh.table, *result.dvh.series):
        assert subject_hierarchy.study_of(node) == study
        assert hierarchy.GetItemOwnerPluginName(hierarchy.GetItemByDataNode(node))


def test_what_the_user_put_into_the_study_outlives_the_result(result):
    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "mine")
    study = subject_hierarchy.study_of(result.dose)
    subject_hierarchy.put_under(study, [mine])
    result.remove()
    assert subject_hierarchy.study_of(mine) == study
    assert slicer.util.getSubjectHierarchyItemChildren(study, True) == [
        slicer.mrmlScene.GetSubjectHierarchyNode().GetItemByDataNode(mine)]
