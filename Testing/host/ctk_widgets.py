"""CTK's widgets as far as modules here use them: collapsible sections, paths, and small refinements of Qt's own."""

import enum
from pathlib import Path

import shiboken6
from PySide6.QtCore import Property, QDir, QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionGroupBox,
    QToolButton,
    QWidget,
)

from host.native_widgets import native_widget
from host.plain_properties import plain_property


class _ChildrenHider:
    """Hides the children of a widget and shows again those that were shown before."""

    def __init__(self, widget: QWidget):
        self._widget, self._hidden = widget, []

    def hide(self) -> None:
        for child in self._widget.children():
            if isinstance(child, QWidget):
                self.hide_child(child)

    def hide_child(self, child: QWidget) -> None:
        """Hide it unless somebody has already: a new child is not hidden but only waits to be shown."""
        if not (child.isHidden() and child.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)):
            self._hidden.append(child)
            child.hide()

    def show(self) -> None:
        hidden, self._hidden = self._hidden, []
        for child in filter(shiboken6.isValid, hidden):
            child.show()


@native_widget
class ctkCollapsibleButton(QWidget):
    """A section of a module panel: a bar with an arrow and a title, and below it what the bar folds away."""

    contentsCollapsed = Signal(bool)
    clicked = Signal(bool)
    toggled = Signal(bool)

    def __init__(self, text="", parent=None):
        text, parent = ("", text) if isinstance(text, QWidget) else (text, parent)
        super().__init__(parent)
        self._text, self._collapsed = text, False
        self._children = _ChildrenHider(self)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self._make_room()

    def _get_text(self):
        return self._text

    def setText(self, text: str) -> None:
        self._text = text
        self.update()

    def _get_collapsed(self):
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        (self._children.hide if collapsed else self._children.show)()
        self._make_room()
        self.contentsCollapsed.emit(collapsed)
        self.toggled.emit(not collapsed)

    text = Property(str, _get_text, setText)
    collapsed = Property(bool, _get_collapsed, setCollapsed)
    checked = Property(bool, lambda self: not self._collapsed, lambda self, checked: self.setCollapsed(not checked))
    flat = plain_property(bool, False)
    contentsLineWidth = plain_property(int, 1)

    def buttonSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 40, max(metrics.height() + 8, 22))

    def childEvent(self, event):
        if self._collapsed and event.type() == QEvent.Type.ChildPolished and isinstance(event.child(), QWidget):
            self._children.hide_child(event.child())

    def mouseReleaseEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton and self._bar().contains(event.position().toPoint()):
            self.setCollapsed(not self._collapsed)
            self.clicked.emit(not self._collapsed)

    def paintEvent(self, _event):
        painter = QPainter(self)
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect = self._bar()
        option.state |= QStyle.StateFlag.State_Raised
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        option.rect = QRect(6, self._bar().center().y() - 5, 11, 11)
        arrow = "PE_IndicatorArrowRight" if self._collapsed else "PE_IndicatorArrowDown"
        self.style().drawPrimitive(QStyle.PrimitiveElement[arrow], option, painter, self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self._bar().adjusted(24, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, self._text)

    def sizeHint(self):
        return self.buttonSizeHint() if self._collapsed else super().sizeHint()

    def minimumSizeHint(self):
        return self.buttonSizeHint() if self._collapsed else super().minimumSizeHint()

    def _bar(self) -> QRect:
        return QRect(0, 0, self.width(), self.buttonSizeHint().height())

    def _make_room(self) -> None:
        height = self.buttonSizeHint().height()
        self.setContentsMargins(0, height, 0, 0)
        self.setMaximumHeight(height if self._collapsed else 16777215)
        self.updateGeometry()
        self.update()


@native_widget
class ctkCollapsibleGroupBox(QGroupBox):
    """A group box whose title folds its contents away; an arrow stands where the check mark was."""

    def __init__(self, title="", parent=None):
        super().__init__(*[argument for argument in (title, parent) if argument])
        self._children = _ChildrenHider(self)
        self.setCheckable(True)
        self.toggled.connect(lambda shown: self._children.show() if shown else self._children.hide())

    def setCollapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, lambda self: not self.isChecked(), setCollapsed)

    def childEvent(self, event):
        if self.collapsed and event.type() == QEvent.Type.ChildPolished and isinstance(event.child(), QWidget):
            self._children.hide_child(event.child())

    def paintEvent(self, _event):
        painter, option = QPainter(self), QStyleOptionGroupBox()
        self.initStyleOption(option)
        mark = QStyle.SubControl.SC_GroupBoxCheckBox
        place = self.style().subControlRect(QStyle.ComplexControl.CC_GroupBox, option, mark, self)
        option.subControls &= ~mark
        option.text = "     " + option.text  # room for the arrow
        self.style().drawComplexControl(QStyle.ComplexControl.CC_GroupBox, option, painter, self)
        option.rect = place
        arrow = "PE_IndicatorArrowDown" if self.isChecked() else "PE_IndicatorArrowRight"
        self.style().drawPrimitive(QStyle.PrimitiveElement[arrow], option, painter, self)


@native_widget
class ctkPathLineEdit(QWidget):
    """A line for a path, with the paths of before and a button that browses."""

    class Filter(enum.IntFlag):
        """What may be chosen, numbered as in QDir."""

        Dirs, Files, Drives, NoSymLinks, Readable, Writable, Executable = (1 << bit for bit in range(7))
        Hidden, System, NoDotAndDotDot = 0x100, 0x200, 0x6000

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._path, self._valid = "", False
        self._box = QComboBox(self)
        self._box.setEditable(True)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.editTextChanged.connect(self._on_edited)
        self._browse_button = QToolButton(self)
        self._browse_button.setText("...")
        self._browse_button.clicked.connect(self.browse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        layout.addWidget(self._browse_button)

    filters = plain_property(int, Filter.Files | Filter.Readable | Filter.Writable | Filter.NoDotAndDotDot)
    nameFilters = plain_property("QStringList", [])
    label = plain_property(str, "")
    settingKey = plain_property(str, "")

    def _set_path(self, path: str) -> None:
        self._box.setEditText(path)

    currentPath = Property(str, lambda self: self._path, _set_path)
    validInput = Property(bool, lambda self: self._valid)
    showBrowseButton = Property(bool, lambda self: not self._browse_button.isHidden(),
                                lambda self, shown: self._browse_button.setVisible(shown))

    def browse(self) -> None:
        """Ask for a path, as the button does."""
        from host.dialogs import dialogs

        path = dialogs.file(self.label or "Select a path", "")
        if path:
            self._set_path(path)

    def addCurrentPathToHistory(self) -> None:
        if self._path and self._box.findText(self._path) < 0:
            self._box.insertItem(0, self._path)

    def comboBox(self) -> QComboBox:
        return self._box

    def _on_edited(self, path: str) -> None:
        self._path, was_valid = path, self._valid
        self._valid = Path(path).is_dir() if not self.filters & self.Filter.Files else Path(path).is_file()
        self.currentPathChanged.emit(path)
        if self._valid != was_valid:
            self.validInputChanged.emit(self._valid)


@native_widget
class ctkDirectoryButton(QWidget):
    """A button that carries the path of a folder and asks for another one."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._directory = QDir().path()
        self._button = QPushButton(self._directory, self)
        self._button.setIcon(self.style().standardIcon(QStyle.StandardPixmap.SP_DirIcon))
        self._button.clicked.connect(self.browse)
        QHBoxLayout(self).addWidget(self._button)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _set_directory(self, path: str) -> None:
        path = QDir(path).path()
        if path != self._directory:
            self._directory = path
            self._button.setText(path)
            self.directoryChanged.emit(path)

    directory = Property(str, lambda self: self._directory, _set_directory)
    caption = plain_property(str, "")

    def browse(self) -> None:
        from host.dialogs import dialogs

        path = dialogs.file(self.caption or "Select folder", "")
        if path:
            self._set_directory(path)
            self.directorySelected.emit(path)


@native_widget
class ctkColorPickerButton(QPushButton):
    """A button that shows a colour."""

    colorChanged = Signal(QColor)

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._color = QColor("black")
        self._show()

    def setColor(self, color: QColor) -> None:
        if color != self._color:
            self._color = QColor(color)
            self._show()
            self.colorChanged.emit(self._color)

    color = Property(QColor, lambda self: self._color, setColor)
    displayColorName = plain_property(bool, True)

    def _show(self) -> None:
        pixmap = QPixmap(14, 14)
        pixmap.fill(self._color)
        self.setIcon(QIcon(pixmap))
        self.setText(self._color.name() if self.displayColorName else "")


@native_widget
class ctkMessageBox(QMessageBox):
    """A message box with a check box "don't show this message again", which answers by itself once it is checked."""

    dontShowAgainSettingsKey = plain_property(str, "")

    def _set_again(self, shown: bool) -> None:
        self.setCheckBox(QCheckBox("Don't show this message again.") if shown else None)

    dontShowAgainVisible = Property(bool, lambda self: self.checkBox() is not None, _set_again)
    dontShowAgain = Property(bool, lambda self: self.checkBox() is not None and self.checkBox().isChecked(),
                             lambda self, again: self.checkBox().setChecked(again))


@native_widget
class ctkComboBox(QComboBox):
    """A combo box with a text for when nothing is chosen."""

    def _set_default_text(self, text: str) -> None:
        self.setPlaceholderText(text)

    defaultText = Property(str, lambda self: self.placeholderText(), _set_default_text)


@native_widget
class ctkCheckBox(QCheckBox):
    """A check box; CTK lets its indicator be an icon."""


@native_widget
class ctkMenuButton(QPushButton):
    """A button with a menu behind its arrow."""


@native_widget
class ctkSearchBox(QLineEdit):
    """A line for a search, with a button that clears it."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setPlaceholderText("Search...")
        self.setClearButtonEnabled(True)

    showSearchIcon = plain_property(bool, False)
    alwaysShowClearIcon = plain_property(bool, False)
