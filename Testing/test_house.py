"""The rules of the house that a reader cannot see in one file: which room may lean on which, and sizes."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "organdose"

# A room may import the rooms in its set, itself, and the base modules that stand outside any room.
MAY_IMPORT = {
    "study": set(),
    "anatomy": {"study"},
    "transport": {"study", "anatomy"},
    "patient": {"study", "anatomy", "transport"},
    "segmentation": {"study", "anatomy", "transport"},
    "ct": {"study", "anatomy", "transport", "patient"},
    "nuclear": {"study", "anatomy", "transport", "patient"},
    "assess": {"study", "anatomy", "transport"},
    "export": {"study", "anatomy", "transport", "assess"},
    "scene": {"study", "anatomy", "transport", "patient", "segmentation", "ct", "nuclear", "assess", "export"},
    "jobs": {"study", "anatomy", "transport", "patient", "segmentation", "ct", "nuclear", "assess", "export",
             "scene"},
    "validation": {"study", "anatomy", "transport", "patient", "segmentation", "ct", "nuclear", "assess", "export",
                   "jobs", "scene"},
    "panels": {"study", "anatomy", "segmentation", "ct", "nuclear", "assess", "export", "scene", "jobs"},
}
BASE = {"errors", "progress", "resources", "dose_map", "computed_cache"}
FRONT = {"cli", "terminal"}
WINDOW_PACKAGES = {"slicer", "vtk", "vtkmodules", "qt", "ctk", "PySide6"}
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [PACKAGE.parent / name / f"{name}.py" for name in ("OrganSegmenter", "DoseEstimator", "InternalDosimetry")]


def imported_modules(path: Path) -> list[str]:
    """Full names of everything a file imports, inside functions too."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" if node.module == "organdose" else node.module
                      for alias in node.names]
    return names


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows_point_one_way(path):
    room = room_of(path)
    if room in FRONT | {"__init__"}:
        return
    allowed = BASE | (set() if room in BASE else MAY_IMPORT[room] | {room})
    for name in imported_modules(path):
        if name.startswith("organdose."):
            other = name.split(".")[1]
            assert other in allowed or other == "__version__", f"{room} must not import {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_scene_and_panels_know_slicer_and_nothing_below_networks_knows_torch(path):
    tops = {name.split(".")[0] for name in imported_modules(path)}
    if room_of(path) not in ("scene", "panels"):
        assert not tops & WINDOW_PACKAGES
    if room_of(path) == "scene":
        assert not tops & {"qt", "ctk"}, "the scene works without a window"
    assert "PySide6" not in tops
    if path.parent != PACKAGE / "segmentation" / "networks":
        assert "torch" not in tops and "monai" not in tops


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_networks_are_imported_only_when_one_is_used(path):
    if path.parent == PACKAGE / "segmentation" / "networks":
        return
    at_import = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    assert not [node.module for node in at_import if node.module.startswith("organdose.segmentation.networks")]


def test_every_room_is_in_the_rules():
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms - FRONT == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES + MODULES, ids=lambda p: p.name)
def test_files_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
