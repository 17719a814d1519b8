"""organdose compare as a person meets it."""

import numpy as np
import pytest
import SimpleITK as sitk


def _write(path, dose, units="mGy", origin=(0.0, 0.0, 0.0)):
    image = sitk.GetImageFromArray(np.asarray(dose, np.float32))
    image.SetSpacing((5.0, 5.0, 5.0))
    image.SetOrigin(origin)
    if units:
        image.SetMetaData("units", units)
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def dose():
    z, y, x = np.ogrid[:8, :10, :12]
    return 10 * np.exp(-((y - 5) ** 2 + (x - 6) ** 2) / 40) + 0 * z


@pytest.fixture
def maps(tmp_path, dose):
    return _write(tmp_path / "test.nrrd", 1.01 * dose), _write(tmp_path / "reference.nrrd", dose)


@pytest.fixture(autouse=True)
def no_scene(monkeypatch):
    monkeypatch.setattr("organdose.jobs.compare_files._write_scene", lambda *_: None)


def test_two_maps_are_compared_and_the_main_figures_printed(organdose, maps, tmp_path):
    outcome = organdose("compare", *maps, "-o", tmp_path / "out", "--gamma-mm", "2", "--gamma-percent", "3")
    assert outcome.status == 0, outcome.err
    assert "RE 1 %" in outcome.out and "Gamma 3 %/2 mm global: 100.0 % pass" in outcome.out
    assert str(tmp_path / "out") in outcome.out and (tmp_path / "out" / "comparison.csv").is_file()
    assert (tmp_path / "out" / "pictures" / "axial.png").is_file()


def test_a_list_of_pairs_is_compared(organdose, maps, tmp_path):
    (tmp_path / "pairs.csv").write_text("test,reference\ntest.nrrd,reference.nrrd\n")
    outcome = organdose("compare", "--cohort", tmp_path / "pairs.csv", "-o", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert "1 pairs" in outcome.out and (tmp_path / "out" / "cohort.csv").is_file()


def test_warnings_reach_the_person(organdose, tmp_path, dose):
    holes = dose.copy()
    holes[0, 5, 6] = np.nan
    outcome = organdose("compare", _write(tmp_path / "t.nrrd", holes), _write(tmp_path / "r.nrrd", dose),
                        "-o", tmp_path / "out")
    assert outcome.status == 0 and "Warning: 1 voxels were left out" in outcome.err


def test_options_that_do_not_go_together_are_refused(refused, maps, tmp_path):
    out = ("-o", tmp_path / "out")
    refused("compare", *out, words="two dose maps are needed")
    refused("compare", maps[0], *out, words="two dose maps are needed")
    (tmp_path / "pairs.csv").write_text("test,reference\n")
    refused("compare", *maps, "--cohort", tmp_path / "pairs.csv", *out, words="together with single maps")
    refused("compare", *maps, *out, "--gamma-mm", "0", words="--gamma-mm")
    refused("compare", *maps, *out, "--units", "Sv", words="--units")
    refused("compare", *maps, *out, "--low-dose-percent", "100", words="--low-dose-percent")


def test_maps_that_cannot_be_compared_are_refused(refused, tmp_path, dose):
    good, out = _write(tmp_path / "good.nrrd", dose), ("-o", tmp_path / "out")
    refused("compare", good, _write(tmp_path / "zero.nrrd", 0 * dose), *out, words="zero everywhere")
    refused("compare", good, _write(tmp_path / "silent.nrrd", dose, ""), *out, words=("silent.nrrd", "--units"))
    refused("compare", good, _write(tmp_path / "far.nrrd", dose, origin=(900.0, 0, 0)), *out,
            words="no voxel in common")
    refused("compare", good, tmp_path / "none.nrrd", *out, words=("none.nrrd", "no such file"))
