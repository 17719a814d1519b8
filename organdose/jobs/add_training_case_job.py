"""A CT with corrected masks becomes a case of a dataset for training, without anything that names the patient."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field

from organdose import __version__
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import is_known
from organdose.anatomy.review import ReviewStatus, current_review, fingerprints
from organdose.errors import InputError
from organdose.export.image_file import write_image
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.progress import Progress
from organdose.segmentation.reading import read_masks
from organdose.segmentation.training_cases import (
    CASE_FACTS,
    NOT_APPROVED,
    NOT_CHOSEN,
    dicom_patient_id,
    patient_hash,
)
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy

_NAME_DIGITS = 8


class AddTrainingCaseJob(BaseModel):
    """One case for the dataset `out` (`organdose train segmentation DATASET`).

    `patient`: any name that is the same for all CTs of this patient, where the CT has no DICOM PatientID; only a hash
    of either is kept. `organs`: those to be learned (default: all of the vocabulary). `only_approved`: leave out masks
    that nobody has approved as they are now; estimated ones, of a phantom and not of this patient, need it always.
    `replace`: an earlier case of the same CT.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    masks: Path
    out: Path
    series: str | None = None
    patient: str | None = Field(None, min_length=1)
    organs: tuple[str, ...] | None = Field(None, min_length=1)
    only_approved: bool = True
    replace: bool = False


@dataclass(frozen=True)
class AddedCase:
    """The folder of the new case, its organs, and those left out because nobody approved them."""

    folder: Path
    organs: tuple[str, ...]
    not_approved: tuple[str, ...]

    @property
    def line(self) -> str:
        left_out = f"; not approved and left out: {', '.join(self.not_approved)}" if self.not_approved else ""
        return f"{self.folder}: {', '.join(self.organs)}{left_out}"


def add_training_case(job: AddTrainingCaseJob, progress: Progress | None = None) -> AddedCase:
    """Write ct.nrrd, masks.seg.nrrd and case.json to a new folder of the dataset, which appears whole or not at all.

    Its name is made of hashes of patient and CT. Raises `InputError` for a CT whose patient is unknown, masks none of
    which can be used, a case that is there already; `Cancelled`.
    """
    progress = progress or Progress()
    study = read_ct(job.ct, series=job.series, progress=progress)
    who = _patient(job, study)
    masks = read_masks(job.masks, study, progress=progress)
    wanted = _wanted(job, masks)
    usable = tuple(name for name in wanted if _is_usable(masks, name, job.only_approved))
    left_out = tuple(name for name in wanted if name not in usable)
    not_chosen = tuple(name for name in _there(masks) if name not in wanted)
    if not usable:
        raise InputError(f"nobody has approved any of these masks as they are now ({', '.join(wanted)})",
                         where=job.masks, mend="Approve them in Organ Segmenter, or ask for masks that are not.")
    # Prepared cases are kept under this name: masks that changed must not meet them.
    digits = (who, _ct_hash(study.image), _masks_hash(masks, usable))
    name = "-".join(["case", *(each[:_NAME_DIGITS] for each in digits)])
    check_new(job.out, name, job.replace)  # before anything is written
    facts = {"patient_hash": who, "organs": usable, NOT_APPROVED: left_out, NOT_CHOSEN: not_chosen,
             "approved_only": job.only_approved, "added": time.strftime("%Y-%m-%d"), "organdose": __version__}
    progress.report("Writing the case", 0.0)
    with hidden_folder(job.out) as written:
        _write(written, study.image, masks.kept(usable), facts)
        folder = put_case(written, job.out, name, job.replace)
    progress.report("Writing the case", 1.0)
    return AddedCase(folder, usable, left_out)


def check_new(dataset: Path, name: str, replace: bool) -> list[Path]:
    """The cases of the same CT in a dataset, whoever they were said to be of: one on either side of a split would be
    learned from and tested on. Raises `InputError` where there is one that is not to be replaced."""
    _case, _patient, ct, _masks = name.split("-")
    earlier = sorted(dataset.glob(f"case-*-{ct}-*"))
    if earlier and not replace:
        raise InputError("this CT is in the dataset already", where=earlier[0], mend="Ask to replace the case.")
    return earlier


@contextmanager
def hidden_folder(dataset: Path) -> Iterator[Path]:
    """A folder in a dataset that is no case yet, gone afterwards. Raises `InputError` where nothing can be written."""
    written: Path | None = None
    try:
        dataset.mkdir(parents=True, exist_ok=True)
        written = Path(tempfile.mkdtemp(prefix=".adding-", dir=dataset))
        yield written
    except OSError as error:
        raise InputError(f"the case cannot be written: {error.strerror or error}", where=dataset,
                         mend="Choose another folder or free some space.") from error
    finally:
        if written is not None:
            shutil.rmtree(written, ignore_errors=True)


def put_case(written: Path, dataset: Path, name: str, replace: bool) -> Path:
    """A hidden folder becomes the case `name` of a dataset, in the place of earlier cases of its CT; gives its folder.

    Raises `InputError` as `check_new`, `OSError`; then the earlier ones are as they were.
    """
    aside: dict[Path, Path] = {}
    written.chmod(dataset.stat().st_mode)
    try:
        for old in check_new(dataset, name, replace):
            aside[old] = Path(tempfile.mkdtemp(prefix=".earlier-", dir=dataset))
            os.replace(old, aside[old])
        os.replace(written, dataset / name)
    except OSError:
        for old, kept in aside.items():
            if not old.exists():
                os.replace(kept, old)
        raise
    finally:
        for kept in aside.values():
            shutil.rmtree(kept, ignore_errors=True)
    return dataset / name


def _patient(job: AddTrainingCaseJob, study: CTStudy) -> str:
    """The header knows best: a typed name must not part the cases of one patient."""
    identity = dicom_patient_id(study.files) or (job.patient or "").strip()
    if not identity:
        raise InputError("the CT does not say whose it is, and cases of one patient must stay together", where=job.ct,
                         mend="Give any name for the patient (--patient); only a hash of it is kept.")
    return patient_hash(identity)


def _wanted(job: AddTrainingCaseJob, masks: OrganMasks) -> tuple[str, ...]:
    """Masks with voxels whose names the vocabulary knows: other names may be anything, also a patient's."""
    known = _there(masks)
    missing = [name for name in job.organs or () if name not in known]
    if missing or not known:
        raise InputError(f"the masks have no {' and no '.join(missing)}" if missing else "no organ is in these masks",
                         where=job.masks, mend="Draw it, or choose other organs." if missing else "Draw organs first.")
    return tuple(name for name in known if job.organs is None or name in job.organs)


def _there(masks: OrganMasks) -> list[str]:
    return [name for name in masks.names if is_known(name) and masks.mask(name).any()]


def _is_usable(masks: OrganMasks, name: str, only_approved: bool) -> bool:
    review = current_review(masks, name)
    status = None if review is None else review.status
    return status is ReviewStatus.APPROVED or not (only_approved or status is ReviewStatus.ESTIMATED)


def _ct_hash(image: sitk.Image) -> str:
    digest = hashlib.sha256(repr((image.GetSize(), image.GetSpacing(), image.GetOrigin())).encode())
    digest.update(np.ascontiguousarray(sitk.GetArrayViewFromImage(image)).tobytes())
    return digest.hexdigest()


def _masks_hash(masks: OrganMasks, names: tuple[str, ...]) -> str:
    return hashlib.sha256(repr(sorted(fingerprints(masks, names).items())).encode()).hexdigest()


def _write(folder: Path, ct: sitk.Image, masks: OrganMasks, facts: dict[str, object]) -> None:
    plain = sitk.GetImageFromArray(sitk.GetArrayViewFromImage(ct))  # voxels and geometry, no tags of the original
    plain.CopyInformation(ct)
    masks = OrganMasks(plain, masks.layers, masks.segments, "training case")  # nor who approved them
    write_image(plain, folder / "ct.nrrd")
    write_seg_nrrd(masks, folder / "masks.seg.nrrd")
    (folder / CASE_FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
