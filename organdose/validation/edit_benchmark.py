"""How long the organ table takes to follow one stroke of a brush on a large CT."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import mark_drawn
from organdose.anatomy.tissues import schneider2000
from organdose.assess.boxes import corner_of, moved, seen_from, whole
from organdose.assess.hu_density import HUDensity
from organdose.assess.live_organ_table import LiveDose, LiveOrganTable
from organdose.assess.mask_changes import KeptMasks
from organdose.assess.organ_dose import OrganDose
from organdose.assess.overlap_sums import AxisShares, add_overlaps
from organdose.assess.patient_grid import PatientGrid
from organdose.dose_map import DoseMap
from organdose.progress import Progress

_SIZE, _SPACING_MM, _DOSE_MM = (512, 512, 400), (0.78, 0.78, 1.5), 5.0
_STROKES = 10
_BRUSH_MM, _DRAG_MM = 10.0, 30.0  # radius, and how far it is drawn
_BODY_MM = (170.0, 120.0)
# Centre and half axes in mm (x, y, z), from the middle of the CT.
_ORGANS = {
    "liver": ((-60, -10, -20), (75, 65, 80)), "spleen": ((90, 30, -20), (25, 35, 45)),
    "kidney_left": ((60, 60, -110), (28, 25, 55)), "kidney_right": ((-60, 60, -120), (28, 25, 55)),
    "heart": ((20, -40, 110), (55, 45, 50)), "stomach": ((65, -50, -10), (40, 35, 50)),
    "urinary_bladder": ((0, -20, -250), (35, 30, 30)), "pancreas": ((40, 15, -60), (40, 12, 15)),
    "brain": ((0, 0, 250), (65, 80, 45)),
    **{f"rib_{side}_{n}": ((sign * 115, 10, -90 + 22 * n), (25, 60, 5))
       for n in range(1, 13) for side, sign in (("left", 1), ("right", -1))},
    **{f"vertebrae_T{n}": ((0, 85, 190 - 24 * n), (20, 20, 10)) for n in range(1, 13)},
}
# Parts of the body's half axes.
_SHELLS = {"skin": (0.97, 1.0), "subcutaneous_fat": (0.8, 0.97), "skeletal_muscle": (0.6, 0.8)}
# Where each organ is painted and erased: the middle of the strokes in mm, on its surface.
_PLACES = {"liver": (-130, -10, -20), "kidney_left": (60, 60, -60), "body": (165, 0, 40)}


class EditTarget(Protocol):
    """Masks that can be painted on and the table that follows them."""

    title: str

    def paint(self, organ: str, mask: np.ndarray, corner: tuple[int, int, int], erase: bool) -> None:
        """Add the voxels of a boolean box (z, y, x) that begins at `corner` to an organ, or take them away."""

    def follow(self) -> Iterator[object]:
        """Bring the table up to date, in steps."""

    def row(self, organ: str) -> OrganDose | None:
        """The row of an organ as the table shows it now."""


def run_edit_benchmark(progress: Progress, scene_target: Callable[[sitk.Image, OrganMasks, DoseMap], EditTarget] |
                       None = None, *, clock: Callable[[], float] = time.perf_counter) -> list[str]:
    """Lines of measured figures: computing all rows once, then following strokes on a liver, a kidney and the body.

    `scene_target` makes a target from CT, masks and dose that edits a Slicer scene, to be measured too. `clock` gives
    seconds; `time.process_time` tells the computing alone on a machine busy with other work.
    """
    progress.report("A body of 512 x 512 x 400 voxels", 0.0)
    ct, masks, dose = _study()
    _load_kernels()
    lines = [f"512 x 512 x 400 CT, {len(masks.segments)} organs in {len(masks.layers)} layers, 5 mm dose map:"]
    for make in (_ArrayTarget, scene_target):
        if make is not None:
            target = make(ct, masks, dose)
            progress.report(f"Edits in {target.title}", 0.5)
            lines += _measured(target, clock)
    return lines


def _measured(target: EditTarget, clock: Callable[[], float]) -> list[str]:
    times_s = list(_steps(target, clock))
    lines = [f"{target.title}: all rows in {sum(times_s):.1f} s, longest step {1000 * max(times_s):.0f} ms"]
    for organ, place_mm in _PLACES.items():
        rows_ms, all_ms, step_ms = [], [], []
        for stroke in range(_STROKES):
            target.paint(organ, *_stroke(place_mm, stroke), erase=stroke % 2 == 1)
            before = target.row(organ)
            times_s, seen = [], None
            for time_s in _steps(target, clock):
                times_s.append(time_s)
                if seen is None and target.row(organ) != before:
                    seen = sum(times_s)
            rows_ms.append(1000 * (seen or math.nan))
            all_ms.append(1000 * sum(times_s))
            step_ms.append(1000 * max(times_s))
        lines.append(f"{target.title}: {organ} edited, its row and DVH after {_range(rows_ms)}, all rows after "
                     f"{_range(all_ms)}, longest step {max(step_ms):.0f} ms")
    return lines


def _steps(target: EditTarget, clock: Callable[[], float]) -> Iterator[float]:
    """Seconds of each step of a target that follows."""
    steps, ended = target.follow(), False
    while not ended:
        start_s = clock()
        ended = next(steps, steps) is steps
        yield clock() - start_s


def _load_kernels() -> None:
    """Compile what a program compiles once, so that it is not measured."""
    one = AxisShares(np.zeros(1, np.int64), np.ones(1, np.int64), np.ones((1, 1)))
    add_overlaps(np.ones((1, 1, 1), bool), np.ones((1, 1, 1), np.float32), (one, one, one), (0, 0, 0),
                 np.zeros((1, 1, 1)), np.zeros((1, 1, 1)))


def _range(values_ms: list[float]) -> str:
    return f"{statistics.median(values_ms):.0f} ms (at most {max(values_ms):.0f} ms)"


class _ArrayTarget:
    """The masks' own arrays, without Slicer; as a `Drawing` it is stamped with every stroke."""

    title = "arrays"

    def __init__(self, ct: sitk.Image, masks: OrganMasks, dose: DoseMap):
        self.layers = [layer.copy() for layer in masks.layers]
        self.segments, self.notes, self.stamps = masks.segments, masks.notes, [0] * len(self.layers)
        density = HUDensity(sitk.GetArrayViewFromImage(ct), schneider2000())
        live_dose = LiveDose.of(_grid(dose.dose_mgy), sitk.GetArrayFromImage(dose.dose_mgy))
        self._live = LiveOrganTable(live_dose, _grid(ct), density, KeptMasks(masks.shape))
        self._rows: dict[str, OrganDose | None] = {}

    def layer(self, index: int) -> tuple[np.ndarray, tuple[int, int, int]]:
        return self.layers[index], (0, 0, 0)

    def paint(self, organ: str, mask: np.ndarray, corner: tuple[int, int, int], erase: bool) -> None:
        layer, value = self.segments[organ]
        part = self.layers[layer][moved(whole(mask.shape), corner)]
        part[mask & (part == value) if erase else mask] = 0 if erase else value
        self.stamps[layer] += 1

    def follow(self) -> Iterator[object]:
        for step in self._live.follow(self):
            self._rows |= {update.name: update.row for update in step.updates}
            yield step

    def row(self, organ: str) -> OrganDose | None:
        return self._rows.get(organ)


def _grid(image: sitk.Image) -> PatientGrid:
    return PatientGrid.of(image.GetOrigin(), image.GetSpacing(), image.GetDirection(), image.GetSize())


def _study() -> tuple[sitk.Image, OrganMasks, DoseMap]:
    """A body with organs in about the places and sizes of a person's, and a dose that varies everywhere."""
    random = np.random.default_rng(20)
    y_mm, x_mm = ((np.arange(size) - 0.5 * (size - 1)) * mm for size, mm in zip(_SIZE[1::-1], _SPACING_MM[1::-1]))
    radius = np.sqrt((x_mm[None, :] / _BODY_MM[0]) ** 2 + (y_mm[:, None] / _BODY_MM[1]) ** 2)
    hu = random.integers(-60, 120, _SIZE[::-1], dtype=np.int16)
    hu[:, radius >= 1] = -1000
    ct = sitk.GetImageFromArray(hu)
    ct.SetSpacing(_SPACING_MM)
    masks = OrganMasks(ct)
    shape = masks.shape
    masks.add("body", np.broadcast_to(radius < 1, shape))
    for name, (centre_mm, half_axes_mm) in _ORGANS.items():
        masks.add(name, *_ellipsoid(centre_mm, half_axes_mm))
    for name, (inner, outer) in _SHELLS.items():
        masks.add(name, np.broadcast_to((radius >= inner) & (radius < outer), shape))
    mark_drawn(masks)  # reviews are followed too
    counts = [math.ceil(size * mm / _DOSE_MM) for size, mm in zip(_SIZE, _SPACING_MM)]
    dose_mgy = sitk.GetImageFromArray(random.gamma(9, 1, counts[::-1]).astype(np.float32))
    dose_mgy.SetSpacing([_DOSE_MM] * 3)
    dose_mgy.SetOrigin([(_DOSE_MM - mm) / 2 for mm in _SPACING_MM])
    return ct, masks, DoseMap(dose_mgy, np.ones(counts[::-1], np.float32), "benchmark")


def _ellipsoid(centre_mm, half_axes_mm) -> tuple[np.ndarray, tuple[int, int, int]]:
    """A boolean box (z, y, x) with an ellipsoid, and the CT voxel at which it begins."""
    sides, squares = [], []
    for centre, half, size, spacing in zip(centre_mm[::-1], half_axes_mm[::-1], _SIZE[::-1], _SPACING_MM[::-1]):
        middle, reach = 0.5 * (size - 1) + centre / spacing, half / spacing
        side = slice(max(0, math.floor(middle - reach)), min(size, math.ceil(middle + reach) + 1))
        sides.append(side)
        squares.append(((np.arange(side.start, side.stop) - middle) / reach) ** 2)
    z, y, x = np.ix_(*squares)
    return z + y + x < 1, corner_of(sides)


def _stroke(place_mm, number: int) -> tuple[np.ndarray, tuple[int, int, int]]:
    """A round brush drawn along y, each time a little higher; every second stroke takes away what the last one gave."""
    x, y, z = place_mm
    centres = [(x, y + offset, z + 3.0 * (number // 2)) for offset in np.linspace(0, _DRAG_MM, 11)]
    dabs = [_ellipsoid(centre, (_BRUSH_MM,) * 3) for centre in centres]
    boxes = [moved(whole(mask.shape), corner) for mask, corner in dabs]
    low = np.min([corner_of(box) for box in boxes], axis=0)
    painted = np.zeros(np.max([[side.stop for side in box] for box in boxes], axis=0) - low, dtype=bool)
    for (mask, _), box in zip(dabs, boxes):
        painted[seen_from(box, low)] |= mask
    return painted, tuple(low.tolist())
