"""A CT carried on beyond its ends as a job: CT, masks and protocol that a CT-dose job takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from organdose.export.image_file import write_image
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.record import RunRecord, files_of
from organdose.jobs.result_folder import RECORD_NAME, check_inputs_outside, check_result_folder, result_folder
from organdose.progress import Progress
from organdose.segmentation.atlas_engine import AtlasParameters
from organdose.segmentation.atlas_extension import ExtendedCT, extended_ct
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct
from organdose.study.ct_fact_sheet import CTFactSheet
from organdose.study.ct_study import CTStudy
from organdose.study.facts import PER_SLICE, CTAcquisition, Fact, Origin

CT_NAME, MASKS_NAME, PROTOCOL_NAME = "ct.nrrd", "masks.seg.nrrd", "protocol.json"


class ExtendJob(BaseModel):
    """Parameters: a CT, masks drawn on it if there are any, how far it is carried on at the feet and at the head, and
    the reference (`atlas_engine.AtlasParameters`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    out: Path
    masks: Path | None = None
    protocol: Path | None = None
    series: str | None = None
    below_mm: float = Field(100.0, ge=0)
    above_mm: float = Field(100.0, ge=0)
    atlas: AtlasParameters = Field(default_factory=AtlasParameters)


def run_extend(job: ExtendJob, progress: Progress | None = None) -> ExtendedCT:
    """Write `ct.nrrd`, `masks.seg.nrrd`, `protocol.json` and `run.json` into the folder `job.out`, whole or not at all.

    The protocol carries the acquisition's facts and says that only the CT's own slices were scanned. Raises
    `InputError` for input that cannot be used, `Cancelled`.
    """
    progress = progress or Progress()
    record = RunRecord("extend", json.loads(job.model_dump_json()))
    check_result_folder(job.out)
    check_inputs_outside(job.out, (job.ct, job.masks, job.protocol))
    study = read_ct(job.ct, protocol=job.protocol, series=job.series, progress=progress)
    record.add_input("ct", job.ct, study.files)
    given = None
    if job.masks is not None:
        given = read_masks(job.masks, study, progress=progress)
        record.add_input("masks", job.masks, files_of(job.masks))
    with record.timed("extend"):
        found = extended_ct(study, (job.below_mm, job.above_mm), job.atlas, given, progress)
    record.facts.update(image_ends_mm=found.ends_mm, slices_below=found.below, slices_above=found.above,
                        assumptions=list(found.lines), masks=found.masks.origin, mask_notes=found.masks.notes)
    with result_folder(job.out) as folder:
        write_image(found.image, folder / CT_NAME)
        write_seg_nrrd(found.masks, folder / MASKS_NAME)
        sheet = CTFactSheet.of(_facts(study, found), study.patient_sex).protocol()
        (folder / PROTOCOL_NAME).write_text(json.dumps(sheet, indent=1) + "\n", encoding="utf-8")
        record.write(folder / RECORD_NAME)
    return found


def _facts(study: CTStudy, found: ExtendedCT) -> CTAcquisition:
    """The facts of the acquisition on the longer image: per-slice ones go on with those of the end slices, which the
    scan range, that of the CT unless it was given, keeps from being scanned."""
    facts = study.acquisition
    for name in PER_SLICE:
        fact = getattr(facts, name)
        if fact is not None and len(fact.value) == study.image.GetDepth() > 1:
            values = (fact.value[0],) * found.below + tuple(fact.value) + (fact.value[-1],) * found.above
            facts = replace(facts, **{name: replace(fact, value=values)})
    if facts.scan_range_mm is None:
        facts = replace(facts, scan_range_mm=Fact(found.ends_mm, Origin.derived, "the slices of the CT itself"))
    return replace(facts, warnings=(*facts.warnings, *found.lines))
