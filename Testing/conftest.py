"""Fixtures every room of the test suite uses."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def _shared_root() -> Path:
    return Path(os.environ.get("ORGANDOSE_DATA", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real CT, PET/CT and phantoms that stay outside the repository; skips where it is absent."""
    folder = _shared_root() / "data"
    if not folder.is_dir():
        pytest.skip(f"test data not here: {folder} (set ORGANDOSE_DATA to the folder that holds data/ and reference/)")
    return folder


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder of published figures (*.json) that stay outside the repository; skips where it is absent."""
    folder = _shared_root() / "reference"
    if not folder.is_dir():
        pytest.skip(f"reference tables not here: {folder} (set ORGANDOSE_DATA to the folder that holds data/ and reference/)")
    return folder
