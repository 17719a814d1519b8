import numpy as np
import pytest

from organdose.assess.organ_weights import organ_weights
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress

SHAPE = (12, 14, 16)  # z, y, x


def test_masses_and_volumes_of_a_grid_that_is_no_multiple_agree_with_brute_force_supersampling(grid, make_masks, ball):
    """CT voxels 1.2 x 0.8 x 2 mm, dose voxels 3 x 2.5 x 4.5 mm: 40 points an axis in every CT voxel, each counted in
    the dose voxel it falls in."""
    ct, dose = grid((16, 14, 12), (1.2, 0.8, 2.0)), grid((8, 6, 7), (3.0, 2.5, 4.5), (-1.3, -1.1, -2.1))
    liver = ball(SHAPE, (6, 7, 8), 5)
    density = np.random.default_rng(3).uniform(0.2, 1.8, SHAPE).astype(np.float32)
    weights = organ_weights(make_masks(ct, liver=liver), density, dose)

    points, volume, mass = (np.arange(40) + 0.5) / 40, np.zeros((7, 6, 8)), np.zeros((7, 6, 8))
    for voxel in np.argwhere(liver):
        cells = [np.floor(((index + points) * ct_mm - corner) / dose_mm).astype(int) for index, ct_mm, corner, dose_mm
                 in zip(voxel, (2.0, 0.8, 1.2), (-2.1, -1.1, -1.3), (4.5, 2.5, 3.0), strict=True)]
        z, y, x = (np.bincount(cell, minlength=n) / 40 for cell, n in zip(cells, (7, 6, 8), strict=True))
        part_ml = np.einsum("i,j,k", z, y, x) * (2.0 * 0.8 * 1.2) / 1000
        volume += part_ml
        mass += part_ml * density[tuple(voxel)]
    ours = weights.volume_ml.toarray().reshape(7, 6, 8)
    assert ours == pytest.approx(volume, abs=0.015 * volume.max())
    assert weights.mass_g.toarray().reshape(7, 6, 8) == pytest.approx(mass, abs=0.015 * mass.max())
    assert ours.sum() == pytest.approx(np.count_nonzero(liver) * 2.0 * 0.8 * 1.2 / 1000, rel=1e-5)
    assert weights.mass_g.sum() == pytest.approx(density[liver].sum(dtype=float) * 1.92 / 1000, rel=1e-5)


def test_no_dose_voxel_holds_more_than_its_own_volume_and_a_full_one_holds_all_of_it(grid, make_masks):
    ct, dose = grid((40, 40, 40)), grid((6, 6, 6), (7.0, 7.0, 7.0), (-1, -1, -1))
    weights = organ_weights(make_masks(ct, liver=np.ones((40, 40, 40), bool)), np.ones((40, 40, 40), np.float32), dose)
    assert weights.volume_ml.max() == pytest.approx(0.343, rel=1e-6)
    assert weights.voxel_volume_ml == pytest.approx(0.343)


def test_kidneys_are_joined_from_both_sides_and_count_an_overlap_once(grid, make_masks, ball):
    left, right = ball(SHAPE, (6, 7, 5), 4), ball(SHAPE, (6, 7, 10), 4)
    assert (left & right).any()
    ct = grid((16, 14, 12))
    weights = organ_weights(make_masks(ct, kidney_left=left, kidney_right=right), np.ones(SHAPE, np.float32), ct)
    assert weights.members["kidneys"] == ("kidney_left", "kidney_right")
    _, _, volume_ml = weights.row("kidneys")
    assert volume_ml.sum() == pytest.approx(np.count_nonzero(left | right) / 1000)
    assert "kidneys" not in weights.notes


def test_a_single_kidney_makes_kidneys_with_a_note(grid, make_masks, ball):
    ct = grid((16, 14, 12))
    weights = organ_weights(make_masks(ct, kidney_left=ball(SHAPE, (6, 7, 5), 4)), np.ones(SHAPE, np.float32), ct)
    assert weights.notes["kidneys"] == "without kidney_right (not drawn)"


def test_marrow_sites_say_that_they_are_bone_too(grid, make_masks, ball):
    masks = make_masks(grid((16, 14, 12)), red_bone_marrow=ball(SHAPE, (6, 7, 5), 4), liver=ball(SHAPE, (6, 7, 12), 3))
    notes = organ_weights(masks, np.ones(SHAPE, np.float32), masks.reference).notes
    assert "mineral too" in notes["red_bone_marrow"] and "liver" not in notes


def test_the_remainder_is_the_body_without_every_drawn_organ(grid, make_masks, ball):
    ct = grid((16, 14, 12))
    body, liver, heart = ball(SHAPE, (6, 7, 8), 6), ball(SHAPE, (6, 7, 5), 2), ball(SHAPE, (6, 7, 11), 2)
    weights = organ_weights(make_masks(ct, body=body, liver=liver, heart=heart), np.ones(SHAPE, np.float32), ct)
    assert weights.row("remainder")[2].sum() == pytest.approx(np.count_nonzero(body & ~liver & ~heart) / 1000)


def test_rows_stand_in_the_order_of_the_vocabulary_or_as_asked(grid, make_masks, ball):
    ct = grid((16, 14, 12))
    masks = make_masks(ct, liver=ball(SHAPE, (6, 7, 5), 2), brain=ball(SHAPE, (6, 7, 11), 2),
                       body=ball(SHAPE, (6, 7, 8), 6))
    density = np.ones(SHAPE, np.float32)
    assert organ_weights(masks, density, ct).names == ("body", "remainder", "brain", "liver")
    assert organ_weights(masks, density, ct, organs=("liver", "body")).names == ("liver", "body")


def test_an_organ_inside_the_image_is_shown_whole(grid, make_masks, ball):
    ct = grid((16, 14, 12))
    weights = organ_weights(make_masks(ct, liver=ball(SHAPE, (6, 7, 8), 4)), np.ones(SHAPE, np.float32), ct)
    assert weights.in_image_percent["liver"] == 100
    assert not weights.touches_image_edge["liver"]


def test_a_cut_organ_is_estimated_from_its_reference_mass(grid, make_masks):
    """ICRP 89: the liver of the reference man weighs 1800 g, of the reference woman 1400 g."""
    ct = grid((10, 10, 10), (10, 10, 10))
    liver = np.zeros((10, 10, 10), bool)
    liver[:, 2:8, 2:8] = True  # 360 ml, touching first and last slice
    masks, density = make_masks(ct, liver=liver), np.full((10, 10, 10), 1.05, np.float32)
    shown = {sex: organ_weights(masks, density, ct, sex=sex).in_image_percent["liver"] for sex in ("M", "F", "")}
    assert shown["M"] == pytest.approx(100 * 360 * 1.05 / 1800)
    assert shown["F"] == pytest.approx(100 * 360 * 1.05 / 1400)
    assert shown[""] == pytest.approx(100 * 360 * 1.05 / 1600)
    note = organ_weights(masks, density, ct).notes["liver"]
    assert "reaches the first slice, the last slice" in note and "estimated" in note


def test_a_cut_organ_without_reference_mass_is_not_guessed(grid, make_masks):
    ct = grid((10, 10, 10), (10, 10, 10))
    aorta = np.zeros((10, 10, 10), bool)
    aorta[:6, 4:6, 4:6] = True
    weights = organ_weights(make_masks(ct, aorta=aorta), np.ones((10, 10, 10), np.float32), ct)
    assert np.isnan(weights.in_image_percent["aorta"])
    assert "unknown" in weights.notes["aorta"]


def _liver(grid, make_masks):
    ct = grid((16, 14, 12))
    mask = np.zeros(SHAPE, bool)
    mask[3:9, 3:9, 3:9] = True
    return ct, make_masks(ct, liver=mask)


def test_an_organ_without_mass_is_refused_by_name(grid, make_masks):
    ct, masks = _liver(grid, make_masks)
    with pytest.raises(InputError, match="'liver' has no mass"):
        organ_weights(masks, np.zeros(SHAPE, np.float32), ct)


def test_an_empty_mask_is_refused_by_name(grid, make_masks):
    ct, masks = _liver(grid, make_masks)
    masks.add("spleen", np.zeros(SHAPE, bool))
    with pytest.raises(InputError, match="'spleen' is empty"):
        organ_weights(masks, np.ones(SHAPE, np.float32), ct)


def test_an_organ_that_sticks_out_of_the_dose_grid_is_refused(grid, make_masks):
    _, masks = _liver(grid, make_masks)
    with pytest.raises(InputError, match="50 % of the organ 'liver' lies outside the dose grid"):
        organ_weights(masks, np.ones(SHAPE, np.float32), grid((16, 14, 6)))


@pytest.mark.parametrize("value", [np.nan, -0.1, np.inf])
def test_impossible_densities_are_refused(grid, make_masks, value):
    ct, masks = _liver(grid, make_masks)
    density = np.ones(SHAPE, np.float32)
    density[0, 0, 0] = value
    with pytest.raises(InputError, match="negative or non-finite"):
        organ_weights(masks, density, ct)


def test_densities_of_another_shape_are_refused(grid, make_masks):
    ct, masks = _liver(grid, make_masks)
    with pytest.raises(InputError, match="shape"):
        organ_weights(masks, np.ones((2, 2, 2), np.float32), ct)


def test_an_organ_that_is_not_there_is_refused_and_those_that_are_named(grid, make_masks):
    ct, masks = _liver(grid, make_masks)
    with pytest.raises(InputError, match=r"does not hold: brain.*It holds: liver"):
        organ_weights(masks, np.ones(SHAPE, np.float32), ct, organs=("liver", "brain"))


def test_the_user_can_stop_it(grid, make_masks):
    ct, masks = _liver(grid, make_masks)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        organ_weights(masks, np.ones(SHAPE, np.float32), ct, progress=progress)
