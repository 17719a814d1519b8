"""Defects made by hand in the masks of a generated patient: each is found, and nothing else."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.mask_finding import FindingKind, Severity
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxelise import voxelise
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation.mask_quality import mask_findings

SEX = "M"


def ct_of(hu, reference):
    image = sitk.GetImageFromArray(np.rint(hu).astype(np.int16))
    image.CopyInformation(reference)
    return image


@pytest.fixture(scope="module")
def patient():
    """HU (z, y, x), masks by name and the reference image of a whole adult in 5 mm voxels."""
    voxels = voxelise(load_phantom("adult-male"), (5.0, 5.0, 5.0))
    masks = voxels.masks()
    return voxels.hu, masks, voxels.reference


@pytest.fixture(scope="module")
def clean(patient):
    hu, masks, reference = patient
    return mask_findings(masks, ct_of(hu, reference), sex=SEX, expected=masks.names)


@pytest.fixture
def found(patient, clean):
    """Checks the patient with some masks replaced (None: left out) and gives what the clean patient did not have."""
    def check(replaced, hu=None, expected=None):
        own_hu, masks, reference = patient
        changed = OrganMasks(reference, [layer.copy() for layer in masks.layers], dict(masks.segments))
        for name in replaced.keys() & masks.segments.keys():
            layer, value = changed.segments.pop(name)
            changed.layers[layer][changed.layers[layer] == value] = 0
        for name, mask in replaced.items():
            if mask is not None:
                changed.add(name, mask)
        ct = ct_of(own_hu if hu is None else hu, reference)
        findings = mask_findings(changed, ct, sex=SEX, expected=masks.names if expected is None else expected)
        known = {(f.organ, f.kind) for f in clean}
        return [f for f in findings if (f.organ, f.kind) not in known]
    return check


def kinds(findings):
    return {(f.organ, f.kind.value) for f in findings}


@pytest.mark.parametrize("sex", ["male", "female"])
def test_a_clean_patient_has_no_bad_finding(sex):
    voxels = voxelise(load_phantom(f"adult-{sex}"), (5.0, 5.0, 5.0))
    masks = voxels.masks()
    findings = mask_findings(masks, ct_of(voxels.hu, voxels.reference), sex=sex[0].upper(), expected=masks.names)
    assert [f.line for f in findings if f.severity is Severity.BAD] == []


def test_a_missing_organ_between_others_is_bad(found):
    findings = found({"liver": None})
    assert kinds(findings) == {("liver", "missing")}
    assert findings[0].severity is Severity.BAD


def test_an_empty_mask_is_bad(found, patient):
    findings = found({"heart": np.zeros(patient[1].shape, bool)})
    assert kinds(findings) == {("heart", "empty")} and findings[0].severity is Severity.BAD


def test_a_vertebra_between_others_is_missed_even_when_nobody_asked_for_it(found):
    findings = found({"vertebrae_T9": None}, expected=())
    assert kinds(findings) == {("vertebrae_T9", "missing")} and findings[0].severity is Severity.BAD


def test_one_kidney_alone_is_for_a_look(found):
    findings = found({"kidney_left": None}, expected=())
    assert kinds(findings) == {("kidney_left", "missing")} and findings[0].severity is Severity.CHECK


def test_an_organ_that_lies_outside_the_image_is_not_missed(patient):
    hu, masks, reference = patient
    legs = slice(0, 70)  # up to 45 cm below the trunk's base
    image = ct_of(hu, reference)[:, :, legs]
    cut = OrganMasks(image, [layer[legs] for layer in masks.layers], {
        name: at for name, at in masks.segments.items() if name in ("body", "tibia")})
    assert "missing" not in {f.kind for f in mask_findings(cut, image, expected=("liver", "tibia"))
                             if f.severity is Severity.BAD}


def test_swapped_kidneys_are_found(found, patient):
    masks = patient[1]
    findings = found({"kidney_left": masks.mask("kidney_right"), "kidney_right": masks.mask("kidney_left")})
    assert kinds(findings) == {("kidney_left", "wrong side"), ("kidney_right", "wrong side")}
    assert all(f.severity is Severity.BAD for f in findings)


def test_a_mirrored_image_is_found(patient):
    hu, masks, reference = patient
    mirrored = OrganMasks(reference, [layer[:, :, ::-1] for layer in masks.layers], masks.segments)
    wrong = {f.organ for f in mask_findings(mirrored, ct_of(hu[:, :, ::-1], reference), sex=SEX)
             if f.kind is FindingKind.SIDE}
    assert {"liver", "spleen", "lung_left", "lung_right", "femur_left"} <= wrong


def test_both_lungs_on_one_side_are_found(found, patient):
    masks = patient[1]
    upper = masks.mask("lung_left").copy()
    lower = upper.copy()
    middle = np.flatnonzero(upper.any(axis=(1, 2)))[24]
    upper[:middle], lower[middle:] = False, False
    findings = found({"lung_left": upper, "lung_right": lower})
    assert "lung_right" in {f.organ for f in findings if f.kind is FindingKind.SIDE and f.severity is Severity.BAD}


def test_a_hole_is_found_where_it_is(found, patient):
    masks = patient[1]
    liver = masks.mask("liver").copy()
    core = ndimage.binary_erosion(liver, iterations=5)
    k, j, i = np.argwhere(core)[len(np.argwhere(core)) // 2]
    liver[k - 2:k + 3, j - 2:j + 3, i - 2:i + 3] = False
    finding, = found({"liver": liver})
    assert (finding.organ, finding.kind) == ("liver", FindingKind.HOLES)
    assert "15.6 ml" in finding.reason  # 125 voxels of 0.125 ml
    centre_mm = patient[2].TransformIndexToPhysicalPoint([int(i), int(j), int(k)])
    assert finding.place_mm == pytest.approx(centre_mm, abs=6)


def test_a_few_pinholes_are_no_finding_and_many_are(found, patient):
    liver = patient[1].mask("liver")
    core = np.argwhere(ndimage.binary_erosion(liver, iterations=2))
    core = core[(core % 2 == 0).all(axis=1)]
    few, many = liver.copy(), liver.copy()
    few[tuple(core[::len(core) // 8].T)] = False
    many[tuple(core.T)] = False
    assert found({"liver": few}) == []
    assert kinds(found({"liver": many})) == {("liver", "holes")}


def test_a_hole_that_a_tumour_fills_is_none(found, patient):
    liver = patient[1].mask("liver").copy()
    k, j, i = np.argwhere(ndimage.binary_erosion(liver, iterations=5))[0]
    tumour = np.zeros_like(liver)
    tumour[k - 2:k + 3, j - 2:j + 3, i - 2:i + 3] = True
    assert found({"liver": liver & ~tumour, "tumour_1": tumour}) == []


def test_an_organ_cut_flat_inside_the_image_is_found(found, patient):
    liver = patient[1].mask("liver").copy()
    last = np.flatnonzero(liver.any(axis=(1, 2)))[-1]
    liver[last - 8:] = False
    findings = found({"liver": liver})
    assert kinds(findings) == {("liver", "cut flat")} and findings[0].severity is Severity.BAD


def test_a_scan_that_ends_inside_the_liver_is_noted(patient):
    hu, masks, reference = patient
    z0, spacing = reference.GetOrigin()[2], reference.GetSpacing()[2]
    ends = slice(round((350 - z0) / spacing), round((700 - z0) / spacing))
    image = ct_of(hu, reference)[:, :, ends]
    cut = OrganMasks(image, [layer[ends] for layer in masks.layers], {
        name: masks.segments[name] for name in ("body", "liver", "heart", "lung_left", "lung_right")})
    findings = [f for f in mask_findings(cut, image, sex=SEX) if f.organ == "liver"]
    assert [(f.kind, f.severity) for f in findings] == [(FindingKind.IMAGE_BORDER, Severity.NOTE)]
    assert "first slice" in findings[0].reason


def test_a_body_outside_the_reconstruction_circle_is_found():
    y, x = np.mgrid[:60, :60]
    radius = np.hypot(y - 29.5, x - 29.5)
    inside = np.abs(y - 29.5) < 12
    plane = np.where(radius > 31, -1024, np.where(inside, 40, -1000))
    reference = sitk.GetImageFromArray(np.zeros((20, 60, 60), np.uint8))
    reference.SetSpacing((8.0, 8.0, 8.0))
    masks = OrganMasks(reference)
    masks.add("body", np.broadcast_to(inside & (radius < 30), (20, 60, 60)).copy())
    ct = ct_of(np.broadcast_to(plane, (20, 60, 60)), reference)
    assert ("body", "image border") in kinds(mask_findings(masks, ct))


def test_an_island_is_found_where_it_is(found, patient):
    spleen = patient[1].mask("spleen").copy()
    taken = patient[1].union([name for name in patient[1].names if name != "body"])
    free = ndimage.binary_erosion(patient[1].mask("body") & ~ndimage.binary_dilation(taken, iterations=2), iterations=2)
    k, j, i = (int(at) for at in np.argwhere(free)[0])
    spleen[k:k + 2, j:j + 2, i:i + 2] = True
    finding, = found({"spleen": spleen})
    assert (finding.organ, finding.kind) == ("spleen", FindingKind.SEVERAL_PARTS)
    assert "1.0 ml" in finding.reason  # 8 voxels of 0.125 ml
    assert finding.place_mm == pytest.approx(patient[2].TransformIndexToPhysicalPoint((i, j, k)), abs=6)


def test_a_volume_far_from_the_reference_is_found(found, patient):
    hu, masks, _ = patient
    kidney = masks.mask("kidney_left")
    taken = masks.union([name for name in masks.names if name not in ("body", "kidney_left")])
    larger = ndimage.binary_dilation(kidney, iterations=20, mask=~taken & masks.mask("body"))
    grown = kidney.copy()
    for _ in range(20):
        if np.count_nonzero(grown) >= 2 * np.count_nonzero(kidney):
            break
        grown = ndimage.binary_dilation(grown, mask=larger | kidney)
    same_hu = hu.copy()
    same_hu[grown] = hu[kidney].mean()
    findings = found({"kidney_left": grown}, hu=same_hu)
    assert kinds(findings) == {("kidney_left", "volume")}


def test_the_reference_follows_the_size_of_a_body_shown_whole(patient):
    """The same patient on a grid of half the size has an eighth of the mass: his organs are not too small."""
    hu, masks, reference = patient
    small = sitk.Image(reference)
    small.SetSpacing([0.5 * spacing for spacing in reference.GetSpacing()])
    around = sitk.ConstantPad(ct_of(hu, small), (1, 1, 1), (1, 1, 1), -1000)
    child = OrganMasks(around, [np.pad(layer, 1) for layer in masks.layers],
                       {name: masks.segments[name] for name in ("body", "liver", "kidney_left")})
    assert "volume" not in {f.kind for f in mask_findings(child, around, sex=SEX)}
    unsized = mask_findings(child.kept(["liver"]), around, sex=SEX)
    assert [f.severity for f in unsized if f.kind is FindingKind.VOLUME] == [Severity.BAD]


def test_an_overlap_names_both_organs(found, patient):
    masks = patient[1]
    lung = masks.mask("lung_left")
    into_heart = ndimage.binary_dilation(lung, iterations=3) & masks.mask("heart")
    finding, = found({"lung_left": lung | into_heart})
    assert (finding.organ, finding.kind) == ("heart", FindingKind.OVERLAP)
    assert "Left lung" in finding.reason and f"{0.125 * np.count_nonzero(into_heart):.1f} ml" in finding.reason


def test_a_tumour_may_lie_in_the_liver_and_a_group_over_its_members(found, patient):
    masks = patient[1]
    tumour = ndimage.binary_erosion(masks.mask("liver"), iterations=6)
    assert found({"tumour_1": tumour, "lungs": masks.union(["lung_left", "lung_right"])}) == []


def test_wrong_hounsfield_units_are_found(found, patient):
    hu = patient[0].copy()
    hu[patient[1].mask("spleen")] = -90
    findings = found({}, hu=hu)
    assert kinds(findings) == {("spleen", "Hounsfield units")} and "-90 HU" in findings[0].reason


def test_contrast_medium_in_the_blood_widens_the_range(found, patient):
    hu, masks, _ = patient
    bright = hu.copy()
    bright[masks.mask("spleen")] = 150
    assert kinds(found({}, hu=bright)) == {("spleen", "Hounsfield units")}
    bright[masks.mask("aorta")] = 250
    assert found({}, hu=bright) == []


def test_of_a_structure_that_nobody_knows_nothing_is_bad(found, patient):
    masks = patient[1]
    target = ndimage.binary_dilation(masks.mask("kidney_left"), iterations=2) | masks.mask("kidney_right")
    findings = found({"lung_left_target": target})
    assert kinds(findings) == {("lung_left_target", "several parts")} and findings[0].severity is Severity.NOTE


def test_masks_of_another_ct_are_refused(patient):
    hu, masks, reference = patient
    with pytest.raises(InputError, match="Use masks drawn on this CT"):
        mask_findings(masks, ct_of(hu, reference)[:, :, :-1])


def test_checking_can_be_cancelled(patient):
    hu, masks, reference = patient
    progress = Progress(lambda report: progress.cancel())
    with pytest.raises(Cancelled):
        mask_findings(masks, ct_of(hu, reference), progress=progress)
