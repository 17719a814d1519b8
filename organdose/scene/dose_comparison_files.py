"""A dose volume of the scene as the files that a comparison in another process reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from organdose.export.tables import write_organs_csv
from organdose.scene.ct_dose_scene import find_results
from organdose.scene.job_files import volume_file_steps
from organdose.scene.organ_table_node import rows_from_table_node


def dose_map_file_steps(dose_node, unit: str, folder: Path) -> Iterator[float]:
    """Write a dose volume in `unit` to a new folder as `dose.nrrd`; yields the part done.

    Where it is the dose of a result in the scene, its uncertainty, organ table and record go beside it, as in a result
    folder. Raises `InputError` for a volume that is empty or stands under a transform.
    """
    folder.mkdir()
    for fraction in volume_file_steps(dose_node, folder / "dose.nrrd", units=unit):
        yield fraction / 2
    result = next((each for each in find_results() if each.dose is dose_node), None)
    if result is None:
        return
    if result.uncertainty is not None:
        for fraction in volume_file_steps(result.uncertainty, folder / "uncertainty.nrrd"):
            yield 0.5 + fraction / 2
    write_organs_csv(folder / "organs.csv", rows_from_table_node(result.organ_table))
    (folder / "run.json").write_text(json.dumps(result.record), encoding="utf-8")
