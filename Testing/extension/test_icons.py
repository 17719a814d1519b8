"""The icons are what Slicer and the Extensions Index show: small, square, see-through at the corners, told apart."""

import importlib.util
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MODULES = ("OrganSegmenter", "DoseEstimator", "InternalDosimetry")
ICONS = (*(f"{name}/Resources/Icons/{name}.png" for name in MODULES), "Resources/Icons/OrganDose.png")
THUMBNAIL = "Resources/Icons/OrganDosePhantom.png"


def pixels(path: Path, size: int = 128) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.resize((size, size)), dtype=float)


@pytest.mark.parametrize("name", [*ICONS, THUMBNAIL])
def test_an_icon_is_a_small_square_picture_with_transparency(repository, name):
    path = repository / name
    with Image.open(path) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (128, 128), "RGBA")
    assert path.stat().st_size < 20_000


@pytest.mark.parametrize("name", ICONS)
def test_corners_are_empty_and_the_middle_is_not(repository, name):
    alpha = pixels(repository / name)[..., 3]
    assert alpha[[0, 0, -1, -1], [0, -1, 0, -1]].max() == 0
    assert alpha[20:108, 20:108].min() == 255


@pytest.mark.parametrize("one, other", list(combinations(ICONS, 2)))
def test_icons_differ_at_the_size_of_a_tool_bar(repository, one, other):
    difference = np.abs(pixels(repository / one, 24) - pixels(repository / other, 24))[..., :3].max(axis=2)
    assert (difference > 40).mean() > 0.2, "a fifth of what one sees is clearly another colour"


def test_the_tool_still_draws_what_is_committed(repository, tmp_path):
    spec = importlib.util.spec_from_file_location("draw_icons", repository / "tools" / "draw_icons.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert set(tool.ICONS) == set(ICONS)
    for name, draw in tool.ICONS.items():
        tool.save(draw(), tmp_path / "icon.png")
        # Other versions of the drawing library may shade edges otherwise.
        assert np.abs(pixels(tmp_path / "icon.png") - pixels(repository / name)).mean() < 3
