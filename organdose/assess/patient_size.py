"""The size of the patient slice by slice: water-equivalent diameter (AAPM report 220), effective diameter (204)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress

_PADDING_HU = -1500  # scanners write less than air outside the reconstruction circle
_CUT_SHARE = 0.02  # of a slice's outline on the edge of the image or of the circle, from which it counts as cut


@dataclass(frozen=True)
class SliceSizes:
    """Diameters in cm, one a slice from feet to head; NaN in slices without body.

    `is_cut`: the body reaches the edge of the image or of the reconstruction circle, so that the sizes are too small.
    """

    water_equivalent_cm: np.ndarray
    effective_cm: np.ndarray
    lateral_cm: np.ndarray
    ap_cm: np.ndarray
    is_cut: np.ndarray


def slice_sizes(ct: sitk.Image, body: np.ndarray, *, progress: Progress | None = None) -> SliceSizes:
    """The sizes of `body` (bool, (z, y, x), without couch) in each slice of a CT in HU.

    Water-equivalent diameter (AAPM 220, equation 4): 2 sqrt((mean HU / 1000 + 1) area / pi) over the body with all air
    in it. Effective diameter (AAPM 204): sqrt(AP x lateral), the extents of the body along y and x.
    Raises `InputError` when the mask is on another grid.
    """
    hu = sitk.GetArrayViewFromImage(ct)
    if body.shape != hu.shape:
        raise InputError(f"the body mask has the shape {body.shape}, the CT {hu.shape}", mend="Use masks of this CT.")
    across_cm, along_cm = ct.GetSpacing()[0] / 10, ct.GetSpacing()[1] / 10
    found = np.full((4, hu.shape[0]), np.nan)
    is_cut = np.zeros(hu.shape[0], dtype=bool)
    for k in range(hu.shape[0]):
        if progress is not None and k % 20 == 0:
            progress.report("patient size", k / hu.shape[0])
        if not body[k].any():
            continue
        water_cm2 = (hu[k][body[k]] / 1000 + 1).sum(dtype=np.float64) * across_cm * along_cm
        lateral_cm = _extent(body[k].any(axis=0)) * across_cm
        ap_cm = _extent(body[k].any(axis=1)) * along_cm
        found[:, k] = 2 * np.sqrt(max(water_cm2, 0.0) / np.pi), np.sqrt(ap_cm * lateral_cm), lateral_cm, ap_cm
        is_cut[k] = _cut_share(body[k], hu[k]) > _CUT_SHARE
    return SliceSizes(*found, is_cut)


def _extent(there: np.ndarray) -> int:
    places = np.flatnonzero(there)
    return int(places[-1] - places[0] + 1)


def _cut_share(body: np.ndarray, hu: np.ndarray) -> float:
    """Part of the body's outline that lies on the edge of the image or beside padding."""
    beyond = np.pad(hu < _PADDING_HU, 1, constant_values=True)
    outside = np.pad(~body, 1, constant_values=True)
    outline = cut = 0
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        neighbour = np.roll(outside, step, axis)[1:-1, 1:-1] & body
        outline += np.count_nonzero(neighbour)
        cut += np.count_nonzero(neighbour & np.roll(beyond, step, axis)[1:-1, 1:-1])
    return cut / outline if outline else 0.0
