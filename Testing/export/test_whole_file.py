import os

import pytest

from organdose.errors import InputError
from organdose.export.whole_file import whole_file


def test_the_file_appears_when_all_went_well(tmp_path):
    with whole_file(tmp_path / "new" / "organs.seg.nrrd") as temporary:
        assert temporary.name.endswith(".seg.nrrd")
        temporary.write_text("done")
    assert (tmp_path / "new" / "organs.seg.nrrd").read_text() == "done"
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "table.csv").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_results_are_as_readable_as_other_files(tmp_path):
    before = os.umask(0o022)
    try:
        with whole_file(tmp_path / "table.csv") as temporary:
            temporary.write_text("done")
    finally:
        os.umask(before)
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == 0o644


def test_no_space_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"table\.csv: cannot be written: No space left"), \
            whole_file(tmp_path / "table.csv"):
        raise OSError(28, "No space left on device")
