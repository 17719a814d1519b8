"""The commands around a training as a person meets them: cases added, networks replaced."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import approve, mark_drawn
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs import replace_network_job
from organdose.study import read_ct


@pytest.fixture
def masks(tiny_ct, tmp_path):
    """Masks of the tiny CT: an approved liver and a spleen that nobody has looked at."""
    study = read_ct(tiny_ct())
    drawn = OrganMasks(study.image)
    for organ, column in (("liver", 8), ("spleen", 20)):
        mask = np.zeros(drawn.shape, bool)
        mask[2:6, 12:18, column:column + 4] = True
        drawn.add(organ, mask)
    mark_drawn(drawn)
    approve(drawn, "liver", "A. Smith")
    write_seg_nrrd(drawn, tmp_path / "masks.seg.nrrd")
    return tmp_path / "masks.seg.nrrd"


def test_a_corrected_case_is_added_without_the_patients_name(organdose, masks, tmp_path):
    outcome = organdose("train", "add-case", tmp_path / "ct", masks, tmp_path / "cases")
    case, = (tmp_path / "cases").iterdir()
    assert (outcome.status, outcome.out) == (0, f"{case}: liver; not approved and left out: spleen\n")
    assert sitk.ReadImage(str(case / "ct.nrrd")).GetSize() == read_ct(tmp_path / "ct").image.GetSize()
    told = case.name + (case / "case.json").read_text()
    assert "hospital-number" not in told and "Sorrow" not in told
    again = organdose("train", "add-case", tmp_path / "ct", masks, tmp_path / "cases", "--also-unapproved")
    assert again.status == 2 and "in the dataset already" in again.message
    again = organdose("train", "add-case", tmp_path / "ct", masks, tmp_path / "cases", "--also-unapproved", "--replace")
    assert again.status == 0 and again.out.endswith("liver, spleen\n")


@pytest.mark.parametrize(("new_dice", "status", "told"), [
    (0.95, 0, "better: Liver 0.900 -> 0.950"),
    (0.5, 2, "not replaced: mean Dice 0.900 -> 0.500; more than 0.05 lost by")])
def test_a_network_is_replaced_or_the_line_says_why_not(organdose, tmp_path, monkeypatch, new_dice, status, told):
    monkeypatch.setattr(replace_network_job, "_tested", lambda job, folder, progress: {
        "liver": {"cases": 3, "dice": new_dice if folder.name == "new" else 0.9}})
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.pt").write_text(name)
    outcome = organdose("train", "promote", tmp_path / "new", tmp_path / "old", "--dataset", "generated:9", "--cases",
                        tmp_path / "cases", "--margin", 0.05)
    assert outcome.status == status and told in (outcome.message if status else outcome.out)
    assert (tmp_path / "old" / "weights.pt").read_text() == ("old" if status else "new")
    assert (tmp_path / "old.previous").exists() == (status == 0)
