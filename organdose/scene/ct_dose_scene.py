"""The whole result of a CT dose computation as a Slicer scene: built, saved as .mrb, opened again."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.scene.at_once import at_once
from organdose.scene.descriptor_table_node import descriptor_table_node
from organdose.scene.dose_result import DoseResult, add_result_steps, build_scene
from organdose.scene.headless import start_slicer, vtk_messages_kept
from organdose.scene.patient_density import CONTRAST_ROLE, contrast_node, keep_density_facts


@dataclass(frozen=True)
class CTDoseScene(DoseResult):
    """The nodes of one CT dose computation: `descriptors` (a table node) and `contrast` (a volume node) are None where
    none were given."""

    kind: ClassVar[str] = "ct-dose"
    roles: ClassVar[Mapping[str, str]] = DoseResult.roles | {"descriptors": "OrganDose.Descriptors",
                                                             "contrast": CONTRAST_ROLE}

    descriptors: object | None = None
    contrast: object | None = None


def build_ct_dose_scene(ct: sitk.Image, dose: DoseMap, masks: OrganMasks, rows: list[OrganDose],
                        dvhs: list[DoseVolumeHistogram], *, title: str = "CT dose",
                        descriptors: Sequence[Descriptor] = (), contrast: sitk.Image | None = None) -> CTDoseScene:
    """Put CT (HU), dose (mGy), masks, organ table and DVHs into Slicer's scene and show them.

    Everything lies in one study `title` of the subject hierarchy; the organ table refers to the other nodes. The slice
    views show the dose over the CT through the centre of the dose. Raises `InputError` (masks on another grid, no
    dose, unknown organ); the scene is then as it was.
    """
    return build_scene(ct, masks, dose, title, lambda ct_node, segmentation: add_ct_dose_result(
        ct_node, segmentation, dose, rows, dvhs, descriptors=descriptors, contrast=contrast))


def add_ct_dose_result(ct_node, segmentation_node, dose: DoseMap, rows: list[OrganDose],
                       dvhs: list[DoseVolumeHistogram], **more) -> CTDoseScene:
    """Put a dose computed on a CT and a segmentation of the scene beside them: `add_ct_dose_result_steps` at once."""
    return at_once(add_ct_dose_result_steps(ct_node, segmentation_node, dose, rows, dvhs, **more))


def add_ct_dose_result_steps(ct_node, segmentation_node, dose: DoseMap, rows: list[OrganDose],
                             dvhs: list[DoseVolumeHistogram], *, report_html: str = "",
                             record: dict[str, object] | None = None, descriptors: Sequence[Descriptor] = (),
                             contrast: sitk.Image | None = None) -> Generator[float, None, CTDoseScene]:
    """Put a dose computed on a CT and a segmentation of the scene beside them: see `dose_result.add_result_steps`."""
    more = {"descriptors": lambda: descriptor_table_node(descriptors) if descriptors else None,
            "contrast": lambda: contrast_node(contrast) if contrast is not None else None}
    result = yield from add_result_steps(CTDoseScene, ct_node, segmentation_node, dose, rows, dvhs,
                                         report_html=report_html, record=record, more=more)
    keep_density_facts(result.organ_table, dose.facts)
    return result


def save_scene(path: str | Path) -> None:
    """Write the whole scene as a .mrb bundle; the file appears complete or not at all. Raises `InputError`."""
    path = Path(path).absolute()  # Slicer's scene reader takes a relative bundle for a broken one
    if path.suffix.lower() != ".mrb":
        raise InputError("a scene is saved as a .mrb file", where=path, mend="Give the name the ending .mrb.")
    try:
        with tempfile.TemporaryDirectory(prefix=".scene-", dir=path.parent) as folder:
            # The bundle's inner folder has the file's name: write it under the final one.
            whole = Path(folder) / path.name
            with vtk_messages_kept() as messages:
                written = start_slicer().WriteToMRB(str(whole))
            if not written or not whole.is_file():
                raise InputError(f"the scene could not be written ({_last_line(messages())})", where=path,
                                 mend="Check free disk space and write permission.")
            os.replace(whole, path)
    except OSError as error:
        raise InputError(f"the scene could not be written ({error.strerror})", where=path,
                         mend="Check the folder, free disk space and write permission.") from error


def open_scene(path: str | Path) -> CTDoseScene:
    """Open a .mrb bundle in place of the present scene and find the CT dose result in it.

    Raises `InputError` when the file is no readable bundle (the scene is then as it was) or holds no CT dose result.
    """
    path = Path(path).absolute()  # Slicer's scene reader takes a relative bundle for a broken one
    _check_bundle(path)
    scene = start_slicer()
    with vtk_messages_kept() as messages:
        read = scene.ReadFromMRB(str(path), True)
    if not read:
        raise InputError(f"the scene could not be read ({_last_line(messages())})", where=path,
                         mend="Save it again from Slicer.")
    results = find_results()
    if not results:
        raise InputError("the scene holds no CT dose result", where=path,
                         mend="Open a scene.mrb that organdose ct-dose has written.")
    return results[0]


def find_results() -> list[CTDoseScene]:
    """The CT dose results in Slicer's scene."""
    return CTDoseScene.in_scene()


def _check_bundle(path: Path) -> None:
    """Look into the bundle before the present scene is given up for it."""
    if not path.is_file():
        raise InputError("there is no such file", where=path, mend="Give the path of a .mrb file.")
    try:
        with zipfile.ZipFile(path) as bundle:
            damaged = bundle.testzip()
            has_scene = any(name.endswith(".mrml") for name in bundle.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"this is no readable Slicer bundle ({error})", where=path, mend="Copy it again.") from error
    if damaged or not has_scene:
        raise InputError(f"the Slicer bundle is damaged ({damaged or 'no .mrml file inside'})", where=path,
                         mend="Copy it again.")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
