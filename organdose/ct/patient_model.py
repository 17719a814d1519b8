"""From the CT to what the photons meet: HU curve, couch and contrast medium, as the parameters ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.hu_curve import read_hu_curve
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import TissueTable, schneider2000
from organdose.ct.additional_filter import filter_mm
from organdose.ct.engines import EngineParameters
from organdose.ct.iodine_hu import iodine_hu_per_mg_per_ml
from organdose.ct.scanner import scanner_for
from organdose.patient.contrast_medium import ContrastMedium, contrast_voxels
from organdose.patient.couch import couch_of
from organdose.study.ct_study import CTStudy


@dataclass(frozen=True)
class PatientModel:
    """`tissues`, `air`, `contrast` as `dose_grid` takes them; `facts` for the record, `assumptions` for the report."""

    tissues: TissueTable
    air: np.ndarray | None
    contrast: ContrastMedium | None
    facts: dict[str, object]
    assumptions: tuple[str, ...]


def patient_model(study: CTStudy, masks: OrganMasks, parameters: EngineParameters,
                  thresholded_bones: Callable[[], np.ndarray]) -> PatientModel:
    """The patient of a study by the choices of `parameters`; `masks` hold the body.

    `thresholded_bones()` gives bones by thresholds (bool, (z, y, x)); it is asked only where contrast medium is looked
    for. Raises `InputError` for an HU curve that cannot be used.
    """
    tissues = tissue_table(parameters.hu_curve)
    couch = couch_of(study.image, masks.mask("body"), parameters.couch)
    facts = {"hu_to_tissue": tissues.source, "couch": parameters.couch,
             "couch_water_equivalent_mm": round(couch.water_mm, 2)}
    if parameters.hu_curve is not None:
        facts["density_nodes_hu_g_cm3"] = np.column_stack([tissues.node_hu, tissues.node_density_g_cm3]).tolist()
    given, why = contrast_given(study, parameters)
    if not given:
        return PatientModel(tissues, couch.air, None, facts | {"contrast_medium": "none"}, (*couch.lines, *why))
    contrast, line = _contrast(study, masks, parameters, thresholded_bones())
    return PatientModel(tissues, couch.air, contrast, facts | _contrast_facts(study.image, contrast),
                        (*couch.lines, *why, line))


def tissue_table(hu_curve: str | None) -> TissueTable:
    """Schneider's calibration, or that of a curve file. Raises `InputError`."""
    return schneider2000() if hu_curve is None else read_hu_curve(Path(hu_curve))


def contrast_given(study: CTStudy, parameters: EngineParameters) -> tuple[bool, tuple[str, ...]]:
    """Whether iodine is looked for, and what the report has to say about why."""
    if parameters.contrast != "auto":
        return parameters.contrast == "yes", ()
    agent = study.acquisition.contrast_agent
    if agent is None:
        return False, ("Nothing says that contrast medium was given: what is brighter than 120 HU is taken for bone "
                       "(--contrast yes says that it was; for a CT dose also the protocol key contrast_agent).",)
    return agent.value != "none", ()


def _contrast(study: CTStudy, masks: OrganMasks, parameters: EngineParameters,
              bones: np.ndarray) -> tuple[ContrastMedium, str]:
    tube_voltage_kv = study.acquisition.tube_voltage_kv.value
    scanner, _ = scanner_for(parameters.scanner, study.acquisition)
    further_mm = filter_mm(study.acquisition.tube_filter, "tube_filter")
    scale = iodine_hu_per_mg_per_ml(scanner.tube_spectrum(tube_voltage_kv, further_mm))
    contrast = ContrastMedium(contrast_voxels(study.image, masks, bones), scale)
    volume_ml = _volume_ml(study.image, contrast)
    return contrast, (f"Contrast medium: {volume_ml:.0f} ml of enhanced organs and bright vessels are blood with "
                      f"iodine instead of bone, 1 mg/ml for each {scale:.1f} HU above blood at {tube_voltage_kv:g} kV.")


def _contrast_facts(ct: sitk.Image, contrast: ContrastMedium) -> dict[str, object]:
    iodine = contrast.iodine_mg_per_ml(sitk.GetArrayViewFromImage(ct)[contrast.voxels])
    return {"contrast_medium": "iodine", "contrast_medium_ml": round(_volume_ml(ct, contrast), 1),
            "iodine_mean_mg_per_ml": round(float(iodine.mean()), 2) if iodine.size else 0.0,
            "iodine_hu_per_mg_per_ml": round(contrast.hu_per_mg_per_ml, 2),
            "contrast_density_line_g_cm3": list(contrast.density_line_g_cm3)}


def _volume_ml(ct: sitk.Image, contrast: ContrastMedium) -> float:
    return float(np.count_nonzero(contrast.voxels) * np.prod(ct.GetSpacing()) / 1000)


def contrast_image(ct: sitk.Image, contrast: ContrastMedium | None) -> sitk.Image | None:
    """The voxels with contrast medium as an image on the CT's grid (uint8, 0 or 1); None without contrast medium."""
    if contrast is None:
        return None
    image = sitk.GetImageFromArray(contrast.voxels.astype(np.uint8))
    image.CopyInformation(ct)
    return image
