"""The Slicer scene of a result, where Slicer's libraries are there to make one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from organdose.errors import InputError
from organdose.jobs.record import RunRecord
from organdose.progress import Progress


def write_scene_file(path: Path, build: Callable[[], object], record: RunRecord, progress: Progress) -> None:
    """`build` fills the scene and returns something to `remove()` again; the scene is saved as `path`.

    A dose that took minutes is worth more than its scene: without Slicer the result goes on, and the record says why.
    """
    if importlib.util.find_spec("slicer") is None:
        record.facts["scene"] = "not written: slicer-core is not installed (pip install 'organdose[slicer]')"
        return
    from organdose.scene.ct_dose_scene import save_scene
    from organdose.scene.headless import start_slicer

    try:
        start_slicer()
    except (ImportError, InputError) as error:
        record.facts["scene"] = f"not written: {error}"
        return
    progress.report("Slicer scene", 0.0)
    scene = build()
    try:
        progress.report("Slicer scene", 0.5)
        save_scene(path)
    finally:
        scene.remove()
