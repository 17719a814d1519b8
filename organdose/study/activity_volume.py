"""Activity in one NRRD or NIfTI file: voxels and geometry; unit and times come from the protocol file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.activity_scale import bq_per_ml_factor
from organdose.study.activity_study import ActivityFrame
from organdose.study.frame_timing import frame_timing
from organdose.study.nuclear_facts import NuclearAcquisition
from organdose.study.nuclear_protocol import NuclearProtocol, with_protocol
from organdose.study.volume_file import read_lps_volume


def read_volume_frame(path: Path, protocol: NuclearProtocol,
                      complete: Callable[[NuclearAcquisition], NuclearAcquisition], progress: Progress,
                      ) -> tuple[list[ActivityFrame], list[str], list[str]]:
    """The frame, remarks (none) and assumptions. Facts of this file alone stand under its name among the protocol's
    `series`. Raises `MissingFacts` without a unit, and `InputError`."""
    known = complete(with_protocol(NuclearAcquisition(), protocol, path.name))
    known.require("units", where=path)
    image = read_lps_volume(path, "PET or SPECT", checked_activity, progress)
    voxel_ml = float(np.prod(image.GetSpacing())) / 1000.0
    timing = frame_timing(known)
    factor, lines = bq_per_ml_factor(known, NuclearAcquisition(), elapsed_s=timing.reference_s, voxel_ml=voxel_ml,
                                     where=path)
    if factor != 1.0:
        image = sitk.Cast(image * factor, sitk.sitkFloat32)
    frame = ActivityFrame(image, known, timing.start_at, timing.start_s, timing.duration_s, timing.reference_at,
                          timing.reference_s, known.value("decay_correction") or "", files=(path,))
    return [frame], [], [*lines, *timing.notes]


def checked_activity(image: sitk.Image, path: Path) -> sitk.Image:
    """float32 of an image whose values are numbers. Raises `InputError` for others and for an empty image."""
    values = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(values).all():
        raise InputError("the image holds values that are no numbers (NaN or infinite)", where=path,
                         mend="Export the image again without them.")
    if values.max() <= 0:
        raise InputError("the image holds no activity: no value is above 0", where=path, mend="Check the file.")
    return sitk.Cast(image, sitk.sitkFloat32)
