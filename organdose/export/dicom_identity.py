"""Who and what a generated DICOM study belongs to: the modules every series of one study shares. PS3.3 C.7."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian

from organdose import __version__


@dataclass(frozen=True)
class StudyIdentity:
    """A generated patient and study. UIDs and dates follow from `key`, so the same study is written the same way twice.

    `description` says in every header that nobody was imaged.
    """

    key: str
    patient_name: str
    patient_id: str
    sex: str
    height_m: float
    weight_kg: float
    start: datetime.datetime
    description: str = "Generated phantom, not a person"

    def uid(self, *what: object) -> str:
        """The UID of one thing in this study (2.25 root, PS3.5 B.2, from key and names)."""
        named = "/".join(["OrganDose phantom", self.key, *map(str, what)])
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, named).int}"

    def header(self, sop_class: str, instance_uid: str) -> FileDataset:
        """A new dataset with file meta, patient, general study, frame of reference and equipment modules."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, instance_uid
        meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, PYDICOM_IMPLEMENTATION_UID
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.SOPClassUID, ds.SOPInstanceUID = sop_class, instance_uid
        ds.PatientName, ds.PatientID, ds.PatientSex = self.patient_name, self.patient_id, self.sex
        ds.PatientBirthDate, ds.PatientAge = "", "040Y"
        ds.PatientSize, ds.PatientWeight = f"{self.height_m:.3f}", f"{self.weight_kg:.1f}"
        ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", "generated data"
        ds.StudyInstanceUID, ds.StudyID = self.uid("study"), "1"
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = f"{self.start:%Y%m%d}"
        ds.InstanceCreationDate, ds.InstanceCreationTime = ds.StudyDate, f"{self.start:%H%M%S}"
        ds.StudyTime = f"{self.start:%H%M%S}"
        ds.AccessionNumber = ds.ReferringPhysicianName = ""
        ds.StudyDescription = self.description
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = self.uid("frame of reference"), ""
        ds.Manufacturer, ds.ManufacturerModelName = "OrganDose", "generic"
        ds.SoftwareVersions, ds.InstitutionName = __version__, ""
        ds.BurnedInAnnotation = "NO"
        return ds


def put_plane(ds: Dataset, *, number: int, origin_mm, spacing_mm, shape_yx: tuple[int, int]) -> None:
    """Image plane and image pixel modules of one 16-bit signed axial slice whose first voxel centre is `origin_mm`."""
    ds.InstanceNumber = number
    ds.PatientPosition = "HFS"
    ds.ImagePositionPatient = [f"{v:.6f}".rstrip("0").rstrip(".") for v in origin_mm]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.SliceLocation = f"{origin_mm[2]:.4f}"
    ds.PixelSpacing = [f"{spacing_mm[1]:.10g}", f"{spacing_mm[0]:.10g}"]
    ds.SliceThickness = f"{spacing_mm[2]:.6g}"
    ds.Rows, ds.Columns = shape_yx
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 1


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def save(ds: FileDataset, path: Path) -> None:
    ds.save_as(path, enforce_file_format=True)
