"""All pictures of an internal dose result, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.engine_comparison import EngineComparison
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap
from organdose.export.nuclear_plots import draw_engines, draw_time_activity
from organdose.export.planes import PlaneViews, informative_planes
from organdose.export.plots import draw_dvh, draw_organ_doses
from organdose.export.slice_pictures import draw_dose, draw_organs, draw_overlay
from organdose.export.time_activity_tables import Curve
from organdose.progress import Progress


@dataclass(frozen=True)
class InternalDosePictures:
    """What is drawn. `tia`: time-integrated activity on the dose grid, MBq h/ml. `comparison`: None for one engine;
    `titles`: of the engines."""

    ct: sitk.Image
    masks: OrganMasks
    dose: DoseMap
    tia: sitk.Image
    rows: Sequence[OrganDose]
    histograms: Sequence[DoseVolumeHistogram]
    curves: Sequence[Curve]
    comparison: EngineComparison | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


def write_internal_dose_pictures(folder: Path, shown: InternalDosePictures,
                                 progress: Progress | None = None) -> dict[str, Path]:
    """Write the pictures as PNG files into `folder` (made when it is not there); returns caption -> file.

    Slices are those of `pictures.write_pictures`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress, drawings, written = progress or Progress(), _drawings(folder, shown), {}
    for done, (caption, draw) in enumerate(drawings.items()):
        progress.report("pictures", done / len(drawings))
        written[caption] = draw()
    progress.report("pictures", 1.0)
    return written


def _drawings(folder: Path, shown: InternalDosePictures) -> dict[str, Callable[[], Path]]:
    views = PlaneViews(shown.ct, shown.dose, shown.masks)
    planes = informative_planes(views)
    smoothed_mm = views.smoothing_voxels * shown.dose.dose_mgy.GetSpacing()[0]
    drawings = {
        "Absorbed dose over the CT: colours as computed, up to the 98th percentile in the body; isodose lines in mGy "
        f"of the dose smoothed by {smoothed_mm:.0f} mm (Gaussian sigma).":
            lambda: draw_dose(views, planes, folder / "dose.png"),
        "Activity over the CT, integrated over all time: where the decays are, up to the 98th percentile in the body.":
            lambda: draw_overlay(views.of_values(shown.tia), planes, folder / "activity.png",
                                 "time-integrated activity in MBq·h/ml"),
        f"The organs whose dose is stated, as drawn ({shown.masks.origin or 'origin not stated'}).":
            lambda: draw_organs(views, planes, folder / "organs.png"),
        "Mean absorbed dose of the main organs. A star: the image does not show the whole organ.":
            lambda: draw_organ_doses(shown.rows, folder / "organ_doses.png"),
        "Cumulative dose-volume histograms of the main organs with the highest mean dose. Statistical noise of the "
        "voxels, and that of PET and SPECT, widens them.":
            lambda: draw_dvh(shown.histograms, shown.rows, folder / "dvh.png")}
    if any(curve.integral_bq_s > 0 for curve in shown.curves):
        drawings["Activity over time of the organs with the most decays: what the images show (dots), and the curves "
                 "that were integrated."] = lambda: draw_time_activity(shown.curves, folder / "time_activity.png")
    if shown.comparison is not None:
        reference = shown.titles.get(shown.comparison.reference, shown.comparison.reference)
        drawings[f"Mean doses of the main organs by engine, and their differences from {reference}."] = (
            lambda: draw_engines(shown.comparison, shown.rows, shown.titles, folder / "engines.png"))
    return drawings
