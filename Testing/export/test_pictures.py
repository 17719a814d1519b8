import math
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from organdose.errors import Cancelled
from organdose.export.main_organs import main_organs
from organdose.export.panel_layout import panel_layout
from organdose.export.pictures import write_pictures
from organdose.export.planes import PlaneViews, informative_planes
from organdose.export.plots import draw_organ_doses
from organdose.progress import Progress
from organdose.study.facts import CTAcquisition

PNG = b"\x89PNG\r\n\x1a\n"


def _write(folder, study, **changed):
    given = {"acquisition": study.acquisition, "slice_positions_mm": study.slice_positions_mm} | changed
    return write_pictures(folder, study.ct, study.dose, study.masks, study.rows, study.dvhs, **given)


@pytest.fixture(scope="session")
def pictures(example, tmp_path_factory):
    return _write(tmp_path_factory.mktemp("result") / "pictures", example)


def test_every_picture_is_a_png_with_a_caption(pictures):
    assert [path.name for path in pictures.values()] == ["dose.png", "organs.png", "organ_doses.png", "dvh.png",
                                                         "exposure.png"]
    assert all(path.read_bytes().startswith(PNG) for path in pictures.values())
    assert all(len(caption) > 20 for caption in pictures)


def _panels(path, study):
    """The three panels of a picture, cut out by the layout, as brightness (rows, columns)."""
    views = PlaneViews(study.ct, study.dose, study.masks)
    windows = [views.window_mm(plane) for plane in informative_planes(views)]
    layout = panel_layout(*((abs(r - left), abs(top - bottom)) for left, r, bottom, top in windows))
    image = imread(path)[..., :3].mean(axis=2)
    for box in layout.panels:
        left, bottom, width, height = layout.fractions(box)
        rows = slice(int((1 - bottom - height) * image.shape[0]), int((1 - bottom) * image.shape[0]))
        yield image[rows, int(left * image.shape[1]):int((left + width) * image.shape[1])]


def _quarters(panel):
    """Mean brightness of (upper left, upper right, lower left, lower right), letters and scale bar at the rim aside."""
    height, width = panel.shape
    rows, columns = [(0.15, 0.45), (0.55, 0.8)], [(0.15, 0.45), (0.55, 0.85)]
    return [panel[int(a * height):int(b * height), int(c * width):int(d * width)].mean()
            for a, b in rows for c, d in columns]


def test_the_mark_at_head_front_and_right_appears_where_radiologists_look_for_it(example_of, tmp_path):
    """300 HU in the right front of the upper half, 40 HU elsewhere, flat dose."""
    study = example_of(lambda z, y, x: np.full(z.shape, 5.0))
    dose_picture = next(iter(_write(tmp_path, study).values()))
    axial, coronal, sagittal = (_quarters(panel) for panel in _panels(dose_picture, study))
    assert np.argmax(axial) == 0  # right and front: upper left
    assert np.argmax(coronal) == 0  # right and head: upper left
    assert np.argmax(sagittal) == 0  # front and head: upper left


def test_missing_facts_leave_out_their_panel_only(example, tmp_path):
    paths = _write(tmp_path, example, acquisition=CTAcquisition())
    assert imread(list(paths.values())[-1]).shape[1] < 1400  # coronal picture and one panel instead of three


@pytest.mark.parametrize("slices", [6, 150])
def test_short_and_long_scans_have_their_pictures(example_of, tmp_path, slices):
    study = example_of(lambda z, y, x: np.full(z.shape, 5.0), slices=slices)
    assert all(path.read_bytes().startswith(PNG) for path in _write(tmp_path, study).values())


def test_organ_doses_without_uncertainty_are_drawn(example, tmp_path):
    rows = [replace(row, uncertainty_percent=None, in_image_percent=math.nan) for row in example.rows]
    assert draw_organ_doses(rows, tmp_path / "bars.png").read_bytes().startswith(PNG)


def test_the_main_organs_are_groups_and_weighted_organs_by_falling_dose(example):
    names = [row.organ for row in main_organs(example.rows, 10)]
    assert names == ["liver", "kidneys", "bones"]


def test_without_a_main_organ_every_row_is_shown(example):
    others = [row for row in example.rows if row.organ in ("body", "kidney_left")]
    assert {row.organ for row in main_organs(others, 10)} == {"body", "kidney_left"}


def test_pictures_of_the_same_study_are_the_same_bytes(example, pictures, tmp_path):
    again = _write(tmp_path, example)
    assert [path.read_bytes() for path in again.values()] == [path.read_bytes() for path in pictures.values()]


def test_the_user_can_stop_it(example, tmp_path):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        _write(tmp_path, example, progress=progress)


def test_captions_name_no_path(pictures):
    assert not any(re.search(r"[/\\]", caption) for caption in pictures)
