"""Internal dose by Monte Carlo of photons, electrons and positrons in the patient's own voxels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk
from pydantic import Field

from organdose import __version__
from organdose.dose_map import MGY_KG_PER_KEV, DoseMap
from organdose.errors import InputError
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.decay_source import DecaySource, decay_source
from organdose.nuclear.emission_range import untransported
from organdose.nuclear.emissions import ALPHA, RECOIL
from organdose.nuclear.engines import EngineParameters
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.electron_tables import electron_tables
from organdose.transport.elements import HIGHEST_KEV, LOWEST_KEV
from organdose.transport.monte_carlo import StopRule, Tally, run_particles
from organdose.transport.processors import cuda_device_name
from organdose.transport.voxel_grid import VoxelGrid

_ADVANCED = {"group": "Advanced"}
_EVERY_KEV = (0.0, float("inf"))


class MonteCarloParameters(EngineParameters):
    histories: int = Field(5_000_000, ge=1000, le=10**12, title="Decays at most",
                           description="decays to follow at most")
    uncertainty_percent: float | None = Field(
        None, gt=0, le=100, title="Organ uncertainty (%)",
        description="stop earlier once every organ's mean dose is known to this many percent")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", title="Device", description="processor to compute on")
    seed: int = Field(1, ge=0, lt=2**40, title="Seed", json_schema_extra=_ADVANCED,
                      description="the same seed gives the same dose map")
    scoring: Literal["auto", "stops", "tracks"] = Field(
        "auto", title="Scoring", json_schema_extra=_ADVANCED,
        description="where photons leave their energy: at random stops, along tracks, or by the voxel size")


class MonteCarloEngine:
    name = "mc"
    title = "Monte Carlo"
    needs = "a CT in HU and the activity in each voxel"
    yields = "absorbed dose in mGy with a statistical uncertainty for each voxel and organ"
    parameters = MonteCarloParameters
    computes_organs = False

    def check(self, source: ActivityIntegral, parameters: MonteCarloParameters) -> None:
        """See `InternalDoseEngine.check`."""
        if parameters.device == "cuda" and cuda_device_name() is None:
            raise InputError("no NVIDIA GPU that numba can use was found", mend="Use --device auto or cpu.")
        decay_source(source.mixture.emissions, np.ones((1, 1, 1)), (1.0,) * 3, (0.0,) * 3)

    def run(self, source: ActivityIntegral, grid: DoseGrid, parameters: MonteCarloParameters, *,
            organs: tuple[str, ...] = (), organ_mass_g: sp.csr_matrix | None = None,
            progress: Progress | None = None) -> DoseMap:
        """See `InternalDoseEngine.run`."""
        voxels = grid.voxels
        particles = decay_source(source.mixture.emissions, source.decays, voxels.spacing_mm, voxels.origin_mm)
        scores = None if organ_mass_g is None else _mean_dose_rows(organ_mass_g, voxels.voxel_mass_kg)
        local_kev = particles.local_kev * source.decays.astype(np.float64)
        tally = _followed(particles, voxels, scores, parameters, progress)
        followed_kev = source.total_decays * tally.energy_kev
        energy_kev = followed_kev + local_kev
        part = np.divide(followed_kev, energy_kev, out=np.ones_like(energy_kev), where=energy_kev > 0)
        organ_uncertainty = {}
        if scores is not None:
            followed = source.total_decays * tally.regions
            whole = followed + scores @ local_kev.ravel()
            share = np.divide(followed, whole, out=np.ones_like(whole), where=whole > 0)
            organ_uncertainty = dict(zip(organs, (tally.region_relative_uncertainty * share).tolist()))
        return DoseMap(
            dose_mgy=_image(energy_kev * MGY_KG_PER_KEV / voxels.voxel_mass_kg, grid),
            density_g_cm3=voxels.density_g_cm3, engine=f"{self.name} {__version__}",
            relative_uncertainty=_image(tally.relative_uncertainty * part, grid),
            organ_relative_uncertainty=organ_uncertainty, facts=_facts(source, particles, tally))


def _followed(particles: DecaySource, voxels: VoxelGrid, scores: sp.csr_array | None, parameters: MonteCarloParameters,
              progress: Progress | None) -> Tally:
    if not particles.photons and not particles.electrons:
        return _nothing(voxels, scores)
    tables = photon_tables(voxels.materials, min(particles.highest_kev + 1.0, HIGHEST_KEV))
    densities = _typical_densities(voxels)
    stopping = electron_tables(voxels.materials, densities, particles.highest_kev + 1.0)
    return run_particles(particles.photons, particles.electrons, voxels, tables, stopping,
                         StopRule(parameters.histories, parameters.uncertainty_percent), seed=parameters.seed,
                         regions=scores, progress=progress, device=parameters.device,
                         scoring=parameters.scoring)


def _nothing(voxels: VoxelGrid, scores: sp.csr_array | None) -> Tally:
    """The tally of nuclides that emit nothing but alphas."""
    count = 0 if scores is None else scores.shape[0]
    return Tally(np.zeros(voxels.shape), np.zeros(voxels.shape, np.float32), np.zeros(count), np.zeros(count), 0, 0,
                 {"emitted_kev": 0.0, "deposited_kev": 0.0, "leaving_kev": 0.0, "relative_difference": 0.0,
                  "scored_kev": 0.0}, "cpu", "stops")


def _typical_densities(voxels: VoxelGrid) -> tuple[float, ...]:
    """Mean density of each material's voxels, for the density effect on stopping powers; 1 g/cm3 where it has none."""
    count = len(voxels.materials)
    index = voxels.material_index.ravel()
    mass = np.bincount(index, voxels.density_g_cm3.ravel(), minlength=count)
    number = np.bincount(index, minlength=count)
    return tuple(np.where((number > 0) & (mass > 0), mass / np.maximum(number, 1), 1.0).tolist())


def _mean_dose_rows(organ_mass_g: sp.csr_matrix, voxel_mass_kg: np.ndarray) -> sp.csr_array:
    """Rows that turn keV per voxel into something proportional to the mass-weighted mean dose of each organ."""
    return sp.csr_array(organ_mass_g) @ sp.diags_array(1.0 / voxel_mass_kg.ravel())


def _facts(source: ActivityIntegral, particles: DecaySource, tally: Tally) -> dict[str, object]:
    left_out = untransported(source.mixture.emissions, photons_kev=(0.0, HIGHEST_KEV), electrons_kev=_EVERY_KEV,
                             positrons_kev=_EVERY_KEV)
    lines = [source.mixture.assumption, "Electrons and positrons are followed in condensed histories; positrons "
             "annihilate at rest."]
    if particles.local_kev > 0:
        lines.append(f"{particles.local_kev:.4g} keV a decay of alphas, recoils and photons below {LOWEST_KEV:g} keV "
                     "stay in the voxel where they arise.")
    lines += [f"Left out: {part}" for part in left_out if part.kind not in (ALPHA, RECOIL)]
    return {"histories": tally.histories, "batches": tally.batches, "device": tally.device, "scoring": tally.scoring,
            "energy_balance": tally.energy_balance, "local_kev_per_decay": particles.local_kev,
            "decays": source.total_decays, "assumptions": lines}


def _image(values: np.ndarray, grid: DoseGrid) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.CopyInformation(grid.geometry)
    return image
