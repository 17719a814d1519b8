"""Where the looked-up data lie: `Resources/` beside the package in a checkout, inside it when installed."""

from pathlib import Path

from organdose.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def resource_path(*parts: str) -> Path:
    """Path of a file or folder in `Resources`. Raises `InputError` when it is not there."""
    for root in (_PACKAGE / "Resources", _PACKAGE.parent / "Resources"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise InputError(f"the installation lacks the data file Resources/{'/'.join(parts)}",
                     mend="Install organdose again.")
