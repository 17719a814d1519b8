"""Results appear whole or not at all."""

import errno

import pytest

from organdose.errors import Cancelled, InputError
from organdose.jobs.result_folder import RECORD_NAME, check_result_folder, result_folder


def test_nothing_is_seen_under_the_name_until_all_is_written(tmp_path):
    with result_folder(tmp_path / "result") as folder:
        (folder / "a.txt").write_text("1")
        assert not (tmp_path / "result").exists()
        assert folder.parent == tmp_path and folder.name.startswith(".")  # the same disk, so that renaming is enough
    assert (tmp_path / "result" / "a.txt").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_others_may_read_the_result(tmp_path):
    with result_folder(tmp_path / "result"):
        pass
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "result").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt(), ValueError("x"), InputError("x")])
def test_a_run_that_fails_leaves_nothing_not_even_the_folders_above(tmp_path, error):
    with pytest.raises(type(error)), result_folder(tmp_path / "a" / "b" / "result") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "half.nrrd").write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    with (pytest.raises(InputError, match=r"could not be written \(No space left.*Make room on the disk"),
          result_folder(tmp_path / "a" / "result") as folder):
        (folder / "half.nrrd").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def _earlier_result(path):
    path.mkdir()
    (path / RECORD_NAME).write_text('{"organdose": "0.1.0", "task": "ct-dose", "job": {}}')
    (path / "old.txt").write_text("old")
    return path


def test_an_earlier_result_stays_until_the_new_one_is_whole(tmp_path):
    earlier = _earlier_result(tmp_path / "result")
    with pytest.raises(Cancelled), result_folder(earlier):
        raise Cancelled
    assert (earlier / "old.txt").read_text() == "old"
    with result_folder(earlier) as folder:
        assert (earlier / "old.txt").exists()
        (folder / "new.txt").write_text("new")
    assert {path.name for path in earlier.iterdir()} == {"new.txt"}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_an_earlier_result_survives_when_the_last_step_fails(tmp_path, monkeypatch):
    earlier = _earlier_result(tmp_path / "result")
    real = type(earlier).rename

    def fails_for_the_new_one(path, target):
        if path.name.endswith(".unfinished"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, target)
    monkeypatch.setattr(type(earlier), "rename", fails_for_the_new_one)
    with pytest.raises(InputError, match="Input/output error"), result_folder(earlier):
        pass
    assert (earlier / "old.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    for attempt in (check_result_folder, lambda path: result_folder(path).__enter__()):
        with pytest.raises(InputError, match=r"not a result of organdose\. Give an empty"):
            attempt(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_an_empty_folder_is_fine(tmp_path):
    (tmp_path / "result").mkdir()
    check_result_folder(tmp_path / "result")
    with result_folder(tmp_path / "result") as folder:
        (folder / "a").write_text("a")
    assert (tmp_path / "result" / "a").exists()


def test_a_file_of_that_name_is_refused(tmp_path):
    (tmp_path / "result").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        check_result_folder(tmp_path / "result")


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(InputError, match=r"notes/a/result: nothing can be written there \(Not a directory\)"):
        check_result_folder(tmp_path / "notes" / "a" / "result")


def test_looking_whether_it_could_be_written_leaves_no_trace(tmp_path):
    check_result_folder(tmp_path / "a" / "b" / "result")
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_that_the_disk_takes_is_taken(tmp_path):
    with result_folder(tmp_path / ("r" * 250)) as folder:
        (folder / "a").write_text("a")
    assert (tmp_path / ("r" * 250) / "a").exists()


def test_a_relative_name_is_below_the_working_folder(tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    with result_folder(Path("result")) as folder:
        (folder / "a").write_text("a")
    assert (tmp_path / "result" / "a").exists()


def test_a_folder_with_another_programs_run_json_is_left_alone(tmp_path):
    folder = _earlier_result(tmp_path / "theirs")
    (folder / RECORD_NAME).write_text('{"other": "program"}')
    with pytest.raises(InputError, match="not a result of organdose"):
        check_result_folder(folder)
    assert (folder / "old.txt").read_text() == "old"
