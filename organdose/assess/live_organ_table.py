"""An organ table that follows its masks while somebody draws them: only what an edit reaches is computed again."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from organdose.anatomy.organs import is_known, organ
from organdose.assess.boxes import Box, few, voxels_in
from organdose.assess.dvh import histogram
from organdose.assess.hu_density import HUDensity
from organdose.assess.internal_organ_dose import with_activity
from organdose.assess.mask_changes import Drawing, KeptMasks
from organdose.assess.organ_coverage import organ_coverage
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.assess.organ_selection import REMAINDER, Selection, selections_of, table_place
from organdose.assess.organ_table import checked_dose_mgy, organ_row, organ_voxels
from organdose.assess.organ_weights_update import DoseOverlap, RowVoxels, RowWeights
from organdose.assess.patient_grid import PatientGrid
from organdose.errors import InputError

EMPTY_NOTE = "the mask is empty"
EARLIER_MASK_NOTE = "uncertainty of the mask before the edit"
BOUND_NOTE = "uncertainty: upper bound from the voxels'"
_TOLD_OUTSIDE = 0.01  # part of an organ's volume without dose that a note tells
_SAME = 6e-5  # relative difference of numbers that the tables of a result folder keep with five digits


@dataclass(frozen=True)
class LiveDose:
    """A dose map (z, y, x) as organs are assessed in it, on a grid along the patient's axes.

    `dose_mgy`: flat, none negative, in mGy. `relative_uncertainty`: flat, of each voxel, or None. Of internal dose
    `tia_mbq_h_per_ml`: flat, time-integrated activity concentration, and `administered_mbq` (NaN: not known); rows are
    then of `InternalOrganDose`. Make it with `of`.
    """

    grid: PatientGrid
    dose_mgy: np.ndarray = field(repr=False)
    relative_uncertainty: np.ndarray | None = field(repr=False)
    tia_mbq_h_per_ml: np.ndarray | None = field(default=None, repr=False)
    administered_mbq: float = math.nan

    @classmethod
    def of(cls, grid: PatientGrid, dose_mgy: np.ndarray, relative_uncertainty: np.ndarray | None = None, *,
           tia_mbq_h_per_ml: np.ndarray | None = None, administered_mbq: float = math.nan) -> LiveDose:
        """From arrays as they are stored on `grid`. Raises `InputError` for dose that cannot be assessed."""
        uncertainty, tia = (None if each is None else grid.turned(each).ravel()
                            for each in (relative_uncertainty, tia_mbq_h_per_ml))
        return cls(grid, checked_dose_mgy(grid.turned(dose_mgy)), uncertainty, tia, administered_mbq)


@dataclass(frozen=True)
class RowUpdate:
    """The new numbers of one row. Without `row` it is gone; without `histogram` there is nothing to draw."""

    name: str
    row: OrganDose | None
    histogram: DoseVolumeHistogram | None


@dataclass(frozen=True)
class LiveStep:
    """How far the table is: part done (0 to 1), the rows that are not up to date, and those that have become so."""

    fraction: float
    waiting: tuple[str, ...]
    updates: tuple[RowUpdate, ...] = ()


class LiveOrganTable:
    """Organ table and DVHs of one dose map, following masks in steps of a few milliseconds.

    `kept` may serve several tables. `density_g_cm3` is that of the CT along the patient's axes (z, y, x), the masks are
    stored as `ct_grid` says. `known` are rows computed before: their uncertainties hold for the masks they were
    computed with. `sex` as in `organ_weights`. `organs`: the rows wanted beside those of `known` (default: all);
    organs drawn later get theirs too. Raises `InputError` when CT and masks differ in size.
    """

    def __init__(self, dose: LiveDose, ct_grid: PatientGrid, density_g_cm3: HUDensity | np.ndarray, kept: KeptMasks, *,
                 known: Iterable[OrganDose] = (), sex: str = "", organs: Collection[str] | None = None):
        if density_g_cm3.shape != ct_grid.shape or kept.shape != ct_grid.stored_shape:
            raise InputError("CT and masks have different numbers of voxels", mend="Use masks drawn on this CT.")
        self._dose, self._grid, self._density, self._kept, self._sex = dose, ct_grid, density_g_cm3, kept, sex
        self._overlap = DoseOverlap.of(ct_grid, dose.grid)
        self._known = {row.organ: row for row in known}
        self._wanted = None if organs is None else {*organs, *self._known}
        self._hidden: set[str] | None = None  # rows that could be there from the start but were not wanted
        self._seen: tuple[int, int] | None = None  # mark and layout of the masks that the rest of these belong to
        self._selections: dict[str, Selection] = {}
        self._weights: dict[str, RowWeights] = {}
        self._dirty: dict[str, list[Box]] = {}  # by row: boxes of the CT in which its voxels have changed
        self._shown: set[str] = set(self._known)
        self._empty: set[str] = set()  # rows shown of organs without voxels
        self._done = 0  # CT voxels summed since the table was last up to date

    def follow(self, drawing: Drawing) -> Iterator[LiveStep]:
        """Bring the table up to date with `drawing`; the first time all rows are computed.

        A step may be the last one taken: the next call finishes the work. Drawn organs come before groups and
        remainder, small ones before large ones.
        """
        for _ in self._kept.follow(drawing):
            yield LiveStep(0.0, self._waiting())
        self._done = 0
        while True:
            for _ in self._kept.finish():  # another table may have begun to follow a newer edit
                yield self._step()
            vanished = self._take_changes()
            if vanished:
                yield self._step(vanished)
            if not self._dirty:
                return
            yield from self._compute(min(self._dirty, key=self._urgency))

    def _step(self, updates: Iterable[RowUpdate] = ()) -> LiveStep:
        left = sum(voxels_in(box) for boxes in self._dirty.values() for box in boxes)
        fraction = self._done / max(1, self._done + left) if self._dirty else 1.0
        return LiveStep(fraction, self._waiting(), tuple(updates))

    def _waiting(self) -> tuple[str, ...]:
        return tuple(sorted(self._dirty, key=table_place))

    def _urgency(self, name: str) -> tuple:
        return name not in self._kept.segments, sum(map(voxels_in, self._dirty[name])), name

    def _compute(self, name: str) -> Iterator[LiveStep]:
        """One row; given up when the masks are arranged anew meanwhile."""
        layout, selection, boxes = self._kept.layout, self._selections[name], self._dirty[name]
        weights = self._weights.setdefault(name, RowWeights(self._overlap))
        layers = [self._grid.turned(layer) for layer in self._kept.layers]
        while boxes:
            for voxels in weights.renew(boxes[0], selection, layers, self._density):
                self._done += voxels
                yield self._step()
                if self._kept.layout != layout:
                    return
            del boxes[0]
        voxels = weights.voxels()
        yield self._step()
        if self._kept.layout != layout:
            return
        update = self._assessed(selection, voxels)
        del self._dirty[name]
        if update.row is not None or name in self._shown:
            (self._shown.discard if update.row is None else self._shown.add)(name)
            yield self._step([update])

    def _take_changes(self) -> list[RowUpdate]:
        """What the changes of the masks mean for the rows; gives those that have gone or become empty."""
        kept = self._kept
        if self._seen == (kept.mark, kept.layout):
            return []
        mark = self._seen[0] if self._seen else 0
        changes = {name: self._grid.turned_box(box) for name, box in kept.changes_since(mark).items()}
        boxes = {name: self._grid.turned_box(box) for name, box in kept.boxes.items()}
        before, self._selections = self._selections, self._current_selections(boxes)
        for name in before.keys() - self._selections.keys():
            self._weights.pop(name, None)
            self._dirty.pop(name, None)
        for name, selection in self._selections.items():
            found = _changed_boxes(selection, before.get(name), changes, boxes)
            if found:
                self._dirty[name] = few([*self._dirty.get(name, []), *found])
        self._seen = (kept.mark, kept.layout)
        return self._vanished()

    def _current_selections(self, boxes: dict[str, Box]) -> dict[str, Selection]:
        drawn = {name: place for name, place in self._kept.segments.items() if name in boxes}
        selections = {selection.name: selection for selection in
                      selections_of(drawn, len(self._kept.layers), boxes, self._kept.notes)}
        if self._hidden is None:
            self._hidden = set() if self._wanted is None else selections.keys() - self._wanted
        return {name: selection for name, selection in selections.items() if name not in self._hidden}

    def _vanished(self) -> list[RowUpdate]:
        self._empty -= self._selections.keys()
        updates = []
        for name in sorted(self._shown - self._selections.keys() - self._empty):
            if name in self._kept.segments:
                self._empty.add(name)
                updates.append(RowUpdate(name, self._with_activity(_without_dose(name, 0.0, 0.0, EMPTY_NOTE)), None))
            else:
                self._shown.discard(name)
                updates.append(RowUpdate(name, None, None))
        for name in self._empty - self._kept.segments.keys():
            self._empty.discard(name)
            self._shown.discard(name)
            updates.append(RowUpdate(name, None, None))
        return updates

    def _assessed(self, selection: Selection, held: RowVoxels) -> RowUpdate:
        name, inside_ml = selection.name, float(held.volume_ml.sum())
        if not inside_ml:
            row = _without_dose(name, held.outside_ml, math.nan, _outside_note(1.0)) if held.outside_ml else None
            return RowUpdate(name, row and self._with_activity(row), None)
        voxels = organ_voxels(self._dose.dose_mgy[held.indices], held.mass_g, held.volume_ml, self._dose.grid.voxel_ml)
        shown = organ_coverage(selection, self._grid.shape, float(held.mass_g.sum()), self._sex)
        percent, uncertainty_note = self._uncertainty(name, inside_ml, held)
        unscored_ml = float(held.volume_ml[voxels.dose_mgy == 0].sum())
        notes = [selection.note, shown.note, uncertainty_note, _unscored_note(unscored_ml / inside_ml),
                 _outside_note(held.outside_ml / (inside_ml + held.outside_ml))]
        row = organ_row(name, voxels, uncertainty_percent=percent, in_image_percent=shown.in_image_percent,
                        note="; ".join(note for note in notes if note))
        return RowUpdate(name, self._with_activity(row, held), histogram(name, voxels))

    def _with_activity(self, row: OrganDose, held: RowVoxels | None = None) -> OrganDose:
        """The row with the activity in its voxels, where the dose is one of activity."""
        dose = self._dose
        if dose.tia_mbq_h_per_ml is None:
            return row
        tia_mbq_h = math.nan if held is None else float(dose.tia_mbq_h_per_ml[held.indices] @ held.volume_ml)
        return with_activity(row, tia_mbq_h, dose.administered_mbq)

    def _uncertainty(self, name: str, volume_ml: float, held: RowVoxels) -> tuple[float | None, str]:
        """(relative standard uncertainty of the mean in percent, what to say of it).

        The engine knows that of the organs it was asked for, by batches. For others there is only the map of the
        voxels' uncertainties, whose correlation is not known: full correlation gives the upper bound.
        """
        known = self._known.get(name)
        if known is not None and BOUND_NOTE not in known.note:
            mass_g = float(held.mass_g.sum())
            same = _close(volume_ml, known.volume_ml) and _close(mass_g, known.mass_g)
            told = known.uncertainty_percent is None or (same and EARLIER_MASK_NOTE not in known.note)
            return known.uncertainty_percent, "" if told else EARLIER_MASK_NOTE
        if self._dose.relative_uncertainty is None:
            return None, ""
        imparted = held.mass_g * self._dose.dose_mgy[held.indices]
        if not imparted.sum() > 0:
            return None, ""
        return 100.0 * float(np.average(self._dose.relative_uncertainty[held.indices], weights=imparted)), BOUND_NOTE


def _changed_boxes(selection: Selection, before: Selection | None, changes: dict[str, Box],
                   boxes: dict[str, Box]) -> list[Box]:
    """Where the voxels of a row may have changed, by the changed boxes and the boxes of the organs."""
    if before is None:
        return [selection.box]
    members, former = set(selection.members), set(before.members)
    is_rest = selection.name == REMAINDER and REMAINDER not in members  # what every drawn organ takes its part of
    found = [box for name, box in changes.items() if is_rest or name in members | former]
    return found + [boxes[name] for name in members ^ former if name in boxes]


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME)


def _outside_note(part: float) -> str:
    return f"{100 * part:.0f} % of the organ lies outside the dose map" if part > _TOLD_OUTSIDE else ""


def _unscored_note(part: float) -> str:
    return f"{100 * part:.0f} % of the organ lies outside the computed dose" if _TOLD_OUTSIDE < part < 1 else ""


def _without_dose(name: str, volume_ml: float, mass_g: float, note: str) -> OrganDose:
    """The row of an organ in which no dose is known: not a number, so that nobody takes it for zero."""
    return OrganDose(name, organ(name).snomed_code if is_known(name) else "", volume_ml, mass_g, math.nan, None,
                     math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, note)
