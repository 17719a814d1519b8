"""The commands that train networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Device, listed, progress_shown
from organdose.errors import Cancelled

app = typer.Typer(help="Train networks on your own cases.", no_args_is_help=True)


@app.command("segmentation")
def train_segmentation(
        dataset: Annotated[str, typer.Argument(help="A folder of cases (each with ct and masks), or generated:N.")],
        out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the training; one begun there goes on.")],
        cases: Annotated[Path | None, typer.Option(help="Where prepared cases are kept (default: in the folder).")] = (
            None),
        organs: Annotated[str | None, typer.Option(help="Organs, separated by commas.")] = None,
        spacing_mm: Annotated[float, typer.Option(help="Voxels of the network in mm.")] = 4.0,
        patch: Annotated[str, typer.Option(help="Voxels of a patch: z,y,x.")] = "64,72,104",
        widths: Annotated[str, typer.Option(help="Channels of each scale, finest first.")] = "16,32,64,64,64",
        inner_depths: Annotated[str, typer.Option(help="Halvings inside the blocks of each scale.")] = "2,2,2,2,1",
        steps: Annotated[int, typer.Option(help="Steps of the whole training.")] = 4000,
        batch: Annotated[int, typer.Option(help="Patches a step, in each process.")] = 2,
        learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
        seed: Annotated[int, typer.Option(help="Of weights and patches.")] = 1,
        folds: Annotated[int, typer.Option(help="Groups of patients for cross-validation.")] = 5,
        fold: Annotated[int, typer.Option(help="The group for validation; -1: train and evaluate all in turn.")] = 0,
        test_share: Annotated[float, typer.Option(help="Share of patients never trained on.")] = 0.1,
        start_from: Annotated[Path | None, typer.Option(help="Folder of a trained network to fine-tune.")] = None,
        checkpoint_minutes: Annotated[float, typer.Option(help="Minutes between checkpoints.")] = 10.0,
        validate_every: Annotated[int, typer.Option(help="Steps between validations.")] = 250,
        deep_supervision: Annotated[bool, typer.Option(help="Learn from the outputs of all scales.")] = True,
        precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
        threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
        workers: Annotated[int, typer.Option(help="Processes that prepare patches (for a GPU).")] = 0,
        title: Annotated[str, typer.Option(help="Title of the model card.")] = "Res-U2Net",
        device: Device = "auto") -> None:
    """Train the Res-U2Net. Several GPUs: torchrun --nproc-per-node N -m organdose.cli train segmentation ..."""
    from organdose.jobs.parameters import checked
    from organdose.jobs.train_segmentation_job import TrainSegmentationJob, run_train_segmentation

    given = dict(dataset=dataset, out=out, cases=cases, spacing_mm=spacing_mm, steps=steps, batch=batch, seed=seed,
                 patch=listed(patch, "--patch", "number"), widths=listed(widths, "--widths", "number"),
                 inner_depths=listed(inner_depths, "--inner-depths", "number"), learning_rate=learning_rate,
                 folds=folds, fold=None if fold == -1 else fold, test_share=test_share, start_from=start_from,
                 checkpoint_minutes=checkpoint_minutes, validate_every=validate_every, precision=precision,
                 deep_supervision=deep_supervision, threads=threads, workers=workers, title=title, device=device)
    if organs is not None:
        given["organs"] = listed(organs)
    job = checked(TrainSegmentationJob, **given)
    try:
        with progress_shown() as progress:
            folder = run_train_segmentation(job, progress)
    except Cancelled as stopped:
        typer.echo(f"organdose: stopped; the same command goes on from the checkpoint in {out}", err=True)
        raise typer.Exit(130) from stopped
    typer.echo(f"Model: {folder}")
