"""A picture to judge a registration by: fixed and moved image in two colours that make grey where they agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.figure import Figure

from organdose.export.figure_style import DARK_INK, DARK_MUTED, new_figure, save_png
from organdose.export.planes import AXIAL, CORONAL, LETTERS, SAGITTAL, TITLES

_HU = (-250.0, 300.0)
_BRIGHTEST_PERCENTILE = 99.7
_PANEL_HEIGHT_IN, _GAP_IN, _HEAD_IN, _MARGIN_IN, _FOOT_IN = 3.0, 0.15, 0.34, 0.2, 0.35
_FIXED, _MOVED = "green", "magenta"


def draw_registration(fixed: sitk.Image, before: sitk.Image, after: sitk.Image, path: Path, *, kind: str,
                      title: str = "") -> Path:
    """Axial, coronal and sagittal planes through the middle of what `fixed` shows, before (above) and after (below).

    `fixed` is green, the other image magenta: grey where they agree, coloured where only one of them has something.
    `before` and `after` are resampled to the grid of `fixed` where theirs is another. `kind`: 'ct' (HU, -250 to 300)
    or 'activity' (square root, each image up to its 99.7th percentile, since activity falls from frame to frame).
    """
    fixed = sitk.DICOMOrient(fixed, "LPS")
    shown = [_brightness(_on(image, fixed, kind), kind) for image in (fixed, before, after)]
    planes = _planes(shown[0])
    sizes_mm = [_size_mm(fixed, axis) for axis in (AXIAL, CORONAL, SAGITTAL)]
    widths = [_PANEL_HEIGHT_IN * width / max(height for _, height in sizes_mm) for width, _ in sizes_mm]
    heights = [width * size[1] / size[0] for width, size in zip(widths, sizes_mm)]
    tallest = max(heights)
    width_in = sum(widths) + 2 * _GAP_IN + 2 * _MARGIN_IN
    height_in = 2 * (tallest + _HEAD_IN) + _MARGIN_IN + _FOOT_IN
    figure = new_figure(width_in, height_in, dark=True)
    for row, (word, moved) in enumerate((("before", shown[1]), ("after", shown[2]))):
        left, top = _MARGIN_IN, height_in - _HEAD_IN - row * (tallest + _HEAD_IN)
        for axis, width, height in zip((AXIAL, CORONAL, SAGITTAL), widths, heights):
            box = [left / width_in, (top - height) / height_in, width / width_in, height / height_in]
            _draw(figure, box, np.take(shown[0], planes[axis], axis), np.take(moved, planes[axis], axis), axis,
                  f"{TITLES[axis]}, {word}")
            left += width + _GAP_IN
    figure.text(_MARGIN_IN / width_in, 0.12 / height_in, color=DARK_MUTED, fontsize=8.5, va="bottom",
                s=f"{title + ': ' if title else ''}reference {_FIXED}, frame {_MOVED}, grey where they agree")
    return save_png(figure, path)


def _on(image: sitk.Image, fixed: sitk.Image, kind: str) -> sitk.Image:
    return sitk.Resample(image, fixed, sitk.Transform(), sitk.sitkLinear, -1000.0 if kind == "ct" else 0.0,
                         sitk.sitkFloat32)


def _brightness(image: sitk.Image, kind: str) -> np.ndarray:
    """0 to 1 (z, y, x)."""
    values = sitk.GetArrayFromImage(image)
    if kind == "ct":
        return np.clip((values - _HU[0]) / (_HU[1] - _HU[0]), 0, 1)
    values = np.sqrt(np.maximum(values, 0))
    return np.clip(values / max(float(np.percentile(values, _BRIGHTEST_PERCENTILE)), 1e-30), 0, 1)


def _planes(brightness: np.ndarray) -> list[int]:
    """The slice across each axis in which most is seen, nearest to the middle among those with nearly as much."""
    found = []
    for axis in range(3):
        seen = brightness.sum(axis=tuple({0, 1, 2} - {axis}))
        rich = np.flatnonzero(seen >= 0.95 * seen.max())
        found.append(int(rich[np.argmin(np.abs(rich - 0.5 * (len(seen) - 1)))]))
    return found


def _size_mm(image: sitk.Image, axis: int) -> tuple[float, float]:
    """Width and height of a plane across an array axis."""
    rows, columns = [each for each in range(3) if each != axis]
    return tuple(image.GetSize()[2 - each] * image.GetSpacing()[2 - each] for each in (columns, rows))


def _draw(figure: Figure, box: list[float], fixed: np.ndarray, moved: np.ndarray, axis: int, title: str) -> None:
    axes = figure.add_axes(box)
    axes.imshow(np.stack([moved, fixed, moved], axis=-1), interpolation="bilinear", aspect="auto",
                origin="upper" if axis == AXIAL else "lower")
    axes.set_axis_off()
    axes.set_title(title, color=DARK_INK, fontsize=9.5, loc="left", pad=5)
    places = ((0.02, 0.5, "left", "center"), (0.98, 0.5, "right", "center"))
    for letter, (x, y, across, along) in zip(LETTERS[axis][:2], places):
        axes.text(x, y, letter, transform=axes.transAxes, ha=across, va=along, color=DARK_INK, fontsize=9)
