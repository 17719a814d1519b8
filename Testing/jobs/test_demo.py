"""The demo: the embedded study, masks drawn on its CT, their dose, and nothing half-done."""

import csv

import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import Cancelled, InputError
from organdose.jobs import demo, demo_segmentation, phantom_study
from organdose.progress import Progress
from organdose.segmentation import res_u2net_engine
from organdose.segmentation.analytic import ENGINE as ANALYTIC


@pytest.fixture
def tiny_phantom(monkeypatch, cheap_calibration, no_pictures):
    def write(name, folder, *, seed, progress):
        return phantom_study.write_phantom_study(name, folder, seed=seed, progress=progress, slice_mm=40.0, pixels=48,
                                                 z_range_mm=(300.0, 380.0))
    monkeypatch.setattr(demo, "write_phantom_study", write)
    for task in ("ct_dose", "internal_dose"):
        monkeypatch.setattr(f"organdose.jobs.{task}_files._write_scene", lambda *_, **__: None)
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})
    monkeypatch.setattr(res_u2net_engine.ENGINE, "segment", _draw_right_half_as_liver, raising=False)
    monkeypatch.setattr(res_u2net_engine.ENGINE, "check_ready", lambda *_: None, raising=False)


def _draw_right_half_as_liver(study, parameters, progress) -> OrganMasks:
    """In the place of the shipped network."""
    masks = ANALYTIC.segment(study, progress=progress).kept(["body"])
    liver = masks.mask("body").copy()
    liver[:, :, 24:] = False  # the right half of the image; x runs to the patient's left
    masks.add("liver", liver & (sitk.GetArrayViewFromImage(study.image) > 0))
    masks.origin, masks.notes = "Res-U2Net (a draft, not reviewed)", {"spleen": "not found in this CT"}
    return masks


def _means(folder):
    with open(folder / "organs.csv", newline="") as file:
        return {row["organ"]: float(row["mean_mgy"]) for row in csv.DictReader(file)}


def test_the_demo_leaves_a_study_and_its_doses(tmp_path, tiny_phantom):
    paths = demo.run_demo(tmp_path / "demo", histories=20_000, decays=20_000)
    assert (paths.study / "ct").is_dir() and (paths.study / "truth" / "masks.rtstruct.dcm").is_file()
    assert paths.report.is_file() and paths.result == tmp_path / "demo" / "ct-dose"
    organs = (paths.result / "organs.csv").read_text()
    assert "liver," in organs and "body," in organs and "spleen" not in organs, "the network's organs, no others"
    means = [_means(folder) for folder in (paths.result, paths.internal, paths.total)]
    assert means[2]["body"] == pytest.approx(means[0]["body"] + means[1]["body"], rel=0.02)
    assert paths.picture is None  # no scene was written here; drawing one is tested in Testing/scene


def test_the_masks_are_checked_and_compared_with_the_truth(tmp_path, tiny_phantom):
    study = demo.write_phantom_study("adult-male", tmp_path / "study", seed=0, progress=None)
    masks = demo_segmentation.demo_masks(study, tmp_path / "segmentation")
    table = csv.DictReader((tmp_path / "segmentation" / "comparison.csv").open())
    rows = {row["organ"]: float(row["dice"]) for row in table}
    assert set(rows) == {"body", "liver", "spleen"} and rows["spleen"] == 0 and rows["body"] > 0.9
    drawn, true = (phantom_masks(study, path).mask("liver") for path in (masks.file, study.seg_nrrd))
    assert rows["liver"] == pytest.approx(2 * (drawn & true).sum() / (drawn.sum() + true.sum()), rel=1e-3)
    assert masks.warning == "" and any("Spleen" in found.line or found.organ == "liver" for found in masks.findings)
    told = "\n".join(masks.lines)
    assert "res-u2net: drafts" in told and "findings" in told and "mean Dice" in told and "spleen 0.00" in told


def phantom_masks(study, path):
    from organdose.segmentation.reading import read_masks
    from organdose.study import read_ct

    return read_masks(path, read_ct(study.ct))


def test_without_a_network_the_demo_says_so_and_goes_on_with_body_lungs_and_bones(tmp_path, tiny_phantom, monkeypatch):
    def not_ready(*_):
        raise InputError("this installation has no trained Res-U2Net", mend="Train one.")

    monkeypatch.setattr(res_u2net_engine.ENGINE, "check_ready", not_ready, raising=False)
    paths = demo.run_demo(tmp_path / "demo", histories=20_000, decays=20_000)
    assert paths.masks.engine == "analytic" and "no trained Res-U2Net" in paths.masks.lines[0]
    assert "only body, lungs and bones" in paths.masks.lines[0]
    assert "liver," not in (paths.result / "organs.csv").read_text() and "body" in _means(paths.total)


def test_a_demo_is_replaced_by_the_next(tmp_path, tiny_phantom):
    for seed in (0, 1):
        demo.run_demo(tmp_path / "demo", seed=seed, histories=20_000, decays=20_000)
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"study", "segmentation", "ct-dose",
                                                                    "internal-dose", "total"}
    assert '"seed": 1' in (tmp_path / "demo" / "study" / "truth" / "facts.json").read_text()


@pytest.mark.parametrize("stage", ["writing PET", "Monte Carlo"])
def test_a_cancelled_demo_leaves_nothing(tmp_path, tiny_phantom, stage):
    progress = Progress(lambda report: progress.cancel() if report.stage == stage else None)
    with pytest.raises(Cancelled):
        demo.run_demo(tmp_path / "deep" / "demo", histories=20_000, progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_a_demo_cancelled_in_an_empty_folder_leaves_it_empty(tmp_path, tiny_phantom):
    progress = Progress(lambda report: progress.cancel() if report.stage == "Monte Carlo" else None)
    with pytest.raises(Cancelled):
        demo.run_demo(tmp_path, histories=20_000, progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path, tiny_phantom):
    (tmp_path / "demo" / "study").mkdir(parents=True)
    (tmp_path / "demo" / "study" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="something other than a phantom study"):
        demo.run_demo(tmp_path / "demo", histories=20_000)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["thesis.txt"]


def test_too_few_photons_are_refused_before_the_phantom_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "write_phantom_study", None)
    with pytest.raises(InputError, match="--histories"):
        demo.run_demo(tmp_path / "demo", histories=1)
    assert list(tmp_path.iterdir()) == []
