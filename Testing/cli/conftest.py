"""The command line as a person meets it, and one tiny CT that every bad input is made from."""

import io
import json
import re
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from organdose import cli

PIXELS, PIXEL_MM, SLICES, SLICE_MM = 32, 10.0, 8, 10.0
FACTS = {"tube_voltage_kv": 120, "total_collimation_mm": 20, "ctdi_phantom_cm": 32, "pitch": 1, "scan_kind": "helical",
         "ctdivol_mgy": 10}
PATIENT_NAME, PATIENT_ID = "Sorrow^Margarethe", "hospital-number"
_PROGRESS = re.compile(r"[A-Za-z ]+: \d+ %")


@dataclass(frozen=True)
class Outcome:
    """What a command left on the screen, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The last line on stderr; lines above it say how far the work had come."""
        return (self.err.splitlines() or [""])[-1]


@pytest.fixture
def organdose(capfd, monkeypatch, cheap_calibration) -> Callable[..., Outcome]:
    """Runs the command line in this process; stderr and stdout are caught below Python, so that C++ is heard too."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        sys.stderr.flush()
        caught = capfd.readouterr()
        return Outcome(stop.value.code, caught.out, caught.err)

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def tiny_hu() -> np.ndarray:
    """HU (z, y, x): an oval of water with a bone in it, in air."""
    place = PIXEL_MM * (np.arange(PIXELS) - 0.5 * (PIXELS - 1))
    plane = np.full((PIXELS, PIXELS), -1000, np.int16)
    plane[(place[:, None] / 90) ** 2 + (place[None, :] / 120) ** 2 < 1] = 10
    plane[np.hypot(place[:, None] - 50, place[None, :]) < 20] = 700
    return np.broadcast_to(plane, (SLICES, PIXELS, PIXELS)).copy()


def _ct_slice(index: int, hu: np.ndarray) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"2.25.3{index:03d}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    header.PatientName, header.PatientID, header.PatientSex, header.PatientBirthDate = PATIENT_NAME, PATIENT_ID, "F", ""
    header.StudyDate, header.StudyTime, header.StudyID, header.AccessionNumber = "20200101", "120000", "", ""
    header.Modality, header.Manufacturer, header.ManufacturerModelName = "CT", "Maker", "Scanner 1"
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.StudyInstanceUID, header.FrameOfReferenceUID = "2.25.11", "2.25.12"
    header.SeriesInstanceUID, header.SeriesNumber, header.InstanceNumber = "2.25.21", 2, index + 1
    corner_mm = -0.5 * (PIXELS - 1) * PIXEL_MM
    header.ImagePositionPatient = [corner_mm, corner_mm, SLICE_MM * index]
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.SliceThickness = [PIXEL_MM, PIXEL_MM], SLICE_MM
    header.Rows = header.Columns = PIXELS
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 1
    header.RescaleSlope, header.RescaleIntercept, header.RescaleType = 1, 0, "HU"
    header.KVP, header.XRayTubeCurrent, header.RevolutionTime = 120, 200 + 10 * index, 0.5
    header.TotalCollimationWidth, header.SpiralPitchFactor, header.AcquisitionType = 20.0, 1.0, "SPIRAL"
    header.CTDIvol, header.DistanceSourceToPatient = 10.0, 595.0
    phantom = Dataset()
    phantom.CodeValue, phantom.CodingSchemeDesignator = "113691", "DCM"
    phantom.CodeMeaning = "IEC Body Dosimetry Phantom"
    header.CTDIPhantomTypeCodeSequence = [phantom]
    header.PixelData = hu.tobytes()
    return header


def _write_tiny_ct(path: Path, change: Callable | None = None) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for index, hu in enumerate(tiny_hu()):
        header = _ct_slice(index, hu)
        if change is None or change(header, index) is not False:
            header.save_as(path / f"{index:03d}.dcm", enforce_file_format=True)
    return path


@pytest.fixture
def tiny_ct(tmp_path) -> Callable[..., Path]:
    """Writes the tiny CT as DICOM and returns its folder; `change(header, index)` may alter each slice, or return
    False to leave it out."""
    def write(folder: str = "ct", change: Callable | None = None) -> Path:
        return _write_tiny_ct(tmp_path / folder, change)
    return write


@dataclass(frozen=True)
class GoodRun:
    """A CT dose that came out well: what was asked, what it printed, and where its result lies."""

    ct: Path
    options: tuple[str, ...]
    folder: Path
    cache: Path
    outcome: Outcome


@pytest.fixture(scope="session")
def good_run(tmp_path_factory, cheap_calibrations) -> GoodRun:
    """The dose of the tiny CT, through the command line, once for all tests that look at the result."""
    root = tmp_path_factory.mktemp("good")
    ct, options = _write_tiny_ct(root / "ct"), ("--voxel-mm", "10", "--histories", "20000", "--seed", "7")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    out, err = io.StringIO(), io.StringIO()
    with (cheap_calibrations() as cache, redirect_stdout(out), redirect_stderr(err),
          pytest.raises(SystemExit) as stop):
        cli.main(["ct-dose", str(ct), "-o", str(root / "result"), *options])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return GoodRun(ct, options, root / "result", cache, Outcome(stop.value.code, out.getvalue(), err.getvalue()))


@pytest.fixture
def tiny_image() -> sitk.Image:
    """The tiny CT as an image, int16 HU."""
    image = sitk.GetImageFromArray(tiny_hu())
    image.SetSpacing((PIXEL_MM, PIXEL_MM, SLICE_MM))
    image.SetOrigin((-0.5 * (PIXELS - 1) * PIXEL_MM,) * 2 + (0.0,))
    return image


@pytest.fixture
def tiny_volume(tmp_path, tiny_image) -> Callable[..., Path]:
    """Writes the tiny CT, or another image, as NRRD or NIfTI."""
    def write(name: str = "ct.nrrd", image: sitk.Image | None = None) -> Path:
        sitk.WriteImage(tiny_image if image is None else image, str(tmp_path / name))
        return tmp_path / name
    return write


@pytest.fixture
def protocol(tmp_path) -> Callable[..., Path]:
    """Writes a protocol file; a fact given as None is left out."""
    def write(name: str = "protocol.json", **changed) -> Path:
        facts = {key: value for key, value in (FACTS | changed).items() if value is not None}
        path = tmp_path / name
        path.write_text(json.dumps(facts), encoding="utf-8")
        return path
    return write


@pytest.fixture
def label_map(tmp_path, tiny_image) -> Callable[..., Path]:
    """Writes masks on the tiny CT: liver 1, spleen 2, with labels.json; `change(image)` returns the image to write."""
    def write(name: str = "masks.nrrd", change: Callable | None = None, legend: str = '{"1": "liver", "2": "spleen"}'
              ) -> Path:
        labels = np.zeros((SLICES, PIXELS, PIXELS), np.uint8)
        labels[2:6, 12:20, 8:14], labels[2:5, 12:18, 18:22] = 1, 2
        image = sitk.GetImageFromArray(labels)
        image.CopyInformation(tiny_image)
        folder = tmp_path / "masks"
        folder.mkdir(exist_ok=True)
        sitk.WriteImage(image if change is None else change(image), str(folder / name))
        if legend:
            (folder / "labels.json").write_text(legend, encoding="utf-8")
        return folder / name
    return write


@pytest.fixture
def refused(organdose, tmp_path) -> Callable[..., str]:
    """Runs a command that must be refused and returns its message: status 2, one line that says what, where and how to
    mend it, nothing written, nobody named."""
    def run(*arguments: object, words: tuple[str, ...] | str = ()) -> str:
        before = sorted(tmp_path.rglob("*"))
        outcome = organdose(*arguments)
        assert outcome.status == 2, outcome.err
        assert outcome.out == ""
        assert "Traceback" not in outcome.err
        above, message = outcome.err.splitlines()[:-1], outcome.message
        assert message.startswith("organdose: ") and len(message) > 30
        assert all(_PROGRESS.match(line) for line in above), above
        for word in (words,) if isinstance(words, str) else words:
            assert word in message, message
        assert not any(secret in outcome.err for secret in (*PATIENT_NAME.split("^"), PATIENT_ID))
        assert sorted(tmp_path.rglob("*")) == before
        return message
    return run
