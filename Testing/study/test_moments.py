"""Date and time out of headers."""

from datetime import datetime, timedelta, timezone

import pytest
from pydicom.dataset import Dataset

from organdose.study.moments import combined, moment_of, parsed_datetime, seconds_between


@pytest.mark.parametrize(("date", "time", "moment"), [
    ("20040515", "115432.00", datetime(2004, 5, 15, 11, 54, 32)),
    ("2004.05.15", "11:54:32", datetime(2004, 5, 15, 11, 54, 32)),
    ("20040515", "1154", datetime(2004, 5, 15, 11, 54)),
    ("20040515", "115432.25", datetime(2004, 5, 15, 11, 54, 32, 250000)),
    ("20161231", "235960", datetime(2016, 12, 31, 23, 59, 59)),
    ("20040515", "", None), ("", "115432", None), ("20040231", "115432", None), ("20040515", "250000", None)])
def test_a_date_and_a_time_are_one_moment_or_none(date, time, moment):
    assert combined(date, time) == moment


def test_a_moment_with_an_offset_from_utc_keeps_it():
    assert parsed_datetime("20250314093000.5+0100") == datetime(2025, 3, 14, 9, 30, 0, 500000,
                                                                timezone(timedelta(hours=1)))
    assert parsed_datetime("20250314093000").tzinfo is None
    assert parsed_datetime("20250314") is None


def test_the_offset_of_the_header_holds_for_its_times():
    header = Dataset()
    header.SeriesDate, header.SeriesTime, header.TimezoneOffsetFromUTC = "20250314", "093000", "-0500"
    assert moment_of(header, "Series").utcoffset() == timedelta(hours=-5)


def test_a_change_to_summer_time_between_two_moments_is_no_hour_of_decay():
    before = parsed_datetime("20250329120000+0100")
    after = parsed_datetime("20250330120000+0200")
    assert seconds_between(before, after) == 23 * 3600


def test_a_moment_without_offset_is_on_the_clock_of_the_other():
    aware, naive = parsed_datetime("20250314093000+0100"), parsed_datetime("20250314103000")
    assert seconds_between(aware, naive) == 3600
    assert seconds_between(naive, aware) == -3600
