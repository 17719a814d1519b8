"""A CT carried on beyond its ends by the reference patient: tissue and organs that a scan reaches but does not show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand, is_known, organ
from organdose.anatomy.review import Drawn, estimated_names, mark_drawn
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.atlas_engine import AtlasParameters, fitted, origin_of, reference_for, seen_tissue
from organdose.segmentation.atlas_organs import (
    CarriedLabels,
    SeenTissue,
    carried_labels,
    estimated_masks,
    with_seen_bones,
)
from organdose.segmentation.atlas_overlap import without_seen
from organdose.segmentation.atlas_reference import AtlasReference
from organdose.study.ct_study import CTStudy

_AIR_HU = -1000
LONGEST_MM = 1500.0


@dataclass(frozen=True)
class ExtendedCT:
    """`image`: the CT's voxels unchanged, `below` slices before and `above` after them. `masks` on its grid; those with
    voxels beyond the CT are marked as estimated. `ends_mm`: z of the CT's lower and upper face. `lines` for a report.
    """

    image: sitk.Image
    masks: OrganMasks
    below: int
    above: int
    ends_mm: tuple[float, float]
    lines: tuple[str, ...]


def extended_ct(study: CTStudy, beyond_mm: tuple[float, float], parameters: AtlasParameters | None = None,
                given: OrganMasks | None = None, progress: Progress | None = None) -> ExtendedCT:
    """The CT carried on by `beyond_mm` at the feet and at the head.

    `given`: masks on the CT's grid, whose voxels stay as they are; what they lack, in the image and beyond, is
    estimated. Without them body, lungs, bones and air are those from HU. Raises what the atlas engine raises, and
    `InputError` for lengths that are none.
    """
    parameters, progress = parameters or AtlasParameters(), progress or Progress()
    if not all(0 <= length <= LONGEST_MM for length in beyond_mm) or not any(beyond_mm):
        raise InputError(f"a CT cannot be carried on by {beyond_mm[0]:g} mm below and {beyond_mm[1]:g} mm above",
                         mend=f"Give lengths up to {LONGEST_MM:g} mm, one of them above 0.")
    step_mm = study.image.GetSpacing()[2]
    below, above = (int(np.ceil(length / step_mm - 1e-6)) for length in beyond_mm)
    reference = reference_for(study, parameters, progress)
    drawn, seen = seen_tissue(study, progress)
    found = fitted(seen, reference, deformable=parameters.deformable, beyond_mm=beyond_mm, progress=progress)
    wide = _with_slices(study.image, below, above)
    carried = carried_labels(reference, found, wide, progress)
    ends = slice(below, below + study.image.GetDepth())
    whole = _with_reference(wide, carried, reference, seen, ends)
    lines = [f"Beyond the image, {below * step_mm:g} mm at the feet and {above * step_mm:g} mm at the head, tissue and "
             f"organs are those of the {reference.title.lower()} fitted to the image: estimated, not seen.",
             *_cut_lines(whole.body, ends)]
    estimated = estimated_masks(with_seen_bones(carried, reference, whole, lines), reference, whole,
                                origin_of(reference, found), progress)
    masks = _carried_on(drawn if given is None else given, estimated, whole, ends)
    _add_estimated(masks, estimated)
    low_mm = study.image.GetOrigin()[2] - 0.5 * step_mm
    return ExtendedCT(whole.image, masks, below, above, (low_mm, low_mm + step_mm * study.image.GetDepth()),
                      tuple(lines))


def _with_slices(image: sitk.Image, below: int, above: int) -> sitk.Image:
    return sitk.ConstantPad(image, [0, 0, below], [0, 0, above], _AIR_HU)


def _with_reference(wide: sitk.Image, carried: CarriedLabels, reference: AtlasReference, seen: SeenTissue,
                    ends: slice) -> SeenTissue:
    """The image with the reference's HU in the slices outside `ends`, and its body, bones and lungs there."""
    hu = sitk.GetArrayFromImage(wide)
    masks = {name: np.zeros(hu.shape, bool) for name in ("body", "bones", "lungs")}
    for name, mask in masks.items():
        mask[ends] = getattr(seen, name)
    tables = {"body": reference.table(()) | (np.arange(len(reference.hu)) > 0),
              "bones": reference.table(reference.bones), "lungs": reference.table(reference.lungs)}
    values = np.rint(reference.hu).astype(hu.dtype)
    for k in (k for k in range(len(hu)) if not ends.start <= k < ends.stop):
        labels = carried.slice(k, hu.shape[1:])
        hu[k] = values[labels]
        for name, table in tables.items():
            masks[name][k] = table[labels]
    image = sitk.GetImageFromArray(hu)
    image.CopyInformation(wide)
    return SeenTissue(image, **masks)


def _carried_on(kept: OrganMasks, estimated: OrganMasks, whole: SeenTissue, ends: slice) -> OrganMasks:
    """Masks of the CT on the longer grid, those that the image cuts with what lies beyond it."""
    masks = OrganMasks(whole.image, origin=f"{kept.origin}; beyond the image: {estimated.origin}",
                       notes=dict(kept.notes))
    for name in kept.names:
        mask = np.zeros(masks.shape, bool)
        mask[ends] = kept.mask(name)
        more = whole.body if name == "body" else whole.bones if name == "bones" else estimated.union(
            expand(name, estimated.names) if is_known(name) else ())
        more = more.copy()
        more[ends] = False
        review = kept.reviews.get(name)
        masks.add(name, mask | more)
        millilitres = np.count_nonzero(more) * float(np.prod(whole.image.GetSpacing())) / 1000
        notes = [masks.notes.get(name, ""),
                 f"{millilitres:.0f} ml beyond the image are estimated" if more.any() else "",
                 "approved before the CT was carried on" if review is not None and review.approved_by else ""]
        if text := "; ".join(filter(None, notes)):
            masks.notes[name] = text
        if more.any() or review is not None:
            mark_drawn(masks, Drawn.ESTIMATED if more.any() else review.drawn, [name])
    return masks


def _add_estimated(masks: OrganMasks, estimated: OrganMasks) -> None:
    """What the kept masks lack, in the voxels that they leave over."""
    seen = set(masks.names)
    for name in estimated.names:
        parts = organ(name).members
        if name in seen or (parts and all(part in seen for part in parts)):
            continue
        mask = without_seen(name, estimated.mask(name), masks, seen)
        if mask.any():
            masks.add(name, mask)
            masks.notes[name] = estimated.notes[name]
    mark_drawn(masks, Drawn.ESTIMATED, estimated_names(estimated) & (masks.segments.keys() - seen))


def _cut_lines(body: np.ndarray, ends: slice) -> list[str]:
    outside = np.ones(len(body), bool)
    outside[ends] = False
    border = body[:, [0, -1]].any(axis=(1, 2)) | body[:, :, [0, -1]].any(axis=(1, 2))
    cut = int(np.count_nonzero(border & outside))
    empty = int(np.count_nonzero(~body.any(axis=(1, 2)) & outside))
    lines = [f"In {cut} of the added slices the body is wider than the field of the CT and cut off."] if cut else []
    return [*lines, f"{empty} of the added slices lie beyond the reference's body: air."] if empty else lines
