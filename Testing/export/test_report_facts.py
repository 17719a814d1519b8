"""Facts of PET and SPECT as the report shows them (those of CT: test_report.py)."""

from datetime import datetime

from organdose.export.report_facts import fact_rows
from organdose.study.facts import Fact, Origin
from organdose.study.nuclear_facts import NuclearAcquisition


def test_what_was_given_and_when_stands_in_the_units_of_the_field():
    rows = {row["title"]: row for row in fact_rows(NuclearAcquisition(
        radionuclide=Fact("Lu-177", Origin.user), half_life_s=Fact(574300.0, Origin.derived, "half-life of Lu-177"),
        injected_activity_bq=Fact(7.4e9, Origin.header), duration_s=Fact(90.0, Origin.protocol),
        injected_at=Fact(datetime(2025, 3, 14, 9, 30), Origin.protocol), patient_mass_kg=Fact(81.5, Origin.header)))}
    assert rows["Activity given"] == {"title": "Activity given", "value": "7400 MBq", "origin": "header", "note": ""}
    assert rows["Half-life"]["value"] == "574300 s (6.647 d)" and rows["Half-life"]["note"] == "half-life of Lu-177"
    assert rows["Given at"]["value"] == "2025-03-14 09:30:00" and rows["Radionuclide"]["origin"] == "user"
    assert rows["Frame duration"]["value"] == "90 s"  # below two minutes: no larger unit
    assert rows["Patient mass"]["value"] == "81.5 kg"


def test_facts_that_a_dose_needs_are_there_unstated_and_others_are_not():
    rows = {row["title"]: row for row in fact_rows(NuclearAcquisition())}
    assert rows["Residual activity"]["value"] == "–" and rows["Given at"]["origin"] == "not stated"
    assert "SUV type" not in rows and "Tube voltage" not in rows
