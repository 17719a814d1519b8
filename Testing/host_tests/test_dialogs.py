"""Dialogs never wait for a person: they are recorded, and answered as the test has laid down."""

import pytest


@pytest.fixture
def util(host):
    import slicer

    return slicer.util


def test_a_question_without_an_answer_is_declined(util, host):
    assert util.confirmYesNoDisplay("Overwrite?") is False
    assert util.confirmOkCancelDisplay("Continue?") is False
    assert [(box.text, box.answer) for box in host.dialogs.shown] == [("Overwrite?", "No"), ("Continue?", "Cancel")]


def test_a_question_is_answered_with_yes_no_or_the_text_of_a_button(util, host):
    for answer in (True, False, "Yes"):
        host.dialogs.answer(answer)
    assert [util.confirmYesNoDisplay("Sure?") for _ in range(3)] == [True, False, True]


def test_a_button_that_is_not_there_is_an_assertion_error(util, host):
    host.dialogs.answer("Maybe")
    with pytest.raises(AssertionError, match="no button 'Maybe'"):
        util.confirmYesNoDisplay("Sure?")


def test_messages_are_recorded_with_title_and_details(util, host):
    util.errorDisplay("It failed", windowTitle="Dose", detailedText="why")
    [box] = host.dialogs.shown
    assert (box.kind, box.title, box.text, box.details, box.answer) == ("message", "Dose", "It failed", "why", "OK")


def test_errors_are_shown_and_raised_by_try_with_error_display(util, host):
    with pytest.raises(ZeroDivisionError), util.tryWithErrorDisplay("Failed to compute."):
        1 / 0  # noqa: B018
    assert host.dialogs.shown[0].text.startswith("Failed to compute.")


def test_in_testing_mode_nothing_is_shown(util, host):
    host.set_testing(True)
    util.confirmYesNoDisplay("Sure?")
    util.infoDisplay("done")
    assert host.dialogs.shown == []


def test_file_dialogs_give_paths_or_nothing(host, tmp_path):
    import qt

    host.dialogs.answer_file(tmp_path / "a.nrrd")
    host.dialogs.answer_file([tmp_path / "b", tmp_path / "c"])
    assert qt.QFileDialog.getOpenFileName(None, "Open CT", "", "*.nrrd") == str(tmp_path / "a.nrrd")
    assert qt.QFileDialog.getOpenFileNames(None, "Open") == (str(tmp_path / "b"), str(tmp_path / "c"))
    assert qt.QFileDialog.getExistingDirectory(None, "Folder") == ""
    assert [dialog.title for dialog in host.dialogs.shown] == ["Open CT", "Open", "Folder"]


def test_input_dialogs_give_what_was_laid_down(host):
    import qt

    host.dialogs.answer_text("Dr. Who")
    assert qt.QInputDialog.getText(None, "Sign", "Your name:") == "Dr. Who"
    assert qt.QInputDialog.getText(None, "Sign", "Your name:") == ""


def test_message_boxes_of_qt_are_answered_too(host):
    import qt

    host.dialogs.answer(True)
    assert qt.QMessageBox.question(None, "T", "Sure?") == qt.QMessageBox.Yes
    box = qt.QMessageBox()
    box.text = "Three ways"
    box.addButton("Left", qt.QMessageBox.AcceptRole)
    right = box.addButton("Right", qt.QMessageBox.AcceptRole)
    host.dialogs.answer("Right")
    box.exec_()
    assert box.clickedButton() is right


def test_a_dialog_of_ones_own_can_be_driven_and_never_hangs(host):
    import qt

    dialog = qt.QDialog()
    line = qt.QLineEdit(dialog)
    host.dialogs.drive(lambda shown: (host.type_text(line, "42"), shown.accept()))
    assert dialog.exec_() == qt.QDialog.Accepted and line.text == "42"
    assert dialog.exec_() == qt.QDialog.Rejected


def test_opened_addresses_are_recorded(host):
    import qt

    qt.QDesktopServices.openUrl(qt.QUrl("https://example.org/manual"))
    assert host.dialogs.shown[0].text == "https://example.org/manual"
