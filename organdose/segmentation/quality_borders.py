"""Borders: organs that the image cuts, and masks that end flat where their tissue goes on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.organs import is_known
from organdose.segmentation.drawn_organs import DrawnImage, DrawnOrgan
from organdose.segmentation.quality_limits import are_related, is_among, limits

_PADDING_HU = -1001  # below air: what scanners write outside the reconstruction circle
_AXES = ("along the body", "from front to back", "from right to left")


def border_findings(drawn: DrawnOrgan, circle: np.ndarray | None) -> Iterator[Finding]:
    """What the first and last slice, the sides of the image and the circle of `reconstruction_edge` cut, and flat cuts
    inside the image."""
    name, limit = drawn.name, limits()["image_border"]
    if not is_among(name, limit["long"]["organs"]):
        for at_end, plane, called in zip(drawn.ends, (0, -1), ("first", "last")):
            face_cm2 = np.count_nonzero(drawn.mask[plane]) * _voxel_cm2(drawn.image, 0) if at_end else 0.0
            if face_cm2 >= limit["face_cm2"]:
                yield Finding(name, FindingKind.IMAGE_BORDER, f"reaches the {called} slice with {face_cm2:.1f} cm2: "
                              "the part beyond it is not in the image", _middle_mm(drawn, 0, plane), Severity.NOTE)
    yield from _side_findings(drawn, circle)
    if is_known(name) and not is_among(name, limits()["cut_flat"]["may"]["organs"]):
        faces = sorted((face for axis in range(3) for face in _flat_faces(drawn, axis)), key=lambda face: -face[0])
        if faces:
            more = f"; {len(faces) - 1} more such faces" if len(faces) > 1 else ""
            yield Finding(name, FindingKind.CUT_FLAT, faces[0][1] + more, faces[0][2], Severity.BAD)


def reconstruction_edge(image: DrawnImage) -> np.ndarray | None:
    """The outermost ring of pixels (bool, (y, x)) of the reconstruction circle, where the CT shows that there is one.

    Outside the circle scanners write one constant below air; None where the middle slice holds no such constant at
    its corners.
    """
    plane = image.hu[image.shape[0] // 2]
    rows, columns = image.shape[1:]
    y, x = np.ogrid[:rows, :columns]
    radius = np.hypot(y - (rows - 1) / 2, x - (columns - 1) / 2)
    circle = min(rows, columns) / 2
    outside = plane[radius > circle + 1]
    if not outside.size or outside.max() > _PADDING_HU or outside.min() != outside.max():
        return None
    return (radius <= circle + 1) & (radius > circle - 2)


def _side_findings(drawn: DrawnOrgan, circle: np.ndarray | None) -> Iterator[Finding]:
    """Voxels at the four sides of the image, or on the circle."""
    _, y, x = drawn.box
    _, rows, columns = drawn.image.shape
    ring = np.zeros((y.stop - y.start, x.stop - x.start), dtype=bool)
    if y.start == 0 or y.stop == rows or x.start == 0 or x.stop == columns:
        ring[0] |= y.start == 0
        ring[-1] |= y.stop == rows
        ring[:, 0] |= x.start == 0
        ring[:, -1] |= x.stop == columns
    if circle is not None:
        ring |= circle[y, x]
    rows_at, columns_at = np.nonzero(ring)
    if not rows_at.size:
        return
    touching = drawn.mask[:, rows_at, columns_at]
    dz, dy, dx = drawn.image.spacing_mm
    face_cm2 = np.count_nonzero(touching) * dz * (dy + dx) / 2 / 100
    if face_cm2 >= limits()["image_border"]["side_face_cm2"]:
        plane, at = np.argwhere(touching)[np.count_nonzero(touching) // 2]
        yield Finding(drawn.name, FindingKind.IMAGE_BORDER, f"cut at the side of the image or of the reconstruction "
                      f"circle ({face_cm2:.1f} cm2)", drawn.in_box_mm((plane, rows_at[at], columns_at[at])),
                      Severity.CHECK)


def _flat_faces(drawn: DrawnOrgan, axis: int) -> Iterator[tuple[float, str, tuple[float, float, float]]]:
    """Ends across one axis (z, y, x) in one plane, with the same tissue behind it in no other mask: cm2, reason, place.
    """
    limit = limits()["cut_flat"]
    sections_cm2 = drawn.mask.sum(axis=tuple(a for a in range(3) if a != axis)) * _voxel_cm2(drawn.image, axis)
    side = drawn.box[axis]
    for plane, behind in ((0, side.start - 1), (-1, side.stop)):
        face_cm2 = float(sections_cm2[plane])
        share = face_cm2 / sections_cm2.max()
        if not 0 <= behind < drawn.image.shape[axis] or face_cm2 < limit["face_cm2"] or \
                share < limit["share_of_largest_section"] or sections_cm2.size < limit["sections"]:
            continue
        face = drawn.mask.take(plane, axis)
        free = face & ~_taken(drawn, axis, behind)
        if np.count_nonzero(free) < limit["share_unassigned"] * np.count_nonzero(face):
            continue
        inside_hu, behind_hu = (_plane_hu(drawn, axis, at)[free].mean(dtype=float)
                                for at in (side.start if plane == 0 else side.stop - 1, behind))
        if abs(behind_hu - inside_hu) <= limit["hu_step"] + limit["hu_step_share"] * abs(inside_hu + 1000):
            reason = (f"ends {_AXES[axis]} in one plane of {face_cm2:.1f} cm2 ({100 * share:.0f} % of its largest "
                      f"section), and the same tissue goes on behind it ({inside_hu:.0f} and {behind_hu:.0f} HU)")
            yield face_cm2, reason, _middle_mm(drawn, axis, plane)


def _voxel_cm2(image: DrawnImage, axis: int) -> float:
    """Area of a voxel's face across an axis."""
    return image.voxel_ml * 10 / image.spacing_mm[axis]


def _plane_box(drawn: DrawnOrgan, axis: int, at: int) -> tuple[slice, ...]:
    return tuple(slice(at, at + 1) if a == axis else side for a, side in enumerate(drawn.box))


def _plane_hu(drawn: DrawnOrgan, axis: int, at: int) -> np.ndarray:
    return drawn.image.hu[_plane_box(drawn, axis, at)].squeeze(axis)


def _taken(drawn: DrawnOrgan, axis: int, at: int) -> np.ndarray:
    """Which voxels of a plane of the box belong to another organ (tissues and the body around are none)."""
    image, around = drawn.image, limits()["overlap"]["may"]["organs"]
    box = _plane_box(drawn, axis, at)
    taken = np.zeros(image.hu[box].shape, dtype=bool)
    for layer, labels in enumerate(image.layers):
        table = np.zeros(256, dtype=bool)
        for other in image.organs.values():
            if other.layer == layer and not are_related(other.name, drawn.name) and not is_among(other.name, around):
                table[other.value] = True
        taken |= table[labels[box]]
    return taken.squeeze(axis)


def _middle_mm(drawn: DrawnOrgan, axis: int, plane: int) -> tuple[float, float, float]:
    """LPS mm of the voxel of a face nearest to its middle."""
    face = np.argwhere(drawn.mask.take(plane, axis))
    nearest = face[((face - face.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return drawn.in_box_mm(np.insert(nearest, axis, plane % drawn.mask.shape[axis]))
