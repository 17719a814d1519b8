"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from organdose.errors import InputError


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Gives a temporary path in the same folder, with the same suffixes, that becomes `path` when all went well.

    On any error `path` stays as it was and nothing is left behind. Raises `InputError` when the folder cannot be
    written (no permission, no space, not a folder).
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix="".join(path.suffixes[-2:]), dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; results are as readable as any other
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=path,
                         mend="Choose another folder or free some space.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
