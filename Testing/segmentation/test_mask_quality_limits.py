"""The limits of the quality control against figures from outside, and on masks that are known to be right."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.mask_finding import Severity
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.variation import vary
from organdose.anatomy.phantoms.voxelise import voxelise
from organdose.segmentation.mask_quality import mask_findings
from organdose.segmentation.quality_amount import reference_span_ml
from organdose.segmentation.quality_limits import limits, of_organ
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct

# ICRP Publication 89, g at 1, 5 and 10 years, by Turner, Atoms, Radiation, and Radiation Protection, table 16.1.
CHILDREN = {10_000: {"liver": 330, "kidneys": 70, "spleen": 29}, 19_000: {"liver": 570, "kidneys": 110, "spleen": 50},
            32_000: {"liver": 830, "kidneys": 180, "spleen": 80}}


def volumes_published():
    return list(limits()["volume"]["published"]["organs"].items())


@pytest.mark.parametrize(("organ", "volumes_ml"), volumes_published())
def test_usual_volumes_hold_those_of_healthy_adults(organ, volumes_ml):
    low_ml, high_ml = reference_span_ml(organ, "")
    assert low_ml <= min(volumes_ml) and max(volumes_ml) <= high_ml


@pytest.mark.parametrize(("organ", "range_hu"), limits()["hounsfield"]["published"]["organs"].items())
def test_usual_hu_hold_those_of_textbooks_without_contrast_medium(organ, range_hu):
    low_hu, high_hu, _ = of_organ(organ, limits()["hounsfield"]["organs"])
    assert low_hu <= range_hu[0] and range_hu[1] <= high_hu


@pytest.mark.parametrize("body_g", CHILDREN)
def test_volumes_of_reference_children_are_usual_for_their_size(body_g):
    size = body_g / np.mean([73_000, 60_000])
    for organ, mass_g in CHILDREN[body_g].items():
        low_ml, high_ml = reference_span_ml(organ, "", size)
        assert low_ml <= mass_g / 1.05 <= high_ml, organ


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize("seed", [0, 3])
def test_no_mask_of_a_generated_patient_is_bad(sex, seed):
    voxels = voxelise(vary(load_phantom(f"adult-{sex}"), seed), (5.0, 5.0, 5.0))
    ct = sitk.GetImageFromArray(np.rint(voxels.hu).astype(np.int16))
    ct.CopyInformation(voxels.reference)
    masks = voxels.masks()
    findings = mask_findings(masks, ct, sex=sex[0].upper(), expected=masks.names)
    assert [f for f in findings if f.severity is Severity.BAD] == []


def test_an_experts_masks_of_a_patient_have_no_finding_worth_a_look(shared_data):
    folder = shared_data / "lu177_patient15_organs"
    study = read_ct(folder / "ct.nii.gz")
    masks = read_masks(folder / "labels.nii.gz", study, labels=folder / "labels.json")
    assert [f for f in mask_findings(masks, study.image, sex="F") if f.severity is not Severity.NOTE] == []


def test_of_61_masks_of_a_network_only_the_torn_pancreas_is_bad(shared_data):
    folder = shared_data / "ts_abdomen_pelvis_3mm"
    study = read_ct(folder / "ct.nii.gz")
    masks = read_masks(folder / "labels.nii.gz", study, labels=folder / "labels.json")
    findings = [f for f in mask_findings(masks, study.image) if f.severity is not Severity.NOTE]
    assert {f.organ for f in findings} == {"pancreas"} and len(masks.names) == 61
