"""Two X-ray sources in single-frame headers: both are found, or neither is used."""

import pytest
from pydicom.dataset import Dataset

from organdose.study.dicom_facts import acquisition_facts


def item(**attributes):
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@pytest.fixture
def header():
    """A dual-energy image as PS3.3 C.8.2.2 has it: items of sources and paths, not in their order."""
    exposures = [item(ReferencedXRaySourceIndex=2, XRayTubeCurrentInmA=240.0, ExposureInmAs=60.0),
                 item(ReferencedXRaySourceIndex=1, XRayTubeCurrentInmA=480.0, ExposureInmAs=120.0)]
    details = [item(ReferencedPathIndex=1, KVP=100), item(ReferencedPathIndex=2, KVP=140, FilterMaterial="TIN")]
    energies = item(CTExposureSequence=exposures, CTXRayDetailsSequence=details)
    return item(MultienergyCTAcquisitionSequence=[energies], CTDIvol=9.0)


def test_both_tubes_of_a_multi_energy_image_are_found(header):
    facts = acquisition_facts([header, header])
    assert (facts.tube_voltage_kv.value, facts.tube_current_ma.value, facts.exposure_mas.value) == (100, (480,), (120,))
    assert (facts.second_tube_voltage_kv.value, facts.second_tube_exposure_mas.value) == (140, (60,))
    assert facts.second_tube_filter.value == "Sn"
    assert facts.ctdivol_mgy.value == (9,)
    assert not facts.warnings


def test_a_tube_that_switches_its_voltage_has_both_at_one_place(header):
    source = item(MultienergySourceTechnique="SWITCHING_SOURCE")
    header.MultienergyCTAcquisitionSequence[0].MultienergyCTXRaySourceSequence = [source, source]
    facts = acquisition_facts([header])
    assert facts.second_tube_offset_deg.value == 0
    assert "switches its voltage" in facts.warnings[0]


def test_three_sources_are_told_and_not_used(header):
    energies = header.MultienergyCTAcquisitionSequence[0]
    energies.CTExposureSequence.append(item(ReferencedXRaySourceIndex=3))
    energies.CTXRayDetailsSequence.append(item(ReferencedPathIndex=3, KVP=80))
    facts = acquisition_facts([header])
    assert facts.tube_voltage_kv is None and facts.second_tube_voltage_kv is None
    assert "describes 3 X-ray sources" in facts.warnings[0]


def test_a_tube_without_a_voltage_spoils_both(header):
    del header.MultienergyCTAcquisitionSequence[0].CTXRayDetailsSequence[0].KVP
    facts = acquisition_facts([header])
    assert facts.tube_voltage_kv is None and facts.second_tube_voltage_kv is None
    assert "not one tube voltage of each" in facts.warnings[0]
