"""The commands about masks: drawn, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Device, Series, listed, progress_shown


def segment(ct: Path, out: Annotated[Path, typer.Option("-o", "--out", help="A .seg.nrrd file.")],
            engine: Annotated[str, typer.Option(help="Segmentation engine.")] = "analytic",
            organs: Annotated[str | None, typer.Option(help="Organs, separated by commas.")] = None,
            series: Series = None,
            model: Annotated[Path | None, typer.Option(help="Trained model, for engines that need one.")] = None,
            device: Device = "auto",
            region: Annotated[str | None, typer.Option(help="Only in this box: x,y,z,x,y,z of two corners, mm, left "
                                                            "posterior superior.")] = None,
            masks: Annotated[Path | None, typer.Option(help="Masks of this CT to correct in the region; what is drawn "
                                                            "takes their place there.")] = None) -> None:
    """Draw organ masks on a CT."""
    from organdose.anatomy.mask_finding import Severity
    from organdose.jobs.segment_job import SegmentJob, findings_path, segment_and_check

    job = SegmentJob(ct=ct, out=out, engine=engine, organs=listed(organs), series=series, model=model, device=device,
                     region_mm=_corners(region), masks=masks)
    with progress_shown() as progress:
        drawn, findings = segment_and_check(job, progress)
    for name, note in drawn.notes.items():
        typer.echo(f"{name}: {note}", err=True)
    for found in findings:
        if found.severity is not Severity.NOTE:
            typer.echo(f"{found.severity.value}: {found.line}", err=True)
    typer.echo(f"{out}: {', '.join(drawn.names)}")
    typer.echo(f"{findings_path(out)}: {len(findings)} findings")


def _corners(text: str | None) -> tuple | None:
    """Two corners (x, y, z in mm) of six numbers with commas between them. Raises `InputError` for anything else."""
    from organdose.errors import InputError

    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 6:
        raise InputError(f"--region {text!r} is no box", mend="Give six numbers in mm, x,y,z of two opposite corners.")
    return tuple(numbers[:3]), tuple(numbers[3:])


def compare_masks(test: Path, reference: Path,
                  out: Annotated[Path, typer.Option("-o", "--out", help="A CSV file.")],
                  ct: Annotated[Path | None, typer.Option(help="The CT, for RTSTRUCT and DICOM SEG.")] = None
                  ) -> None:
    """Dice, Hausdorff and surface distance of two segmentations on the same grid."""
    from organdose.jobs.compare_masks_job import run_compare_masks

    with progress_shown() as progress:
        run_compare_masks(test, reference, out, ct, progress)
    typer.echo(str(out))
