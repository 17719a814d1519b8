"""The commands about CT: dose, what the headers say, scanners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Device, Out, Rows, Segmentation, Series, listed, progress_shown, show_results


def ct_dose(ct: Path, out: Out,
            segmentation: Segmentation = None,
            engine: Annotated[str, typer.Option(help="CT dose engine.")] = "mc",
            scanner: Annotated[str, typer.Option(help="auto, a scanner's name, or a JSON definition.")] = "auto",
            protocol: Annotated[Path | None, typer.Option(help="JSON with facts the headers lack.")] = None,
            voxel_mm: Annotated[float, typer.Option(help="Size of the dose voxels in mm.")] = 5.0,
            histories: Annotated[int | None, typer.Option(help="Photons to follow at most.")] = None,
            uncertainty: Annotated[float | None, typer.Option(
                help="Stop once every organ's mean is known to this percentage.")] = None,
            seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 1,
            organs: Rows = None,
            series: Series = None,
            couch: Annotated[str | None, typer.Option(help="What lies around the patient: auto, keep, remove.")] = None,
            hu_curve: Annotated[Path | None, typer.Option(help="JSON with the clinic's HU to density curve.")] = None,
            contrast: Annotated[str | None, typer.Option(help="Iodine in vessels and organs: auto, yes or no.")] = None,
            extend: Annotated[str | None, typer.Option(help="Tissue beyond the image: repeat or none.")] = None,
            scenario: Annotated[str | None, typer.Option(help="Tube current: as_scanned or fixed_ma.")] = None,
            fixed_ma: Annotated[float | None, typer.Option(help="Current of the scenario fixed_ma.")] = None,
            start_angle: Annotated[str | None, typer.Option(help="averaged, sampled or fixed.")] = None,
            start_angles: Annotated[int | None, typer.Option(help="How many start angles are sampled.")] = None,
            start_angle_deg: Annotated[float | None, typer.Option(help="A fixed start angle; 0: above the patient.")]
            = None,
            device: Device = "auto") -> None:
    """Dose map and organ doses of a CT."""
    from organdose.jobs.ct_dose_job import run_ct_dose
    from organdose.jobs.parameters import ct_dose_job

    job = ct_dose_job(ct=ct, out=out, segmentation=segmentation, engine=engine, protocol=protocol, series=series,
                      voxel_mm=voxel_mm, organs=listed(organs), scanner=scanner, histories=histories,
                      uncertainty_percent=uncertainty, seed=seed, device=device, couch=couch,
                      hu_curve=None if hu_curve is None else str(hu_curve), contrast=contrast, extend=extend,
                      scenario=scenario, fixed_ma=fixed_ma, start_angle=start_angle, start_angles=start_angles,
                      start_angle_deg=start_angle_deg)
    with progress_shown() as progress:
        result = run_ct_dose(job, progress)
    for warning in (*result.study.acquisition.warnings, *result.warnings):
        typer.echo(f"Warning: {warning}", err=True)
    show_results({"Report": out / "report.html", "Scene": out / "scene.mrb", "Table": out / "organs.csv"})


def protocol(ct: Path, out: Annotated[Path, typer.Option("-o", "--out", help="A JSON file.")],
             series: Series = None,
             localiser: Annotated[int | None, typer.Option(help="The localiser of this number, not the CT.")] = None
             ) -> None:
    """Write what the headers say of the exposure, to be completed and given to ct-dose with --protocol."""
    from organdose.jobs.write_protocol import write_protocol

    with progress_shown() as progress:
        acquisition = write_protocol(ct, out, series=series, localiser=localiser, progress=progress)
    for warning in acquisition.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo(f"{out}: {', '.join(acquisition.known())}")


def scanners(definition: Annotated[str | None, typer.Argument(
                 help="Name or JSON file of one to check and sum up; all shipped ones are listed without.")] = None,
             fit: Annotated[bool, typer.Option("--fit", help="Fit flat filter and bowties to its measurements.")]
             = False,
             ctdi: Annotated[bool, typer.Option("--ctdi", help="Simulate CTDI centre / periphery.")] = False,
             histories: Annotated[int, typer.Option(help="Photons a simulation.")] = 10_000_000,
             out: Annotated[Path | None, typer.Option("-o", "--out", help="JSON file for the fitted one.")] = None
             ) -> None:
    """List the scanner definitions, or check, sum up and fit one."""
    from organdose.jobs.scanner_check import check_scanner

    with progress_shown() as progress:
        lines = check_scanner(definition, fit=fit, ctdi=ctdi, histories=histories, out=out, progress=progress)
    for line in lines:
        typer.echo(line)
