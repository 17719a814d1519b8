"""Two segmentations of one grid, compared organ by organ."""

from __future__ import annotations

from pathlib import Path

from organdose.assess.mask_comparison import compare_masks, write_comparison_csv
from organdose.progress import Progress
from organdose.segmentation.reading import read_masks
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


def run_compare_masks(test: Path, reference: Path, out: Path, progress: Progress | None = None) -> None:
    """Write organ, Dice, Jaccard, precision, recall, HD95, surface Dice and volumes to `out`.

    The grid is that of the reference file. Raises `InputError` for files that cannot be read or do not fit.
    """
    import SimpleITK as sitk

    from organdose.segmentation.mask_images import read_grid

    grid: sitk.Image = read_grid(reference)
    study = CTStudy(grid, CTAcquisition())
    write_comparison_csv(out, compare_masks(read_masks(test, study, progress=progress),
                                            read_masks(reference, study, progress=progress)))
