"""Images written by SimpleITK, whose failures look like those of every other file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk


def write_image(image: sitk.Image, path: Path, *, compressed: bool = True) -> None:
    """Write an image and read it back: ITK does not notice when the disk is full at its last few kB.

    Raises `OSError` when the file does not hold the image; SimpleITK itself has only a `RuntimeError` of many lines.
    """
    try:
        sitk.WriteImage(image, str(path), useCompression=compressed)
        written = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise _incomplete(path) from error
    if not np.array_equal(sitk.GetArrayViewFromImage(written), sitk.GetArrayViewFromImage(image), equal_nan=True):
        raise _incomplete(path)


def write_map(image: sitk.Image, path: Path, **header: str) -> None:
    """`write_image` of a float32 copy with `header` (units, quantity ...) in the file."""
    image = sitk.Cast(image, sitk.sitkFloat32)
    for key, value in header.items():
        image.SetMetaData(key, value)
    write_image(image, path)


def _incomplete(path: Path) -> OSError:
    return OSError(f"{Path(path).name} could not be written completely")
