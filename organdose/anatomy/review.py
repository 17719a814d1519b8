"""Who answers for the mask of an organ: drawn by an engine, corrected by a person, approved by somebody.

A review holds for the voxels it was given to. Their fingerprint is kept with it, so that an approval never outlives a
change of the mask, whoever made it and in whatever program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import numpy as np
from scipy import ndimage

from organdose.errors import InputError

if TYPE_CHECKING:
    from organdose.anatomy.organ_masks import OrganMasks


# Tag of a segment in Slicer and in .seg.nrrd for each field.
REVIEW_TAGS = {"drawn": "OrganDose.Drawn", "fingerprint": "OrganDose.Fingerprint",
               "approved_by": "OrganDose.ApprovedBy", "approved_at": "OrganDose.ApprovedAt"}
_STEP_VOXELS = 4_000_000


class ReviewStatus(StrEnum):
    """What tables say of a mask; an approval stands before how it was drawn."""

    AUTOMATIC = "automatic"
    ESTIMATED = "estimated"
    EDITED = "edited"
    APPROVED = "approved"


class Drawn(StrEnum):
    """How the voxels came about. `ESTIMATED`: from elsewhere than the image (a phantom fitted to it); an edit does not
    change that, since a neighbour drawn over a mask is no look at it. `MANUAL`: without any engine."""

    AUTOMATIC = "automatic"
    ESTIMATED = "estimated"
    EDITED = "edited"
    MANUAL = "manual"


@dataclass(frozen=True)
class Review:
    """The state of one mask whose voxels have `fingerprint`. `approved_by` is what the person typed, '' without one;
    `approved_at` the time in UTC as ISO 8601 (20261121T194418Z)."""

    drawn: Drawn
    fingerprint: str
    approved_by: str = ""
    approved_at: str = ""

    @property
    def status(self) -> ReviewStatus:
        if self.approved_by:
            return ReviewStatus.APPROVED
        return _STATUS.get(self.drawn, ReviewStatus.EDITED)

    @property
    def line(self) -> str:
        """For tables and files: 'approved by A. Smith on 2026-11-21 (edited)', 'automatic, not approved'."""
        if not self.approved_by:
            return f"{self.drawn.value}, not approved"
        day = self.approved_at[:8]
        when = f" on {day[:4]}-{day[4:6]}-{day[6:]}" if day else ""
        return f"approved by {self.approved_by}{when} ({self.drawn.value})"


_STATUS = {Drawn.AUTOMATIC: ReviewStatus.AUTOMATIC, Drawn.ESTIMATED: ReviewStatus.ESTIMATED}


def fingerprints(masks: OrganMasks, names: Iterable[str] | None = None) -> dict[str, str]:
    """32 hexadecimal digits for each mask (default: all) that change with any of its voxels.

    They are a hash of the bounding box's place and of the voxels in it, along the patient's axes: label layer, label
    value and the order of the image's axes do not matter. Raises `KeyError` when an organ is not there.
    """
    wanted = {name: masks.segments[name] for name in (masks.names if names is None else names)}
    layers = {layer for layer, _ in wanted.values()}
    boxes = {layer: ndimage.find_objects(masks.layers[layer], max_label=255) for layer in layers}
    direction = masks.reference.GetDirection()
    return {name: _returned(fingerprint_steps(masks.layers[layer], value, boxes[layer][value - 1], direction))
            for name, (layer, value) in wanted.items()}


def fingerprint_steps(labels: np.ndarray, value: int, box: tuple[slice, ...] | None,
                      direction: tuple[float, ...]) -> Generator[None, None, str]:
    """The fingerprint of the voxels `value` of one label layer (z, y, x), in steps of a few milliseconds.

    `box` is their bounding box, None where there are none; `direction` that of the image (row-major cosines, LPS).
    """
    axes = _patient_axes(direction)
    order, back = [axis for axis, _ in axes], [backwards for _, backwards in axes]
    sizes = [labels.shape[axis] for axis in order]
    digest = hashlib.sha256(repr(sizes).encode())
    if box is not None:
        sides = [(size - box[axis].stop, size - box[axis].start) if backwards else (box[axis].start, box[axis].stop)
                 for size, axis, backwards in zip(sizes, order, back)]
        turned = np.flip(labels[box].transpose(order), [k for k in range(3) if back[k]])
        digest.update(repr(sides).encode())
        planes = 8 * max(1, _STEP_VOXELS // (8 * turned[0].size))  # by eights: no byte is begun twice
        for first in range(0, len(turned), planes):
            if first:
                yield
            digest.update(np.packbits(np.ascontiguousarray(turned[first:first + planes] == value)).tobytes())
    return digest.hexdigest()[:32]


def _returned(steps: Generator[None, None, str]) -> str:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _patient_axes(direction: tuple[float, ...]) -> list[tuple[int, bool]]:
    """For the patient's z, y and x: the array axis (z, y, x) that runs along it, and whether it runs backwards."""
    cosines = np.reshape(direction, (3, 3))
    along = np.abs(cosines).argmax(axis=1)  # of LPS x, y, z: the index axis
    if set(along) != {0, 1, 2}:
        along = np.arange(3)
    return [(2 - int(along[p]), bool(cosines[p, along[p]] < 0)) for p in (2, 1, 0)]


def mark_drawn(masks: OrganMasks, drawn: Drawn = Drawn.AUTOMATIC, names: Iterable[str] | None = None) -> None:
    """Say of masks (default: all) how they were drawn; earlier reviews of them are gone."""
    for name, of_voxels in fingerprints(masks, names).items():
        masks.reviews[name] = Review(drawn, of_voxels)


def estimated_names(masks: OrganMasks) -> frozenset[str]:
    """The organs that are estimated, not seen in the image."""
    return frozenset(name for name, review in masks.reviews.items() if review.drawn is Drawn.ESTIMATED)


def approve(masks: OrganMasks, name: str, who: str, when: datetime | None = None) -> Review:
    """Approve the mask as it is now, in the name `who` types, at `when` (aware; default: now).

    Raises `InputError` for an empty name, an organ that is not there, or a mask without voxels.
    """
    who = " ".join(who.split())
    if not who:
        raise InputError("an approval needs a name", mend="Type who approves the mask.")
    if name not in masks.segments or not masks.mask(name).any():
        raise InputError(f"there is no mask of {name!r} to approve", mend="Draw it first.")
    now = (when or datetime.now(UTC)).astimezone(UTC)
    before = current_review(masks, name)
    drawn = before.drawn if before else Drawn.EDITED  # of masks from elsewhere nobody knows: the middle is true enough
    masks.reviews[name] = Review(drawn, fingerprints(masks, [name])[name], who, now.strftime("%Y%m%dT%H%M%SZ"))
    return masks.reviews[name]


def current_review(masks: OrganMasks, name: str) -> Review | None:
    """The review of a mask as its voxels are now: edited, not approved, where they differ from those reviewed.

    None where nothing is known of the mask.
    """
    return current_reviews(masks, [name])[name]


def current_reviews(masks: OrganMasks, names: Iterable[str]) -> dict[str, Review | None]:
    """`current_review` of several masks, with one look at each label layer."""
    wanted = list(names)
    now = fingerprints(masks, [name for name in wanted if name in masks.reviews and name in masks.segments])
    return {name: review_as_now(masks.reviews[name], now[name]) if name in now else None for name in wanted}


def review_as_now(kept: Review, now: str) -> Review:
    """The review of voxels whose fingerprint is `now`: edited and not approved where it is another."""
    if now == kept.fingerprint:
        return kept
    drawn = Drawn.EDITED if kept.drawn is Drawn.AUTOMATIC else kept.drawn
    return replace(kept, drawn=drawn, fingerprint=now, approved_by="", approved_at="")


def refresh_reviews(masks: OrganMasks) -> tuple[str, ...]:
    """Bring all reviews up to date after edits. Gives the names of the organs that lost an approval."""
    before = {name: review for name, review in masks.reviews.items() if name in masks.segments}
    now = fingerprints(masks, before)
    masks.reviews = {name: review_as_now(review, now[name]) for name, review in before.items()}
    return tuple(name for name, review in before.items() if review.approved_by and not masks.reviews[name].approved_by)


def review_tags(review: Review) -> dict[str, str]:
    """The review as tags of a segment in Slicer; percent-coded, because | and : separate tags."""
    return {REVIEW_TAGS[key]: quote(text, safe=" ") for key, text in review_to_json(review).items() if text}


def review_from_tags(tags: Mapping[str, str]) -> Review | None:
    """The review that `review_tags` wrote; None where there is none or it cannot be read: nobody answers for it."""
    found = {key: unquote(tags[tag]) for key, tag in REVIEW_TAGS.items() if tag in tags}
    try:
        return review_from_json(found)
    except InputError:
        return None


def review_to_json(review: Review) -> dict[str, str]:
    """The fields of a review as texts; `review_from_json` reads them."""
    return {key: str(value) for key, value in asdict(review).items()}


def review_from_json(data: Mapping[str, object]) -> Review:
    """Raises `InputError` when a field is missing, unknown or no text, or `drawn` is no known word."""
    mend = "Its fields: drawn (automatic, estimated, edited, manual), fingerprint, approved_by, approved_at."
    known = {field.name for field in fields(Review)}
    if not isinstance(data, Mapping) or set(data) - known or not {"drawn", "fingerprint"} <= set(data) or \
            not all(isinstance(value, str) for value in data.values()):
        raise InputError("not a readable review of a mask", mend=mend)
    try:
        return Review(**{**data, "drawn": Drawn(data["drawn"])})
    except ValueError as error:
        raise InputError(f"not a readable review of a mask ({error})", mend=mend) from error
