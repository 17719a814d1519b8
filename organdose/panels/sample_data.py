"""The generated phantom study among Slicer's sample data: made on the user's machine, so nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

NAME = "OrganDosePhantom"
_CATEGORY = "OrganDose"
_registered: list[str] = []


def register_sample_data() -> None:
    """Offer the study in the module Sample Data; further calls change nothing.

    There is no checksum: the study is generated with a fixed seed by the installed package.
    """
    import SampleData

    from organdose.resources import resource_path

    if _registered:
        return
    # Slicer wants an address and a file name of every sample; neither is used beside a downloader of its own.
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=_CATEGORY, sampleName=NAME, uris="file:///OrganDosePhantom", fileNames="OrganDosePhantom",
        thumbnailFileName=str(resource_path("Icons", "OrganDosePhantom.png")), customDownloader=_load_sample)
    _registered.append(NAME)


def _load_sample(source) -> list:
    """What the sample's button does: the nodes loaded; none, with a message, where that failed."""
    import slicer

    from organdose.errors import Cancelled, InputError

    try:
        return load_phantom_study()
    except Cancelled:
        return []
    except (InputError, OSError) as error:
        slicer.util.errorDisplay(str(error))
        return []


def load_phantom_study(**changes: object) -> list:
    """Generate the study in a child process, with a progress dialog, and load it: nodes of CT, masks and PET.

    `changes`: values of `PhantomJob`. Raises `InputError`, `Cancelled`.
    """
    import slicer

    folder = Path(slicer.app.temporaryPath) / "OrganDosePhantom"
    study = folder / "study"
    _generated(study, changes)
    return _loaded(study)


def _generated(study: Path, changes: dict[str, object]) -> None:
    import shutil
    import time

    import qt
    import slicer

    from organdose.errors import Cancelled, InputError
    from organdose.jobs.job_process import JobProcess
    from organdose.panels.window_jobs import job_interpreter

    made = study.parent / "job" / "study"  # in the job's own folder, which is emptied when it is cancelled
    job = {"out": str(made), "name": "adult-male", "region": "trunk", **changes}
    process = JobProcess("phantom", job, made.parent, job_interpreter())
    # Modal: a second press of the button would work in the same folder.
    dialog = slicer.util.createProgressDialog(labelText="Generating the phantom study", maximum=100,
                                              windowModality=qt.Qt.ApplicationModal)
    process.start()
    try:
        while process.outcome is None:
            for report in process.poll():
                dialog.labelText = report.stage
                dialog.value = round(100 * report.fraction)
            if dialog.wasCanceled:
                process.cancel()
            slicer.app.processEvents()
            time.sleep(0.02)
    finally:
        process.close()
        dialog.close()
        dialog.deleteLater()
    if process.outcome.kind == "cancelled":
        raise Cancelled("the phantom study was not generated")
    if process.outcome.state.name != "DONE":
        raise InputError(process.outcome.message)
    try:
        shutil.rmtree(study, ignore_errors=True)
        made.replace(study)
    except OSError as error:
        raise InputError(f"the study loaded before cannot be replaced ({error.strerror})", where=study,
                         mend="Close what has its files open, and try again.") from error


def _loaded(study: Path) -> list:
    from organdose.jobs.phantom_study import PhantomStudyPaths
    from organdose.scene.ct_facts import FOLDER_ATTRIBUTE
    from organdose.scene.segmentation_nodes import segmentation_node_from_masks
    from organdose.scene.views import show_ct_in_slices
    from organdose.scene.volume_nodes import ct_volume_node, volume_node_from_image
    from organdose.segmentation.reading import read_masks
    from organdose.study import read_ct

    paths = PhantomStudyPaths(study)
    read = read_ct(paths.ct)
    ct = ct_volume_node(read.image, "Phantom CT")
    ct.SetAttribute(FOLDER_ATTRIBUTE, str(paths.ct))
    masks = segmentation_node_from_masks(read_masks(paths.dicom_seg, read), ct, "Phantom organs")
    pet = volume_node_from_image(_pet_image(paths.pet), "Phantom PET")
    pet.SetAttribute(FOLDER_ATTRIBUTE, str(paths.pet))
    _show_as_overlay(pet)
    show_ct_in_slices(ct, masks)
    return [ct, masks, pet]


def _show_as_overlay(pet) -> None:
    """Hot colours from a twentieth of the window on: below it the CT is seen."""
    import numpy as np
    import slicer

    top = float(np.percentile(slicer.util.arrayFromVolume(pet), 99.9))
    display = pet.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeIron")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, top)
    display.SetThreshold(0.05 * top, float(np.finfo(np.float32).max))
    display.ApplyThresholdOn()


def _pet_image(folder: Path):
    """The PET of the generated study in Bq/ml; its slices have rescale slopes of their own, which ITK applies."""
    import SimpleITK as sitk

    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)), sitk.sitkFloat32)
