import highdicom
import numpy as np
import pydicom
import pytest

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.dicom_seg import write_dicom_seg
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


def test_highdicom_reads_every_voxel_back_where_it_was(organ_masks, ct_image, dicom_ct, tmp_path):
    write_dicom_seg(organ_masks, dicom_ct(ct_image), tmp_path / "seg.dcm")
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    volume = seg.get_volume(combine_segments=False)
    assert [seg.get_segment_description(n).SegmentLabel for n in seg.segment_numbers] == list(organ_masks.names)
    for index, name in enumerate(organ_masks.names):
        voxels = np.argwhere(volume.array[..., index] > 0)
        places_mm = voxels @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        expected_mm = np.argwhere(organ_masks.mask(name))[:, ::-1] * (2.0, 2.5, 3.0) + (-40.0, -50.0, -600.0)
        assert np.allclose(sorted(places_mm.tolist()), sorted(expected_mm.tolist()), atol=1e-3), name


def test_frames_without_voxels_are_left_out_and_overlap_is_declared(organ_masks, ct_image, dicom_ct, tmp_path):
    write_dicom_seg(organ_masks, dicom_ct(ct_image), tmp_path / "seg.dcm")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    slices = sum(int(organ_masks.mask(name).any(axis=(1, 2)).sum()) for name in organ_masks.names)
    assert seg.NumberOfFrames == slices == len(seg.PerFrameFunctionalGroupsSequence)
    assert seg.SegmentsOverlap == "YES"
    indices = [tuple(f.FrameContentSequence[0].DimensionIndexValues) for f in seg.PerFrameFunctionalGroupsSequence]
    assert len(set(indices)) == slices


def test_codes_and_the_series_are_those_of_the_organs_and_the_ct(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_dicom_seg(organ_masks, study, tmp_path / "seg.dcm")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    assert seg.FrameOfReferenceUID == study.frame_of_reference_uid
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == study.series_uid
    kidney = seg.SegmentSequence[2].SegmentedPropertyTypeCodeSequence[0]
    assert (kidney.CodeValue, kidney.CodingSchemeDesignator) == ("64033007", "SCT")
    assert kidney.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "7771000"


def test_an_image_whose_slices_are_no_whole_bytes_keeps_its_voxels(dicom_ct, tmp_path):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.zeros((6, 7, 9), dtype=np.int16))  # 63 pixels a slice
    masks = OrganMasks(image)
    draw = np.random.default_rng(5)
    for name in ("liver", "body", "skin"):
        masks.add(name, draw.random(masks.shape) < 0.4)
    write_dicom_seg(masks, dicom_ct(image), tmp_path / "seg.dcm")
    volume = highdicom.seg.segread(tmp_path / "seg.dcm").get_volume(combine_segments=False)
    found = volume.array[::-1] > 0  # highdicom stacks from head to feet
    assert volume.affine[2, 0] < 0
    for index, name in enumerate(masks.names):
        assert np.array_equal(found[..., index], masks.mask(name)), name


def test_a_ct_that_is_not_dicom_is_refused(organ_masks, ct_image, tmp_path):
    with pytest.raises(InputError, match=r"not read from DICOM.*\.seg\.nrrd"):
        write_dicom_seg(organ_masks, CTStudy(ct_image, CTAcquisition()), tmp_path / "seg.dcm")
    assert list(tmp_path.iterdir()) == []


def test_a_ct_without_study_uid_is_refused(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    first = pydicom.dcmread(study.files[0])
    first.StudyInstanceUID = ""
    first.save_as(study.files[0])
    with pytest.raises(InputError, match="no StudyInstanceUID"):
        write_dicom_seg(organ_masks, study, tmp_path / "seg.dcm")
