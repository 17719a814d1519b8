import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.seg_nrrd import write_seg_nrrd

vtk = pytest.importorskip("vtk")
slicer = pytest.importorskip("slicer")


def read_with_slicer(path):
    scene = slicer.vtkMRMLScene()
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1
    return scene, node


def mask_of(node, segment_id, size):
    from vtk.util.numpy_support import vtk_to_numpy

    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment_id, image)
    x0, x1, y0, y1, z0, z1 = image.GetExtent()
    full = np.zeros(size, dtype=bool)
    shape = (z1 - z0 + 1, y1 - y0 + 1, x1 - x0 + 1)
    full[z0:z1 + 1, y0:y1 + 1, x0:x1 + 1] = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape) > 0
    return full, image


def test_slicer_reads_every_mask_where_we_put_it(organ_masks, tmp_path):
    write_seg_nrrd(organ_masks, tmp_path / "organs.seg.nrrd")
    scene, node = read_with_slicer(tmp_path / "organs.seg.nrrd")
    segmentation = node.GetSegmentation()
    assert [segmentation.GetNthSegmentID(i) for i in range(5)] == list(organ_masks.names)
    for name in organ_masks.names:
        found, image = mask_of(node, name, organ_masks.shape)
        assert np.array_equal(found, organ_masks.mask(name)), name
        # LPS origin (-40, -50, -600) mm is (40, 50, -600) mm in Slicer's RAS.
        assert np.allclose(image.GetOrigin(), (40.0, 50.0, -600.0))
    del scene


def test_slicer_sees_title_colour_code_and_the_grid_of_the_ct(organ_masks, tmp_path):
    write_seg_nrrd(organ_masks, tmp_path / "organs.seg.nrrd")
    scene, node = read_with_slicer(tmp_path / "organs.seg.nrrd")
    kidney = node.GetSegmentation().GetSegment("kidney_left")
    assert kidney.GetName() == "Left kidney"
    assert np.allclose(np.array(kidney.GetColor()) * 255, (185, 102, 83), atol=0.01)
    term = vtk.reference("")
    assert kidney.GetTag("TerminologyEntry", term)
    assert "~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^7771000^Left~" in str(term)
    geometry = node.GetSegmentation().GetConversionParameter("Reference image geometry").split(";")
    assert [float(number) for number in geometry[:4]] == [-2.0, 0.0, 0.0, 40.0]
    assert geometry[16:22] == ["0", "39", "0", "29", "0", "19"]
    del scene


def test_masks_that_do_not_overlap_stay_one_label_map(ct_image, tmp_path):
    masks = OrganMasks(ct_image)
    for name, k in (("liver", 2), ("spleen", 9)):
        mask = np.zeros(masks.shape, dtype=bool)
        mask[k:k + 4, 5:9, 5:9] = True
        masks.add(name, mask)
    write_seg_nrrd(masks, tmp_path / "organs.seg.nrrd")
    image = sitk.ReadImage(str(tmp_path / "organs.seg.nrrd"))
    assert image.GetNumberOfComponentsPerPixel() == 1
    assert image.GetSize() == ct_image.GetSize()


def test_nothing_to_write_is_refused(ct_image, tmp_path):
    with pytest.raises(InputError, match="no mask"):
        write_seg_nrrd(OrganMasks(ct_image), tmp_path / "organs.seg.nrrd")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(organ_masks, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_seg_nrrd(organ_masks, tmp_path / "file" / "organs.seg.nrrd")


def test_organs_left_aside_leave_no_voxel_in_the_file(organ_masks, tmp_path):
    write_seg_nrrd(organ_masks.kept(["tumour_1", "kidney_left"]), tmp_path / "m.seg.nrrd")
    image = sitk.ReadImage(str(tmp_path / "m.seg.nrrd"))
    expected = organ_masks.mask("tumour_1").sum() + organ_masks.mask("kidney_left").sum()
    assert np.count_nonzero(sitk.GetArrayFromImage(image)) == expected
