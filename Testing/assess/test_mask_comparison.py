import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.mask_comparison import agreement, compare_masks
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress


def cube(start, size=20, shape=(40, 40, 40)):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(at, at + size) for at in start)] = True
    return mask


def ball(radius_mm, centre_mm=(30.0, 30.0, 30.0), spacing_mm=(1.5, 1.0, 1.0)):
    axes = np.ogrid[:40, :60, :60]
    return sum((axis * step - at) ** 2 for axis, step, at in zip(axes, spacing_mm, centre_mm)) <= radius_mm**2


def masks(spacing_mm=(1.0, 1.0, 1.0), **named) -> OrganMasks:
    image = sitk.GetImageFromArray(np.zeros((40, 40, 40), dtype=np.int16))
    image.SetSpacing(spacing_mm)
    found = OrganMasks(image)
    for name, mask in named.items():
        found.add(name, mask)
    return found


def test_equal_masks_agree_completely():
    row = agreement("liver", cube((5, 5, 5)), cube((5, 5, 5)), (1.0, 1.0, 1.0))
    assert (row.dice, row.jaccard, row.precision, row.recall, row.hd95_mm, row.surface_dice) == (1, 1, 1, 1, 0, 1)
    assert row.volume_ml == row.reference_volume_ml == 8.0


def test_cubes_shifted_by_four_voxels_have_the_overlap_and_distance_of_the_shift():
    row = agreement("liver", cube((5, 5, 9)), cube((5, 5, 5)), (1.0, 1.0, 1.5))
    assert row.dice == pytest.approx(16 / 20)
    assert row.jaccard == pytest.approx(16 / 24)
    assert row.precision == row.recall == pytest.approx(16 / 20)
    # The two end faces, a sixth of the surface each, are 4 x 1.5 mm apart: they are the farthest 5 %.
    assert row.hd95_mm == pytest.approx(6.0)
    assert row.volume_ml == pytest.approx(8.0 * 1.5)


def test_concentric_balls_have_the_distance_of_their_radii():
    spacing_mm = (1.5, 1.0, 1.0)
    row = agreement("liver", ball(22.0), ball(18.0), spacing_mm, tolerance_mm=3.0)
    assert row.dice == pytest.approx(2 * 18**3 / (18**3 + 22**3), rel=0.01)
    assert row.recall == 1.0 and row.precision == pytest.approx((18 / 22) ** 3, rel=0.01)
    assert row.hd95_mm == pytest.approx(4.0, abs=0.75)
    assert row.surface_dice < 0.1
    assert agreement("liver", ball(22.0), ball(18.0), spacing_mm, tolerance_mm=5.0).surface_dice == 1.0


def test_distances_are_those_of_simpleitk():
    test, reference = cube((5, 7, 9), 18), ball(14.0, (30.0, 20.0, 20.0))[:, :40, :40]
    spacing_mm = (1.5, 1.0, 1.0)
    images = []
    for mask in (test, reference):
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(spacing_mm[::-1])
        images.append(image)
    directed = []
    for one, other in (images, images[::-1]):
        edge = sitk.GetArrayFromImage(sitk.LabelContour(one)).astype(bool)
        away = sitk.Abs(sitk.SignedMaurerDistanceMap(sitk.LabelContour(other), squaredDistance=False,
                                                     useImageSpacing=True))
        directed.append(np.percentile(sitk.GetArrayFromImage(away)[edge], 95))
    assert agreement("liver", test, reference, spacing_mm).hd95_mm == pytest.approx(max(directed), abs=1e-4)


def test_an_organ_that_was_missed_has_dice_zero():
    row, = compare_masks(masks(spleen=cube((0, 0, 0), 5)), masks(liver=cube((5, 5, 5))))[:1]
    assert (row.organ, row.dice, row.recall, row.surface_dice, row.volume_ml) == ("liver", 0.0, 0.0, 0.0, 0.0)
    assert math.isnan(row.hd95_mm)


def test_an_organ_the_reference_lacks_is_listed_without_a_judgement():
    rows = compare_masks(masks(liver=cube((5, 5, 5)), spleen=cube((30, 30, 30), 5)), masks(liver=cube((5, 5, 5))))
    assert [row.organ for row in rows] == ["liver", "spleen"]
    assert math.isnan(rows[1].dice) and rows[1].volume_ml == pytest.approx(0.125)


def test_a_group_is_compared_with_its_members():
    lungs = cube((5, 5, 5)) | cube((5, 5, 30), 8)
    rows = compare_masks(masks(lung_left=cube((5, 5, 30), 8), lung_right=cube((5, 5, 5))), masks(lungs=lungs))
    assert rows[0].organ == "lungs" and rows[0].dice == 1.0


def test_masks_of_different_cts_are_refused():
    with pytest.raises(InputError, match="different grids"):
        compare_masks(masks(liver=cube((5, 5, 5))), masks((1.0, 1.0, 2.0), liver=cube((5, 5, 5))))


def test_comparison_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        compare_masks(masks(liver=cube((5, 5, 5))), masks(liver=cube((5, 5, 5))), progress=progress)
