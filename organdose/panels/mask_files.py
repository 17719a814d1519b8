"""Masks of others into the scene, and those of the scene into files: the buttons, and the jobs behind them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from organdose.panels.job_panel import JobPanel

_MASKS = "Masks (*.seg.nrrd *.nrrd *.nii *.nii.gz *.dcm);;All files (*)"


class MaskFiles:
    """Works on the buttons of the module's .ui and in its `filesJobPlace`.

    `take(ct, name)` gives the generator function that brings imported masks into the scene (see `JobPanel.run`).
    """

    def __init__(self, ui, take: Callable[[object, str], Callable[[Path], Generator]]):
        self._ui, self._take = ui, take
        self._ct = self._segmentation = None
        self.job = JobPanel(on_ended=lambda outcome: self._check())
        ui.filesJobPlace.layout().addWidget(self.job.widget)
        for button, press in ((ui.importButton, self._import_file), (ui.importFolderButton, self._import_folder),
                              (ui.exportButton, self._export_file), (ui.exportFolderButton, self._export_folder)):
            button.clicked.connect(lambda *_args, press=press: press())

    def show(self, ct_node, segmentation_node) -> None:
        """Read and write masks of this CT from now on, and write these masks; None for none."""
        self._ct, self._segmentation = ct_node, segmentation_node
        self._check()

    def _check(self) -> None:
        """Which buttons can be pressed now, and why not."""
        from organdose.scene.ct_facts import why_no_ct

        busy = "Wait for the files before, or cancel them." if self.job.is_busy else ""
        reason = busy or ("Choose the CT first." if why_no_ct(self._ct) else "")
        for button in (self._ui.importButton, self._ui.importFolderButton):
            button.enabled = not reason
            button.toolTip = reason or "Masks that others drew on this CT."
        reason = reason or ("" if self._segmentation is not None else "Choose the masks first.")
        for button, hint in ((self._ui.exportButton, "Write the masks to a file."),
                             (self._ui.exportFolderButton, "Write a NIfTI file an organ into a new folder.")):
            button.enabled = not reason
            button.toolTip = reason or hint

    def _import_file(self) -> None:
        import qt
        import slicer

        self._import(qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), "Import masks", "", _MASKS))

    def _import_folder(self) -> None:
        """One file an organ, or a DICOM SEG or RTSTRUCT in it."""
        import qt
        import slicer

        self._import(qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), "Import masks from a folder", ""))

    def _import(self, path: str) -> None:
        if path:
            ct = self._ct
            # Files are named after patients, nodes should not be.
            self.job.run("convert-masks", lambda folder: import_job_steps(folder, ct, path), self._take(ct, "imported"))
            self._check()

    def _export_file(self) -> None:
        import qt
        import slicer

        from organdose.panels.masks_to_file import export_formats, export_job_steps, exported_steps

        ct, segmentation, kinds = self._ct, self._segmentation, export_formats(self._ct)
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), "Export masks", "masks.seg.nrrd",
                                              ";;".join(kinds))
        if path:
            self.job.run("convert-masks", lambda folder: export_job_steps(folder, ct, segmentation, path, kinds),
                         lambda folder: exported_steps(folder, path))
            self._check()

    def _export_folder(self) -> None:
        import qt
        import slicer

        from organdose.panels.masks_to_file import export_folder_job_steps, exported_folder_steps

        ct, segmentation = self._ct, self._segmentation
        below = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), "Export a folder of masks into", "")
        if below:
            self.job.run("convert-masks", lambda folder: export_folder_job_steps(folder, ct, segmentation),
                         lambda folder: exported_folder_steps(folder, below))
            self._check()


def import_job_steps(folder: Path, ct_node, path: str) -> Generator:
    """Generator: a 'convert-masks' job that brings masks of any format onto the grid of the CT, and checks them."""
    from organdose.scene.ct_facts import dicom_folder_of, series_of
    from organdose.scene.job_files import ct_file_steps, staged

    job = {"masks": str(path), "out": str(folder / "result.seg.nrrd"), "compressed": False, "check": True}
    dicom = dicom_folder_of(ct_node)
    if dicom is not None:  # DICOM masks refer to its slices
        return {**job, "ct": str(dicom), "series": series_of(ct_node)}
    yield from staged("Writing the CT", ct_file_steps(ct_node, folder / "ct.nrrd"))
    return {**job, "ct": str(folder / "ct.nrrd")}
