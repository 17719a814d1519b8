"""Cases a network is trained on, prepared once: HU and label map in working voxels, cut to the body, on disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.analytic_body import body_mask
from organdose.segmentation.network_input import body_box, working_grid, working_image
from organdose.segmentation.network_labels import (
    NETWORK_ORGANS,
    label_map,
    members,
    organ_values,
    organs_drawn,
    voxels_of,
)
from organdose.segmentation.reading import read_masks
from organdose.segmentation.training_ct_look import generate_patient
from organdose.study import read_ct

_SEEDS_PER_LABEL = 200  # places kept of each organ, around which patches are cut
_CT_NAMES, _MASK_NAMES = ("ct",), ("masks", "labels", "segmentation")
_SIDECARS = (".json", ".md", ".txt", ".csv")
CASE_FACTS, NOT_APPROVED, NOT_CHOSEN = "case.json", "not_approved", "not_chosen"


@dataclass(frozen=True)
class TrainingCase:
    """One prepared case: a folder with hu.npy (int16), labels.npy (uint8), places.npy and facts.json."""

    folder: Path

    @cached_property
    def facts(self) -> dict:
        return json.loads((self.folder / "facts.json").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def patient(self) -> str:
        return self.facts["patient"]

    @property
    def organs(self) -> tuple[str, ...]:
        return tuple(self.facts["organs"])

    @property
    def hu(self) -> np.ndarray:
        """int16 (z, y, x), read from disk where it is looked at."""
        return np.load(self.folder / "hu.npy", mmap_mode="r")

    @property
    def labels(self) -> np.ndarray:
        """uint8 (z, y, x); values of `organ_values` for the organs of the dataset."""
        return np.load(self.folder / "labels.npy", mmap_mode="r")

    @cached_property
    def places(self) -> np.ndarray:
        """int16 (places, 4): label value and z, y, x of some voxels of every organ."""
        return np.load(self.folder / "places.npy")


@dataclass(frozen=True)
class OneOrganCase(TrainingCase):
    """A prepared case of `names` as a network of one organ sees it: 1 is the body around, 2 the organ."""

    organ: str
    names: tuple[str, ...]

    @property
    def organs(self) -> tuple[str, ...]:
        return ("body", *(name for name in super().organs if name == self.organ))

    @property
    def labels(self) -> np.ndarray:
        return self._values[np.asarray(super().labels)]

    @cached_property
    def places(self) -> np.ndarray:
        found = super().places.copy()
        found[:, 0] = self._values[found[:, 0]]
        return found

    @cached_property
    def _values(self) -> np.ndarray:
        """New label of each label of `names`."""
        every = np.arange(256, dtype=np.uint8)
        return (every > 0).astype(np.uint8) + voxels_of(self.organ, every, self.names).astype(np.uint8)


def prepare_dataset(dataset: str, work: Path, *, organs: tuple[str, ...] = NETWORK_ORGANS, spacing_mm: float = 4.0,
                    progress: Progress | None = None) -> list[TrainingCase]:
    """The cases of a dataset, prepared under `work` unless they are there already, of the same files.

    `dataset`: 'generated:N' (patients of the seeds 1 to N), or a folder with a folder for each case that holds `ct`
    (DICOM folder, NIfTI or NRRD) and `masks` (any format of `reading.read_masks`), or those two itself.
    Raises `InputError` for a dataset without cases or a case that cannot be used, `Cancelled`.
    """
    progress = progress or Progress()
    settings = hashlib.sha256(json.dumps([organs, spacing_mm]).encode()).hexdigest()[:8]
    work = Path(work) / f"{spacing_mm:g}mm-{settings}"
    kind, _, count = dataset.partition(":")
    if kind == "generated":
        if not count.isdigit() or int(count) < 1:
            raise InputError(f"{dataset!r} says not how many patients", mend="Write generated:200.")
        sources = [(f"generated-{seed:06d}", seed) for seed in range(1, int(count) + 1)]
    else:
        sources = [(folder.name, folder) for folder in case_folders(Path(dataset))]
    cases = []
    for done, (name, source) in enumerate(sources):
        progress.report("preparing cases", done / len(sources), name)
        folder = work / name
        if not _is_prepared(folder, source):
            _prepare(folder, source, organs, spacing_mm, progress)
        cases.append(TrainingCase(folder))
    return cases


def case_folders(dataset: Path) -> list[Path]:
    """Folders of a dataset that hold a CT and masks. Raises `InputError` when there is none."""
    if not dataset.is_dir():
        raise InputError("there is no such folder", where=dataset, mend="Give a folder of cases, or generated:N.")
    below = [folder for folder in sorted(dataset.iterdir()) if not folder.name.startswith(".")]
    folders = [folder for folder in (dataset, *below) if folder.is_dir() and _named(folder, "ct")]
    if not folders:
        raise InputError("no case in this folder", where=dataset,
                         mend="A case is a folder with ct (a DICOM folder, .nii.gz or .nrrd) and masks.")
    return folders


def _is_prepared(folder: Path, source: int | Path) -> bool:
    """Whether a case is there; one of files that were changed since (masks corrected) is taken away."""
    try:
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    if isinstance(source, int) or facts.get("files") == _files_hash(source):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def _files_hash(folder: Path) -> str:
    """Changes with the name, the size and the time of the files of a CT, its masks and what is said of them."""
    of_case = {*_CT_NAMES, *_MASK_NAMES, Path(CASE_FACTS).stem}
    found = [entry for entry in sorted(folder.iterdir()) if entry.name.split(".")[0].lower() in of_case]
    files = [path for entry in found for path in ((entry,) if entry.is_file() else sorted(entry.rglob("*")))]
    told = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _prepare(folder: Path, source: int | Path, organs: tuple[str, ...], spacing_mm: float, progress: Progress) -> None:
    if isinstance(source, Path):
        files = _files_hash(source)  # before they are read
        hu, labels, facts = _read_case(source, organs, spacing_mm, progress)
        facts["files"] = files
    else:
        patient = generate_patient(source, spacing_mm)
        hu, facts = sitk.GetArrayFromImage(patient.ct), {**patient.facts, "patient": folder.name}
        labels = _renumbered(patient.labels, organs)
        facts["organs"] = [name for name, value in organ_values(organs).items() if (labels == value).any()]
    box = body_box(labels > 0, (spacing_mm,) * 3)
    _write_case(folder, np.rint(hu[box]).astype(np.int16), labels[box], {**facts, "spacing_mm": spacing_mm})


def _read_case(folder: Path, organs: tuple[str, ...], spacing_mm: float, progress: Progress):
    """(HU, labels, facts) of a CT with masks. The body is drawn where the masks have none."""
    masks_path = _named(folder, *_MASK_NAMES)
    if masks_path is None:
        raise InputError("no masks beside the CT", where=folder, mend=f"Name them {' or '.join(_MASK_NAMES)}.")
    ct_path = _named(folder, *_CT_NAMES)
    study = read_ct(ct_path, progress=progress)
    masks = read_masks(masks_path, study, progress=progress)
    drawn = organs_drawn(masks, organs)
    if not set(drawn) - {"body"}:
        raise InputError(f"none of the organs to be learned is in the masks ({', '.join(masks.names)})",
                         where=masks_path, mend="Choose the organs with --organs.")
    _refuse_unapproved(folder, organs)
    labels = label_map(masks, organs)
    if "body" in organs and "body" not in masks.segments:
        labels[body_mask(study.image, progress) & (labels == 0)] = organ_values(organs)["body"]
    on_ct = sitk.GetImageFromArray(labels)
    on_ct.CopyInformation(study.image)
    coarse = sitk.Resample(on_ct, working_grid(study.image, spacing_mm), sitk.Transform(), sitk.sitkNearestNeighbor, 0,
                           sitk.sitkUInt8, True)  # up to the last slice, as `working_image`
    hu = sitk.GetArrayFromImage(working_image(study.image, spacing_mm))
    return hu, sitk.GetArrayFromImage(coarse), {"patient": _patient_of(folder, study.files), "organs": list(drawn)}


def _refuse_unapproved(folder: Path, organs: tuple[str, ...]) -> None:
    """A network would learn that an organ whose mask was left out is not in the image. The body is drawn anew."""
    facts = case_facts(folder)
    left_out = {*facts.get(NOT_APPROVED, ()), *facts.get(NOT_CHOSEN, ())} - {"body"}
    missing = [name for name in organs if name not in facts.get("organs", ()) and any(
        name == other or name in members(other) or other in members(name) for other in left_out)]
    if missing:
        raise InputError(f"{', '.join(missing)} had no approved mask when this case was added, or was not chosen",
                         where=folder,
                         mend="Add the case again with all organs approved, or choose others with --organs.")


def _named(folder: Path, *names: str) -> Path | None:
    """The entry called one of `names`, whatever its ending."""
    for name in names:
        found = [entry for entry in sorted(folder.iterdir()) if entry.name.split(".")[0].lower() == name
                 and entry.suffix.lower() not in _SIDECARS]
        if found:
            return found[0]
    return None


def _patient_of(folder: Path, files: Sequence[Path]) -> str:
    """Who it is, unreadable: of 'patient_hash' or 'patient' in case.json, else of the DICOM header, else the folder's
    name."""
    facts = case_facts(folder)
    if "patient_hash" in facts:
        return str(facts["patient_hash"])
    identity = str(facts.get("patient", "")) or dicom_patient_id(files) or folder.name
    return patient_hash(identity)


def patient_hash(identity: str) -> str:
    """12 hexadecimal digits that stand for a patient: the same for the same identity, whichever case it is of."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def dicom_patient_id(files: Sequence[Path]) -> str:
    """PatientID in the header of the first of a CT's files; '' where there is none."""
    if not files or files[0].suffix.lower() in (".nii", ".gz", ".nrrd", ".mha", ".nhdr"):
        return ""
    import pydicom

    return str(pydicom.dcmread(files[0], stop_before_pixels=True, specific_tags=["PatientID"]).get("PatientID", ""))


def case_facts(folder: Path) -> dict[str, object]:
    """What case.json beside a CT says; nothing without one. Raises `InputError` when it names no patient."""
    path = folder / CASE_FACTS
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not {"patient", "patient_hash"} & facts.keys():
            raise ValueError("no patient")
    except (OSError, ValueError) as error:
        raise InputError("this does not name a patient", where=path, mend='Write {"patient": "any name"}.') from error
    return facts


def _renumbered(labels: np.ndarray, organs: tuple[str, ...]) -> np.ndarray:
    """Labels of all network organs as labels of `organs`; what is not among them becomes body, or the outside."""
    values = organ_values(organs)
    table = np.full(256, values.get("body", 0), np.uint8)
    table[0] = 0
    for name, value in organ_values().items():
        group = "bones" if name.startswith("femoral_head") else "body"
        table[value] = values.get(name, values.get(group, values.get("body", 0)))
    return table[labels]


def _write_case(folder: Path, hu: np.ndarray, labels: np.ndarray, facts: dict) -> None:
    """The case folder, whole or not at all; another process may prepare the same one at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        np.save(temporary / "hu.npy", hu)
        np.save(temporary / "labels.npy", labels)
        np.save(temporary / "places.npy", _places(labels, facts["patient"]))
        (temporary / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
        os.replace(temporary, folder)
    except OSError:
        if not (folder / "facts.json").is_file():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _places(labels: np.ndarray, patient: str) -> np.ndarray:
    """Some voxels of every label, the same for the same case."""
    rng = np.random.default_rng(list(patient.encode()))
    found = []
    for value in np.unique(labels):
        inside = np.flatnonzero(labels == value)
        if value:
            chosen = rng.choice(inside, min(_SEEDS_PER_LABEL, inside.size), replace=False)
            found.append(np.column_stack([np.full(chosen.size, value), *np.unravel_index(chosen, labels.shape)]))
    return np.concatenate(found).astype(np.int16) if found else np.empty((0, 4), np.int16)
