"""The extension built against a fake Slicer, and a Python that has only what Slicer bundles."""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cmake import CMAKE_BIN_DIR

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
MODULES = ("OrganSegmenter", "DoseEstimator", "InternalDosimetry")
BUNDLED = ("numpy", "scipy", "SimpleITK", "pydicom")  # in every Slicer 5.10

# Neither site-packages nor the checkout of an editable installation nor PYTHONPATH: only the folders given.
PRELUDE = """
import importlib.util, json, sys
sys.path[:0] = {folders!r}
sys.path.append({bundled!r})
spec = importlib.util.spec_from_file_location("stub_slicer", {stub!r})
stub_slicer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stub_slicer)
stub_slicer.install()

def loaded_of_bundled():
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return sorted({{file[len({bundled!r}) + 1:].split("/")[0] for file in files if file.startswith({bundled!r})}})
"""


@dataclass(frozen=True)
class BuiltExtension:
    """Where the parts of a build lie. `modules`: the folder that the installed modules share."""

    build: Path
    modules: Path
    modules_in_build_tree: Path

    def metadata(self) -> dict[str, str]:
        lines = (self.build / "metadata.txt").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(params=MODULES)
def module_name(request) -> str:
    return request.param


@pytest.fixture
def module_folder(module_name) -> Path:
    return REPOSITORY / module_name


@pytest.fixture(scope="session")
def built_extension(tmp_path_factory) -> BuiltExtension:
    """The extension configured, built and installed as Slicer's build does it, against `fake_slicer`."""
    folder = tmp_path_factory.mktemp("extension")
    build, prefix = folder / "build", folder / "installed"
    # No compiler is needed, so none has to be there: CMake is told to take any name for one.
    compilers = [f"-DCMAKE_{language}_COMPILER{suffix}" for language in ("C", "CXX")
                 for suffix in (f"={sys.executable}", "_FORCED=ON", "_ID_RUN=ON")]
    _cmake("-S", REPOSITORY, "-B", build, "-G", "Unix Makefiles", f"-DSlicer_DIR={HERE / 'fake_slicer'}", *compilers)
    _cmake("--build", build)
    _cmake("--install", build, "--prefix", prefix)
    place = Path("lib/Slicer-5.13/qt-scripted-modules")
    return BuiltExtension(build, prefix / "Extensions" / "OrganDose" / place, build / place)


def _cmake(*arguments) -> None:
    done = subprocess.run([Path(CMAKE_BIN_DIR) / "cmake", *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def bundled_packages(tmp_path_factory) -> Path:
    """A folder of links to the packages that come with Slicer, and no others."""
    folder = tmp_path_factory.mktemp("bundled")
    for name in BUNDLED:
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files} - {".."}:
            (folder / top).symlink_to(Path(distribution.locate_file(top)))
    return folder


@pytest.fixture
def slicer_python(bundled_packages, tmp_path) -> Callable[..., dict]:
    """Runs code in a new Python that finds the standard library, what Slicer bundles, stubs of Slicer's own modules and
    the folders given; gives what the code has printed as JSON."""

    def run(code: str, *folders: Path) -> dict:
        prelude = PRELUDE.format(folders=[str(folder) for folder in folders], bundled=str(bundled_packages),
                                 stub=str(HERE / "stub_slicer.py"))
        done = subprocess.run([sys.executable, "-I", "-S", "-c", prelude + code], cwd=tmp_path, capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
