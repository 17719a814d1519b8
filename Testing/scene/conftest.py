"""A synthetic CT dose result, small enough for every scene test, and a clean headless Slicer."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap

pytest.importorskip("slicer", reason="slicer-core is not installed (pip install 'organdose[slicer]')")

CT_SHAPE, CT_SPACING_MM, CT_ORIGIN_MM = (24, 48, 64), (4.0, 4.5, 9.0), (-131.0, -88.5, -420.25)


@pytest.fixture
def scene():
    """Slicer's scene, empty before and after the test."""
    from organdose.scene.headless import clear_scene, start_slicer

    clear_scene()
    yield start_slicer()
    clear_scene()


@pytest.fixture
def ct_image() -> sitk.Image:
    """An ellipse of water with two organs, noise, uneven spacing and an origin off centre."""
    hu = np.where(_ellipsoid((0, 0, 0), (110, 80, 1e4)), 0, -1000)
    hu[_ellipsoid((-50, 0, 0), (35, 40, 60))] = 60
    hu[_ellipsoid((0, 50, 0), (15, 15, 1e4))] = 500
    hu = hu + np.random.default_rng(7).normal(0, 10, CT_SHAPE)
    return _image(hu.round().astype(np.int16), CT_SPACING_MM, CT_ORIGIN_MM)


@pytest.fixture
def masks(ct_image) -> OrganMasks:
    masks = OrganMasks(ct_image, origin="synthetic")
    masks.add("body", _ellipsoid((0, 0, 0), (110, 80, 1e4)))
    masks.add("liver", _ellipsoid((-50, 0, 0), (35, 40, 60)))
    masks.add("kidney_left", _ellipsoid((50, 30, -10), (20, 15, 40)))
    masks.add("vertebrae_L1", _ellipsoid((0, 50, 0), (15, 15, 40)))
    masks.notes["liver"] = "ends at the edge of the image"
    return masks


@pytest.fixture
def dose_map() -> DoseMap:
    """20 mGy in the middle falling towards the ends, on a grid coarser than the CT; float32."""
    z_mm = (np.arange(24) - 11.5) * 9.0
    dose = np.broadcast_to(20 * np.exp(-((z_mm / 90) ** 2))[:, None, None], (24, 24, 32)).astype(np.float32)
    dose = dose + np.random.default_rng(3).random(dose.shape, dtype=np.float32)
    y_mm, x_mm = np.ix_((np.arange(24) - 11.5) * 9.0, (np.arange(32) - 15.5) * 8.0)
    dose[:, (x_mm / 115) ** 2 + (y_mm / 85) ** 2 > 1] = 0
    spacing, origin = (8.0, 9.0, 9.0), (CT_ORIGIN_MM[0] + 2.0, CT_ORIGIN_MM[1] + 2.25, CT_ORIGIN_MM[2])
    return DoseMap(_image(dose, spacing, origin), np.ones_like(dose), "synthetic 1.0",
                   relative_uncertainty=_image(np.full(dose.shape, 0.02, np.float32), spacing, origin))


@pytest.fixture
def rows() -> list[OrganDose]:
    return [_row("liver", "10200004", 17.25, 1.3, "ends at the edge of the image"),
            _row("kidney_left", "64033007", 15.125, None, 'called "left" by the\tdrawer'),
            _row("vertebrae_L1", "36470004", 12.0625, 2.0, "")]


@pytest.fixture
def dvhs() -> list[DoseVolumeHistogram]:
    """Two histograms with different numbers of bins."""
    return [DoseVolumeHistogram("liver", np.linspace(0, 20, 41), np.linspace(100, 0, 41)),
            DoseVolumeHistogram("kidney_left", np.linspace(0, 18, 21), np.linspace(100, 0, 21))]


@pytest.fixture
def result(scene, ct_image, dose_map, masks, rows, dvhs):
    """The whole scene of the synthetic result."""
    from organdose.scene.ct_dose_scene import build_ct_dose_scene

    return build_ct_dose_scene(ct_image, dose_map, masks, rows, dvhs)


def _row(organ: str, snomed: str, mean_mgy: float, uncertainty_percent: float | None, note: str) -> OrganDose:
    return OrganDose(organ, snomed, 100.5, 105.25, mean_mgy, uncertainty_percent, 0.5, mean_mgy - 2, mean_mgy + 2,
                     mean_mgy - 1, mean_mgy, mean_mgy + 1, 97.5, note)


def _ellipsoid(centre_mm, radii_mm) -> np.ndarray:
    z, y, x = (np.arange(size) - (size - 1) / 2 for size in CT_SHAPE)
    distance = sum(((axis * step - centre) / radius) ** 2 for axis, step, centre, radius in zip(
        np.ix_(z, y, x), reversed(CT_SPACING_MM), reversed(centre_mm), reversed(radii_mm)))
    return distance <= 1


def _image(array: np.ndarray, spacing_mm, origin_mm) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing_mm)
    image.SetOrigin(origin_mm)
    return image
