"""The quality control of masks from the window: the job that checks, and what it found into the scene."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

from organdose.errors import InputError


def current_masks_steps(segmentation_node, ct_node, masks) -> Generator:
    """Generator: a copy of the masks of a segmentation and their fingerprints, both of one moment; returns the two.

    `masks` are the `MaskStates` that follow this segmentation on this CT. Raises `InputError` for nodes that cannot be
    used.
    """
    from organdose.scene.job_files import masks_of_node_steps

    drawing = None
    while drawing is None or not masks.is_of_now(drawing):
        drawing = masks.drawing()
        for _ in masks.follow():
            yield 0.2
        copy = yield from masks_of_node_steps(segmentation_node, ct_node)
    return copy, {name: state.fingerprint for name, state in masks.states.items()}


class MaskCheckJob:
    """One check of the masks as they are: `make_job` and `take` as `JobPanel.run` wants them."""

    def __init__(self, segmentation_node, ct_node, masks):
        self._segmentation_node, self._ct_node, self._masks = segmentation_node, ct_node, masks
        self._fingerprints: dict[str, str] = {}

    def make_job(self, folder: Path) -> Generator:
        """Generator: a 'check-masks' job; yields (stage, fraction). Raises `InputError`."""
        from organdose.scene.job_files import ct_file_steps, masks_file_steps, staged

        copy, self._fingerprints = yield from staged(
            "Copying the masks", current_masks_steps(self._segmentation_node, self._ct_node, self._masks))
        yield from staged("Writing the masks", masks_file_steps(copy, folder / "masks.seg.nrrd"))
        yield from staged("Writing the CT", ct_file_steps(self._ct_node, folder / "ct.nrrd"))
        return {"ct": str(folder / "ct.nrrd"), "masks": str(folder / "masks.seg.nrrd"),
                "out": str(folder / "masks.findings.csv"), "organs": list(copy.names),
                "expected": _missed_before(self._segmentation_node)}

    def take(self, folder: Path) -> Generator:
        """Generator: what was found into the scene; returns '', because the list says it."""
        from organdose.export.mask_findings_table import read_findings_csv
        from organdose.scene.mask_findings_node import put_mask_check

        findings = read_findings_csv(folder / "masks.findings.csv")
        yield 0.5
        if self._segmentation_node.GetScene() is None:
            raise InputError("the masks were deleted while they were checked", mend="Choose others.")
        put_mask_check(self._segmentation_node, findings, self._fingerprints)
        shutil.rmtree(folder, ignore_errors=True)
        return ""


def findings_into_scene(path: Path, segmentation_node, ct_node) -> Generator:
    """Generator: what a job found in masks that it made, with the segmentation that they became; returns the findings.

    Nothing is put where the job wrote none.
    """
    from organdose.export.mask_findings_table import findings_path, read_findings_csv
    from organdose.scene.mask_findings_node import put_mask_check
    from organdose.scene.mask_states import MaskStates

    found = findings_path(path)
    if not found.is_file():
        return ()
    findings, masks = read_findings_csv(found), MaskStates(segmentation_node, ct_node)
    for _ in masks.follow():
        yield 0.9
    put_mask_check(segmentation_node, findings,
                   {name: state.fingerprint for name, state in masks.states.items()})
    return findings


def findings_words(findings) -> str:
    """' 2 bad findings, 3 to check.' for the line that says what came out; '' without any."""
    bad, check = (sum(found.severity.value == word for found in findings) for word in ("bad", "check"))
    words = [f"{bad} bad" if bad else "", f"{check} to check" if check else ""]
    return f" Findings: {', '.join(filter(None, words))}." if bad or check else ""


def _missed_before(segmentation_node) -> list[str]:
    """What an engine was asked for and did not draw stays looked for."""
    from organdose.anatomy.mask_finding import FindingKind
    from organdose.scene.mask_findings_node import mask_check_of

    check = mask_check_of(segmentation_node)
    return [found.organ for found in check.findings if found.kind is FindingKind.MISSING] if check else []
