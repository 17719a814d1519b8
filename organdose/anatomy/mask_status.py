"""The state of masks as a word or a line for tables: automatic, edited, estimated, approved by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from organdose.anatomy.organs import expand, is_known
from organdose.anatomy.review import Review

UNKNOWN = "unknown"  # among members of a group; a mask of its own that nobody knows of has an empty cell


def mask_status(review: Review | None) -> str:
    """'approved by A. Smith on 2026-11-21 (edited)', else how the mask was drawn ('automatic'); '' where nobody knows.
    """
    if review is None:
        return ""
    return review.line if review.approved_by else review.drawn.value


def row_status(name: str, statuses: Mapping[str, str]) -> str:
    """The status of a row of a dose table from those of all drawn masks ('' for masks without one).

    A group that is joined from masks has their status where they agree, else all with their numbers:
    'automatic (1 of 2); approved by A. Smith on 2026-11-21 (edited) (1 of 2)'. The remainder of the body has none.
    """
    if name in statuses:
        return statuses[name]
    members = expand(name, statuses) if is_known(name) else ()
    found = Counter(statuses[member] for member in members)
    if len(found) <= 1:
        return next(iter(found), "")
    return "; ".join(f"{status or UNKNOWN} ({count} of {len(members)})" for status, count in found.items())
