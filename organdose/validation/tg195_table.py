"""The published results of AAPM TG-195, and what all of its cases share.

Sechopoulos et al., Med Phys 42 (2015) 5679. Expected is the mean of EGSnrc, Geant4 and PENELOPE: MCNP lies apart from
the other three in several rows. TG-195 states no limits; ours are 1 % where a volume receives more than 50 eV per
history, 2 % where it receives less, and three standard uncertainties on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from organdose.transport.batches import Tally
from organdose.transport.materials import Material
from organdose.transport.rectangular_beam import RectangularBeam
from organdose.transport.voxel_grid import VoxelGrid
from organdose.validation.comparison import Comparison, reference_table

SMALL_EV = 50.0
SPECTRUM_BIN_KEV = 0.5  # the report's energy labels are bin centres


@dataclass(frozen=True)
class Published:
    """The tables of the report."""

    table: dict

    @classmethod
    def read(cls) -> Published:
        """Raises `InputError` where the tables are not at hand."""
        return cls(reference_table("tg195"))

    def spectrum(self, label: str) -> tuple[np.ndarray, np.ndarray, float]:
        """Energies (keV), relative photons and bin width (keV) of '56.4 keV', '120 kVp', '30 kVp' ..."""
        number, unit = label.split()[:2]
        if unit == "keV":
            return np.array([float(number)]), np.ones(1), 0.0
        key = {"120": "120kVp_W_Al_RQR9", "100": "100kVp_W_Al_RQR8", "30": "30kVp_Mo_Mo_RQRM3"}[number]
        energies_kev, photons = self.table["spectra"][key]
        return np.asarray(energies_kev), np.asarray(photons), SPECTRUM_BIN_KEV

    def material(self, name: str) -> tuple[Material, float]:
        """A material of the report and its density (g/cm3)."""
        if name == "breast_20_80":
            parts = ((0.2, self.material("gland")[0]), (0.8, self.material("adipose")[0]))
            mixed: dict[int, float] = {}
            for share, part in parts:
                for z, weight in part.weight_fractions.items():
                    mixed[z] = mixed.get(z, 0.0) + share * weight
            return Material(name, mixed), 0.952
        entry = self.table["materials"][name]
        total = sum(entry["w%"].values())
        return Material(name, {int(z): w / total for z, w in entry["w%"].items() if w > 0}), entry["rho"]

    def grid(self, names: tuple[str, ...], material_index: np.ndarray, spacing_mm: tuple[float, float, float],
             centre_mm: tuple[float, float, float]) -> VoxelGrid:
        """Voxels of the report's materials, in the order of `names`."""
        materials, densities = zip(*(self.material(name) for name in names))
        return VoxelGrid.of_materials(materials, densities, material_index, spacing_mm, centre_mm)

    def row(self, case: str, volume: str, spectrum: str, mode: str) -> dict:
        return next(r for r in self.table["results"]
                    if (r["case"], r["volume"], r["spectrum"], r["mode"]) == (case, volume, spectrum, mode))

    def compared(self, label: str, row: dict, ours: float, relative_uncertainty: float) -> Comparison:
        """Our energy (eV per history) beside those of a row."""
        references = {code: entry["value"] for code, entry in row["codes"].items()}
        expected = row["mean_no_mcnp"]
        return Comparison(label, ours, relative_uncertainty, references, expected, 1.0 if expected >= SMALL_EV else 2.0)


def volume_rows(published: Published, case: str, mode: str, spectrum: str, boxes: int,
                tally: Tally) -> list[Comparison]:
    """Rows of the whole body (region 0 of `tally`, keV) and of the `boxes` counted from 1 on."""
    volumes = ("Total body", *(f"VOI {k}" for k in range(1, boxes + 1)))
    return [published.compared(f"{case} {mode} {spectrum} {volume}",
                               published.row(f"Case {case}", volume, spectrum, mode),
                               1000 * float(tally.regions[n]), float(tally.region_relative_uncertainty[n]))
            for n, volume in enumerate(volumes)]


def beam(published: Published, spectrum: str, focus_mm, opening_mm, half_width_mm, half_height_mm,
         round_opening: bool = False) -> RectangularBeam:
    """A beam of one of the report's spectra."""
    energies_kev, photons, bin_kev = published.spectrum(spectrum)
    return RectangularBeam(focus_mm, opening_mm, half_width_mm, half_height_mm, energies_kev, photons, bin_kev,
                           round_opening)


def box_scores(grid: VoxelGrid, boxes_mm: list[tuple[tuple[float, float, float], tuple[float, float, float]]],
               share: np.ndarray | None = None) -> sp.csr_array:
    """A row of 1 for each box (centre, half edges; x, y, z) and every voxel in it, or that voxel's `share`.

    Voxels count by their centres: boxes end at voxel borders.
    """
    rows = []
    for centre, half in boxes_mm:
        along = [np.abs(origin + spacing * np.arange(count) - middle) < edge for origin, spacing, count, middle, edge in
                 zip(grid.origin_mm, grid.spacing_mm, grid.shape[::-1], centre, half)]
        inside = along[2][:, None, None] & along[1][None, :, None] & along[0][None, None, :]
        values = inside if share is None else inside * share
        rows.append(sp.csr_array(values.reshape(1, -1).astype(np.float32)))
    return sp.csr_array(sp.vstack(rows))


def disc_share(x_mm: np.ndarray, y_mm: np.ndarray, pixel_mm: float, radius_mm: float, centre_mm=(0.0, 0.0),
               parts: int = 10) -> np.ndarray:
    """Part of each pixel (y, x) that lies in a circle; `x_mm`, `y_mm` are pixel centres."""
    offsets = (np.arange(parts) - 0.5 * (parts - 1)) * pixel_mm / parts
    fine_x, fine_y = ((axis[:, None] + offsets).ravel() for axis in (x_mm, y_mm))
    inside = (fine_x[None, :] - centre_mm[0]) ** 2 + (fine_y[:, None] - centre_mm[1]) ** 2 <= radius_mm**2
    return inside.reshape(len(y_mm), parts, len(x_mm), parts).mean(axis=(1, 3))
