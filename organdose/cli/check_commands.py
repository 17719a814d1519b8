"""The commands that check the program: published tables, speed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Out, progress_shown
from organdose.errors import InputError


def validate(suite: Annotated[str, typer.Argument(help="A suite, or 'all'.")], out: Out,
             histories: Annotated[int | None, typer.Option(help="Photons a case.")] = None,
             model: Annotated[Path | None, typer.Option(help="segmentation: another network than the shipped one.")] = (
                 None),
             patients: Annotated[int, typer.Option(help="segmentation: generated patients.")] = 20) -> None:
    """Published tables (for ctdi scanner figures, for segmentation true masks) beside ours; exits 0 when all agree."""
    from organdose.validation.suites import run_suites

    lines: list[str] = []
    with progress_shown() as progress:
        outside = run_suites(suite, out, histories=histories, model=model, patients=patients, progress=progress,
                             show=lines.append)
    for line in lines:
        typer.echo(line)
    if outside:
        rows = "1 row is outside its" if outside == 1 else f"{outside} rows are outside their"
        typer.echo(f"{rows} tolerance; see {out}", err=True)
        raise typer.Exit(1)
    typer.echo(f"Every row is inside its tolerance; see {out}")


def benchmark() -> None:
    """Histories per second, loading times, masks, memory, and how quickly windows answer, on this machine."""
    from organdose.validation.benchmark import run_benchmark
    from organdose.validation.edit_benchmark import run_edit_benchmark
    from organdose.validation.internal_dose_benchmark import run_internal_dose_benchmark
    from organdose.validation.nuclear_benchmark import run_nuclear_benchmark
    from organdose.validation.segmentation_benchmark import run_segmentation_benchmark
    from organdose.validation.window_benchmark import run_window_benchmark

    with progress_shown() as progress:
        lines = run_benchmark(progress) + run_nuclear_benchmark(progress) + run_internal_dose_benchmark(progress)
        lines += run_segmentation_benchmark(progress) + run_edit_benchmark(progress, _scene_target())
        progress.report("Window during a job", 0.0)
        lines += run_window_benchmark()
    for line in lines:
        typer.echo(line)


def _scene_target():
    """What edits are measured in beside arrays; None where Slicer's libraries are not installed."""
    try:
        from organdose.scene.headless import start_slicer

        start_slicer()
    except InputError:
        return None
    from organdose.scene.edit_timing import SceneTarget

    return SceneTarget
