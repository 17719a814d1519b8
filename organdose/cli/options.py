"""What several commands share: options with their help, lists in one option, progress, and where results lie."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from organdose.errors import InputError
from organdose.terminal import progress_on_terminal

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the result; appears whole or not at all.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Series = Annotated[str | None, typer.Option(help="Series number or UID, where a folder holds several.")]
Segmentation = Annotated[Path | None, typer.Option(
    help="Masks: .seg.nrrd, NRRD/NIfTI label map with labels.json, DICOM SEG or RTSTRUCT.")]
Rows = Annotated[str | None, typer.Option(help="Rows of the table, separated by commas.")]


def listed(text: str | None, option: str = "--organs", what: str = "organ") -> tuple[str, ...] | None:
    """The names in an option, separated by commas; None where it was not given. Raises `InputError` for none at all."""
    names = None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
    if names == ():
        raise InputError(f"{option} {text!r} names no {what}",
                         mend="Give names separated by commas, or leave it out.")
    return names


def progress_shown():
    """A progress display whose work stops at the next report after Ctrl-C or a termination signal."""
    progress, display = progress_on_terminal()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: progress.cancel())
    return display


def show_results(results: dict[str, Path]) -> None:
    """Where the results lie; the scene is not written where Slicer's libraries are not installed."""
    for title, path in results.items():
        typer.echo(f"{title + ':':<8}{path if path.exists() else 'not written, run.json says why'}")
