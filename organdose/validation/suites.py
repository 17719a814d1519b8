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
from organdose.validation.segmentation_suite import PATIENTS, check_network, segmentation
from organdose.validation.svalues_suite import svalues
from organdose.validation.tg195 import tg195
from organdose.validation.vsv_suite import vsv

SUITES = {"tg195": tg195, "ctdi": ctdi, "svalues": svalues, "fdg": fdg, "vsv": vsv, "segmentation": segmentation}
_OF_MASKS = "segmentation"  # no photons: it takes a network and a number of patients, and writes tables of its own
FEWEST_HISTORIES = 1000


def run_suites(name: str, out: Path, *, histories: int | None = None, model: Path | None = None,
               patients: int = PATIENTS, progress: Progress | None = None,
               show: Callable[[str], None] | None = None) -> int:
    """Run one suite, or 'all'; writes `<suite>.csv` into `out` and returns how many rows are outside their tolerance.

    `histories`: photons a case. `model` and `patients`: network and number of generated patients of the suite
    'segmentation'. `show` gets the lines of the tables when all have run. Raises `InputError` for an unknown suite, too
    few histories or patients, or a missing published table or network.
    """
    from organdose.jobs.record import RunRecord

    if name != "all" and name not in SUITES:
        raise InputError(f"unknown validation suite {name!r}", mend=f"Suites: {', '.join(SUITES)}, all.")
    if histories is not None and histories < FEWEST_HISTORIES:
        raise InputError(f"--histories {histories} are too few to compare",
                         mend=f"Ask for at least {FEWEST_HISTORIES}, or leave it out for the suite's own number.")
    if patients < 1:
        raise InputError(f"--patients {patients}: nothing to compare", mend="Ask for at least one.")
    if model is not None and name not in (_OF_MASKS, "all"):
        raise InputError(f"the suite {name} has no use for --model {model}", mend="Leave it out.")
    if histories is not None and name == _OF_MASKS:
        raise InputError(f"the suite {name} has no use for --histories {histories}", mend="Leave it out.")
    chosen = SUITES if name == "all" else {name: SUITES[name]}
    record = RunRecord("validate", {"suite": name, "histories": histories})
    if _OF_MASKS in chosen:
        check_network(model)  # before hours of other suites
        record.job |= {"model": model, "patients": patients}
    outside, lines = 0, []
    with result_folder(out) as folder:
        for suite, run in chosen.items():
            with record.timed(suite):
                rows = (run(folder, model=model, patients=patients, progress=progress) if suite == _OF_MASKS
                        else run(histories, progress))
            write_comparisons(folder / f"{suite}.csv", rows)
            lines += comparison_lines(suite, rows)
            outside += sum(not row.inside for row in rows)
        record.facts["rows_outside_tolerance"] = outside
        record.write(folder / RECORD_NAME)
    for line in lines if show is not None else ():
        show(line)
    return outside
