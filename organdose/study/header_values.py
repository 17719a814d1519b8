"""Values out of DICOM headers as scanners write them, which is not always as the standard asks."""

from __future__ import annotations

import math

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset


def numbers(header: Dataset, keyword: str) -> tuple[float, ...] | None:
    """The numbers of an element; None when it is absent, empty or no number.

    Integer strings with a decimal point ('63.5' in Exposure), which pydicom refuses, are read as the numbers they are.
    """
    tag = tag_for_keyword(keyword)
    if tag not in header:
        return None
    try:
        value = header[tag].value
    except (TypeError, ValueError, OverflowError):
        value = header.get_item(tag).value
        value = value.decode("ascii", "replace").split("\\") if isinstance(value, bytes) else value
    if value is None or value == "":
        return None
    several = [value] if isinstance(value, str | int | float) else value
    try:
        return tuple(float(each) for each in several) or None
    except (TypeError, ValueError):
        return None


def number(header: Dataset, keyword: str) -> float | None:
    """The first number of an element; None when it is absent, empty, no number or not finite."""
    values = numbers(header, keyword)
    return values[0] if values is not None and math.isfinite(values[0]) else None


def texts(header: Dataset, keyword: str) -> tuple[str, ...]:
    """The strings of an element in capitals, without blanks around; empty when it is absent."""
    value = header.get(keyword)
    if value is None:
        return ()
    several = [value] if isinstance(value, str) else value
    return tuple(str(each).strip().upper() for each in several)


def text(header: Dataset, keyword: str) -> str:
    """The string of an element, '' when it is absent."""
    value = header.get(keyword)
    return "" if value is None else str(value).strip()
