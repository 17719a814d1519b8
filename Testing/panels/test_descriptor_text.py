"""The lines of descriptors in the window."""

from organdose.panels.descriptor_text import descriptor_lines, descriptor_remarks, descriptors_of

ROWS = [{"name": "ssde_mean_mgy", "title": "SSDE", "value": 12.34, "unit": "mGy", "remark": "AAPM 204"},
        {"name": "effective_dose_dlp_msv", "title": "Effective dose from DLP", "value": None, "unit": "mSv",
         "remark": "the region of the scan is not known"},
        {"name": "effective_dose_organs_msv", "title": "Effective dose from organ doses", "value": 4.2, "unit": "mSv",
         "remark": "ICRP 103"},
        {"name": "tissue_weight_known", "title": "Tissue weights covered", "value": 0.61, "unit": "", "remark": ""}]


def record(rows=ROWS, **facts):
    return {"facts": {"ctdivol_mean_mgy": 10.0, "ctdi_phantom_cm": 32, **facts, "descriptors": rows}}


def test_an_incomplete_effective_dose_says_so_beside_its_number():
    text = descriptor_lines(record())
    assert "SSDE 12.3 mGy" in text
    assert "Effective dose from organ doses 4.2 mSv (incomplete: 0.61 of the tissue weights)" in text
    assert "from DLP" not in text  # nothing to show, the tooltip says why
    assert "the region of the scan is not known" in descriptor_remarks(record())


def test_a_complete_one_stands_without_remark():
    rows = [*ROWS[:3], {**ROWS[3], "value": 1.0}]
    assert "incomplete" not in descriptor_lines(record(rows))


def test_a_record_of_an_older_version_has_its_exposure_only():
    assert descriptor_lines({"facts": {"ctdivol_mean_mgy": 10.0, "ctdi_phantom_cm": 32}}) == (
        "CTDIvol 10 mGy (32 cm phantom)")
    assert descriptors_of({}) == () and descriptor_lines({}) == ""
