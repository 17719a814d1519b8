"""Tiny CT series written as DICOM, whose every voxel is a known function of its place in the patient."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    NuclearMedicineImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

from organdose.errors import InputError
from organdose.study import read_activity, read_ct

SIZE = 32
PIXEL_MM = 2.0
Z_FIRST_MM, SLICE_MM = 100.0, 3.0
PATIENT_NAME, PATIENT_ID = "Sorrow^Margarethe", "hospital-number"
_NATIVE = {ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian}


def _hu_at(x_mm, y_mm, z_mm):
    """HU at a place of the patient (LPS): different along each axis, so that no flip or swap goes unseen."""
    return np.rint(3 * np.asarray(x_mm) + 7 * np.asarray(y_mm) + 2 * np.asarray(z_mm) - 300).astype(int)


def _centres_mm() -> np.ndarray:
    return PIXEL_MM * (np.arange(SIZE) - SIZE / 2)


@pytest.fixture
def expected_hu() -> Callable[[int], np.ndarray]:
    """HU (z, y, x) of the written series in LPS order."""
    def expected(slices: int) -> np.ndarray:
        z_mm, y_mm, x_mm = np.meshgrid(Z_FIRST_MM + SLICE_MM * np.arange(slices), _centres_mm(), _centres_mm(),
                                       indexing="ij")
        return _hu_at(x_mm, y_mm, z_mm)
    return expected


def _slice_plane(z_mm, row, column):
    """Position of the first pixel and stored values (HU + 1024) of a slice whose axes run along row and column."""
    row, column = np.array(row, float), np.array(column, float)
    # The first pixel lies in the corner from which both directions cover the same square of the patient.
    corner = np.where(row + column > 0, _centres_mm()[0], _centres_mm()[-1])
    corner[2] = z_mm
    steps = PIXEL_MM * np.arange(SIZE)
    places = corner + steps[:, None, None] * column + steps[None, :, None] * row
    return corner, (_hu_at(*np.moveaxis(places, -1, 0)) + 1024).astype(np.uint16)


def _image_header(sop_class: str, syntax: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    header.PatientName, header.PatientID, header.PatientSex = PATIENT_NAME, PATIENT_ID, "F"
    header.Modality, header.Manufacturer, header.ManufacturerModelName = "CT", "Maker", "Scanner 1"
    header.BodyPartExamined = "ABDOMEN"
    header.StudyInstanceUID, header.FrameOfReferenceUID = "2.25.11", "2.25.12"
    header.SeriesInstanceUID, header.SeriesNumber = "2.25.21", 2
    header.Rows = header.Columns = SIZE
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
    return header


def _ct_slice(index, row, column, syntax, z_mm) -> FileDataset:
    header = _image_header(CTImageStorage, syntax)
    position_mm, stored = _slice_plane(z_mm, row, column)
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.InstanceNumber = index + 1
    header.ImagePositionPatient = position_mm.tolist()
    header.ImageOrientationPatient = [*row, *column]
    header.PixelSpacing, header.SliceThickness = [PIXEL_MM, PIXEL_MM], SLICE_MM
    header.RescaleSlope, header.RescaleIntercept, header.RescaleType = 1, -1024, "HU"
    header.KVP, header.XRayTubeCurrent, header.ExposureTime, header.Exposure = 120, 200 + 10 * index, 500, 100
    header.PixelData = stored.tobytes()
    return header


@pytest.fixture
def write_series(tmp_path: Path) -> Callable[..., Path]:
    """Writes a CT series and returns its folder.

    `change(header, index)` may alter a slice before it is written, or return False to leave it out.
    """
    def write(folder="ct", slices=6, *, row=(1, 0, 0), column=(0, 1, 0), syntax=ExplicitVRLittleEndian,
              change=None, name="ct_{:03d}.dcm") -> Path:
        folder = tmp_path / folder
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(slices):
            header = _ct_slice(index, row, column, syntax if syntax in _NATIVE else ExplicitVRLittleEndian,
                               Z_FIRST_MM + SLICE_MM * index)
            if change is not None and change(header, index) is False:
                continue
            if syntax not in _NATIVE:
                header.compress(syntax)
            header.save_as(folder / name.format(index), enforce_file_format=True)
        return folder
    return write


def _macro(**attributes) -> Sequence:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])


def _frame_groups(index: int, z_mm: float) -> Dataset:
    groups = Dataset()
    position_mm, _ = _slice_plane(z_mm, (1, 0, 0), (0, 1, 0))
    groups.PlanePositionSequence = _macro(ImagePositionPatient=position_mm.tolist())
    groups.CTExposureSequence = _macro(XRayTubeCurrentInmA=200.5 + index, ExposureInmAs=(200.5 + index) * 0.5 / 0.8,
                                       ExposureTimeInms=500.0, CTDIvol=8.0 + index)
    return groups


def _shared_groups() -> Dataset:
    groups = Dataset()
    groups.PlaneOrientationSequence = _macro(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    groups.PixelMeasuresSequence = _macro(PixelSpacing=[PIXEL_MM, PIXEL_MM], SliceThickness=SLICE_MM)
    groups.PixelValueTransformationSequence = _macro(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")
    groups.CTImageFrameTypeSequence = _macro(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    groups.CTAcquisitionTypeSequence = _macro(AcquisitionType="SPIRAL")
    groups.CTAcquisitionDetailsSequence = _macro(RevolutionTime=0.5, TotalCollimationWidth=40.0, GantryDetectorTilt=0.0)
    groups.CTTableDynamicsSequence = _macro(SpiralPitchFactor=0.8)
    groups.CTGeometrySequence = _macro(DistanceSourceToDataCollectionCenter=595.0)
    groups.CTPositionSequence = _macro(DataCollectionCenterPatient=[1.5, -20.0, 100.0])
    groups.CTXRayDetailsSequence = _macro(KVP=100)
    return groups


@pytest.fixture
def write_enhanced(tmp_path: Path) -> Callable[..., Path]:
    """Writes an Enhanced CT file with its frames from head to feet and returns it; `change(header)` may alter it."""
    def write(frames=5, *, syntax=ExplicitVRLittleEndian, change=None) -> Path:
        header = _image_header(EnhancedCTImageStorage, syntax if syntax in _NATIVE else ExplicitVRLittleEndian)
        header.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
        header.NumberOfFrames = frames
        from_head = [(index, Z_FIRST_MM + SLICE_MM * index) for index in reversed(range(frames))]
        header.SharedFunctionalGroupsSequence = Sequence([_shared_groups()])
        header.PerFrameFunctionalGroupsSequence = Sequence([_frame_groups(*each) for each in from_head])
        header.PixelData = b"".join(_slice_plane(z_mm, (1, 0, 0), (0, 1, 0))[1].tobytes() for _, z_mm in from_head)
        if change is not None:
            change(header)
        if syntax not in _NATIVE:
            header.compress(syntax)
        path = tmp_path / "enhanced"
        header.save_as(path, enforce_file_format=True)
        return path
    return write


@pytest.fixture
def refusal() -> Callable[..., str]:
    """Reads a study that must be refused; returns the message: one line that names no patient."""
    def read(path: Path, **options) -> str:
        with pytest.raises(InputError) as caught:
            read_ct(path, **options)
        message = str(caught.value)
        assert "\n" not in message
        assert not any(secret in message for secret in (*PATIENT_NAME.split("^"), PATIENT_ID))
        return message
    return read


# PET and SPECT: 100 MBq of a radionuclide with a half-life of an hour, given to 50 kg an hour before the scan. So an
# SUV of 1 is 2000 Bq/ml at the administration and 1000 Bq/ml at the scan.
PET_SHAPE = (4, 5, 6)
_PET_MM = (4.0, 3.0)


def pet_stored() -> np.ndarray:
    """Stored values (z, y, x) of the written PET in LPS order, each voxel another."""
    return np.arange(1, np.prod(PET_SHAPE) + 1, dtype=np.int16).reshape(PET_SHAPE)


def pet_slope(k: int) -> float:
    """Each slice has its own slope."""
    return 0.5 * (k + 1)


@pytest.fixture
def pet_values() -> np.ndarray:
    """The values in the unit of the written PET (z, y, x)."""
    return pet_stored() * np.array([pet_slope(k) for k in range(PET_SHAPE[0])])[:, None, None]


def _pet_slice(k: int) -> FileDataset:
    header = _image_header(PositronEmissionTomographyImageStorage, ExplicitVRLittleEndian)
    header.Modality, header.SeriesNumber, header.InstanceNumber = "PT", 4, k + 1
    header.Rows, header.Columns = PET_SHAPE[1:]
    header.ImageType, header.SeriesType = ["ORIGINAL", "PRIMARY"], ["STATIC", "IMAGE"]
    header.ImagePositionPatient, header.ImageOrientationPatient = [-10, -8, 100 + _PET_MM[1] * k], [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.SliceThickness = [_PET_MM[0]] * 2, _PET_MM[1]
    header.SeriesDate = header.AcquisitionDate = "20250314"
    header.SeriesTime = header.AcquisitionTime = "103000"
    header.PatientWeight, header.PatientSize = "50", "1.6"
    header.Units, header.DecayCorrection = "BQML", "START"
    header.CorrectedImage, header.ActualFrameDuration = ["DECY", "ATTN"], 3600
    header.RescaleSlope, header.RescaleIntercept = f"{pet_slope(k):g}", 0
    given, nuclide = Dataset(), Dataset()
    nuclide.CodeValue, nuclide.CodingSchemeDesignator, nuclide.CodeMeaning = "77004003", "SCT", "^18^Fluorine"
    given.RadionuclideCodeSequence = [nuclide]
    given.Radiopharmaceutical, given.RadionuclideTotalDose, given.RadionuclideHalfLife = "FDG", "1e8", "3600"
    given.RadiopharmaceuticalStartTime = "093000"
    header.RadiopharmaceuticalInformationSequence = [given]
    header.PixelData = pet_stored()[k].astype("<u2").tobytes()
    return header


@pytest.fixture
def write_pet(tmp_path: Path) -> Callable[..., Path]:
    """Writes a PET series of four slices and returns its folder; `change(header, k)` may alter a slice, or return False
    to leave it out. `given` replaces attributes of the radiopharmaceutical, `changed` those of every slice; None
    removes one.
    """
    def write(folder="pet", *, change=None, given=None, **changed) -> Path:
        folder = tmp_path / folder
        folder.mkdir(parents=True, exist_ok=True)
        before = len(list(folder.iterdir()))
        for k in range(PET_SHAPE[0]):
            header = _pet_slice(k)
            _changed(header, changed)
            _changed(header.RadiopharmaceuticalInformationSequence[0], given or {})
            if change is not None and change(header, k) is False:
                continue
            header.save_as(folder / f"{before + k:04d}.dcm", enforce_file_format=True)
        return folder
    return write


def _changed(item: Dataset, values: dict) -> None:
    for name, value in values.items():
        if value is None:
            delattr(item, name)
        else:
            setattr(item, name, value)


@pytest.fixture
def write_spect(tmp_path: Path) -> Callable[..., Path]:
    """Writes a reconstructed SPECT of four slices as one NM file and returns it; `change(header)` may alter it."""
    def write(name="spect.dcm", *, change=None) -> Path:
        header = _image_header(NuclearMedicineImageStorage, ExplicitVRLittleEndian)
        header.Modality, header.SeriesNumber = "NM", 7
        header.NumberOfFrames, header.Rows, header.Columns = PET_SHAPE
        header.ImageType = ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]
        header.SliceVector, header.SpacingBetweenSlices = [1, 2, 3, 4], _PET_MM[1]
        header.PixelSpacing, header.SliceThickness = [_PET_MM[0]] * 2, _PET_MM[1]
        header.DetectorInformationSequence = _macro(ImagePositionPatient=[-10, -8, 100],
                                                    ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
        header.RotationInformationSequence = _macro(NumberOfFramesInRotation=60, ActualFrameDuration=20000)
        header.AcquisitionDate, header.AcquisitionTime = "20250318", "093000"
        header.CorrectedImage = ["ATTN", "SCAT"]
        header.RadiopharmaceuticalInformationSequence = _macro(
            Radiopharmaceutical="Lu-177 DOTATATE", RadionuclideTotalDose="7400",
            RadiopharmaceuticalStartDateTime="20250314093000")
        header.PixelData = pet_stored().astype("<u2").tobytes()
        if change is not None:
            change(header)
        path = tmp_path / name
        header.save_as(path, enforce_file_format=True)
        return path
    return write


@pytest.fixture
def write_protocol(tmp_path: Path) -> Callable[..., Path]:
    """Writes facts as a protocol file."""
    def write(**facts) -> Path:
        path = tmp_path / "protocol.json"
        path.write_text(json.dumps(facts))
        return path
    return write


@pytest.fixture
def activity_refusal() -> Callable[..., str]:
    """Reads PET or SPECT that must be refused; returns the message: one line that names no patient."""
    def read(path: Path, **options) -> str:
        with pytest.raises(InputError) as caught:
            read_activity(path, **options)
        message = str(caught.value)
        assert "\n" not in message
        assert not any(secret in message for secret in (*PATIENT_NAME.split("^"), PATIENT_ID))
        return message
    return read
