"""CTK's widgets for numbers: a slider with a spin box, two handles for a range, a spin box of its own."""

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

from host.native_widgets import native_widget
from host.plain_properties import plain_property

_STEPS = 1000  # of the slider between minimum and maximum


def _of_spin_box(kind, getter: str, setter: str) -> Property:
    """A property that the spin box inside keeps."""
    return Property(kind, lambda self: getattr(self._spin_box, getter)(),
                    lambda self, value: getattr(self._spin_box, setter)(value))


class _WithSpinBox(QWidget):
    """What the widgets around one QDoubleSpinBox share."""

    valueChanged = Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._spin_box = QDoubleSpinBox(self)
        self._spin_box.setRange(0, 99)
        QHBoxLayout(self).addWidget(self._spin_box)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self._spin_box.valueChanged.connect(self.valueChanged)

    def setValue(self, value: float) -> None:
        if value != self._spin_box.value():  # the same value must not tidy up what is being typed
            self._spin_box.setValue(value)

    value = Property(float, lambda self: self._spin_box.value(), setValue)
    minimum = _of_spin_box(float, "minimum", "setMinimum")
    maximum = _of_spin_box(float, "maximum", "setMaximum")
    singleStep = _of_spin_box(float, "singleStep", "setSingleStep")
    decimals = _of_spin_box(int, "decimals", "setDecimals")
    prefix = _of_spin_box(str, "prefix", "setPrefix")
    suffix = _of_spin_box(str, "suffix", "setSuffix")

    def setRange(self, minimum: float, maximum: float) -> None:
        self._spin_box.setRange(minimum, maximum)


@native_widget
class ctkDoubleSpinBox(_WithSpinBox):
    """A spin box for decimal numbers (in CTK no QDoubleSpinBox either)."""

    def spinBox(self) -> QDoubleSpinBox:
        return self._spin_box


@native_widget
class ctkSliderWidget(_WithSpinBox):
    """A slider and a spin box for the same number."""

    valueIsChanging = Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, _STEPS)
        self._slider.valueChanged.connect(self._on_slider)
        self._spin_box.valueChanged.connect(self._place_slider)
        self.layout().insertWidget(0, self._slider, 1)

    pageStep = plain_property(float, 10.0)
    tracking = plain_property(bool, True)
    spinBoxVisible = Property(bool, lambda self: not self._spin_box.isHidden(),
                              lambda self, shown: self._spin_box.setVisible(shown))

    def slider(self) -> QSlider:
        return self._slider

    def spinBox(self) -> QDoubleSpinBox:
        return self._spin_box

    def _on_slider(self, step: int) -> None:
        low, high = self._spin_box.minimum(), self._spin_box.maximum()
        self._spin_box.setValue(low + (high - low) * step / _STEPS)
        self.valueIsChanging.emit(self._spin_box.value())

    def _place_slider(self, value: float) -> None:
        low, high = self._spin_box.minimum(), self._spin_box.maximum()
        self._slider.blockSignals(True)  # the slider is coarser than the spin box and must not round it
        self._slider.setValue(round((value - low) / (high - low) * _STEPS) if high > low else 0)
        self._slider.blockSignals(False)


@native_widget
class ctkRangeWidget(QWidget):
    """Lower and upper end of a range, one never above the other."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._ends = QDoubleSpinBox(self), QDoubleSpinBox(self)
        for end in self._ends:
            end.setRange(0, 99)
            layout.addWidget(end)
        self._ends[1].setValue(99)
        self._ends[0].valueChanged.connect(lambda low: self._on_moved(self.minimumValueChanged, low))
        self._ends[1].valueChanged.connect(lambda high: self._on_moved(self.maximumValueChanged, high))

    def setValues(self, low: float, high: float) -> None:
        low, high = min(low, high), max(low, high)
        for end in self._ends:
            end.blockSignals(True)
        before = self._values()
        for end, value in zip(self._ends, (low, high)):
            if value != end.value():
                end.setValue(value)
            end.blockSignals(False)
        if self._values() != before:
            self.valuesChanged.emit(*self._values())

    def setRange(self, minimum: float, maximum: float) -> None:
        for end in self._ends:
            end.setRange(minimum, maximum)

    def _both(name, setter, kind):
        """A property that both ends share."""
        def write(self, value):
            for end in self._ends:
                getattr(end, setter)(value)

        return Property(kind, lambda self: getattr(self._ends[0], name)(), write)

    minimum = _both("minimum", "setMinimum", float)
    maximum = _both("maximum", "setMaximum", float)
    singleStep = _both("singleStep", "setSingleStep", float)
    decimals = _both("decimals", "setDecimals", int)
    suffix = _both("suffix", "setSuffix", str)
    minimumValue = Property(float, lambda self: self._ends[0].value(),
                            lambda self, low: self.setValues(low, max(low, self._ends[1].value())))
    maximumValue = Property(float, lambda self: self._ends[1].value(),
                            lambda self, high: self.setValues(min(high, self._ends[0].value()), high))

    def _values(self) -> tuple[float, float]:
        return self._ends[0].value(), self._ends[1].value()

    def _on_moved(self, signal, value: float) -> None:
        low, high = self._values()
        if low > high:
            self.setValues(value, value)
        signal.emit(value)
        self.valuesChanged.emit(*self._values())
