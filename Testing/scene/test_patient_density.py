"""Organ tables of scenes that follow their masks keep the densities that their dose was computed with."""

import dataclasses
import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.errors import InputError
from organdose.patient.contrast_medium import ContrastMedium
from organdose.scene.ct_dose_scene import build_ct_dose_scene, open_scene, save_scene
from organdose.scene.live_results import LiveResult
from organdose.scene.organ_table_node import rows_from_table_node


@pytest.fixture
def enhanced(scene, ct_image, dose_map, masks):
    """A result whose kidney was full of contrast medium: 300 HU, yet the density of blood."""
    hu = sitk.GetArrayFromImage(ct_image)
    kidney = masks.mask("kidney_left")
    hu[kidney] = 300
    ct = sitk.GetImageFromArray(hu)
    ct.CopyInformation(ct_image)
    contrast = ContrastMedium(kidney, 25.0)
    density = schneider2000().density_g_cm3(hu)
    density[kidney] = contrast.density_g_cm3(hu[kidney])
    weights = organ_weights(masks, density, dose_map.dose_mgy)
    dose = dataclasses.replace(dose_map, facts={"contrast_density_line_g_cm3": list(contrast.density_line_g_cm3)})
    image = sitk.GetImageFromArray(kidney.astype(np.uint8))
    image.CopyInformation(ct)
    return build_ct_dose_scene(ct, dose, masks, organ_table(dose, weights), dose_volume_histograms(dose, weights),
                               contrast=image, descriptors=[Descriptor("ssde_mean_mgy", "SSDE", 12.5, "mGy", "AAPM")])


def kidney_of(result):
    return next(row for row in rows_from_table_node(result.organ_table) if row.organ == "kidney_left")


def test_a_followed_result_keeps_the_density_of_enhanced_organs(enhanced):
    before = kidney_of(enhanced)
    assert before.mass_g / before.volume_ml == pytest.approx(1.07, abs=0.005)
    list(LiveResult.of(enhanced).follow())
    assert kidney_of(enhanced).mass_g == pytest.approx(before.mass_g, rel=1e-4)


def test_so_does_a_scene_saved_and_opened_again(enhanced, tmp_path):
    before = kidney_of(enhanced)
    save_scene(tmp_path / "scene.mrb")
    result = open_scene(tmp_path / "scene.mrb")
    assert result.contrast is not None and result.descriptors.GetNumberOfRows() == 1
    list(LiveResult.of(result).follow())
    assert kidney_of(result).mass_g == pytest.approx(before.mass_g, rel=1e-4)


def test_without_the_voxels_of_contrast_medium_the_table_is_not_computed_wrongly(enhanced, scene):
    scene.RemoveNode(enhanced.contrast)
    with pytest.raises(InputError, match="no longer in the scene"):
        list(LiveResult.of(enhanced).follow())


def test_a_clinics_curve_holds_in_the_scene_too(scene, ct_image, dose_map, masks):
    table = dataclasses.replace(schneider2000(), node_hu=np.array([-1000.0, 0.0, 1000.0]),
                                node_density_g_cm3=np.array([0.001, 2.0, 3.0]))
    weights = organ_weights(masks, table.density_g_cm3(sitk.GetArrayFromImage(ct_image)), dose_map.dose_mgy)
    dose = dataclasses.replace(dose_map, facts={"density_nodes_hu_g_cm3": [[-1000, 0.001], [0, 2.0], [1000, 3.0]]})
    result = build_ct_dose_scene(ct_image, dose, masks, organ_table(dose, weights),
                                 dose_volume_histograms(dose, weights))
    before = kidney_of(result)
    list(LiveResult.of(result).follow())
    assert kidney_of(result).mass_g == pytest.approx(before.mass_g, rel=1e-4)


def test_descriptors_are_a_table_with_titles_and_units(enhanced):
    table = enhanced.descriptors.GetTable()
    assert table.GetColumnByName("title").GetValue(0) == "SSDE"
    assert table.GetColumnByName("value").GetValue(0) == 12.5
    assert table.GetColumnByName("unit").GetValue(0) == "mGy"
    assert json.loads(enhanced.organ_table.GetAttribute("OrganDose.Density"))


def test_removing_a_result_takes_its_descriptors_and_contrast_along(enhanced):
    nodes = [enhanced.descriptors, enhanced.contrast]
    enhanced.remove(inputs=False)
    assert all(node.GetScene() is None for node in nodes)
