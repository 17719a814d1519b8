"""Choosing an HU curve: Schneider's, or the clinic's own in a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from organdose.panels.file_editor import FileEditor


class HUCurveEditor(FileEditor):
    """An editor of `EngineForm` for the parameter `hu_curve`: None or the path of a curve file."""

    default: ClassVar[str] = "Schneider 2000"
    title: ClassVar[str] = "HU curve"
    kinds: ClassVar[str] = "HU curve (*.json)"

    def check(self, path: Path) -> None:
        """See `FileEditor.check`."""
        from organdose.anatomy.hu_curve import read_hu_curve

        read_hu_curve(path)
