"""The benchmark measures edits that change what they should change."""

import re

import pytest

from organdose.progress import Progress
from organdose.validation import edit_benchmark


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The same body in voxels eight times as long."""
    monkeypatch.setattr(edit_benchmark, "_SIZE", (64, 64, 50))
    monkeypatch.setattr(edit_benchmark, "_SPACING_MM", (6.24, 6.24, 12.0))
    monkeypatch.setattr(edit_benchmark, "_STROKES", 2)
    monkeypatch.setattr(edit_benchmark, "_BRUSH_MM", 25.0)


def test_each_organ_edited_has_a_line_with_times():
    lines = edit_benchmark.run_edit_benchmark(Progress())
    assert "organs in" in lines[0]
    assert len(lines) == 5
    for organ, line in zip(("liver", "kidney_left", "body"), lines[2:]):
        assert re.fullmatch(rf"arrays: {organ} edited, its row and DVH after \d+ ms \(at most \d+ ms\), all rows after "
                            r"\d+ ms \(at most \d+ ms\), longest step \d+ ms", line)


def test_a_slicer_scene_is_measured_as_well():
    pytest.importorskip("slicer")
    from organdose.scene.edit_timing import SceneTarget
    from organdose.scene.headless import clear_scene, start_slicer

    start_slicer()
    lines = edit_benchmark.run_edit_benchmark(Progress(), SceneTarget)
    clear_scene()
    assert [line.startswith("Slicer scene: ") for line in lines] == [False] * 5 + [True] * 4
    assert not any("nan" in line for line in lines)


def test_strokes_on_arrays_and_in_a_scene_give_the_same_rows():
    pytest.importorskip("slicer")
    from organdose.scene.edit_timing import SceneTarget
    from organdose.scene.headless import clear_scene, start_slicer

    start_slicer()
    ct, masks, dose = edit_benchmark._study()
    targets = [edit_benchmark._ArrayTarget(ct, masks, dose), SceneTarget(ct, masks, dose)]
    for number in range(2):
        for target in targets:
            target.paint("liver", *edit_benchmark._stroke((-130, -10, -20), number), erase=number == 1)
            for _ in target.follow():
                pass
        for organ in ("liver", "remainder", "body"):
            arrays, scene = (target.row(organ) for target in targets)
            assert scene.volume_ml == pytest.approx(arrays.volume_ml)
            assert scene.mean_mgy == pytest.approx(arrays.mean_mgy)
    clear_scene()


def test_masks_have_reviews_and_any_clock_can_measure():
    ticks = iter(range(10**6))
    lines = edit_benchmark.run_edit_benchmark(Progress(), clock=lambda: float(next(ticks)))
    assert "longest step 1000 ms" in lines[1]  # each step lies between two ticks
    _, masks, _ = edit_benchmark._study()
    assert set(masks.reviews) == set(masks.names)
