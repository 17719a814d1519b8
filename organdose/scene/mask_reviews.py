"""Whether the reviews of masks still hold while somebody draws: only masks that changed are looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from organdose.anatomy.mask_status import mask_status
from organdose.anatomy.review import Review, fingerprint_steps, review_as_now
from organdose.assess.mask_changes import KeptMasks

_DRAWN_ON = ""  # no fingerprint: that of a mask which has changed and was not looked at yet


class MaskReviews:
    """The fingerprints of the reviewed masks among `kept`, of an image with this `direction` (as in SimpleITK)."""

    def __init__(self, kept: KeptMasks, direction: tuple[float, ...]):
        self._kept, self._direction = kept, direction
        self._fingerprints: dict[str, str] = {}
        self._mark = 0  # up to where the changes of the masks have been looked at

    def follow(self, reviews: Mapping[str, Review]) -> Iterator[None]:
        """Take the fingerprints that lack of the masks in `reviews`, in steps of a few milliseconds.

        A step may be the last one taken: the next call goes on.
        """
        while True:
            yield from self._kept.finish()  # boxes fit when nobody is in the middle of an edit
            known = self._known()
            name = next((name for name in reviews if name in self._kept.segments and name not in known), None)
            if name is None:
                return
            state, layer, value = self._state(), *self._kept.segments[name]
            steps = fingerprint_steps(self._kept.layers[layer], value, self._kept.boxes.get(name), self._direction)
            while self._state() == state:
                try:
                    next(steps)
                except StopIteration as end:
                    known[name] = end.value
                    break
                yield
            yield

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Those that are known of the masks as they are kept now."""
        return self._known()

    def statuses(self, reviews: Mapping[str, Review]) -> dict[str, str]:
        """What to say of each mask now (see `mask_status`); one that was drawn on since `follow` counts as changed."""
        known = self._known()
        return {name: mask_status(review_as_now(reviews[name], known.get(name, _DRAWN_ON)))
                if name in reviews else "" for name in self._kept.segments}

    def _state(self) -> tuple[int, int]:
        return self._kept.mark, self._kept.layout

    def _known(self) -> dict[str, str]:
        for name in self._kept.changes_since(self._mark):
            self._fingerprints.pop(name, None)
        self._mark = self._kept.mark
        return self._fingerprints
