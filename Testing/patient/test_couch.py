"""The couch: found by its length and width, kept, removed, and what it takes away of the beam."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.patient.couch import couch_of
from organdose.patient.dose_grid import dose_grid

BODY, TOP, BLANKET, ARM = np.s_[:, 20:60, 30:90], np.s_[:, 70:74, 15:105], np.s_[3:6, 6:8, 50:60], np.s_[:, 30:42, 4:16]


def scene(*things, hu_of_couch=-200):
    """Air around a body of 16 x 24 cm in voxels of 4 mm; `things` are put in as they are named."""
    hu = np.full((12, 80, 120), -1000, np.int16)
    body = np.zeros(hu.shape, dtype=bool)
    body[BODY] = True
    hu[BODY] = 30
    if "couch" in things:
        hu[TOP] = hu_of_couch
    if "wire" in things:
        hu[BLANKET] = 50
    if "arm" in things:
        hu[ARM] = 40
        hu[:, 34:38, 8:12] = 700
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((4.0, 4.0, 4.0))
    return image, body


def test_automatic_keeps_the_couch_and_takes_loose_things_away():
    image, body = scene("couch", "wire")
    found = couch_of(image, body, "auto")
    assert found.is_found
    assert not found.air[TOP].any() and found.air[BLANKET].all()
    assert not found.air[body].any()


def test_removed_means_air_everywhere_outside_the_body():
    image, body = scene("couch", "wire")
    found = couch_of(image, body, "remove")
    assert found.air[TOP].all() and found.air[BLANKET].all() and not found.air[body].any()
    grid = dose_grid(image, 4.0, schneider2000(), air=found.air)
    outside = grid.voxels.density_g_cm3[TOP]
    assert outside == pytest.approx(0.00121, rel=1e-3)  # Schneider's air


def test_kept_means_untouched():
    image, body = scene("couch", "wire")
    assert couch_of(image, body, "keep").air is None


def test_an_arm_outside_the_body_mask_is_no_loose_thing():
    image, body = scene("couch", "arm")
    air = couch_of(image, body, "auto").air
    assert air is None or not air[ARM].any()


def test_the_couch_takes_away_what_its_water_would():
    # 16 mm of -200 HU are 12.8 mm of water; NIST, water at 70 keV: 0.1929 /cm.
    found = couch_of(*scene("couch"), "auto")
    assert found.water_mm == pytest.approx(12.8, rel=0.01)
    assert found.transmission == pytest.approx(np.exp(-0.1929 * 1.28), rel=0.01)
    assert "12.8 mm" in found.lines[0]


def test_an_image_without_couch_says_so():
    found = couch_of(*scene(), "auto")
    assert not found.is_found and found.transmission == 1.0
    assert "no couch" in found.lines[0]


def test_a_hollow_couch_is_kept_as_it_is_seen():
    image, body = scene("couch")
    hu = sitk.GetArrayFromImage(image)
    hu[:, 71:73, 16:104] = -960  # foam inside a shell
    hollow = sitk.GetImageFromArray(hu)
    hollow.CopyInformation(image)
    found = couch_of(hollow, body, "auto")
    assert found.is_found and (found.air is None or not found.air[TOP].any())
    assert found.water_mm < 9


def test_the_couch_of_a_real_scan_is_found(shared_data):
    from organdose.progress import Progress
    from organdose.segmentation.analytic_body import body_mask
    from organdose.study import read_ct

    image = read_ct(shared_data / "ts_dicom_slab_dosetags" / "ct").image
    found = couch_of(image, body_mask(image, Progress()), "auto")
    assert found.is_found and 5 < found.water_mm < 30
