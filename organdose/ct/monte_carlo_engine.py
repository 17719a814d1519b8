"""CT dose by photon Monte Carlo in the patient's own voxels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk
from pydantic import Field

from organdose import __version__
from organdose.ct.calibrated_source import calibrated_source, xray_source
from organdose.ct.engines import PATIENT, EngineParameters
from organdose.ct.exposure import Exposure, exposure_of
from organdose.ct.run_facts import run_facts, spread_facts
from organdose.ct.scan_extension import Extension, beam_range_mm, extension_for, extension_lines
from organdose.ct.scanner import scanner_for
from organdose.ct.scanner_definition import Scanner
from organdose.ct.start_angles import StartAngleSpread, run_at_start_angles, sampled_angles_rad
from organdose.ct.xray_source import XRaySource
from organdose.dose_map import MGY_KG_PER_KEV, DoseMap
from organdose.errors import InputError
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, Tally, run_photons
from organdose.transport.processors import cuda_device_name
from organdose.transport.voxel_grid import VoxelGrid

_TUBE, _ADVANCED = {"group": "Tube and scan"}, {"group": "Advanced"}


class MonteCarloParameters(EngineParameters):
    histories: int = Field(10_000_000, ge=1000, le=10**12, title="Photons at most",
                           description="photons to follow at most")
    uncertainty_percent: float | None = Field(
        None, gt=0, le=100, title="Organ uncertainty (%)",
        description="stop earlier once every organ's mean dose is known to this many percent")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", title="Device", description="processor to compute on")
    scenario: Literal["as_scanned", "fixed_ma"] = Field(
        "as_scanned", title="Tube current",
        json_schema_extra=_TUBE | {"words": {"as_scanned": "as scanned", "fixed_ma": "fixed mA"}},
        description="dose of the scan as it was, or as if the tube current had been the same in every slice")
    fixed_ma: float = Field(100.0, gt=0, le=2000, title="Fixed current (mA)",
                            json_schema_extra=_TUBE | {"counts_when": {"scenario": "fixed_ma"}},
                            description="tube current of every slice where it is fixed")
    start_angle: Literal["averaged", "sampled", "fixed"] = Field(
        "averaged", title="Start angle", json_schema_extra=_TUBE,
        description="gantry angle at the start, which headers do not tell: averaged over; sampled, so that its spread "
                    "enters the uncertainty; or the one given below")
    start_angles: int = Field(8, ge=2, le=32, title="Sampled angles",
                              json_schema_extra=_TUBE | {"counts_when": {"start_angle": "sampled"}},
                              description="how many start angles share the photons where they are sampled")
    start_angle_deg: float = Field(0.0, ge=-360, le=360, title="Start angle (degrees)",
                                   json_schema_extra=_TUBE | {"counts_when": {"start_angle": "fixed"}},
                                   description="for a fixed start angle: 0 above a supine patient, 90 at his left side")
    extend: Literal["repeat", "none"] = Field(
        "repeat", title="Beyond the image", json_schema_extra=PATIENT,
        description="tissue that the scan irradiates outside the image: repeat the end slices, or none")
    seed: int = Field(1, ge=0, lt=2**63, title="Seed", json_schema_extra=_ADVANCED,
                      description="the same seed gives the same dose map")
    scoring: Literal["auto", "stops", "tracks"] = Field(
        "auto", title="Scoring", json_schema_extra=_ADVANCED,
        description="where photons leave their energy: at random stops (more photons a second), along tracks (less "
                    "noise in a voxel), or by the voxel size")
    doppler: bool = Field(False, title="Doppler broadening", json_schema_extra=_ADVANCED,
                          description="photons scatter off electrons that move, instead of electrons at rest")


class MonteCarloEngine:
    name = "mc"
    title = "Monte Carlo"
    needs = "a CT in HU, tube voltage, collimation, and CTDIvol (or exposure and a scanner with CTDIvol per mAs)"
    yields = "absorbed dose in mGy with a statistical uncertainty for each voxel and organ"
    parameters = MonteCarloParameters

    def check(self, study: CTStudy, parameters: MonteCarloParameters) -> None:
        """See `CTDoseEngine.check`."""
        self._prepared(study, parameters)

    def exposure(self, study: CTStudy, parameters: MonteCarloParameters) -> Exposure:
        """See `CTDoseEngine.exposure`."""
        return self._prepared(study, parameters)[1]

    def _prepared(self, study: CTStudy, parameters: MonteCarloParameters) -> tuple[Scanner, Exposure, XRaySource]:
        if parameters.device == "cuda" and cuda_device_name() is None:
            raise InputError("no NVIDIA GPU that numba can use was found", mend="Use --device auto or cpu.")
        scanner, lines = scanner_for(parameters.scanner, study.acquisition)
        exposure = exposure_of(study, scanner,
                               fixed_ma=parameters.fixed_ma if parameters.scenario == "fixed_ma" else None)
        exposure = replace(exposure, assumptions=(*lines, *exposure.assumptions))
        return scanner, exposure, xray_source(scanner, exposure)

    def run(self, study: CTStudy, grid: DoseGrid, parameters: MonteCarloParameters, *, organs: tuple[str, ...] = (),
            organ_mass_g: sp.csr_matrix | None = None, progress: Progress | None = None) -> DoseMap:
        """See `CTDoseEngine.run`."""
        scanner, exposure, _ = self._prepared(study, parameters)
        tubes = calibrated_source(scanner, exposure, progress=progress)
        wanted = extension_for(grid, exposure.path.z_mm, exposure.total_collimation_mm)
        extension = Extension() if parameters.extend == "none" else wanted
        voxels = extension.extended(grid.voxels)
        voxel_mass_kg = extension.cropped(voxels.voxel_mass_kg)
        scores = _organ_scores(organ_mass_g, voxel_mass_kg)
        regions = None if scores is None else extension.widened(scores, voxel_mass_kg[0].size)
        tally, spread, angle_lines = _simulated(tubes.source, exposure, voxels, regions, parameters, progress)
        photons = exposure.dlp_mgy_mm / tubes.calibration.weighted_mgy_mm
        dose_mgy = extension.cropped(tally.energy_kev) * (MGY_KG_PER_KEV * photons) / voxel_mass_kg
        organ_uncertainty = np.hypot(tally.region_relative_uncertainty, tubes.calibration.relative_uncertainty)
        lines = [*exposure.assumptions, *angle_lines, *extension_lines(wanted, extension, voxels.spacing_mm[2])]
        return DoseMap(
            dose_mgy=_image(dose_mgy, grid), density_g_cm3=extension.cropped(voxels.density_g_cm3),
            engine=f"{self.name} {__version__}",
            relative_uncertainty=_image(extension.cropped(tally.relative_uncertainty), grid),
            organ_relative_uncertainty=dict(zip(organs, organ_uncertainty.tolist())),
            facts=run_facts(scanner, exposure, tubes, tally, photons) | spread_facts(spread, organs) | {
                "beam_range_mm": list(beam_range_mm(exposure.path.z_mm, exposure.total_collimation_mm)),
                "assumptions": lines})


def _simulated(source: XRaySource, exposure: Exposure, voxels: VoxelGrid, regions: sp.csr_array | None,
               parameters: MonteCarloParameters, progress: Progress | None
               ) -> tuple[Tally, StartAngleSpread | None, list[str]]:
    """The tally, the spread between start angles where they were sampled, and what the report says of the angle."""
    tables = photon_tables(voxels.materials, source.highest_kev + 1.0, doppler=parameters.doppler)
    stop = StopRule(parameters.histories, parameters.uncertainty_percent)

    def run(turned: XRaySource, stop: StopRule, seed: int, stage: str) -> Tally:
        return run_photons(turned, voxels, tables, stop, seed=seed, regions=regions, progress=progress, stage=stage,
                           device=parameters.device, scoring=parameters.scoring)

    if exposure.depends_on_start_angle and parameters.start_angle == "sampled":
        angles_rad = sampled_angles_rad(parameters.start_angles, parameters.seed)
        tally, spread = run_at_start_angles(run, source, stop, angles_rad, parameters.seed)
        return tally, spread, [start_angle_line(exposure, parameters)]
    if exposure.depends_on_start_angle and parameters.start_angle == "fixed":
        start_rad = math.radians(parameters.start_angle_deg)
        source = replace(source, path=replace(source.path, start_angle_rad=start_rad))
    return run(source, stop, parameters.seed, "Monte Carlo"), None, [start_angle_line(exposure, parameters)]


def start_angle_line(exposure: Exposure, parameters: MonteCarloParameters) -> str:
    """How the report names the treatment of the start angle."""
    if exposure.scan_kind == "localiser":
        return "Start angle: the tube of a localiser stands still."
    if not exposure.depends_on_start_angle:
        known = exposure.path.start_angle_rad is not None
        return ("Start angle: the acquisition facts give it." if known else
                "Start angle: whole rotations at one place, where it does not matter.")
    return {"averaged": "Start angle: not known, dose is averaged over it.",
            "sampled": f"Start angle: not known; {parameters.start_angles} equally spaced ones were run. The dose is "
                       "their mean, and their spread beyond statistics is part of the uncertainties.",
            "fixed": f"Start angle: {parameters.start_angle_deg:g} degrees at the foot end of the beam's path."
            }[parameters.start_angle]


def _organ_scores(organ_mass_g: sp.csr_matrix | None, voxel_mass_kg: np.ndarray) -> sp.csr_array | None:
    """Rows that turn keV per voxel into something proportional to the mass-weighted mean dose of each organ."""
    if organ_mass_g is None:
        return None
    return sp.csr_array(organ_mass_g) @ sp.diags_array(1.0 / voxel_mass_kg.ravel())


def _image(values: np.ndarray, grid: DoseGrid) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.CopyInformation(grid.geometry)
    return image
