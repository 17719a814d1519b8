"""A further table of the report, whatever it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ReportTable:
    """A section of the page with a heading, one table and a legend.

    `name`: a word for the section's address. `columns`: heading and unit. `rows`: a cell a column; numbers are shown
    with four digits, None and NaN as a dash, texts as they are. `legend`: what the columns are and in which file of the
    result folder all of them stand.
    """

    name: str
    title: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[object]]
    legend: str = ""
