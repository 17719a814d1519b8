"""A simulated CT as a DICOM CT Image Storage series. PS3.3 A.3, C.8.2.1."""

from __future__ import annotations

import datetime
from pathlib import Path

import SimpleITK as sitk
from pydicom.uid import CTImageStorage

from organdose.anatomy.phantoms.ct_appearance import FIELD_OF_VIEW_MM, SimulatedCT
from organdose.export.dicom_identity import StudyIdentity, code, put_plane, save
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

FOCUS_ISOCENTRE_MM = 595.0
_FOCUS_DETECTOR_MM = 1085.0


def write_ct_series(ct: SimulatedCT, identity: StudyIdentity, folder: Path, *,
                    progress: Progress | None = None) -> CTStudy:
    """Write one file a slice, ct_0001.dcm at the head first.

    Tube current, exposure and CTDIvol differ from slice to slice as the tube current was modulated; CTDIvol / mAs is
    the same for all. The isocentre is the origin in x and y. Returns the series for writers of objects that refer to
    it: image, files and UIDs, no acquisition facts.
    """
    progress = progress or Progress()
    folder.mkdir(parents=True, exist_ok=True)
    count = ct.image.GetDepth()
    paths: list[Path] = []
    instance_uids: list[str] = []
    for k in range(count):
        progress.report("writing CT", k / count)
        number = count - k  # scanned head to feet
        instance_uids.append(identity.uid("ct", number))
        ds = identity.header(CTImageStorage, instance_uids[-1])
        _series(ds, ct, identity)
        _exposure(ds, ct, k, identity.start + datetime.timedelta(seconds=0.1 * number))
        plane = ct.image[:, :, k]
        origin = (*plane.GetOrigin(), ct.image.GetOrigin()[2] + k * ct.image.GetSpacing()[2])
        put_plane(ds, number=number, origin_mm=origin, spacing_mm=ct.image.GetSpacing(),
                  shape_yx=(ct.image.GetHeight(), ct.image.GetWidth()))
        ds.DataCollectionCenterPatient = [0.0, 0.0, float(origin[2])]
        ds.ReconstructionTargetCenterPatient = [0.0, 0.0, float(origin[2])]
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "HU"
        ds.WindowCenter, ds.WindowWidth = 40, 400
        ds.PixelData = sitk.GetArrayViewFromImage(plane).astype("<i2").tobytes()
        paths.append(folder / f"ct_{number:04d}.dcm")
        save(ds, paths[-1])
    return CTStudy(ct.image, CTAcquisition(), tuple(paths), identity.sex, series_uid=identity.uid("ct series"),
                   frame_of_reference_uid=identity.uid("frame of reference"), sop_instance_uids=tuple(instance_uids))


def _series(ds, ct: SimulatedCT, identity: StudyIdentity) -> None:
    p = ct.protocol
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = "CT", identity.uid("ct series"), 2
    ds.ProtocolName, ds.BodyPartExamined = "Trunk, arms up", "TRUNK"
    ds.SeriesDescription = f"CT {ct.image.GetSpacing()[2]:g} mm soft tissue"
    ds.SeriesTime = f"{identity.start:%H%M%S}"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionNumber, ds.AcquisitionType = 1, "SPIRAL"
    ds.KVP, ds.FilterType, ds.GeneratorPower = f"{p.tube_voltage_kv:g}", "BODY", "80"
    ds.FocalSpots, ds.GantryDetectorTilt, ds.RotationDirection = "1.0", 0, "CW"
    ds.DataCollectionDiameter = ds.ReconstructionDiameter = f"{FIELD_OF_VIEW_MM:g}"
    ds.DistanceSourceToPatient, ds.DistanceSourceToDetector = f"{FOCUS_ISOCENTRE_MM:g}", f"{_FOCUS_DETECTOR_MM:g}"
    ds.TableHeight = f"{ct.couch_top_y_mm:.1f}"
    ds.RevolutionTime, ds.SpiralPitchFactor = p.rotation_time_s, p.pitch
    ds.SingleCollimationWidth, ds.TotalCollimationWidth = p.single_collimation_mm, p.total_collimation_mm
    ds.TableFeedPerRotation = p.total_collimation_mm * p.pitch
    ds.TableSpeed = p.total_collimation_mm * p.pitch / p.rotation_time_s
    ds.ExposureModulationType, ds.ConvolutionKernel = "Z", "SOFT"
    ds.CTDIPhantomTypeCodeSequence = [code("113691", "DCM", "IEC Body Dosimetry Phantom")]


def _exposure(ds, ct: SimulatedCT, k: int, when: datetime.datetime) -> None:
    p, current_ma = ct.protocol, float(ct.tube_current_ma[k])
    ds.XRayTubeCurrent, ds.ExposureTime = round(current_ma), round(1000 * p.rotation_time_s)
    ds.Exposure, ds.ExposureInuAs = round(current_ma * p.rotation_time_s), round(1000 * current_ma * p.rotation_time_s)
    ds.CTDIvol = float(ct.ctdivol_mgy[k])
    ds.AcquisitionTime = ds.ContentTime = f"{when:%H%M%S.%f}"
