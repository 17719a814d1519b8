"""Registration of real images that lie outside the repository, by movements that are known."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.study import read_activity, read_ct
from organdose.study.frame_registration import register
from organdose.study.frame_registration_parameters import RegistrationParameters

RIGID = RegistrationParameters()


def existing(path):
    if not path.exists():
        pytest.skip(f"not here: {path}")
    return path


def farthest_mm(found, known, image, patient_mm=150.0):
    """Largest difference of two transforms in a cube about the middle of the image."""
    middle = np.array(image.TransformContinuousIndexToPhysicalPoint([0.5 * (n - 1) for n in image.GetSize()]))
    corners = [(middle + np.array(sign) * 0.5 * patient_mm).tolist() for sign in np.ndindex(2, 2, 2)]
    return max(np.linalg.norm(np.subtract(found.TransformPoint(c), known.TransformPoint(c))) for c in corners)


def known_movement(image):
    transform = sitk.Euler3DTransform()
    transform.SetCenter(image.TransformContinuousIndexToPhysicalPoint([0.5 * (n - 1) for n in image.GetSize()]))
    transform.SetRotation(*np.radians((3.0, -2.0, 4.0)).tolist())
    transform.SetTranslation((12.0, -7.0, 9.0))
    return transform


@pytest.mark.parametrize("what", ["ct", "activity"])
def test_a_pelvis_that_was_moved_is_found_to_a_millimetre(shared_data, what):
    folder = existing(shared_data / "ibsi_petct_STS_007")
    image = (read_ct(folder / "ct").image if what == "ct" else read_activity(folder / "pet").frames[0].image)
    image = sitk.Cast(image, sitk.sitkFloat32)
    known = known_movement(image)
    moved = sitk.Resample(image, known.GetInverse(), sitk.sitkLinear, -1000.0 if what == "ct" else 0.0)
    found = register(image, moved, RIGID, kind=what)
    assert found.method == "rigid" and not found.warnings
    assert farthest_mm(found.transform, known, image) < 1.0


def test_two_reconstructions_of_one_scan_lie_on_each_other(shared_data, write_protocol):
    folder = existing(shared_data / "nema_iq_pet")
    protocol = write_protocol(units="BQML")
    first, second = (read_activity(folder / f"pet_recon_{n}", protocol=protocol).frames[0].image for n in (1, 2))
    found = register(first, second, RIGID, kind="activity")
    assert farthest_mm(found.transform, sitk.Transform(), first) < 1.0
    assert found.after > 0.99
