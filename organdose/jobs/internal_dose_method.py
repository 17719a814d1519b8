"""How internal doses come about, in sentences with sources: a step each, for time models and engines by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organdose.dose_map import DoseMap
from organdose.nuclear.engines import engine

if TYPE_CHECKING:
    from organdose.jobs.internal_dose_job import InternalDoseResult

TIME_MODELS = {
    "physical": "Activity over time: only the physical decay of the nuclide, before and after the scan; nothing is "
                "taken up or excreted after administration.",
    "mono": "Activity over time: one exponential from administration on, fitted to the time points of each voxel and "
            "of each organ, never slower than physical decay.",
    "bi": "Activity over time: two exponentials from administration on, fitted by variable projection (Kaufman, BIT 15 "
          "(1975) 49) to the time points of each voxel and each organ, never slower than physical decay. Where the "
          "points do not determine two phases, one is fitted.",
    "trapezoid": "Activity over time: straight lines between the time points of each voxel and each organ, and a "
                 "decaying tail behind the last.",
    "single": "Activity over time: from one time point (Hänscheid et al., J Nucl Med 59 (2018) 75, or with the "
              "half-life of a population, Madsen et al., Med Phys 45 (2018) 2318).",
}
ENGINES = {
    "mc": "Photons, electrons and positrons of each decay were followed through the patient's own voxels: photons by "
          "photoelectric absorption, Compton scattering with the incoherent scattering function and Rayleigh "
          "scattering (xraylib, Schoonjans et al., Spectrochim Acta B 66 (2011) 776), charged particles in condensed "
          "histories with Bethe's stopping powers (ICRU report 37, 1984).",
    "local": "The energy of electrons, positrons and alphas stays in the voxel where the decay is, over the voxel's "
             "own mass.",
    "vsv": "The decays were convolved with one voxel S-value kernel of soft tissue (MIRD pamphlet 17: Bolch et al., "
           "J Nucl Med 40 (1999) 11S).",
    "msv": "The decays were convolved with voxel S-value kernels of several tissues; the density of the voxel that "
           "receives the dose decides which counts (Lee et al., J Nucl Med 59 (2018) 1133).",
    "mird": "Decays in organs times the S-values of a phantom, scaled to the patient's organ masses "
            "(MIRD pamphlet 21: Bolch et al., J Nucl Med 50 (2009) 477). The map shows one dose an organ.",
}


def method(result: InternalDoseResult) -> list[str]:
    """The steps from images to organ doses but for the engines' own."""
    study, source = result.study, result.source
    return [
        *_images(result),
        *(f"{note[0].upper()}{note[1:]}." for note in study.alignment.notes),
        TIME_MODELS.get(source.model, f"Activity over time: {source.model}."),
        *source.notes,
        f"Decays: {source.mixture.parent.name}, energies and yields of ICRP publication 107 (2008). "
        f"{source.mixture.assumption}",
        f"Tissue: Hounsfield units were turned into density and composition ({study.hu_to_tissue.split(';')[0]}) and "
        f"averaged by exact overlap onto {_voxels(result)}, so that mass is kept.",
        f"Masks: {study.masks.origin}.",
        "Organ dose is the mass-weighted mean over the organ's part of each dose voxel. The decays of an organ are the "
        "sum over its voxels; the curves show the organ as a whole.",
        "Effective dose: tissue weights of ICRP publication 103 (2007) and the organ doses of this patient, radiation "
        "weight 1.",
    ]


def engine_methods(result: InternalDoseResult) -> dict[str, list[str]]:
    """What each engine does and says of this run, by its title, the chosen one first."""
    return {known.title: [ENGINES.get(known.name, f"{known.yields}."), *_said(dose, result.source.mixture.assumption)]
            for dose in (result.dose, *result.others.values()) for known in (engine(dose.engine.split()[0]),)}


def _said(dose: DoseMap, of_the_decay: str) -> list[str]:
    """The engine's own lines as sentences; what the decays are stands elsewhere once for all."""
    lines = [line.strip() for line in dose.facts.get("assumptions", ()) if line.strip() not in ("", of_the_decay)]
    return [line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) else ".") for line in lines]


def _images(result: InternalDoseResult) -> list[str]:
    count = len(result.study.frames)
    images = "One PET or SPECT image was" if count == 1 else f"{count} PET or SPECT images of different times were"
    return [f"{images} read as Bq/ml, taken to the middle of the acquisition by physical decay, and averaged by exact "
            "overlap onto the dose grid, so that activity is kept."]


def _voxels(result: InternalDoseResult) -> str:
    spacing = " x ".join(f"{size:.3g}" for size in result.study.lattice.spacing_mm)
    return f"dose voxels of {spacing} mm"
