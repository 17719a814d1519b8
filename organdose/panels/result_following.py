"""Edits follow: while a result is in the scene, its organ table and DVH go with the masks it refers to.

One service for the whole of Slicer: it works in whichever module the masks are edited.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from organdose.scene.result_attributes import MASKS_CHANGED_ATTRIBUTE

_shared: dict[str, object] = {}
# Of the table: why it no longer stands. All but the first stay until the dose is computed again.
STALE_ATTRIBUTE, CT_CHANGED_ATTRIBUTE = "OrganDose.Stale", "OrganDose.CTChanged"
STALE_ATTRIBUTES = (STALE_ATTRIBUTE, CT_CHANGED_ATTRIBUTE, MASKS_CHANGED_ATTRIBUTE)
_SETTLE_MS = 10  # one stroke of a brush is several events


def result_following() -> ResultFollowing:
    """The service of this Slicer; it starts at the first call."""
    if "following" not in _shared:
        _shared["following"] = ResultFollowing()
    return _shared["following"]


class ResultFollowing:
    """Watches the segmentations that dose results of the scene refer to, and brings the results up to date."""

    def __init__(self):
        import qt
        import slicer

        from organdose.assess.kernels import load_kernels

        load_kernels()  # a tenth of a second that is felt in the middle of a stroke, not here
        self._followed: dict[str, _Followed] = {}  # by the ID of the organ table
        self._listeners: list[Callable[[object], None]] = []
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.look_again)
        scene = slicer.mrmlScene
        self._tags = [scene.AddObserver(event, lambda *_: self._timer.start()) for event in
                      (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndImportEvent, scene.EndCloseEvent)]
        slicer.app.connect("aboutToQuit()", self.stop)
        self.look_again()

    def stop(self) -> None:
        """Leave the scene and all results alone: the application ends."""
        import slicer

        self._timer.stop()
        for tag in self._tags:
            slicer.mrmlScene.RemoveObserver(tag)
        for followed in self._followed.values():
            followed.stop()
        self._followed, self._tags = {}, []

    @property
    def is_busy(self) -> bool:
        """Whether any result is being brought up to date."""
        return any(followed.is_busy for followed in self._followed.values())

    def listen(self, callback: Callable[[object], None]) -> None:
        """`callback(table_node)` after each change of a followed result."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[object], None]) -> None:
        if callback in self._listeners:
            self._listeners.remove(callback)

    def look_again(self) -> None:
        """Follow the results that have come, leave those that have gone."""
        from organdose.scene.ct_dose_scene import CTDoseScene
        from organdose.scene.derived_tables import update_all
        from organdose.scene.internal_dose_scene import InternalDoseScene

        results = [*CTDoseScene.in_scene(), *InternalDoseScene.in_scene()]
        present = {result.organ_table.GetID(): result for result in results}
        for table_id, followed in list(self._followed.items()):
            if not followed.is_of(present.get(table_id)):  # in another scene its ID may be somebody else's
                self._followed.pop(table_id).stop()
        for table_id in present.keys() - self._followed.keys():
            self._followed[table_id] = _Followed(present[table_id], self._tell)
        update_all()

    def _tell(self, table_node) -> None:
        from organdose.scene.derived_tables import update_tables_of

        update_tables_of(table_node)
        for listener in list(self._listeners):
            try:
                listener(table_node)
            except Exception:  # one window's trouble is not the others'
                logging.exception("a window could not show a changed result")


class _Followed:
    """One result with its observers and the work on it."""

    def __init__(self, result, tell: Callable[[object], None]):
        import qt
        import slicer

        from organdose.panels.steps import Steps
        from organdose.scene.live_results import live_result

        self._result, self._table, self._tell, self._told = result, result.organ_table, tell, None
        self._live = live_result(result)
        self._steps = Steps()
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._work)
        self._tags = self._live.observe_edits(lambda *_: self._timer.start())
        self._ct_mtime = _voxels_mtime(result.ct)
        self._ct_tags = [result.ct.AddObserver(event, self._ct_modified)  # which one comes depends on who writes
                         for event in (slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent, "ModifiedEvent")]
        self._timer.start()

    @property
    def is_busy(self) -> bool:
        return self._steps.is_busy or self._timer.active

    def is_of(self, result) -> bool:
        """Whether a result (None: none) has the very nodes that are followed."""
        return result is not None and all(
            mine is its for mine, its in ((self._result.organ_table, result.organ_table), (self._result.ct, result.ct),
                                          (self._result.dose, result.dose),
                                          (self._result.segmentation, result.segmentation)))

    def stop(self) -> None:
        """Let go of everything: Qt keeps what its signals are connected to, and that is hundreds of MB of masks."""
        self._timer.stop()
        self._timer.timeout.disconnect(self._work)
        self._steps.discard()
        self._live.stop_observing(self._tags)
        for tag in self._ct_tags:
            self._result.ct.RemoveObserver(tag)
        self._live = self._result = None

    def _ct_modified(self, caller, event) -> None:
        """The masses of the table follow the CT's new values, the dose was computed with the old ones."""
        if _voxels_mtime(self._result.ct) != self._ct_mtime:
            self._table.SetAttribute(CT_CHANGED_ATTRIBUTE, "the CT's values changed since this was computed")
            self._tell_changes()

    def _work(self) -> None:
        # An edit while earlier ones are being followed: what is edited now goes first, the rest comes after it.
        self._steps.run(self._live.follow(), on_step=lambda _: self._tell_changes(), on_done=lambda _: self._done(),
                        on_error=self._failed)

    def _tell_changes(self) -> None:
        if self._table.GetMTime() != self._told:
            self._told = self._table.GetMTime()
            self._tell(self._table)

    def _done(self) -> None:
        self._table.RemoveAttribute(STALE_ATTRIBUTE)
        self._tell_changes()

    def _failed(self, error: Exception) -> None:
        logging.error("the organ table could not follow the edit: %s", error, exc_info=error)
        self._table.SetAttribute(STALE_ATTRIBUTE, f"the table could not follow the last edit ({error})")
        self._tell_changes()


def _voxels_mtime(volume_node) -> int | None:
    image = volume_node.GetImageData()
    scalars = image.GetPointData().GetScalars() if image is not None else None
    return scalars.GetMTime() if scalars is not None else None
