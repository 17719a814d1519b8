"""The stylised adults as voxel phantoms: the three tissues of their report, organs split into wall and contents."""

from __future__ import annotations

import json

import numpy as np

from organdose.anatomy.organs import organs
from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import ARMS_DOWN, Phantom
from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom, PhantomLabel, PhantomMedium
from organdose.anatomy.phantoms.voxel_phantom_files import labelled_phantom
from organdose.anatomy.phantoms.voxel_phantom_regions import named_regions
from organdose.anatomy.phantoms.voxelise import BACKGROUND, voxelise
from organdose.anatomy.tissues import schneider2000
from organdose.progress import Progress
from organdose.resources import resource_path

_CONTENTS = {"bowel_contents", "stomach_contents", "gas", "bile", "urine", "air"}
_HEART = {"myocardium": "heart_myocardium", "blood": "heart_contents"}
# HU whose composition in the calibration of Schneider et al. (2000) stands for the report's three tissues.
_SOFT_HU, _LUNG_HU, _SKELETON_HU = 40.0, -700.0, 640.0


def stylised_voxel_phantom(phantom: Phantom, voxel_mm: float = 3.0, *, progress: Progress | None = None
                           ) -> LabelledPhantom:
    """`phantom` with arms down, as ORNL/TM-8381 publishes it, in cubic voxels.

    Soft tissue, lung and skeleton have the report's densities (1.04, 0.296, 1.40 g/cm3) and the composition of their HU
    in Schneider et al. (2000); gas in the gut is soft tissue, as in the report. Red marrow is shared out over the bones
    (Resources/phantoms/red_marrow.json).
    """
    whole = voxelise(phantom, (voxel_mm,) * 3, pose=ARMS_DOWN, progress=progress)
    table = media()
    pairs = whole.part.astype(np.uint16) * 256 + whole.medium
    found, labels = np.unique(pairs, return_inverse=True)
    entries, number = {}, {"": 0}
    labels_of_pair = np.zeros(len(found), np.uint16)
    for index, pair in enumerate(found.tolist()):
        name = _name(whole.part_names[pair // 256], table.names[pair % 256])
        label = number.setdefault(name, len(number))
        labels_of_pair[index] = label
        if name:
            density = float(table.report_density_g_cm3[table.number[_medium(name, table.names[pair % 256])]])
            entries[label] = PhantomLabel(name, _tissue(density), density)
    compositions = {name: PhantomMedium(_composition(hu)) for name, hu in
                    (("soft tissue", _SOFT_HU), ("lung", _LUNG_HU), ("skeleton", _SKELETON_HU))}
    labels = labels_of_pair[labels].reshape(whole.part.shape)
    entries, compositions, note = _with_marrow(entries, compositions, labels, voxel_mm, phantom.sex)
    return labelled_phantom(phantom.title, phantom.sex, labels, (voxel_mm,) * 3, entries, compositions, frozenset({0}),
                            notes=(phantom.source, note))


def _name(part: str, medium: str) -> str:
    """'' for the air around the body."""
    if part == BACKGROUND[0]:
        return ""
    if part == "heart":
        return _HEART[medium]
    if medium in _CONTENTS:
        return f"{part}_contents"
    return {"lower_leg_bone_left": "leg_bone_left", "lower_leg_bone_right": "leg_bone_right"}.get(part, part)


def _medium(name: str, medium: str) -> str:
    """The air of windpipe and bronchi is air; vessels drawn into the lung are lung."""
    return "lung" if name.startswith("lung_") else medium


def _tissue(density_g_cm3: float) -> str:
    if density_g_cm3 < 0.1:
        return "outside"
    return "lung" if density_g_cm3 < 0.5 else "soft tissue" if density_g_cm3 < 1.2 else "skeleton"


def _composition(hu: float) -> dict[str, float]:
    table = schneider2000()
    return dict(table.weight_fractions[int(table.material_index(np.array([hu]))[0])])


def _with_marrow(entries: dict[int, PhantomLabel], compositions: dict[str, PhantomMedium], labels: np.ndarray,
                 voxel_mm: float, sex: str) -> tuple[dict[int, PhantomLabel], dict[str, PhantomMedium], str]:
    """Bones get media of their own that say which part of them is red marrow."""
    shares = json.loads(resource_path("phantoms", "red_marrow.json").read_text(encoding="utf-8"))["percent"]
    regions = named_regions(entries, {**compositions, "outside": PhantomMedium({"N": 1.0})}, frozenset({0}))
    counts = np.bincount(labels.ravel(), minlength=max(entries) + 1)
    marrow_g = organs()["red_bone_marrow"].reference_mass_g[sex]
    entries, compositions = dict(entries), dict(compositions)
    present = {bones: [label for bone in bones.split() for label in regions.get(bone, ()) if counts[label]]
               for bones in shares}
    present = {bones: there for bones, there in present.items() if there}
    whole_percent = sum(shares[bones] for bones in present)
    for bones, there in present.items():
        bone_g = sum(counts[label] * entries[label].density_g_cm3 for label in there) * voxel_mm**3 / 1000
        fraction = float(marrow_g * shares[bones] / whole_percent / bone_g)
        medium = f"skeleton, {bones}"
        compositions[medium] = PhantomMedium(compositions["skeleton"].weight_fractions, min(1.0, fraction))
        for label in there:
            entries[label] = PhantomLabel(entries[label].name, medium, entries[label].density_g_cm3)
    return entries, compositions, (f"red marrow: {marrow_g:g} g shared out over the bones as in ICRP publication 70, "
                                   "evenly inside each")
