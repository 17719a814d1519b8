"""A small CT and its acquisition for the CT dose tests."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition, Fact, Origin


def fact(value):
    return Fact(value, Origin.protocol)


def helical_facts(**changed) -> CTAcquisition:
    known = {"tube_voltage_kv": 120.0, "total_collimation_mm": 20.0, "ctdi_phantom_cm": 32.0, "pitch": 1.0,
             "scan_kind": "helical", "ctdivol_mgy": (10.0,), "focus_isocentre_mm": 595.0, "isocentre_mm": (0.0, 0.0)}
    known.update(changed)
    return CTAcquisition(**{name: fact(value) for name, value in known.items() if value is not None})


def water_cylinder(diameter_mm: float, slices: int = 12, slice_mm: float = 10.0, pixel_mm: float = 5.0) -> sitk.Image:
    count = int(diameter_mm / pixel_mm) + 6
    place = (np.arange(count) - 0.5 * (count - 1)) * pixel_mm
    plane = np.where(place[:, None] ** 2 + place[None, :] ** 2 <= (0.5 * diameter_mm) ** 2, 0, -1000)
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (slices, count, count)).astype(np.int16))
    image.SetSpacing((pixel_mm, pixel_mm, slice_mm))
    image.SetOrigin((float(place[0]), float(place[0]), -0.5 * (slices - 1) * slice_mm))
    return image


@pytest.fixture
def make_study():
    """A function that makes a study: 32 cm water cylinder, helical, 10 mGy; None for a fact takes it away."""
    def make(slices: int = 12, **changed) -> CTStudy:
        return CTStudy(water_cylinder(320.0, slices), helical_facts(**changed))
    return make
