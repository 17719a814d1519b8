"""A protocol file written from headers is one that can be read again."""

import pydicom
import pytest

from organdose.errors import InputError
from organdose.jobs.write_protocol import write_protocol
from organdose.study.facts import CTAcquisition, Origin
from organdose.study.protocol import apply_protocol, read_protocol


@pytest.fixture
def ct(dicom_ct, ct_image):
    """A folder of slices with some facts in their headers."""
    files = dicom_ct(ct_image).files
    for file in files:
        header = pydicom.dcmread(file)
        header.KVP, header.TotalCollimationWidth = 100, 40.0
        header.save_as(file)
    return files[0].parent


def test_what_the_headers_say_comes_back_with_its_origin(ct, tmp_path):
    path = tmp_path / "protocol.json"
    written = write_protocol(ct, path)
    assert written.tube_voltage_kv.value == 100
    read = apply_protocol(CTAcquisition(), read_protocol(path), slices=20, where=path)
    assert read.tube_voltage_kv == written.tube_voltage_kv and read.tube_voltage_kv.origin is Origin.header
    assert read.total_collimation_mm.value == 40


def test_a_localiser_is_chosen_by_its_number(ct, tmp_path):
    first = next(iter(sorted(ct.iterdir())))
    header = pydicom.dcmread(first)
    header.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    header.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    header.save_as(first)
    path = tmp_path / "scout.json"
    assert write_protocol(ct, path, localiser=1).scan_kind.value == "localiser"
    assert read_protocol(path).scan_kind == "localiser"
    with pytest.raises(InputError, match="no localiser 2: 1 lie here"):
        write_protocol(ct, path, localiser=2)


def test_a_folder_without_localisers_is_refused(ct, tmp_path):
    with pytest.raises(InputError, match="there is no localiser here"):
        write_protocol(ct, tmp_path / "scout.json", localiser=1)
    assert not (tmp_path / "scout.json").exists()
