"""The commands about masks: drawn, compared, and carried on beyond the image."""

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


def extend(ct: Path, out: Annotated[Path, typer.Option("-o", "--out", help="A folder that is not there yet.")],
           masks: Annotated[Path | None, typer.Option(help="Masks drawn on the CT.")] = None,
           below_mm: Annotated[float, typer.Option(help="How far beyond the image at the feet.")] = 100.0,
           above_mm: Annotated[float, typer.Option(help="How far beyond the image at the head.")] = 100.0,
           phantom: Annotated[Path | None, typer.Option(help="Voxel phantom instead of the stylised adults.")] = None,
           sex: Annotated[str, typer.Option(help="M or F, where the CT does not say.")] = "",
           protocol: Annotated[Path | None, typer.Option(help="Acquisition facts (JSON).")] = None,
           series: Series = None) -> None:
    """Carry a CT and its masks on beyond the image by a fitted phantom, for the dose to organs outside it."""
    from organdose.jobs.extend_job import ExtendJob, run_extend
    from organdose.jobs.parameters import checked
    from organdose.segmentation.atlas_engine import AtlasParameters

    atlas = checked(AtlasParameters, phantom=phantom, sex=sex)
    job = checked(ExtendJob, ct=ct, out=out, masks=masks, protocol=protocol, series=series, below_mm=below_mm,
                  above_mm=above_mm, atlas=atlas)
    with progress_shown() as progress:
        found = run_extend(job, progress)
    for line in found.lines:
        typer.echo(line, err=True)
    typer.echo(str(out))
