"""Images on disk are whole, whatever the disk did."""

import resource

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.export.image_file import write_image


@pytest.fixture
def noise():
    return sitk.GetImageFromArray(np.random.default_rng(1).random((8, 32, 32)).astype(np.float32))


def test_an_image_comes_back_as_it_was(tmp_path, noise):
    noise.SetMetaData("units", "mGy")
    noise[0, 0, 0] = float("nan")
    write_image(noise, tmp_path / "a.nrrd")
    back = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(noise), equal_nan=True)
    assert back.GetMetaData("units") == "mGy"


@pytest.mark.parametrize("size_bytes", [100, 10_000, 29_000])
def test_a_disk_that_ends_before_the_image_is_noticed_even_in_the_last_bytes(tmp_path, noise, size_bytes):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        with pytest.raises(OSError, match=r"a\.nrrd could not be written completely"):
            write_image(noise, tmp_path / "a.nrrd")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
