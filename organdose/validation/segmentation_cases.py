"""CTs with known masks that no network of this project was trained on: generated patients, and CTs from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom
from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.progress import Progress
from organdose.segmentation.network_labels import NETWORK_ORGANS, members, organs_drawn, voxels_of
from organdose.segmentation.reading import read_masks
from organdose.segmentation.training_ct_look import generate_patient
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition
from organdose.validation.comparison import outside_file

GENERATED = "generated patients"
FIRST_SEED = 100_001  # far from the seeds 1, 2, ... that a training uses
GENERATED_MM = 3.0  # not the 4 mm of the network: its masks must hold on the voxels of a CT
_REAL = ("lu177_patient15_organs", "ts_abdomen_pelvis_3mm")
_VOXEL_PHANTOM = "icrp110_AM"
# With ICRP 110's own names where the vocabulary has no region for the contents of one part of the bowel.
_HOLLOW = {"stomach": ("stomach", "stomach_contents"), "gallbladder": ("gallbladder", "gallbladder_contents"),
           "urinary_bladder": ("urinary_bladder", "urinary_bladder_contents"),
           "small_intestine": ("small_intestine", "small_intestine_contents"),
           "colon": ("colon", "colon_contents"), "rectum": ("rectum", "Rectum contents"),
           "body": ("body", "Air inside body")}


@dataclass(frozen=True)
class SegmentationCase:
    """A CT and its true masks. `group` is the table it belongs to; where `complete`, an organ without a true mask is
    not in the image. `holds`: the parts that a mask of this reference contains, where that is more than its name."""

    name: str
    group: str
    study: CTStudy
    truth: OrganMasks
    complete: bool = False
    holds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def generated_cases(count: int, progress: Progress) -> Iterator[SegmentationCase]:
    """`count` patients of the seeds from 100001 on, in voxels of 3 mm."""
    for number in range(count):
        seed = FIRST_SEED + number
        progress.report("generated patients", number / count, str(seed))
        patient = generate_patient(seed, GENERATED_MM)
        truth = OrganMasks(patient.ct, origin="generated patient")
        for name in NETWORK_ORGANS:
            mask = voxels_of(name, patient.labels)
            if mask.any():
                truth.add(name, mask)
        study = CTStudy(sitk.Cast(patient.ct, sitk.sitkInt16), CTAcquisition())
        yield SegmentationCase(f"seed {seed}", GENERATED, study, truth, complete=True)


def outside_cases(progress: Progress) -> Iterator[SegmentationCase | str]:
    """The CTs that do not ship with us; for one that is not here, a line that says so."""
    for name in (_VOXEL_PHANTOM, *_REAL):
        folder = outside_file("data", name)
        if folder is None:
            yield f"{name}: not here, left out (set ORGANDOSE_DATA to the folder that holds data/{name})"
        elif name == _VOXEL_PHANTOM:
            yield voxel_phantom_case(folder, progress)
        else:
            study = read_ct(folder / "ct.nii.gz", progress=progress)
            masks = read_masks(folder / "labels.nii.gz", study, progress=progress)
            # TotalSegmentator's colon goes down to the anus.
            holds = {"colon": ("colon", "rectum")} if name.startswith("ts_") else {}
            yield SegmentationCase(name, name, study, masks.kept(_useful(masks)), holds=holds)


def _useful(masks: OrganMasks) -> tuple[str, ...]:
    """The masks that organs of the network consist of."""
    wanted = organs_drawn(masks)
    return tuple(name for name in masks.names if any(name == organ or name in members(organ) for organ in wanted))


def voxel_phantom_case(folder: Path, progress: Progress) -> SegmentationCase:
    """ICRP 110's adult male with HU from its densities (`pseudo_ct.nii.gz`); hollow organs with what fills them.

    Its list has no aorta, caval or portal vein and no femoral heads; its small intestine holds the duodenum.
    """
    study, phantom = read_ct(folder / "pseudo_ct.nii.gz", progress=progress), read_voxel_phantom(folder)
    truth = OrganMasks(study.image, origin=phantom.title)
    for name in ("body", "small_intestine", *NETWORK_ORGANS):
        labels = _labels_of(phantom, name)
        if labels and name not in truth.segments:
            truth.add(name, np.isin(phantom.labels, list(labels)))
    return SegmentationCase(_VOXEL_PHANTOM, _VOXEL_PHANTOM, study, truth)


def _labels_of(phantom: LabelledPhantom, organ: str) -> set[int]:
    """Labels of an organ as a CT shows it; ICRP's colon without the rectum."""
    names = _HOLLOW.get(organ, (organ,))
    labels = {label for name in names if name in phantom.regions for label in phantom.regions[name]}
    labels |= {label for label, entry in phantom.entries.items() if entry.name in names}
    return labels - _labels_of(phantom, "rectum") if organ == "colon" else labels
