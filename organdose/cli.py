"""The command line: one function a command, each building the same job that the windows build."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from organdose.errors import Cancelled, InputError
from organdose.terminal import progress_on_terminal

app = typer.Typer(
    name="organdose", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Organ doses from CT, PET/CT and SPECT/CT studies. Research software, not a medical device.")

# Newer typer brings its own copy of click, older ones use the package: this base of BadParameter is UsageError in both.
_UsageError = typer.BadParameter.__mro__[1]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the result; appears whole or not at all.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


@app.command()
def demo(out: Out = Path("demo"), seed: Annotated[int, typer.Option(help="Which generated patient.")] = 0,
         histories: Annotated[int, typer.Option(help="Photons to follow.")] = 20_000_000) -> None:
    """The whole job on the embedded study: a generated patient, its masks, CT dose, report and Slicer scene."""
    from organdose.jobs.demo import run_demo

    with _progress() as progress:
        paths = run_demo(out, seed=seed, histories=histories, progress=progress)
    typer.echo("The masks are the generated patient's own, read from RTSTRUCT as a clinic reads somebody's contours.")
    typer.echo(f"Report:  {paths.report}\nScene:   {paths.scene}\nPicture: {paths.picture or 'needs libEGL or X'}")


@app.command()
def phantom(name: Annotated[str, typer.Argument(help="adult-male or adult-female.")], out: Out,
            seed: Annotated[int, typer.Option(help="0: the reference patient; others vary it.")] = 0,
            region: Annotated[str, typer.Option(help="trunk or whole-body.")] = "trunk",
            slice_mm: Annotated[float, typer.Option(help="Slice distance in mm.")] = 5.0) -> None:
    """Write a stylised phantom as a DICOM study: CT, PET, true masks and activity."""
    from organdose.jobs.phantom_study import write_phantom_study

    with _progress() as progress:
        paths = write_phantom_study(name, out, seed=seed, region=region, slice_mm=slice_mm, progress=progress)
    typer.echo(f"CT: {paths.ct}\nPET: {paths.pet}\nTruth: {paths.truth}")


@app.command()
def segment(ct: Path, out: Annotated[Path, typer.Option("-o", "--out", help="A .seg.nrrd file.")],
            engine: Annotated[str, typer.Option(help="Segmentation engine.")] = "analytic",
            organs: Annotated[str | None, typer.Option(help="Organs, separated by commas.")] = None,
            series: Annotated[str | None, typer.Option(help="Series number or UID, where a folder holds several.")]
            = None,
            model: Annotated[Path | None, typer.Option(help="Trained model, for engines that need one.")] = None,
            device: Device = "auto") -> None:
    """Draw organ masks on a CT."""
    from organdose.jobs.segment_job import SegmentJob, run_segment

    job = SegmentJob(ct=ct, out=out, engine=engine, organs=_listed(organs), series=series, model=model, device=device)
    with _progress() as progress:
        masks = run_segment(job, progress)
    for name, note in masks.notes.items():
        typer.echo(f"{name}: {note}", err=True)
    typer.echo(f"{out}: {', '.join(masks.names)}")


@app.command("ct-dose")
def ct_dose(ct: Path, out: Out,
            segmentation: Annotated[Path | None, typer.Option(
                help="Masks: .seg.nrrd, NRRD/NIfTI label map with labels.json, DICOM SEG or RTSTRUCT.")] = None,
            engine: Annotated[str, typer.Option(help="CT dose engine.")] = "mc",
            scanner: Annotated[str, typer.Option(help="auto, a scanner's name, or a JSON definition.")] = "auto",
            protocol: Annotated[Path | None, typer.Option(help="JSON with facts the headers lack.")] = None,
            voxel_mm: Annotated[float, typer.Option(help="Size of the dose voxels in mm.")] = 5.0,
            histories: Annotated[int | None, typer.Option(help="Photons to follow at most.")] = None,
            uncertainty: Annotated[float | None, typer.Option(
                help="Stop once every organ's mean is known to this percentage.")] = None,
            seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 1,
            organs: Annotated[str | None, typer.Option(help="Rows of the table, separated by commas.")] = None,
            series: Annotated[str | None, typer.Option(help="Series number or UID, where a folder holds several.")]
            = None,
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
                      voxel_mm=voxel_mm, organs=_listed(organs), scanner=scanner, histories=histories,
                      uncertainty_percent=uncertainty, seed=seed, device=device, couch=couch,
                      hu_curve=None if hu_curve is None else str(hu_curve), contrast=contrast, extend=extend,
                      scenario=scenario, fixed_ma=fixed_ma, start_angle=start_angle, start_angles=start_angles,
                      start_angle_deg=start_angle_deg)
    with _progress() as progress:
        result = run_ct_dose(job, progress)
    for warning in (*result.study.acquisition.warnings, *result.warnings):
        typer.echo(f"Warning: {warning}", err=True)
    _show({"Report": out / "report.html", "Scene": out / "scene.mrb", "Table": out / "organs.csv"})


@app.command()
def protocol(ct: Path, out: Annotated[Path, typer.Option("-o", "--out", help="A JSON file.")],
             series: Annotated[str | None, typer.Option(help="Series number or UID, where a folder holds several.")]
             = None,
             localiser: Annotated[int | None, typer.Option(help="The localiser of this number, not the CT.")] = None
             ) -> None:
    """Write what the headers say of the exposure, to be completed and given to ct-dose with --protocol."""
    from organdose.jobs.write_protocol import write_protocol

    with _progress() as progress:
        acquisition = write_protocol(ct, out, series=series, localiser=localiser, progress=progress)
    for warning in acquisition.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo(f"{out}: {', '.join(acquisition.known())}")


@app.command()
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
            organs: Annotated[str | None, typer.Option(help="Rows of the table, separated by commas.")] = None) -> None:
    """Two dose maps: errors, SSIM, PSNR, gamma, organ doses; or many pairs with statistics between groups."""
    from organdose.jobs.compare_text import compare_from_command_line

    options = {"gamma_mm": gamma_mm, "gamma_percent": gamma_percent, "low_dose_percent": low_dose_percent,
               "normalisation_mgy": normalisation_mgy, "units": units, "organs": _listed(organs)}
    with _progress() as progress:
        lines, warnings = compare_from_command_line(test, reference, segmentation, ct, cohort, out, options, progress)
    for warning in warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo("\n".join(lines))


@app.command("compare-masks")
def compare_masks(test: Path, reference: Path,
                  out: Annotated[Path, typer.Option("-o", "--out", help="A CSV file.")],
                  ct: Annotated[Path | None, typer.Option(help="The CT, for RTSTRUCT and DICOM SEG.")] = None
                  ) -> None:
    """Dice, Hausdorff and surface distance of two segmentations on the same grid."""
    from organdose.jobs.compare_masks_job import run_compare_masks

    with _progress() as progress:
        run_compare_masks(test, reference, out, ct, progress)
    typer.echo(str(out))


@app.command()
def validate(suite: Annotated[str, typer.Argument(help="A suite, or 'all'.")], out: Out,
             histories: Annotated[int | None, typer.Option(help="Photons a case.")] = None) -> None:
    """Published tables (or, for ctdi, sourced scanner figures) beside ours; exits 0 only when every row is inside."""
    from organdose.validation.suites import run_suites

    lines: list[str] = []
    with _progress() as progress:
        outside = run_suites(suite, out, histories=histories, progress=progress, show=lines.append)
    for line in lines:
        typer.echo(line)
    if outside:
        rows = "1 row is outside its" if outside == 1 else f"{outside} rows are outside their"
        typer.echo(f"{rows} tolerance; see {out}", err=True)
        raise typer.Exit(1)
    typer.echo(f"Every row is inside its tolerance; see {out}")


@app.command()
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

    with _progress() as progress:
        lines = check_scanner(definition, fit=fit, ctdi=ctdi, histories=histories, out=out, progress=progress)
    for line in lines:
        typer.echo(line)


@app.command()
def nuclides(name: Annotated[str | None, typer.Argument(
                 help="A radionuclide to show, such as Lu-177; without it those in common use.")] = None,
             every: Annotated[bool, typer.Option("--all", help="The names of all.")] = False) -> None:
    """Half-life, emissions and progeny of a radionuclide; energies per decay of those in common use."""
    from organdose.nuclear.nuclide_text import name_lines, nuclide_lines, nuclide_table

    if name is not None and every:
        raise InputError("a radionuclide and --all exclude each other", mend="Leave one of them out.")
    for line in name_lines() if every else nuclide_table() if name is None else nuclide_lines(name):
        typer.echo(line)


@app.command()
def run(description: Annotated[Path, typer.Argument(help="A job saved as JSON, or the run.json of a result.")]) -> None:
    """Run a job that a window, a program or an earlier run has written down."""
    from organdose.jobs.tasks import read_description

    task, job = read_description(description)
    with _progress() as progress:
        task.run(job, progress)
    typer.echo(f"{task.name}: {getattr(job, 'out', 'done')}")


@app.command()
def benchmark() -> None:
    """Histories per second, loading times, memory, and how quickly windows answer, on this machine."""
    from organdose.validation.benchmark import run_benchmark
    from organdose.validation.edit_benchmark import run_edit_benchmark
    from organdose.validation.nuclear_benchmark import run_nuclear_benchmark
    from organdose.validation.window_benchmark import run_window_benchmark

    with _progress() as progress:
        lines = run_benchmark(progress) + run_nuclear_benchmark(progress)
        lines += run_edit_benchmark(progress, _scene_target())
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


def _show(results: dict[str, Path]) -> None:
    """Where the results lie; the scene is not written where Slicer's libraries are not installed."""
    for title, path in results.items():
        typer.echo(f"{title + ':':<8}{path if path.exists() else 'not written, run.json says why'}")


def _listed(text: str | None) -> tuple[str, ...] | None:
    names = None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
    if names == ():
        raise InputError(f"--organs {text!r} names no organ", mend="Give names separated by commas, or leave it out.")
    return names


def _progress():
    """A progress display whose work stops at the next report after Ctrl-C or a termination signal."""
    progress, display = progress_on_terminal()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: progress.cancel())
    return display


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Exit status: 0 done, 2 bad input or usage, 130 cancelled, 1 anything else."""
    try:
        status = app(args=arguments, prog_name="organdose", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except InputError as error:
        _stop(f"organdose: {error}", 2)
    except _UsageError as error:
        told = error.format_message().rstrip(". ") or "no command given"
        _stop(f"organdose: {told}. See organdose --help.", 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        _stop("organdose: cancelled, nothing was written", 130)
    except MemoryError:
        # The operating system usually kills the process first; numpy's refusal of one large array ends here.
        _stop("organdose: not enough memory. Use larger dose voxels (--voxel-mm) or close other programs.", 1)
    except Exception as error:
        if os.environ.get("ORGANDOSE_DEBUG"):
            raise
        _stop(f"organdose: unexpected {type(error).__name__}: {error}. Set ORGANDOSE_DEBUG=1 to see where.",
              1)


def _stop(message: str, status: int) -> None:
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
