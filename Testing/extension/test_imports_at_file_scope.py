"""Slicer starts every module it knows: what they import must be there in a fresh Slicer, and be quick."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SLICER_TOPS = {"slicer", "vtk", "qt", "ctk", "numpy"}

# What Slicer does with every module when it starts. Prints where the package is found then, and which of the bundled
# packages were loaded.
START_ONE = """
from unittest.mock import MagicMock
import {name}
{name}.{name}(MagicMock())
import organdose
print(json.dumps({{"package": organdose.__file__, "loaded": loaded_of_bundled()}}))
"""

IMPORT_ALL = """
import pkgutil
import organdose.panels
failures = {}
for found in pkgutil.walk_packages(organdose.panels.__path__, "organdose.panels."):
    try:
        importlib.import_module(found.name)
    except Exception as error:
        failures[found.name] = repr(error)
print(json.dumps({"panels": organdose.panels.__file__, "failures": failures}))
"""


def run_at_import(nodes: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements that run when a file is imported: not those in functions or for type checkers only."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from run_at_import(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from run_at_import([child for child in ast.iter_child_nodes(node)
                                      if isinstance(child, ast.stmt | ast.ExceptHandler)])


def tops_imported(path: Path) -> set[str]:
    """First parts of the names of what a file imports when it is imported itself."""
    tops = set()
    for node in run_at_import(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            tops |= {alias.name.split(".")[0] for alias in node.names}
        else:
            assert node.level == 0, f"{path.name}: relative import"
            tops.add(node.module.split(".")[0])
    return tops


def test_imports_in_functions_do_not_count_and_those_in_classes_and_branches_do(tmp_path):
    path = tmp_path / "example.py"
    path.write_text("import os\nif TYPE_CHECKING:\n    import monai\ntry:\n    import vtk.util\nexcept ImportError:\n"
                    "    import numba\nclass A:\n    from qt import QLabel\n    def f(self):\n        import torch\n")
    assert tops_imported(path) == {"os", "vtk", "numba", "qt"}


def test_a_module_imports_only_what_every_slicer_has(module_name, module_folder):
    assert (module_folder / f"{module_name}.py").is_file()
    for path in module_folder.rglob("*.py"):
        assert tops_imported(path) <= SLICER_TOPS | sys.stdlib_module_names


def test_a_module_starts_from_a_checkout_and_loads_nothing_heavy(module_name, module_folder, repository, slicer_python):
    found = slicer_python(START_ONE.format(name=module_name), module_folder)
    assert Path(found["package"]) == repository / "organdose" / "__init__.py"
    assert set(found["loaded"]) <= {"numpy"}


def test_the_windows_parts_need_nothing_that_has_to_be_installed_first(repository, slicer_python):
    if not (repository / "organdose" / "panels").is_dir():
        pytest.skip("organdose/panels is not there yet")
    found = slicer_python(IMPORT_ALL, repository)
    assert found["failures"] == {}
