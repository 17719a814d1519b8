"""Iodine: vessels are blood with iodine and ribs are bone, also where both have 300 HU."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import schneider2000
from organdose.patient.contrast_medium import (
    ContrastMedium,
    blood,
    bone_names,
    contrast_voxels,
    iodine_materials,
)
from organdose.patient.dose_grid import dose_grid
from organdose.segmentation.analytic_bones import bone_mask
from organdose.segmentation.masks_for_study import masks_for_study
from organdose.study import read_ct

PLACES = {"aorta": np.s_[:, 8:14, 8:14], "rib_left_7": np.s_[:, 8:14, 26:30], "free_vessel": np.s_[:, 26:32, 8:14]}


@pytest.fixture
def chest() -> tuple[sitk.Image, OrganMasks]:
    """Soft tissue of 40 HU with an aorta, a rib and a vessel nobody has drawn, all of 300 HU; voxels of 2 mm."""
    hu = np.full((10, 40, 40), 40, np.int16)
    for place in PLACES.values():
        hu[place] = 300
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((2.0, 2.0, 2.0))
    masks = OrganMasks(image, origin="test geometry")
    masks.add("body", np.ones(hu.shape, dtype=bool))
    for name in ("aorta", "rib_left_7"):
        mask = np.zeros(hu.shape, dtype=bool)
        mask[PLACES[name]] = True
        masks.add(name, mask)
    return image, masks


@pytest.fixture
def grid(chest):
    image, masks = chest
    found = contrast_voxels(image, masks, np.zeros(masks.shape, dtype=bool))
    return dose_grid(image, 2.0, schneider2000(), contrast=ContrastMedium(found, 25.0))


def material(grid, place):
    names = {grid.voxels.materials[k].name for k in np.unique(grid.voxels.material_index[place])}
    assert len(names) == 1
    return names.pop()


@pytest.mark.parametrize("name", ["aorta", "free_vessel"])
def test_a_vessel_of_300_hu_is_blood_with_iodine(grid, name):
    # 255 HU above blood at 25 HU per mg/ml: 10.2 mg/ml, 9.6 mg/g; blood weighs 1.06 g/cm3 (ICRU 46).
    assert material(grid, PLACES[name]) == "blood with 10 mg/g iodine"
    assert grid.voxels.density_g_cm3[PLACES[name]] == pytest.approx(1.06, abs=0.015)
    assert grid.ct_density_g_cm3[PLACES[name]] == pytest.approx(1.06, abs=0.015)


def test_a_rib_of_300_hu_stays_bone(grid):
    assert material(grid, PLACES["rib_left_7"]) == "marrow and bone 03"  # Schneider 2000, bin 300-400 HU
    assert grid.voxels.density_g_cm3[PLACES["rib_left_7"]] == pytest.approx(1.017 + 0.592e-3 * 300, abs=0.003)


def test_a_rib_that_only_thresholds_know_stays_bone(chest):
    image, masks = chest
    ribs = masks.mask("rib_left_7")
    found = contrast_voxels(image, masks.kept(["body", "aorta"]), ribs)
    assert not found[ribs].any()
    assert found[PLACES["aorta"]].all() and found[PLACES["free_vessel"]].all()


def test_without_contrast_medium_a_vessel_of_300_hu_would_be_bone(chest):
    grid = dose_grid(chest[0], 2.0, schneider2000())
    assert material(grid, PLACES["aorta"]) == "marrow and bone 03"
    assert grid.voxels.density_g_cm3[PLACES["aorta"]].min() > 1.19


def test_an_enhanced_organ_keeps_its_mean_iodine_under_noise(chest):
    image, masks = chest
    hu = sitk.GetArrayFromImage(image)
    noise = np.random.default_rng(2).normal(0, 25, hu[PLACES["aorta"]].shape)
    hu[PLACES["aorta"]] = np.rint(95 + noise)  # a liver of the portal phase: 2 mg/ml
    noisy = sitk.GetImageFromArray(hu)
    noisy.CopyInformation(image)
    contrast = ContrastMedium(contrast_voxels(noisy, masks, np.zeros(masks.shape, dtype=bool)), 25.0)
    assert contrast.voxels[PLACES["aorta"]].all()
    assert contrast.iodine_mg_per_ml(hu[PLACES["aorta"]]).mean() == pytest.approx(2.0, abs=0.2)
    coarse = dose_grid(noisy, 4.0, schneider2000(), contrast=contrast)
    inside = coarse.voxels.material_index[:, 4:7, 4:7]
    assert all(coarse.voxels.materials[k].name.startswith("blood with") for k in np.unique(inside))
    assert coarse.voxels.density_g_cm3[:, 4:7, 4:7].mean() == pytest.approx(1.062, abs=0.001)


def test_calcifications_and_clips_are_no_contrast_medium(chest):
    image, masks = chest
    hu = sitk.GetArrayFromImage(image)
    hu[5, 10, 10] = 2500
    clip = sitk.GetImageFromArray(hu)
    clip.CopyInformation(image)
    found = contrast_voxels(clip, masks, np.zeros(masks.shape, dtype=bool))
    assert not found[5, 10, 10] and found[5, 10, 11]


def test_the_mass_of_iodine_in_the_materials_is_near_that_of_the_image(chest):
    image, masks = chest
    contrast = ContrastMedium(contrast_voxels(image, masks, np.zeros(masks.shape, dtype=bool)), 25.0)
    grid = dose_grid(image, 5.0, schneider2000(), contrast=contrast)
    share = np.array([m.weight_fractions.get(53, 0.0) for m in grid.voxels.materials])
    in_materials_g = 1000 * (share[grid.voxels.material_index] * grid.voxels.voxel_mass_kg).sum()
    in_image_g = contrast.voxels.sum() * 0.008 * 255 / 25 / 1000
    assert in_materials_g == pytest.approx(in_image_g, rel=0.1)


def test_every_step_of_iodine_is_a_whole_material():
    steps, materials = iodine_materials()
    assert np.all(np.diff(steps) > 0)
    for step, each in zip(steps, materials):
        assert sum(each.weight_fractions.values()) == pytest.approx(1.0)
        assert each.weight_fractions[53] == pytest.approx(1e-3 * step)
    assert len(materials) + len(schneider2000().names) <= 60
    assert sum(blood()["blood_weight_fractions"].values()) == pytest.approx(1.0, abs=0.005)


def test_no_organ_is_both_bone_and_enhancing():
    assert not set(bone_names()) & set(blood()["organs"])
    assert {"rib_left_7", "vertebrae_L3", "skull", "sternum", "femur_left"} <= set(bone_names())


def test_a_real_portal_venous_scan_keeps_its_bones_and_finds_its_vessels(shared_data):
    folder = shared_data / "ts_dicom_slab_dosetags"
    study = read_ct(folder / "ct")
    masks = masks_for_study(study, folder / "labels.nii.gz")
    from organdose.progress import Progress

    thresholded = bone_mask(study.image, masks.mask("body"), 180.0, 350.0, Progress())
    bright = sitk.GetArrayViewFromImage(study.image) > 120
    bones, aorta = masks.union(bone_names()) & bright, masks.mask("aorta") & bright
    drawn = contrast_voxels(study.image, masks, thresholded)
    assert drawn[aorta].mean() > 0.99 and drawn[bones].mean() == 0
    undrawn = contrast_voxels(study.image, masks.kept(["body"]), thresholded)
    assert undrawn[aorta].mean() > 0.6  # the rest touches the spine
    assert undrawn[bones].mean() < 0.15
