"""Localisers: an exposure without slices, and how it goes with the CT it planned."""

import json

import pytest

from organdose.errors import InputError
from organdose.study import read_ct
from organdose.study.ct_fact_sheet import CTFactSheet
from organdose.study.facts import Origin
from organdose.study.localiser import read_localisers


@pytest.fixture
def write_localiser(write_series):
    """A frontal scout view, 32 rows of 2 mm from z = 150 mm downwards."""
    def write(**tags):
        def change(header, _index):
            header.ImageType, header.AcquisitionType = ["ORIGINAL", "PRIMARY", "LOCALIZER"], "CONSTANT_ANGLE"
            header.ImageOrientationPatient, header.ImagePositionPatient = [1, 0, 0, 0, 0, -1], [-32, 0, 150]
            header.XRayTubeCurrent, header.ExposureTime, header.Exposure = 30, 640, 19
            header.CTDIvol, header.TotalCollimationWidth, header.PatientPosition = 0.12, 6.0, "HFS"
            header.TubeAngle, header.TableSpeed = 0.0, 100.0
            for keyword, value in tags.items():
                setattr(header, keyword, value)

        return write_series("scout", 1, change=change)

    return write


def test_a_localiser_tells_its_exposure_and_where_it_went(write_localiser):
    [facts] = read_localisers(write_localiser())
    assert (facts.scan_kind.value, facts.scan_kind.origin) == ("localiser", Origin.header)
    assert facts.scan_range_mm.value == (87.0, 151.0)
    assert (facts.scan_time_s.value, facts.tube_angle_deg.value) == (0.64, 0.0)
    assert (facts.tube_current_ma.value, facts.exposure_mas.value, facts.ctdivol_mgy.value) == ((30,), (19,), (0.12,))
    assert facts.warnings == ()


def test_a_table_that_went_farther_than_the_image_is_told(write_localiser):
    [facts] = read_localisers(write_localiser(TableSpeed=200.0))
    assert facts.scan_range_mm.value == (87.0, 151.0)
    assert "128 mm where the localiser is 64 mm long: the length of the image is used" in facts.warnings[0]


def test_a_localiser_without_a_tube_angle_says_so(write_localiser):
    [facts] = read_localisers(write_localiser(PatientPosition=""))
    assert facts.tube_angle_deg is None
    assert "where the tube stood" in facts.warnings[0]


def test_beside_a_ct_the_localiser_takes_nothing_of_the_cts_exposure(write_localiser, write_series, tmp_path):
    [localiser] = read_localisers(write_localiser())
    path = tmp_path / "scout.json"
    path.write_text(json.dumps(CTFactSheet.of(localiser).protocol()))

    def helical(header, _index):
        header.AcquisitionType, header.CTDIvol, header.SpiralPitchFactor = "SPIRAL", 12.0, 0.9

    facts = read_ct(write_series("ct", change=helical), protocol=path).acquisition
    assert (facts.scan_kind.value, facts.ctdivol_mgy.value, facts.tube_current_ma.value) == ("localiser", (0.12,),
                                                                                             (30,))
    assert facts.pitch.value == 0
    assert any("that of another scan and is not used" in line for line in facts.warnings)


def test_a_folder_without_localisers_is_refused(write_series):
    with pytest.raises(InputError, match="no localiser"):
        read_localisers(write_series())
