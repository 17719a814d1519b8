"""F-18 FDG in the stylised adults beside the organ doses of ICRP publication 128.

ICRP computed them with the adult of Cristy and Eckerman (1987), which ours is but for neck and oesophagus, by absorbed
fractions of photons and with electrons that stay in their organ. The published figures have two digits, so that up to
5 % are rounding; the tolerance leaves 10 % for two phantoms and two methods.
"""

from __future__ import annotations

from collections.abc import Mapping

from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxel_phantom_stylised import stylised_voxel_phantom
from organdose.nuclear.biokinetics import biokinetics
from organdose.nuclear.organ_level import OrganLevelDose, organ_level_dose
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.s_values import s_values
from organdose.progress import Progress
from organdose.validation.comparison import Comparison, reference_table

HISTORIES = 1_000_000
TOLERANCE_PERCENT = 15.0
# Our phantom has the slender neck of the 1996 revision; ICRP's thyroid lies in a head as wide as a trunk is deep.
WIDER_PERCENT = {"Thyroid": 35.0}
VOXEL_MM = 3.0

# ICRP's organ, our target. ICRP's one adult has breasts and the organs of both sexes, which our male lacks; its skin is
# no part of its own.
TARGETS = {
    "Adrenals": "adrenal_glands", "Bladder": "urinary_bladder", "Bone surfaces": "bones", "Brain": "brain",
    "Gallbladder": "gallbladder", "Stomach": "stomach", "Small intestine": "small_intestine", "Colon": "colon",
    "Heart": "heart_myocardium", "Kidneys": "kidneys", "Liver": "liver", "Lungs": "lungs", "Muscles": "soft_tissue",
    "Oesophagus": "esophagus", "Pancreas": "pancreas", "Red marrow": "red_bone_marrow", "Spleen": "spleen",
    "Testes": "testes", "Thymus": "thymus", "Thyroid": "thyroid_gland",
}


def fdg(histories: int | None = None, progress: Progress | None = None) -> list[Comparison]:
    """Doses per administered activity (mGy/MBq) to the organs of the male; `histories` are photons a source."""
    published = reference_table("organ_risk_data")["fdg_icrp128_adult"]["mGy_per_MBq"]
    return fdg_rows(fdg_dose("adult-male", histories or HISTORIES, progress), published)


def fdg_dose(phantom: str, histories: int, progress: Progress | None = None) -> OrganLevelDose:
    """Doses from 1 MBq in a stylised adult."""
    model = biokinetics("fdg_icrp128")
    voxels = stylised_voxel_phantom(load_phantom(phantom), VOXEL_MM, progress=progress)
    targets = [name for name in (*TARGETS.values(), "body") if name in voxels.regions]
    values = s_values(voxels, with_progeny(model.nuclide), [*model.tiac_h], targets=targets, histories=histories,
                      progress=progress)
    return organ_level_dose(values, model.decays(1e6), administered_bq=1e6, notes=(model.source,))


def fdg_rows(dose: OrganLevelDose, published: Mapping[str, float]) -> list[Comparison]:
    ours, uncertainty = dose.mgy_per_mbq, dict(zip(dose.targets, dose.relative_uncertainty.tolist()))
    return [Comparison(name, ours[target], uncertainty[target], {"ICRP 128": published[name]}, published[name],
                       WIDER_PERCENT.get(name, TOLERANCE_PERCENT))
            for name, target in TARGETS.items() if name in published]
