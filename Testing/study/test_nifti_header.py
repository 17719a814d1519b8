"""NIfTI faults that ITK passes over in silence are refused."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk


@pytest.fixture
def nifti(tmp_path):
    """Writes a NIfTI file with some bytes of its header replaced."""
    def write(name="ct.nii", patches=(), cut=0):
        image = sitk.GetImageFromArray(np.linspace(-1000, 1000, 210).reshape(5, 6, 7).astype(np.float32))
        image.SetSpacing((1, 2, 3))
        path = tmp_path / name
        sitk.WriteImage(image, str(path))
        content = bytearray(gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes())
        for offset, patch in patches:
            content[offset:offset + len(patch)] = patch
        content = bytes(content[:len(content) - cut])
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path
    return write


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("cut", [1, 400])
def test_missing_voxels_are_refused_not_read_as_zero(nifti, refusal, name, cut):
    path = nifti(name, cut=cut)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(nifti("plain.nii", cut=400))))[-1].max() == 0
    assert f"{name}: the file is truncated" in refusal(path)


def test_a_gzip_stream_that_breaks_off_is_refused(nifti, refusal):
    path = nifti("ct.nii.gz")
    path.write_bytes(path.read_bytes()[:-40])
    assert "the file is truncated" in refusal(path)


def test_a_damaged_gzip_stream_is_refused(nifti, refusal):
    path = nifti("ct.nii.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF  # the checksum
    path.write_bytes(content)
    assert "the file is truncated or damaged" in refusal(path)


@pytest.mark.parametrize("spacing_mm", [0.0, -3.0, float("nan")])
def test_a_spacing_that_is_not_positive_is_refused(nifti, refusal, spacing_mm):
    path = nifti(patches=[(76 + 4 * 3, struct.pack("<f", spacing_mm))])
    assert f"the voxel spacing is 1 x 2 x {spacing_mm:g} mm" in refusal(path)


def test_an_unknown_orientation_is_refused(nifti, refusal):
    assert "gives no orientation (qform and sform codes are 0)" in refusal(nifti(patches=[(252, bytes(4))]))


def test_a_damaged_header_is_refused(nifti, refusal):
    assert "the NIfTI header is damaged" in refusal(nifti(patches=[(40, struct.pack("<h", 99))]))
    assert "no NIfTI file" in refusal(nifti(patches=[(0, b"\1\2\3\4")]))


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("voxel", [0, 209])
def test_a_value_that_is_no_number_is_refused_not_read_as_zero(nifti, refusal, name, voxel):
    path = nifti(name, patches=[(352 + 4 * voxel, struct.pack("<f", float("nan")))])
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(path))).ravel()[voxel] == 0  # what ITK makes of it
    assert f"{name}: the image holds values that are no numbers (NaN or infinite)" in refusal(path)
