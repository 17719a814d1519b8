"""What is known of each mask of a segmentation while it is drawn: volume, fingerprint, and who answers for it.

An approval falls with the first edit, by whatever means: the review in the segment's tags is brought up to date here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from organdose.anatomy.mask_finding import Finding
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, Review, review_as_now
from organdose.assess.boxes import slabs
from organdose.errors import InputError
from organdose.scene.segment_edits import SegmentDrawing, SegmentEdits
from organdose.scene.segmentation_nodes import put_review, review_of_segment
from organdose.scene.volume_nodes import grid_of_volume_node
from organdose.segmentation.drawn_organs import DrawnImage
from organdose.segmentation.quality_limits import is_among, limits, partner
from organdose.segmentation.quality_place import side_findings

_SLAB_VOXELS = 4_000_000


@dataclass(frozen=True)
class MaskState:
    """One mask as it is now. `review`: None where nobody knows how it came about."""

    segment_id: str
    fingerprint: str
    volume_ml: float
    review: Review | None


class MaskStates:
    """The states of the masks of one segmentation on one CT, by organ, as of the last `follow` that came to its end.

    Raises `InputError` when the CT is empty, stands under a transform or is oblique.
    """

    def __init__(self, segmentation_node, ct_node):
        self.segmentation_node, self.ct_node = segmentation_node, ct_node
        self.states: dict[str, MaskState] = {}
        self._edits = SegmentEdits.of(segmentation_node, ct_node)
        self._voxels: dict[str, int] = {}
        self._mark = 0
        self._as_came: dict[str, str] = {}  # fingerprints of masks that came without a review

    def follow(self) -> Generator[None, None, tuple[str, ...]]:
        """Bring the states and the reviews in the segments up to date, in short steps; only masks that changed are
        looked at. Returns the organs that lost an approval.

        Raises `InputError` as `SegmentEdits.drawing`.
        """
        drawing = None
        while drawing is None or not self.is_of_now(drawing):
            drawing = self._edits.drawing()
            yield from self._edits.kept.follow(drawing)
            yield from self._edits.reviews.follow(dict.fromkeys(drawing.segments))
            yield from self._count(drawing)
        return self._take(drawing)

    def is_of_now(self, drawing: SegmentDrawing) -> bool:
        """Whether nobody has drawn since."""
        now = self._edits.drawing()
        return (now.stamps, now.segments) == (drawing.stamps, drawing.segments)

    def drawing(self) -> SegmentDrawing:
        return self._edits.drawing()

    def approve(self, names: Iterable[str], who: str) -> None:
        """Keep with these segments that `who` approves their masks as of the last `follow`.

        Raises `InputError`, and approves none, for an empty name, and for an organ that is not there or empty.
        """
        who = " ".join(who.split())
        if not who:
            raise InputError("an approval needs a name", mend="Type who approves the mask.")
        now, reviews = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), {}
        for name in names:
            state = self.states.get(name)
            if state is None or not state.volume_ml:
                raise InputError(f"there is no mask of {name!r} to approve", mend="Draw it first.")
            drawn = state.review.drawn if state.review else Drawn.EDITED  # as `anatomy.review.approve`
            reviews[name] = Review(drawn, state.fingerprint, who, now)
        self._put(reviews)

    def withdraw(self, names: Iterable[str]) -> None:
        """Take approvals back; how the masks were drawn stays known."""
        states = {name: self.states[name] for name in names if name in self.states}
        self._put({name: Review(state.review.drawn, state.fingerprint) for name, state in states.items()
                   if state.review is not None and state.review.approved_by})

    def side_findings(self, name: str) -> tuple[Finding, ...]:
        """What the quality control says of the side of an organ, as of the last `follow`."""
        kept = self._edits.kept
        middle = {each for each in kept.boxes if is_among(each, limits()["sides"]["midline"])} or {"body"}
        wanted = {name, partner(name)} | middle
        masks = OrganMasks(grid_of_volume_node(self.ct_node), kept.layers,
                           {each: place for each, place in kept.segments.items() if each in wanted})
        return tuple(found for found in side_findings(DrawnImage.of_boxes(masks, kept.boxes)) if found.organ == name)

    def _count(self, drawing: SegmentDrawing) -> Generator[None, None, None]:
        """The voxels of each mask that is new or has changed."""
        kept = self._edits.kept
        for name in kept.changes_since(self._mark):
            self._voxels.pop(name, None)
        self._mark = kept.mark
        for name, (layer, value) in drawing.segments.items():
            if name in self._voxels:
                continue
            count = 0
            for slab in slabs(kept.boxes[name], _SLAB_VOXELS) if name in kept.boxes else ():
                count += int(np.count_nonzero(kept.layers[layer][slab] == value))
                yield
            self._voxels[name] = count

    def _take(self, drawing: SegmentDrawing) -> tuple[str, ...]:
        fingerprints = self._edits.reviews.fingerprints
        voxel_ml = float(np.prod(self.ct_node.GetSpacing())) / 1000
        segmentation, lost, states, changed = self.segmentation_node.GetSegmentation(), [], {}, {}
        for name, segment_id in drawing.segment_ids.items():
            before = review_of_segment(segmentation.GetSegment(segment_id))
            now = self._review_now(name, before, fingerprints[name])
            if now != before:
                changed[name] = now
                lost += [name] if before is not None and before.approved_by else []
            states[name] = MaskState(segment_id, fingerprints[name], self._voxels[name] * voxel_ml, now)
        self.states = states
        self._put(changed)
        return tuple(lost)

    def _review_now(self, name: str, before: Review | None, fingerprint: str) -> Review | None:
        if before is not None:
            return review_as_now(before, fingerprint)
        if self._as_came.setdefault(name, fingerprint) == fingerprint:
            return None
        return Review(Drawn.EDITED, fingerprint)  # it was drawn on before our eyes

    def _put(self, reviews: Mapping[str, Review]) -> None:
        """Into the segments, with one event for all: whoever listens would look at the segmentation for each tag."""
        segmentation = self.segmentation_node.GetSegmentation()
        was_modifying = self.segmentation_node.StartModify()
        for name, review in reviews.items():
            put_review(segmentation.GetSegment(self.states[name].segment_id), review)
            self.states[name] = replace(self.states[name], review=review)
        self.segmentation_node.EndModify(was_modifying)
