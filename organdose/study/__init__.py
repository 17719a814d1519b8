"""What was acquired: DICOM and NIfTI in, acquisition facts with their origin out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from organdose.study.activity_reading import join_studies, read_activity
    from organdose.study.reading import read_ct

__all__ = ["join_studies", "read_activity", "read_ct"]


def __getattr__(name: str):
    """The readers on first use, so that importing the package does not import pydicom."""
    if name == "read_ct":
        from organdose.study.reading import read_ct
        return read_ct
    if name in ("join_studies", "read_activity"):
        from organdose.study import activity_reading
        return getattr(activity_reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
