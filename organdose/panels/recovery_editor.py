"""The editor of a form for a file of recovery coefficients."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from organdose.panels.file_editor import FileEditor


class RecoveryEditor(FileEditor):
    """An editor of `EngineForm` for `recovery`."""

    title: ClassVar[str] = "Recovery coefficients"
    kinds: ClassVar[str] = "Recovery coefficients (*.json)"

    def check(self, path: Path) -> None:
        """See `FileEditor.check`."""
        from organdose.nuclear.recovery_coefficients import read_recovery_table

        read_recovery_table(path)
