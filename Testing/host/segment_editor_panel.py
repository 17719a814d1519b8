"""The visible half of the stand-in segment editor: selectors, table of segments, effects with their options, undo."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from host.mrml_widgets import qMRMLNodeComboBox
from host.table_view import qMRMLSegmentsTableView


class SegmentEditorPanel(QWidget):
    """Shows the state of an editor (qMRMLSegmentEditorWidget) and hands on what is clicked."""

    def __init__(self, editor):
        super().__init__()
        self._editor, self._order, self._others_shown = editor, [], True
        self.segmentations = _node_selector("vtkMRMLSegmentationNode", editor.setSegmentationNode)
        self.volumes = _node_selector("vtkMRMLScalarVolumeNode", editor.setSourceVolumeNode)
        self.to_segmentations = QToolButton(text="Segmentations...")
        self._add = _button("Add", self._add_segment)
        self._remove = _button("Remove", self._remove_segment)
        self._undo, self._redo = _button("Undo", editor.undo), _button("Redo", editor.redo)
        self._table = qMRMLSegmentsTableView()
        self._table.setSelectionMode(1)  # single selection
        self._table.setMinimumHeight(150)
        self._table.selectionChanged.connect(self._on_segment_selected)
        self._form = QFormLayout()
        self._form.addRow("Segmentation:", self.segmentations)
        self._form.addRow("Source volume:", self.volumes)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(self._form)
        whole.addLayout(_row(self._add, self._remove, self.to_segmentations))
        whole.addWidget(self._table)
        whole.addWidget(self._make_effects())
        whole.addLayout(_row(self._undo, self._redo))

    def set_scene(self, scene) -> None:
        self.segmentations.setMRMLScene(scene)
        self.volumes.setMRMLScene(scene)

    def show_row(self, widget: QWidget, visible: bool) -> None:
        self._form.setRowVisible(widget, visible)

    def effect_order(self) -> list[str]:
        return list(self._order)

    def others_shown(self) -> bool:
        return self._others_shown

    def order_effects(self, names: list[str] | None = None, others_shown: bool | None = None) -> None:
        self._order = self._order if names is None else names
        self._others_shown = self._others_shown if others_shown is None else others_shown
        known = self._editor.availableEffectNames()
        shown = ["None", *(name for name in self._order if name in known)]
        shown += [name for name in known if name not in shown and self._others_shown]
        while self._effect_row.count():
            self._effect_row.takeAt(0)
        for name, button in self._buttons.items():
            button.setVisible(name in shown)
        for name in shown:
            self._effect_row.addWidget(self._buttons[name])
        self._effect_row.addStretch()

    def update_from(self, editor) -> None:
        logic, effect, segment_id = editor.logic(), editor.activeEffect(), editor.currentSegmentID()
        self.segmentations.setCurrentNode(editor.segmentationNode())
        self.volumes.setCurrentNode(editor.sourceVolumeNode())
        self._table.setSegmentationNode(editor.segmentationNode())
        self._table.setSelectedSegmentIDs([segment_id] if segment_id else [])
        self._table.setReadOnly(editor.readOnly)
        editable = editor.sourceVolumeNode() is not None and not editor.readOnly
        self._add.setEnabled(editable and logic.CanAddSegments())
        self._remove.setEnabled(editable and logic.CanRemoveSegments())
        self._effect_box.setEnabled(editable and logic.IsSegmentIdValid(segment_id))
        self._undo.setEnabled(not editor.readOnly and logic.CanUndo())
        self._redo.setEnabled(not editor.readOnly and logic.CanRedo())
        for name, button in self._buttons.items():
            button.setChecked(name == (effect.name if effect is not None else "None"))
        self._show_options(effect)

    def _make_effects(self) -> QWidget:
        self._effect_box = QGroupBox("Effects")
        self._effect_row = QHBoxLayout()
        self._buttons = {}
        for name in ("None", *self._editor.availableEffectNames()):
            self._buttons[name] = QToolButton(text=name, checkable=True)
            self._buttons[name].clicked.connect(self._on_effect_clicked)
        box = QVBoxLayout(self._effect_box)
        box.addLayout(self._effect_row)
        box.addWidget(self._make_options())
        self.order_effects()
        return self._effect_box

    def _make_options(self) -> QWidget:
        """Brush diameter (Paint, Erase); limits and buttons (Threshold)."""
        options = QWidget()
        self._options = QFormLayout(options)
        self._options.setContentsMargins(0, 0, 0, 0)
        threshold = self._editor.effectByName("Threshold")
        self._spin_boxes = {}
        for label, name in (("Diameter:", "BrushAbsoluteDiameter"), ("Threshold from:", "MinimumThreshold"),
                            ("to:", "MaximumThreshold")):
            brush = name == "BrushAbsoluteDiameter"
            spin = QDoubleSpinBox(maximum=1e6, minimum=0.1 if brush else -1e6, keyboardTracking=False)
            spin.setSuffix(" mm" if brush else "")
            spin.setObjectName(name)
            spin.valueChanged.connect(self._on_option_changed)
            self._options.addRow(label, spin)
            self._spin_boxes[name] = spin
        self._threshold_buttons = QWidget()
        self._threshold_buttons.setLayout(_row(_button("Use for masking", threshold.onUseForPaint),
                                               _button("Apply", threshold.onApply)))
        self._options.addRow(self._threshold_buttons)
        return options

    def _show_options(self, effect) -> None:
        name = effect.name if effect is not None else ""
        for parameter, spin in self._spin_boxes.items():
            shown = name == "Threshold" if "Threshold" in parameter else name in ("Paint", "Erase")
            self._options.setRowVisible(spin, shown)
            if shown:
                with QSignalBlocker(spin):
                    spin.setValue(effect.doubleParameter(parameter))
        self._options.setRowVisible(self._threshold_buttons, name == "Threshold")

    def _add_segment(self) -> None:
        self._editor.logic().AddEmptySegment()

    def _remove_segment(self) -> None:
        self._editor.logic().RemoveSelectedSegment()

    def _on_effect_clicked(self) -> None:
        self._editor.setActiveEffectByName(self.sender().text())

    def _on_option_changed(self, value: float) -> None:
        name, effect = self.sender().objectName(), self._editor.activeEffect()
        (effect.setParameter if "Threshold" in name else effect.setCommonParameter)(name, value)

    def _on_segment_selected(self) -> None:
        chosen = self._table.selectedSegmentIDs()
        if chosen and self._editor.mrmlSegmentEditorNode() is not None:
            self._editor.setCurrentSegmentID(chosen[0])


def _node_selector(node_type: str, on_change) -> qMRMLNodeComboBox:
    selector = qMRMLNodeComboBox()
    selector.nodeTypes = [node_type]
    selector.noneEnabled = True
    selector.addEnabled = selector.removeEnabled = False
    selector.currentNodeChanged.connect(on_change)
    return selector


def _button(text: str, act) -> QPushButton:
    button = QPushButton(text)
    button.clicked.connect(act)
    return button


def _row(*widgets) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return row
