"""The command line when all is well, when it is stopped, and when the program itself is wrong."""

import csv
import functools
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.validation.comparison import Comparison

COMMANDS = ("demo", "phantom", "segment", "ct-dose", "compare-masks", "validate", "benchmark")
# The contract: shared design page, section 4.
ORGAN_COLUMNS = ("organ,snomed,volume_ml,mass_g,mean_mgy,uncertainty_percent,sd_mgy,min_mgy,max_mgy,d98_mgy,d50_mgy,"
                 "d2_mgy,in_image_percent,note,mask")
MASK_COLUMNS = "organ,dice,jaccard,precision,recall,hd95_mm,surface_dice,volume_ml,reference_volume_ml"
_STARTED = (sys.executable, "-m", "organdose.cli")


# --- help


def test_help_names_every_command(organdose):
    outcome = organdose("--help")
    assert outcome.status == 0 and outcome.err == ""
    assert "organdose [OPTIONS] COMMAND" in outcome.out and "not a medical device" in " ".join(outcome.out.split())
    assert all(re.search(rf"\b{name}\b  ", outcome.out) for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(organdose, command):
    outcome = organdose(command, "--help")
    assert outcome.status == 0
    assert f"organdose {command}" in outcome.out


# --- ct-dose


def test_a_dose_leaves_every_file_of_the_contract(good_run):
    assert good_run.outcome.status == 0, good_run.outcome.err
    expected = {"dose.nrrd", "uncertainty.nrrd", "density.nrrd", "organs.csv", "dvh.csv", "run.json", "report.html",
                "scene.mrb", "pictures", "dose_descriptors.csv", "slices.csv", "effective_dose.csv", "scan_range.csv"}
    assert {path.name for path in good_run.folder.iterdir()} == expected
    assert all(path.stat().st_size > 100 for path in good_run.folder.iterdir())
    assert len(list(good_run.folder.glob("pictures/*.png"))) >= 4
    assert {path.name for path in good_run.folder.parent.iterdir()} == {"ct", "result"}


def test_what_it_prints_is_where_the_results_are(good_run):
    for name in ("report.html", "scene.mrb", "organs.csv"):
        assert str(good_run.folder / name) in good_run.outcome.out
    assert "Monte Carlo: 100 %" in good_run.outcome.err


def test_the_dose_map_says_what_it_is_and_lies_on_its_grid(good_run):
    dose = sitk.ReadImage(str(good_run.folder / "dose.nrrd"))
    assert dose.GetMetaData("units") == "mGy"
    assert "dose" in dose.GetMetaData("quantity") and dose.GetMetaData("engine").startswith("mc ")
    assert dose.GetPixelID() == sitk.sitkFloat32
    assert dose.GetSize() == (32, 32, 8) and dose.GetSpacing() == (10.0, 10.0, 10.0)
    assert dose.GetOrigin() == pytest.approx((-155, -155, 0))
    uncertainty = sitk.ReadImage(str(good_run.folder / "uncertainty.nrrd"))
    assert uncertainty.GetMetaData("units") == "1"
    assert uncertainty.GetSize() == dose.GetSize() and uncertainty.GetPixelID() == sitk.sitkFloat32
    values = sitk.GetArrayFromImage(uncertainty)
    assert values.min() > 0 and values.max() <= 1


def test_the_tables_have_the_columns_of_the_contract(good_run):
    lines = (good_run.folder / "organs.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ORGAN_COLUMNS
    rows = {row["organ"]: row for row in csv.DictReader(lines)}
    assert list(rows) == ["body", "remainder", "bones"] and rows["body"]["snomed"] == "38266002"
    histogram = list(csv.DictReader((good_run.folder / "dvh.csv").open()))
    body = [(float(line["dose_mgy"]), float(line["volume_percent"])) for line in histogram if line["organ"] == "body"]
    assert body[0] == (0, 100) and all(a[1] >= b[1] for a, b in pairwise(body))
    assert body[-1][0] == pytest.approx(float(rows["body"]["max_mgy"]), rel=1e-3)


def test_the_mean_of_the_body_is_the_energy_in_it_by_its_mass(good_run):
    rows = {row["organ"]: row for row in csv.DictReader((good_run.folder / "organs.csv").open())}
    dose = sitk.GetArrayFromImage(sitk.ReadImage(str(good_run.folder / "dose.nrrd")))
    ct = sitk.GetArrayFromImage(sitk.ReadImage([str(path) for path in sorted(good_run.ct.iterdir())]))
    # Same grid as the CT, so every voxel is of one kind: water of 10 HU and bone of 700 HU.
    water, bone = dose[ct == 10].mean(), dose[ct == 700].mean()
    assert float(rows["bones"]["mean_mgy"]) == pytest.approx(bone, rel=1e-3)
    assert float(rows["remainder"]["mean_mgy"]) == pytest.approx(water, rel=1e-3)
    masses_g = [float(rows[name]["mass_g"]) for name in ("remainder", "bones")]
    assert float(rows["body"]["mass_g"]) == pytest.approx(sum(masses_g), rel=1e-3)
    assert float(rows["body"]["mean_mgy"]) == pytest.approx(np.average([water, bone], weights=masses_g), rel=1e-3)
    assert 8 < water < 20  # 10 mGy CTDIvol on a body of 21 cm: SSDE 17 mGy (AAPM 204) for a scan that is long


def test_the_same_arguments_give_the_same_numbers_and_another_seed_others(organdose, good_run, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})
    monkeypatch.setattr("organdose.jobs.ct_dose_files._write_scene", lambda *_, **__: None)
    for folder, seed in (("same", ()), ("other", ("--seed", 8))):
        assert organdose("ct-dose", good_run.ct, "-o", tmp_path / folder, *good_run.options, *seed).status == 0
    for name in ("organs.csv", "dvh.csv", "dose.nrrd", "uncertainty.nrrd"):
        first = (good_run.folder / name).read_bytes()
        assert (tmp_path / "same" / name).read_bytes() == first
        assert (tmp_path / "other" / name).read_bytes() != first


def test_the_report_stands_alone_and_names_nobody(good_run):
    html = (good_run.folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href|action|data)\s*=\s*["']?(?:https?:)?//""", html)
    assert not re.search(r"url\(\s*[\"']?(?!data:|#)|@import|<script[^>]+src", html)
    assert html.count("data:image/") >= 4
    for secret in (str(good_run.folder.parent), "Sorrow", "Margarethe", "hospital-number", "2.25.11", "2.25.21"):
        assert secret not in html
    assert "not a medical device" in html.lower() and "mGy" in html


def test_the_record_knows_the_inputs_the_seed_and_the_program(good_run):
    record = json.loads((good_run.folder / "run.json").read_text(encoding="utf-8"))
    assert record["job"]["engine_parameters"].items() >= {
        "scanner": "auto", "histories": 20000, "uncertainty_percent": None, "seed": 7, "device": "auto",
        "couch": "auto", "hu_curve": None, "contrast": "auto", "extend": "repeat"}.items()
    assert record["inputs"]["ct"]["files"] == 8 and len(record["inputs"]["ct"]["sha256"]) == 64
    assert record["facts"]["histories"] == 20000 and "not" in record["research_software"].lower()
    assert {"python", "numpy", "numba", "xraylib"} <= set(record["versions"])


def test_the_scene_is_a_bundle_with_a_scene_in_it(good_run):
    with zipfile.ZipFile(good_run.folder / "scene.mrb") as bundle:
        assert bundle.testzip() is None
        scene, = (name for name in bundle.namelist() if name.endswith(".mrml"))
        assert ElementTree.fromstring(bundle.read(scene)).tag == "MRML"
        assert not any(secret in bundle.read(scene).decode() for secret in ("Sorrow", "hospital-number"))


def test_an_earlier_result_is_replaced(organdose, good_run, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})
    monkeypatch.setattr("organdose.jobs.ct_dose_files._write_scene", lambda *_, **__: None)
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "run.json").write_text('{"organdose": "0", "task": "ct-dose", "job": {}}')
    (tmp_path / "result" / "old.txt").write_text("of the earlier run")
    outcome = organdose("ct-dose", good_run.ct, "-o", tmp_path / "result", *good_run.options)
    assert outcome.status == 0, outcome.err
    assert not (tmp_path / "result" / "old.txt").exists() and (tmp_path / "result" / "organs.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_scene_that_could_not_be_made_is_not_promised(organdose, good_run, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name == "slicer" else real(name, *more))
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})
    outcome = organdose("ct-dose", good_run.ct, "-o", tmp_path / "result", *good_run.options)
    assert outcome.status == 0 and "Scene:  not written, run.json says why" in outcome.out
    assert "slicer-core is not installed" in (tmp_path / "result" / "run.json").read_text()


def test_masks_and_protocol_of_other_files_are_used(organdose, tiny_volume, protocol, label_map, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})
    monkeypatch.setattr("organdose.jobs.ct_dose_files._write_scene", lambda *_, **__: None)
    outcome = organdose("ct-dose", tiny_volume(), "-o", tmp_path / "result", "--voxel-mm", 20, "--histories", 20000,
                        "--protocol", protocol(ctdivol_mgy=5), "--segmentation", label_map(),
                        "--organs", "spleen, liver")
    assert outcome.status == 0, outcome.err
    rows = list(csv.DictReader((tmp_path / "result" / "organs.csv").open()))
    assert [row["organ"] for row in rows] == ["spleen", "liver"]
    assert [float(row["volume_ml"]) for row in rows] == [72, 192]  # 3 x 6 x 4 and 4 x 8 x 6 voxels of 1 ml
    record = json.loads((tmp_path / "result" / "run.json").read_text())
    assert record["facts"]["ctdivol_mean_mgy"] == 5
    assert set(record["inputs"]) == {"ct", "protocol", "segmentation"}


# --- the other commands


def test_masks_are_drawn_and_what_was_not_found_is_said(organdose, tiny_ct, tmp_path):
    outcome = organdose("segment", tiny_ct(), "-o", tmp_path / "m.seg.nrrd", "--organs", "body")
    assert outcome.status == 0, outcome.err
    masks, findings = outcome.out.strip().splitlines()
    assert masks == f"{tmp_path / 'm.seg.nrrd'}: body"
    assert findings == f"{tmp_path / 'm.findings.csv'}: 0 findings"
    assert "lung_left: no left lung in the image" in outcome.err
    image = sitk.ReadImage(str(tmp_path / "m.seg.nrrd"))
    assert image.GetMetaData("Segment0_ID") == "body"
    assert np.count_nonzero(sitk.GetArrayFromImage(image)) == 2720  # voxels of the oval, and of nothing else


def test_masks_are_compared_in_the_columns_of_the_contract(organdose, label_map, tmp_path):
    shifted = label_map("shifted.nrrd", change=lambda image: sitk.CyclicShift(image, (1, 0, 0)))
    outcome = organdose("compare-masks", shifted, label_map(), "-o", tmp_path / "out.csv")
    assert outcome.status == 0, outcome.err
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == MASK_COLUMNS
    rows = {row["organ"]: row for row in csv.DictReader(lines)}
    # Boxes 6 and 4 voxels wide, moved by one: 5 of 6 and 3 of 4 are common.
    assert float(rows["liver"]["dice"]) == pytest.approx(5 / 6, rel=1e-4)
    assert float(rows["spleen"]["dice"]) == pytest.approx(3 / 4, rel=1e-4)
    assert float(rows["liver"]["volume_ml"]) == float(rows["liver"]["reference_volume_ml"]) == 192


def test_a_phantom_becomes_a_study(organdose, tmp_path, monkeypatch):
    from organdose.jobs import phantom_study

    tiny = functools.partial(phantom_study.write_phantom_study, pixels=48, z_range_mm=(300.0, 380.0))
    monkeypatch.setattr(phantom_study, "write_phantom_study", tiny)
    outcome = organdose("phantom", "adult-female", "-o", tmp_path / "p", "--slice-mm", 40, "--seed", 3)
    assert outcome.status == 0, outcome.err
    assert f"CT: {tmp_path / 'p' / 'ct'}" in outcome.out and len(list((tmp_path / "p" / "ct").iterdir())) >= 2
    assert json.loads((tmp_path / "p" / "truth" / "facts.json").read_text())["seed"] == 3


@pytest.mark.parametrize(("ours", "status", "told"), [
    (100.5, 0, "Every row is inside"), (103, 1, "1 row is outside its tolerance")])
def test_validation_fails_when_a_row_is_outside_its_tolerance(organdose, tmp_path, monkeypatch, ours, status, told):
    def suite(histories, progress):
        return [Comparison("a", 100.0, 0.0, {"code": 100.0}, 100.0, 1.0),
                Comparison("b", ours, 0.0, {"code": 100.0}, 100.0, 1.0)]
    monkeypatch.setattr("organdose.validation.suites.SUITES", {"ours": suite})
    outcome = organdose("validate", "all", "-o", tmp_path / "v")
    assert outcome.status == status
    assert told in outcome.out + outcome.err
    assert {path.name for path in (tmp_path / "v").iterdir()} == {"ours.csv", "run.json"}


def test_the_benchmark_prints_a_line_for_each_figure(organdose, monkeypatch):
    measured = {"benchmark.run_benchmark": ["a: 1 /s", "b: 2 s"], "nuclear_benchmark.run_nuclear_benchmark": ["c: 3 s"],
                "internal_dose_benchmark.run_internal_dose_benchmark": ["vsv: 4 s"],
                "segmentation_benchmark.run_segmentation_benchmark": ["masks: 5 s"],
                "edit_benchmark.run_edit_benchmark": ["edit: 3 ms"],
                "window_benchmark.run_window_benchmark": ["window: 4 ms"]}
    for name, lines in measured.items():
        monkeypatch.setattr(f"organdose.validation.{name}", lambda *_, lines=lines: lines)
    outcome = organdose("benchmark")
    assert (outcome.status, outcome.out) == (0, "a: 1 /s\nb: 2 s\nc: 3 s\nvsv: 4 s\nmasks: 5 s\nedit: 3 ms\n"
                                               "window: 4 ms\n")


# --- stopped, or wrong


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["Monte Carlo", "pictures"])
def test_a_signal_stops_the_work_within_seconds_and_leaves_nothing(good_run, tmp_path, number, stage):
    histories = "1000000000" if stage == "Monte Carlo" else "20000"
    process = subprocess.Popen(
        [*_STARTED, "ct-dose", str(good_run.ct), "-o", str(tmp_path / "new" / "result"), "--voxel-mm", "10",
         "--histories", histories], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=_environment(good_run.cache))
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith(f"{stage}: "):
            process.send_signal(number)
            break
    started = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - started < 20  # on a busy machine; a second or two otherwise
    assert process.returncode == 130, "".join(lines) + err
    assert err.splitlines()[-1] == "organdose: cancelled, nothing was written"
    assert out == "" and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def _environment(cache):
    return {**os.environ, "ORGANDOSE_CACHE": str(cache)}


@pytest.mark.parametrize(("arguments", "told"), [
    (("ct-dose", "nowhere", "-o", "result"), "nowhere: there is no such file or folder. Check the path of the CT."),
    (("segment", "nowhere", "-o", "m.nii"), "m.nii: masks are written as .seg.nrrd. Give -o a name with that ending."),
    (("weigh",), "No such command 'weigh'. See organdose --help.")])
def test_a_process_of_its_own_refuses_with_one_line_too(tmp_path, arguments, told):
    done = subprocess.run([*_STARTED, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"organdose: {told}\n")
    assert list(tmp_path.iterdir()) == []


def _break(monkeypatch, error):
    def broken(*_, **__):
        raise error
    monkeypatch.setattr("organdose.jobs.ct_dose_job.dose_grid", broken)


def test_a_fault_of_the_program_is_one_line_and_status_1(organdose, good_run, tmp_path, monkeypatch):
    monkeypatch.delenv("ORGANDOSE_DEBUG", raising=False)
    _break(monkeypatch, ZeroDivisionError("over\nseveral\nlines"))
    outcome = organdose("ct-dose", good_run.ct, "-o", tmp_path / "result", *good_run.options)
    assert outcome.status == 1 and outcome.out == ""
    assert "organdose: unexpected ZeroDivisionError: over several lines. Set ORGANDOSE_DEBUG" in outcome.message
    assert "Traceback" not in outcome.err and list(tmp_path.iterdir()) == []


def test_a_developer_sees_where_the_fault_is(good_run, tmp_path, monkeypatch, cheap_calibration):
    from organdose import cli

    monkeypatch.setenv("ORGANDOSE_DEBUG", "1")
    _break(monkeypatch, ZeroDivisionError("here"))
    with pytest.raises(ZeroDivisionError, match="here"):
        cli.main(["ct-dose", str(good_run.ct), "-o", str(tmp_path / "result"), *good_run.options])


def test_too_little_memory_says_what_helps(organdose, good_run, tmp_path, monkeypatch):
    _break(monkeypatch, MemoryError())
    outcome = organdose("ct-dose", good_run.ct, "-o", tmp_path / "result", *good_run.options)
    assert outcome.status == 1
    assert "not enough memory" in outcome.message and "--voxel-mm" in outcome.message
