"""Which series of a folder is read."""

import pytest
from pydicom.uid import PositronEmissionTomographyImageStorage, SecondaryCaptureImageStorage

from organdose.study import read_ct


def _series(number, uid, **tags):
    def change(header, index):
        header.SeriesNumber, header.SeriesInstanceUID = number, uid
        for keyword, value in tags.items():
            setattr(header, keyword, value)
    return change


@pytest.fixture
def two_series(write_series):
    write_series("study/thin", 8, change=_series(3, "2.25.31", SliceThickness=1))
    return write_series("study/thick", 6, change=_series(5, "2.25.51")).parent


def test_two_series_are_refused_and_listed(two_series, refusal):
    message = refusal(two_series)
    assert "the folder holds 2 CT series: 3 (8 slices, 1 mm thick); 5 (6 slices, 3 mm thick)" in message
    assert "--series" in message


@pytest.mark.parametrize(("wanted", "slices"), [("3", 8), ("5", 6), ("2.25.31", 8), (" 5 ", 6)])
def test_a_series_is_chosen_by_number_or_uid(two_series, wanted, slices):
    study = read_ct(two_series, series=wanted)
    assert study.image.GetDepth() == slices
    assert study.series_uid == {8: "2.25.31", 6: "2.25.51"}[slices]


def test_a_series_that_is_not_there_is_refused(two_series, refusal):
    assert "no CT series has the number or UID '4'; there are 3 (8 slices" in refusal(two_series, series="4")


def test_a_number_that_two_series_share_is_refused(write_series, refusal):
    write_series("study/a", change=_series(3, "2.25.31"))
    folder = write_series("study/b", change=_series(3, "2.25.32")).parent
    assert "2 CT series have the number 3" in refusal(folder, series="3")
    assert read_ct(folder, series="2.25.32").series_uid == "2.25.32"


def test_series_with_empty_uids_are_told_apart_by_their_numbers(write_series, refusal):
    write_series("study/a", change=_series(3, ""))
    folder = write_series("study/b", change=_series(4, "")).parent
    assert "2 CT series: 3 (6 slices, 3 mm thick); 4 (6 slices, 3 mm thick)" in refusal(folder)


def test_a_short_series_beside_the_examination_is_set_aside_with_a_remark(write_series):
    write_series("study/ct", 8)
    folder = write_series("study/monitor", 2, change=_series(9, "2.25.91")).parent
    study = read_ct(folder)
    assert study.image.GetDepth() == 8
    assert study.acquisition.warnings[0] == ("set aside CT series 9 (2 slices, 3 mm thick) beside series "
                                             "2 (8 slices, 3 mm thick)")


def test_images_of_other_modalities_are_set_aside(write_series):
    write_series("study/ct", 6)
    folder = write_series("study/pet", 6, change=_other("PT", PositronEmissionTomographyImageStorage)).parent
    write_series("study/sheet", 1, change=_other("CT", SecondaryCaptureImageStorage))
    study = read_ct(folder)
    assert study.series_uid == "2.25.21"
    assert study.image.GetDepth() == 6


def _other(modality, sop_class):
    return _series(7, "2.25.71", Modality=modality, SOPClassUID=sop_class)


@pytest.mark.parametrize("image_type", [["ORIGINAL", "PRIMARY", "LOCALIZER"],
                                        ["ORIGINAL", "PRIMARY", "LOCALIZER", "CT_SOM5 TOP"]])
def test_localisers_are_set_aside_even_within_the_series(write_series, image_type):
    def change(header, index):
        if index == 6:
            header.ImageType = image_type
            header.ImageOrientationPatient, header.Rows = [1, 0, 0, 0, 0, -1], 16

    assert read_ct(write_series(slices=7, change=change)).image.GetDepth() == 6


def test_a_folder_of_localisers_is_refused(write_series, refusal):
    scouts = write_series(change=_series(1, "2.25.1", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    assert "only localisers" in refusal(scouts)


def test_a_wrong_modality_is_refused_and_named(write_series, refusal):
    pet = write_series("pet", change=_other("PT", PositronEmissionTomographyImageStorage))
    assert "no CT images here, only PT (6 files)" in refusal(pet)
    mislabelled = write_series("mr", change=_series(1, "2.25.1", Modality="MR"))
    assert "no CT images here, only MR (6 files)" in refusal(mislabelled)


def test_screenshots_that_call_themselves_ct_are_refused(write_series, refusal):
    assert "only Secondary Capture Image Storage (6 files)" in refusal(
        write_series(change=_other("CT", SecondaryCaptureImageStorage)))
