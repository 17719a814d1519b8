"""Where the axial, coronal and sagittal panels stand in a figure, whatever the length of the scan."""

from __future__ import annotations

from dataclasses import dataclass

_WIDTH_IN, _STACK_WIDTH_IN, _TALLEST_IN, _LOWEST_IN = 13.0, 9.5, 9.0, 2.4
_GAP_IN, _TITLE_IN, _MARGIN_IN = 0.2, 0.34, 0.2
_BELOW_AXIAL_IN = 2.4
_WHOLE_BODY = 1.9  # a coronal window this many times as high as wide stands beside the axial one, over the full height


@dataclass(frozen=True)
class Box:
    """A rectangle in inches from the lower left corner of the figure."""

    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Boxes of the three panels and of the space for a colour bar or a legend (`side`)."""

    width_in: float
    height_in: float
    panels: tuple[Box, Box, Box]
    side: Box

    def fractions(self, box: Box) -> list[float]:
        """[left, bottom, width, height] as parts of the figure, for `Figure.add_axes`."""
        return [box.left / self.width_in, box.bottom / self.height_in,
                box.width / self.width_in, box.height / self.height_in]


def panel_layout(axial_mm: tuple[float, float], coronal_mm: tuple[float, float], sagittal_mm: tuple[float, float], *,
                 side_in: float = 1.1, foot_in: float = 0.0) -> Layout:
    """Layout for windows of the given (width, height) in mm; coronal and sagittal are equally high.

    A usual scan: three panels of one height in a row, with `side_in` inches on their right or `foot_in` below them.
    A whole body: coronal and sagittal over the full height, the side space below the axial panel. A short scan: the
    axial panel above the other two, the side space on its right or the foot below.
    """
    axial, coronal, sagittal = (width / height for width, height in (axial_mm, coronal_mm, sagittal_mm))
    if 1 / coronal > _WHOLE_BODY:
        return _whole_body(axial, coronal, sagittal)
    usable = _WIDTH_IN - 2 * _MARGIN_IN - 2 * _GAP_IN - (0 if foot_in else side_in)
    height = usable / (axial + coronal + sagittal)
    if height >= _LOWEST_IN:
        return _row(axial, coronal, sagittal, height, side_in, foot_in)
    return _stack(axial, coronal, sagittal, side_in, foot_in)


def _row(axial: float, coronal: float, sagittal: float, height: float, side_in: float, foot_in: float) -> Layout:
    bottom, left, panels = _MARGIN_IN + foot_in, _MARGIN_IN, []
    for aspect in (axial, coronal, sagittal):
        panels.append(Box(left, bottom, aspect * height, height))
        left += aspect * height + _GAP_IN
    side = (Box(_MARGIN_IN, _MARGIN_IN / 2, _WIDTH_IN - 2 * _MARGIN_IN, foot_in) if foot_in
            else Box(left, bottom, side_in, height))
    return Layout(_WIDTH_IN, bottom + height + _TITLE_IN, tuple(panels), side)


def _whole_body(axial: float, coronal: float, sagittal: float) -> Layout:
    usable = _WIDTH_IN - 2 * _MARGIN_IN - 2 * _GAP_IN
    # The height at which the axial panel, over all the width that is left, has just the side space below it.
    height = min(_TALLEST_IN, (_BELOW_AXIAL_IN + usable / axial) / (1 + (coronal + sagittal) / axial))
    width = min(usable - height * (coronal + sagittal), axial * (height - _BELOW_AXIAL_IN))
    axial_height = width / axial
    axial_bottom = _MARGIN_IN + height - axial_height
    left = _MARGIN_IN + width + _GAP_IN
    panels = (Box(_MARGIN_IN, axial_bottom, width, axial_height), Box(left, _MARGIN_IN, coronal * height, height),
              Box(left + coronal * height + _GAP_IN, _MARGIN_IN, sagittal * height, height))
    side = Box(_MARGIN_IN, _MARGIN_IN, width, axial_bottom - 2 * _MARGIN_IN)
    figure_width = left + height * (coronal + sagittal) + _GAP_IN + _MARGIN_IN
    return Layout(figure_width, _MARGIN_IN + height + _TITLE_IN, panels, side)


def _stack(axial: float, coronal: float, sagittal: float, side_in: float, foot_in: float) -> Layout:
    below_width = _STACK_WIDTH_IN - 2 * _MARGIN_IN
    axial_width = below_width - (0 if foot_in else side_in + _GAP_IN)
    below_height = (below_width - _GAP_IN) / (coronal + sagittal)
    below = _MARGIN_IN + foot_in
    bottom, height = below + below_height + _TITLE_IN + _GAP_IN, axial_width / axial
    panels = (Box(_MARGIN_IN, bottom, axial_width, height),
              Box(_MARGIN_IN, below, coronal * below_height, below_height),
              Box(_MARGIN_IN + coronal * below_height + _GAP_IN, below, sagittal * below_height, below_height))
    side = (Box(_MARGIN_IN, _MARGIN_IN / 2, below_width, foot_in) if foot_in
            else Box(_MARGIN_IN + axial_width + _GAP_IN, bottom, side_in, height))
    return Layout(_STACK_WIDTH_IN, bottom + height + _TITLE_IN, panels, side)
