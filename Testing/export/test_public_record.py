import pytest

from organdose.export.public_record import named_values, public_command, public_text


@pytest.mark.parametrize("command", [
    "/opt/bin/organdose ct-dose /data/DOE_JOHN/ct -o /out/DOE_JOHN --protocol=/data/DOE_JOHN/p.json --voxel-mm 5",
    ["organdose", "ct-dose", "../DOE_JOHN", "-o", "DOE_JOHN/dose", "--segmentation", "DOE_JOHN.nii.gz"],
    r"organdose ct-dose 'C:\DOE_JOHN\ct' -o '~/DOE_JOHN'",
])
def test_a_command_is_shown_without_the_names_of_folders_and_files(command):
    shown = public_command(command)
    assert "DOE" not in shown
    assert shown.startswith("organdose ct-dose ")


def test_a_folder_in_the_working_folder_is_hidden_too(tmp_path, monkeypatch):
    (tmp_path / "DOE_JOHN").mkdir()
    monkeypatch.chdir(tmp_path)
    assert public_command("organdose ct-dose DOE_JOHN -o DOE_JOHN") == "organdose ct-dose [path] -o [path]"


def test_options_numbers_and_kinds_of_files_stay():
    shown = public_command("organdose ct-dose /a/ct -o /b --protocol /c/p.json --voxel-mm 5 --seed 1 --engine mc")
    assert shown == "organdose ct-dose [path] -o [path] --protocol [file.json] --voxel-mm 5 --seed 1 --engine mc"


def test_sentences_keep_their_units_and_lose_their_paths():
    assert public_text("density in g/cm3, 5 mGy / 100 mAs") == "density in g/cm3, 5 mGy / 100 mAs"
    assert public_text("read from /data/DOE_JOHN/ct, 30 slices") == "read from [path] 30 slices"
    assert public_text("/data/DOE JOHN/ct.nrrd") == "[file.nrrd]"


def test_names_are_written_with_their_units():
    values = {"dlp_mgy_cm": 412.7, "ctdivol_mean_mgy": 9.8, "seed": 3, "uncertainty_percent": 1.5, "helical": True,
              "isocentre_mm": [0.0, -12.5], "density_max_g_cm3": 1.9, "pitch": None}
    assert dict(named_values(values)) == {
        "DLP": "412.7 mGy·cm", "CTDIvol mean": "9.8 mGy", "Seed": "3", "Uncertainty": "1.5 %", "Helical": "yes",
        "Isocentre": "0, -12.5 mm", "Density max": "1.9 g/cm³", "Pitch": "–"}


def test_inputs_are_shown_by_their_hash_only():
    rows = named_values({"inputs": [{"path": "DOE_JOHN/1.dcm", "sha256": "ab12"}]})
    assert rows == [("Inputs › 1 › path", "[file.dcm]"), ("Inputs › 1 › SHA-256", "ab12")]
    assert named_values({"inputs": {"DOE_JOHN.nrrd": "ab12"}}) == [("Inputs › [file.nrrd]", "ab12")]


def test_the_files_of_a_series_are_counted_not_listed():
    many = [{"path": f"{k}.dcm", "sha256": "00"} for k in range(300)]
    assert named_values({"inputs": many}) == [("Inputs", "300 entries, listed in run.json")]


def test_the_parameters_of_a_job_show_no_folder_and_no_uid():
    job = {"ct": "DOE_JOHN", "out": "DOE_JOHN-dose", "segmentation": "DOE_JOHN/seg.nrrd", "protocol": None,
           "series": "1.2.840.113619.2.55.3", "engine": "mc", "voxel_mm": 5.0}
    assert dict(named_values({"job": job})) == {
        "Job › CT": "[path]", "Job › out": "[path]", "Job › segmentation": "[file.nrrd]", "Job › protocol": "–",
        "Job › series": "[UID]", "Job › engine": "mc", "Job › voxel": "5 mm"}


def test_the_number_of_files_is_a_number():
    assert named_values({"inputs": {"ct": {"path": "DOE", "files": 134}}}) == [
        ("Inputs › CT › path", "[path]"), ("Inputs › CT › files", "134")]


def test_versions_are_listed_however_many():
    versions = {f"package{k}": "1.0" for k in range(12)}
    assert len(named_values({"versions": versions})) == 12
