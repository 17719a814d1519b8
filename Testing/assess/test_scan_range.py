"""Organs and the range of the beam."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_weights import organ_weights
from organdose.assess.scan_range import organ_ranges


@pytest.fixture
def weights():
    """Liver from z 20 to 60 mm, lungs from 60 to 120 mm (the image's last slice), in slices of 10 mm."""
    image = sitk.GetImageFromArray(np.zeros((12, 10, 10), np.int16))
    image.SetSpacing((10.0, 10.0, 10.0))
    image.SetOrigin((0.0, 0.0, 5.0))
    masks = OrganMasks(image)
    for name, part in (("liver", np.s_[2:6, 3:7, 3:7]), ("lungs", np.s_[6:12, 3:7, 3:7])):
        mask = np.zeros(masks.shape, dtype=bool)
        mask[part] = True
        masks.add(name, mask)
    return organ_weights(masks, np.ones(masks.shape, np.float32), image)


def test_the_part_of_an_organ_in_the_beam_goes_by_its_mass(weights):
    found = {each.organ: each for each in organ_ranges(weights, (30.0, 75.0))}
    assert found["liver"].in_beam_percent == pytest.approx(75.0)
    assert found["lungs"].in_beam_percent == pytest.approx(25.0)  # the beam ends within a voxel
    assert "25 % of the part shown" in found["lungs"].note


def test_an_organ_wholly_in_the_beam_needs_no_note(weights):
    found = {each.organ: each for each in organ_ranges(weights, (-10.0, 130.0))}
    assert found["liver"].in_beam_percent == pytest.approx(100.0) and found["liver"].note == ""


def test_an_organ_at_the_last_slice_is_at_least_partly_outside(weights):
    found = {each.organ: each for each in organ_ranges(weights, (-10.0, 130.0))}
    assert found["lungs"].is_cut and not found["liver"].is_cut
    # 96 g of lungs against the mean of the reference masses of both sexes (ICRP 89: 1200 g and 950 g).
    assert found["lungs"].in_image_percent == pytest.approx(100 * 96 / 1075)


def test_a_beam_beside_the_organ_is_zero_percent(weights):
    assert {each.in_beam_percent for each in organ_ranges(weights, (200.0, 300.0))} == {0.0}
