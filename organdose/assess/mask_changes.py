"""What changed in masks that somebody is drawing: a kept copy of the label layers tells, and follows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from scipy import ndimage

from organdose.assess.boxes import Box, box_of, common, corner_of, joined, moved, seen_from, shape_of, slabs, whole

_SLAB_VOXELS = 4_000_000  # compared in one step: 1 ms when nothing changed, some 20 ms when everything did

_FEW_LABELS = 8  # looked for one by one, more all at once

_DONE = object()

Place = tuple[int, int]  # (layer, label value)


class Drawing(Protocol):
    """Masks as they stand at one moment, in label layers that somebody else owns and may change at any time.

    `segments` gives the place (layer, label value) of each organ. `stamps` holds something for each layer that is
    another whenever the layer's voxels may be others. `notes` as in `OrganMasks`.
    """

    segments: Mapping[str, Place]
    notes: Mapping[str, str]
    stamps: Sequence[Hashable]

    def layer(self, index: int) -> tuple[np.ndarray, tuple[int, int, int]]:
        """The labels of one layer now (uint8, three axes) and the voxel they begin at; outside them all is 0."""


class KeptMasks:
    """A copy of masks that are being drawn, and where it has changed.

    `shape` is that of the whole image, in any order of axes. `layers` are uint8 arrays of that shape, `segments` gives
    the place of each organ in them, `boxes` the bounding box of each that is not empty; all are to be read only.
    `layout` is another number whenever organs have come, gone or changed places.
    """

    def __init__(self, shape: tuple[int, int, int]):
        self.shape = tuple(shape)
        self.layers: list[np.ndarray] = []
        self.segments: dict[str, Place] = {}
        self.notes: dict[str, str] = {}
        self.boxes: dict[str, Box] = {}
        self.layout = 0
        self._stamps: list[Hashable] = []
        self._extents: list[Box | None] = []  # of each layer: outside it there is nothing
        self._loose: set[str] = set()  # organs whose box may have become too large
        self._log: list[tuple[str, Box]] = []
        self._work: Iterator[None] | None = None  # the steps in progress, and what they lead to
        self._followed: tuple | None = None

    @property
    def mark(self) -> int:
        """This moment, for `changes_since`."""
        return len(self._log)

    def changes_since(self, mark: int) -> dict[str, Box]:
        """The box of changed voxels of each organ whose voxels have changed since, those that are gone included."""
        changes: dict[str, Box] = {}
        for name, box in self._log[mark:]:
            changes[name] = joined((changes[name], box)) if name in changes else box
        return changes

    def follow(self, drawing: Drawing) -> Iterator[None]:
        """Make the copy equal to `drawing`, in steps of a few milliseconds.

        A step may be the last one taken: what was found is kept, and the next call finds the rest. Several may follow
        one drawing by turns. Organs that move to another layer or label value are compared in one longer step.
        """
        wanted = (tuple(drawing.stamps), dict(drawing.segments))
        if self._work is None or self._followed != wanted:
            self._work, self._followed = self._steps(drawing), wanted
        yield from self.finish()

    def finish(self) -> Iterator[None]:
        """The steps that are left of the drawing followed last, whoever began: then boxes and layers agree."""
        while (work := self._work) is not None:
            self._work = None  # for work that fails is over
            if next(work, _DONE) is not _DONE:
                self._work = work
                yield

    def _steps(self, drawing: Drawing) -> Iterator[None]:
        self._rearrange(drawing)
        self.notes = dict(drawing.notes)
        for index in range(len(self.layers)):
            yield from self._read(drawing, index)
        for name in sorted(self._loose):
            yield from self._tighten(name)

    def _rearrange(self, drawing: Drawing) -> None:
        """Take over which organ lies where. A move alone changes no voxel of an organ."""
        before, now = self.segments, dict(drawing.segments)
        origins = _origins(before, now)
        gone, added = before.keys() - now.keys(), now.keys() - before.keys()
        movers = {name for name in before.keys() & now.keys()
                  if (origins.get(now[name][0]), now[name][1]) != before[name]}
        unchanged = origins == {index: index for index in origins} and len(drawing.stamps) == len(self.layers)
        if not (gone or added or movers) and unchanged:
            return
        for name in gone:
            self._note_change(name, self.boxes.pop(name, None))
            self._loose.discard(name)
        differences = self._differences(drawing, movers)
        self._take_layers(origins, len(drawing.stamps))
        self.segments = now
        self.layout += 1
        for name in added:
            self._note_gain(name, self._unnamed_before(name) if now[name][0] in origins else None)
        for name, box in differences.items():
            self._note_gain(name, box)
        if movers:  # at once: the copy must show the places just compared
            for index in range(len(self.layers)):
                for _ in self._read(drawing, index, silent=movers):
                    pass

    def _take_layers(self, origins: Mapping[int, int], count: int) -> None:
        def kept(values: list, blank) -> list:
            return [values[origins[index]] if index in origins else blank() for index in range(count)]

        self._stamps, self._extents = kept(self._stamps, object), kept(self._extents, lambda: None)
        self.layers = kept(self.layers, lambda: np.zeros(self.shape, dtype=np.uint8))

    def _differences(self, drawing: Drawing, names: Iterable[str]) -> dict[str, Box | None]:
        """For organs that move: the box in which their new mask differs from the old one."""
        by_layer: dict[int, list[str]] = {}
        for name in names:
            by_layer.setdefault(drawing.segments[name][0], []).append(name)
        differences = {}
        for layer, movers in by_layer.items():
            labels, corner = drawing.layer(layer)
            there = _label_boxes(labels, [drawing.segments[name][1] for name in movers])
            for name in movers:
                value = drawing.segments[name][1]
                box = _joined_some(self.boxes.get(name), there[value] and moved(there[value], corner))
                if box:
                    old_layer, old_value = self.segments[name]
                    old = self.layers[old_layer][box] == old_value
                    box = _shifted(box_of(old != (_part(labels, corner, box) == value)), box)
                differences[name] = box
        return differences

    def _unnamed_before(self, name: str) -> Box | None:
        """Where the label of a new organ lay already: under another organ's name, or none."""
        extent = self._extents[self.segments[name][0]]
        return _joined_some(*self._parts_of(name, extent)) if extent else None

    def _parts_of(self, name: str, box: Box) -> Iterator[Box | None]:
        """The box of an organ's voxels in each slab of `box`."""
        layer, value = self.segments[name]
        return _parts_of_label(self.layers[layer], value, box)

    def _read(self, drawing: Drawing, index: int, silent: Iterable[str] = ()) -> Iterator[None]:
        """Copy one layer and note what changed, but for the organs `silent`."""
        stamp = drawing.stamps[index]
        if self._stamps[index] == stamp:
            return
        names = {value: name for name, (layer, value) in self.segments.items() if layer == index}
        seen: list[Box | None] = []
        for slab in slabs(whole(self.shape), _SLAB_VOXELS):
            labels, corner = drawing.layer(index)  # each time: who owns it may have replaced it between two steps
            extent = _extent(labels, corner)
            seen.append(extent)
            self._extents[index] = region = _joined_some(self._extents[index], extent)
            part = region and common(slab, region)
            if part:
                self._copy(index, part, _part(labels, corner, part), names, silent)
                yield
        self._stamps[index] = stamp
        if all(extent == seen[0] for extent in seen):
            self._extents[index] = seen[0]

    def _copy(self, index: int, part: Box, now: np.ndarray, names: Mapping[int, str], silent: Iterable[str]) -> None:
        kept = self.layers[index][part]
        planes = [plane for plane in range(len(kept)) if (kept[plane] != now[plane]).any()]
        if not planes:
            return
        span = slice(planes[0], planes[-1] + 1)
        changed = kept[span] != now[span]
        inside = box_of(changed)
        changed, old, new = changed[inside], kept[span][inside], now[span][inside]
        corner = corner_of(moved(inside, (part[0].start + span.start, part[1].start, part[2].start)))
        lost, gained = ndimage.find_objects(old * changed), ndimage.find_objects(new * changed)
        old[...] = new
        for boxes, note in ((lost, self._note_loss), (gained, self._note_gain)):
            for value, box in enumerate(boxes, start=1):
                if box and names.get(value, "") not in ("", *silent):
                    note(names[value], moved(box, corner))

    def _note_change(self, name: str, box: Box | None) -> None:
        if box:
            self._log.append((name, box))

    def _note_loss(self, name: str, box: Box) -> None:
        self._note_change(name, box)
        around = self.boxes.get(name)
        if around and any(a.start >= b.start or a.stop <= b.stop for a, b in zip(around, box)):
            self._loose.add(name)

    def _note_gain(self, name: str, box: Box | None) -> None:
        """Voxels that an organ may have gained; its box is made to fit at the end."""
        if box:
            self._note_change(name, box)
            self.boxes[name] = _joined_some(self.boxes.get(name), box)
            self._loose.add(name)

    def _tighten(self, name: str) -> Iterator[None]:
        found = []
        for part in self._parts_of(name, self.boxes[name]):
            found.append(part)
            yield
        box = _joined_some(*found)
        if box:
            self.boxes[name] = box
        else:
            del self.boxes[name]
        self._loose.discard(name)


def _origins(before: Mapping[str, Place], now: Mapping[str, Place]) -> dict[int, int]:
    """For layers as they are now: the former layer that holds most of their organs under the same label values."""
    votes = Counter((layer, before[name][0]) for name, (layer, value) in now.items()
                    if name in before and before[name][1] == value)
    origins: dict[int, int] = {}
    for (layer, former), _ in votes.most_common():
        if layer not in origins and former not in origins.values():
            origins[layer] = former
    return origins


def _parts_of_label(labels: np.ndarray, value: int, box: Box) -> Iterator[Box | None]:
    for slab in slabs(box, _SLAB_VOXELS):
        inside = labels[slab] == value
        yield _shifted(box_of(inside), slab) if inside.any() else None


def _label_boxes(labels: np.ndarray, values: Sequence[int]) -> dict[int, Box | None]:
    """The bounding box of each label value."""
    if not labels.size:
        return dict.fromkeys(values)
    if len(values) <= _FEW_LABELS:
        return {value: _joined_some(*_parts_of_label(labels, value, whole(labels.shape))) for value in values}
    found = ndimage.find_objects(labels)
    return {value: found[value - 1] if value <= len(found) else None for value in values}


def _extent(labels: np.ndarray, corner: tuple[int, int, int]) -> Box | None:
    return moved(whole(labels.shape), corner) if labels.size else None


def _part(labels: np.ndarray, corner: tuple[int, int, int], box: Box) -> np.ndarray:
    """The labels in `box` of the whole image: a view where they cover it, else a copy with 0 outside them."""
    extent = _extent(labels, corner)
    shared = extent and common(extent, box)
    if shared == box:
        return labels[seen_from(box, corner)]
    part = np.zeros(shape_of(box), dtype=np.uint8)
    if shared:
        part[seen_from(shared, corner_of(box))] = labels[seen_from(shared, corner)]
    return part


def _joined_some(*boxes: Box | None) -> Box | None:
    there = [box for box in boxes if box]
    return joined(there) if there else None


def _shifted(box: Box | None, within: Box) -> Box | None:
    return box and moved(box, corner_of(within))
