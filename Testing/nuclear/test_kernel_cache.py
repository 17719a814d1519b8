"""Kernels in the cache: found again, never trusted when damaged."""

import json

import numpy as np
import pytest

from organdose.nuclear import kernel_cache
from organdose.nuclear.kernel_cache import cached_scores
from organdose.nuclear.media import LUNG, SOFT_TISSUE
from organdose.nuclear.progeny import with_progeny

VOXEL_MM = (4.07283, 4.07283, 3.0)


@pytest.fixture
def computed(tmp_path, monkeypatch):
    """How often a kernel was computed, with the cache in a folder of this test."""
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path))
    calls, real = [], kernel_cache.kernel_scores
    monkeypatch.setattr(kernel_cache, "kernel_scores",
                        lambda *args, **options: calls.append(1) or real(*args, **options))
    return calls


def scores(**changed):
    options = {"mixture": with_progeny("Lu-177"), "medium": SOFT_TISSUE, "voxel_mm": VOXEL_MM, "histories": 500}
    return cached_scores(**(options | changed))


def files(tmp_path, ending):
    return sorted(tmp_path.rglob(f"*.{ending}"))


def test_a_kernel_is_computed_once(computed, tmp_path):
    first, second = scores(), scores()
    assert len(computed) == 1
    assert np.array_equal(first.near_kev, second.near_kev) and np.array_equal(first.shell_kev, second.shell_kev)
    assert first.balance_kev == second.balance_kev and first.emitted_kev == second.emitted_kev
    (record,) = files(tmp_path, "json")
    told = json.loads(record.read_text())
    assert told["radionuclide"] == "Lu-177" and told["medium"] == "soft tissue (ICRP)"
    assert told["voxel_mm"] == [4.0728, 4.0728, 3.0] and told["seed"] == 1


@pytest.mark.parametrize("changed", [{"medium": LUNG}, {"voxel_mm": (4.0, 4.0, 3.0)}, {"histories": 600}, {"seed": 2},
                                     {"mixture": with_progeny("Tc-99m")}])
def test_whatever_changes_the_kernel_makes_another_one(computed, changed):
    scores()
    scores(**changed)
    assert len(computed) == 2


def test_progeny_is_part_of_the_key(computed):
    scores(mixture=with_progeny("Ra-223"))
    scores(mixture=with_progeny("Ra-223", progeny=[]))
    assert len(computed) == 2


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no archive"), lambda path: path.unlink(),
                                    lambda path: path.write_bytes(path.read_bytes()[:-40]),
                                    lambda path: np.savez(path, near_kev=np.ones((2, 2, 2))),
                                    lambda path: path.with_suffix(".json").write_text("[]"),
                                    lambda path: path.with_suffix(".json").write_text("{")])
def test_a_damaged_file_is_computed_again(computed, tmp_path, damage):
    first = scores()
    (path,) = files(tmp_path, "npz")
    damage(path)
    assert np.array_equal(scores().near_kev, first.near_kev)
    assert len(computed) == 2
    scores()
    assert len(computed) == 2


def test_a_number_that_was_changed_is_noticed(computed, tmp_path):
    first = scores()
    (path,) = files(tmp_path, "npz")
    with np.load(path) as arrays:
        changed = {name: array.copy() for name, array in arrays.items()}
    changed["near_kev"][0, 0, 0] *= 1.1
    np.savez(path, **changed)
    assert scores().near_kev[0, 0, 0] == first.near_kev[0, 0, 0]


def test_a_cache_that_cannot_be_written_to_costs_time_only(computed, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path / "file"))
    assert scores().near_kev.sum() > 0
