"""The CT and the masks of a whole examination: those that were given, or those a part was computed with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import schneider2000
from organdose.assess.organ_weights import OrganWeights, organ_weights
from organdose.errors import InputError
from organdose.jobs.record import RunRecord, files_of
from organdose.jobs.total_parts import DosePart
from organdose.progress import Progress
from organdose.segmentation.masks_for_study import masks_for_study
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy


@dataclass(frozen=True)
class MaskedStudy:
    """A CT with its masks; `note` says whose they are."""

    study: CTStudy
    masks: OrganMasks
    note: str

    def weights(self, dose_grid: sitk.Image, sex: str, progress: Progress | None = None) -> OrganWeights:
        """Mass and volume of each organ in each voxel of `dose_grid`."""
        density = schneider2000().density_g_cm3(sitk.GetArrayViewFromImage(self.study.image))
        return organ_weights(self.masks, density, dose_grid, sex=sex, progress=progress)


@dataclass(frozen=True)
class _Source:
    ct: Path
    study: CTStudy
    segmentation: Path | None
    note: str


def masked_study(parts: Sequence[DosePart], ct: Path | None, segmentation: Path | None, series: str | None,
                 record: RunRecord, progress: Progress) -> tuple[MaskedStudy | None, str]:
    """(CT and masks, '') or (None, why there are none); notes the inputs in `record`.

    Without `ct` those of the first part whose inputs lie where its record says and have not changed. Raises
    `InputError` for masks without a CT, and for a CT or masks that cannot be used.
    """
    if ct is None and segmentation is not None:
        raise InputError("masks are given without their CT", where=segmentation, mend="Give the CT with --ct.")
    if ct is not None:
        study = read_ct(ct, series=series, progress=progress)
        source = _Source(ct, study, segmentation, "Spread, percentiles and histograms take the CT and masks given.")
    else:
        source = next(filter(None, (_of_part(part, progress) for part in parts)), None)
    if source is None:
        return None, ("no CT and masks were given, and those of the parts are no longer where they were, or have "
                      "changed: spread, extremes, percentiles and histograms of the summed map are not stated")
    record.add_input("ct", source.ct, source.study.files)
    if source.segmentation is not None:
        record.add_input("segmentation", source.segmentation, files_of(source.segmentation))
    masks = masks_for_study(source.study, source.segmentation, progress=progress)
    return MaskedStudy(source.study, masks, source.note), ""


def _of_part(part: DosePart, progress: Progress) -> _Source | None:
    """Where a part's CT and masks lie, if they are those it was computed with."""
    job, inputs = part.record.get("job") or {}, part.record.get("inputs") or {}
    ct, segmentation = job.get("ct"), job.get("segmentation")
    if not ct or not Path(ct).exists() or (segmentation and not Path(segmentation).exists()):
        return None
    series = job.get("ct_series", job.get("series"))
    try:
        study = read_ct(Path(ct), series=series, progress=progress)
        now = RunRecord("", {})
        now.add_input("ct", Path(ct), study.files)
        if segmentation:
            now.add_input("segmentation", Path(segmentation), files_of(Path(segmentation)))
    except (InputError, OSError):
        return None
    same = all(now.inputs[role]["sha256"] == (inputs.get(role) or {}).get("sha256") for role in now.inputs)
    note = f"Spread, percentiles and histograms take the CT and masks of {part.name}."
    return _Source(Path(ct), study, Path(segmentation) if segmentation else None, note) if same else None
