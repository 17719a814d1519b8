"""A dose result of the scene that follows its masks: organ table and DVH change while somebody edits them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, replace

import numpy as np

from organdose.assess.live_organ_table import LiveDose, LiveOrganTable, LiveStep, RowUpdate
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_selection import table_place
from organdose.assess.patient_grid import PatientGrid
from organdose.errors import InputError
from organdose.scene.dose_display import QUANTITY_ATTRIBUTE
from organdose.scene.dvh_plot import update_dvhs
from organdose.scene.organ_table_node import rows_from_table_node, rows_updating, write_masks, write_rows
from organdose.scene.patient_density import density_of_result
from organdose.scene.result_attributes import MASKS_CHANGED_ATTRIBUTE
from organdose.scene.segment_edits import SegmentDrawing, SegmentEdits, observe_edits, patient_grid, stop_observing

SEX_ATTRIBUTE = "OrganDose.PatientSex"  # of the table node: 'M' or 'F'
# Of the table of an internal dose: its time-integrated activity (a volume in MBq h/ml), and what was administered.
TIA_ROLE, ADMINISTERED_ATTRIBUTE = "OrganDose.TimeIntegratedActivity", "OrganDose.AdministeredMBq"
_STEP_S = 0.015  # after so much work the scene is written and the application gets its turn
_SAME = 6e-5  # relative difference of numbers that the tables of a result folder keep with five digits
# What a row may differ in although its mask is the same: who computed it knew more.
_NOT_COMPARED = frozenset({"organ", "snomed", "uncertainty_percent", "in_image_percent", "note", "mask"})


class LiveResult:
    """Keeps one organ table node and its chart in step with the segmentation they were computed with.

    `dose_node` holds mGy, `uncertainty_node` (or None) relative standard uncertainties of its voxels. `organs` are the
    rows wanted beside those the table has, None: all that can be made. Dose maps of one segmentation and CT share one
    copy of the masks.
    """

    def __init__(self, ct_node, segmentation_node, dose_node, uncertainty_node, table_node, chart_node=None, *,
                 organs: Collection[str] | None = None):
        self._ct, self._segmentation, self._dose = ct_node, segmentation_node, dose_node
        self._uncertainty, self._table, self._chart = uncertainty_node, table_node, chart_node
        self._organs = organs
        self._inputs: tuple | None = None  # states of CT and dose that the live table was made from
        self._edits: SegmentEdits | None = None
        self._live: LiveOrganTable | None = None
        self._complete = False  # all rows have been computed once
        self._reviewed = False  # all reviews have been compared with their masks once

    @classmethod
    def of(cls, result) -> LiveResult:
        """For a `scene.dose_result.DoseResult`.

        Rows that its computation was not asked for do not come up; without a record, those that its table has not.
        """
        job = result.record.get("job")
        organs = () if job is None else job.get("organs")
        return cls(result.ct, result.segmentation, result.dose, result.uncertainty, result.organ_table,
                   result.dvh.chart if result.dvh else None, organs=organs)

    def follow(self) -> Iterator[float]:
        """Bring table and chart up to date with the masks, in steps of about 20 ms; yields the part done (0 to 1).

        The first time every row is computed (some seconds for a large CT), later only what an edit reaches, edited
        organs first. A step may be the last one taken: the next call goes on. Ends quietly when a node has left the
        scene. Raises `InputError` for nodes that cannot be followed (under a transform, oblique, no label maps, no
        dose, from the start no organ: its file may be missing), or when the table lacks a column.
        """
        if not self._is_there():
            return
        if self._inputs != (inputs := self._state_of_inputs()):
            self._prepare()
            self._inputs = inputs
        drawing = self._edits.drawing()
        if not drawing.segments and not self._complete:
            raise InputError(f"the segmentation {self._segmentation.GetName()!r} holds no organ", mend="Load it again.")
        updates: list[RowUpdate] = []
        start_s = time.perf_counter()
        for step in self._live.follow(drawing):
            updates += step.updates
            if time.perf_counter() - start_s > _STEP_S:
                self._write(updates, step, drawing)
                updates = []
                yield step.fraction
                if not self._is_there():
                    return
                start_s = time.perf_counter()
        self._write(updates, LiveStep(1.0, ()), drawing)
        self._complete = True
        for _ in self._edits.reviews.follow(drawing.reviews):  # last: nobody waits for them
            yield 1.0
            if not self._is_there():
                return
        self._reviewed = True
        self._write_masks(drawing)

    def observe_edits(self, callback: Callable) -> list[int]:
        """`callback(...)` after every edit of the segmentation; gives tags for `stop_observing`."""
        return observe_edits(self._segmentation, callback)

    def stop_observing(self, tags: list[int]) -> None:
        stop_observing(self._segmentation, tags)

    def _is_there(self) -> bool:
        return all(node.GetScene() is not None for node in (self._ct, self._segmentation, self._dose, self._table))

    def _state_of_inputs(self) -> tuple:
        return tuple((patient_grid(node, what), node.GetImageData().GetPointData().GetScalars().GetMTime())
                     for node, what in ((self._ct, "CT"), (self._dose, "dose")))

    def _prepare(self) -> None:
        import slicer

        grid = patient_grid(self._dose, "dose")
        dose = LiveDose.of(grid, slicer.util.arrayFromVolume(self._dose),
                           _voxels_on(grid, self._uncertainty, "uncertainty map"),
                           tia_mbq_h_per_ml=_voxels_on(grid, self._table.GetNodeReference(TIA_ROLE), "activity"),
                           administered_mbq=float(self._table.GetAttribute(ADMINISTERED_ATTRIBUTE) or "nan"))
        self._edits = SegmentEdits.of(self._segmentation, self._ct)
        hu = self._edits.grid.turned(slicer.util.arrayFromVolume(self._ct))
        self._live = LiveOrganTable(
            dose, self._edits.grid, density_of_result(hu, self._table), self._edits.kept, organs=self._organs,
            known=rows_from_table_node(self._table), sex=self._table.GetAttribute(SEX_ATTRIBUTE) or "")
        self._complete = self._reviewed = False

    def _write(self, updates: list[RowUpdate], step: LiveStep, drawing: SegmentDrawing) -> None:
        """Bring what is finished, and what waits, into the nodes."""
        if self._reviewed:
            self._write_masks(drawing)
        rows = rows_from_table_node(self._table)
        there = {row.organ: row for row in rows}
        # The first time all is computed, and nobody knows that a row is wrong until then; right ones stay as they are.
        waiting = there.keys() & set(step.waiting) if self._complete else set()
        new = [update for update in updates if self._complete or not _same(there.get(update.name), update.row)]
        if not new and waiting == rows_updating(self._table):
            return
        for update in new:
            _replace_row(rows, update)
        write_rows(self._table, rows, waiting)
        if new and self._chart is not None and self._chart.GetScene() is not None:
            update_dvhs(self._chart, [update.histogram for update in new if update.histogram],
                        [update.name for update in new if not update.histogram], self._colours(drawing))

    def _write_masks(self, drawing: SegmentDrawing) -> None:
        write_masks(self._table, self._edits.reviews.statuses(drawing.reviews))

    def _colours(self, drawing: SegmentDrawing) -> dict[str, tuple[float, float, float]]:
        segmentation = self._segmentation.GetSegmentation()
        segments = {name: segmentation.GetSegment(segment_id) for name, segment_id in drawing.segment_ids.items()}
        return {name: segment.GetColor() for name, segment in segments.items() if segment is not None}


class UnfollowedResult:
    """An organ table that cannot follow, because its doses are not means of voxels: an edit is told at the table."""

    def __init__(self, result):
        self._result, self._mark = result, None

    def follow(self) -> Iterator[float]:
        """See `LiveResult.follow`."""
        result = self._result
        if any(node.GetScene() is None for node in (result.ct, result.segmentation, result.organ_table)):
            return
        edits = SegmentEdits.of(result.segmentation, result.ct)
        drawing = edits.drawing()
        for _ in edits.kept.follow(drawing):
            yield 0.5
        for _ in edits.reviews.follow(drawing.reviews):
            yield 0.9
        if self._mark is None:
            self._edits, self._mark = edits, edits.kept.mark
        elif edits.kept.changes_since(self._mark):
            result.organ_table.SetAttribute(MASKS_CHANGED_ATTRIBUTE,
                                            "masks changed, and doses by organs hold for those they were computed with")
            result.organ_table.Modified()
        write_masks(result.organ_table, edits.reviews.statuses(drawing.reviews))

    def observe_edits(self, callback: Callable) -> list[int]:
        """See `LiveResult.observe_edits`."""
        return observe_edits(self._result.segmentation, callback)

    def stop_observing(self, tags: list[int]) -> None:
        stop_observing(self._result.segmentation, tags)


def live_result(result) -> LiveResult | UnfollowedResult:
    """What keeps a `DoseResult` in step with its masks, as far as its engine computed voxels."""
    by_voxel = result.dose.GetAttribute(QUANTITY_ATTRIBUTE) in (None, "", "absorbed dose")
    return LiveResult.of(result) if by_voxel else UnfollowedResult(result)


def _voxels_on(grid: PatientGrid, volume_node, what: str) -> np.ndarray | None:
    """The voxels of a volume that has to lie on the grid of the dose; None where there is none."""
    import slicer

    if volume_node is None or volume_node.GetScene() is None:
        return None
    if not patient_grid(volume_node, what).same_place(grid):
        raise InputError(f"the {what} lies on another grid than the dose", mend="Compute the dose again.")
    return slicer.util.arrayFromVolume(volume_node)


def _same(one: OrganDose | None, other: OrganDose | None) -> bool:
    """Whether two rows have the same numbers, as far as a saved table keeps them."""
    if one is None or other is None:
        return one is other
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
             if field.name not in _NOT_COMPARED]
    return all(math.isclose(a, b, rel_tol=_SAME) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def _replace_row(rows: list[OrganDose], update: RowUpdate) -> None:
    """Put an update in the place of the row it replaces; a new row comes where the vocabulary has it."""
    names = [row.organ for row in rows]
    if update.name in names:
        place = names.index(update.name)
        rows[place:place + 1] = [replace(update.row, mask=rows[place].mask)] if update.row else []
        return
    later = (place for place, name in enumerate(names) if table_place(name) > table_place(update.name))
    rows.insert(next(later, len(rows)), update.row)
