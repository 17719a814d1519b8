"""Exposures other than the plain one, from protocol file to record and report."""

import html
import json

import pytest

from organdose.jobs.ct_dose_job import run_ct_dose


@pytest.fixture(autouse=True)
def cheap(cheap_calibration, no_pictures):
    pass


def record_and_report(job):
    run_ct_dose(job)
    return (json.loads((job.out / "run.json").read_text())["facts"],
            html.unescape((job.out / "report.html").read_text()))


def test_a_contradiction_between_facts_is_a_warning_in_record_and_report(job_of):
    facts, report = record_and_report(job_of(facts={"table_feed_mm": 10}))
    line = "Pitch 1 (protocol) beside table feed / collimation = 0.500 (protocol): the pitch is used."
    assert facts["contradictions"] == [line] and line in facts["warnings"] and line not in facts["assumptions"]
    assert report.count(line) == 1


def test_a_dual_source_scan_with_sampled_start_angles_says_so(job_of):
    facts, report = record_and_report(job_of(
        facts={"tube_voltage_kv": 100, "second_tube_voltage_kv": 140, "second_tube_share": 0.4,
               "second_tube_filter": "Sn 0.4"}, start_angle="sampled", start_angles=4, histories=40_000))
    assert facts["second_tube_ctdivol_share"] == pytest.approx(0.4)
    assert len(facts["start_angles_deg"]) == 4 and "body" in facts["start_angle_spread_percent"]
    assert "140 kV with a mean of" in report and "makes 40 % of the CTDIvol" in report
    assert "4 equally spaced ones share the photons" in report


def test_a_localiser_is_a_run_of_its_own(job_of):
    facts, report = record_and_report(job_of(
        facts={"scan_kind": "localiser", "tube_angle_deg": 0, "ctdivol_mgy": 0.1, "scan_range_mm": [-20, 60]}))
    assert facts["scan_kind"] == "localiser" and facts["dlp_mgy_cm"] == pytest.approx(0.8)
    assert "all of them come from 0 degrees" in report
    assert "dose of localiser images is not part" not in report


def test_a_fixed_current_is_named_in_the_report(job_of):
    facts, report = record_and_report(job_of(facts={"tube_current_ma": 200}, scenario="fixed_ma", fixed_ma=50))
    assert facts["ctdivol_mean_mgy"] == pytest.approx(2.5)
    assert "50 mA in every slice, where the scan had 200 mA" in report
