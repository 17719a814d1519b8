"""Fixtures every room of the test suite uses."""

import functools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from organdose.anatomy.organ_masks import OrganMasks
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

REPOSITORY = Path(__file__).resolve().parent.parent


def _shared_root() -> Path:
    return Path(os.environ.get("ORGANDOSE_DATA", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real CT, PET/CT and phantoms that stay outside the repository; skips where it is absent."""
    folder = _shared_root() / "data"
    if not folder.is_dir():
        pytest.skip(f"test data not here: {folder} (set ORGANDOSE_DATA to the folder that holds data/ and reference/)")
    return folder


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder of published figures (*.json) that stay outside the repository; skips where it is absent."""
    folder = _shared_root() / "reference"
    if not folder.is_dir():
        pytest.skip(f"reference tables not here: {folder} (set ORGANDOSE_DATA to the folder that holds data/ and "
                    "reference/)")
    return folder


@pytest.fixture(scope="session")
def cheap_calibrations(tmp_path_factory):
    """A context in which CTDI calibrations take a hundredth of the photons (good to 3 %); it yields their cache folder.

    They are written under the key of the real ones, so that processes started with this $ORGANDOSE_CACHE find them.
    """
    from organdose.ct import ctdi

    simulate, cache = ctdi.simulate_ctdi, tmp_path_factory.mktemp("cache")

    def cheap(source, phantom_cm, *, progress=None, **_):
        return simulate(source, phantom_cm, histories=200_000, wanted_percent=None, progress=progress)

    @contextmanager
    def context():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ctdi, "simulate_ctdi", cheap)
            patch.setenv("ORGANDOSE_CACHE", str(cache))
            yield cache

    return context


@pytest.fixture
def cheap_calibration(cheap_calibrations) -> Iterator[Path]:
    with cheap_calibrations() as cache:
        yield cache


@pytest.fixture
def dicom_ct(tmp_path) -> Callable[..., CTStudy]:
    """Writes an image as a DICOM CT series and gives its study, for tests of what refers to a series."""

    def write(image: sitk.Image, folder: str = "ct") -> CTStudy:
        path = tmp_path / folder
        path.mkdir()
        series, frame_of_reference, study = generate_uid(), generate_uid(), generate_uid()
        slices = [_ct_slice(image, k) for k in range(image.GetDepth())]
        for k, dataset in enumerate(slices):
            dataset.SeriesInstanceUID, dataset.StudyInstanceUID = series, study
            dataset.FrameOfReferenceUID = frame_of_reference
            dataset.save_as(path / f"{k:04d}.dcm", enforce_file_format=True)
        return CTStudy(image=image, acquisition=CTAcquisition(), files=tuple(sorted(path.iterdir())),
                       series_uid=str(series), frame_of_reference_uid=str(frame_of_reference),
                       sop_instance_uids=tuple(str(dataset.SOPInstanceUID) for dataset in slices))

    return write


def _ct_slice(image: sitk.Image, k: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientName, dataset.PatientID = "CT", "Phantom^Test", "TEST"
    dataset.PatientBirthDate = dataset.PatientSex = dataset.AccessionNumber = dataset.StudyID = ""
    dataset.StudyDate, dataset.StudyTime = "20200101", "120000"
    dataset.InstanceNumber = k + 1
    dataset.Columns, dataset.Rows = image.GetSize()[:2]
    spacing_x_mm, spacing_y_mm, dataset.SliceThickness = image.GetSpacing()
    dataset.PixelSpacing = [spacing_y_mm, spacing_x_mm]
    dataset.ImagePositionPatient = list(image.TransformIndexToPhysicalPoint((0, 0, k)))
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, 0, "HU"
    dataset.PixelData = sitk.GetArrayFromImage(image)[k].astype(np.int16).tobytes()
    return dataset


@pytest.fixture
def ct_image() -> sitk.Image:
    """A small image with uneven spacing whose every voxel differs from its neighbours."""
    z, y, x = np.mgrid[:20, :30, :40]
    image = sitk.GetImageFromArray((x + 2 * y + 3 * z).astype(np.int16))
    image.SetSpacing((2.0, 2.5, 3.0))
    image.SetOrigin((-40.0, -50.0, -600.0))
    return image


@pytest.fixture
def organ_masks(ct_image) -> OrganMasks:
    """Masks with what makes formats fail: overlap, a hole, two parts, the edge of the image, a name nobody lists."""
    masks = OrganMasks(ct_image, origin="test geometry")
    liver = np.zeros(masks.shape, dtype=bool)
    liver[5:12, 5:20, 5:25] = True
    liver[7:10, 9:14, 10:15] = False  # a hole
    liver[8, 11, 12] = True  # and an island in it
    liver[2:4, 25:28, 30:35] = True  # and a second part
    tumour = np.zeros(masks.shape, dtype=bool)
    tumour[6:9, 6:12, 8:14] = True  # overlaps the liver
    kidney = np.zeros(masks.shape, dtype=bool)
    kidney[14:18, 3:9, 27:33] = True
    masks.add("liver", liver)
    masks.add("tumour_1", tumour)
    masks.add("kidney_left", kidney)
    masks.add("body", np.ones(masks.shape, dtype=bool))  # to the edge of the image
    masks.add("insert_3", kidney[::-1].copy())  # not in the vocabulary
    return masks


# Ellipsoids of a generated patient: centre and half axes in mm (LPS), HU above what is around, relative uptake.
_ORGANS = (((0, 0, 0), (130, 90, 400), 1040, 1.0), ((55, -10, 30), (55, 50, 55), 60, 8.0),
           ((-60, 15, 25), (30, 35, 40), -40, 20.0), ((-55, 40, -55), (24, 21, 40), 40, 25.0),
           ((55, 40, -55), (24, 21, 40), 40, 25.0), ((0, 62, 0), (17, 17, 400), 300, 1.0),
           ((20, -40, -80), (35, 28, 25), -300, 0.0), ((15, -30, 75), (14, 14, 14), 100, 40.0))


@pytest.fixture(scope="session")
def generated_patient() -> Callable[..., sitk.Image]:
    """A trunk of ellipsoids with soft edges, as CT (HU) or activity (Bq/ml), known at every point in space.

    `from_patient` takes points (..., 3) of the image to those of the patient: a patient who lies elsewhere.
    """
    def draw(kind: str, *, spacing_mm: float = 5.0, size=(60, 46, 50), from_patient=None, noise: float = 0.0,
             seed: int = 0) -> sitk.Image:
        image = sitk.Image(size, sitk.sitkFloat32)
        image.SetSpacing((spacing_mm,) * 3)
        image.SetOrigin([-0.5 * (n - 1) * spacing_mm for n in size])
        points = np.stack(np.meshgrid(*(np.arange(n) for n in size[::-1]), indexing="ij")[::-1], axis=-1)
        points = points * spacing_mm + image.GetOrigin()
        if from_patient is not None:
            points = from_patient(points)
        values = np.full(points.shape[:-1], -1000.0 if kind == "ct" else 0.0)
        for centre, axes, hu, uptake in _ORGANS:
            depth_mm = (np.sqrt((((points - centre) / axes) ** 2).sum(axis=-1)) - 1) * min(axes)
            values += (hu if kind == "ct" else 1000 * uptake) / (1 + np.exp(np.clip(depth_mm / 3, -50, 50)))
        random = np.random.default_rng(seed).standard_normal(values.shape)
        values += noise * random * (1 if kind == "ct" else np.sqrt(np.maximum(values, 0) * 1000))
        drawn = sitk.GetImageFromArray(values.astype(np.float32))
        drawn.CopyInformation(image)
        return drawn

    return draw


@pytest.fixture
def uniform_study(uniform_study_in, tmp_path) -> Callable[..., dict]:
    """`uniform_study_in` the test's own folder."""
    return functools.partial(uniform_study_in, tmp_path)


@pytest.fixture(scope="session")
def uniform_study_in() -> Callable[..., dict]:
    """Writes into a folder a PET/CT of a water cylinder of 16 cm by 12 cm with uniform activity, as volumes with a
    protocol.

    `images`: Bq/ml in the water by file name, one file a time point; `facts`: of the protocol, None leaves one out;
    `of_images`: facts of single files; `spot_bq_ml`: activity of one voxel in the air beside the cylinder. Returns the
    paths `pet` (a tuple), `ct`, `segmentation` (body, and a liver more than 3 cm inside it) and `protocol`.
    """
    def write(folder: Path, images: dict[str, float] | None = None, *, of_images: dict[str, dict] | None = None,
              spot_bq_ml: float = 0.0, **facts) -> dict:
        place = 10.0 * (np.arange(20) - 9.5)
        inside = np.broadcast_to(np.hypot(place[:, None], place[None, :]) < 80, (16, 20, 20)).copy()
        inside[:2] = inside[-2:] = False
        _write_cm(np.where(inside, 0, -1000).astype(np.int16), folder / "ct.nrrd")
        labels = inside.astype(np.uint8)
        labels[5:11, 6:14, 6:14] = 2
        (folder / "masks").mkdir(exist_ok=True)
        _write_cm(labels, folder / "masks" / "masks.nrrd")
        (folder / "masks" / "labels.json").write_text('{"1": "body", "2": "liver"}')
        images = images or {"pet.nrrd": 1000.0}
        for name, bq_ml in images.items():
            activity = np.where(inside, np.float32(bq_ml), np.float32(0))
            activity[8, 1, 1] = spot_bq_ml
            _write_cm(activity, folder / name)
        stated = {"radionuclide": "Y-90", "units": "BQML", "decay_correction": "ADMIN", "injected_activity_bq": 1e7,
                  "scan_start_s": 0, "duration_s": 1, **facts, "series": of_images or {}}
        (folder / "protocol.json").write_text(json.dumps({k: v for k, v in stated.items() if v is not None}))
        return {"pet": tuple(folder / name for name in images), "ct": folder / "ct.nrrd",
                "segmentation": folder / "masks" / "masks.nrrd", "protocol": folder / "protocol.json"}
    return write


def _write_cm(values: np.ndarray, path: Path) -> None:
    """An image of 1 cm voxels about the origin."""
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((10.0, 10.0, 10.0))
    image.SetOrigin(tuple(-5.0 * (size - 1) for size in image.GetSize()))
    sitk.WriteImage(image, str(path))
