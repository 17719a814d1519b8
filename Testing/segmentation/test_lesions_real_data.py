"""Lesions in real images that lie outside the repository; the figures are those of docs/frames-and-lesions.md."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto
from organdose.segmentation.lesion_parameters import LesionParameters
from organdose.segmentation.lesion_seeds import MaskSeed, SphereSeed
from organdose.segmentation.lesions import lesion_masks
from organdose.study import read_activity

# Inner diameters of the spheres in mm (NEMA NU 2), and where they lie in these images.
SPHERES = {37: (55.2, 3.7, -4.2), 28: (25.3, 52.0, -4.2), 22: (-32.2, 50.0, -4.2), 17: (-59.6, -0.3, -4.2),
           13: (-29.1, -49.1, -4.2), 10: (28.8, -46.9, -4.2)}
PERCENT, GRADIENT = LesionParameters(), LesionParameters(method="gradient")
HALF = LesionParameters(method="absolute", value=8700)  # half of the largest sphere's peak


def existing(path):
    if not path.exists():
        pytest.skip(f"not here: {path}")
    return path


@pytest.fixture(scope="module")
def phantom(shared_data, tmp_path_factory):
    protocol = tmp_path_factory.mktemp("nema") / "facts.json"
    protocol.write_text(json.dumps({"units": "BQML"}))
    folder = existing(shared_data / "nema_iq_pet")
    return {n: read_activity(folder / f"pet_recon_{n}", protocol=protocol).frames[0].image for n in (1, 2)}


@pytest.mark.parametrize("reconstruction, parameters, stated_percent", [
    (1, PERCENT, (-13, -22, -16, -8, -18, -15)), (2, PERCENT, (-12, -16, -16, -18, -37, -45)),
    (1, HALF, (-7, -10, -5, -8, -18, -33)), (2, HALF, (-8, -12, -7, -12, -17, -35)),
    (1, GRADIENT, (-10, -16, -17, -25, -38, -52)), (2, GRADIENT, (-13, -19, -22, -29, -51, -79))],
    ids=["42 %, 1", "42 %, 2", "half, 1", "half, 2", "gradient, 1", "gradient, 2"])
def test_volumes_of_the_nema_spheres(phantom, reconstruction, parameters, stated_percent):
    errors_percent = []
    for diameter_mm, centre_mm in SPHERES.items():
        seed = SphereSeed(centre_mm, 0.5 * diameter_mm + 10)
        lesion, = lesion_masks(phantom[reconstruction], [seed], parameters)
        true_ml = np.pi * diameter_mm**3 / 6000
        errors_percent.append(100 * (lesion.numbers.volume_ml / true_ml - 1))
    assert max(abs(error) for error in errors_percent[:3]) < 25  # 22 mm and more
    assert errors_percent == pytest.approx(stated_percent, abs=1.0)


@pytest.mark.parametrize("reconstruction", [1, 2])
def test_the_highest_voxel_of_a_nema_sphere_is_far_above_its_plateau(phantom, reconstruction):
    seeds = [SphereSeed(SPHERES[diameter_mm], 0.5 * diameter_mm + 10) for diameter_mm in (37, 28, 22)]
    for lesion in lesion_masks(phantom[reconstruction], seeds, PERCENT):
        assert 1.34 < lesion.numbers.maximum / lesion.numbers.peak < 1.53
        assert lesion.numbers.peak == pytest.approx(17400, rel=0.07)


@pytest.fixture(scope="module")
def sarcoma(shared_data):
    folder = existing(shared_data / "ibsi_petct_STS_007")
    image = read_activity(folder / "pet").frames[0].image
    drawn = sitk.Cast(sitk.ReadImage(str(folder / "labels.nii.gz")) == 1, sitk.sitkUInt8)
    return image, drawn, json.loads((folder / "pet_info.json").read_text())


@pytest.mark.parametrize("parameters, stated_dice", [
    (PERCENT, 0.63), (LesionParameters(method="absolute", value=2.5), 0.85), (GRADIENT, 0.13)],
    ids=["42 %", "SUV 2.5", "gradient"])
def test_a_large_uneven_sarcoma_is_not_what_a_physician_drew(sarcoma, parameters, stated_dice):
    image, drawn, recorded = sarcoma
    around = sitk.BinaryDilate(drawn, [20, 20, 6])  # about 20 mm
    lesion, = lesion_masks(image, [MaskSeed(around)], parameters,
                           bq_per_ml_of_suv=recorded["SUV_to_Bq_per_ml_at_injection_time"])
    truth = sitk.GetArrayFromImage(averaged_onto(drawn, image)) >= 0.5
    found = sitk.GetArrayFromImage(lesion.mask) > 0
    assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) == pytest.approx(stated_dice, abs=0.01)
    assert any("several maxima" in line for line in lesion.warnings)
    assert lesion.numbers.maximum == pytest.approx(9.881, abs=0.001)


def test_the_suv_of_the_hottest_voxel_is_the_recorded_one(sarcoma):
    image, _, recorded = sarcoma
    lesion, = lesion_masks(image, [MaskSeed(sitk.Cast(image > 0, sitk.sitkUInt8))],
                           bq_per_ml_of_suv=recorded["SUV_to_Bq_per_ml_at_injection_time"])
    assert lesion.numbers.maximum == pytest.approx(recorded["SUVmax"], rel=1e-6)
    assert lesion.numbers.unit == "SUV"
