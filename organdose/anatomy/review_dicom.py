"""The review of a mask in its item of a DICOM Segmentation.

The standard has an algorithm type a segment, but an approval only in radiotherapy objects (PS3.3 C.8.8.16), which a
Segmentation is not: who approved what and when is readable text in the segment's description, and for us a private
element (PS3.5 7.8.1) that other readers pass by.
"""

from __future__ import annotations

import json

from pydicom.dataset import Dataset

from organdose.anatomy.review import Review, review_from_json, review_to_json
from organdose.errors import InputError

_GROUP, _CREATOR, _ELEMENT = 0x0071, "ORGANDOSE REVIEW", 0x01


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
