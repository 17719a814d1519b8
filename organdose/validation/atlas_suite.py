"""The atlas against masks it never saw: generated patients, a voxel phantom, real CTs. docs/atlas.md shows the table.

`python -m organdose.validation.atlas_suite OUT.csv` writes it; real data are taken from $ORGANDOSE_DATA where they are.
"""

from __future__ import annotations

import csv
import json
import math
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organs import expand, is_known
from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.export.whole_file import whole_file
from organdose.progress import Progress
from organdose.segmentation.atlas_engine import AtlasParameters, fitted, reference_for, seen_tissue
from organdose.segmentation.atlas_organs import carried_labels, estimated_masks, with_seen_bones
from organdose.segmentation.network_labels import NETWORK_ORGANS, voxels_of
from organdose.segmentation.training_ct_look import generate_patient
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition
from organdose.study.reading import read_ct

SEEDS = (1000, 1001, 1003, 1004)
_FROM_HU = ("body", "bones", "lung_left", "lung_right", "lungs")
_REAL = {"icrp110_AM": ("pseudo_ct.nii.gz", "M"), "lu177_patient15_organs": ("ct.nii.gz", "F"),
         "ts_abdomen_pelvis_3mm": ("ct.nii.gz", "M")}


@dataclass(frozen=True)
class AtlasRow:
    """One organ of one case; `dice` and `distance_mm` (of the centroids) of the affine and of the deformable map,
    nan where the atlas drew nothing. `seconds` (processor time) and `smallest_jacobian` are of the case."""

    case: str
    organ: str
    dice_affine: float
    distance_affine_mm: float
    dice: float
    distance_mm: float
    volume_ml: float
    reference_volume_ml: float
    seconds: float
    smallest_jacobian: float


def atlas_rows(study: CTStudy, truth: dict[str, np.ndarray], case: str, progress: Progress | None = None
               ) -> list[AtlasRow]:
    """A row for each organ of `truth` (bool, (z, y, x)) that the stylised adults have."""
    progress = progress or Progress()
    start_s = time.process_time()
    reference = reference_for(study, AtlasParameters(), progress)
    _, seen = seen_tissue(study, progress)
    masks, jacobian = {}, math.nan
    for deformable in (True, False):
        found = fitted(seen, reference, deformable=deformable, progress=progress)
        carried = with_seen_bones(carried_labels(reference, found, study.image, progress), reference, seen, [])
        masks[deformable] = estimated_masks(carried, reference, seen, "atlas", progress)
        if deformable:
            seconds, jacobian = time.process_time() - start_s, found.smallest_jacobian
    spacing_mm = np.array(study.image.GetSpacing()[::-1])
    rows = []
    for name, mask in truth.items():
        parts = expand(name, reference.organs) if is_known(name) else ()
        if not parts or not mask.any() or name in _FROM_HU:
            continue
        affine, bent = (masks[kind].union(parts) for kind in (False, True))
        millilitres = float(np.prod(spacing_mm)) / 1000
        rows.append(AtlasRow(case, name, *_agreement(affine, mask, spacing_mm), *_agreement(bent, mask, spacing_mm),
                             bent.sum() * millilitres, mask.sum() * millilitres, seconds, jacobian))
    return rows


def cases(seeds: Sequence[int], data: Path | None, real: Sequence[str] = tuple(_REAL)
          ) -> Iterator[tuple[str, CTStudy, dict[str, np.ndarray]]]:
    """Generated patients of `seeds`, then what `data` holds of `real`: name, study, organ masks."""
    for seed in seeds:
        patient = generate_patient(seed)
        image = sitk.Cast(sitk.Round(patient.ct), sitk.sitkInt16)
        truth = {name: voxels_of(name, patient.labels) for name in NETWORK_ORGANS}
        facts = patient.facts
        yield (f"generated {seed}: {facts['region']}, arms {facts['arms']}",
               CTStudy(image, CTAcquisition(), patient_sex=facts["sex"]), truth)
    for name, (file, sex) in _REAL.items():
        folder = data / name if data else None
        if name in real and folder is not None and (folder / file).is_file():
            study = replace(read_ct(folder / file), patient_sex=sex)
            labels = sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.ReadImage(str(folder / "labels.nii.gz")), "LPS"))
            yield name, study, _truth(folder, labels)


def _truth(folder: Path, labels: np.ndarray) -> dict[str, np.ndarray]:
    if any(folder.glob("*_organs.dat")):
        regions = read_voxel_phantom(folder).regions
        found = {name: list(region) for name, region in regions.items() if is_known(name)}
        for name in list(found):  # hollow organs with their contents, as the atlas draws them
            found[name] = [*found[name], *regions.get(f"{name}_contents", ())]
    else:
        named = json.loads((folder / "labels.json").read_text(encoding="utf-8"))["labels"]
        found = {name: [int(value)] for value, name in named.items() if name != "couch"}
    return {name: np.isin(labels, values) for name, values in found.items()}


def _agreement(one: np.ndarray, other: np.ndarray, spacing_mm: np.ndarray) -> tuple[float, float]:
    """Dice, and distance of the centroids in mm."""
    dice = 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))
    if not one.any():
        return dice, math.nan
    away = [np.array([index.mean() for index in np.nonzero(mask)]) for mask in (one, other)]
    return float(dice), float(np.linalg.norm((away[0] - away[1]) * spacing_mm))


def write_rows(path: Path, rows: Sequence[AtlasRow]) -> None:
    """A CSV with a line for each organ of each case, whole or not at all."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in fields(AtlasRow)])
        table.writerows([round(value, 3) if isinstance(value, float) else value for value in asdict(row).values()]
                        for row in rows)


def summary(rows: Sequence[AtlasRow]) -> list[str]:
    """A line a case: organs, means over them, time."""
    lines = []
    for case in dict.fromkeys(row.case for row in rows):
        of_case = [row for row in rows if row.case == case]
        dice = [np.mean([getattr(row, name) for row in of_case]) for name in ("dice_affine", "dice")]
        away = [np.nanmedian([getattr(row, name) for row in of_case]) for name in ("distance_affine_mm", "distance_mm")]
        lines.append(f"{case}: {len(of_case)} organs, mean Dice affine {dice[0]:.3f}, deformable {dice[1]:.3f}; median "
                     f"distance of centroids {away[0]:.0f} mm, {away[1]:.0f} mm; {of_case[0].seconds:.0f} s, smallest "
                     f"Jacobian {of_case[0].smallest_jacobian:.2f}")
    return lines


def main(arguments: Sequence[str]) -> None:
    """`OUT.csv [seed or folder of data ...]`; without them all of `SEEDS` and the folders known here."""
    shared = os.environ.get("ORGANDOSE_DATA")
    rows: list[AtlasRow] = []
    wanted = arguments[1:] or [*map(str, SEEDS), *_REAL]
    seeds = [int(each) for each in wanted if each.isdigit()]
    for case, study, truth in cases(seeds, Path(shared) / "data" if shared else None, wanted):
        found = atlas_rows(study, truth, case)
        rows += found
        print(summary(found)[0], flush=True)
        write_rows(Path(arguments[0]), rows)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main(sys.argv[1:])
