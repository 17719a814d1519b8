"""Voxels of the stylised patient: masses, HU, masks."""

import numpy as np
import pytest

from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxelise import voxelise
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress

# 5 %, but: gas added to stomach and bowel has no mass; lung vessels are sampled, not exact.
_ALLOWED = {"stomach": 0.18, "small_bowel": 0.08, "lung_left": 0.08, "lung_right": 0.08}
_COMPARED = ["liver", "heart", "spleen", "kidney_left", "kidney_right", "pancreas", "urinary_bladder", "gallbladder",
             "thymus", "stomach", "small_bowel", "lung_left", "lung_right", "thyroid_gland"]


@pytest.mark.parametrize("organ", _COMPARED)
def test_voxelised_organs_keep_the_published_mass(male_trunk, organ):
    part = next(p for p in male_trunk.phantom.parts if p.name == organ)
    mass_g = male_trunk.volumes_and_masses()[organ][1]
    assert mass_g == pytest.approx(part.published_mass_g, rel=_ALLOWED.get(organ, 0.05))


def test_tissues_have_the_hu_of_textbooks(male_trunk):
    hu = male_trunk.hu
    ranges = {"liver": (50, 65), "spleen": (45, 55), "kidney_left": (25, 40), "heart": (35, 50), "aorta": (35, 50),
              "subcutaneous_fat": (-120, -80), "skeletal_muscle": (45, 60), "urinary_bladder": (-5, 20),
              "lung_left": (-800, -650), "vertebrae_L3": (200, 800), "spinal_cord": (25, 45)}
    for organ, (low, high) in ranges.items():
        mask = male_trunk.part == male_trunk.part_names.index(organ)
        assert low < hu[mask].mean() < high, organ
    assert hu[male_trunk.part == 0].max() == -1000


def test_bones_are_a_cortical_shell_around_spongiosa(male_trunk):
    number = media().number
    femur = male_trunk.medium[male_trunk.part == male_trunk.part_names.index("femoral_head_left")]
    assert 0.02 < (femur == number["cortical_bone"]).mean() < 0.5
    assert (femur == number["spongiosa"]).mean() > 0.5
    coarse = voxelise(male_trunk.phantom, (5, 5, 5), (0, 100))
    assert not (coarse.medium == number["cortical_bone"]).any()
    assert (coarse.medium == number["bone"]).any()


def test_the_masks_are_the_truth_and_lie_in_the_body(male_trunk):
    masks = male_trunk.masks()
    body = masks.mask("body")
    assert np.array_equal(body, male_trunk.part > 0)
    assert {"liver", "colon", "rectum", "aorta", "portal_vein_and_splenic_vein", "trachea", "vertebrae_L3",
            "rib_left_6", "sternum", "costal_cartilages", "hip_left", "sacrum", "femur_left", "femoral_head_left",
            "humerus_right", "prostate", "esophagus", "spinal_cord"} <= set(masks.names)
    assert "brain" not in masks.names and "skeletal_muscle" not in masks.names
    for name in masks.names:
        assert masks.mask(name).any() and not (masks.mask(name) & ~body).any(), name
    head, femur = masks.mask("femoral_head_left"), masks.mask("femur_left")
    assert (femur & head).sum() == head.sum() < femur.sum()
    assert not (masks.mask("heart") & masks.mask("lung_left")).any()
    assert "skeletal_muscle" in male_trunk.masks(tissues=True).names


def test_ribs_are_twelve_on_each_side(male_trunk):
    names = male_trunk.masks().names
    assert sum(n.startswith("rib_left_") for n in names) == sum(n.startswith("rib_right_") for n in names) == 12


def test_paired_organs_have_equal_volumes(male_trunk):
    volumes = {name: ml for name, (ml, _) in male_trunk.volumes_and_masses().items()}
    for organ in ("kidney_{}", "rib_{}_5", "scapula_{}", "clavicula_{}", "hip_{}", "femur_{}", "humerus_{}"):
        assert volumes[organ.format("left")] == pytest.approx(volumes[organ.format("right")], rel=0.03)


def test_a_slab_alone_is_the_same_as_in_the_whole_trunk(male_trunk):
    alone = voxelise(male_trunk.phantom, (1.5, 1.5, 5), (322.5, 337.5))
    assert np.array_equal(alone.part, male_trunk.part[100:104])
    assert np.array_equal(alone.medium, male_trunk.medium[100:104])
    assert alone.reference.GetOrigin()[2] == pytest.approx(322.5)


def test_the_patient_lies_in_lps_axes(male_trunk):
    masks = male_trunk.masks()

    def centre(name):
        zyx = np.argwhere(masks.mask(name)).mean(axis=0)
        return male_trunk.reference.TransformContinuousIndexToPhysicalPoint([float(v) for v in zyx[::-1]])

    assert centre("spleen")[0] > 50 > -20 > centre("liver")[0]
    assert centre("vertebrae_T8")[1] > 20 > -50 > centre("sternum")[1]
    assert centre("heart")[2] > centre("liver")[2] > centre("urinary_bladder")[2]


def test_the_woman_has_her_organs_and_the_man_his():
    woman = voxelise(load_phantom("adult-female"), (3, 3, 4)).masks().names
    assert {"uterus", "ovary_left", "breast_left", "breast_right", "brain", "eye_lens_left", "skull"} <= set(woman)
    assert not {"prostate", "testis_left"} & set(woman)


@pytest.mark.parametrize(("arguments", "told"), [
    ({"spacing_mm": (0, 1, 1)}, "spacing"), ({"spacing_mm": (1, 1)}, "spacing"),
    ({"spacing_mm": (4, 4, 4), "z_range_mm": (10, 0)}, "range"), ({"pose": "handstand"}, "handstand")])
def test_a_grid_that_is_none_is_refused(arguments, told):
    with pytest.raises(InputError, match=told):
        voxelise(load_phantom("adult-male"), **arguments)


def test_cancelling_stops_the_work():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        voxelise(load_phantom("adult-male"), (5, 5, 5), progress=progress)
