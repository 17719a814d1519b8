"""The frames of a study and their facts as the input of an 'internal-dose' job."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path

from organdose.panels.frame_facts import FrameFacts


def frames_input_steps(folder: Path, frames: Sequence, facts: FrameFacts, stage: str) -> Generator:
    """Generator that writes frames and protocol to `folder`, yields (stage, fraction), returns (paths, protocol path).

    Raises `InputError` for frames that cannot be used.
    """
    from organdose.scene.frame_files import frame_file_steps
    from organdose.scene.job_files import staged

    paths, typed_only = [], []
    for number, frame in enumerate(frames, 1):
        path, is_dicom = yield from staged(f"{stage} {number}", frame_file_steps(frame, folder, number))
        paths.append(path)
        typed_only.append(is_dicom)
    protocol, own = facts.protocols(typed_only=typed_only)
    alone = {_key(path): stated for path, stated in zip(paths, own, strict=True) if stated}
    if alone:
        protocol["series"] = alone
    (folder / "protocol.json").write_text(json.dumps(protocol), encoding="utf-8")
    return paths, folder / "protocol.json"


def _key(path: Path) -> str:
    """What a protocol file calls the facts of one frame by."""
    if path.is_file():
        return path.name
    import pydicom

    return str(pydicom.dcmread(next(path.iterdir()), specific_tags=["SeriesInstanceUID"]).SeriesInstanceUID)
