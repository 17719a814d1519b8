"""The demo: the embedded study, its dose, and nothing half-done."""

import csv

import pytest

from organdose.errors import Cancelled, InputError
from organdose.jobs import demo, phantom_study
from organdose.progress import Progress


@pytest.fixture
def tiny_phantom(monkeypatch, cheap_calibration, no_pictures):
    def write(name, folder, *, seed, progress):
        return phantom_study.write_phantom_study(name, folder, seed=seed, progress=progress, slice_mm=40.0, pixels=48,
                                                 z_range_mm=(300.0, 380.0))
    monkeypatch.setattr(demo, "write_phantom_study", write)
    for task in ("ct_dose", "internal_dose"):
        monkeypatch.setattr(f"organdose.jobs.{task}_files._write_scene", lambda *_, **__: None)
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})


def _means(folder):
    with open(folder / "organs.csv", newline="") as file:
        return {row["organ"]: float(row["mean_mgy"]) for row in csv.DictReader(file)}


def test_the_demo_leaves_a_study_and_its_doses(tmp_path, tiny_phantom):
    paths = demo.run_demo(tmp_path / "demo", histories=20_000, decays=20_000)
    assert (paths.study / "ct").is_dir() and (paths.study / "truth" / "masks.rtstruct.dcm").is_file()
    assert paths.report.is_file() and paths.result == tmp_path / "demo" / "ct-dose"
    organs = (paths.result / "organs.csv").read_text()
    assert "liver," in organs and "body," in organs
    means = [_means(folder) for folder in (paths.result, paths.internal, paths.total)]
    assert means[2]["body"] == pytest.approx(means[0]["body"] + means[1]["body"], rel=0.02)
    assert paths.picture is None  # no scene was written here; drawing one is tested in Testing/scene


def test_a_demo_is_replaced_by_the_next(tmp_path, tiny_phantom):
    for seed in (0, 1):
        demo.run_demo(tmp_path / "demo", seed=seed, histories=20_000, decays=20_000)
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"study", "ct-dose", "internal-dose", "total"}
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
