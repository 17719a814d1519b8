"""The atlas engine: where an image lies, how the reference bends to it, what is carried over and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, load_phantom
from organdose.anatomy.phantoms.variation import vary
from organdose.anatomy.phantoms.voxelise import voxelise
from organdose.anatomy.review import estimated_names
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation.atlas_engine import AtlasParameters
from organdose.segmentation.atlas_organs import skin_of
from organdose.segmentation.atlas_place import places
from organdose.segmentation.atlas_reference import stylised_reference, voxel_reference
from organdose.segmentation.atlas_registration import register, smallest_jacobian
from organdose.segmentation.atlas_tissue import tissue_maps_of_ct, tissue_maps_of_reference, trunk_of
from organdose.segmentation.engines import engine
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

VOXEL_MM = 6.0


def patient(low_mm, high_mm, seed=5, sex="M"):
    """A varied stylised adult in voxels: study, true masks, and the whole in voxels."""
    phantom = vary(load_phantom("adult-male" if sex == "M" else "adult-female"), seed)
    whole = voxelise(phantom, (VOXEL_MM,) * 3, (low_mm, high_mm), pose=ARMS_UP)
    image = sitk.GetImageFromArray(np.rint(whole.hu).astype(np.int16))
    image.CopyInformation(whole.reference)
    return CTStudy(image, CTAcquisition(), patient_sex=sex), whole.masks()


def maps(study):
    from organdose.segmentation.atlas_engine import seen_tissue

    _, seen = seen_tissue(study, Progress())
    return tissue_maps_of_ct(seen.image, seen.body, seen.lungs, seen.bones)


@pytest.fixture(scope="module")
def reference():
    return tissue_maps_of_reference(stylised_reference("M"))


@pytest.fixture(scope="module")
def trunk():
    return patient(150, 560)


@pytest.fixture(scope="module")
def drawn_and_fit(trunk):
    """Masks of the trunk, and the map of the reference they were carried over with."""
    fits = []

    def kept(*args, **options):
        fits.append(register(*args, **options))
        return fits[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("organdose.segmentation.atlas_engine.register", kept)
        masks = engine("atlas").segment(trunk[0])
    return masks, fits[0]


@pytest.fixture(scope="module")
def drawn(drawn_and_fit):
    return drawn_and_fit[0]


@pytest.fixture(scope="module")
def fit(drawn_and_fit):
    return drawn_and_fit[1]


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.mark.parametrize(("low_mm", "high_mm"), [(350, 650), (-60, 250), (720, 940)],
                         ids=["thorax", "pelvis", "head"])
def test_a_part_of_the_body_is_found_along_it(reference, low_mm, high_mm):
    study, _ = patient(low_mm, high_mm)
    stature = vary(load_phantom("adult-male"), 5).scale[2]
    best = places(maps(study), reference)[0]
    inner = slice(3, -3)
    assert np.abs(best.reference_z_mm - best.z_mm / stature)[inner].mean() < 20


def test_organs_come_to_their_places_better_than_by_the_affine_map_alone(trunk, drawn):
    study, truth = trunk
    affine = engine("atlas").segment(study, AtlasParameters(deformable=False))
    names = ("liver", "spleen", "kidney_left", "kidney_right", "stomach", "heart", "pancreas")
    bent, straight = ([dice(masks.mask(name), truth.mask(name)) for name in names] for masks in (drawn, affine))
    assert np.mean(bent) > np.mean(straight) + 0.02
    assert np.mean(bent) > 0.75


def test_what_hu_tell_is_seen_and_the_rest_is_marked(drawn):
    seen = set(drawn.names) - estimated_names(drawn)
    assert seen <= {"body", "lung_left", "lung_right", "bones", "air_internal"} and "body" in seen
    assert {"liver", "adrenal_gland_left", "red_bone_marrow", "skin", "vertebrae_L1"} <= estimated_names(drawn)
    assert all("estimated" in drawn.notes[name] for name in estimated_names(drawn))
    assert drawn.reviews["adrenal_gland_left"].line == "estimated, not approved"


def test_organs_end_at_the_body_and_keep_out_of_the_lungs(drawn):
    body, lungs = drawn.mask("body"), drawn.union(["lung_left", "lung_right"])
    for name in estimated_names(drawn):
        assert not (drawn.mask(name) & ~body).any(), name
        assert name == "skin" or not (drawn.mask(name) & lungs).any(), name


def test_bones_are_those_of_the_image(drawn):
    bones = drawn.mask("bones")
    vertebra = drawn.mask("vertebrae_L1")
    assert vertebra.any() and np.count_nonzero(vertebra & ~bones) < 0.5 * np.count_nonzero(vertebra)
    marrow = drawn.mask("red_bone_marrow")
    assert not (marrow & drawn.mask("liver")).any()


def test_the_same_ct_gives_the_same_masks(trunk, drawn):
    again = engine("atlas").segment(trunk[0])
    assert again.segments == drawn.segments
    assert all(np.array_equal(one, other) for one, other in zip(again.layers, drawn.layers))


def test_nothing_is_folded(fit):
    spacing = np.array(fit.grid.GetSpacing())[:, None, None, None]
    shift = (fit.displacement_mm / spacing)[::-1]
    assert fit.smallest_jacobian > 0
    assert smallest_jacobian(shift, np.ones(shift.shape[1:], bool)) > 0, "around the body neither"


def test_the_jacobian_is_that_of_a_known_map():
    z = np.arange(8, dtype=float)[:, None, None] * np.ones((8, 8, 8))
    stretched = np.stack([-0.25 * z, np.zeros_like(z), np.zeros_like(z)])
    assert smallest_jacobian(stretched, z > -1) == pytest.approx(0.75)
    assert smallest_jacobian(np.stack([-1.5 * z, 0 * z, 0 * z]), z > -1) == pytest.approx(-0.5), "folded"


def test_arms_beside_the_trunk_are_no_trunk_and_legs_are():
    y, x = np.mgrid[:60, :120]
    trunk = np.hypot((x - 60) / 28, (y - 30) / 18) < 1
    arms = np.minimum(np.hypot(x - 22, y - 30), np.hypot(x - 98, y - 30)) < 10
    legs = np.minimum(np.hypot(x - 45, y - 30), np.hypot(x - 75, y - 30)) < 14
    found = trunk_of(np.stack([trunk | arms, legs]), (6.0, 6.0, 6.0))
    assert dice(found[0], trunk) > 0.98
    assert np.array_equal(found[1], legs)


def test_skin_is_a_shell_but_not_where_the_image_ends():
    body = np.zeros((2, 20, 20), bool)
    body[:, 5:, 4:16] = True
    skin = skin_of(body, (1.0, 1.0, 5.0))
    assert skin[0, 5, 10] and skin[0, 6, 10] and not skin[0, 7, 10]
    assert not skin[0, 19, 10], "the image ends there, the body goes on"


def test_a_cancelled_registration_stops(trunk):
    class Stopping(Progress):
        def report(self, stage, fraction, message=""):
            if stage == "atlas: deformable":
                self.cancel()
            super().report(stage, fraction, message)

    with pytest.raises(Cancelled, match="deformable"):
        engine("atlas").segment(trunk[0], progress=Stopping())


def test_what_is_no_patient_is_refused(trunk):
    study = trunk[0]
    air = sitk.Image(40, 40, 20, sitk.sitkInt16) - 1000
    with pytest.raises(InputError, match="no body"):
        engine("atlas").segment(replace(study, image=air))
    y, x = np.mgrid[:60, :60]
    water = np.where(np.hypot(x - 30, y - 30) < 25, 0, -1000).astype(np.int16)[None].repeat(30, axis=0)
    cylinder = sitk.GetImageFromArray(water)
    cylinder.SetSpacing((6, 6, 6))
    with pytest.raises(InputError, match="0 ml of bone: too little to fit a phantom to"):
        engine("atlas").segment(replace(study, image=cylinder))


def test_the_female_reference_has_breasts_and_the_male_a_prostate():
    female, male = stylised_reference("F"), stylised_reference("M")
    assert {"breast_left", "uterus", "ovary_left"} <= female.organs.keys() - male.organs.keys()
    assert {"prostate", "testis_left"} <= male.organs.keys() - female.organs.keys()
    assert "eye_lens_left" in female.organs and "bones" not in female.organs and "body" not in female.organs


def test_red_marrow_is_in_the_halves_of_long_bones_next_to_the_trunk():
    reference = stylised_reference("M")
    femur = set(reference.organs["femur_left"])
    heights = {inside: np.nonzero(reference.table(tuple(
        label for label in femur if (label in reference.marrow) is inside))[reference.labels])[0].mean()
        for inside in (True, False)}
    assert heights[True] > heights[False]


def test_a_voxel_phantom_of_the_user_is_a_reference(shared_data):
    reference = voxel_reference(shared_data / "icrp110_AM")
    volume_ml = np.isin(reference.labels, reference.organs["liver"]).sum() * np.prod(reference.spacing_mm) / 1000
    assert volume_ml * 1.05 == pytest.approx(1800, rel=0.02), "ICRP 110: 1800 g of 1.05 g/cm3"
    assert set(reference.marrow) <= set(reference.bones)
    assert not [name for name in reference.organs if name.endswith("_contents")]
