"""The demo's masks: drawn on its CT as on anybody's, checked, and compared with the truth that it alone has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from organdose.anatomy.mask_finding import Finding, Severity
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand
from organdose.assess.mask_comparison import MaskAgreement, agreement
from organdose.export.mask_comparison_table import write_mask_comparison_csv
from organdose.jobs.phantom_study import PhantomStudyPaths
from organdose.jobs.record import RunRecord
from organdose.jobs.result_folder import RECORD_NAME, result_folder
from organdose.jobs.segment_job import SegmentJob, segment_and_check
from organdose.progress import Progress
from organdose.segmentation.engine_needs import why_not_ready
from organdose.segmentation.engines import engine
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct

MASKS, COMPARISON = "masks.seg.nrrd", "comparison.csv"
_NETWORK, _ANYWHERE = "res-u2net", "analytic"
_LEAST_ML = 50.0


@dataclass(frozen=True)
class DemoMasks:
    """The masks' file, who drew them, `warning` where it is not the network, findings, agreement with the truth."""

    file: Path
    engine: str
    warning: str
    findings: tuple[Finding, ...]
    rows: tuple[MaskAgreement, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What a user should know before he looks at a dose."""
        bad = sum(found.severity is Severity.BAD for found in self.findings)
        large = [row for row in self.rows if row.reference_volume_ml > _LEAST_ML and row.organ != "body"]
        mean = "no organ to compare"
        if large:
            dice = sum(row.dice for row in large) / len(large)
            mean = f"mean Dice {dice:.2f} over {len(large)} organs above {_LEAST_ML:g} ml"
        worst = sorted(large, key=lambda row: row.dice)[:3]
        named = ", ".join(f"{row.organ} {row.dice:.2f}" for row in worst)
        return (*([self.warning] if self.warning else []),
                f"The masks were drawn on the CT by the engine {self.engine}: drafts, corrected by nobody.",
                f"Quality control: {len(self.findings)} findings, {bad} of them bad "
                f"({self.file.with_name('masks.findings.csv')})",
                f"Against the patient's true organs: {mean}{f'; the worst: {named}' if named else ''} "
                f"({self.file.with_name(COMPARISON)})")


def demo_masks(study: PhantomStudyPaths, out: Path, progress: Progress | None = None) -> DemoMasks:
    """Masks of the study's CT with their findings and their agreement with its truth in the folder `out`.

    The shipped network draws them; the analytic engine where it cannot run here. Raises `InputError`, `Cancelled`.
    """
    progress = progress or Progress()
    network = engine(_NETWORK)
    reason = why_not_ready(network, network.parameters())
    chosen = _ANYWHERE if reason else _NETWORK
    warning = (f"The network cannot draw the organs here ({reason.rstrip('.')}); only body, lungs and bones are drawn."
               if reason else "")
    job = SegmentJob(ct=study.ct, out=out / MASKS, engine=chosen)
    record = RunRecord("segment", job.model_dump(mode="json"))
    with result_folder(out) as folder:
        with record.timed("segment"):
            masks, findings = segment_and_check(job.model_copy(update={"out": folder / MASKS}), progress)
        with record.timed("compare"):
            rows = _against_truth(masks, study, progress)
        write_mask_comparison_csv(folder / COMPARISON, rows)
        record.facts.update(masks=masks.origin, mask_notes=masks.notes, warnings=[warning] if warning else [])
        record.write(folder / RECORD_NAME)
    return DemoMasks(out / MASKS, chosen, warning, findings, rows)


def _against_truth(masks: OrganMasks, study: PhantomStudyPaths, progress: Progress) -> tuple[MaskAgreement, ...]:
    """A row for each organ the engine draws and the truth has; one that was not found has a Dice of 0."""
    truth = read_masks(study.seg_nrrd, read_ct(study.ct, progress=progress), progress=progress)
    spacing_mm = masks.reference.GetSpacing()[::-1]
    rows = []
    wanted = [name for name in (*masks.names, *masks.notes) if expand(name, truth.names)]
    for done, name in enumerate(dict.fromkeys(wanted)):
        progress.report("comparing with the truth", done / len(wanted), name)
        rows.append(agreement(name, masks.union([name]), truth.union(expand(name, truth.names)), spacing_mm))
    return tuple(rows)
