"""All pictures of a CT dose result, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap
from organdose.export.planes import CORONAL, PlaneViews, informative_planes
from organdose.export.plots import draw_dvh, draw_exposure, draw_organ_doses
from organdose.export.slice_pictures import draw_dose, draw_organs
from organdose.progress import Progress
from organdose.study.facts import CTAcquisition


def write_pictures(folder: Path, ct: sitk.Image, dose: DoseMap, masks: OrganMasks, rows: Sequence[OrganDose],
                   dvhs: Sequence[DoseVolumeHistogram], acquisition: CTAcquisition,
                   slice_positions_mm: Sequence[float], progress: Progress | None = None) -> dict[str, Path]:
    """Write the pictures as PNG files into `folder` (made when it is not there); returns caption -> file.

    The slices are those that show most organs where dose was given (`planes.informative_planes`). All slices are in
    radiological convention: the patient's right is on the left of the picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    views = PlaneViews(ct, dose, masks)
    planes = informative_planes(views)
    coronal = next(plane for plane in planes if plane.axis == CORONAL)
    drawings = {
        "Absorbed dose over the CT: colours as computed, up to the 98th percentile in the body; isodose lines in mGy "
        f"of the dose smoothed by {views.smoothing_voxels * dose.dose_mgy.GetSpacing()[0]:.0f} mm (Gaussian sigma).":
            lambda: draw_dose(views, planes, folder / "dose.png"),
        f"The organs whose dose is stated, as drawn ({masks.origin or 'origin not stated'}).":
            lambda: draw_organs(views, planes, folder / "organs.png"),
        "Mean absorbed dose of the main organs. A star: the image does not show the whole organ.":
            lambda: draw_organ_doses(rows, folder / "organ_doses.png"),
        "Cumulative dose-volume histograms of the main organs with the highest mean dose. Statistical noise of the "
        "voxels widens them.":
            lambda: draw_dvh(dvhs, rows, folder / "dvh.png"),
        "What the X-ray tube did along the patient, and the mean dose in the body slice by slice.":
            lambda: draw_exposure(views, acquisition, slice_positions_mm, coronal.index, folder / "exposure.png"),
    }
    written = {}
    for done, (caption, draw) in enumerate(drawings.items()):
        if progress is not None:
            progress.report("pictures", done / len(drawings))
        written[caption] = draw()
    if progress is not None:
        progress.report("pictures", 1.0)
    return written
