"""The dose descriptors of a study from its exposure, its body outline and its organ doses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_descriptors import DoseDescriptors, ScanOutput, dose_descriptors
from organdose.assess.organ_dose import OrganDose
from organdose.assess.patient_size import slice_sizes
from organdose.assess.scan_range import OrganRange
from organdose.ct.exposure import Exposure
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.facts import Fact


def scan_descriptors(study: CTStudy, masks: OrganMasks, exposure: Exposure, rows: Sequence[OrganDose],
                     progress: Progress | None = None) -> DoseDescriptors:
    """The descriptors of `exposure` in the body of `masks`; `rows` are the organ doses of every mask there is."""
    facts = study.acquisition
    current_ma = _stated(facts.tube_current_ma) if exposure.fixed_ma is None else (exposure.fixed_ma,)
    output = ScanOutput(
        z_mm=np.asarray(study.slice_positions_mm), ctdivol_mgy=exposure.ctdivol_mgy,
        dlp_mgy_cm=exposure.dlp_mgy_mm / 10, phantom_cm=exposure.phantom_cm,
        tube_current_ma=current_ma, region=_stated(facts.scan_region), age_group=_stated(facts.age_group),
        is_localiser=exposure.scan_kind == "localiser")
    sizes = slice_sizes(study.image, masks.mask("body"), progress=progress)
    return dose_descriptors(output, sizes, rows, study.patient_sex)


def noted(rows: Sequence[OrganDose], ranges: Sequence[OrganRange]) -> list[OrganDose]:
    """The rows, each with a note where the beam did not reach all of the organ that is shown."""
    return [replace(row, note="; ".join(note for note in (row.note, where.note) if note))
            for row, where in zip(rows, ranges, strict=True)]


def _stated(fact: Fact | None) -> object:
    return None if fact is None else fact.value
