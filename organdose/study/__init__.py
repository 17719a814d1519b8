"""What was acquired: DICOM and NIfTI in, acquisition facts with their origin out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from organdose.study.reading import read_ct

__all__ = ["read_ct"]


def __getattr__(name: str):
    """`read_ct` on first use, so that importing the package does not import pydicom."""
    if name == "read_ct":
        from organdose.study.reading import read_ct
        return read_ct
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
