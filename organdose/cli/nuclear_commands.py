"""The commands about radionuclides: internal dose, and what a decay emits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organdose.cli.options import Out, Rows, Segmentation, Series, listed, progress_shown, show_results
from organdose.errors import InputError


def internal_dose(
        pet: Annotated[list[Path], typer.Option(
            help="PET or SPECT: DICOM folder or file, NRRD or NIfTI. Once for each time point, or one folder of all.")],
        ct: Annotated[Path, typer.Option(help="The CT of the same patient and position.")],
        out: Out,
        segmentation: Segmentation = None,
        nuclide: Annotated[str | None, typer.Option(help="Radionuclide, such as Lu-177: wins over the header.")] = None,
        administered_mbq: Annotated[float | None, typer.Option(
            help="Activity in the syringe at administration in MBq: wins over the header.")] = None,
        protocol: Annotated[Path | None, typer.Option(help="JSON with facts the headers lack.")] = None,
        engine: Annotated[str, typer.Option(help="Engine of dose map and tables.")] = "mc",
        compare_with: Annotated[str | None, typer.Option(
            help="Further engines to stand beside it, separated by commas.")] = None,
        tia: Annotated[str, typer.Option(
            help="Activity over time: auto (physical for one time point, else mono), physical, mono, bi, trapezoid or "
                 "single.")] = "auto",
        voxel_mm: Annotated[float | None, typer.Option(
            help="Size of the dose voxels in mm; those of the first image without.")] = None,
        histories: Annotated[int | None, typer.Option(help="Monte Carlo: decays to follow at most.")] = None,
        uncertainty: Annotated[float | None, typer.Option(
            help="Monte Carlo: stop once every organ's mean is known to this percentage.")] = None,
        seed: Annotated[int | None, typer.Option(help="Monte Carlo: the same seed gives the same numbers.")] = None,
        device: Annotated[str | None, typer.Option(help="Monte Carlo: auto, cpu or cuda.")] = None,
        organs: Rows = None,
        series: Series = None,
        ct_series: Annotated[str | None, typer.Option(help="Series number or UID of the CT.")] = None,
        outside_body: Annotated[str | None, typer.Option(
            help="Activity outside the body: leave_out or keep.")] = None,
        recovery: Annotated[Path | None, typer.Option(help="JSON with recovery coefficients of spheres.")] = None,
        recovery_organs: Annotated[str | None, typer.Option(
            help="Organs to correct with them, separated by commas.")] = None,
        register: Annotated[str | None, typer.Option(
            help="Bring time points together: none, rigid or deformable.")] = None,
        register_ct: Annotated[list[Path] | None, typer.Option(
            help="The CT of each time point, in the order of time, to bring them together by.")] = None,
        lesion: Annotated[list[str] | None, typer.Option(
            help="Outline a lesion in the sphere X,Y,Z,RADIUS (mm, LPS). Once for each.")] = None,
        radiobiology: Annotated[Path | None, typer.Option(
            help="JSON with alpha/beta and repair half-times, for BED and EQD2.")] = None,
        couch: Annotated[str | None, typer.Option(help="What lies around the patient: auto, keep, remove.")] = None,
        hu_curve: Annotated[Path | None, typer.Option(help="JSON with the clinic's HU to density curve.")] = None,
        contrast: Annotated[str | None, typer.Option(help="Iodine in vessels and organs: auto, yes or no.")] = None,
        settings: Annotated[list[str] | None, typer.Option(
            "--set", help="A further parameter: tia.NAME=VALUE, ENGINE.NAME=VALUE, registration.NAME=VALUE or "
                            "lesion.NAME=VALUE.")]
        = None) -> None:
    """Dose map and organ doses of the activity in PET or SPECT."""
    from organdose.jobs.internal_dose_job import run_internal_dose
    from organdose.jobs.parameters import internal_dose_job

    job = internal_dose_job(
        settings or (), pet=tuple(pet), ct=ct, out=out, segmentation=segmentation, nuclide=nuclide,
        administered_mbq=administered_mbq, protocol=protocol, engine=engine,
        compare_with=listed(compare_with, "--compare-with", "engine"), tia=tia, voxel_mm=voxel_mm, histories=histories,
        uncertainty_percent=uncertainty, seed=seed, device=device, organs=listed(organs), series=series,
        ct_series=ct_series, outside_body=outside_body, recovery=recovery,
        recovery_organs=listed(recovery_organs, "--recovery-organs"), register=register,
        registration_cts=tuple(register_ct) if register_ct else None, lesions=lesion or None,
        radiobiology=radiobiology, couch=couch,
        hu_curve=None if hu_curve is None else str(hu_curve), contrast=contrast)
    with progress_shown() as progress:
        result = run_internal_dose(job, progress)
    for warning in result.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    show_results({"Report": out / "report.html", "Scene": out / "scene.mrb", "Table": out / "organs.csv"})


def nuclides(name: Annotated[str | None, typer.Argument(
                 help="A radionuclide to show, such as Lu-177; without it those in common use.")] = None,
             every: Annotated[bool, typer.Option("--all", help="The names of all.")] = False) -> None:
    """Half-life, emissions and progeny of a radionuclide; energies per decay of those in common use."""
    from organdose.nuclear.nuclide_text import name_lines, nuclide_lines, nuclide_table

    if name is not None and every:
        raise InputError("a radionuclide and --all exclude each other", mend="Leave one of them out.")
    for line in name_lines() if every else nuclide_table() if name is None else nuclide_lines(name):
        typer.echo(line)
