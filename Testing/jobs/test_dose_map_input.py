"""Dose maps from files and result folders: units, uncertainty, and files that cannot be used."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.jobs.dose_map_input import other_ct, read_dose_map, same_noise, stated_percent

ORGANS = ("organ,snomed,volume_ml,mass_g,mean_mgy,uncertainty_percent,sd_mgy,min_mgy,max_mgy,d98_mgy,d50_mgy,d2_mgy,"
          "in_image_percent,note\nliver,1,10,10,5.0,1.5,1,1,9,2,5,8,100,\nspleen,2,10,10,4.0,,1,1,9,2,5,8,100,\n")


def _write(path, dose=5.0, units="mGy", shape=(4, 5, 6), **header):
    image = sitk.GetImageFromArray(np.full(shape, dose, np.float32))
    image.SetSpacing((2.0, 2.0, 3.0))
    for key, value in ({"units": units} if units else {} | header).items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))
    return path


def _result(folder, seed=1, ct="abc"):
    folder.mkdir()
    _write(folder / "dose.nrrd")
    _write(folder / "uncertainty.nrrd", 0.02, "1")
    (folder / "organs.csv").write_text(ORGANS)
    (folder / "run.json").write_text(json.dumps({
        "job": {"engine_parameters": {"seed": seed}}, "facts": {"engine": "mc 0.1"}, "inputs": {"ct": {"sha256": ct}}}))
    return folder


@pytest.mark.parametrize(("units", "dose_mgy"), [("mGy", 5.0), ("Gy", 5000.0), ("cGy", 50.0), ("uGy", 0.005)])
def test_a_map_is_read_in_the_unit_its_file_says(tmp_path, units, dose_mgy):
    read = read_dose_map(_write(tmp_path / "d.nrrd", 5.0, units), "test")
    assert sitk.GetArrayFromImage(read.image)[0, 0, 0] == pytest.approx(dose_mgy)
    assert read.image.GetSpacing() == (2.0, 2.0, 3.0)
    assert bool(read.notes) == (units != "mGy") and (not read.notes or f"from {units} to mGy" in read.notes[0])


def test_a_file_that_says_no_unit_needs_one_and_one_that_does_is_not_overruled(tmp_path):
    silent = _write(tmp_path / "d.nii.gz", units="")
    with pytest.raises(InputError, match=r"does not say the unit.*--units: mGy, Gy"):
        read_dose_map(silent, "test")
    assert sitk.GetArrayFromImage(read_dose_map(silent, "test", "Gy").image).max() == pytest.approx(5000)
    with pytest.raises(InputError, match="says its unit is mGy, --units says Gy"):
        read_dose_map(_write(tmp_path / "e.nrrd"), "test", "Gy")
    with pytest.raises(InputError, match="doses in 'g/cm3'"):
        read_dose_map(_write(tmp_path / "f.nrrd", units="g/cm3"), "test")


def test_a_result_folder_brings_uncertainty_table_and_record(tmp_path):
    folder = _result(tmp_path / "run")
    for path in (folder, folder / "dose.nrrd"):
        read = read_dose_map(path, "test")
        assert sitk.GetArrayFromImage(read.relative_uncertainty).max() == pytest.approx(0.02)
        assert len(read.organs) == 2 and read.record["facts"]["engine"] == "mc 0.1"
        assert {file.name for file in read.files} == {"dose.nrrd", "uncertainty.nrrd", "organs.csv"}
    alone = read_dose_map(_write(tmp_path / "dose.nrrd"), "test")
    assert alone.relative_uncertainty is None and alone.record == {}


def test_the_tables_uncertainty_holds_for_the_same_organ_only(tmp_path):
    read = read_dose_map(_result(tmp_path / "run"), "test")
    assert stated_percent(read, {"liver": 5.05, "spleen": 4.0}) == {"liver": 1.5}
    assert stated_percent(read, {"liver": 6.0}) == {}, "other masks: its mean is not the table's"


def test_runs_with_one_seed_and_runs_on_other_cts_are_noticed(tmp_path):
    one, two, three = (read_dose_map(_result(tmp_path / name, seed, ct), "test")
                       for name, seed, ct in (("a", 1, "abc"), ("b", 2, "abc"), ("c", 1, "xyz")))
    assert same_noise(one, three) and not same_noise(one, two)
    assert other_ct(one, three) and not other_ct(one, two)
    alone = read_dose_map(_write(tmp_path / "d.nrrd"), "test")
    assert not same_noise(one, alone) and not other_ct(one, alone)


def test_what_is_no_dose_map_is_refused_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.nrrd").write_text("NRRD0004\ntype: float\n")
    (tmp_path / "plan.dcm").write_bytes(b"x")
    for path, told in ((tmp_path / "none.nrrd", "no such file"), (tmp_path / "empty", r"no dose\.nrrd"),
                       (tmp_path / "text.nrrd", "truncated, damaged"), (tmp_path / "plan.dcm", "NRRD or NIfTI")):
        with pytest.raises(InputError, match=told) as caught:
            read_dose_map(path, "test")
        assert "\n" not in str(caught.value)


def test_a_result_folder_that_is_damaged_is_told(tmp_path):
    folder = _result(tmp_path / "run")
    _write(folder / "uncertainty.nrrd", 0.02, "1", shape=(3, 3, 3))
    with pytest.raises(InputError, match="another grid"):
        read_dose_map(folder, "test")
    (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match="record cannot be read"):
        read_dose_map(folder, "test")


def test_a_unit_that_is_given_is_for_the_map_that_does_not_say_its_own(tmp_path):
    from organdose.jobs.dose_map_input import read_dose_maps

    ours, foreign = _write(tmp_path / "ours.nrrd", 5.0), _write(tmp_path / "foreign.nrrd", 0.005, units="")
    test, reference = read_dose_maps(ours, foreign, "Gy")
    assert sitk.GetArrayFromImage(test.image).max() == pytest.approx(5.0)
    assert sitk.GetArrayFromImage(reference.image).max() == pytest.approx(5.0)
    with pytest.raises(InputError, match="says its unit is mGy, --units says Gy"):
        read_dose_maps(ours, ours, "Gy")
    with pytest.raises(InputError, match="no such file"):
        read_dose_maps(ours, tmp_path / "gone.nrrd", "Gy")
