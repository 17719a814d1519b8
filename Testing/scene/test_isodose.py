"""Isodose lines and surfaces of a dose volume."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.scene import isodose
from organdose.scene.dose_display import dose_volume_node


@pytest.fixture
def sphere_dose(scene):
    """20 mGy in the middle, falling by 0.2 mGy a millimetre: every isodose is a sphere. Flipped axes, odd spacing."""
    z, y, x = np.ix_((np.arange(30) - 14.5) * 5.0, (np.arange(40) - 19.5) * 4.0, (np.arange(50) - 24.5) * 3.0)
    dose = np.clip(20 - 0.2 * np.sqrt(z**2 + y**2 + x**2), 0, None).astype(np.float32)
    image = sitk.GetImageFromArray(dose)
    image.SetSpacing((3.0, 4.0, 5.0))
    image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, -1))
    image.SetOrigin((24.5 * 3 + 7, -19.5 * 4, 14.5 * 5))
    return dose_volume_node(DoseMap(image, np.ones_like(dose), "synthetic"))


def radii_mm(model):
    from vtk.util.numpy_support import vtk_to_numpy

    return np.linalg.norm(vtk_to_numpy(model.GetPolyData().GetPoints().GetData()) - [-7.0, 0.0, 0.0], axis=1)


def test_an_isodose_lies_where_the_dose_has_its_level(sphere_dose):
    ten, sixteen = isodose.show_isodoses(sphere_dose, [10.0, 16.0])
    assert radii_mm(ten) == pytest.approx(50.0, abs=0.5)
    assert radii_mm(sixteen) == pytest.approx(20.0, abs=0.5)


def test_lines_are_shown_in_slices_and_surfaces_in_3d_as_asked(sphere_dose):
    isodose.show_isodoses(sphere_dose, [5.0, 10.0], lines=True, surfaces=False)
    display = isodose.isodose_models(sphere_dose)[0].GetDisplayNode()
    assert (display.GetVisibility(), display.GetVisibility2D(), display.GetVisibility3D()) == (1, 1, 0)
    isodose.show_lines_and_surfaces(sphere_dose, lines=False, surfaces=True)
    assert (display.GetVisibility(), display.GetVisibility2D(), display.GetVisibility3D()) == (1, 0, 1)


def test_new_levels_replace_the_old_and_removal_leaves_nothing(sphere_dose, scene):
    def models_and_displays():
        return [scene.GetNumberOfNodesByClass(f"vtkMRMLModel{what}Node") for what in ("", "Display")]

    before = models_and_displays()
    isodose.show_isodoses(sphere_dose, [5.0, 10.0])
    isodose.show_isodoses(sphere_dose, [8.0])
    assert [model.GetName() for model in isodose.isodose_models(sphere_dose)] == ["Isodose 8 mGy"]
    isodose.remove_isodoses(sphere_dose)
    assert models_and_displays() == before


def test_a_level_above_the_highest_dose_gives_no_surface(sphere_dose):
    assert isodose.show_isodoses(sphere_dose, [25.0]) == []


def test_suggested_levels_divide_the_colour_scale(sphere_dose):
    top = sphere_dose.GetDisplayNode().GetWindowLevelMax()
    levels = isodose.suggested_levels_mgy(sphere_dose)
    assert levels == sorted(levels) and 0 < levels[0] < levels[-1] < top


def test_levels_are_read_from_text_and_nonsense_is_refused():
    assert isodose.levels_from_text("20, 5;10, 5") == [5.0, 10.0, 20.0]
    for text in ("", "five", "-2, 5", "inf"):
        with pytest.raises(InputError, match="mGy"):
            isodose.levels_from_text(text)
