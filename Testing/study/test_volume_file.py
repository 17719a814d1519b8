"""A CT in one NRRD or NIfTI file: turned to LPS, or refused."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.study import read_ct


def _volume(dtype=np.int16, shape=(5, 6, 7)):
    """HU different along each axis, from air to bone."""
    z, y, x = np.meshgrid(*map(np.arange, shape), indexing="ij")
    image = sitk.GetImageFromArray((-1000 + 200 * x + 30 * y + 4 * z).astype(dtype))
    image.SetSpacing((1.5, 2.0, 3.0))
    image.SetOrigin((-10, 20, 300))
    return image


@pytest.fixture
def written(tmp_path):
    def write(image, name="ct.nrrd", compress=False):
        path = tmp_path / name
        sitk.WriteImage(image, str(path), compress)
        return path
    return write


@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize(("dtype", "pixel"), [(np.int16, sitk.sitkInt16), (np.int32, sitk.sitkInt16),
                                              (np.float32, sitk.sitkFloat32), (np.float64, sitk.sitkFloat32)])
def test_voxels_and_geometry_are_kept(written, name, dtype, pixel):
    study = read_ct(written(_volume(dtype), name))
    expected = _volume()
    assert study.image.GetPixelID() == pixel
    np.testing.assert_array_equal(sitk.GetArrayFromImage(study.image), sitk.GetArrayFromImage(expected))
    for got, wanted in zip((study.image.GetOrigin(), study.image.GetSpacing(), study.image.GetDirection()),
                           (expected.GetOrigin(), expected.GetSpacing(), expected.GetDirection()), strict=True):
        assert got == pytest.approx(wanted)
    assert study.acquisition.known() == {}
    assert study.sop_instance_uids == ()


@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii.gz"])
def test_a_suffix_in_capitals_is_the_same_suffix(written, name):
    path = written(_volume(), name)
    assert read_ct(path.rename(path.with_name(name.upper()))).image.GetSize() == (7, 6, 5)


@pytest.mark.parametrize("code", ["RAS", "LPI", "PIR", "ASL"])
@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii.gz"])
def test_any_axis_order_is_turned_to_lps(written, code, name):
    study = read_ct(written(sitk.DICOMOrient(_volume(), code), name))
    assert study.image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert study.image.GetOrigin() == pytest.approx((-10, 20, 300), abs=1e-4)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(study.image), sitk.GetArrayFromImage(_volume()))


def test_facts_come_from_the_protocol(written, tmp_path):
    protocol = tmp_path / "protocol.json"
    protocol.write_text('{"tube_voltage_kv": 120, "tube_current_ma": [100, 110, 120, 130, 140]}')
    facts = read_ct(written(_volume()), protocol=protocol).acquisition
    assert facts.tube_current_ma.value == (100, 110, 120, 130, 140)


def test_filling_outside_the_circle_becomes_air(written):
    image = _volume()
    image[0, 0, 0] = -3024
    hu = sitk.GetArrayFromImage(read_ct(written(image)).image)
    assert hu[0, 0, 0] == -1024
    np.testing.assert_array_equal(hu.ravel()[1:], sitk.GetArrayFromImage(_volume()).ravel()[1:])


def _changed(dtype, change):
    array = sitk.GetArrayFromImage(_volume(np.float64))
    changed = sitk.GetImageFromArray(change(array).astype(dtype))
    changed.CopyInformation(_volume())
    return changed


def _with(array, value):
    array[2, 3, 4] = value
    return array


@pytest.mark.parametrize(("dtype", "change", "words"), [
    pytest.param(np.float32, lambda hu: _with(hu, np.nan), "NaN or infinite", id="NaN"),
    pytest.param(np.float32, lambda hu: _with(hu, np.inf), "NaN or infinite", id="infinite"),
    pytest.param(np.float32, lambda hu: _with(hu, -np.inf), "NaN or infinite", id="minus infinite"),
    pytest.param(np.uint8, lambda hu: hu > -200, "this looks like a label map, not HU (whole numbers from 0 to 1)",
                 id="mask"),
    pytest.param(np.float32, lambda hu: np.floor(hu / 200 + 6), "this looks like a label map", id="labels as float"),
    pytest.param(np.int16, lambda hu: hu + 1024, "there is no air", id="offset lost"),
    pytest.param(np.float32, lambda hu: 0.02 * (1 + hu / 1000), "spans hundreds", id="attenuation"),
    pytest.param(np.float32, lambda hu: hu / 1000, "spans hundreds", id="normalised"),
    pytest.param(np.int16, lambda hu: hu * 0, "looks like a label map", id="blank"),
    pytest.param(np.int16, lambda hu: hu / 3 - 650, "nothing is as dense as tissue", id="air only"),
    pytest.param(np.int32, lambda hu: hu * 100, "too large for HU", id="too large"),
])
def test_values_that_are_no_hounsfield_units_are_refused(written, refusal, dtype, change, words):
    assert words in refusal(written(_changed(dtype, change)))


@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii"])
def test_a_series_over_time_is_refused(written, refusal, name):
    assert "the image has 4 dimensions, a CT has 3" in refusal(written(sitk.JoinSeries([_volume(), _volume()]), name))


def test_a_colour_image_is_refused(written, refusal):
    colour = sitk.Compose([sitk.Cast(_volume(), sitk.sitkUInt8)] * 3)
    assert "each voxel has 3 values (colour" in refusal(written(colour))


def test_a_single_slice_is_refused(written, refusal):
    assert "too few for a volume" in refusal(written(_volume(shape=(1, 6, 7))))
    assert "the image has 2 dimensions" in refusal(written(_volume()[:, :, 0], "slice.nrrd"))


def test_an_oblique_volume_is_refused(written, refusal):
    image = _volume()
    c, s = np.cos(0.1), np.sin(0.1)
    image.SetDirection((1, 0, 0, 0, c, -s, 0, s, c))
    assert "oblique" in refusal(written(image))
    assert "oblique" in refusal(written(image, "ct.nii"))


def test_an_nrrd_without_anatomical_space_is_refused(written, refusal):
    path = written(_volume())
    path.write_bytes(path.read_bytes().replace(b"space: left-posterior-superior\n", b"space dimension: 3\n"))
    assert "no anatomical 'space'" in refusal(path)


def test_an_nrrd_with_zero_spacing_is_refused(written, refusal):
    path = written(_volume())
    content = path.read_bytes()
    assert b"(0,0,3)" in content
    path.write_bytes(content.replace(b"(0,0,3)", b"(0,0,0)"))
    assert "no image with a valid geometry" in refusal(path)


@pytest.mark.parametrize("compress", [False, True])
def test_a_truncated_nrrd_is_refused(written, refusal, compress):
    path = written(_volume(), compress=compress)
    path.write_bytes(path.read_bytes()[:-60])
    assert "ct.nrrd: the file is truncated" in refusal(path)


@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_a_file_that_is_no_image_is_refused(tmp_path, refusal, name, content):
    (tmp_path / name).write_bytes(content)
    assert f"{name}: the file is truncated" in refusal(tmp_path / name)


def test_a_series_cannot_be_chosen_in_a_volume_file(written, refusal):
    assert "Leave --series away" in refusal(written(_volume()), series="2")


def test_the_programs_standard_error_stays_quiet(written, refusal, capfd):
    path = written(_volume())
    path.write_bytes(path.read_bytes()[:-60])
    refusal(path)
    assert capfd.readouterr().err == ""
