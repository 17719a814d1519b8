"""Activity from real studies that lie outside the repository, against what is recorded with them."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import MissingFacts
from organdose.study import read_activity
from organdose.study.activity_study import activity_in_image_bq, fraction_of_injected_in_fov
from organdose.study.suv import suv_normalisation, suv_of_bq_per_ml

# ICRP Publication 107: Lu-177 6.647 d.
LU177_S = 6.647 * 86_400


def existing(path):
    if not path.exists():
        pytest.skip(f"not here: {path}")
    return path


@pytest.fixture(scope="module")
def sarcoma(shared_data):
    """A PET in SUV of a GE Discovery ST, and what its publisher recorded of it."""
    folder = existing(shared_data / "ibsi_petct_STS_007")
    return read_activity(folder / "pet"), json.loads((folder / "pet_info.json").read_text())


def test_the_recorded_figures_of_a_pet_in_suv(sarcoma):
    study, recorded = sarcoma
    frame, = study.frames
    largest = float(sitk.GetArrayViewFromImage(frame.image).max())
    # Decay corrected to the administration, so the frame's own time is that of the recorded factor.
    assert frame.reference_s == 0.0
    expected = recorded["SUVmax"] * recorded["SUV_to_Bq_per_ml_at_injection_time"]
    assert largest == pytest.approx(expected, rel=1e-7)
    back = suv_of_bq_per_ml(recorded["injected_Bq"], suv_normalisation("BW", mass_kg=recorded["weight_kg"]))
    assert largest * back == pytest.approx(recorded["SUVmax"], rel=1e-7)
    assert frame.start_s == 5492.0  # 10:23:00 to 11:54:32
    facts = study.acquisition
    assert (facts.injected_activity_bq.value, facts.half_life_s.value, facts.patient_mass_kg.value) == (
        recorded["injected_Bq"], recorded["half_life_s"], recorded["weight_kg"])
    assert facts.radionuclide.value == "F-18" and not study.questions


def test_the_activity_of_the_crop_is_a_part_of_what_was_given(sarcoma):
    frame, = sarcoma[0].frames
    suv = sitk.GetArrayFromImage(frame.image).astype(float) / sarcoma[1]["SUV_to_Bq_per_ml_at_injection_time"]
    # Without any activity in it: mean SUV times the volume in g, over the mass of the patient.
    assert fraction_of_injected_in_fov(frame) == pytest.approx(suv.sum() * frame.voxel_ml / 82_000, rel=1e-6)


def test_its_decay_factor_contradicts_its_decay_correction(sarcoma):
    assert any("ADMIN" in line and "Decay Factor gives 2004-05-15 11:54:3" in line for line in sarcoma[0].warnings)


def test_a_pet_without_unit_or_times_is_read_when_a_person_says_its_unit(shared_data, write_protocol):
    folder = existing(shared_data / "nema_iq_pet" / "pet_recon_1")
    with pytest.raises(MissingFacts, match="units"):
        read_activity(folder)
    study = read_activity(folder, protocol=write_protocol(units="BQML"))
    frame, = study.frames
    assert float(sitk.GetArrayViewFromImage(frame.image).max()) == pytest.approx(38_127, abs=1)
    assert {"injected_activity_bq", "half_life_s", "scan_start_at", "decay_correction"} <= set(study.questions)


def test_bq_in_each_voxel_of_a_spleen_are_34_mbq(shared_data, write_protocol):
    folder = existing(shared_data / "lu177_patient15_organs")
    study = read_activity(folder / "activity_spleen_34MBq_Bq_per_voxel.nii.gz",
                          protocol=write_protocol(units="BQ", radionuclide="Lu-177", half_life_s=LU177_S))
    frame, = study.frames
    assert activity_in_image_bq(frame) == pytest.approx(34.2e6, rel=1e-4)
    inside = sitk.GetArrayFromImage(frame.image)
    assert np.unique(inside[inside > 0]) == pytest.approx([22_280.13 / frame.voxel_ml], rel=1e-6)
