""""Use this case for training": the CT and the corrected masks of the scene become a case of a dataset."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from pathlib import Path

from organdose.panels.job_panel import JobPanel

_STEP_BYTES = 8_000_000  # some milliseconds on a slow disk
_WRITTEN = "dataset"  # in the job's own folder


class TrainingCasePanel:
    """A button with its choices and the job behind it; `widget` is to be laid out, `show` says what is chosen.

    A job writes the case into its own folder; it comes into the dataset when it is whole.
    """

    def __init__(self, on_ended: Callable[[object], None] = lambda outcome: None):
        self._ct = self._segmentation = None
        self.job = JobPanel(on_ended=lambda outcome: (self._check(), on_ended(outcome)))
        self._build()
        self._check()

    def show(self, ct_node, segmentation_node) -> None:
        """The CT and the masks (nodes or None) that the button is about."""
        self._ct, self._segmentation = ct_node, segmentation_node
        self._check()

    def leave(self) -> None:
        """The scene is closing."""
        self.job.cancel()
        self.show(None, None)

    def stop(self) -> None:
        """The window goes away."""
        self.job.stop()

    def _build(self) -> None:
        import qt

        self.widget = qt.QWidget()
        form = qt.QFormLayout(self.widget)
        form.setContentsMargins(0, 0, 0, 0)
        self.approved = qt.QCheckBox("Only masks that somebody approved")
        self.approved.checked = True
        self.approved.toolTip = "A network learns from others' mistakes too, if they are in its cases."
        self.replace = qt.QCheckBox("Replace an earlier case of this CT")
        self.patient = qt.QLineEdit()
        self.patient.placeholderText = "any name"
        self.patient.toolTip = "Keeps cases of one patient together; only a hash of it is kept."
        self.patient_label = qt.QLabel("Patient")
        self.button = qt.QPushButton("Use this case for training…")
        self.button.objectName = "trainingCaseButton"
        form.addRow(self.approved)
        form.addRow(self.replace)
        form.addRow(self.patient_label, self.patient)
        form.addRow(self.button)
        form.addRow(self.job.widget)
        self.patient.textChanged.connect(lambda *_: self._check())
        self.button.clicked.connect(lambda *_: self._pressed())

    def _check(self) -> None:
        """Whether the button can be pressed now, and why not."""
        named = self._is_named()
        for widget in (self.patient, self.patient_label):
            widget.visible = self._ct is not None and not named
        reason = self._reason(named)
        self.button.enabled = not reason
        self.button.toolTip = reason or "Adds CT and masks, without the patient's name, to a folder of cases."

    def _reason(self, named: bool) -> str:
        from organdose.scene.ct_facts import why_no_ct

        if self.job.is_busy:
            return "Wait for the case before, or cancel it."
        if reason := why_no_ct(self._ct):
            return reason
        if self._segmentation is None:
            return "Choose the masks first."
        return "" if named or self.patient.text.strip() else "Type any name for the patient: this CT has no DICOM ID."

    def _is_named(self) -> bool:
        """Whether the headers of the CT say whose it is."""
        from organdose.scene.ct_facts import dicom_folder_of

        return self._ct is not None and dicom_folder_of(self._ct) is not None

    def _pressed(self) -> None:
        import qt
        import slicer

        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), "Folder of training cases", "")
        if path:
            self.add_to(Path(path))

    def add_to(self, dataset: Path) -> None:
        """Add the case to a dataset, as the button does once a folder was chosen."""
        ct, segmentation = self._ct, self._segmentation
        choices = {"only_approved": bool(self.approved.checked), "patient": self.patient.text.strip() or None}
        replace = bool(self.replace.checked)
        self.job.run("add-training-case", lambda folder: case_job_steps(folder, ct, segmentation, choices),
                     lambda folder: placed_steps(folder, dataset, replace))
        self._check()


def case_job_steps(folder: Path, ct_node, segmentation_node, choices: dict[str, object]) -> Generator:
    """Generator: writes the input of an 'add-training-case' job, yields (stage, fraction), returns the job.

    `choices`: only_approved, patient. Raises `InputError` for nodes that cannot be used.
    """
    from organdose.scene.ct_facts import dicom_folder_of, series_of
    from organdose.scene.job_files import ct_file_steps, masks_file_steps, masks_of_node_steps, staged

    masks = yield from staged("Copying the masks", masks_of_node_steps(segmentation_node, ct_node))
    yield from staged("Writing the masks", masks_file_steps(masks, folder / "masks.seg.nrrd"))
    job = {"masks": str(folder / "masks.seg.nrrd"), "out": str(folder / _WRITTEN), **choices}
    dicom = dicom_folder_of(ct_node)
    if dicom is not None:  # its headers know the patient
        return {**job, "ct": str(dicom), "series": series_of(ct_node)}
    yield from staged("Writing the CT", ct_file_steps(ct_node, folder / "ct.nrrd"))
    return {**job, "ct": str(folder / "ct.nrrd")}


def placed_steps(folder: Path, dataset: Path, replace: bool) -> Generator[float, None, str]:
    """Generator: the case of the job comes into the dataset, whole or not at all; returns the line that says so.

    Raises `InputError` where the CT is there already, or nothing can be written.
    """
    from organdose.jobs.add_training_case_job import check_new, hidden_folder, put_case
    from organdose.segmentation.training_cases import NOT_APPROVED, case_facts

    case, = (folder / _WRITTEN).iterdir()
    facts = case_facts(case)
    check_new(dataset, case.name, replace)
    with hidden_folder(dataset) as written:
        for file in sorted(case.iterdir()):
            with open(file, "rb") as read, open(written / file.name, "wb") as write:
                while block := read.read(_STEP_BYTES):
                    write.write(block)
                    yield 0.5
        added = put_case(written, dataset, case.name, replace)
    shutil.rmtree(folder, ignore_errors=True)
    left_out = facts.get(NOT_APPROVED) or ()
    return (f"Added: {added.name} with {len(facts['organs'])} organs."
            + (f" Not approved and left out: {', '.join(left_out)}." if left_out else ""))
