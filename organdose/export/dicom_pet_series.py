"""A simulated PET as a DICOM Positron Emission Tomography series. PS3.3 A.21, C.8.9."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from organdose.anatomy.phantoms.fdg_uptake import F18_HALF_LIFE_S, F18_POSITRON_FRACTION, FDGStudy
from organdose.export.dicom_identity import StudyIdentity, code, put_plane, save
from organdose.progress import Progress

_FRAME_S = 120


def write_pet_series(image_bq_per_ml: sitk.Image, fdg: FDGStudy, identity: StudyIdentity, folder: Path, *,
                     progress: Progress | None = None) -> list[Path]:
    """Write one file a slice, pet_0001.dcm at the head first, and return the paths in the order of the image's slices.

    Values are Bq/ml, decay corrected to the start of the scan (`identity.start`), which is `fdg.uptake_time_s` after
    the injection; each slice has its own rescale slope.
    """
    progress = progress or Progress()
    folder.mkdir(parents=True, exist_ok=True)
    count = image_bq_per_ml.GetDepth()
    paths: list[Path] = []
    for k in range(count):
        progress.report("writing PET", k / count)
        number = count - k
        ds = identity.header(PositronEmissionTomographyImageStorage, identity.uid("pet", number))
        _series(ds, fdg, identity, count)
        ds.ImageIndex = number
        plane = image_bq_per_ml[:, :, k]
        origin = (*plane.GetOrigin(), image_bq_per_ml.GetOrigin()[2] + k * image_bq_per_ml.GetSpacing()[2])
        put_plane(ds, number=number, origin_mm=origin, spacing_mm=image_bq_per_ml.GetSpacing(),
                  shape_yx=(image_bq_per_ml.GetHeight(), image_bq_per_ml.GetWidth()))
        _pixels(ds, sitk.GetArrayViewFromImage(plane))
        paths.append(folder / f"pet_{number:04d}.dcm")
        save(ds, paths[-1])
    return paths


def _series(ds, fdg: FDGStudy, identity: StudyIdentity, count: int) -> None:
    start = identity.start
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = "PT", identity.uid("pet series"), 3
    ds.SeriesDescription, ds.ProtocolName, ds.BodyPartExamined = "PET FDG, attenuation corrected", "FDG trunk", "TRUNK"
    ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = f"{start:%H%M%S}"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SeriesType, ds.NumberOfSlices = ["WHOLE BODY", "IMAGE"], count
    ds.Units, ds.CountsSource, ds.CollimatorType = "BQML", "EMISSION", "NONE"
    ds.CorrectedImage = ["NORM", "DTIM", "RAN", "SCAT", "ATTN", "DECY"]
    ds.DecayCorrection, ds.DecayFactor, ds.FrameReferenceTime = "START", "1", "0"
    ds.ActualFrameDuration = 1000 * _FRAME_S
    ds.RandomsCorrectionMethod, ds.ScatterCorrectionMethod = "DLYD", "Convolution subtraction"
    ds.AttenuationCorrectionMethod, ds.ReconstructionMethod = "CT, measured", "OSEM"
    ds.PatientOrientationCodeSequence = [code("102538003", "SCT", "recumbent")]
    ds.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = [code("40199007", "SCT", "supine")]
    ds.PatientGantryRelationshipCodeSequence = [code("102540008", "SCT", "headfirst")]
    ds.RadiopharmaceuticalInformationSequence = [_radiopharmaceutical(fdg, start)]


def _radiopharmaceutical(fdg: FDGStudy, scan_start: datetime.datetime) -> Dataset:
    injected = scan_start - datetime.timedelta(seconds=fdg.uptake_time_s)
    item = Dataset()
    item.Radiopharmaceutical, item.RadiopharmaceuticalRoute = "Fluorodeoxyglucose", "Intravenous"
    item.RadiopharmaceuticalStartTime = f"{injected:%H%M%S}"
    item.RadiopharmaceuticalStartDateTime = f"{injected:%Y%m%d%H%M%S}"
    item.RadionuclideTotalDose = f"{fdg.administered_bq:.0f}"
    item.RadionuclideHalfLife = f"{F18_HALF_LIFE_S:g}"
    item.RadionuclidePositronFraction = f"{F18_POSITRON_FRACTION:g}"
    item.RadionuclideCodeSequence = [code("77004003", "SCT", "^18^Fluorine")]
    item.RadiopharmaceuticalCodeSequence = [code("35321007", "SCT", "Fluorodeoxyglucose F^18^")]
    return item


def _pixels(ds, plane_bq_per_ml: np.ndarray) -> None:
    # A decimal string has 16 characters: round the slope first, then use the rounded one.
    slope = float(f"{max(float(plane_bq_per_ml.max()), 1e-3) / 32700:.9e}")
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = f"{slope:.9e}", 0, "BQML"
    ds.WindowCenter, ds.WindowWidth = f"{slope * 8000:.6g}", f"{slope * 16000:.6g}"
    ds.PixelData = np.rint(plane_bq_per_ml / slope).astype("<i2").tobytes()
