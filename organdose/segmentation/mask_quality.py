"""Quality control of organ masks: every mask that cannot be right becomes a finding with a place to look at.

The limits and their sources are in `Resources/mask_quality.json`; docs/mask-quality.md explains the checks.
"""

from __future__ import annotations

from collections.abc import Iterable

import SimpleITK as sitk

from organdose.anatomy.mask_finding import Finding, Severity
from organdose.anatomy.organ_masks import OrganMasks
from organdose.progress import Progress
from organdose.segmentation.drawn_organs import DrawnImage, DrawnOrgan
from organdose.segmentation.quality_amount import body_size, hounsfield_findings, shows_contrast, volume_findings
from organdose.segmentation.quality_borders import border_findings, reconstruction_edge
from organdose.segmentation.quality_overlap import overlap_findings
from organdose.segmentation.quality_place import missing_findings, side_findings
from organdose.segmentation.quality_shape import shape_findings

_ORDER = tuple(Severity)
_STAGE = "checking masks"


def mask_findings(masks: OrganMasks, ct: sitk.Image, *, sex: str = "", expected: Iterable[str] | None = None,
                  progress: Progress | None = None) -> tuple[Finding, ...]:
    """What is wrong or needs a look, the bad first, then in the order of the masks.

    `ct` holds HU on the grid of the masks. `sex` ('M', 'F') chooses the reference masses; '' takes the mean of both.
    `expected` names the organs that were asked for (an engine's): those that the image should show must be there.
    Raises `InputError` when the CT lies on another grid, `Cancelled` when the user stops.
    """
    progress = progress or Progress()
    progress.report(_STAGE, 0.0)
    image = DrawnImage(masks, ct)
    found = [*missing_findings(image, sex, tuple(expected or ()))]
    size, contrast, circle = body_size(image, sex), shows_contrast(image), reconstruction_edge(image)
    for done, drawn in enumerate(image.organs.values()):
        progress.report(_STAGE, done / len(image.organs), drawn.name)
        found += [*shape_findings(drawn), *border_findings(drawn, circle), *volume_findings(drawn, sex, size),
                  *hounsfield_findings(drawn, contrast)]
        _remember_numbers(drawn)
    found += [*side_findings(image), *overlap_findings(image)]
    places = {name: place for place, name in enumerate(masks.names)}
    return tuple(sorted(found, key=lambda f: (_ORDER.index(f.severity), places.get(f.organ, len(places)))))


def _remember_numbers(drawn: DrawnOrgan) -> None:
    """Keep what later checks need of an organ, and give its voxels back."""
    _ = drawn.voxels, drawn.centroid
    drawn.forget()
