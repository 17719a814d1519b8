"""Voxel S-values against published ones, and where the energy of a decay goes.

Lanconelli et al., Phys Med Biol 57 (2012) 517 (DOSXYZnrc; soft tissue of 1.04 g/cm3, which is ours too); MIRD pamphlet
17 (Bolch et al., J Nucl Med 40 (1999) 11S). docs/voxel-s-values.md discusses the rows.
"""

from __future__ import annotations

from dataclasses import replace

from organdose.nuclear.emissions import Emissions
from organdose.nuclear.kernel_monte_carlo import KernelScores, kernel_scores
from organdose.nuclear.media import SOFT_TISSUE
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.radionuclide import radionuclide
from organdose.nuclear.voxel_kernels import VoxelKernel, kernel_of_scores
from organdose.progress import Progress
from organdose.validation.comparison import Comparison, reference_table

_HISTORIES = 2_000_000
_COMPARED = ("Y-90", "Sr-89", "Re-188", "I-131")
_VOXELS_MM = (3.0, 4.42, 6.0)
# Voxels from the source (x, y, z), the table's name for them, tolerance in percent.
_NEIGHBOURS = (((0, 0, 0), "self", 3.0), ((0, 0, 1), "n1", 5.0), ((0, 0, 2), "n2", 10.0))
_MIRD17_PERCENT = 4.0
# The table's Re-188 has no conversion and Auger electrons (15.6 keV a decay, all of which stay in the voxel): 4 to 6 %
# of the dose to the voxel itself. Without them ours must agree as the other nuclides do.
_WITHOUT_CONVERSION = "Re-188"
_LACKING_PERCENT = 7.0
_BALANCE_PERCENT = 0.5
_BALANCED = ("F-18", "C-11", "N-13", "O-15", "Ga-68", "Cu-64", "Zr-89", "Rb-82", "I-123", "I-124", "I-131", "Tc-99m",
             "In-111", "Lu-177", "Y-90", "Sm-153", "Re-186", "Re-188", "Ho-166", "Tb-161", "Ra-223", "Ac-225")
_WHOLE_MM, _FARTHEST_MM = 10.0, 1000.0


def vsv(histories: int | None = None, progress: Progress | None = None) -> list[Comparison]:
    """Every row: neighbours of four nuclides, self doses of MIRD 17, energy balances of 22 nuclides with progeny."""
    published, histories = reference_table("voxel_s_values"), histories or _HISTORIES
    return [*lanconelli_rows(published["tables"], histories, progress),
            *mird17_rows(published["mird17"], histories, progress), *balance_rows(max(1000, histories // 20), progress)]


def lanconelli_rows(tables: dict, histories: int, progress: Progress | None) -> list[Comparison]:
    """Dose to the voxel itself, its neighbour and the one behind it."""
    rows = []
    for name in _COMPARED:
        emissions = radionuclide(name).emissions
        for voxel_mm in _VOXELS_MM:
            published = tables[name]["soft"][f"{voxel_mm:g}mm"]
            lacking = name == _WITHOUT_CONVERSION
            rows += _neighbour_rows(f"{name} {voxel_mm:g} mm", _kernel(emissions, voxel_mm, histories, progress),
                                    published, _LACKING_PERCENT if lacking else None)
            if lacking:
                betas = replace(emissions, electrons=())
                rows += _neighbour_rows(f"{name} without conversion electrons {voxel_mm:g} mm",
                                        _kernel(betas, voxel_mm, histories, progress), published)
    return rows


def _neighbour_rows(title: str, kernel: VoxelKernel, published: dict, self_percent: float | None = None
                    ) -> list[Comparison]:
    return [_row(f"{title} {name}", kernel, place, {"Lanconelli": published[name]},
                 self_percent if self_percent and name == "self" else percent)
            for place, name, percent in _NEIGHBOURS]


def mird17_rows(published: dict, histories: int, progress: Progress | None) -> list[Comparison]:
    """Dose to the voxel itself, in voxels of 3 and 6 mm."""
    rows = []
    for voxel_mm in (3.0, 6.0):
        for name, doses in published[f"{voxel_mm:g}mm"].items():
            kernel = _kernel(radionuclide(name).emissions, voxel_mm, max(1000, histories // 4), progress)
            rows.append(_row(f"{name} {voxel_mm:g} mm self, MIRD 17", kernel, (0, 0, 0), {"MIRD 17": doses["self"]},
                             _MIRD17_PERCENT))
    return rows


def balance_rows(histories: int, progress: Progress | None = None) -> list[Comparison]:
    """keV a decay, up to a metre away: what was emitted against the decay data, what becomes of it, what was scored,
    and what the voxels of a kernel hold in the end."""
    rows = []
    for name in _BALANCED:
        emissions = with_progeny(name).emissions
        scores = kernel_scores(emissions, SOFT_TISSUE, (_WHOLE_MM,) * 3, histories=histories, progress=progress)
        rows += _balances(name, emissions, scores)
    return rows


def _balances(name: str, emissions: Emissions, scores: KernelScores) -> list[Comparison]:
    kept = scores.balance_kev
    kernel = kernel_of_scores(scores, SOFT_TISSUE, (_WHOLE_MM,) * 3, round(_FARTHEST_MM / _WHOLE_MM))
    uncertainty = kept["emitted_uncertainty"] / kept["emitted"]
    return [Comparison(f"{name} {title}, keV", ours, relative, {}, expected, _BALANCE_PERCENT)
            for title, ours, relative, expected in (
                ("emitted against decay data", kept["emitted"], uncertainty, scores.emitted_kev),
                ("deposited and leaving against emitted", kept["deposited"] + kept["leaving"], 0.0, kept["emitted"]),
                ("scored against deposited", kept["scored"], 0.0, kept["deposited"]),
                ("in the kernel's voxels against scored", kernel.energy_kev, 0.0, kept["scored"]))]


def _kernel(emissions: Emissions, voxel_mm: float, histories: int, progress: Progress | None) -> VoxelKernel:
    scores = kernel_scores(emissions, SOFT_TISSUE, (voxel_mm,) * 3, histories=histories, progress=progress)
    return kernel_of_scores(scores, SOFT_TISSUE, (voxel_mm,) * 3, 3)


def _row(title: str, kernel: VoxelKernel, place: tuple[int, int, int], published: dict[str, float],
         percent: float) -> Comparison:
    x, y, z = place
    (expected,) = published.values()
    return Comparison(f"{title}, mGy/(MBq s)", kernel.at(x, y, z), float(kernel.octant_relative_uncertainty[z, y, x]),
                      published, expected, percent)
