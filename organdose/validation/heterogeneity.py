"""Dose across a border of two media by every voxel method, beside Monte Carlo: what each of them leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.engines import engine
from organdose.nuclear.media import CORTICAL_BONE, LUNG, SOFT_TISSUE, Medium
from organdose.nuclear.progeny import with_progeny
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress
from organdose.transport.voxel_grid import VoxelGrid

VOXEL_MM = 4.0
_SHAPE = (64, 48, 48)  # z, y, x
_MIDDLE = (slice(None), slice(12, 36), slice(12, 36))
_DECAYS_PER_VOXEL = 1e6
MONTE_CARLO = "Monte Carlo"
# Label, engine, parameters.
_METHODS = (("local deposition", "local", {}), ("single S-value", "vsv", {}),
            ("single, scaled by density", "vsv", {"density_scaled": True}), ("multiple S-values", "msv", {}))
INTERFACES = {"lung": LUNG, "bone": CORTICAL_BONE}
NUCLIDES = ("F-18", "Lu-177", "Y-90")


@dataclass(frozen=True)
class BorderDoses:
    """Dose (mGy) by method at `depth_mm` (n) from the border, soft tissue below 0 and `medium` above; the mean of the
    middle of each layer. `monte_carlo_uncertainty` (n): relative, standard."""

    nuclide: str
    medium: Medium
    depth_mm: np.ndarray
    dose_mgy: dict[str, np.ndarray]
    monte_carlo_uncertainty: np.ndarray

    def percent(self, method: str) -> np.ndarray:
        """Difference to Monte Carlo, percent of it (n)."""
        return 100 * (self.dose_mgy[method] / self.dose_mgy[MONTE_CARLO] - 1)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(method for method in self.dose_mgy if method != MONTE_CARLO)


def border_doses(nuclide: str, medium: Medium, *, histories: int, progress: Progress | None = None) -> BorderDoses:
    """Soft tissue beside `medium`, as much activity in each ml of both: a block of 19 x 19 x 26 cm in vacuum."""
    grid = _block(medium)
    decays = np.full(_SHAPE, _DECAYS_PER_VOXEL, np.float32)
    source = ActivityIntegral(decays, np.full(_SHAPE, np.nan, np.float32), with_progeny(nuclide), None, "physical")
    monte_carlo = engine("mc")
    dose = monte_carlo.run(source, grid, monte_carlo.parameters(histories=histories), progress=progress)
    uncertainty = sitk.GetArrayFromImage(dose.relative_uncertainty)[_MIDDLE]
    doses = {MONTE_CARLO: _by_layer(dose)}
    for label, name, parameters in _METHODS:
        chosen = engine(name)
        doses[label] = _by_layer(chosen.run(source, grid, chosen.parameters(**parameters), progress=progress))
    depth_mm = VOXEL_MM * (np.arange(_SHAPE[0]) + 0.5 - _SHAPE[0] / 2)
    # Voxels of a layer are nearly independent: particles score in few of them.
    spread = np.sqrt((uncertainty.astype(float) ** 2).mean(axis=(1, 2)) / uncertainty[0].size)
    return BorderDoses(nuclide, medium, depth_mm, doses, spread)


def _block(medium: Medium) -> DoseGrid:
    index = np.zeros(_SHAPE, np.uint8)
    index[_SHAPE[0] // 2:] = 1
    voxels = VoxelGrid.of_materials((SOFT_TISSUE.material, medium.material),
                                    (SOFT_TISSUE.density_g_cm3, medium.density_g_cm3), index, (VOXEL_MM,) * 3)
    geometry = sitk.GetImageFromArray(voxels.density_g_cm3)
    geometry.SetSpacing(voxels.spacing_mm)
    geometry.SetOrigin(voxels.origin_mm)
    return DoseGrid(geometry, voxels, voxels.density_g_cm3)


def _by_layer(dose) -> np.ndarray:
    return sitk.GetArrayFromImage(dose.dose_mgy)[_MIDDLE].mean(axis=(1, 2), dtype=np.float64)


def table_lines(doses: BorderDoses) -> Iterator[str]:
    """Rows of a Markdown table: difference to Monte Carlo at the border's two sides and deep in both media."""
    middle = len(doses.depth_mm) // 2
    places = {"soft tissue": slice(middle - 16, middle - 6), "soft tissue at the border": slice(middle - 1, middle),
              f"{doses.medium.material.name} at the border": slice(middle, middle + 1),
              doses.medium.material.name: slice(middle + 6, middle + 16)}
    for place, layers in places.items():
        reference = doses.dose_mgy[MONTE_CARLO][layers].mean()
        cells = [f"{100 * (doses.dose_mgy[method][layers].mean() / reference - 1):+.1f}" for method in doses.methods]
        yield f"| {doses.nuclide} | {place} | {' | '.join(cells)} |"
