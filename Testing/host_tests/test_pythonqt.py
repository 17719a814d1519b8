"""Row by row: where PythonQt and PySide6 differ, the stand-in does as PythonQt."""

from pathlib import Path

import pytest


@pytest.fixture
def qt(host):
    import qt

    return qt


def test_qt_is_one_flat_module(qt):
    assert qt.QTimer is not None and qt.QColor is not None and qt.QPushButton is not None
    for missing in ("QtCore", "Signal", "Slot", "Property", "NoSuchClass"):
        with pytest.raises(AttributeError):
            getattr(qt, missing)


def test_a_property_is_a_value_and_calling_it_is_a_type_error(qt):
    button = qt.QPushButton("Apply")
    assert (button.text, button.enabled, button.checkable) == ("Apply", True, False)
    with pytest.raises(TypeError):
        button.text()


def test_counts_sizes_and_names_are_values_too(qt):
    combo = qt.QComboBox()
    combo.addItem("liver", 7)
    combo.objectName = "organ"
    assert (combo.count, combo.currentData, combo.currentText, combo.objectName, combo.name) == (
        1, 7, "liver", "organ", "organ")
    assert combo.width == combo.size.width()


def test_what_is_no_property_stays_a_method(qt):
    widget = qt.QWidget()
    box = qt.QCheckBox(widget)
    layout = qt.QVBoxLayout(widget)
    layout.addWidget(box)
    assert widget.layout() is layout and box.parent() is widget and box in widget.children()
    assert box.checkState() == qt.Qt.Unchecked
    assert qt.QTableWidgetItem("12.5").text() == "12.5"
    assert qt.QPixmap(3, 4).width() == 3


def test_the_same_object_is_the_same_proxy(qt):
    widget = qt.QWidget()
    label = qt.QLabel("x", widget)
    assert widget.children()[0] is label and label.parent() is widget
    assert qt.QColor("red") == qt.QColor("red") and qt.QColor("red") != qt.QColor("blue")


def test_assignment_sets_a_property(qt):
    spin = qt.QSpinBox()
    spin.value = 3
    spin.name = "histories"
    assert spin.value == 3 and spin.objectName == "histories"
    spin.value = 4.9
    assert spin.value == 4


@pytest.mark.parametrize(("name", "value"), [("value", "three"), ("value", None), ("enabled", "yes"),
                                             ("valu", 3), ("font", 3), ("width", 10)])
def test_a_wrong_type_an_unknown_or_a_fixed_name_cannot_be_set(qt, name, value):
    spin = qt.QSpinBox()
    with pytest.raises(AttributeError):
        setattr(spin, name, value)


def test_a_method_or_a_signal_cannot_be_overwritten(qt):
    button = qt.QPushButton()
    for name in ("click", "clicked"):
        with pytest.raises(AttributeError):
            setattr(button, name, None)


def test_a_widget_class_derived_in_python_keeps_no_attributes_of_its_own(qt):
    class Panel(qt.QWidget):
        def __init__(self, parent=None):
            qt.QWidget.__init__(self, parent)
            self.windowTitle = "Panel"

        def remember(self):
            self.result = 1

    panel = Panel()
    assert panel.windowTitle == "Panel" and panel.className() == "QWidget"
    with pytest.raises(AttributeError):
        panel.remember()


def test_an_unknown_attribute_is_an_attribute_error(qt):
    with pytest.raises(AttributeError):
        qt.QPushButton().setTextAndIcon  # noqa: B018
    with pytest.raises(AttributeError):
        qt.QMessageBox.Maybe  # noqa: B018


def test_a_dynamic_property_is_an_attribute_once_it_is_set(qt):
    label = qt.QLabel()
    assert label.property("SlicerParameterName") is None
    label.setProperty("SlicerParameterName", "ct")
    assert label.property("SlicerParameterName") == label.SlicerParameterName == "ct"


def test_a_slot_gets_as_many_arguments_as_it_has_parameters(qt):
    button, calls = qt.QPushButton(), []
    button.clicked.connect(lambda: calls.append("none"))
    button.clicked.connect(lambda checked: calls.append(checked))
    button.clicked.connect(lambda *arguments: calls.append(arguments))
    button.click()
    assert calls == ["none", False, (False,)]


def test_a_slot_with_too_few_arguments_is_printed_and_never_raised(qt, host, capsys):
    button = qt.QPushButton()
    button.clicked.connect(lambda checked, missing: None)
    button.click()
    assert "missing" in capsys.readouterr().err
    assert len(host.slot_errors) == 1 and "TypeError" in host.slot_errors[0]
    host.slot_errors.clear()


def test_an_error_in_a_slot_does_not_keep_others_from_running(qt, host):
    button, calls = qt.QPushButton(), []
    button.clicked.connect(lambda: 1 / 0)
    button.clicked.connect(lambda: calls.append("ran"))
    button.click()
    assert calls == ["ran"] and "ZeroDivisionError" in host.slot_errors[0]
    host.slot_errors.clear()


def test_a_signal_is_connected_by_its_signature_and_an_unknown_one_returns_false(qt, capsys):
    button, calls = qt.QPushButton(), []
    assert button.connect("clicked(bool)", calls.append) is True
    assert button.connect("clicked()", lambda: calls.append("plain")) is True
    assert button.connect("pressedHard(bool)", calls.append) is False
    assert "pressedHard" in capsys.readouterr().out
    button.click()
    assert sorted(map(str, calls)) == ["False", "plain"]


def test_disconnect_ends_one_connection_or_all_of_a_signal(qt):
    button, calls = qt.QPushButton(), []

    def note(checked):
        calls.append(checked)

    button.clicked.connect(note)
    button.connect("clicked(bool)", note)
    assert button.clicked.disconnect(note) is True
    button.click()
    assert calls == [False]
    assert button.disconnect("clicked(bool)", note) is True and button.clicked.disconnect(note) is False
    button.click()
    assert calls == [False]


def test_a_method_of_another_widget_can_be_a_slot(qt):
    timer, dialog = qt.QTimer(), qt.QDialog()
    timer.timeout.connect(dialog.accept)
    timer.timeout.emit()
    assert dialog.result() == qt.QDialog.Accepted
    assert timer.timeout.disconnect(dialog.accept) is True


def test_enums_are_numbers_without_name_and_their_sum_is_a_plain_int(qt):
    assert qt.Qt.AlignLeft == 1 and isinstance(qt.Qt.AlignLeft, int)
    for attribute in ("name", "value"):
        with pytest.raises(AttributeError):
            getattr(qt.Qt.AlignLeft, attribute)
    assert type(qt.Qt.AlignLeft | qt.Qt.AlignTop) is int
    with pytest.raises(AttributeError):
        qt.Qt.AlignmentFlag  # noqa: B018


def test_numbers_are_accepted_where_qt_wants_an_enum(qt):
    label = qt.QLabel("x")
    label.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    assert label.alignment == 2 | 0x80
    label.alignment = 4
    assert label.alignment == 4
    table = qt.QTableWidget(1, 2)
    header = table.horizontalHeader()
    header.setSectionResizeMode(1, qt.QHeaderView.Stretch)
    assert header.sectionResizeMode(1) == qt.QHeaderView.Stretch
    item = qt.QTableWidgetItem("x")
    item.setFlags(item.flags() & ~qt.Qt.ItemIsEditable)
    assert not item.flags() & qt.Qt.ItemIsEditable


def test_isinstance_knows_no_inheritance_but_inherits_does(qt):
    button = qt.QPushButton()
    assert not isinstance(button, qt.QWidget) and isinstance(button, qt.QPushButton)
    assert type(button) == qt.QPushButton and button.className() == "QPushButton"  # noqa: E721
    assert button.inherits("QWidget") and button.inherits("QAbstractButton") and not button.inherits("QLabel")
    assert button.isWidgetType()


def test_lists_come_back_as_tuples(qt):
    widget = qt.QWidget()
    assert widget.children() == () and widget.findChildren(qt.QLabel) == ()
    combo = qt.QComboBox()
    combo.addItems(["a", "b"])
    assert combo.count == 2


def test_none_as_a_text_is_the_word_and_a_path_is_refused(qt):
    button = qt.QPushButton()
    button.setText(None)
    assert button.text == "None"
    button.text = None
    assert button.text == "None"
    with pytest.raises(ValueError, match="setText"):
        button.setText(Path("/data"))
    with pytest.raises(AttributeError):
        button.text = Path("/data")


def test_wrong_arguments_are_a_value_error(qt):
    with pytest.raises(ValueError, match="no overload"):
        qt.QPushButton().setText("a", "b")


def test_constructors_and_methods_take_no_keywords(qt):
    with pytest.raises(TypeError):
        qt.QLabel(text="x")
    with pytest.raises(TypeError):
        qt.QLabel().setText(text="x")


def test_a_signal_blocker_is_no_context_manager(qt):
    spin, calls = qt.QSpinBox(), []
    spin.valueChanged.connect(calls.append)
    with pytest.raises((TypeError, AttributeError)), qt.QSignalBlocker(spin):
        pass
    was_blocked = spin.blockSignals(True)
    spin.value = 5
    spin.blockSignals(was_blocked)
    assert calls == []


def test_threads_and_virtual_methods_in_python_are_refused(qt):
    with pytest.raises(TypeError, match="QThread"):
        type("Worker", (qt.QThread,), {})
    with pytest.raises(TypeError, match="resizeEvent"):
        type("Panel", (qt.QWidget,), {"resizeEvent": lambda self, event: None})


def test_a_deleted_object_is_a_value_error(qt):
    widget = qt.QWidget()
    label = qt.QLabel("x", widget)
    set_text = label.setText
    widget.delete()
    assert not label and label == None  # noqa: E711
    for use in (lambda: label.text, lambda: label.setText("y"), lambda: set_text("y"), lambda: label.children()):
        with pytest.raises(ValueError, match="destroyed"):
            use()
    with pytest.raises(ValueError, match="destroyed"):
        label.text = "y"


def test_an_object_that_python_lets_go_is_deleted_unless_it_has_a_parent(qt, host):
    parent, calls = qt.QWidget(), []
    kept, dropped = qt.QTimer(parent), qt.QTimer()
    kept.timeout.connect(lambda: calls.append("kept"))
    dropped.timeout.connect(lambda: calls.append("dropped"))
    for timer in (kept, dropped):
        timer.start(0)
    del kept, dropped, timer
    host.process(0.02)
    assert set(calls) == {"kept"}


def test_settings_come_back_as_texts(qt, host):
    import slicer

    settings = qt.QSettings()
    for key, value in (("a/flag", False), ("a/number", 3), ("a/list", ["x", 1])):
        settings.setValue(key, value)
    again = qt.QSettings()
    assert again.value("a/flag") == "false" and again.value("a/number") == "3" and again.value("a/list") == ("x", "1")
    assert again.value("a/none") is None and again.value("a/none", 5) == 5
    assert slicer.util.settingsValue("a/flag", True, converter=slicer.util.toBool) is False
    assert slicer.app.settings().value("a/number") == slicer.app.userSettings().value("a/number") == "3"
    assert not slicer.app.revisionUserSettings().contains("a/number")


def test_a_single_shot_runs_in_the_event_loop_and_its_error_is_recorded(qt, host):
    calls = []
    qt.QTimer.singleShot(0, lambda: calls.append("ran"))
    qt.QTimer.singleShot(0, lambda: 1 / 0)
    assert calls == []
    host.wait_until(lambda: host.slot_errors, timeout_s=5, what="the timer")
    assert calls == ["ran"]
    host.slot_errors.clear()


def test_names_of_the_hosts_own_methods_are_not_shown(host):
    import slicer

    with pytest.raises(AttributeError):
        slicer.util.mainWindow().set_module_widget  # noqa: B018
    assert slicer.util.mainWindow().moduleSelector() is not None


def test_thousands_of_calls_do_not_use_up_none(qt):
    label = qt.QLabel()
    for _ in range(20_000):
        label.setText("x")
    assert label.text == "x"
