"""What agrees is grey, what does not is coloured."""

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.image import imread

from organdose.export.registration_picture import draw_registration


def shifted(points):
    return points - np.array([15.0, -8.0, 10.0])


def coloured(path):
    """Part of the pixels that are clearly green or magenta, in the upper and the lower half."""
    image = imread(path)[..., :3]
    strong = np.abs(image[..., 1] - image[..., 0]) > 0.25
    half = len(strong) // 2
    return strong[:half].mean(), strong[half:].mean()


@pytest.mark.parametrize("kind", ["ct", "activity"])
def test_colour_goes_where_the_frame_comes_onto_the_reference(generated_patient, tmp_path, kind):
    fixed, moved = generated_patient(kind), generated_patient(kind, from_patient=shifted)
    path = draw_registration(fixed, moved, fixed, tmp_path / "registration.png", kind=kind)
    above, below = coloured(path)
    assert above > 0.01 and below == 0
    swapped = draw_registration(fixed, fixed, moved, tmp_path / "swapped.png", kind=kind)
    assert coloured(swapped)[0] == 0 and coloured(swapped)[1] == pytest.approx(above, rel=0.2)


def test_a_turned_image_and_another_grid_are_shown_where_they_are(generated_patient, tmp_path):
    fixed = generated_patient("ct")
    turned = sitk.DICOMOrient(fixed, "RAI")
    path = draw_registration(turned, generated_patient("ct", spacing_mm=4.0, size=(75, 58, 63)), fixed,
                             tmp_path / "turned.png", kind="ct")
    assert coloured(path)[0] < 0.005 and coloured(path)[1] == 0


def test_activity_that_has_decayed_is_still_the_same_picture(generated_patient, tmp_path):
    fixed = generated_patient("activity")
    path = draw_registration(fixed, fixed * 0.05, fixed, tmp_path / "decayed.png", kind="activity")
    assert coloured(path) == (0, 0)


def test_the_same_images_give_the_same_bytes(generated_patient, tmp_path):
    fixed = generated_patient("activity")
    first, second = (draw_registration(fixed, fixed, fixed, tmp_path / name, kind="activity") for name in ("a.png",
                                                                                                          "b.png"))
    assert first.read_bytes() == second.read_bytes()


def test_an_image_of_nothing_is_drawn_all_the_same(generated_patient, tmp_path):
    empty = generated_patient("activity") * 0
    assert draw_registration(empty, empty, empty, tmp_path / "empty.png", kind="activity").exists()
