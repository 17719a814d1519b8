"""Where the files of the results that a window shows lie, as long as Slicer runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from organdose.errors import InputError


class ResultFolders:
    """Folders of finished jobs, each kept as long as a node of its result (its table) is in the scene."""

    def __init__(self):
        self._folders: list[tuple[object, Path]] = []

    def remember(self, table_node, folder: Path) -> None:
        """`folder` is the job's own; the result lies in `folder`/result."""
        self._folders.append((table_node, Path(folder)))

    def of(self, table_node) -> Path | None:
        """The result folder of a table; None without one. Folders of results that have left the scene are removed."""
        for table, folder in [each for each in self._folders if each[0].GetScene() is None]:
            self._folders.remove((table, folder))
            shutil.rmtree(folder, ignore_errors=True)
        found = [folder / "result" for table, folder in self._folders if table is table_node]
        return found[0] if found else None

    def has(self, table_node) -> bool:
        """Whether the files of a table's result are there."""
        folder = self.of(table_node)
        return folder is not None and folder.is_dir()

    def remove_all(self) -> None:
        """The window goes away, and no later one knows of them."""
        for _table, folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def ask_and_copy(result: Path, name: str) -> None:
    """Copy a result folder into one that the user chooses, as `name` or `name`-2 ...; what fails is shown."""
    import qt
    import slicer

    chosen = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), "Save the result folder in", "")
    if not chosen:
        return
    try:
        _copied(result, Path(chosen), name)
    except InputError as error:
        slicer.util.errorDisplay(str(error))


def _copied(result: Path, below: Path, name: str) -> None:
    target = next(path for number in range(1, 10_000)
                  if not (path := below / (f"{name}-{number}" if number > 1 else name)).exists())
    try:
        shutil.copytree(result, target)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise InputError(f"the result could not be saved ({error.strerror or error})", where=target,
                         mend="Choose another folder.") from error
