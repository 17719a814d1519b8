"""engines.csv: organ doses of several engines side by side, written and read back.

Columns: organ; `<engine>_mgy` for each engine, the chosen one first; `<engine>_uncertainty_percent`; and for each but
the reference `<engine>_from_<reference>_percent`. An empty cell was not computed, or is not stated.
"""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

from organdose.assess.engine_comparison import EngineComparison, EngineRow
from organdose.errors import InputError

ENGINES_NAME = "engines.csv"
_DIFFERENCE = re.compile(r"(\w+)_from_(\w+)_percent")


def write_engines_csv(path: Path, comparison: EngineComparison) -> None:
    """Write `engines.csv`, five significant digits."""
    columns = ["organ", *(f"{name}_mgy" for name in comparison.engines),
               *(f"{name}_uncertainty_percent" for name in comparison.engines),
               *(_difference_column(name, comparison.reference) for name in comparison.others)]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in comparison.rows:
            writer.writerow([row.organ, *(_digits(row.mean_mgy[name]) for name in comparison.engines),
                             *(_digits(row.uncertainty_percent[name]) for name in comparison.engines),
                             *(_digits(row.difference_percent[name]) for name in comparison.others)])


def read_engines_csv(path: Path) -> EngineComparison:
    """Read `engines.csv`. Raises `InputError`."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, lines = reader.fieldnames or (), list(reader)
        engines = tuple(column.removesuffix("_mgy") for column in columns if column.endswith("_mgy"))
        named = [match.groups() for column in columns if (match := _DIFFERENCE.fullmatch(column))]
        reference = named[0][1] if named else engines[0]
        rows = tuple(EngineRow(line["organ"], {name: _number(line[f"{name}_mgy"]) for name in engines},
                               {name: _number(line[f"{name}_uncertainty_percent"]) for name in engines},
                               {name: _number(line[_difference_column(name, reference)]) for name, _ in named})
                     for line in lines)
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"the table of engines cannot be read ({error})", where=path,
                         mend="Compute the dose again.") from error
    return EngineComparison(engines, reference, rows)


def _difference_column(name: str, reference: str) -> str:
    return f"{name}_from_{reference}_percent"


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.5g}"


def _number(cell: str) -> float:
    return float(cell) if cell else math.nan
