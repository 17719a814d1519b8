"""Real studies through the front door, against their published tags and against another reader."""

import json
import subprocess
import sys
from functools import lru_cache

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled
from organdose.progress import Progress
from organdose.study import read_ct
from organdose.study.facts import Origin

# Several tests look at the same real study; nobody changes it.
_read_once = lru_cache(read_ct)


def _tags(folder, keyword):
    """One value a slice from the data's own list of tags, feet to head."""
    slices = sorted(json.loads((folder / "tube.json").read_text()), key=lambda each: each["z_mm"])
    return [each[keyword] for each in slices]


def _collapsed(fact, slices):
    return list(fact.value) * (slices if len(fact.value) == 1 else 1)


@pytest.mark.parametrize("name", ["head_phantom_ctdi_tcm", "pancreas_ct_tcm", "ts_dicom_slab_dosetags"])
def test_the_facts_of_a_real_study_are_those_of_its_tags(shared_data, name):
    folder = shared_data / name
    study = _read_once(folder / "ct")
    facts, slices = study.acquisition, study.image.GetDepth()
    assert study.slice_positions_mm == pytest.approx(_tags(folder, "z_mm"), abs=1e-3)
    assert _collapsed(facts.tube_current_ma, slices) == _tags(folder, "XRayTubeCurrent")
    assert _collapsed(facts.exposure_mas, slices) == _tags(folder, "Exposure")
    assert {facts.tube_voltage_kv.value} == set(_tags(folder, "KVP"))
    assert not any("Exposure contradicts" in each for each in facts.warnings)
    assert all(study.sop_instance_uids)
    assert len(study.sop_instance_uids) == slices
    if name == "pancreas_ct_tcm":
        assert facts.ctdivol_mgy is facts.pitch is facts.total_collimation_mm is None
        return
    assert _collapsed(facts.ctdivol_mgy, slices) == pytest.approx(_tags(folder, "CTDIvol"))
    assert {facts.pitch.value} == set(_tags(folder, "SpiralPitchFactor"))
    assert {facts.total_collimation_mm.value} == set(_tags(folder, "TotalCollimationWidth"))


def test_the_jpeg_2000_slab_gives_the_facts_of_its_scanner(shared_data):
    study = _read_once(shared_data / "ts_dicom_slab_dosetags" / "ct")
    facts = study.acquisition
    assert study.image.GetSize() == (512, 512, 20)
    assert facts.ctdi_phantom_cm.value == 32
    assert facts.isocentre_mm.value == (0, -188)
    assert facts.focus_isocentre_mm.value == 595
    # ExposureTime says 330 ms, one rotation of this scanner.
    assert facts.rotation_time_s.value == pytest.approx(0.330, abs=0.001)
    assert (facts.scan_kind.value, facts.warnings) == ("helical", ())


def test_the_head_phantom_has_the_same_dose_per_mas_in_every_slice(shared_data):
    facts = _read_once(shared_data / "head_phantom_ctdi_tcm" / "ct").acquisition
    ratio = np.array(facts.ctdivol_mgy.value) / np.array(facts.exposure_mas.value)
    np.testing.assert_allclose(ratio, 0.1284, atol=1e-4)
    assert any("TableFeedPerRotation" in each or "table feed" in each for each in facts.warnings)


def test_an_exposure_that_contradicts_current_and_time_is_told(shared_data):
    facts = read_ct(shared_data / "ibsi_petct_STS_007").acquisition
    assert facts.exposure_mas.value == (13,)
    assert "13 mAs where mA x exposure time gives 69.6 mAs (70 of 70 slices)" in facts.warnings[0]


@pytest.mark.parametrize("name", ["head_phantom_ctdi_tcm", "pancreas_ct_tcm"])
def test_another_reader_sees_the_same_voxels_in_the_same_place(shared_data, name):
    folder = shared_data / name / "ct"
    study = _read_once(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in sorted(folder.iterdir())])
    other = reader.Execute()
    assert study.image.GetSize() == other.GetSize()
    assert study.image.GetOrigin() == pytest.approx(other.GetOrigin())
    assert study.image.GetSpacing() == pytest.approx(other.GetSpacing())
    assert study.image.GetDirection() == pytest.approx(other.GetDirection())
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(study.image), sitk.GetArrayViewFromImage(other))


def test_a_missing_ctdivol_comes_from_the_protocol(shared_data, tmp_path):
    protocol = tmp_path / "protocol.json"
    protocol.write_text('{"ctdivol_mgy": 20, "explanation": "assumed for the test"}')
    acquisition = read_ct(shared_data / "pancreas_ct_tcm" / "ct", protocol=protocol).acquisition
    assert (acquisition.ctdivol_mgy.value, acquisition.ctdivol_mgy.origin) == ((20,), Origin.protocol)
    assert "protocol file: assumed for the test" in acquisition.warnings


def test_a_real_nifti_is_turned_to_lps(shared_data):
    path = shared_data / "ts_abdomen_pelvis_3mm" / "ct.nii.gz"
    image, stored = read_ct(path).image, sitk.ReadImage(str(path))
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    for index in [(0, 0, 0), (60, 50, 56), (121, 100, 111), (30, 70, 20)]:
        place = image.TransformIndexToPhysicalPoint(index)
        assert image[index] == stored[stored.TransformPhysicalPointToIndex(place)]


def test_real_label_maps_are_not_taken_for_a_ct(shared_data, refusal):
    assert "looks like a label map" in refusal(shared_data / "ts_abdomen_pelvis_3mm" / "labels.nii.gz")


def test_of_the_patient_only_sex_and_body_part_are_kept(write_series):
    study = read_ct(write_series())
    assert (study.patient_sex, study.body_part) == ("F", "ABDOMEN")
    assert "Sorrow" not in repr(study)
    assert "hospital-number" not in repr(study)


def test_reading_tells_its_progress_and_can_be_cancelled(write_series):
    folder, told = write_series(), []
    read_ct(folder, progress=Progress(told.append))
    assert {each.stage for each in told} == {"reading DICOM headers", "reading CT slices"}
    assert told[-1].fraction == 1
    progress = Progress(lambda report: progress.cancel() if report.stage == "reading CT slices" else None)
    with pytest.raises(Cancelled):
        read_ct(folder, progress=progress)


def test_importing_the_room_costs_nothing_until_a_study_is_read():
    check = ("import sys, organdose.study; assert not {'pydicom', 'SimpleITK', 'pydantic'} & set(sys.modules); "
             "organdose.study.read_ct; assert 'pydicom' in sys.modules")
    subprocess.run([sys.executable, "-c", check], check=True)
