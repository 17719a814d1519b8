"""The picture shows what the scene holds."""

import subprocess
import sys

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.scene import screenshot
from organdose.scene.screenshot import save_picture, scene_picture

SIZE = (800, 600)


@pytest.fixture
def picture(result):
    try:
        return scene_picture(result, SIZE)
    except InputError as error:
        pytest.skip(str(error))


def _quarter(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[row * height + 30:(row + 1) * height, column * width:(column + 1) * width].astype(int)


def _saturation(picture: np.ndarray) -> np.ndarray:
    return picture.max(axis=-1) - picture.min(axis=-1)


def test_the_picture_has_the_size_asked_for(picture):
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 0), (1, 1)])
def test_slices_show_grey_ct_under_coloured_dose(picture, row, column):
    view = _quarter(picture, row, column)
    assert (_saturation(view) > 60).mean() > 0.05  # the dose
    assert len(np.unique(view.sum(axis=-1))) > 100  # and shades of CT and dose, not one flat colour


def test_without_dose_the_slices_have_no_colour_over_the_body(result, picture):
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        composite.SetForegroundOpacity(0)
    without = scene_picture(result, SIZE)
    assert (_saturation(_quarter(without, 0, 0)) > 60).mean() < 0.5 * (_saturation(_quarter(picture, 0, 0)) > 60).mean()


def test_the_three_d_view_shows_organs_and_no_skin(picture):
    view = _quarter(picture, 0, 1)
    reddish = view[..., 0] - view[..., 2] > 40  # the liver's colour; the background is blue
    assert 0.01 < reddish.mean() < 0.6
    assert not reddish[:10].any()


def test_the_scene_is_as_before(result, picture):
    import slicer

    assert not result.segmentation.GetSegmentation().ContainsRepresentation("Closed surface")
    assert not result.segmentation.GetDisplayNode().GetSegmentVisibility3D("body")
    assert slicer.util.getNode("Red").GetRulerType() == 0
    assert len(slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")) == 1


def test_even_a_segment_shown_by_hand_does_not_bring_the_skin_into_the_picture(result, picture):
    display = result.segmentation.GetDisplayNode()
    display.SetSegmentVisibility3D("body", True)
    again = scene_picture(result, SIZE)
    assert np.abs(_quarter(again, 0, 1) - _quarter(picture, 0, 1)).mean() < 1
    assert display.GetSegmentVisibility3D("body")


def test_a_png_is_written(picture, tmp_path):
    import SimpleITK as sitk

    save_picture(picture, tmp_path / "p.png")
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "p.png"))), picture)


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        save_picture(np.zeros((4, 4, 3), np.uint8), tmp_path / "file" / "p.png")


def test_a_machine_without_opengl_is_refused_with_the_remedy(result, monkeypatch):
    monkeypatch.setattr(screenshot, "_window_class", lambda: None)
    with pytest.raises(InputError, match="libegl1"):
        scene_picture(result, SIZE)


def test_without_a_display_x_is_never_tried():
    """VTK ends the process where it tries X without libX11 (VTK 9.6)."""
    code = ("import os; os.environ.pop('DISPLAY', None); from organdose.scene import screenshot as s;"
            "print(s._window_class() and s._window_class().__name__)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if sys.platform == "linux":
        assert "X" not in done.stdout
    assert done.stderr == ""
