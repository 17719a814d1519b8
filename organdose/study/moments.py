"""Moments out of DICOM headers and protocols: full date and time, so that midnight and days count.

Forms: PS3.5 6.2 (DA, TM, DT), and those of ACR-NEMA ('2004.05.15', '11:54:32') that old exports still have.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from pydicom.dataset import Dataset

from organdose.study.header_values import text

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})$")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6})\d*)?)?)?$")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})$")


def moment_of(header: Dataset, event: str) -> datetime | None:
    """The moment of 'Series', 'Acquisition' ...: its DateTime element, else its Date and Time; None without both."""
    together = parsed_datetime(text(header, f"{event}DateTime"))
    if together is None:
        together = combined(text(header, f"{event}Date"), text(header, f"{event}Time"))
    return with_offset(together, header)


def with_offset(moment: datetime | None, header: Dataset) -> datetime | None:
    """`moment` with the header's offset from UTC (TimezoneOffsetFromUTC, PS3.3 C.12.1.1.8) where it has none itself."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=_offset(text(header, "TimezoneOffsetFromUTC")))


def combined(date: str, time: str) -> datetime | None:
    """A date (DA) and a time of day (TM) as one moment; None unless both are usable."""
    day, clock = _DATE.match(date.strip()), _TIME.match(time.strip())
    if day is None or clock is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock.groups()[:3])
    try:
        # A leap second (60) has no place in datetime; it is the last second of its minute.
        return datetime(*map(int, day.groups()), hour, minute, min(second, 59), int((clock[4] or "0").ljust(6, "0")))
    except ValueError:
        return None


def parsed_datetime(value: str) -> datetime | None:
    """A DT value ('20250314093000.5+0100'); None for one that lacks the day or the hour."""
    value = value.strip()
    offset = _OFFSET.search(value) if len(value) > 5 else None
    plain = value[:offset.start()] if offset else value
    moment = combined(plain[:8], plain[8:])
    return moment if moment is None or offset is None else moment.replace(tzinfo=_offset(offset[0]))


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Seconds from `earlier` to `later`. Where one states no offset from UTC, it has that of the other."""
    if (earlier.tzinfo is None) != (later.tzinfo is None):
        zone = earlier.tzinfo or later.tzinfo
        earlier, later = earlier.replace(tzinfo=zone), later.replace(tzinfo=zone)
    return (later - earlier).total_seconds()


def shown_moment(moment: datetime) -> str:
    return moment.isoformat(" ", "seconds")


def _offset(value: str) -> timezone | None:
    match = _OFFSET.match(value.strip())
    if match is None:
        return None
    ahead = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-ahead if match[1] == "-" else ahead)
