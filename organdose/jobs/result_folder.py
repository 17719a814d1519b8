"""Results appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from organdose.errors import InputError

RECORD_NAME = "run.json"


def check_result_folder(folder: Path) -> None:
    """Raises `InputError` when `folder` could not take a result: it holds something else, or cannot be written."""
    folder = Path(folder).absolute()
    try:
        if folder.exists():
            _check_ours(folder)
        # Trying is the only test that holds for root, network drives and read-only file systems alike.
        os.rmdir(tempfile.mkdtemp(prefix=".organdose-", dir=_existing_parent(folder.parent)))
    except OSError as error:
        raise InputError(f"nothing can be written there ({error.strerror or error})", where=folder,
                         mend="Give another folder with -o.") from error


def check_inputs_outside(folder: Path, inputs: Iterable[Path | str | None]) -> None:
    """A result replaces its folder: raises `InputError` where one of the `inputs` (None: not given) lies in it."""
    for path in inputs:
        if path is not None and Path(path).absolute().is_relative_to(Path(folder).absolute()):
            raise InputError("the output folder holds an input of this run", where=folder,
                             mend="Give another folder with -o.")


def _check_ours(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError("the output folder is a file", where=folder, mend="Give another folder with -o.")
    if any(folder.iterdir()) and not _holds_our_record(folder):
        raise InputError("the output folder holds files that are not a result of organdose", where=folder,
                         mend="Give an empty or a new folder with -o.")


def _holds_our_record(folder: Path) -> bool:
    try:
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"organdose", "task", "job"} <= record.keys()


@contextmanager
def result_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to write into; renamed to `folder` at the end, removed when anything fails.

    An earlier result of ours in `folder` is replaced only then. Raises `InputError` as `check_result_folder`, and when
    the disk is full.
    """
    folder = Path(folder).absolute()
    check_result_folder(folder)
    made = _make_parents(folder.parent)
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name[:80]}-", suffix=".unfinished", dir=folder.parent))
    except OSError as error:
        remove_empty(made)
        raise _unwritable(folder, error) from error
    try:
        yield unfinished
        unfinished.chmod(0o777 & ~_umask())
        _swap(unfinished, folder)
    except OSError as error:
        _clean(unfinished, made)
        raise _unwritable(folder, error) from error
    except BaseException:
        _clean(unfinished, made)
        raise


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(f"the result could not be written ({error.strerror or error})", where=folder,
                      mend="Make room on the disk or give another folder with -o.")


def _existing_parent(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def missing_folders(folder: Path) -> list[Path]:
    """`folder` and those above it that are not there yet, innermost first."""
    return [each for each in (folder, *folder.parents) if not each.exists()]


def _make_parents(parent: Path) -> list[Path]:
    """Make the folders above the result; returns those that were new, innermost first."""
    missing = missing_folders(parent)
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder cannot be made ({error.strerror})", where=parent,
                         mend="Give another folder with -o.") from error
    return missing


def _swap(unfinished: Path, folder: Path) -> None:
    if folder.exists():
        earlier = unfinished.with_suffix(".earlier")
        folder.rename(earlier)
        try:
            unfinished.rename(folder)
        except OSError:
            earlier.rename(folder)
            raise
        shutil.rmtree(earlier, ignore_errors=True)
    else:
        unfinished.rename(folder)


def _clean(unfinished: Path, made: list[Path]) -> None:
    shutil.rmtree(unfinished, ignore_errors=True)
    remove_empty(made)


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, innermost first, up to the first that holds something."""
    for parent in folders:
        try:
            parent.rmdir()
        except OSError:
            break


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
