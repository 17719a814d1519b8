"""Results that are kept between runs: whole or not at all, and never those of other code."""

import pytest

from organdose.computed_cache import cache_folder, code_digest, fingerprint, keep


def test_the_folder_follows_the_users_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path))
    assert cache_folder("kernels") == tmp_path / "organdose" / "kernels"
    monkeypatch.delenv("ORGANDOSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder("kernels") == tmp_path / "xdg" / "organdose" / "kernels"


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "kernel.json"
    keep(path, lambda part: part.write_text("all of it", encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == "all of it"
    assert [each.name for each in path.parent.iterdir()] == ["kernel.json"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "kernel.json"
    path.write_text("old", encoding="utf-8")

    def half(part):
        part.write_text("ha", encoding="utf-8")
        raise OSError("no space left")

    keep(path, half)
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [("kernel.json", "old")]


@pytest.mark.parametrize("other", [("Lu-177", 4.0), ("Lu-177", 4.8, "lung"), ("Y-90", 4.8)])
def test_other_parts_make_another_key(other):
    assert fingerprint("Lu-177", 4.8) != fingerprint(*other)


def test_the_digest_is_that_of_the_files_that_match():
    assert code_digest("transport/*.py") != code_digest("ct/*.py")
    assert code_digest("transport/*.py") == code_digest("transport/*.py")
