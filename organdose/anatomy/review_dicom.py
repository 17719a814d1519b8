"""The review of a mask in DICOM: in the item of a Segmentation, or of a structure set.

Segmentations have an algorithm type a segment, but no approval: who approved what and when is readable text in the
segment's description, and for us a private element (PS3.5 7.8.1) that other readers pass by. Structure sets have one
approval for all of it (PS3.3 C.8.8.16) and none a region: that of a region is text in the ROI Observation Description,
a sentence for people and a line for us.
"""

from __future__ import annotations

import json

from pydicom.dataset import Dataset

from organdose.anatomy.review import Drawn, Review, review_from_json, review_to_json
from organdose.errors import InputError

_GROUP, _CREATOR, _ELEMENT = 0x0071, "ORGANDOSE REVIEW", 0x01
_LINE = "OrganDose review: "  # before the JSON
_SHORT_TEXT = 1024  # characters that an ST may have, PS3.5 6.2


def person_name(typed: str) -> str:
    """What somebody typed as a DICOM person name of one component: 64 characters, none that separates. PS3.5 6.2."""
    return typed.translate(str.maketrans("^=\\", "   "))[:64].strip()


def algorithm_type(review: Review | None) -> str:
    """Segment Algorithm Type (PS3.3 C.8.20.2) and ROI Generation Algorithm (C.8.8.5): by a computer, assisted by the
    user, by the user alone. Of masks without a review nobody knows whether a person corrected them: SEMIAUTOMATIC is
    what holds in every case."""
    if review is None:
        return "SEMIAUTOMATIC"
    return {Drawn.EDITED: "SEMIAUTOMATIC", Drawn.MANUAL: "MANUAL"}.get(review.drawn, "AUTOMATIC")


def review_text(review: Review) -> str:
    """The review as an ROI Observation Description; without the line for us where it would become too long."""
    text = f"{review.line}\r\n{_LINE}{json.dumps(review_to_json(review), ensure_ascii=False)}"
    return text if len(text) <= _SHORT_TEXT else review.line[:_SHORT_TEXT]


def review_of_text(text: str) -> Review | None:
    """The review that `review_text` wrote; None where there is none or it cannot be read."""
    line = next((line for line in text.splitlines() if line.startswith(_LINE)), "")
    try:
        return review_from_json(json.loads(line.removeprefix(_LINE)))
    except (ValueError, InputError):
        return None


def put_review(segment: Dataset, review: Review) -> None:
    """Add the review to an item of the Segment Sequence, as a private element with JSON."""
    text = json.dumps(review_to_json(review))
    segment.private_block(_GROUP, _CREATOR, create=True).add_new(_ELEMENT, "UT", text)


def review_of_segment(segment: Dataset) -> Review | None:
    """The review that `put_review` wrote; None where there is none or it cannot be read."""
    try:
        value = segment.private_block(_GROUP, _CREATOR)[_ELEMENT].value
        return review_from_json(json.loads(value.decode() if isinstance(value, bytes) else str(value)))
    except (KeyError, ValueError, InputError):
        return None
