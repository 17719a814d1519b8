"""The DICOM files under a folder: which they are, and the part of their headers this program needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, MediaStorageDirectoryStorage

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.volume_file import is_volume_file

_DICOM_SUFFIXES = {".dcm", ".dicom", ".ima", ".dc3"}

# Only these are read: quick, small in memory, and no patient's name ever enters the program; nor a date, unless the
# reader asks for those of acquisition and administration.
HEADER_KEYWORDS = [
    "SOPClassUID", "SOPInstanceUID", "Modality", "ImageType", "Manufacturer", "ManufacturerModelName", "PatientSex",
    "BodyPartExamined", "PatientAge", "ContrastBolusAgent", "SeriesInstanceUID", "SeriesNumber",
    "FrameOfReferenceUID", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "GantryDetectorTilt",
    "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PhotometricInterpretation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleSlope", "RescaleIntercept", "RescaleType",
    "KVP", "XRayTubeCurrent", "XRayTubeCurrentInmA", "XRayTubeCurrentInuA", "Exposure", "ExposureInmAs",
    "ExposureInuAs", "ExposureTime", "ExposureTimeInms", "ExposureTimeInuS", "RevolutionTime", "TotalCollimationWidth",
    "TableSpeed", "TableFeedPerRotation", "SpiralPitchFactor", "CTDIvol", "CTDIPhantomTypeCodeSequence",
    "DistanceSourceToPatient", "DataCollectionCenterPatient", "AcquisitionType", "ScanOptions",
    "FilterMaterial", "FilterThicknessMinimum", "FilterThicknessMaximum", "SingleCollimationWidth", "TubeAngle",
    "PatientPosition", "IrradiationEventUID", "CTAdditionalXRaySourceSequence", "MultienergyCTAcquisitionSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]


@dataclass(frozen=True)
class DicomFile:
    """A DICOM file and the part of its header named in `HEADER_KEYWORDS`."""

    path: Path
    header: Dataset
    has_preamble: bool = True

    @property
    def sop_class_uid(self) -> str:
        return _uid(self.header, "SOPClassUID", "MediaStorageSOPClassUID")

    @property
    def sop_instance_uid(self) -> str:
        return _uid(self.header, "SOPInstanceUID", "MediaStorageSOPInstanceUID")

    @property
    def transfer_syntax_uid(self) -> UID:
        return UID(str(self.header.file_meta.get("TransferSyntaxUID", "") or ""))

    def with_pixels(self) -> Dataset:
        """The header with the pixel data, still encoded.

        The whole file is read on purpose: pydicom's decoding straight from a file takes a compressed slice whose end
        is cut off for a complete one.
        """
        dataset = pydicom.dcmread(self.path, force=not self.has_preamble, specific_tags=[*HEADER_KEYWORDS, "PixelData"])
        _complete_file_meta(dataset)
        return dataset


def _uid(header: Dataset, keyword: str, meta_keyword: str) -> str:
    """A UID of the data set; where that is empty (anonymisers do it), of the file meta header."""
    return str(header.get(keyword, "") or header.file_meta.get(meta_keyword, "") or "")


def find_dicom_files(path: Path, progress: Progress, paths: Sequence[Path] | None = None, *,
                     more_tags: Sequence[str | int] = (), images: str = "CT slices") -> list[DicomFile]:
    """The headers of every DICOM file under `path` (a folder, or one file), in the order of their names; or of `paths`.

    `more_tags` are read beside `HEADER_KEYWORDS`; `images` is what messages call the files that are looked for.
    Files that are not DICOM are passed over, and so are DICOMDIR and hidden files. Raises `InputError` when nothing
    is DICOM, and for files that are named like slices but cannot be read: passing over those would crop the study.
    """
    if paths is None:
        paths = _all_files(path) if path.is_dir() else [path]
    if not paths:
        raise InputError("the folder is empty", where=path, mend=f"Give the folder that holds the {images}.")
    files = []
    for index, each in enumerate(paths):
        progress.report("reading DICOM headers", index / len(paths))
        file = _read_header(each, more_tags)
        if file is not None and file.sop_class_uid != MediaStorageDirectoryStorage:
            files.append(file)
    if not files:
        raise _nothing_is_dicom(path, paths, images)
    return files


def _all_files(folder: Path) -> list[Path]:
    def refuse(error: OSError):
        raise InputError("the folder cannot be read", where=error.filename, mend="Check its permissions.") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # Names that start with a dot are the desktop's (.DS_Store, ._IM0001.dcm), never a scanner's.
        found += [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
    return found


def _read_header(path: Path, more_tags: Sequence[str | int]) -> DicomFile | None:
    """A DICOM file with its header, None for any other file."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError as error:
        raise InputError("the file cannot be opened", where=path, mend="Check its permissions.") from error
    with_preamble = start[128:132] == b"DICM"
    # Old exports lack the preamble; their data set starts with group 0002 or 0008 (PS3.10 7.1 asks for the preamble).
    if not with_preamble and start[:2] not in (b"\x02\x00", b"\x08\x00"):
        if _named_like_a_slice(path, blank=not start[:128].strip(b"\0")):
            raise _damaged(path)
        return None
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, force=not with_preamble,
                                 specific_tags=[*HEADER_KEYWORDS, *more_tags])
        _convert_values(header)
    except Exception as error:  # pydicom raises whatever it trips over in damaged data, struct.error among it
        raise _damaged(path) from error
    _complete_file_meta(header)
    file = DicomFile(path, header, with_preamble)
    # What a file is stands before its series, and its series before its image: without either the header broke off.
    complete = "SeriesInstanceUID" in header or "Rows" in header
    if not complete and file.sop_class_uid != MediaStorageDirectoryStorage:
        raise _damaged(path)
    return file


def _named_like_a_slice(path: Path, *, blank: bool) -> bool:
    """A DICOM suffix, or for a file that is empty or begins with nothing but zeros, no suffix or a number (a UID)."""
    suffix = path.suffix.lower()
    return suffix in _DICOM_SUFFIXES or (blank and (suffix == "" or suffix[1:].isdigit()))


def _convert_values(header: Dataset) -> None:
    """Convert every value now, where a failure names the file; pydicom otherwise does it on first use.

    Decimal and integer strings are left for `header_values`, which reads them more leniently.
    """
    for tag in filter(dictionary_has_tag, list(header.keys())):
        stored = header.get_item(tag)
        if isinstance(stored, RawDataElement) and (stored.VR or dictionary_VR(tag)) in ("DS", "IS"):
            continue
        element = header[tag]
        for item in element.value if element.VR == "SQ" else ():
            _convert_values(item)


def _damaged(path: Path) -> InputError:
    return InputError("the file is truncated or is no DICOM file", where=path,
                      mend="Export the study again, or remove the file if it is no part of it.")


def _complete_file_meta(header: Dataset) -> None:
    if not hasattr(header, "file_meta"):
        header.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in header.file_meta:
        implicit_vr, _ = header.original_encoding
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit_vr else ExplicitVRLittleEndian


def _nothing_is_dicom(path: Path, paths: list[Path], images: str) -> InputError:
    if not path.is_dir():
        return InputError("this is neither DICOM nor NRRD nor NIfTI", where=path,
                          mend="Give a DICOM folder, a multi-frame file, or a .nrrd, .nii or .nii.gz file.")
    volumes = [each.name for each in paths if is_volume_file(each)]
    mend = (f"Give the {images.split()[0]}'s own file, not its folder (there is {', '.join(volumes[:3])})." if volumes
            else f"Give the folder that holds the {images}.")
    return InputError(f"none of the {len(paths)} files in the folder is DICOM", where=path, mend=mend)
