"""CTK's widgets, as Python code and as a person uses them."""

import pytest


@pytest.fixture
def ctk(host):
    import ctk

    return ctk


@pytest.fixture
def qt(host):
    import qt

    return qt


def test_a_section_folds_its_contents_away_and_shows_again_what_was_shown(ctk, qt, host):
    section = ctk.ctkCollapsibleButton()
    section.text = "Inputs"
    form = qt.QFormLayout(section)
    shown, hidden, calls = qt.QLineEdit(), qt.QLineEdit(), []
    form.addRow("name", shown)
    form.addRow("secret", hidden)
    hidden.visible = False
    section.connect("contentsCollapsed(bool)", calls.append)
    section.show()
    host.click(section)
    assert section.collapsed and not section.checked and calls == [True]
    assert not shown.visible and section.sizeHint.height() < 40
    host.click(section)
    assert not section.collapsed and shown.visible and not hidden.visible and calls == [True, False]


def test_what_is_put_into_a_folded_section_is_hidden_too(ctk, qt, host):
    section = ctk.ctkCollapsibleButton()
    qt.QVBoxLayout(section)
    section.collapsed = True
    section.show()
    label = qt.QLabel("late")
    section.layout().addWidget(label)
    host.process()
    assert not label.visible
    section.collapsed = False
    assert label.visible


def test_a_collapsible_group_box_folds_by_its_title(ctk, qt):
    box = ctk.ctkCollapsibleGroupBox()
    box.title = "Advanced"
    label = qt.QLabel("x", box)
    assert box.collapsed is False
    box.collapsed = True
    assert label.isHidden() and box.checked is False


def test_a_slider_keeps_the_exact_number_and_says_so_once(ctk, host):
    slider, values = ctk.ctkSliderWidget(), []
    slider.minimum, slider.maximum, slider.decimals = -5, 7.5, 3
    slider.valueChanged.connect(values.append)
    slider.value = 1.234
    slider.value = 1.234
    slider.show()
    assert slider.value == 1.234 and values == [1.234]
    host.type_text(slider, "2.5")
    assert slider.value == 2.5
    slider.slider().value = 1000
    assert slider.value == 7.5


def test_a_range_never_turns_round(ctk):
    ends, calls = ctk.ctkRangeWidget(), []
    ends.setRange(-10, 10)
    ends.valuesChanged.connect(lambda low, high: calls.append((low, high)))
    ends.setValues(3, -1)
    ends.maximumValue = -4
    assert (ends.minimumValue, ends.maximumValue) == (-4, -4) and calls == [(-1, 3), (-4, -4)]


def test_a_path_line_tells_its_path_and_whether_it_exists(ctk, host, tmp_path):
    line, paths = ctk.ctkPathLineEdit(), []
    line.filters = ctk.ctkPathLineEdit.Dirs
    line.currentPathChanged.connect(paths.append)
    line.currentPath = str(tmp_path / "missing")
    assert not line.validInput
    host.dialogs.answer_file(tmp_path)
    line.browse()
    assert line.validInput and line.currentPath == paths[-1] == str(tmp_path)
    line.browse()
    assert line.currentPath == str(tmp_path)


def test_a_directory_button_asks_for_a_folder(ctk, host, tmp_path):
    button, paths = ctk.ctkDirectoryButton(), []
    button.directoryChanged.connect(paths.append)
    host.dialogs.answer_file(tmp_path)
    button.browse()
    assert button.directory == str(tmp_path) and paths == [str(tmp_path)]


def test_a_colour_button_has_a_colour(ctk, qt):
    button, names = ctk.ctkColorPickerButton(), []
    button.colorChanged.connect(lambda color: names.append(color.name()))
    button.color = qt.QColor("red")
    assert button.color == qt.QColor("red") and names == ["#ff0000"]


def test_what_ctk_does_not_have_here_is_an_attribute_error(ctk):
    with pytest.raises(AttributeError):
        ctk.ctkDICOMBrowser  # noqa: B018
