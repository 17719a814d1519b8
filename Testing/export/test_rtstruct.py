import numpy as np
import pydicom
import pytest
from matplotlib.path import Path as Polygon

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.rtstruct import write_rtstruct


def voxels_inside(structure_set, roi_index, image, shape):
    """The mask by another rasteriser (matplotlib's point-in-polygon), contours combined by exclusive or."""
    y, x = np.mgrid[:shape[1], :shape[2]]
    origin_mm, spacing_mm = np.array(image.GetOrigin()), np.array(image.GetSpacing())
    centres_mm = np.column_stack([x.ravel(), y.ravel()]) * spacing_mm[:2] + origin_mm[:2]
    mask = np.zeros(shape, dtype=bool)
    for contour in structure_set.ROIContourSequence[roi_index].ContourSequence:
        points_mm = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        k = round((points_mm[0, 2] - origin_mm[2]) / spacing_mm[2])
        inside = Polygon(points_mm[:, :2]).contains_points(centres_mm)
        mask[k] ^= inside.reshape(shape[1:])
    return mask


def test_contours_hold_exactly_the_voxel_centres_of_the_masks(organ_masks, ct_image, dicom_ct, tmp_path):
    write_rtstruct(organ_masks, dicom_ct(ct_image), tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    assert [roi.ROIName for roi in structure_set.StructureSetROISequence] == list(organ_masks.names)
    for index, name in enumerate(organ_masks.names):
        found = voxels_inside(structure_set, index, ct_image, organ_masks.shape)
        assert np.array_equal(found, organ_masks.mask(name)), name


def test_contours_name_the_slice_they_lie_in(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_rtstruct(organ_masks, study, tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    frame = structure_set.ReferencedFrameOfReferenceSequence[0]
    assert frame.FrameOfReferenceUID == study.frame_of_reference_uid
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == study.series_uid
    assert [i.ReferencedSOPInstanceUID for i in series.ContourImageSequence] == list(study.sop_instance_uids)
    for contour in structure_set.ROIContourSequence[2].ContourSequence:
        k = study.sop_instance_uids.index(contour.ContourImageSequence[0].ReferencedSOPInstanceUID)
        assert float(contour.ContourData[2]) == pytest.approx(study.slice_positions_mm[k], abs=1e-3)


def test_colours_and_kinds_are_those_planning_systems_expect(organ_masks, ct_image, dicom_ct, tmp_path):
    write_rtstruct(organ_masks, dicom_ct(ct_image), tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    kinds = [o.RTROIInterpretedType for o in structure_set.RTROIObservationsSequence]
    assert kinds == ["ORGAN", "GTV", "ORGAN", "EXTERNAL", "ORGAN"]
    assert structure_set.ROIContourSequence[0].ROIDisplayColor == [221, 130, 101]


def test_straight_edges_have_no_points_between_their_ends(ct_image, dicom_ct, tmp_path):
    masks = OrganMasks(ct_image)
    box = np.zeros(masks.shape, dtype=bool)
    box[5, 10:20, 10:30] = True
    masks.add("liver", box)
    write_rtstruct(masks, dicom_ct(ct_image), tmp_path / "rs.dcm")
    contour = pydicom.dcmread(tmp_path / "rs.dcm").ROIContourSequence[0].ContourSequence[0]
    assert contour.NumberOfContourPoints == 8  # a rectangle with its corners cut


def test_nothing_to_write_is_refused(ct_image, dicom_ct, tmp_path):
    masks = OrganMasks(ct_image)
    masks.add("liver", np.zeros(masks.shape, dtype=bool))
    with pytest.raises(InputError, match="no mask"):
        write_rtstruct(masks, dicom_ct(ct_image), tmp_path / "rs.dcm")
