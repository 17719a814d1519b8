"""What was computed once and is the same for everybody who computes it again: kept in the user's cache folder.

A key is made of everything the result depends on, the code included, so that a change of physics never meets an old
result.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def cache_folder(kind: str) -> Path:
    """Folder of results of one kind: below $ORGANDOSE_CACHE, $XDG_CACHE_HOME or ~/.cache."""
    root = os.environ.get("ORGANDOSE_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "organdose" / kind


def fingerprint(*parts: object) -> str:
    """24 hexadecimal digits of everything in `parts`, whose repr must tell all of it."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


@cache
def code_digest(*patterns: str) -> str:
    """Hash of the files of the package that match, such as 'transport/*.py'."""
    files = sorted({file for pattern in patterns for file in PACKAGE.glob(pattern)})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def keep(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path` and rename it to that, so that nobody reads half a file.

    A folder that cannot be written to costs the next run its computation, nothing more.
    """
    part = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
