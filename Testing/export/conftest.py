"""Masks with what makes formats fail: overlap, a hole, two parts, the edge of the image, a name of nobody's list."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks


@pytest.fixture
def ct_image() -> sitk.Image:
    z, y, x = np.mgrid[:20, :30, :40]
    image = sitk.GetImageFromArray((x + 2 * y + 3 * z).astype(np.int16))
    image.SetSpacing((2.0, 2.5, 3.0))
    image.SetOrigin((-40.0, -50.0, -600.0))
    return image


@pytest.fixture
def organ_masks(ct_image) -> OrganMasks:
    masks = OrganMasks(ct_image, origin="test geometry")
    liver = np.zeros(masks.shape, dtype=bool)
    liver[5:12, 5:20, 5:25] = True
    liver[7:10, 9:14, 10:15] = False  # a hole
    liver[8, 11, 12] = True  # and an island in it
    liver[2:4, 25:28, 30:35] = True  # and a second part
    tumour = np.zeros(masks.shape, dtype=bool)
    tumour[6:9, 6:12, 8:14] = True  # overlaps the liver
    kidney = np.zeros(masks.shape, dtype=bool)
    kidney[14:18, 3:9, 27:33] = True
    masks.add("liver", liver)
    masks.add("tumour_1", tumour)
    masks.add("kidney_left", kidney)
    masks.add("body", np.ones(masks.shape, dtype=bool))  # to the edge of the image
    masks.add("insert_3", kidney[::-1].copy())  # not in the vocabulary
    return masks
