"""The files of a comparison: tables, difference and gamma maps, pictures, scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from organdose.export.dose_comparison_pictures import write_comparison_pictures
from organdose.export.dose_comparison_tables import (
    comparison_figures,
    write_figures_csv,
    write_joint_histogram_csv,
    write_organ_comparison_csv,
    write_organ_summary_csv,
)
from organdose.export.image_file import write_image, write_map
from organdose.jobs.compare_job import ComparisonResult
from organdose.jobs.record import RunRecord
from organdose.jobs.scene_file import write_scene_file
from organdose.progress import Progress


def write_comparison_files(folder: Path, result: ComparisonResult, record: RunRecord, *, scene: bool,
                           progress: Progress) -> None:
    """Fill `folder` with everything but `run.json`. Raises `OSError` or `InputError` when one cannot be written."""
    found = result.comparison
    with record.timed("tables"):
        write_figures_csv(folder / "comparison.csv", comparison_figures(found))
        write_joint_histogram_csv(folder / "joint_histogram.csv", found.histogram)
        if result.organs is not None:
            write_organ_comparison_csv(folder / "organ_comparison.csv", result.organs)
            write_organ_summary_csv(folder / "organ_summary.csv", result.organ_errors)
        write_map(found.pair.image_of(found.difference_mgy), folder / "difference.nrrd", units="mGy",
                   quantity="test minus reference dose; NaN: not in both maps")
        for name, gamma in (("gamma", found.gamma_global), ("gamma_local", found.gamma_local)):
            write_map(found.pair.image_of(gamma.gamma), folder / f"{name}.nrrd", units="1",
                       criteria=gamma.criteria.title, quantity=f"gamma index {gamma.criteria.title}; NaN: none")
        write_image(found.pair.image_of(found.pair.region.astype(np.uint8)), folder / "region.nrrd")
    with record.timed("pictures"):
        write_comparison_pictures(folder / "pictures", found, result.organs, progress)
    if scene:
        with record.timed("scene"):
            _write_scene(folder / "scene.mrb", result, record, progress)


def _write_scene(path: Path, result: ComparisonResult, record: RunRecord, progress: Progress) -> None:
    def build():
        from organdose.scene.dose_comparison_scene import build_dose_comparison_scene

        return build_dose_comparison_scene(result.comparison, result.organs, ct=result.ct, masks=result.masks)

    write_scene_file(path, build, record, progress)
