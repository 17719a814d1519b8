"""Options that mean nothing, places that cannot be written: refused in one line, before the work, nothing left."""

import errno
import importlib
import json
import resource

import pytest

from organdose.resources import resource_path


@pytest.fixture
def dose_refused(refused, tiny_ct, tmp_path):
    """Asks for the dose of the good CT with options that must be refused."""
    def run(*options, words, out=None):
        return refused("ct-dose", tiny_ct(), "-o", out or tmp_path / "result", *options, words=words)
    return run


# --- usage


@pytest.mark.parametrize(("arguments", "words"), [
    ((), ("no command given", "organdose --help")), (("weigh",), ("No such command 'weigh'", "organdose --help")),
    (("ct-dose",), ("Missing argument 'ct'", "organdose --help")),
    (("ct-dose", "ct"), ("Missing option", "--out", "organdose --help")),
    (("ct-dose", "ct", "-o", "x", "--fast"), ("No such option: --fast", "organdose --help")),
    (("ct-dose", "ct", "-o", "x", "--voxel-mm", "big"), ("--voxel-mm", "valid number", "organdose --help")),
    (("segment", "ct", "-o"), ("requires an argument", "organdose --help")),
    (("phantom",), ("Missing argument", "organdose --help"))])
def test_wrong_usage_says_what_is_missing_or_unknown(organdose, arguments, words):
    outcome = organdose(*arguments)
    assert outcome.status == 2
    line, = outcome.err.splitlines()
    assert line.startswith("organdose: ")
    assert all(word in line for word in words), line


# --- values


@pytest.mark.parametrize(("options", "words"), [
    (("--voxel-mm", 0), ("--voxel-mm", "0.5", "given: 0")), (("--voxel-mm", -5), ("--voxel-mm", "given: -5")),
    (("--voxel-mm", 100), ("--voxel-mm", "20", "given: 100")), (("--voxel-mm", "nan"), ("--voxel-mm", "given: nan")),
    (("--uncertainty", -1), ("--uncertainty", "greater than 0", "given: -1")),
    (("--uncertainty", 0), ("--uncertainty", "given: 0")), (("--uncertainty", "nan"), ("--uncertainty", "given: nan")),
    (("--histories", 0), ("--histories", "1000", "given: 0")), (("--histories", -5), ("--histories", "given: -5")),
    (("--seed", -1), ("--seed", "given: -1")), (("--device", "gpu"), ("--device", "'cpu'", "given: gpu")),
    (("--start-angle", "north"), ("--start-angle", "'averaged'")), (("--fixed-ma", "0"), ("--fixed-ma", "0")),
    (("--engine", "magic"), ("unknown CT dose engine 'magic'", "Engines: mc")),
    (("--scanner", "somatom"), ("unknown scanner 'somatom'", "generic", "JSON"))])
def test_a_value_that_means_nothing_names_its_option(dose_refused, options, words):
    dose_refused(*options, words=words)


@pytest.mark.parametrize("names", ["livr", "liver,", "", ","])
def test_organs_that_cannot_be_shown_are_refused(dose_refused, names):
    message = dose_refused("--organs", names, "--histories", 2000, "--voxel-mm", 10,
                           words="livr" if names == "livr" else "")
    assert "body" in message or "organ" in message


@pytest.mark.parametrize("names", ["livr", "", "body,,livr"])
def test_segmenting_an_unknown_organ_suggests_known_ones(refused, tiny_ct, tmp_path, names):
    refused("segment", tiny_ct(), "-o", tmp_path / "m.seg.nrrd", "--organs", names,
            words=("livr", "Did you mean liver") if names else "--organs")


def test_segmenting_an_organ_the_engine_cannot_draw_lists_what_it_can(refused, tiny_ct, tmp_path):
    refused("segment", tiny_ct(), "-o", tmp_path / "m.seg.nrrd", "--organs", "spleen",
            words=("'spleen'", "It draws: body, lung_left"))


@pytest.mark.parametrize(("options", "words"), [
    (("--engine", "magic"), ("unknown segmentation engine 'magic'", "Known: analytic")),
    (("--model", "net.pt"), ("analytic engine has no use for --model net.pt", "Leave it out")),
    (("--device", "cuda"), ("--device cuda", "Leave it out")), (("--device", "gpu"), ("--device gpu", "Leave it out"))])
def test_segmenting_with_options_the_engine_has_no_use_for_is_refused(refused, tiny_ct, tmp_path, options, words):
    refused("segment", tiny_ct(), "-o", tmp_path / "m.seg.nrrd", *options, words=words)


# --- scanner definitions


@pytest.fixture
def scanner(tmp_path):
    """Writes the generic scanner with fields changed (None: left out), or a text."""
    def write(text=None, **changed):
        fields = json.loads(resource_path("scanners", "generic.json").read_text()) | changed
        path = tmp_path / "scanner.json"
        path.write_text(text if text is not None else json.dumps({k: v for k, v in fields.items() if v is not None}))
        return path
    return write


@pytest.mark.parametrize(("changed", "told"), [
    ({"fan_angle_deg": 500}, "fan_angle_deg"), ({"focus_isocentre_mm": None}, "focus_isocentre_mm"),
    ({"colour": "white"}, "colour"), ({"bowties": {"body": {"material": "Pb"}}}, "bowties.body"),
    ({"source": ""}, "source")])
def test_a_wrong_scanner_field_is_named(dose_refused, scanner, changed, told):
    dose_refused("--scanner", scanner(**changed), words=("scanner.json", told, "Correct that field"))


@pytest.mark.parametrize("text", ["{", "[]", "3", ""])
def test_a_scanner_file_that_is_something_else_is_refused(dose_refused, scanner, text):
    dose_refused("--scanner", scanner(text=text), words=("scanner.json", "Correct"))


def test_a_filter_of_an_unknown_material_is_refused(dose_refused, scanner):
    dose_refused("--scanner", scanner(filtration_mm={"Pb": 1}), words=("'Pb'", "Al, Cu"))


def test_a_scanner_file_that_is_not_there_is_named(dose_refused, tmp_path):
    dose_refused("--scanner", tmp_path / "no.json", words=("no.json", "cannot read", "Check the path"))


# --- places to write to


@pytest.mark.parametrize("command", ["ct-dose", "segment", "phantom", "demo", "validate", "compare-masks"])
def test_a_place_below_a_file_cannot_be_written(refused, tiny_ct, label_map, tmp_path, command):
    (tmp_path / "notes.txt").write_text("a file")
    place = tmp_path / "notes.txt" / "deep"
    ct, masks = tiny_ct(), label_map()
    inputs = {"ct-dose": (ct,), "segment": (ct,), "phantom": ("adult-male",), "validate": ("tg195",), "demo": (),
              "compare-masks": (masks, masks)}
    refused(command, *inputs[command],
            "-o", place / "m.seg.nrrd" if command == "segment" else place, words=("notes.txt", "older"))


def test_no_permission_to_write_is_told_before_the_work(dose_refused, monkeypatch, tmp_path):
    def forbidden(*_, **__):  # root, who may run these tests, may write anywhere
        raise PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr("tempfile.mkdtemp", forbidden)
    monkeypatch.setattr("organdose.jobs.ct_dose_job.read_ct", None)
    dose_refused(words=(str(tmp_path / "result"), "Permission denied", "another folder"))


def test_a_place_that_cannot_be_written_is_told_before_the_work(dose_refused, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_job.read_ct", None)
    dose_refused(out="/proc/organdose-result", words=("/proc", "another folder"))


def test_a_folder_with_other_peoples_files_is_left_alone(refused, tiny_ct, tmp_path):
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("mine")
    for command in (("ct-dose", tiny_ct()), ("phantom", "adult-male"), ("validate", "tg195")):
        refused(*command, "-o", thesis, words=(str(thesis), "older"))
    ct = tiny_ct()
    refused("ct-dose", ct, "-o", ct, words=(str(ct), "not a result"))
    assert (thesis / "chapter.txt").read_text() == "mine"


def test_a_file_in_the_place_of_the_result_is_left_alone(dose_refused, tmp_path):
    (tmp_path / "result").write_text("mine")
    dose_refused(words=("result", "is a file", "another folder"))


def test_an_output_name_longer_than_any_file_system_has_is_refused(dose_refused, tmp_path):
    dose_refused(out=tmp_path / ("x" * 300), words=("ame too long", "another folder"))


def test_masks_are_written_under_the_ending_slicer_knows(refused, tiny_ct, tmp_path):
    refused("segment", tiny_ct(), "-o", tmp_path / "masks.nii.gz", words=("masks.nii.gz", ".seg.nrrd"))


@pytest.fixture
def no_pictures(monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})
    monkeypatch.setattr("organdose.jobs.ct_dose_files._write_scene", lambda *_, **__: None)


@pytest.mark.parametrize("place", [
    "organdose.jobs.ct_dose_files.write_organs_csv", "organdose.jobs.ct_dose_files.write_report",
    "organdose.jobs.record.RunRecord.write", "organdose.jobs.result_folder._swap"])
def test_a_full_disk_leaves_nothing(dose_refused, monkeypatch, no_pictures, tmp_path, place):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(place, full)
    dose_refused("--histories", 2000, "--voxel-mm", 10,
                 words=(str(tmp_path / "result"), "No space left on device", "Make room"))


@pytest.fixture
def small_disk(monkeypatch):
    """Lets no file grow beyond a size while a function runs, as a quota does: a full disk for C++ libraries too."""
    def during(place, size_bytes):
        module, name = place.rsplit(".", 1)
        function = getattr(importlib.import_module(module), name)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def limited(*arguments, **named):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
            try:
                return function(*arguments, **named)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
        monkeypatch.setattr(place, limited)
    return during


@pytest.mark.parametrize("size_bytes", [100, 4_000, 8_000])
def test_a_dose_map_that_does_not_fit_on_the_disk_leaves_nothing(dose_refused, small_disk, no_pictures, size_bytes):
    small_disk("organdose.jobs.ct_dose_files.write_map", size_bytes)
    dose_refused("--histories", 2000, "--voxel-mm", 10, words=("result", "dose.nrrd could not be written", "Make room"))


def test_pictures_that_do_not_fit_on_the_disk_leave_nothing(dose_refused, small_disk):
    small_disk("organdose.jobs.ct_dose_files.write_pictures", 40_000)
    dose_refused("--histories", 2000, "--voxel-mm", 10, words=("result", "Make room"))


@pytest.mark.parametrize("size_bytes", [1_000, 50_000])
def test_a_scene_that_does_not_fit_on_the_disk_leaves_nothing(dose_refused, small_disk, monkeypatch, size_bytes):
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})
    small_disk("organdose.scene.ct_dose_scene.save_scene", size_bytes)
    dose_refused("--histories", 2000, "--voxel-mm", 10, words=("scene", "disk"))


@pytest.mark.parametrize("size_bytes", [100, 300])
def test_masks_that_do_not_fit_on_the_disk_leave_nothing(refused, tiny_ct, tmp_path, small_disk, size_bytes):
    small_disk("organdose.jobs.segment_job.write_seg_nrrd", size_bytes)
    refused("segment", tiny_ct(), "-o", tmp_path / "m.seg.nrrd",
            words=("m.seg.nrrd", "could not be written", "free some space"))


# --- phantom, validate, demo


@pytest.mark.parametrize(("arguments", "words"), [
    (("adult-cat",), ("adult-cat", "adult-male")), (("adult-male", "--region", "tail"), ("'tail'", "trunk")),
    (("adult-male", "--seed", -1), ("seed", "-1")), (("adult-male", "--slice-mm", 0), ("slice", "0")),
    (("adult-male", "--slice-mm", "nan"), ("slice", "nan"))])
def test_a_phantom_nobody_can_make_is_refused(refused, tmp_path, arguments, words):
    refused("phantom", *arguments, "-o", tmp_path / "phantom", words=words)


def test_an_unknown_validation_suite_is_answered_with_those_there_are(refused, tmp_path):
    refused("validate", "tg1950", "-o", tmp_path / "v",
            words=("unknown validation suite 'tg1950'", "tg195, ctdi, svalues, fdg, vsv, segmentation, all"))


def test_validation_without_the_published_tables_says_where_they_go(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr("organdose.validation.comparison.__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.chdir(tmp_path)
    refused("validate", "tg195", "-o", tmp_path / "v", words=("tg195.json is not here", "ORGANDOSE_DATA"))


def test_validation_with_too_few_photons_is_refused(refused, tmp_path, shared_reference):
    refused("validate", "tg195", "-o", tmp_path / "v", "--histories", 0, words=("--histories", "0"))


def test_a_demo_with_too_few_photons_is_refused_before_the_phantom_is_drawn(refused, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.demo.write_phantom_study", None)
    refused("demo", "-o", tmp_path / "demo", "--histories", 0, words=("--histories", "given: 0"))
