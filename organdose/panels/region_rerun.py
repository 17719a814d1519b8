"""One organ drawn again in a box of the CT, and put back into its segment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from organdose.errors import InputError


class RegionRerun:
    """A button that puts a box around the segment shown, and one that draws the organ again in it.

    `engine_now()` gives the name of the engine and its parameters. `before_change()` is called right before the voxels
    of the segment are replaced, for undo. The box is a ROI of the scene that people move and resize in the views.
    """

    def __init__(self, engine_now: Callable[[], tuple[str, Mapping[str, object]]],
                 before_change: Callable[[], None] = lambda: None):
        import qt

        from organdose.panels.job_panel import JobPanel

        self._engine_now, self._before_change = engine_now, before_change
        self._shown = None, "", None
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        self.box_button, self.remove_button = qt.QPushButton("Box around the organ"), qt.QPushButton("Remove box")
        self.box_button.objectName, self.remove_button.objectName = "regionBoxButton", "regionRemoveButton"
        row = qt.QHBoxLayout()
        row.addWidget(self.box_button, 3)
        row.addWidget(self.remove_button, 1)
        column.addLayout(row)
        self.job = JobPanel("Draw again in the box", self.run, lambda outcome: self._check())
        column.addWidget(self.job.widget)
        self.box_button.clicked.connect(lambda *_: self.place_box())
        self.remove_button.clicked.connect(lambda *_: self.remove_box())
        self.show(None, "", None)

    def show(self, segmentation_node, segment_id: str | None, ct_node) -> None:
        """The segment to draw again, and the CT; None or '' where nothing is chosen."""
        self._shown = segmentation_node, segment_id or "", ct_node
        self._check()

    def cancel(self) -> None:
        self.job.cancel()

    def stop(self) -> None:
        self.job.stop()

    def place_box(self) -> None:
        """Put the box around the segment, to be moved in the views."""
        from organdose.scene.region_box import box_around

        try:
            box_around(*self._shown)
        except InputError as error:
            self.job.say(str(error), "bad")
        self._check()

    def remove_box(self) -> None:
        """Take the box out of the scene."""
        import slicer

        from organdose.scene.region_box import region_box

        if (box := region_box()) is not None:
            slicer.mrmlScene.RemoveNode(box)
        self._check()

    def run(self) -> None:
        """Draw the organ again in the box with the engine that is chosen now."""
        from organdose.scene.region_box import region_box, region_of

        if reason := self._why_not():  # what was shown may have left meanwhile
            self.job.say(reason, "bad")
            self._check()
            return
        segmentation, segment_id, ct = self._shown
        engine, parameters = self._engine_now()
        organ, region_mm = self._organ(), region_of(region_box())
        job = {"engine": engine, "engine_parameters": dict(parameters), "organs": [organ], "region_mm": region_mm,
               "compressed": False}
        self.job.run("segment", lambda folder: _job_steps(folder, ct, job),
                     lambda folder: self._take_steps(folder, segmentation, segment_id, ct, job))
        self._check()

    def _organ(self) -> str:
        from organdose.scene.segmentation_nodes import organ_of_segment

        segmentation, segment_id, _ct = self._shown
        return organ_of_segment(segment_id, segmentation.GetSegmentation().GetSegment(segment_id))

    def _check(self) -> None:
        from organdose.scene.region_box import region_box

        reason = self._why_no_box()
        self.box_button.enabled = not reason
        self.box_button.toolTip = reason or ("Put a box around the organ; move its sides in the views to where the "
                                             "mask is wrong.")
        there = region_box() is not None
        self.remove_button.enabled = there
        self.remove_button.toolTip = "Take the box out of the views." if there else "There is no box."
        self.job.refuse(self._why_not())

    def _why_no_box(self) -> str:
        from organdose.scene.ct_facts import why_no_ct

        segmentation, segment_id, ct = self._shown
        if segmentation is None or segmentation.GetSegmentation().GetSegment(segment_id) is None:
            return "Choose an organ of the masks first."
        return why_no_ct(ct)

    def _why_not(self) -> str:
        """Why the organ cannot be drawn again now; '' when it can."""
        from organdose.anatomy.organs import describe
        from organdose.panels.job_packages import installed_for_jobs
        from organdose.scene.region_box import region_box
        from organdose.segmentation.engine_needs import why_not_drawn

        if reason := self._why_no_box():
            return reason
        if region_box() is None:
            return "Put the box around the organ first."
        engine, parameters = self._engine_now()
        return why_not_drawn(engine, parameters, self._organ(), describe(self._organ()).title, installed_for_jobs)

    def _take_steps(self, folder: Path, segmentation, segment_id: str, ct, job: dict) -> Generator[float, None, str]:
        """Put what was drawn into the segment as it is now, which may have been edited meanwhile outside the box."""
        from organdose.anatomy.organs import describe
        from organdose.scene.job_files import masks_from_file_steps
        from organdose.scene.region_box import drawn_steps, put_region

        (organ,) = job["organs"]
        _check_there(segmentation, segment_id, ct)
        drawn = yield from drawn_steps(masks_from_file_steps(folder / "result.seg.nrrd", ct), organ)
        _check_there(segmentation, segment_id, ct)
        self._before_change()
        before_ml, after_ml = put_region(segmentation, segment_id, ct, drawn, job["region_mm"])
        shutil.rmtree(folder, ignore_errors=True)
        return (f"Done: {describe(organ).title} drawn again in the box, {before_ml:.1f} ml before, {after_ml:.1f} ml "
                "now. Look at it; Undo brings the mask before back.")


def _job_steps(folder: Path, ct_node, job: dict) -> Generator:
    """Writes the CT to `folder`, yields (stage, fraction), returns the 'segment' job."""
    from organdose.scene.job_files import ct_file_steps, staged

    yield from staged("Writing the CT", ct_file_steps(ct_node, folder / "ct.nrrd"))
    return {**job, "ct": str(folder / "ct.nrrd"), "out": str(folder / "result.seg.nrrd")}


def _check_there(segmentation, segment_id: str, ct) -> None:
    if ct.GetScene() is None or segmentation.GetScene() is None:
        raise InputError("the CT or the masks were deleted meanwhile")
    if segmentation.GetSegmentation().GetSegment(segment_id) is None:
        raise InputError("the segment was deleted meanwhile", mend="Undo its removal and run again.")
