"""What the modules' self-tests in Slicer share: a small CT, a job run to its end, and what must come out."""

from __future__ import annotations

import time
from pathlib import Path

_PATIENCE_S = 600


def water_cylinder():
    """(CT node, segmentation node, fact sheet) of a 24 cm water cylinder in air with two masks, in the scene."""
    import numpy as np
    import SimpleITK as sitk

    from organdose.anatomy.organ_masks import OrganMasks
    from organdose.scene.segmentation_nodes import segmentation_node_from_masks
    from organdose.scene.volume_nodes import ct_volume_node
    from organdose.study.ct_fact_sheet import CTFactSheet

    place_mm = 5.0 * (np.arange(60) - 29.5)
    radius_mm = np.hypot(place_mm[:, None], place_mm[None, :])
    hu = np.broadcast_to(np.where(radius_mm < 120, 0, -1000).astype(np.int16), (20, 60, 60))
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((5.0, 5.0, 10.0))
    image.SetOrigin((-147.5, -147.5, 0.0))
    masks = OrganMasks(image, origin="self-test")
    masks.add("body", np.broadcast_to(radius_mm < 120, hu.shape))
    masks.add("spinal_cord", np.broadcast_to(radius_mm < 20, hu.shape))
    ct = ct_volume_node(image, "Water cylinder")
    sheet = CTFactSheet()
    facts = {"tube_voltage_kv": "120", "total_collimation_mm": "40", "pitch": "1", "scan_kind": "helical",
             "ctdivol_mgy": "10", "ctdi_phantom_cm": "32"}
    for name, text in facts.items():
        sheet.write(name, text)
    return ct, segmentation_node_from_masks(masks, ct, "Cylinder masks"), sheet


def wait_for_job(task: str, make_job) -> Path:
    """Run a job through the queue of this Slicer; its folder. Raises `RuntimeError` for anything but success."""
    import slicer

    from organdose.panels import window_jobs

    ended = []

    def on_end(outcome, folder):
        job.keep_folder()
        ended.append((outcome, folder))

    job = window_jobs.submit(task, make_job, lambda report: None, on_end)
    until_s = time.monotonic() + _PATIENCE_S
    while not ended:
        slicer.app.processEvents()
        window_jobs.job_queue().poll()
        time.sleep(0.02)
        if time.monotonic() > until_s:
            window_jobs.cancel(job)
            raise RuntimeError(f"the {task} job did not end within {_PATIENCE_S} s")
    outcome, folder = ended[0]
    if outcome.state.name != "DONE":
        raise RuntimeError(outcome.message)
    return Path(folder)


def assert_centre_below_surface(result) -> None:
    """In a 24 cm water cylinder the axis gets less than the mean, and both are of the order of CTDIvol (10 mGy)."""
    from organdose.scene.organ_table_node import rows_from_table_node

    rows = {row.organ: row for row in rows_from_table_node(result.organ_table)}
    assert 5 < rows["spinal_cord"].mean_mgy < rows["body"].mean_mgy < 30, rows
    assert rows["body"].uncertainty_percent is not None
