"""The commands that take results: the parts of an examination added up, two dose maps compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Out, Rows, Series, listed, progress_shown, show_results


def compare(out: Out, test: Annotated[Path | None, typer.Argument(help="Dose map, or result folder.")] = None,
            reference: Annotated[Path | None, typer.Argument(help="What it is compared with.")] = None,
            segmentation: Annotated[Path | None, typer.Option(help="Masks, for organ doses and the body.")] = None,
            ct: Annotated[Path | None, typer.Option(help="The CT: organ means by mass; for RTSTRUCT and DICOM SEG.")]
            = None,
            cohort: Annotated[Path | None, typer.Option(
                help="CSV instead of two maps: test, reference, segmentation, ct, group, patient.")] = None,
            gamma_mm: Annotated[float, typer.Option(help="Distance criterion in mm.")] = 1.0,
            gamma_percent: Annotated[float, typer.Option(help="Dose criterion in percent.")] = 1.0,
            low_dose_percent: Annotated[float, typer.Option(
                help="Part of the normalisation below which there is no gamma and no relative error.")] = 10.0,
            normalisation_mgy: Annotated[float | None, typer.Option(
                help="Dose that percents refer to; without it the reference's maximum.")] = None,
            units: Annotated[str | None, typer.Option(help="Unit of files that do not say theirs: mGy, Gy ...")] = None,
            organs: Rows = None) -> None:
    """Two dose maps: errors, SSIM, PSNR, gamma, organ doses; or many pairs with statistics between groups."""
    from organdose.jobs.compare_text import compare_from_command_line

    options = {"gamma_mm": gamma_mm, "gamma_percent": gamma_percent, "low_dose_percent": low_dose_percent,
               "normalisation_mgy": normalisation_mgy, "units": units, "organs": listed(organs)}
    with progress_shown() as progress:
        lines, warnings = compare_from_command_line(test, reference, segmentation, ct, cohort, out, options, progress)
    for warning in warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo("\n".join(lines))


def total(parts: Annotated[list[Path], typer.Argument(help="Result folders of ct-dose and internal-dose.")], out: Out,
          names: Annotated[str | None, typer.Option(help="What to call the parts, separated by commas.")] = None,
          ct: Annotated[Path | None, typer.Option(help="The CT of the masks, where not that of the first part.")]
          = None,
          segmentation: Annotated[Path | None, typer.Option(help="Masks, for percentiles and histograms.")] = None,
          series: Series = None,
          sex: Annotated[str | None, typer.Option(help="M or F, for the effective dose.")] = None) -> None:
    """Add the parts of one examination up: organ doses with each part's share, dose map, effective dose."""
    from organdose.jobs.parameters import checked
    from organdose.jobs.total_job import TotalJob, run_total

    job = checked(TotalJob, folders=tuple(parts), out=out, names=listed(names, "--names", "part"), ct=ct,
                  segmentation=segmentation, series=series, sex=sex)
    with progress_shown() as progress:
        result = run_total(job, progress)
    for warning in result.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    show_results({"Report": out / "report.html", "Total": out / "total.csv", "Table": out / "organs.csv"})
