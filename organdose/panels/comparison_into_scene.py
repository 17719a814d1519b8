"""A comparison of two dose maps between the scene and the job that computes it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from organdose.errors import InputError

_VOLUME_RTOL = 1e-4  # organs.csv has five digits


def comparison_job_steps(folder: Path, result, reference_node, reference_path: Path | None, *, units: str | None,
                         **criteria: float) -> Generator:
    """Generator that writes the inputs of a 'compare' job to `folder`, yields (stage, fraction), returns the job.

    `result` is the `CTDoseScene` under test, with its CT and masks. The reference is `reference_node`, a dose volume
    of the scene, or else the file or result folder `reference_path`. `units` is the unit of a reference that does not
    say its own, `criteria` are values of `CompareJob`. Raises `InputError`.
    """
    from organdose.scene.dose_comparison_files import dose_map_file_steps
    from organdose.scene.dose_display import dose_unit_of
    from organdose.scene.job_files import ct_file_steps, masks_file_steps, masks_of_node_steps, staged

    job = {"test": str(folder / "test"), "reference": str(reference_path or folder / "reference"),
           "ct": str(folder / "ct.nrrd"), "out": str(folder / "result"), "scene": False, **criteria}
    yield from staged("Writing the doses", dose_map_file_steps(result.dose, "mGy", folder / "test"))
    if reference_node is not None:
        unit = dose_unit_of(reference_node) or units
        yield from staged("Writing the doses", dose_map_file_steps(reference_node, unit, folder / "reference"))
    elif units:
        job["units"] = units
    yield from staged("Writing the CT", ct_file_steps(result.ct, folder / "ct.nrrd"))
    if result.segmentation.GetSegmentation().GetNumberOfSegments():
        masks = yield from staged("Copying the masks", masks_of_node_steps(result.segmentation, result.ct))
        yield from staged("Writing the masks", masks_file_steps(masks, folder / "masks.seg.nrrd"))
        job["segmentation"] = str(folder / "masks.seg.nrrd")
    return job


def comparison_into_scene(folder: Path, result, reference_node, *,
                          show: Callable[[], bool] = lambda: True) -> Generator:
    """Generator: the comparison in `folder`/result as nodes beside what was compared; returns `DoseComparisonScene`.

    `show()` says whether the views shall show the difference. Raises `InputError` for a folder that is not whole, or
    when a dose has left the scene meanwhile. Then, and when it is not taken to its end, the scene is as it was.
    """
    import shutil

    from organdose.jobs.compare_folder import read_comparison_folder
    from organdose.scene.dose_comparison_nodes import add_dose_comparison_steps, show_over_ct

    found = read_comparison_folder(folder / "result")
    yield 0.2
    for node, what in ((result.dose, "test"), (reference_node, "reference"), (result.ct, "CT"),
                       (result.segmentation, "segmentation")):
        if node is not None and node.GetScene() is None:
            raise InputError(f"the {what} was deleted while it was compared", mend="Compare again.")
    name = "a file" if reference_node is None else reference_node.GetName()
    comparison = yield from add_dose_comparison_steps(
        found.difference, found.region, found.gamma, found.criteria, found.figures, found.organs, test=result.dose,
        reference=reference_node, ct=result.ct, segmentation=result.segmentation, title=f"Comparison with {name}",
        record=found.record)
    for written in folder.iterdir():  # what the job was given: 200 MB for a large CT
        if written.is_dir() and written.name != "result":
            shutil.rmtree(written, ignore_errors=True)
        elif written.is_file():
            written.unlink()
    if show():
        show_over_ct(comparison, comparison.difference)
    return comparison


def masks_have_changed(comparison, organ_table) -> bool:
    """Whether the organ table of the test has other masks now than were compared, by their volumes."""
    import math

    from organdose.scene.organ_table_node import rows_from_table_node

    if comparison.organ_table is None:
        return False
    table = comparison.organ_table.GetTable()
    organs, volumes = (table.GetColumnByName(name) for name in ("organ", "volume_ml"))
    compared = {organs.GetValue(row): volumes.GetValue(row) for row in range(table.GetNumberOfRows())}
    now = {row.organ: row.volume_ml for row in rows_from_table_node(organ_table)}
    return now.keys() != compared.keys() or any(
        not math.isclose(now[organ], volume, rel_tol=_VOLUME_RTOL) for organ, volume in compared.items())
