"""The parts of an examination added up: sums, grids, what parts lack, folders that are no parts."""

import csv
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import schneider2000
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.export.image_file import write_map
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.export.tables import read_organs_csv, write_dvh_csv, write_organs_csv
from organdose.jobs.record import RunRecord
from organdose.jobs.tasks import task
from organdose.jobs.total_job import TotalJob, alpha_emitters, run_total

CT_GRID = ((10.0, 10.0, 10.0), (-75.0, -55.0, -75.0), (16, 12, 16))  # spacing, origin, size (x, y, z)
PET_GRID = ((4.0, 4.0, 4.0), (-81.0, -60.5, -83.0), (41, 31, 42))


def rising(z, y, x):
    return 5 + 0.02 * (z + 100)


def hot_liver(z, y, x):
    return 1 + 20 * np.exp(-((x + 30) ** 2 + y ** 2 + z ** 2) / 2 / 25 ** 2)


@dataclass
class Patient:
    """An ellipsoid of muscle with two organs on a CT of 4 x 4 x 5 mm."""

    ct: sitk.Image
    masks: OrganMasks

    @classmethod
    def made(cls):
        hu = np.full((34, 32, 42), -1000, np.int16)
        z, y, x = np.meshgrid(5 * (np.arange(34) - 16.5), 4 * (np.arange(32) - 15.5), 4 * (np.arange(42) - 20.5),
                              indexing="ij")
        body = (x / 74) ** 2 + (y / 54) ** 2 + (z / 76) ** 2 < 1
        hu[body] = 40
        ct = sitk.GetImageFromArray(hu)
        ct.SetSpacing((4.0, 4.0, 5.0))
        ct.SetOrigin((-82.0, -62.0, -82.5))
        masks = OrganMasks(ct, origin="drawn by the test")
        masks.add("body", body)
        masks.add("liver", body & (np.hypot(np.hypot(x + 25, y), z) < 30))
        masks.add("spleen", body & (np.hypot(np.hypot(x - 35, y), z) < 18))
        return cls(ct, masks)

    @property
    def density(self) -> np.ndarray:
        return schneider2000().density_g_cm3(sitk.GetArrayViewFromImage(self.ct)).astype(np.float32)

    def files(self, folder: Path) -> tuple[Path, Path]:
        sitk.WriteImage(self.ct, str(folder / "ct.nrrd"))
        write_seg_nrrd(self.masks, folder / "masks.seg.nrrd")
        return folder / "ct.nrrd", folder / "masks.seg.nrrd"


@pytest.fixture(scope="module")
def patient() -> Patient:
    return Patient.made()


@pytest.fixture
def part_of(patient, tmp_path):
    """Writes a result folder with the dose `of(z, y, x)` (mGy at mm) on a grid, and gives its path."""
    def write(name: str, of, grid, kind="ct-dose", *, organs=None, change=lambda row: row, shift_mm=0.0,
              uncertainty: float | None = 0.1, facts=None, job=None, inputs=None, units="mGy") -> Path:
        spacing, origin, size = grid
        image = sitk.Image(size, sitk.sitkFloat32)
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        density = sitk.GetImageFromArray(patient.density.astype(np.float64))
        density.CopyInformation(patient.ct)
        density_there = sitk.GetArrayFromImage(averaged_onto(density, image)).astype(np.float32)
        axes = [origin[a] + spacing[a] * np.arange(size[a]) for a in (2, 1, 0)]
        values = np.broadcast_to(of(*np.meshgrid(*axes, indexing="ij")), density_there.shape) * (density_there > 0.05)
        dose = sitk.GetImageFromArray(values.astype(np.float32))
        dose.CopyInformation(image)
        weights = organ_weights(patient.masks, patient.density, image, organs=organs)
        # A map that was made elsewhere in the room: the masks went with it.
        moved = DoseMap(dose, density_there, f"{kind} test")
        stated = dict.fromkeys(weights.names, 0.03) if uncertainty is not None else {}
        moved = replace(moved, organ_relative_uncertainty=stated)
        rows, histograms = organ_table(moved, weights), dose_volume_histograms(moved, weights)
        for each in (dose, image):
            each.SetOrigin((origin[0] + shift_mm, *origin[1:]))
        folder = tmp_path / name
        folder.mkdir()
        header = {"quantity": "absorbed dose", "engine": f"{kind} test"}
        write_map(dose, folder / "dose.nrrd", units=units, **header)
        for file, content in (("density", density_there),
                              *([("uncertainty", np.full_like(density_there, uncertainty))] if uncertainty else [])):
            other = sitk.GetImageFromArray(content)
            other.CopyInformation(dose)
            write_map(other, folder / f"{file}.nrrd", **header)
        write_organs_csv(folder / "organs.csv", [change(row) for row in rows])
        write_dvh_csv(folder / "dvh.csv", histograms)
        record = RunRecord(kind, job or {}, inputs=inputs or {}, facts=facts or {})
        record.write(folder / "run.json")
        return folder
    return write


@pytest.fixture(autouse=True)
def few_pictures(request, monkeypatch):
    """Pictures cost half of the time: only where a test looks at them."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr("organdose.jobs.total_files._pictures", lambda *_: {})


@pytest.fixture
def drawn():
    """Asks for the pictures."""


@pytest.fixture
def both(part_of):
    """A CT dose of 10 mm voxels and an internal dose of 4 mm voxels."""
    return (part_of("ct", rising, CT_GRID, job={"engine": "mc", "engine_parameters": {"seed": 1}}),
            part_of("pet", hot_liver, PET_GRID, "internal-dose",
                    facts={"radionuclide": "F-18", "administered_mbq": 200.0}))


def lines_of(path: Path) -> dict[str, dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return {line["organ"]: line for line in csv.DictReader(file)}


def run(tmp_path, folders, **changed):
    return run_total(TotalJob(folders=folders, out=tmp_path / "sum", **changed))


def energy_mj(folder: Path) -> float:
    dose, density = (sitk.ReadImage(str(folder / f"{name}.nrrd")) for name in ("dose", "density"))
    gram = sitk.GetArrayFromImage(density).astype(float) * math.prod(dose.GetSpacing()) / 1000
    return float((sitk.GetArrayFromImage(dose) * gram).sum()) * 1e-6


def test_organs_are_the_sums_of_the_parts_and_shares_add_up(tmp_path, both):
    run(tmp_path, both)
    parts = [{row.organ: row for row in read_organs_csv(folder / "organs.csv")} for folder in both]
    lines = lines_of(tmp_path / "sum" / "total.csv")
    assert list(lines) == list(parts[0])
    for organ, line in lines.items():
        means = [part[organ].mean_mgy for part in parts]
        assert [float(line["ct_mgy"]), float(line["internal_mgy"])] == pytest.approx(means, rel=1e-4)
        assert float(line["total_mgy"]) == pytest.approx(sum(means), rel=1e-4)
        assert float(line["ct_percent"]) + float(line["internal_percent"]) == pytest.approx(100, abs=0.01)
        # Both state 3 %.
        assert float(line["uncertainty_percent"]) == pytest.approx(3 * math.hypot(*means) / sum(means), rel=1e-3)
        assert line["is_whole"] == "yes"
    table = {row.organ: row for row in read_organs_csv(tmp_path / "sum" / "organs.csv")}
    assert table["liver"].mean_mgy == pytest.approx(float(lines["liver"]["total_mgy"]))


def test_the_energy_is_kept_on_other_grids(tmp_path, both):
    run(tmp_path, both)
    assert energy_mj(tmp_path / "sum") == pytest.approx(sum(map(energy_mj, both)), rel=0.01)
    summed = sitk.ReadImage(str(tmp_path / "sum" / "dose.nrrd"))
    assert summed.GetSpacing() == (4.0, 4.0, 4.0) and summed.GetMetaData("units") == "mGy"


def test_the_energy_is_kept_where_the_internal_dose_is_the_coarser(tmp_path, part_of):
    folders = (part_of("ct", rising, PET_GRID), part_of("pet", hot_liver, CT_GRID, "internal-dose"))
    run(tmp_path, folders)
    assert energy_mj(tmp_path / "sum") == pytest.approx(sum(map(energy_mj, folders)), rel=0.01)


def test_maps_on_one_grid_are_added_voxel_by_voxel(tmp_path, part_of):
    folders = (part_of("ct", rising, CT_GRID, uncertainty=0.3), part_of("pet", hot_liver, CT_GRID, "internal-dose",
                                                                      uncertainty=0.4))
    run(tmp_path, folders)
    one, other, both = (sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "dose.nrrd")))
                        for folder in (*folders, tmp_path / "sum"))
    assert np.allclose(both, one + other, rtol=1e-5)
    sigma = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "sum" / "uncertainty.nrrd")))
    held = both > 0
    assert np.allclose(sigma[held], np.hypot(0.3 * one, 0.4 * other)[held] / both[held], rtol=1e-4)
    assert np.all(sigma[~held] == 1)


def test_the_table_of_the_summed_map_agrees_with_the_summed_tables(tmp_path, both, patient, drawn):
    ct, masks = patient.files(tmp_path)
    result = run(tmp_path, both, ct=ct, segmentation=masks)
    weights = organ_weights(patient.masks, patient.density, result.map.dose.dose_mgy)
    for row, total in zip(organ_table(result.map.dose, weights), result.totals, strict=True):
        assert row.organ == total.organ
        assert row.mean_mgy == pytest.approx(total.total_mgy, rel=0.03)
    table = {row.organ: row for row in read_organs_csv(tmp_path / "sum" / "organs.csv")}
    assert table["liver"].d98_mgy < table["liver"].mean_mgy < table["liver"].d2_mgy < table["liver"].max_mgy
    assert (tmp_path / "sum" / "dvh.csv").exists()
    assert {file.name for file in (tmp_path / "sum" / "pictures").iterdir()} == {"shares.png", "dose.png", "dvh.png"}


def test_without_masks_the_spread_is_left_open_and_this_is_told(tmp_path, both):
    result = run(tmp_path, both)
    (liver,) = (row for row in read_organs_csv(tmp_path / "sum" / "organs.csv") if row.organ == "liver")
    assert math.isnan(liver.sd_mgy) and math.isnan(liver.d2_mgy)
    assert not (tmp_path / "sum" / "dvh.csv").exists()
    assert any("no CT and masks" in line for line in result.warnings)


@pytest.mark.parametrize("changed", [False, True])
def test_masks_of_a_part_are_used_while_they_are_unchanged(tmp_path, part_of, patient, changed):
    ct, masks = patient.files(tmp_path)
    known = RunRecord("", {})
    known.add_input("ct", ct, [ct])
    known.add_input("segmentation", masks, [masks])
    if changed:
        known.inputs["segmentation"]["sha256"] = "0"
    job = {"ct": str(ct), "segmentation": str(masks)}
    result = run(tmp_path, (part_of("ct_dose", rising, CT_GRID, job=job, inputs=known.inputs),
                            part_of("pet", hot_liver, CT_GRID, "internal-dose")))
    assert bool(result.histograms) is not changed
    assert any("masks of CT" in line for line in result.assumptions) is not changed


def test_an_organ_that_one_part_lacks_is_missing_and_not_zero(tmp_path, part_of):
    result = run(tmp_path, (part_of("ct", rising, CT_GRID, organs=("body", "liver")),
                            part_of("pet", hot_liver, PET_GRID, "internal-dose")))
    spleen = lines_of(tmp_path / "sum" / "total.csv")["spleen"]
    assert (spleen["ct_mgy"], spleen["is_whole"], spleen["internal_percent"]) == ("missing", "no", "")
    assert float(spleen["total_mgy"]) == float(spleen["internal_mgy"])
    assert "only in internal" in spleen["note"]
    assert any("spleen" in line and "lower bounds" in line for line in result.warnings)
    assert "lower bound" in (tmp_path / "sum" / "report.html").read_text(encoding="utf-8")


def test_masks_of_other_volumes_are_warned_about(tmp_path, part_of):
    def larger(row):
        return replace(row, volume_ml=1.08 * row.volume_ml) if row.organ == "liver" else row
    result = run(tmp_path, (part_of("ct", rising, CT_GRID),
                            part_of("pet", hot_liver, PET_GRID, "internal-dose", change=larger)))
    assert any("liver (8 %)" in line and "spleen" not in line for line in result.warnings)


def test_where_a_part_ends_the_map_holds_the_other_alone(tmp_path, part_of, patient):
    short = (CT_GRID[0], (*CT_GRID[1][:2], -65.0), (16, 12, 15))
    # The lower 10 mm of the patient are not in the short part: its tables know nothing of them either.
    ct, masks = patient.files(tmp_path)
    result = run(tmp_path, (part_of("ct", rising, short, organs=("liver", "spleen")),
                            part_of("pet", hot_liver, CT_GRID, "internal-dose")), ct=ct, segmentation=masks)
    summed, pet = (sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "dose.nrrd")))
                   for folder in (tmp_path / "sum", tmp_path / "pet"))
    assert np.allclose(summed[0], pet[0]) and np.all(summed[5] >= pet[5]) and np.any(summed[5] > pet[5] + 1)
    reached = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "sum" / "parts_reached.nrrd")))
    assert np.all(reached[0] == 1) and np.all(reached[1:] == 2)
    assert any("outside the dose map of CT" in line for line in result.assumptions)
    assert {each.organ for each in result.histograms} == {"liver", "spleen"}


def test_effective_doses_are_added_up(tmp_path, both):
    result = run(tmp_path, both, sex="F")
    with open(tmp_path / "sum" / "dose_descriptors.csv", encoding="utf-8", newline="") as file:
        rows = {line["name"]: line for line in csv.DictReader(file)}
    ct, internal, total = (float(rows[f"effective_dose_{name}_msv"]["value"]) for name in ("1", "2", "total"))
    assert total == pytest.approx(ct + internal, rel=1e-4)
    assert total == pytest.approx(result.effective[-1].value, rel=1e-4)
    assert float(rows["effective_dose_2_msv_per_mbq"]["value"]) == pytest.approx(internal / 200, rel=1e-3)
    assert "a woman" in rows["effective_dose_1_msv"]["remark"]


def test_alphas_are_found_in_the_decay():
    assert alpha_emitters("F-18") == () and alpha_emitters(None) == ()
    assert "Ra-223" in alpha_emitters("Ra-223")


def test_the_record_holds_those_of_the_parts_and_the_report_no_folder(tmp_path, both):
    run(tmp_path, both, names=("low dose", "FDG"))
    record = json.loads((tmp_path / "sum" / "run.json").read_text(encoding="utf-8"))
    assert record["task"] == "total" and task("total").model is TotalJob
    assert record["facts"]["parts"]["FDG"]["facts"]["radionuclide"] == "F-18"
    assert set(record["inputs"]) == {"part low dose", "part FDG"} and record["inputs"]["part FDG"]["files"] == 6
    report = (tmp_path / "sum" / "report.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in report and "low dose" in report
    assert "low_dose_mgy" in next(iter(lines_of(tmp_path / "sum" / "total.csv").values()))


def test_two_parts_of_one_kind_are_numbered_and_one_exposure_twice_is_told(tmp_path, part_of):
    job = {"engine": "mc", "engine_parameters": {"seed": 7}}
    result = run(tmp_path, (part_of("a", rising, CT_GRID, job=job), part_of("b", rising, CT_GRID, job=job),
                            part_of("c", hot_liver, CT_GRID, job=job)))
    assert [part.name for part in result.parts] == ["CT 1", "CT 2", "CT 3"]
    assert any("CT 1 and CT 2 hold the same dose map" in line for line in result.warnings)
    assert any("CT 1 and CT 3 were computed with the same seed" in line for line in result.warnings)


def test_engines_without_uncertainty_leave_none_of_their_own(tmp_path, part_of):
    result = run(tmp_path, (part_of("ct", rising, CT_GRID),
                            part_of("pet", hot_liver, CT_GRID, "internal-dose", uncertainty=None)))
    assert any("internal states no uncertainty" in line for line in result.assumptions)
    assert all("without that of internal" in total.note for total in result.totals)


@pytest.mark.parametrize("name", ["dose.nrrd", "density.nrrd", "run.json", "organs.csv", "dvh.csv"])
def test_a_part_that_is_not_whole_is_refused(tmp_path, both, name):
    (both[1] / name).unlink()
    with pytest.raises(InputError, match=r"not whole|cannot be read"):
        run(tmp_path, both)
    assert not (tmp_path / "sum").exists()


def test_folders_that_are_no_parts_are_refused(tmp_path, both, part_of):
    ct, pet = both
    gray = part_of("gray", rising, CT_GRID, units="Gy")
    other = part_of("other", rising, CT_GRID, "compare")
    for folders, said in (((ct, tmp_path / "absent"), "no such folder"), ((ct, gray), "units 'Gy'"),
                          ((ct, other), "'compare'"), ((ct, ct / "."), "given twice"), ((ct,), "nothing to add")):
        with pytest.raises(InputError, match=said):
            run(tmp_path, folders)
    with pytest.raises(InputError, match="2 parts"):
        run(tmp_path, (ct, pet), names=("one",))
    with pytest.raises(InputError, match="told apart"):
        run(tmp_path, (ct, pet), names=("PET", "pet"))
    with pytest.raises(InputError, match="without their CT"):
        run(tmp_path, (ct, pet), segmentation=tmp_path / "masks.seg.nrrd")
    with pytest.raises(InputError, match="holds an input"):
        run_total(TotalJob(folders=(ct, pet), out=ct))


def test_bodies_that_do_not_overlap_are_refused_and_shifted_ones_are_told(tmp_path, part_of):
    ct = part_of("ct", rising, CT_GRID)
    with pytest.raises(InputError, match="do not overlap"):
        run(tmp_path, (ct, part_of("far", hot_liver, PET_GRID, "internal-dose", shift_mm=140.0)))
    result = run(tmp_path, (ct, part_of("near", hot_liver, PET_GRID, "internal-dose", shift_mm=40.0)))
    assert any("overlap by only" in line for line in result.warnings)


def test_values_that_are_no_doses_are_refused(tmp_path, both):
    image = sitk.ReadImage(str(both[1] / "dose.nrrd"))
    image[5, 5, 5] = -1.0
    sitk.WriteImage(image, str(both[1] / "dose.nrrd"))
    with pytest.raises(InputError, match="negative"):
        run(tmp_path, both)
