"""Every transfer syntax gives the same HU; what is not HU is refused."""

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from organdose.study import read_ct


def _hu(study) -> np.ndarray:
    return sitk.GetArrayFromImage(study.image)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian,
                                    RLELossless, JPEG2000Lossless, JPEGLSLossless], ids=lambda uid: uid.keyword)
def test_every_transfer_syntax_gives_the_same_hounsfield_units(write_series, expected_hu, syntax):
    study = read_ct(write_series(syntax=syntax))
    assert study.image.GetPixelID() == sitk.sitkInt16
    np.testing.assert_array_equal(_hu(study), expected_hu(6))


def test_each_slice_is_rescaled_with_its_own_intercept(write_series, expected_hu):
    def change(header, index):
        header.RescaleIntercept = -1024 - 10 * index

    np.testing.assert_array_equal(_hu(read_ct(write_series(change=change))),
                                  expected_hu(6) - 10 * np.arange(6)[:, None, None])


def test_a_broken_slope_gives_float_values(write_series, expected_hu):
    def change(header, index):
        header.RescaleSlope, header.RescaleIntercept = "0.5", "-600.25"

    study = read_ct(write_series(change=change))
    assert study.image.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_allclose(_hu(study), (expected_hu(6) + 1024) * 0.5 - 600.25, atol=1e-3)


def _with_corner(value, **tags):
    """A change that fills the first row with a stored value, as scanners fill what they did not reconstruct."""
    def change(header, index):
        stored = np.frombuffer(header.PixelData, np.uint16).reshape(32, 32).copy()
        stored[0] = np.array(value).astype(np.uint16)
        header.PixelData = stored.tobytes()
        for keyword, tag in tags.items():
            setattr(header, keyword, tag)
    return change


def test_padding_outside_the_reconstruction_circle_becomes_air(write_series, expected_hu):
    hu = _hu(read_ct(write_series(change=_with_corner(60000, PixelPaddingValue=60000))))
    assert (hu[:, 0] == -1024).all()
    np.testing.assert_array_equal(hu[:, 1:], expected_hu(6)[:, 1:])


def test_padding_written_with_the_wrong_sign_becomes_air(write_series):
    def signed(header, index):
        stored = np.frombuffer(header.PixelData, np.uint16).reshape(32, 32).astype(np.int16)
        stored[0] = -900
        header.PixelData, header.PixelRepresentation = stored.tobytes(), 1
        header.add_new("PixelPaddingValue", "US", 65536 - 900)

    assert (_hu(read_ct(write_series(change=signed)))[:, 0] == -1024).all()


def test_filling_that_no_header_declares_becomes_air(write_series):
    def signed(header, index):
        stored = np.frombuffer(header.PixelData, np.uint16).reshape(32, 32).astype(np.int16)
        stored[0] = -2000
        header.PixelData, header.PixelRepresentation = stored.tobytes(), 1

    assert (_hu(read_ct(write_series(change=signed)))[:, 0] == -1024).all()


def test_a_padding_value_that_is_tissue_in_this_image_is_left_alone(write_series, expected_hu):
    def change(header, index):
        header.PixelPaddingValue = 1024 + 10  # 10 HU: occurs inside, never in a corner

    assert (expected_hu(6) == 10).any()
    np.testing.assert_array_equal(_hu(read_ct(write_series(change=change))), expected_hu(6))


@pytest.mark.parametrize(("tags", "words"), [
    ({"RescaleType": "OD"}, "the pixel values are OD, not Hounsfield units"),
    ({"RescaleIntercept": 0}, "there is no air"),
    ({"RescaleSlope": "0.0001", "RescaleIntercept": -1}, "spans hundreds"),
    ({"RescaleSlope": 500}, "too large for HU"),
    ({"RescaleSlope": 0}, "no usable rescale slope"),
    ({"RescaleIntercept": ""}, "no usable rescale slope"),
    ({"RescaleIntercept": -9000}, "spans hundreds"),
])
def test_values_that_are_not_hounsfield_units_are_refused(write_series, refusal, tags, words):
    def change(header, index):
        for keyword, value in tags.items():
            setattr(header, keyword, value)

    assert words in refusal(write_series(change=change))


def test_colour_images_are_refused(write_series, refusal):
    def change(header, index):
        header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
        header.BitsAllocated, header.BitsStored, header.HighBit = 8, 8, 7
        header.PixelData = bytes(32 * 32 * 3)

    assert "in colour" in refusal(write_series(change=change))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, JPEGLSLossless],
                         ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kept", [0.95, 0.5])
def test_a_truncated_slice_is_refused_and_named(write_series, refusal, syntax, kept):
    folder = write_series(syntax=syntax)
    victim = folder / "ct_003.dcm"
    content = victim.read_bytes()
    pixels = content.index(b"\xe0\x7f\x10\x00")
    victim.write_bytes(content[:pixels + int(kept * (len(content) - pixels))])
    message = refusal(folder)
    assert "ct_003.dcm" in message
    assert "truncated" in message


def test_a_slice_without_pixels_is_refused_and_named(write_series, refusal):
    def change(header, index):
        if index == 2:
            del header.PixelData

    assert "ct_002.dcm: the pixels are truncated" in refusal(write_series(change=change))
