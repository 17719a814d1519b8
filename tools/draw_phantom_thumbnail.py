"""Draw the picture that stands for the generated PET/CT study among Slicer's sample data.

    python tools/draw_phantom_thumbnail.py

Takes half a minute. The picture is committed; run this again only to change it.
"""

import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import SimpleITK as sitk
from PIL import Image

from organdose.export.organ_look import colour
from organdose.jobs.phantom_study import PhantomStudyPaths, write_phantom_study
from organdose.segmentation.reading import read_masks
from organdose.study.reading import read_ct

PICTURE = Path(__file__).resolve().parent.parent / "Resources" / "Icons" / "OrganDosePhantom.png"
SIZE_PX = 128
OVERSAMPLING = 4
PLANE_MM = -20.0  # in front of the middle: heart, liver and bladder
WIDTH_MM, CENTRE_Z_MM = 670.0, 375.0  # shoulders to hips
BRIGHTEST_BQ_PER_ML = 16000.0
OUTLINED = ("lung_right", "lung_left", "liver", "heart", "stomach", "urinary_bladder")


def coronal(image: sitk.Image) -> np.ndarray:
    """The plane's rows from head to feet, on a square raster as fine as the large picture."""
    n = SIZE_PX * OVERSAMPLING
    step_mm = WIDTH_MM / n
    grid = sitk.Image(n, 1, n, sitk.sitkFloat32)
    grid.SetSpacing((step_mm, 1.0, step_mm))
    grid.SetOrigin(((step_mm - WIDTH_MM) / 2, PLANE_MM, CENTRE_Z_MM + (step_mm - WIDTH_MM) / 2))
    outside = -1024.0 if image.GetPixelID() == sitk.sitkInt16 else 0.0
    taken = sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, outside, sitk.sitkFloat32)
    return sitk.GetArrayFromImage(taken)[::-1, 0]


def read_pet(folder: Path) -> sitk.Image:
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))


def draw(study: PhantomStudyPaths) -> Image.Image:
    ct = read_ct(study.ct)
    figure = plt.figure(figsize=(1, 1), dpi=SIZE_PX * OVERSAMPLING)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(coronal(ct.image), cmap="gray", vmin=-200, vmax=300)
    uptake = coronal(read_pet(study.pet)) / BRIGHTEST_BQ_PER_ML
    axes.imshow(uptake, cmap="hot", vmin=0, vmax=1, alpha=np.clip(2 * uptake - 0.2, 0, 0.85))
    masks = read_masks(study.seg_nrrd, ct)
    for name in (name for name in OUTLINED if name in masks.names):
        mask = sitk.GetImageFromArray(masks.mask(name).astype(np.uint8))
        mask.CopyInformation(ct.image)
        axes.contour(coronal(mask), levels=(0.5,), colors=[colour(name)], linewidths=0.9)
    figure.canvas.draw()
    large = Image.fromarray(np.asarray(figure.canvas.buffer_rgba()))
    plt.close(figure)
    return large.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        draw(write_phantom_study("adult-male", Path(temporary) / "study")).save(PICTURE, optimize=True)
