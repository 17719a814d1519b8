"""Masks of the scene as a file that the user names: a job writes it in its own folder, then it is copied there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from pathlib import Path

from organdose.errors import InputError

_STEP_BYTES = 8_000_000  # some milliseconds on a slow disk
_OF_DICOM = ("dicom-seg", "rtstruct")  # these refer to the slices of a DICOM CT
_WRITTEN = "written"  # what the job calls its file


def export_formats(ct_node) -> dict[str, tuple[str, str]]:
    """The formats masks of this CT (or None) can be written in: file dialog filter to (format, ending)."""
    from organdose.scene.ct_facts import dicom_folder_of

    formats = {"Slicer segmentation (*.seg.nrrd)": ("seg.nrrd", ".seg.nrrd"),
               "NIfTI label map (*.nii.gz)": ("nifti", ".nii.gz")}
    if ct_node is not None and dicom_folder_of(ct_node) is not None:
        formats |= {"DICOM SEG (*.seg.dcm)": ("dicom-seg", ".seg.dcm"),
                    "DICOM RTSTRUCT (*.rtstruct.dcm)": ("rtstruct", ".rtstruct.dcm")}
    return formats


def export_job_steps(folder: Path, ct_node, segmentation_node, path: str, formats: dict) -> Generator:
    """Generator: writes the input of a 'convert-masks' job for the file `path`, yields (stage, fraction), returns it.

    Raises `InputError` for a name without one of the endings of `formats`, and for nodes that cannot be used.
    """
    chosen = [each for each in formats.values() if path.endswith(each[1])]
    if not chosen:
        raise InputError("the name does not say in which format", where=path,
                         mend=f"End it with {' or '.join(ending for _form, ending in formats.values())}.")
    return (yield from _job_steps(folder, ct_node, segmentation_node, *chosen[0]))


def export_folder_job_steps(folder: Path, ct_node, segmentation_node) -> Generator:
    """As `export_job_steps`, for a folder with a NIfTI file an organ."""
    return (yield from _job_steps(folder, ct_node, segmentation_node, "nifti-folder", ""))


def _job_steps(folder: Path, ct_node, segmentation_node, form: str, ending: str) -> Generator:
    from organdose.scene.ct_facts import dicom_folder_of, series_of
    from organdose.scene.job_files import ct_file_steps, masks_file_steps, masks_of_node_steps, staged

    masks = yield from staged("Copying the masks", masks_of_node_steps(segmentation_node, ct_node))
    yield from staged("Writing the masks", masks_file_steps(masks, folder / "masks.seg.nrrd"))
    job = {"masks": str(folder / "masks.seg.nrrd"), "out": str(folder / f"{_WRITTEN}{ending}"), "format": form}
    if form in _OF_DICOM:
        return {**job, "ct": str(dicom_folder_of(ct_node)), "series": series_of(ct_node)}
    yield from staged("Writing the CT", ct_file_steps(ct_node, folder / "ct.nrrd"))
    return {**job, "ct": str(folder / "ct.nrrd")}


def exported_steps(folder: Path, path: str) -> Generator[float, None, str]:
    """Generator: the file of the job comes to `path`, and the legend of a label map beside it; returns the line that
    says so.

    Raises `InputError` where it cannot be written.
    """
    from organdose.export.label_maps import legend_path

    legend, note = folder / f"{_WRITTEN}.json", ""
    source = next(each for each in folder.glob(f"{_WRITTEN}.*") if each != legend)
    yield from _copied_steps(source, Path(path))
    if legend.is_file():
        beside = legend_path(Path(path))
        yield from _copied_steps(legend, beside)
        note = f" with {beside.name}. {json.loads(legend.read_text(encoding='utf-8')).get('note', '')}"
    shutil.rmtree(folder, ignore_errors=True)
    return f"Written: {path}{note}".strip()


def exported_folder_steps(folder: Path, below: str) -> Generator[float, None, str]:
    """Generator: the folder of the job comes into the folder `below` under a name that is free, whole or not at all;
    returns the line that says so. Raises `InputError` where it cannot be written."""
    target = next(path for number in range(1, 10_000)
                  if not (path := Path(below) / (f"masks-{number}" if number > 1 else "masks")).exists())
    files = sorted((folder / _WRITTEN).iterdir())
    hidden = target.with_name(f".writing-{target.name}")
    try:
        hidden.mkdir()
        for done, file in enumerate(files):
            for fraction in _copied_steps(file, hidden / file.name):
                yield (done + fraction) / len(files)
        hidden.rename(target)
    except OSError as error:
        raise InputError(f"the folder could not be written ({error.strerror or error})", where=below,
                         mend="Choose another folder.") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    return f"Written: {len(files)} files in {target}"


def _copied_steps(source: Path, path: Path) -> Generator[float, None, None]:
    """Copy a file, whole or not at all, a few milliseconds a step."""
    from organdose.export.whole_file import whole_file

    size, done = max(1, source.stat().st_size), 0
    with whole_file(path) as temporary, open(source, "rb") as read, open(temporary, "wb") as write:
        while block := read.read(_STEP_BYTES):
            done += write.write(block)
            yield done / size
