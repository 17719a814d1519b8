"""The commands that need no study of yours: the demo, phantoms; and any job written down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Out, progress_shown


def demo(out: Out = Path("demo"), seed: Annotated[int, typer.Option(help="Which generated patient.")] = 0,
         histories: Annotated[int, typer.Option(help="Photons to follow.")] = 20_000_000) -> None:
    """The whole job on the embedded study: a generated patient, masks of his CT, CT dose, PET dose and their sum."""
    from organdose.jobs.demo import run_demo

    with progress_shown() as progress:
        paths = run_demo(out, seed=seed, histories=histories, progress=progress)
    for line in paths.masks.lines:
        typer.echo(line)
    typer.echo(f"CT dose:  {paths.report}\nScene:    {paths.scene}\nPicture:  {paths.picture or 'needs libEGL or X'}\n"
               f"PET dose: {paths.internal / 'report.html'}\nTotal:    {paths.total / 'report.html'}")


def phantom(name: Annotated[str, typer.Argument(help="adult-male or adult-female.")], out: Out,
            seed: Annotated[int, typer.Option(help="0: the reference patient; others vary it.")] = 0,
            region: Annotated[str, typer.Option(help="trunk or whole-body.")] = "trunk",
            slice_mm: Annotated[float, typer.Option(help="Slice distance in mm.")] = 5.0) -> None:
    """Write a stylised phantom as a DICOM study: CT, PET, true masks and activity."""
    from organdose.jobs.phantom_study import write_phantom_study

    with progress_shown() as progress:
        paths = write_phantom_study(name, out, seed=seed, region=region, slice_mm=slice_mm, progress=progress)
    typer.echo(f"CT: {paths.ct}\nPET: {paths.pet}\nTruth: {paths.truth}")


def run(description: Annotated[Path, typer.Argument(help="A job saved as JSON, or the run.json of a result.")]) -> None:
    """Run a job that a window, a program or an earlier run has written down."""
    from organdose.jobs.tasks import read_description

    task, job = read_description(description)
    with progress_shown() as progress:
        task.run(job, progress)
    typer.echo(f"{task.name}: {getattr(job, 'out', 'done')}")
