"""The masks that the window shows, followed while they are drawn: states by organ, and approvals that fell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

_SETTLE_MS = 200  # a stroke of a brush is several events, and nobody reads the review in the middle of it


class MaskFollowing:
    """Keeps `MaskStates` of one segmentation up to date. `on_changed(lost)` after each look: the organs that lost an
    approval by it."""

    def __init__(self, on_changed: Callable[[tuple[str, ...]], None]):
        import qt

        from organdose.panels.steps import Steps

        self._on_changed, self._steps, self._waiting = on_changed, Steps(), []
        self._masks, self._tags = None, []
        self._nodes = (None, None)
        self.complaint = ""  # why the masks cannot be followed
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._look)

    @property
    def masks(self):
        """The `MaskStates`; None without masks, and where they cannot be followed."""
        return self._masks

    @property
    def states(self) -> Mapping[str, object]:
        """The `MaskState` of each organ as of the last look."""
        return {} if self._masks is None else self._masks.states

    @property
    def is_busy(self) -> bool:
        return self._timer.active or self._steps.is_busy

    def follow(self, segmentation_node, ct_node) -> None:
        """Follow these masks from now on; None for either: none."""
        from organdose.errors import InputError
        from organdose.scene.mask_states import MaskStates
        from organdose.scene.segment_edits import observe_edits

        nodes = (segmentation_node, ct_node) if segmentation_node is not None and ct_node is not None else (None, None)
        if all(new is old for new, old in zip(nodes, self._nodes)):
            return
        self._let_go()
        self._nodes = nodes
        if nodes[0] is None:
            return
        try:
            self._masks = MaskStates(*nodes)
        except InputError as error:
            self.complaint = str(error)
            return
        self._tags = observe_edits(segmentation_node, lambda *_: self._timer.start())
        self._look()

    def when_current(self, act: Callable[[], None], too_late: Callable[[], None]) -> None:
        """Call `act` once the states are those of the masks as they are now, `too_late` where somebody draws before."""
        if self._masks is None:
            return
        self._waiting.append((self._masks.drawing(), act, too_late))
        self._look()

    def stop(self) -> None:
        """Let go of everything for good: Qt keeps what its signals are connected to."""
        self._let_go()
        self._timer.timeout.disconnect(self._look)
        self._steps.discard()

    def _let_go(self) -> None:
        from organdose.scene.segment_edits import stop_observing

        self._timer.stop()
        self._steps.stop()
        self._waiting = []
        if self._tags:
            stop_observing(self._nodes[0], self._tags)
        self._masks, self._tags, self._nodes, self.complaint = None, [], (None, None), ""

    def _look(self) -> None:
        self._timer.stop()
        if self._masks is not None and all(node.GetScene() is not None for node in self._nodes):
            self._steps.run(self._masks.follow(), on_done=self._done, on_error=self._failed)

    def _done(self, lost: tuple[str, ...]) -> None:
        self.complaint = ""
        waiting, self._waiting = self._waiting, []
        for drawing, act, too_late in waiting:
            (act if self._masks.is_of_now(drawing) else too_late)()
        self._on_changed(lost)

    def _failed(self, error: Exception) -> None:
        from organdose.errors import InputError

        if not isinstance(error, InputError):
            logging.error("the masks could not be followed", exc_info=error)
        self.complaint, waiting, self._waiting = str(error), self._waiting, []
        for _drawing, _act, too_late in waiting:
            too_late()
        self._on_changed(())
