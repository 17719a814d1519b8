"""time_points.csv: what of the administered activity each image shows."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from organdose.study.activity_summary import FrameActivity

COLUMNS = ("series", "start_h", "duration_s", "at_scan_mbq", "at_administration_mbq", "of_administered_percent",
           "largest_kbq_ml")


def write_time_points_csv(path: Path, rows: Iterable[FrameActivity]) -> None:
    """Write one line an image, in the order of time; `start_h` counts from administration. An empty cell is a number
    nobody knows."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            numbers = ((row.start_s, 3600), (row.duration_s, 1), (row.at_scan_bq, 1e6), (row.at_administration_bq, 1e6),
                       (row.fraction, 0.01), (row.largest_bq_per_ml, 1000))
            writer.writerow([row.series_number, *("" if value is None else f"{value / unit:.5g}"
                                                  for value, unit in numbers)])
