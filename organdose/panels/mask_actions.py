"""What can be done to the mask of the chosen organ at a press of a button."""

from __future__ import annotations

from collections.abc import Callable

from organdose.panels.job_panel import banner_style

_METHODS = {"median": "Median: takes bumps and gaps thinner than the radius away",
            "closing": "Closing: fills gaps up to twice the radius, takes nothing away"}
_CHOOSE = "Choose an organ in the list of segments."


class MaskActions:
    """Buttons in a widget of their own, for the segment that `show` names. `before_change` saves an undo state.

    `check_sides(segment_id, tell)` calls `tell(findings)` with what the quality control says of the organ's side.
    """

    def __init__(self, before_change: Callable[[], None], check_sides: Callable[[str, Callable], None]):
        self._before_change, self._check_sides = before_change, check_sides
        self._node, self._segment_id = None, ""
        self._build()
        self.show(None, "")

    def show(self, segmentation_node, segment_id: str) -> None:
        """Work on this segment from now on; None and '' for none."""
        from organdose.scene.mask_actions import partner_segment

        if segmentation_node is not self._node:
            self.say("")
        self._node, self._segment_id = segmentation_node, segment_id
        segment = segmentation_node.GetSegmentation().GetSegment(segment_id) if segmentation_node is not None else None
        self.title.text = f"Chosen organ: {segment.GetName()}" if segment is not None else _CHOOSE
        reason = "" if segment is not None else _CHOOSE
        for button, hint in self._hints:
            _enable(button, reason, hint)
        if segment is not None and partner_segment(segmentation_node, segment_id) is None:
            for button in (self.mirror_button, self.swap_button):
                _enable(button, "There is no organ of the other side here.", "")

    def say(self, line: str, kind: str = "") -> None:
        self.status.text, self.status.styleSheet, self.status.visible = line, banner_style(kind), bool(line)

    def _build(self) -> None:
        import qt

        self.widget = qt.QWidget()
        grid = qt.QGridLayout(self.widget)
        grid.setContentsMargins(0, 0, 0, 0)
        self.title = qt.QLabel()
        self.title.objectName = "chosenOrgan"
        self.title.wordWrap = True
        grid.addWidget(self.title, 0, 0, 1, 3)
        self._hints: list[tuple[object, str]] = []
        self._add(grid, "largest", "Keep largest piece", (1, 0, 1, 1), "Remove all pieces but the largest.")
        self._add(grid, "fill", "Fill holes", (1, 1, 1, 1), "Background that the organ encloses becomes part of it.")
        self._add(grid, "empty", "Empty", (1, 2, 1, 1), "Remove all voxels; the organ stays in the list, to be drawn "
                                                        "anew. Undo brings them back.")
        self._add(grid, "smooth", "Smooth", (2, 0, 1, 1), "Smooth the surface with the method and radius beside.")
        self.method = qt.QComboBox()
        self.method.objectName = "smoothMethod"
        for name in _METHODS:
            self.method.addItem(name)
        self.method.toolTip = ". ".join(_METHODS.values()) + "."
        grid.addWidget(self.method, 2, 1)
        self.radius = qt.QDoubleSpinBox()
        self.radius.objectName = "smoothRadius"
        self.radius.setRange(0.5, 30.0)
        self.radius.setSingleStep(0.5)
        self.radius.setDecimals(1)
        self.radius.suffix = " mm"
        self.radius.value = 3.0
        self.radius.toolTip = "Radius of the smoothing."
        grid.addWidget(self.radius, 2, 2)
        self._add(grid, "mirror", "Left or right?", (3, 0, 1, 1), "Check whether it lies on its side of the body.")
        self._add(grid, "swap", "Swap sides", (3, 1, 1, 1), "The masks of the left and the right organ change places: "
                                                            "for names that were mixed up.")
        self._add(grid, "remove", "Remove", (3, 2, 1, 1), "Take it out of the segmentation. Undo brings it back.")
        self.status = qt.QLabel()
        self.status.objectName = "actionStatus"
        self.status.wordWrap = True
        self.status.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        grid.addWidget(self.status, 4, 0, 1, 3)

    def _add(self, grid, name: str, text: str, place: tuple[int, int, int, int], hint: str) -> None:
        import qt

        button = qt.QPushButton(text)
        button.objectName = f"{name}Button"
        press = self._press if name != "mirror" else lambda _name: self._check_sides(self._segment_id, self._say_side)
        button.clicked.connect(lambda *_: press(name))
        grid.addWidget(button, *place)
        self._hints.append((button, hint))
        setattr(self, f"{name}_button", button)

    def _press(self, name: str) -> None:
        import qt

        from organdose.errors import InputError
        from organdose.scene import mask_actions

        do = {"largest": mask_actions.keep_largest, "fill": mask_actions.fill_holes, "empty": mask_actions.empty,
              "swap": mask_actions.swap_sides, "remove": mask_actions.remove, "smooth": self._smooth}[name]
        qt.QApplication.setOverrideCursor(qt.QCursor(qt.Qt.WaitCursor))
        try:
            line, kind = do(self._node, self._segment_id, self._before_change), "good"
        except InputError as error:
            line, kind = str(error), "bad"
        finally:
            qt.QApplication.restoreOverrideCursor()
        self.say(line, kind)

    def _smooth(self, node, segment_id: str, before_change: Callable[[], None]) -> str:
        from organdose.scene.mask_actions import smooth

        return smooth(node, segment_id, before_change, radius_mm=self.radius.value, method=self.method.currentText)

    def _say_side(self, findings) -> None:
        title = self._node.GetSegmentation().GetSegment(self._segment_id).GetName()
        if not findings:
            self.say(f"{title}: on its side of the body.", "good")
            return
        self.say(f"{title}: {findings[0].reason}. If only the names are mixed up, swap sides.", "bad")


def _enable(button, reason: str, hint: str) -> None:
    button.enabled = not reason
    button.toolTip = reason or hint
