"""Built, installed and taken away from its checkout the extension is complete."""

from pathlib import Path


def relative_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def without_caches(names: set[str]) -> set[str]:
    return {name for name in names if "__pycache__" not in name}


def package_files(repository: Path) -> set[str]:
    """What the package must consist of once it is installed."""
    resources = without_caches(relative_files(repository / "Resources"))
    return (without_caches(relative_files(repository / "organdose"))
            | {f"Resources/{name}" for name in resources if not name.startswith("screenshots/")})


def test_the_whole_package_and_nothing_else_is_installed(built_extension, repository):
    installed = relative_files(built_extension.modules / "organdose")
    assert installed == package_files(repository)
    assert {"export/templates/report.html.j2", "Resources/organs.csv"} <= installed


def test_the_package_is_in_the_build_tree_too(built_extension, repository):
    assert relative_files(built_extension.modules_in_build_tree / "organdose") == package_files(repository)


def test_a_module_is_installed_with_its_window_and_icon(built_extension, module_name):
    installed = relative_files(built_extension.modules)
    assert {f"{module_name}.py", f"Resources/UI/{module_name}.ui", f"Resources/Icons/{module_name}.png"} <= installed


def test_the_extension_can_be_packed_and_needs_the_pytorch_extension(built_extension):
    metadata = built_extension.metadata()
    assert metadata["EXTENSION_NAME"] == "OrganDose"
    assert metadata["EXTENSION_DEPENDS"].split(";") == ["PyTorch"]
    assert (built_extension.build / "OrganDoseConfig.cmake").is_file()


def test_every_module_brings_its_own_test_to_slicer(built_extension, module_name):
    assert f"{module_name}.py" in (built_extension.build / "unit_tests.txt").read_text(encoding="utf-8").split()


def test_the_installed_package_finds_its_data_without_the_checkout(built_extension, slicer_python):
    found = slicer_python("""
import organdose
from organdose.resources import resource_path
print(json.dumps({"package": organdose.__file__, "organs": str(resource_path("organs.csv")),
                  "phantom": str(resource_path("Icons", "OrganDosePhantom.png"))}))
""", built_extension.modules)
    for path in found.values():
        assert Path(path).is_relative_to(built_extension.modules / "organdose"), path


def test_an_installed_module_starts_with_the_installed_package(built_extension, module_name, slicer_python):
    found = slicer_python(f"""
from unittest.mock import MagicMock
import {module_name} as module
module.{module_name}(MagicMock())
import organdose
print(json.dumps({{"module": module.__file__, "package": organdose.__file__}}))
""", built_extension.modules)
    for path in found.values():
        assert Path(path).is_relative_to(built_extension.modules), path
