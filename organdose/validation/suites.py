"""The validation suites by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from organdose.errors import InputError
from organdose.jobs.result_folder import RECORD_NAME, result_folder
from organdose.progress import Progress
from organdose.validation.comparison import comparison_lines, write_comparisons
from organdose.validation.ctdi_suite import ctdi
from organdose.validation.fdg_suite import fdg
from organdose.validation.svalues_suite import svalues
from organdose.validation.tg195 import tg195
from organdose.validation.vsv_suite import vsv

SUITES = {"tg195": tg195, "ctdi": ctdi, "svalues": svalues, "fdg": fdg, "vsv": vsv}
FEWEST_HISTORIES = 1000


def run_suites(name: str, out: Path, *, histories: int | None = None, progress: Progress | None = None,
               show: Callable[[str], None] | None = None) -> int:
    """Run one suite, or 'all'; writes `<suite>.csv` into `out` and returns how many rows are outside their tolerance.

    `show` gets the lines of the tables when all have run. Raises `InputError` for an unknown suite, too few
    `histories` (photons a case), or a missing published table.
    """
    from organdose.jobs.record import RunRecord

    if name != "all" and name not in SUITES:
        raise InputError(f"unknown validation suite {name!r}", mend=f"Suites: {', '.join(SUITES)}, all.")
    if histories is not None and histories < FEWEST_HISTORIES:
        raise InputError(f"--histories {histories} are too few to compare",
                         mend=f"Ask for at least {FEWEST_HISTORIES}, or leave it out for the suite's own number.")
    chosen = SUITES if name == "all" else {name: SUITES[name]}
    record = RunRecord("validate", {"suite": name, "histories": histories})
    outside, lines = 0, []
    with result_folder(out) as folder:
        for suite, run in chosen.items():
            with record.timed(suite):
                rows = run(histories, progress)
            write_comparisons(folder / f"{suite}.csv", rows)
            lines += comparison_lines(suite, rows)
            outside += sum(not row.inside for row in rows)
        record.facts["rows_outside_tolerance"] = outside
        record.write(folder / RECORD_NAME)
    for line in lines if show is not None else ():
        show(line)
    return outside
