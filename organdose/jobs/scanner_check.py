"""What the command `organdose scanners` does."""

from __future__ import annotations

from pathlib import Path

from organdose.ct.bowtie_fit import fitted_scanner
from organdose.ct.scanner import load_scanner, scanner_text
from organdose.ct.scanner_report import ctdi_lines, scanner_lines, scanner_list
from organdose.errors import InputError
from organdose.export.whole_file import whole_file
from organdose.progress import Progress

FEWEST_HISTORIES = 10_000


def check_scanner(definition: str | None, *, fit: bool = False, ctdi: bool = False, histories: int = 10_000_000,
                  out: Path | None = None, progress: Progress | None = None) -> list[str]:
    """Lines about the shipped scanners, or about one `definition` (name or JSON file), fitted and written to `out` when
    asked. Raises `InputError` for a faulty definition or options that contradict each other."""
    if definition is None:
        if fit or ctdi or out:
            raise InputError("no scanner is named", mend="Give the name or JSON file of a definition.")
        return scanner_list()
    if out is not None and not fit:
        raise InputError("--out writes the fitted definition", mend="Add --fit, or leave it out.")
    if histories < FEWEST_HISTORIES:
        raise InputError(f"--histories {histories} are too few", mend=f"Ask for at least {FEWEST_HISTORIES}.")
    scanner = load_scanner(definition)
    if fit:
        scanner = fitted_scanner(scanner, histories=histories, progress=progress)
    lines = scanner_lines(scanner)
    if ctdi:
        lines += ctdi_lines(scanner, histories=histories, progress=progress)
    if out is not None:
        with whole_file(out) as part:
            part.write_text(scanner_text(scanner), encoding="utf-8")
        lines.append(f"Written: {out}")
    return lines
