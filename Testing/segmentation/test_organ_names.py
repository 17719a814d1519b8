import pytest

from organdose.anatomy.organs import organs
from organdose.segmentation.organ_names import matching, name_of_label, own_name, vocabulary_name


@pytest.mark.parametrize(("label", "name"), [
    ("Liver", "liver"), ("LEBER", "liver"), ("Schilddrüse", "thyroid_gland"), ("SpinalCord", "spinal_cord"),
    ("Kidney_L", "kidney_left"), ("left kidney", "kidney_left"), ("rechte Niere", "kidney_right"),
    ("Lunge re", "lung_right"), ("Lung_R", "lung_right"), ("Lungs", "lungs"), ("LungLeft", "lung_left"),
    ("upper lobe of left lung", "lung_upper_lobe_left"), ("Adrenal, left", "adrenal_gland_left"),
    ("Femur_Head_L", "femoral_head_left"), ("Glnd_Submand_R", "submandibular_gland_right"), ("Lens_L", "eye_lens_left"),
    ("Bladder", "urinary_bladder"), ("A_Aorta", "aorta"), ("External", "body"), ("Rib 3 left", "rib_left_3"),
    ("GTV", "tumour"), ("GTV 2", "tumour_2"), ("GTV_Mass_CT", "tumour"), ("lesion_4", "lesion_4"),
])
def test_clinical_names_find_their_organ(label, name):
    assert name_of_label(label) == name


@pytest.mark.parametrize("label", ["PTV_60", "Segment_1", "SpinalCanal", "LIVER_CT", "Liver minus GTV", "", "?", "L3"])
def test_names_that_mean_something_else_find_none(label):
    assert name_of_label(label) is None


def test_every_name_and_title_of_the_vocabulary_finds_itself_however_it_is_written():
    for name, organ in organs().items():
        for label in (name, organ.title, name.upper(), organ.title.upper(), name.replace("_", " ")):
            assert name_of_label(label) == name, label


def test_a_code_with_a_side_is_more_exact_than_a_label_without():
    assert vocabulary_name("Kidney", "64033007", "left") == "kidney_left"
    assert vocabulary_name("Segment_1", "10200004") == "liver"


def test_a_label_that_was_changed_by_hand_wins_over_the_old_code():
    assert vocabulary_name("Spleen", "10200004") == "spleen"


def test_the_code_that_slicer_gives_every_segment_means_nothing():
    assert vocabulary_name("Segment_1", "85756007") is None


def test_own_names_are_safe_in_files():
    assert own_name("PTV 60 Gy/2") == "ptv_60_gy_2"
    assert own_name("***") == "unnamed"


@pytest.mark.parametrize("query, found", [
    ("Niere links", ["kidney_left"]), ("kidney", ["kidney_left", "kidney_right"]), ("rippe", []), ("RIB l 1", []),
    ("spine", ["vertebrae_T7", "sacrum"]), ("oesoph", ["esophagus"]), ("foie", ["liver"]), ("xyz", []),
    ("spleen thymus", ["spleen"]), ("left", ["kidney_left"]), ("T7", ["vertebrae_T7"]), ("insert 3", ["insert_3"])])
def test_organs_are_found_by_the_beginnings_of_what_they_are_called(query, found):
    names = ("kidney_left", "kidney_right", "vertebrae_T7", "sacrum", "esophagus", "liver", "spleen", "insert_3")
    assert matching(query, names) == found


def test_an_empty_search_finds_all():
    assert matching("  ", ("liver", "spleen")) == ["liver", "spleen"]
