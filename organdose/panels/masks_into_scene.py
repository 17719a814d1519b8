"""Masks that a job made as a segmentation in the scene."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from organdose.errors import InputError


def masks_into_scene(path: Path, ct_node, name: str) -> Generator:
    """Generator: the masks of an uncompressed .seg.nrrd as a new node, shown over the CT; returns (node, what it is).

    What a job found in them and wrote beside comes along.

    Raises `InputError` when the CT has left the scene or the file does not belong to it. Then, and when it is not
    taken to its end, the scene is as it was.
    """
    from organdose.panels.mask_check import findings_into_scene, findings_words
    from organdose.scene import subject_hierarchy
    from organdose.scene.job_files import masks_from_file_steps
    from organdose.scene.node_removal import remove_with_display
    from organdose.scene.segmentation_nodes import segmentation_node_steps
    from organdose.scene.views import show_ct_in_slices

    _check_there(ct_node)
    masks = yield from masks_from_file_steps(path, ct_node)
    _check_there(ct_node)
    node = yield from segmentation_node_steps(masks, ct_node, f"Organs ({name})")  # it comes with the last step
    study = subject_hierarchy.study_of(ct_node)
    if study:
        subject_hierarchy.put_under(study, [node])
    try:
        findings = yield from findings_into_scene(path, node, ct_node)
    except BaseException:  # a cancel too
        remove_with_display(node)
        raise
    show_ct_in_slices(ct_node, node)
    organs = "1 organ" if len(masks.segments) == 1 else f"{len(masks.segments)} organs"
    return node, f"Done: {organs}.{findings_words(findings)} Look at each before you use it."


def _check_there(ct_node) -> None:
    if ct_node.GetScene() is None:
        raise InputError("the CT was deleted meanwhile", mend="Load it and run again.")
