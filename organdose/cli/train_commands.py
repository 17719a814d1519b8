"""The commands that train networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Device, Series, listed, progress_shown
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
        one_network_an_organ: Annotated[bool, typer.Option(
            "--one-network-an-organ", help="A network for each organ; those that are done are left alone.")] = False,
        replace: Annotated[Path | None, typer.Option(
            help="Network whose place the new one takes, unless it is worse on the kept patients.")] = None,
        replace_margin: Annotated[float, typer.Option(help="Dice that one organ may lose then.")] = 0.02,
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
                 one_network_an_organ=one_network_an_organ, replace=replace, replace_margin=replace_margin,
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


@app.command("promote")
def promote(
        new: Annotated[Path, typer.Argument(help="Folder of the new network.")],
        old: Annotated[Path, typer.Argument(help="Folder of the network in use.")],
        dataset: Annotated[str, typer.Option(help="The dataset the new one was trained on.")],
        cases: Annotated[Path, typer.Option(help="Where its prepared cases are kept (cases of the training).")],
        test_share: Annotated[float, typer.Option(help="As in its training.")] = 0.1,
        margin: Annotated[float, typer.Option(help="Dice that one organ may lose.")] = 0.02,
        precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
        device: Device = "auto") -> None:
    """Put a new network in the place of the one in use, unless it is worse on the kept patients."""
    from organdose.jobs.parameters import checked
    from organdose.jobs.replace_network_job import ReplaceNetworkJob, replace_network

    job = checked(ReplaceNetworkJob, new=new, out=old, dataset=dataset, cases=cases, test_share=test_share,
                  margin=margin, precision=precision, device=device)
    with progress_shown() as progress:
        changes = replace_network(job, progress)
    for change in changes:
        typer.echo(f"{change.verdict}: {change.line}")
    typer.echo(f"{old}: the new network; the old one is in {old.name}.previous beside it")


@app.command("add-case")
def add_case(
        ct: Annotated[Path, typer.Argument(help="The CT.")],
        masks: Annotated[Path, typer.Argument(help="Its corrected masks, in any format.")],
        dataset: Annotated[Path, typer.Argument(help="Folder of cases; made when it is not there.")],
        series: Series = None,
        patient: Annotated[str | None, typer.Option(
            help="Any name of the patient, where the CT has no DICOM PatientID; only a hash is kept.")] = None,
        organs: Annotated[str | None, typer.Option(help="Organs, separated by commas (default: all).")] = None,
        also_unapproved: Annotated[bool, typer.Option(
            "--also-unapproved", help="Take masks that nobody has approved too.")] = False,
        replace: Annotated[bool, typer.Option("--replace", help="Replace the case of this CT.")] = False) -> None:
    """Add a CT with corrected masks to a dataset for training, without the patient's name."""
    from organdose.jobs.add_training_case_job import AddTrainingCaseJob, add_training_case
    from organdose.jobs.parameters import checked

    job = checked(AddTrainingCaseJob, ct=ct, masks=masks, out=dataset, series=series, patient=patient,
                  organs=listed(organs), only_approved=not also_unapproved, replace=replace)
    with progress_shown() as progress:
        added = add_training_case(job, progress)
    typer.echo(added.line)
