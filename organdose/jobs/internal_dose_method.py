"""How internal doses come about, in sentences with sources: a step each, for time models and engines by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
    "mc": "photons, electrons and positrons of each decay were followed through the patient's own voxels: photons by "
          "photoelectric absorption, Compton scattering with the incoherent scattering function and Rayleigh "
          "scattering (xraylib, Schoonjans et al., Spectrochim Acta B 66 (2011) 776), charged particles in condensed "
          "histories with Bethe's stopping powers (ICRU report 37, 1984).",
    "local": "the energy of electrons, positrons and alphas stays in the voxel where the decay is, over the voxel's "
             "own mass.",
    "vsv": "the decays were convolved with one voxel S-value kernel of soft tissue (MIRD pamphlet 17: Bolch et al., "
           "J Nucl Med 40 (1999) 11S).",
    "msv": "the decays were convolved with voxel S-value kernels of several tissues; the density of the voxel that "
           "receives the dose decides which counts (Lee et al., J Nucl Med 59 (2018) 1133).",
    "mird": "organ-level MIRD: decays in organs times the S-values of a phantom, scaled to the patient's organ masses "
            "(MIRD pamphlet 21: Bolch et al., J Nucl Med 50 (2009) 477). The map shows one dose an organ.",
}


def method(result: InternalDoseResult) -> list[str]:
    """The steps from images to organ doses, those of every engine that ran."""
    study, source = result.study, result.source
    return [
        *_images(result),
        TIME_MODELS.get(source.model, f"Activity over time: {source.model}."),
        *source.notes,
        f"Decays: {source.mixture.parent.name}, energies and yields of ICRP publication 107 (2008). "
        f"{source.mixture.assumption}",
        f"Tissue: Hounsfield units were turned into density and composition ({study.hu_to_tissue.split(';')[0]}) and "
        f"averaged by exact overlap onto {_voxels(result)}, so that mass is kept.",
        *engine_lines(result.dose.engine, result.dose.facts),
        *(line for dose in result.others.values() for line in engine_lines(dose.engine, dose.facts)),
        f"Masks: {study.masks.origin}.",
        "Organ dose is the mass-weighted mean over the organ's part of each dose voxel. The decays of an organ are the "
        "sum over its voxels; the curves show the organ as a whole.",
        "Effective dose: tissue weights of ICRP publication 103 (2007) and the organ doses of this patient, radiation "
        "weight 1.",
    ]


def engine_lines(name: str, facts: Mapping[str, object]) -> list[str]:
    """What an engine does, and what it says of this run. `name` as a dose map has it, with the version."""
    known = engine(name.split()[0])
    does = ENGINES.get(known.name, f"{known.yields}.")
    said = [f"{known.title}: {line}" for line in facts.get("assumptions", ()) if line not in _of_the_decay(facts)]
    return [f"{known.title}: {does}", *said]


def _of_the_decay(facts: Mapping[str, object]) -> tuple[str, ...]:
    """Engines begin with what the decays are, which the method says once for all."""
    return tuple(line for line in facts.get("assumptions", ())[:1] if "progeny" in line)


def _images(result: InternalDoseResult) -> list[str]:
    count = len(result.study.frames)
    images = "One PET or SPECT image was" if count == 1 else f"{count} PET or SPECT images of different times were"
    return [f"{images} read as Bq/ml, taken to the middle of the acquisition by physical decay, and averaged by exact "
            "overlap onto the dose grid, so that activity is kept."]


def _voxels(result: InternalDoseResult) -> str:
    spacing = " x ".join(f"{size:.3g}" for size in result.study.lattice.spacing_mm)
    return f"dose voxels of {spacing} mm"
