"""Slices make a volume in LPS however the patient lay, or are refused with the place of the fault."""

import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.study import read_ct

LEFT, RIGHT, BACK, FRONT = (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)


def _tags(**tags):
    def change(header, index):
        for keyword, value in tags.items():
            setattr(header, keyword, value)
    return change


@pytest.mark.parametrize(("row", "column"), [
    pytest.param(LEFT, BACK, id="head first supine"),
    pytest.param(RIGHT, FRONT, id="head first prone"),
    pytest.param(RIGHT, BACK, id="feet first supine"),
    pytest.param(LEFT, FRONT, id="feet first prone"),
    pytest.param(BACK, RIGHT, id="decubitus right"),
    pytest.param(FRONT, LEFT, id="decubitus left"),
    pytest.param(BACK, LEFT, id="feet first decubitus"),
])
def test_the_image_is_lps_however_the_patient_lay(write_series, expected_hu, row, column):
    study = read_ct(write_series(row=row, column=column))
    assert study.image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert study.image.GetOrigin() == (-32, -32, 100)
    assert study.image.GetSpacing() == (2, 2, 3)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(study.image), expected_hu(6))
    # The written current grows by 10 mA a slice from feet to head, whatever the direction of the normal.
    assert study.acquisition.tube_current_ma.value == (200, 210, 220, 230, 240, 250)
    assert study.slice_positions_mm == (100, 103, 106, 109, 112, 115)
    assert [path.name for path in study.files] == [f"ct_{index:03d}.dcm" for index in range(6)]
    assert len(study.sop_instance_uids) == 6


def test_slices_are_ordered_by_position_not_by_name_or_instance_number(write_series, expected_hu):
    def change(header, index):
        header.InstanceNumber = (7 * index) % 6

    folder = write_series(change=change)
    for index, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / f"{(5 * index) % 6}_{path.name}")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_ct(folder).image), expected_hu(6))


def test_pixels_that_are_not_square_keep_their_axes(write_series):
    study = read_ct(write_series(change=_tags(PixelSpacing=[1.5, 0.75])))
    assert study.image.GetSpacing() == (0.75, 1.5, 3)


def test_positions_rounded_to_a_decimal_are_evenly_spaced(write_series):
    """A spacing of 0.75 mm written with one decimal: 100.0, 100.8, 101.5, 102.2, 103.0 ..."""
    def change(header, index):
        header.ImagePositionPatient = [0, 0, round(100 + 0.75 * index + 1e-9, 1)]

    assert read_ct(write_series(slices=9, change=change)).image.GetSpacing()[2] == pytest.approx(0.75, abs=1e-6)


def _without(*indices):
    return lambda header, index: index not in indices


def test_a_missing_slice_is_refused_and_named(write_series, refusal):
    assert ("1 slice is missing between z = 106 and z = 112 mm (the others are 3 mm apart)"
            in refusal(write_series(slices=8, change=_without(3))))


def test_several_gaps_are_counted(write_series, refusal):
    assert ("2 slices are missing between z = 103 and z = 112 mm, and 1 more further on"
            in refusal(write_series(slices=12, change=_without(2, 3, 8))))


def test_a_gap_is_named_in_feet_first_scans_too(write_series, refusal):
    message = refusal(write_series(slices=8, row=RIGHT, column=BACK, change=_without(3)))
    assert "between z = 106 and z = 112 mm" in message


def test_uneven_spacing_is_refused_and_named(write_series, refusal):
    def change(header, index):
        header.ImagePositionPatient = [0, 0, 100 + 3 * index + (1.5 if index > 3 else 0)]

    assert ("unevenly spaced: 3 mm apart, but 4.5 mm between z = 109 and z = 113.5 mm"
            in refusal(write_series(change=change)))


def test_a_spacing_that_creeps_is_refused(write_series, refusal):
    def change(header, index):
        header.ImagePositionPatient = [0, 0, 100 + (3 * index if index < 20 else 60 + 3.27 * (index - 20))]

    folder = write_series(slices=40, change=change)
    assert "the slice spacing changes along the series, from 3 to 3.27 mm" in refusal(folder)


def test_a_doubled_slice_is_refused_and_named(write_series, refusal):
    def change(header, index):
        if index == 4:
            header.ImagePositionPatient = [-32, -32, 109]

    assert "two slices lie at the same position z = 109 mm" in refusal(write_series(change=change))


def test_one_slice_is_no_volume(write_series, refusal):
    folder = write_series(slices=1)
    assert "only one CT slice" in refusal(folder)
    assert "only one CT slice" in refusal(folder / "ct_000.dcm")


@pytest.mark.parametrize("tilt_deg", [-12.5, 0.5, 20])
def test_gantry_tilt_in_the_tag_is_refused(write_series, refusal, tilt_deg):
    assert f"the gantry was tilted by {tilt_deg:.1f} degrees" in refusal(
        write_series(change=_tags(GantryDetectorTilt=tilt_deg)))


def test_gantry_tilt_in_the_geometry_is_refused(write_series, refusal):
    """The image plane leans by 15 degrees while the table moves along z, and no tag says so."""
    c, s = math.cos(math.radians(15)), math.sin(math.radians(15))
    assert "the gantry was tilted by 15.0 degrees" in refusal(
        write_series(change=_tags(ImageOrientationPatient=[1, 0, 0, 0, c, -s])))


def test_slices_stacked_askew_are_refused(write_series, refusal):
    def change(header, index):
        header.ImagePositionPatient = [-32, -32 + 0.3 * index, 100 + 3 * index]

    assert "tilted by 5.7 degrees" in refusal(write_series(change=change))


def test_slices_that_jump_sideways_are_refused(write_series, refusal):
    def change(header, index):
        header.ImagePositionPatient = [-32 + (2 if index == 3 else 0), -32, 100 + 3 * index]

    assert "shifted sideways by 2 mm" in refusal(write_series(change=change))


@pytest.mark.parametrize(("orientation", "step", "plane"), [
    ([1, 0, 0, 0, 0, -1], (0, 3, 0), "coronal"),
    ([0, 1, 0, 0, 0, -1], (-3, 0, 0), "sagittal"),
    ([0.8, 0, -0.6, 0, 1, 0], (1.8, 0, 2.4), "oblique"),
    ([0.8, 0.6, 0, -0.6, 0.8, 0], (0, 0, 3), "oblique"),
])
def test_slices_that_are_not_axial_are_refused_and_named(write_series, refusal, orientation, step, plane):
    def change(header, index):
        header.ImageOrientationPatient = orientation
        header.ImagePositionPatient = [index * each for each in step]

    assert f"the slices are {plane}, not axial" in refusal(write_series(change=change))


@pytest.mark.parametrize("spacing", [[0, 0], [2, 0], [-2, 2]])
def test_a_spacing_that_is_not_positive_is_refused(write_series, refusal, spacing):
    assert "it must be positive" in refusal(write_series(change=_tags(PixelSpacing=spacing)))


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_that_cannot_be_placed_is_refused_and_named(write_series, refusal, keyword):
    def change(header, index):
        if index == 2:
            delattr(header, keyword)

    message = refusal(write_series(change=change))
    assert f"no usable {keyword}" in message
    assert "ct_002.dcm" in message


def _last_slice(**tags):
    def change(header, index):
        if index == 5:
            _tags(**tags)(header, index)
    return change


@pytest.mark.parametrize(("tags", "words"), [
    ({"Rows": 16, "PixelData": bytes(16 * 32 * 2)}, "matrices of 32 x 32 and 32 x 16 pixels"),
    ({"ImageOrientationPatient": [-1, 0, 0, 0, -1, 0]}, "slices of different orientations"),
    ({"PixelSpacing": [1, 1]}, "pixels of 2 and 1 mm"),
    ({"FrameOfReferenceUID": "2.25.99"}, "2 different frames of reference"),
])
def test_a_series_of_mixed_slices_is_refused(write_series, refusal, tags, words):
    assert f"the series mixes {words}" in refusal(write_series(change=_last_slice(**tags)))
