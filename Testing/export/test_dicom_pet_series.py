"""The generated PET series, read back by libraries that know nothing of us."""

import datetime

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from organdose.anatomy.phantoms.fdg_uptake import FDGStudy
from organdose.export.dicom_identity import StudyIdentity
from organdose.export.dicom_pet_series import write_pet_series

# Type 1 and 2 attributes of PET Image Storage, PS3.3 A.21 and C.8.9.
_REQUIRED = [
    "SeriesType", "Units", "CountsSource", "NumberOfSlices", "CorrectedImage", "DecayCorrection", "CollimatorType",
    "SeriesDate", "SeriesTime", "RadiopharmaceuticalInformationSequence", "PatientOrientationCodeSequence",
    "PatientGantryRelationshipCodeSequence", "ImageIndex", "FrameReferenceTime", "ActualFrameDuration",
    "AcquisitionDate", "AcquisitionTime", "RescaleSlope", "RescaleIntercept", "DecayFactor", "PatientWeight",
    "PatientSize", "PatientSex", "PixelSpacing", "SliceThickness", "ImagePositionPatient", "FrameOfReferenceUID",
    "ImageType", "RandomsCorrectionMethod", "AttenuationCorrectionMethod",
]


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    values = np.random.default_rng(5).gamma(2.0, 3000.0, (7, 12, 10)).astype(np.float32)
    values[3] = 0
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((4, 4, 4))
    image.SetOrigin((-18, -22, 100.5))
    fdg = FDGStudy(70.0, np.zeros(3))
    identity = StudyIdentity("test", "Phantom^AdultMale", "P", "M", 1.75, 70.0, datetime.datetime(2025, 1, 15, 10))
    return image, write_pet_series(image, fdg, identity, tmp_path_factory.mktemp("pet"))


def test_simpleitk_reads_back_bq_per_ml_on_the_same_grid(series):
    image, paths = series
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(paths[0].parent)))
    reader.SetOutputPixelType(sitk.sitkFloat32)
    back = reader.Execute()
    assert back.GetOrigin() == pytest.approx(image.GetOrigin())
    assert back.GetSpacing() == pytest.approx(image.GetSpacing())
    wanted = sitk.GetArrayFromImage(image)
    assert np.abs(sitk.GetArrayFromImage(back) - wanted).max() < wanted.max() / 30000


def test_every_required_attribute_is_there_and_the_units_are_bq_per_ml(series):
    for path in series[1]:
        header = pydicom.dcmread(path)
        assert [keyword for keyword in _REQUIRED if keyword not in header] == []
        assert header.Units == "BQML" and header.DecayCorrection == "START"
        assert {"DECY", "ATTN"} <= set(header.CorrectedImage)


def test_the_slices_have_slopes_of_their_own(series):
    slopes = {float(pydicom.dcmread(path, stop_before_pixels=True).RescaleSlope) for path in series[1]}
    assert len(slopes) == len(series[1])


def test_the_injection_can_be_decay_corrected_to_the_scan(series):
    header = pydicom.dcmread(series[1][0], stop_before_pixels=True)
    item = header.RadiopharmaceuticalInformationSequence[0]
    injected = datetime.datetime.strptime(item.RadiopharmaceuticalStartDateTime, "%Y%m%d%H%M%S")
    scanned = datetime.datetime.strptime(header.SeriesDate + header.SeriesTime, "%Y%m%d%H%M%S")
    assert (scanned - injected).total_seconds() == 3600
    assert float(item.RadionuclideHalfLife) == pytest.approx(109.77 * 60, rel=1e-4)
    assert float(item.RadionuclidePositronFraction) == pytest.approx(0.967, abs=0.002)
    assert float(item.RadionuclideTotalDose) == 245e6
    assert item.RadionuclideCodeSequence[0].CodeMeaning == "^18^Fluorine"
