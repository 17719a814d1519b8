"""Results appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from organdose.errors import InputError

RECORD_NAME = "run.json"


def check_result_folder(folder: Path) -> None:
    """Raises `InputError` when `folder` could not take a result: it holds something else, or cannot be written."""
    if folder.exists():
        if not folder.is_dir():
            raise InputError("the output folder is a file", where=folder, mend="Give another folder with -o.")
        if any(folder.iterdir()) and not (folder / RECORD_NAME).is_file():
            raise InputError("the output folder holds files that are not a result of organdose", where=folder,
                             mend="Give an empty or a new folder with -o.")
    parent = _existing_parent(folder)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError("no permission to write there", where=parent, mend="Give another folder with -o.")


@contextmanager
def result_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to write into; renamed to `folder` at the end, removed when anything fails.

    An earlier result of ours in `folder` is replaced only then. Raises `InputError` as `check_result_folder`, and when
    the disk is full.
    """
    folder = Path(folder).absolute()
    check_result_folder(folder)
    made = _make_parents(folder.parent)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".unfinished", dir=folder.parent))
    try:
        yield unfinished
        unfinished.chmod(0o777 & ~_umask())
        _swap(unfinished, folder)
    except OSError as error:
        _clean(unfinished, made)
        raise InputError(f"the result could not be written ({error.strerror or error})", where=folder,
                         mend="Make room on the disk or give another folder with -o.") from error
    except BaseException:
        _clean(unfinished, made)
        raise


def _existing_parent(folder: Path) -> Path:
    parent = folder.absolute()
    while not parent.exists():
        parent = parent.parent
    return parent


def _make_parents(parent: Path) -> list[Path]:
    """Make the folders above the result; returns those that were new, innermost first."""
    missing = [p for p in (parent, *parent.parents) if not p.exists()]
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
        unfinished.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
    else:
        unfinished.rename(folder)


def _clean(unfinished: Path, made: list[Path]) -> None:
    shutil.rmtree(unfinished, ignore_errors=True)
    for parent in made:
        try:
            parent.rmdir()
        except OSError:
            break


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
