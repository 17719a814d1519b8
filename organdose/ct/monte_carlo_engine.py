"""CT dose by photon Monte Carlo in the patient's own voxels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk
from pydantic import Field

from organdose import __version__
from organdose.ct.ctdi import MGY_KG_PER_KEV, CTDICalibration, calibrated
from organdose.ct.dose_grid import DoseGrid
from organdose.ct.engines import EngineParameters
from organdose.ct.exposure import Exposure, exposure_of
from organdose.ct.scan_extension import Extension, beam_range_mm, extension_for, extension_lines
from organdose.ct.scanner import Scanner, load_scanner
from organdose.ct.xray_source import XRaySource
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, Tally, run_photons


class MonteCarloParameters(EngineParameters):
    histories: int = Field(10_000_000, ge=1000, le=10**12, title="Photons at most",
                           description="photons to follow at most")
    uncertainty_percent: float | None = Field(
        None, gt=0, le=100, title="Organ uncertainty (%)",
        description="stop earlier once every organ's mean dose is known to this many percent")
    seed: int = Field(1, ge=0, lt=2**63, title="Seed", description="the same seed gives the same dose map")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", title="Device", description="processor to compute on")
    extend: Literal["repeat", "none"] = Field(
        "repeat", title="Beyond the image",
        description="tissue that the scan irradiates outside the image: repeat the end slices, or none")


class MonteCarloEngine:
    name = "mc"
    title = "Monte Carlo"
    needs = "a CT in HU, tube voltage, collimation, and CTDIvol (or exposure and a scanner with CTDIvol per mAs)"
    yields = "absorbed dose in mGy with a statistical uncertainty for each voxel and organ"
    parameters = MonteCarloParameters

    def check(self, study: CTStudy, parameters: MonteCarloParameters) -> None:
        """See `CTDoseEngine.check`."""
        self._prepared(study, parameters)

    def _prepared(self, study: CTStudy, parameters: MonteCarloParameters) -> tuple[Scanner, Exposure, XRaySource]:
        if parameters.device == "cuda":
            raise InputError("this version computes on the CPU only", mend="Use --device auto or cpu.")
        scanner = load_scanner(parameters.scanner)
        exposure = exposure_of(study, scanner)
        return scanner, exposure, xray_source(scanner, exposure)

    def run(self, study: CTStudy, grid: DoseGrid, parameters: MonteCarloParameters, *, organs: tuple[str, ...] = (),
            organ_mass_g: sp.csr_matrix | None = None, progress: Progress | None = None) -> DoseMap:
        """See `CTDoseEngine.run`."""
        scanner, exposure, source = self._prepared(study, parameters)
        calibration = calibrated(source, exposure.phantom_cm, progress=progress)
        extension = (Extension() if parameters.extend == "none" else
                     extension_for(grid, exposure.path.z_mm, exposure.total_collimation_mm))
        voxels = extension.extended(grid.voxels)
        voxel_mass_kg = extension.cropped(voxels.voxel_mass_kg)
        scores = _organ_scores(organ_mass_g, voxel_mass_kg)
        tally = run_photons(source, voxels, photon_tables(voxels.materials, source.highest_kev + 1.0),
                            StopRule(parameters.histories, parameters.uncertainty_percent), seed=parameters.seed,
                            regions=None if scores is None else extension.widened(scores, voxel_mass_kg[0].size),
                            progress=progress)
        photons = exposure.dlp_mgy_mm / calibration.weighted_mgy_mm
        dose_mgy = extension.cropped(tally.energy_kev) * (MGY_KG_PER_KEV * photons) / voxel_mass_kg
        organ_uncertainty = np.hypot(tally.region_relative_uncertainty, calibration.relative_uncertainty)
        return DoseMap(
            dose_mgy=_image(dose_mgy, grid), density_g_cm3=extension.cropped(voxels.density_g_cm3),
            engine=f"{self.name} {__version__}",
            relative_uncertainty=_image(extension.cropped(tally.relative_uncertainty), grid),
            organ_relative_uncertainty=dict(zip(organs, organ_uncertainty.tolist())),
            facts=_facts(scanner, exposure, calibration, tally, photons, source) | {
                "beam_range_mm": list(beam_range_mm(exposure.path.z_mm, exposure.total_collimation_mm)),
                "assumptions": [*exposure.assumptions, *extension_lines(extension, voxels.spacing_mm[2])]})


def xray_source(scanner: Scanner, exposure: Exposure) -> XRaySource:
    """The scanner's tube on the path of this exposure."""
    return XRaySource(
        spectrum=scanner.tube_spectrum(exposure.tube_voltage_kv), path=exposure.path,
        focus_isocentre_mm=exposure.focus_isocentre_mm, fan_half_angle_rad=scanner.fan_half_angle_rad,
        total_collimation_mm=exposure.total_collimation_mm, isocentre_mm=exposure.isocentre_mm,
        bowtie=scanner.bowtie(exposure.bowtie_kind))


def _organ_scores(organ_mass_g: sp.csr_matrix | None, voxel_mass_kg: np.ndarray) -> sp.csr_array | None:
    """Rows that turn keV per voxel into something proportional to the mass-weighted mean dose of each organ."""
    if organ_mass_g is None:
        return None
    return sp.csr_array(organ_mass_g) @ sp.diags_array(1.0 / voxel_mass_kg.ravel())


def _image(values: np.ndarray, grid: DoseGrid) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.CopyInformation(grid.geometry)
    return image


def _facts(scanner: Scanner, exposure: Exposure, calibration: CTDICalibration, tally: Tally, photons: float,
           source: XRaySource) -> dict[str, object]:
    return {
        "scanner": f"{scanner.title} ({scanner.name}): {scanner.source}",
        "tube_voltage_kv": exposure.tube_voltage_kv,
        "spectrum_mean_kev": round(source.spectrum.mean_kev, 2),
        "total_collimation_mm": exposure.total_collimation_mm,
        "focus_isocentre_mm": exposure.focus_isocentre_mm,
        "isocentre_mm": [round(v, 1) for v in exposure.isocentre_mm],
        "bowtie": exposure.bowtie_kind,
        "ctdi_phantom_cm": exposure.phantom_cm,
        "ctdivol_mean_mgy": round(float(np.mean(exposure.ctdivol_mgy)), 4),
        "dlp_mgy_cm": round(exposure.dlp_mgy_mm / 10, 2),
        "photons_behind_filters": photons,
        "calibration_mgy_cm_per_photon": calibration.weighted_mgy_mm / 10,
        "calibration_centre_to_periphery": round(calibration.centre_mgy_mm / calibration.periphery_mgy_mm, 4),
        "calibration_uncertainty_percent": round(100 * calibration.relative_uncertainty, 3),
        "histories": tally.histories,
        "batches": tally.batches,
        "assumptions": list(exposure.assumptions),
    }
