"""Stands for Slicer's main window: the panel of the current module on the left, the views on the right.

It takes pictures of itself: `picture()` needs no screen.
"""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from host import segment_editor, segment_selector  # noqa: F401  (registers widgets that modules' .ui files name)
from host.layout import qSlicerLayoutManager

_SIZE = QSize(1400, 900)
PANEL_WIDTH = 400


class MainWindow(QMainWindow):
    """Module panel and views. `layout_manager`: the views to show; its own unless given."""

    moduleSelected = Signal(str)

    def __init__(self, layout_manager: qSlicerLayoutManager | None = None):
        super().__init__()
        self.setWindowTitle("3D Slicer")
        self._layout_manager = layout_manager if layout_manager is not None else qSlicerLayoutManager(self)
        self._modules = QComboBox()
        self._modules.textActivated.connect(self.moduleSelected)
        self._panel = QScrollArea(widgetResizable=True)
        self._panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._panel.setFrameShape(QFrame.Shape.NoFrame)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.addWidget(self._make_dock())
        self._splitter.addWidget(self._layout_manager.viewport())
        self._splitter.setStretchFactor(1, 1)
        self.setCentralWidget(self._splitter)
        self.resize(_SIZE)
        self.set_panel_width(PANEL_WIDTH)

    def layoutManager(self) -> qSlicerLayoutManager:
        return self._layout_manager

    def set_panel_width(self, width: int) -> None:
        self._splitter.setSizes([width, self.width() - width - self._splitter.handleWidth()])

    def set_modules(self, titles: list[str]) -> None:
        """The titles that the module selector offers."""
        self._modules.clear()
        self._modules.addItems(titles)

    def set_module_widget(self, widget: QWidget, title: str) -> None:
        """Show the panel of a module; the one before it is kept alive by whoever made it."""
        before = self._panel.takeWidget()
        if before is not None:
            before.setParent(None)
        if self._modules.findText(title) < 0:
            self._modules.addItem(title)
        self._modules.setCurrentIndex(self._modules.findText(title))
        self._panel.setWidget(widget)
        self.setWindowTitle(f"{title} - 3D Slicer")

    def picture(self, full_panel: bool = False) -> QImage:
        """The window as it looks now, with every view up to date.

        full_panel: the window is made tall enough for the whole module panel, then set back.
        """
        size = self.size()
        self._lay_out()
        if full_panel:
            missing = self._panel_height() - self._panel.viewport().height()
            self.resize(size.width(), size.height() + max(0, missing))
            self._lay_out()
        self._layout_manager.draw_again()
        image = self.grab().toImage()
        if self.size() != size:
            self.resize(size)
        return image

    def save_picture(self, path, full_panel: bool = False) -> None:
        """Write `picture()` as PNG. Raises OSError when that fails."""
        if not self.picture(full_panel).save(str(Path(path)), "PNG"):
            raise OSError(f"cannot write the picture {path}")

    def _panel_height(self) -> int:
        """What the panel needs at its present width: labels wrap."""
        widget = self._panel.widget()
        if widget is None:
            return 0
        width = self._panel.viewport().width()
        wanted = widget.heightForWidth(width) if widget.hasHeightForWidth() else widget.sizeHint().height()
        return max(wanted, widget.minimumSizeHint().height())

    def _lay_out(self) -> None:
        """Give every widget its place, shown or not: layouts of what is hidden wait for their turn."""
        self.ensurePolished()
        self.grab()
        QApplication.sendPostedEvents()

    def _make_dock(self) -> QWidget:
        dock = QWidget()
        title = QWidget()
        row = QHBoxLayout(title)
        row.setContentsMargins(6, 4, 6, 4)
        row.addWidget(QLabel("Module:"))
        row.addWidget(self._modules, stretch=1)
        box = QVBoxLayout(dock)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(title)
        box.addWidget(self._panel, stretch=1)
        dock.setMinimumWidth(200)
        return dock
