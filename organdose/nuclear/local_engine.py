"""Local deposition: electrons and alphas leave their energy in the voxel where they arise."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from organdose import __version__
from organdose.dose_map import MGY_KG_PER_KEV, DoseMap
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.engines import EngineParameters
from organdose.nuclear.kernel_dose import checked_source, dose_image
from organdose.nuclear.media import AIR_BELOW_G_CM3
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress


class LocalParameters(EngineParameters):
    photons: Literal["none", "all"] = Field(
        "none", title="Photons", json_schema_extra={"words": {"none": "leave without dose", "all": "absorbed locally"}},
        description="whether photons leave the body without any dose, or all their energy where they arise")


def local_dose_mgy(decays: np.ndarray, kev_per_decay: float, density_g_cm3: np.ndarray, voxel_ml: float) -> np.ndarray:
    """Dose (mGy, float32): all of `kev_per_decay` in the voxel's own mass; air counts with AIR_BELOW_G_CM3."""
    mass_kg = np.maximum(density_g_cm3, np.float32(AIR_BELOW_G_CM3)) * np.float32(1e-3 * voxel_ml)
    return (decays / mass_kg * (kev_per_decay * MGY_KG_PER_KEV)).astype(np.float32)


def local_kev(emissions: Emissions, photons: str) -> float:
    """Energy per decay (keV) that stays."""
    return (emissions.electron_energy_kev + emissions.alpha_energy_kev
            + (emissions.photon_energy_kev if photons == "all" else 0.0))


class LocalEngine:
    name = "local"
    title = "Local deposition"
    needs = "a CT in HU for densities, and the activity in each voxel"
    yields = "absorbed dose in mGy in each voxel, of electrons and alphas that stay where they arise"
    parameters = LocalParameters
    computes_organs = False

    def check(self, source: ActivityIntegral, parameters: LocalParameters) -> None:
        """See `InternalDoseEngine.check`."""
        checked_source(source)

    def run(self, source: ActivityIntegral, grid: DoseGrid, parameters: LocalParameters, *,
            organs: tuple[str, ...] = (), organ_mass_g: sp.csr_matrix | None = None,
            progress: Progress | None = None) -> DoseMap:
        """See `InternalDoseEngine.run`."""
        checked_source(source)
        emissions = source.mixture.emissions
        kept_kev = local_kev(emissions, parameters.photons)
        voxel_ml = 1e-3 * float(np.prod(grid.voxels.spacing_mm))
        dose_mgy = local_dose_mgy(source.decays, kept_kev, grid.voxels.density_g_cm3, voxel_ml)
        photons = (f"All of the photons' {emissions.photon_energy_kev:.4g} keV a decay is left where they arise: far "
                   "too much in any organ." if parameters.photons == "all" else
                   f"Photons ({emissions.photon_energy_kev:.4g} keV a decay) leave no dose at all.")
        lines = [source.mixture.assumption,
                 f"Electrons, positrons and alphas leave {local_kev(emissions, 'none'):.5g} keV a decay in the voxel "
                 "where they arise, whatever their range.", photons,
                 f"Voxels below {AIR_BELOW_G_CM3:g} g/cm3 (air) count with that density.",
                 *(f"Left out: {part}" for part in emissions.unsupported),
                 "The map has no uncertainty of its own, and that of the activity is not in it."]
        facts = {"decays": source.total_decays, "local_kev_per_decay": kept_kev, "assumptions": lines}
        return DoseMap(dose_image(dose_mgy, grid), grid.voxels.density_g_cm3, f"{self.name} {__version__}", facts=facts)
