"""The generated CT series, read back by libraries that know nothing of us."""

import datetime

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from organdose.anatomy.phantoms.ct_appearance import simulate_ct
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.export.dicom_ct_series import write_ct_series
from organdose.export.dicom_identity import StudyIdentity

# Type 1 and 2 attributes of CT Image Storage for an original image, PS3.3 A.3 and modules.
_REQUIRED = [
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName", "Modality", "SeriesInstanceUID", "SeriesNumber",
    "PatientPosition", "FrameOfReferenceUID", "PositionReferenceIndicator", "Manufacturer", "InstanceNumber",
    "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness", "ImageType",
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelData", "RescaleIntercept", "RescaleSlope", "KVP", "AcquisitionNumber",
    "SOPClassUID", "SOPInstanceUID",
]
_EXPOSURE = [
    "XRayTubeCurrent", "Exposure", "ExposureTime", "CTDIvol", "CTDIPhantomTypeCodeSequence", "SpiralPitchFactor",
    "TotalCollimationWidth", "SingleCollimationWidth", "RevolutionTime", "DistanceSourceToPatient",
    "DataCollectionCenterPatient", "DataCollectionDiameter", "ConvolutionKernel", "ManufacturerModelName",
]


@pytest.fixture(scope="module")
def identity():
    return StudyIdentity("test", "Phantom^AdultMale", "PHANTOM-M-00000", "M", 1.786, 80.9,
                         datetime.datetime(2025, 1, 15, 10))


@pytest.fixture(scope="module")
def series(tmp_path_factory, identity):
    ct = simulate_ct(load_phantom("adult-male"), (200, 600), slice_mm=20, pixels=96)
    return ct, write_ct_series(ct, identity, tmp_path_factory.mktemp("ct")), identity


def test_simpleitk_reads_back_the_same_image(series):
    ct, study, _ = series
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(study.files[0].parent)))
    image = reader.Execute()
    assert image.GetSize() == ct.image.GetSize()
    assert image.GetSpacing() == pytest.approx(ct.image.GetSpacing())
    assert image.GetOrigin() == pytest.approx(ct.image.GetOrigin(), abs=1e-4)
    assert np.array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(ct.image))


def test_every_required_attribute_is_there(series):
    for path in series[1].files:
        header = pydicom.dcmread(path)
        assert [keyword for keyword in _REQUIRED + _EXPOSURE if keyword not in header] == []
        assert header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID


def test_mas_and_ctdivol_are_in_one_ratio_and_follow_the_body(series):
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in series[1].files]
    mas, ctdivol_mgy, current_ma = (np.array([float(h[k].value) for h in headers])
                                    for k in ("Exposure", "CTDIvol", "XRayTubeCurrent"))
    assert ctdivol_mgy / mas == pytest.approx(0.07)
    assert mas == pytest.approx(current_ma * 0.5)
    assert np.corrcoef(np.log(current_ma), series[0].water_equivalent_diameter_cm)[0, 1] > 0.9
    assert headers[0].CTDIPhantomTypeCodeSequence[0].CodeValue == "113691"  # CID 4052: body phantom, 32 cm


def test_uids_follow_from_the_study_and_never_repeat_within_it(series, tmp_path):
    ct, study, identity = series
    again = write_ct_series(ct, identity, tmp_path)
    assert again.sop_instance_uids == study.sop_instance_uids
    assert len(set(study.sop_instance_uids)) == len(study.files)
    assert all(pydicom.uid.UID(uid).is_valid for uid in (*study.sop_instance_uids, study.series_uid))
    other = StudyIdentity(**{**identity.__dict__, "key": "another"})
    assert other.uid("study") != identity.uid("study")


def test_nobody_can_take_it_for_a_person(series):
    header = pydicom.dcmread(series[1].files[0], stop_before_pixels=True)
    assert header.PatientName == "Phantom^AdultMale" and header.PatientIdentityRemoved == "YES"
    assert "not a person" in header.StudyDescription
