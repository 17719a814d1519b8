"""The folders of results: kept while their tables are in the scene."""

import pytest

from organdose.panels.result_folders import ResultFolders, ask_and_copy


@pytest.fixture
def table(host):
    return host.scene.AddNewNodeByClass("vtkMRMLTableNode")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "job" / "result").mkdir(parents=True)
    (tmp_path / "job" / "result" / "run.json").write_text("{}")
    return tmp_path / "job"


def test_a_folder_goes_with_its_table(host, table, folder):
    folders = ResultFolders()
    folders.remember(table, folder)
    assert folders.of(table) == folder / "result" and folders.has(table)
    host.scene.RemoveNode(table)
    assert folders.of(table) is None and not folder.exists()


def test_a_folder_that_somebody_deleted_is_not_there(table, folder):
    folders = ResultFolders()
    folders.remember(table, folder)
    (folder / "result" / "run.json").unlink()
    (folder / "result").rmdir()
    assert not folders.has(table) and not folders.has(None)


def test_all_are_removed_when_the_window_goes(table, folder):
    folders = ResultFolders()
    folders.remember(table, folder)
    folders.remove_all()
    assert not folder.exists()


def test_a_copy_gets_a_name_that_is_free(host, folder, tmp_path):
    for name in ("comparison", "comparison-2"):
        host.dialogs.answer_file(tmp_path)
        ask_and_copy(folder / "result", "comparison")
        assert (tmp_path / name / "run.json").is_file()


def test_a_copy_that_fails_is_told_and_leaves_nothing(host, folder, tmp_path):
    host.dialogs.answer_file(tmp_path)
    ask_and_copy(tmp_path / "gone", "comparison")
    assert "could not be saved" in host.dialogs.shown[-1].text and not (tmp_path / "comparison").exists()


def test_nothing_happens_when_nobody_chooses_a_place(host, folder, tmp_path):
    ask_and_copy(folder / "result", "comparison")
    assert not (tmp_path / "comparison").exists()
