import json
from collections import Counter

import pytest
from pydicom.sr._concepts_dict import concepts

from organdose.anatomy.organs import CATEGORY_CODES, describe, expand, organ, organs, tissue_weights
from organdose.errors import InputError
from organdose.resources import resource_path

# Rows whose name in the mass table differs from the vocabulary.
MASS_TABLE_NAMES = {
    "Adrenals": "adrenal_glands", "Brain": "brain", "Breasts": "breast", "Esophagus": "esophagus", "Eyes": "eyes",
    "Gallbladder": "gallbladder", "Small Intestine": "small_intestine", "Stomach": "stomach",
    "Heart": "heart_myocardium", "Heart Contents": "heart_contents", "Kidneys": "kidneys", "Liver": "liver",
    "Lungs": "lungs", "Ovaries": "ovaries", "Pancreas": "pancreas", "Prostate": "prostate", "Rectum": "rectum",
    "Salivary Glands": "salivary_glands", "Red Marrow": "red_bone_marrow", "Spleen": "spleen", "Testes": "testes",
    "Thymus": "thymus", "Thyroid": "thyroid_gland", "Bladder": "urinary_bladder", "Uterus": "uterus", "Body": "body",
}


def leaves_and_cycles(name, trail=()):
    assert name not in trail, f"{name} is a member of itself: {trail}"
    for member in organs()[name].members:
        leaves_and_cycles(member, (*trail, name))


def test_names_are_unique_and_snake_case():
    lines = resource_path("organs.csv").read_text(encoding="utf-8").splitlines()[1:]
    names = [line.split(",")[0] for line in lines]
    assert len(names) == len(set(names)) == len(organs())
    assert all(name.replace("_", "").isalnum() for name in names)


def test_no_two_organs_share_a_code_and_a_side():
    codes = Counter((o.snomed_code, o.laterality) for o in organs().values() if o.snomed_code)
    assert [code for code, count in codes.items() if count > 1] == []


def test_members_are_in_the_vocabulary_and_no_group_holds_itself():
    for o in organs().values():
        assert set(o.members) <= set(organs()), o.name
        leaves_and_cycles(o.name)


def test_codes_said_to_be_of_dicom_are_in_the_dicom_context_groups():
    dicom_codes = {code for entry in concepts["SCT"].values() for code in entry}
    rows = [line.split(",") for line in resource_path("organs.csv").read_text(encoding="utf-8").splitlines()[1:]]
    claimed = [(row[0], row[2]) for row in rows if row[4] == "DICOM PS3.16"]
    assert len(claimed) > 150
    assert [name for name, code in claimed if code not in dicom_codes] == []
    assert all(code in dicom_codes for code in CATEGORY_CODES.values())


def test_every_code_states_its_source():
    for line in resource_path("organs.csv").read_text(encoding="utf-8").splitlines()[1:]:
        row = line.split(",")
        assert bool(row[2]) == bool(row[3]) == bool(row[4]), row[0]


def test_colours_are_bytes_and_categories_known():
    for o in organs().values():
        assert len(o.colour_rgb) == 3 and all(0 <= c <= 255 for c in o.colour_rgb), o.name
        assert o.category_code


def test_laterality_agrees_with_the_name():
    for o in organs().values():
        if o.laterality:
            assert o.laterality in o.name
    assert organ("kidney_left").modifier == ("7771000", "Left")
    assert organ("liver").modifier is None


def test_each_organ_stands_in_one_of_few_systems():
    sizes = Counter(each.system for each in organs().values())
    assert "" not in sizes and max(sizes.values()) < 40 and len(sizes) < 20
    assert organ("vertebrae_T7").system == organ("sacrum").system == "Spine"
    assert organ("tumour_3").system == organ("lesion").system
    assert describe("ptv_60_gy").system == "Others"


def test_the_tissue_weights_of_icrp_103_sum_to_one(shared_reference):
    assert sum(tissue_weights().values()) == pytest.approx(1.0, abs=1e-12)
    published = json.loads((shared_reference / "organ_risk_data.json").read_text())["icrp103_wT"]["wT"]
    spelled = {key.replace(" ", "_").replace("oesophagus", "esophagus"): value for key, value in published.items()}
    assert dict(tissue_weights()) == spelled


def test_each_weighted_tissue_has_an_organ_and_no_organ_an_unknown_tissue():
    used = {o.tissue_weight for o in organs().values() if o.tissue_weight}
    assert used == set(tissue_weights())
    # ICRP 103 names 14 remainder tissues, 13 in each sex (prostate or uterus).
    assert sum(o.tissue_weight == "remainder" for o in organs().values()) == 14


def test_reference_masses_are_those_of_icrp_89(shared_reference):
    table = json.loads((shared_reference / "organ_risk_data.json").read_text())["icrp89_organ_masses_g"]["masses"]
    for row, name in MASS_TABLE_NAMES.items():
        for sex, column in (("M", "male"), ("F", "female")):
            assert organ(name).reference_mass_g.get(sex, 0.0) == table[row][column], (row, sex)
    colon = [sum(table[part][sex] for part in ("Left Colon", "Right Colon", "Rectum")) for sex in ("male", "female")]
    assert [organ("colon").reference_mass_g[sex] for sex in "MF"] == colon
    heart = [table["Heart"][sex] + table["Heart Contents"][sex] for sex in ("male", "female")]
    assert [organ("heart").reference_mass_g[sex] for sex in "MF"] == heart


def test_the_classes_of_the_shared_totalsegmentator_labels_are_in_the_vocabulary(shared_data):
    for study in ("ts_abdomen_pelvis_3mm", "ts_dicom_slab_dosetags"):
        labels = json.loads((shared_data / study / "labels.json").read_text())["labels"]
        assert set(labels.values()) <= set(organs())


SIDED_CLASSES = """
    kidney adrenal_gland lung_upper_lobe lung_lower_lobe kidney_cyst subclavian_artery common_carotid_artery
    brachiocephalic_vein iliac_artery iliac_vena humerus scapula clavicula femur hip gluteus_maximus gluteus_medius
    gluteus_minimus autochthon iliopsoas"""
UNSIDED_CLASSES = """
    spleen gallbladder liver stomach pancreas lung_middle_lobe_right esophagus trachea thyroid_gland small_bowel
    duodenum colon urinary_bladder prostate sacrum vertebrae_S1 heart aorta pulmonary_vein brachiocephalic_trunk
    atrial_appendage_left superior_vena_cava inferior_vena_cava portal_vein_and_splenic_vein spinal_cord brain skull
    sternum costal_cartilages"""


def test_all_117_classes_of_totalsegmentator_v2_are_in_the_vocabulary():
    sided = [f"{name}_{side}" for name in SIDED_CLASSES.split() for side in ("left", "right")]
    spine = [f"vertebrae_{part}{i}" for part, count in (("C", 7), ("T", 12), ("L", 5)) for i in range(1, count + 1)]
    ribs = [f"rib_{side}_{i}" for side in ("left", "right") for i in range(1, 13)]
    classes = [*UNSIDED_CLASSES.split(), *sided, *spine, *ribs]
    assert len(classes) == 117
    assert set(classes) <= set(organs())


def test_an_unknown_organ_is_refused_with_the_nearest_names():
    with pytest.raises(InputError, match=r"unknown organ 'kidny_left'.*kidney_left"):
        organ("kidny_left")


def test_tumours_carry_numbers():
    assert organ("tumour_3").title == "Tumour 3"
    assert organ("tumour_3").snomed_code == organ("tumour").snomed_code


def test_a_group_is_itself_when_drawn_and_else_the_union_of_its_members():
    assert expand("lungs", ["lungs", "lung_left"]) == ("lungs",)
    assert expand("lungs", ["lung_upper_lobe_left", "lung_right", "liver"]) == ("lung_upper_lobe_left", "lung_right")
    assert expand("kidneys", ["liver"]) == ()
    assert set(expand("bones", ["rib_left_1", "femur_right", "vertebrae_L3", "liver"])) == {
        "rib_left_1", "femur_right", "vertebrae_L3"}
