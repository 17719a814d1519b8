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


def uniform_activity(ct):
    """(volume node, `FrameFacts`) of 10 kBq/ml F-18 in the water of `water_cylinder`, an hour after 100 MBq."""
    import SimpleITK as sitk

    from organdose.panels.frame_facts import FrameFacts
    from organdose.scene.volume_nodes import image_from_volume_node, volume_node_from_image
    from organdose.study.nuclear_fact_sheet import NuclearFactSheet

    image = sitk.Cast(image_from_volume_node(ct) > -500, sitk.sitkFloat32) * 1e4
    sheet = NuclearFactSheet()
    facts = {"nuclide": "F-18", "administered_mbq": "100", "administered_at": "2025-01-15 09:00",
             "scan_start_at": "2025-01-15 10:00", "duration_s": "120", "image_unit": "BQML",
             "decay_correction": "START"}
    for name, text in facts.items():
        sheet.write(name, text)
    return volume_node_from_image(image, "Activity"), FrameFacts([sheet])


def assert_beta_dose(result) -> None:
    """Positrons (0.2498 MeV in 96.7 % of decays) leave what they have in the water; of the four times as much that the
    photons of 511 keV carry, a quarter to a half stays in a cylinder of 24 cm, most of it near the axis."""
    import math

    from organdose.scene.organ_table_node import rows_from_table_node

    row = {row.organ: row for row in rows_from_table_node(result.organ_table)}["spinal_cord"]
    half_life_s = 6586.0
    decays_ml = 1e4 * 2 ** (3600 / half_life_s) * half_life_s / math.log(2)  # F-18 from the administration on
    beta_mgy = decays_ml * 1000 * 0.967 * 0.2498 * 1.602176634e-13 * 1000
    assert 1.5 * beta_mgy < row.mean_mgy < 3.5 * beta_mgy, (row, beta_mgy)
