import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation import combined
from organdose.segmentation.analytic import AnalyticParameters
from organdose.segmentation.combined import CombinedParameters, EngineTable, combine, joined, read_engine_table
from organdose.segmentation.engines import engine
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

SHAPE = (6, 8, 10)


@pytest.fixture
def study() -> CTStudy:
    return CTStudy(sitk.Image(SHAPE[::-1], sitk.sitkInt16), CTAcquisition())


def box(x0, x1) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[:, :, x0:x1] = True
    return mask


@pytest.fixture
def drawn(study):
    def draw(notes=None, **organs) -> OrganMasks:
        masks = OrganMasks(study.image, origin="some engine", notes=dict(notes or {}))
        for name, mask in organs.items():
            masks.add(name, mask)
        return masks

    return draw


def table(*names, **organs) -> EngineTable:
    return EngineTable(engines={name: {} for name in names}, organs=organs)


def test_each_organ_comes_from_the_engine_in_its_row(study, drawn):
    found = joined(study, table("totalsegmentator", "res-u2net", spleen="res-u2net"),
                   {"totalsegmentator": drawn(liver=box(0, 3), spleen=box(8, 9)),
                    "res-u2net": drawn(liver=box(0, 4), spleen=box(7, 9))})
    assert np.array_equal(found.mask("liver"), box(0, 3)) and np.array_equal(found.mask("spleen"), box(7, 9))
    assert found.notes == {"liver": "by totalsegmentator", "spleen": "by res-u2net"}


def test_the_row_of_a_group_holds_for_its_members_without_one_of_their_own(study, drawn):
    found = joined(study, table("totalsegmentator", "res-u2net", kidneys="res-u2net", kidney_left="totalsegmentator"),
                   {"totalsegmentator": drawn(kidney_left=box(0, 2), kidney_right=box(6, 8)),
                    "res-u2net": drawn(kidney_left=box(0, 3), kidney_right=box(5, 8))})
    assert np.array_equal(found.mask("kidney_left"), box(0, 2))
    assert np.array_equal(found.mask("kidney_right"), box(5, 8))
    assert found.notes == {"kidney_left": "by totalsegmentator", "kidney_right": "by res-u2net"}


def test_an_organ_its_engine_did_not_find_comes_from_the_next_and_says_so(study, drawn):
    found = joined(study, table("totalsegmentator", "res-u2net", "nnunet", spleen=("res-u2net", "totalsegmentator")),
                   {"totalsegmentator": drawn(spleen=box(8, 9)), "res-u2net": drawn(notes={"spleen": "not found"}),
                    "nnunet": drawn(spleen=box(1, 2))})
    assert np.array_equal(found.mask("spleen"), box(8, 9))
    assert found.notes["spleen"] == "by totalsegmentator; res-u2net did not find it"


def test_an_organ_that_nobody_in_its_row_found_is_noted_not_taken_from_others(study, drawn):
    found = joined(study, table("totalsegmentator", "res-u2net", spleen="res-u2net"),
                   {"totalsegmentator": drawn(spleen=box(8, 9)), "res-u2net": drawn(liver=box(0, 2))})
    assert found.names == ("liver",) and found.notes["spleen"] == "not found by res-u2net"


def test_where_engines_overlap_the_first_keeps_the_voxels_and_the_loss_is_told(study, drawn):
    found = joined(study, table("totalsegmentator", "res-u2net", stomach="res-u2net"),
                   {"totalsegmentator": drawn(liver=box(0, 5)), "res-u2net": drawn(stomach=box(4, 7))})
    assert np.array_equal(found.mask("stomach"), box(5, 7)) and np.array_equal(found.mask("liver"), box(0, 5))
    assert "48 voxels" in found.notes["stomach"]


def test_what_lies_in_another_by_right_stays_there(study, drawn):
    found = joined(study, table("totalsegmentator", "res-u2net"), {
        "totalsegmentator": drawn(liver=box(0, 5), femur_left=box(6, 9)),
        "res-u2net": drawn(tumour_1=box(1, 2), femoral_head_left=box(6, 7), bones=box(5, 9), body=box(0, 10))})
    for name, expected in (("tumour_1", box(1, 2)), ("femoral_head_left", box(6, 7)), ("bones", box(5, 9)),
                           ("body", box(0, 10))):
        assert np.array_equal(found.mask(name), expected), name


def test_overlap_within_one_engine_is_its_own_affair(study, drawn):
    found = joined(study, table("nnunet"), {"nnunet": drawn(liver=box(0, 5), stomach=box(3, 6))})
    assert np.array_equal(found.mask("stomach"), box(3, 6))


def test_lungs_from_hu_stand_in_only_where_nobody_drew_the_lobes(study, drawn):
    analytic = drawn(body=box(0, 10), lung_left=box(0, 2), lung_right=box(6, 9))
    found = joined(study, table("totalsegmentator"), {
        "totalsegmentator": drawn(lung_upper_lobe_left=box(0, 1), lung_lower_lobe_left=box(1, 2)),
        "analytic": analytic})
    assert set(found.names) == {"lung_upper_lobe_left", "lung_lower_lobe_left", "lung_right", "body"}
    assert found.notes["body"] == "by analytic"


class _Counting:
    """An engine that counts its runs and keeps its parameters."""

    def __init__(self, name, masks):
        self.name, self.masks, self.seen = name, masks, []
        self.parameters, self.organs = AnalyticParameters, masks.names

    def segment(self, study, parameters=None, progress=None):
        self.seen.append(parameters)
        progress.report("work", 0.5)
        return self.masks


def test_every_engine_runs_once_with_its_own_parameters_and_hu_fills_in(study, drawn, monkeypatch):
    engines = {"analytic": _Counting("analytic", drawn(body=box(0, 10))),
               "res-u2net": _Counting("res-u2net", drawn(liver=box(0, 5), spleen=box(6, 8)))}
    monkeypatch.setattr(combined, "engine", engines.__getitem__)
    stages = []
    found = combine(study, EngineTable(engines={"res-u2net": {"bone_low_hu": 200.0}}, organs={"liver": "res-u2net"}),
                    Progress(lambda report: stages.append(report.stage)))
    assert set(found.names) == {"liver", "spleen", "body"}
    assert [len(each.seen) for each in engines.values()] == [1, 1]
    assert engines["res-u2net"].seen[0].bone_low_hu == 200
    assert stages == ["res-u2net: work", "analytic: work"]
    alone = combine(study, EngineTable(engines={"res-u2net": {}}, fallback=False))
    assert "body" not in alone.names
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        combine(study, table("res-u2net"), progress)
    with pytest.raises(InputError, match=r"parameters of res-u2net: bone_low_hu"):
        combine(study, EngineTable(engines={"res-u2net": {"bone_low_hu": "much"}}))


def test_the_table_is_read_from_a_file_by_the_engine(study, tmp_path, generated_patient):
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"engines": {"analytic": {}}, "organs": {"body": "analytic"}}), encoding="utf-8")
    patient = CTStudy(sitk.Cast(generated_patient("ct"), sitk.sitkInt16), CTAcquisition())
    found = engine("combined").segment(patient, CombinedParameters(model=path))
    expected = engine("analytic").segment(patient)
    assert np.array_equal(found.mask("body"), expected.mask("body"))
    with pytest.raises(InputError, match="needs one table"):
        engine("combined").segment(study)


@pytest.mark.parametrize(("content", "words"), [
    ({"engines": {"magic": {}}}, "unknown engine 'magic'"),
    ({"engines": {"combined": {}}}, "unknown engine 'combined'"),
    ({"engines": {}}, "engines"),
    ({"engines": {"analytic": {}}, "organs": {"livr": "analytic"}}, "unknown organ 'livr'"),
    ({"engines": {"analytic": {}}, "organs": {"liver": "nnunet"}}, "come from nnunet"),
    ({"engines": {"analytic": {}}, "organs": {"liver": []}}, "come from nothing"),
    ([1], "cannot be read"), ("{", "cannot be read")])
def test_a_wrong_table_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "table.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_engine_table(path)
    assert "\n" not in str(caught.value)
