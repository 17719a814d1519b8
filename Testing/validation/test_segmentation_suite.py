"""Masks of networks against known ones: which rows have limits, what counts, what the tables say."""

import csv
import json
import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition
from organdose.validation import segmentation_cases, segmentation_suite, suites
from organdose.validation.segmentation_cases import (
    GENERATED,
    SegmentationCase,
    generated_cases,
    outside_cases,
    voxel_phantom_case,
)
from organdose.validation.segmentation_suite import case_rows, limit_rows, segmentation
from organdose.validation.segmentation_table import SegmentationRow


@pytest.fixture
def case():
    """A CT of 20 x 20 x 20 voxels of 10 mm with a body, a liver, a left lung and bones in it."""
    image = sitk.Image(20, 20, 20, sitk.sitkInt16)
    image.SetSpacing((10, 10, 10))
    masks = OrganMasks(image)
    for name, box in {"body": np.s_[2:18, 2:18, 2:18], "liver": np.s_[4:8, 4:8, 4:8],
                      "lung_left": np.s_[9:15, 4:8, 4:8], "bones": np.s_[4:16, 14:16, 9:11]}.items():
        mask = np.zeros((20, 20, 20), bool)
        mask[box] = True
        masks.add(name, mask)
    return SegmentationCase("one", GENERATED, CTStudy(image, CTAcquisition()), masks, complete=True)


@pytest.fixture
def engine(monkeypatch, case):
    """An engine that draws half of the liver, a spleen that is not there, lungs perfectly from HU but not by itself."""
    def segment(study, parameters, progress):
        drawn = OrganMasks(study.image)
        drawn.add("body", case.truth.mask("body"))
        liver = case.truth.mask("liver").copy()
        liver[4:6] = False
        drawn.add("liver", liver)
        spleen = np.zeros(drawn.shape, bool)
        spleen[12, 12, 12] = True
        drawn.add("spleen", spleen)
        lung = case.truth.mask("lung_left").copy()
        if not parameters.from_hu:
            lung[9:12] = False
        else:
            drawn.notes["lung_left"] = "by the analytic engine"
        drawn.add("lung_left", lung)
        return drawn

    monkeypatch.setattr(segmentation_suite.NETWORK, "segment", segment, raising=False)


def test_every_organ_is_compared_and_who_drew_it_is_told(case, engine):
    rows = {(row.agreement.organ, row.drawn_by): row for row in case_rows(case)}
    assert rows["body", "analytic"].agreement.dice == 1 and rows["lung_left", "analytic"].agreement.dice == 1
    assert rows["liver", "network"].agreement.dice == pytest.approx(2 / 3) and rows["liver", "network"].delivered
    own = rows["lung_left", "network"]
    assert own.agreement.dice == pytest.approx(2 / 3) and not own.delivered
    assert rows["bones", "network"].agreement.dice == 0, "neither found them"
    spleen = rows["spleen", "network"].agreement
    assert math.isnan(spleen.dice) and spleen.volume_ml == 1 and spleen.reference_volume_ml == 0


def test_on_a_ct_with_some_true_masks_only_these_are_compared(case, engine):
    partly = SegmentationCase("two", "real", case.study, case.truth.kept(["liver"]))
    assert {row.agreement.organ for row in case_rows(partly)} == {"liver"}
    both = {"liver": ("liver", "spleen")}
    wider = SegmentationCase("three", "real", case.study, case.truth.kept(["liver"]), holds=both)
    assert case_rows(wider)[0].agreement.volume_ml == 33


def test_of_a_group_only_members_the_reference_knows_are_compared(case, monkeypatch):
    truth = OrganMasks(case.study.image)
    truth.add("stomach", case.truth.mask("liver"))
    drawn = OrganMasks(case.study.image)
    drawn.add("stomach", case.truth.mask("liver"))
    drawn.add("esophagus", case.truth.mask("lung_left"))
    monkeypatch.setattr(segmentation_suite.NETWORK, "segment", lambda *_: drawn, raising=False)
    dice = {}
    for complete in (False, True):
        compared = SegmentationCase("two", "real", case.study, truth, complete=complete)
        dice[complete] = {row.agreement.organ: row.agreement.dice for row in case_rows(compared)}
    assert dice[False] == {"stomach": 1, "gi_tract": 1}, "nobody said where the oesophagus is"
    assert dice[True]["gi_tract"] == pytest.approx(2 * 64 / (128 + 96)), "there is none"


def row(organ, dice, volume_ml=100.0, who="network", group=GENERATED, delivered=True):
    from organdose.assess.mask_comparison import MaskAgreement

    return SegmentationRow(group, "c", who, delivered,
                           MaskAgreement(organ, dice, dice, dice, dice, 1.0, dice, volume_ml, volume_ml))


def test_limits_hold_for_the_mean_over_organs_and_for_body_lungs_and_bones():
    rows = [row("liver", 0.96), row("liver", 0.98), row("spleen", 0.91), row("spleen", 0.0, volume_ml=3.0),
            row("liver", 0.2, group="real"), row("body", 0.99, who="analytic"), row("lungs", 0.5, who="analytic"),
            row("lungs", 0.975, delivered=False), row("lung_left", 0.1), row("bones", 0.96)]
    organs, body, lungs, bones = limit_rows(rows)
    assert organs.ours == pytest.approx((0.97 + 0.91) / 2) and organs.inside and "2 organs above 50 ml" in organs.row
    assert (body.ours, body.inside) == (0.99, True) and (lungs.ours, lungs.inside) == (0.975, True)
    assert (bones.ours, bones.inside) == (0.96, False)
    assert [each.row.endswith("not delivered") for each in (body, lungs, bones)] == [False, True, True]
    assert not limit_rows([row("liver", 0.929)])[0].inside and not limit_rows([])[0].inside


def test_the_tables_have_every_organ_and_say_what_was_left_out(case, engine, tmp_path, monkeypatch):
    monkeypatch.setattr(segmentation_suite, "outside_cases", lambda progress: iter(["real CT: not here, left out"]))
    monkeypatch.setattr(segmentation_suite, "generated_cases", lambda count, progress: iter([case] * count))
    assert len(segmentation(tmp_path, patients=2)) == 4
    lines = list(csv.DictReader((tmp_path / "segmentation-organs.csv").open()))
    assert [line["dice"] for line in lines if line["organ"] == "liver"] == ["0.66667", "0.66667"]
    assert [line["dice"] for line in lines if line["organ"] == "spleen"] == ["", ""]
    text = (tmp_path / "segmentation.md").read_text()
    assert "## generated patients" in text and text.endswith("real CT: not here, left out\n")
    assert "| Left lung | network (not delivered) | 2 | 0.667 |" in text
    overview = text.split("## ")[0]
    assert "| mean Dice | drawn by | generated patients |" in overview and "| Liver | network | 0.667 |" in overview
    assert "Spleen" not in overview, "it is in no patient"
    assert "| Spleen | network | 0 |" in text and "| 1.0 |" in text.split("Spleen")[1].splitlines()[0]


def test_cts_that_are_not_here_are_named(monkeypatch):
    monkeypatch.setattr(segmentation_cases, "outside_file", lambda *parts: None)
    lines = list(outside_cases(Progress()))
    assert len(lines) == 3 and all("not here, left out" in line for line in lines) and "icrp110_AM" in lines[0]


def test_generated_patients_are_none_of_a_training(monkeypatch):
    monkeypatch.setattr(segmentation_cases, "GENERATED_MM", 10.0)
    drawn, = generated_cases(1, Progress())
    assert drawn.name == "seed 100001" and drawn.complete and "body" in drawn.truth.names
    assert drawn.study.image.GetSpacing() == (10, 10, 10) and drawn.study.image.GetPixelID() == sitk.sitkInt16


def test_organs_of_icrp_110_have_its_masses(shared_data):
    drawn = voxel_phantom_case(shared_data / "icrp110_AM", Progress())
    table = json.loads((shared_data / "icrp110_AM" / "labels.json").read_text())["labels"].values()
    voxel_ml = float(np.prod(drawn.study.image.GetSpacing())) / 1000

    def published_ml(*starts):
        return sum(each["voxels"] for each in table if each["name"].startswith(starts)) * voxel_ml

    starts_of = {"liver": ["Liver"], "stomach": ["Stomach"], "kidney_left": ["Kidney, left"], "rectum": ["Rectum"],
                 "urinary_bladder": ["Urinary bladder"], "brain": ["Brain"], "heart": ["Heart"],
                 "small_intestine": ["Small intestine"],
                 "colon": ["Ascending colon", "Transverse colon", "Descending colon", "Sigmoid colon"]}
    for organ, starts in starts_of.items():
        assert np.count_nonzero(drawn.truth.mask(organ)) * voxel_ml == pytest.approx(published_ml(*starts)), organ
    assert 1600 < np.count_nonzero(drawn.truth.mask("liver")) * voxel_ml * 1.05 < 1850, "1800 g in ICRP 110"


def test_the_suite_takes_a_network_and_a_number_of_patients(tmp_path, monkeypatch):
    asked = []

    def suite(folder, *, model, patients, progress):
        asked.append((model, patients))
        (folder / "segmentation.md").write_text("table")
        return limit_rows([row("liver", 0.95)])

    monkeypatch.setitem(suites.SUITES, "segmentation", suite)
    (tmp_path / "m").mkdir()
    with pytest.raises(InputError, match=r"no trained network here"):
        suites.run_suites("segmentation", tmp_path / "v", model=tmp_path / "m")
    (tmp_path / "m" / "weights.pt").write_bytes(b"")
    assert suites.run_suites("segmentation", tmp_path / "v", model=tmp_path / "m", patients=3) == 3
    assert asked == [(tmp_path / "m", 3)]
    assert {path.name for path in (tmp_path / "v").iterdir()} == {"segmentation.csv", "segmentation.md", "run.json"}
    assert json.loads((tmp_path / "v" / "run.json").read_text())["job"]["patients"] == 3


@pytest.mark.parametrize(("name", "given", "message"), [
    ("segmentation", {"patients": 0}, "--patients 0"), ("fdg", {"model": "m"}, "no use for --model"),
    ("segmentation", {"histories": 5000}, "no use for --histories")])
def test_options_of_other_suites_are_refused(tmp_path, name, given, message):
    with pytest.raises(InputError, match=message):
        suites.run_suites(name, tmp_path / "v", **given)
    assert list(tmp_path.iterdir()) == []
