"""What a Python can do for jobs, and what to do where it cannot."""

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from organdose.jobs import self_check_facts
from organdose.jobs.interpreter import Interpreter
from organdose.jobs.self_check import (
    EVERYTHING,
    GPU_MONTE_CARLO,
    NETWORK_ENGINES,
    PACKAGES,
    SelfCheck,
    SelfCheckRun,
    start_self_check,
)
from organdose.jobs.self_check_facts import architecture_supported, found_version, is_enough

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
GIB = 1 << 30


@pytest.fixture
def checked(wait_until):
    def check(interpreter):
        running = start_self_check(interpreter)
        try:
            return wait_until(running.poll, 120)
        finally:
            running.close()
    return check


def _check(**changed):
    """A machine on which all is well."""
    found = {package.name: package.minimum for package in PACKAGES} | changed.pop("found", {})
    gpu = {"name": "NVIDIA A100", "capability": [8, 0], "architecture_supported": True,
           "memory_free_bytes": 70 * GIB, "memory_total_bytes": 80 * GIB} | changed.pop("gpu", {})
    torch = {"version": "2.9.0", "cuda_build": "12.8", "rocm_build": None, "cuda_available": True, "error": None,
             "arch_list": ["sm_80", "sm_90"], "gpus": [gpu]} | changed.pop("torch_facts", {})
    facts = {"python": "3.12.1", "executable": "python", "platform": "Linux", "organdose": "0.1.0",
             "memory": {"total_bytes": 32 * GIB, "free_bytes": 16 * GIB}, "graphics_cards": ["NVIDIA A100"],
             "packages": [{"name": name, "found": version} for name, version in found.items()], "torch": torch,
             "numba_cuda": {"available": True, "error": None}}
    return SelfCheck(**(facts | changed))


def test_the_table_of_packages_is_that_of_the_project():
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    for group, requirements in ((EVERYTHING, project["dependencies"]), (NETWORK_ENGINES, extras["segmentation"]),
                                (GPU_MONTE_CARLO, extras["gpu"])):
        assert [each.requirement for each in PACKAGES if each.needed_for == group] == requirements


def test_every_package_is_found_under_its_import_name():
    for package in PACKAGES:
        if package.needed_for == EVERYTHING:
            found = found_version(package.name, package.module)
            assert found and found != "unknown" and is_enough(found, package.minimum)


def test_this_python_is_ready(checked):
    check = checked(Interpreter.own())
    assert check.is_ready and check.failure == "" and check.missing_requirements() == []
    assert check.executable == sys.executable and check.organdose
    total, free = check.memory["total_bytes"], check.memory["free_bytes"]
    assert total is None or 0 < free <= total


@pytest.mark.skipif(os.name == "nt", reason="bin/ as POSIX has it")
def test_a_python_without_packages_says_what_is_missing(checked, tmp_path):
    venv.create(tmp_path, with_pip=False)
    check = checked(Interpreter.existing(tmp_path, dict(os.environ)))
    assert not check.is_ready and check.torch is None
    assert check.missing_requirements() == [each.requirement for each in PACKAGES if each.needed_for == EVERYTHING]
    assert {"torch>=2.4", "monai>=1.4"} < set(check.missing_requirements([NETWORK_ENGINES]))
    assert "numba-cuda>=0.4" in check.missing_requirements([GPU_MONTE_CARLO])
    first = check.problems[0]
    assert first.what.startswith("missing for everything: numpy, scipy") and "numpy>=1.26" in first.mend
    assert first.needed_for == EVERYTHING


@pytest.mark.skipif(os.name == "nt", reason="scripts as POSIX runs them")
@pytest.mark.parametrize(("script", "told"), [
    ("echo 'libpython is missing'; exit 127", r"status 127\): libpython is missing"), ("exit 0", "without an answer")])
def test_a_python_that_breaks_is_a_problem_in_words(checked, tmp_path, script, told):
    (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "python").chmod(0o755)
    check = checked(Interpreter(tmp_path / "python", dict(os.environ), None))
    problem, = check.problems
    assert not check.is_ready
    assert re.search(told, problem.what)


def test_a_python_that_is_not_there_is_a_problem_in_words(checked, tmp_path):
    check = checked(Interpreter(tmp_path / "python", {}, None))
    assert "cannot be started" in check.problems[0].what


@pytest.mark.skipif(os.name == "nt", reason="scripts as POSIX runs them")
def test_a_self_check_that_hangs_is_given_up(tmp_path, wait_until, is_running):
    (tmp_path / "python").write_text("#!/bin/sh\nsleep 600\n")
    (tmp_path / "python").chmod(0o755)
    running = SelfCheckRun(Interpreter(tmp_path / "python", dict(os.environ), None), patience_s=0.2)
    assert running.poll() is None
    assert "stopped before" in wait_until(running.poll, 10).problems[0].what
    wait_until(lambda: not is_running(running._process.pid), 10)


def test_what_libraries_print_does_not_disturb(tmp_path, checked):
    """torch, numba and MKL write warnings to both outputs, with and without a last line break."""
    own = Interpreter.own()
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nprint('{no json')\nsys.stderr.write('Warning: half a line')")
    noisy = Interpreter(own.executable, {**own.environment, "PYTHONPATH": str(tmp_path)}, own.package_path)
    assert checked(noisy).is_ready


def test_where_all_is_well_there_is_no_problem():
    assert _check().problems == []
    assert _check(graphics_cards=[], torch=None, numba_cuda=None).problems == []


@pytest.mark.parametrize(("changed", "what", "mend", "needed_for"), [
    ({"python": "3.9.18"}, "this is Python 3.9.18, jobs need 3.11", "another Python", EVERYTHING),
    ({"organdose": None}, "does not find organdose", "pip", EVERYTHING),
    ({"found": {"numba": None, "pydicom": "2.4.4"}}, "missing for everything: pydicom 2.4.4 (older than 3.0), numba",
     "pydicom>=3.0 numba>=0.60", EVERYTHING),
    ({"found": {"monai": None}}, "missing for network engines: monai", "monai>=1.4", NETWORK_ENGINES),
    ({"torch_facts": {"error": "OSError: libcudart.so.12"}}, "torch cannot be loaded (OSError: libcudart.so.12)",
     "torch again", NETWORK_ENGINES),
    ({"torch_facts": {"cuda_build": None, "cuda_available": False, "gpus": []}},
     "built without CUDA, the GPU NVIDIA A100 is not used", "until then jobs run on the CPU", NETWORK_ENGINES),
    ({"torch_facts": {"cuda_available": False, "gpus": []}}, "does not find the GPU NVIDIA A100", "driver",
     NETWORK_ENGINES),
    ({"gpu": {"name": "NVIDIA RTX 5090", "capability": [12, 0], "architecture_supported": False}},
     "torch is built without sm_120, the GPU NVIDIA RTX 5090 needs it", "a newer torch, built with sm_120; until then",
     NETWORK_ENGINES),
    ({"gpu": {"name": "NVIDIA GTX 1080", "capability": [6, 1], "architecture_supported": False}},
     "torch is built without sm_61", "an older torch", NETWORK_ENGINES),
    ({"numba_cuda": {"available": False, "error": "CudaSupportError: x"}}, "numba-cuda does not find the GPU NVIDIA",
     "Monte Carlo runs on the CPU", GPU_MONTE_CARLO),
    ({"memory": {"total_bytes": 8 * GIB, "free_bytes": int(1.5 * GIB)}}, "1.5 GiB of memory are free",
     "Close other programs", "large studies")])
def test_a_problem_says_what_is_wrong_and_how_to_mend_it(changed, what, mend, needed_for):
    check = _check(**changed)
    problem, = check.problems
    assert what in problem.what and mend in problem.mend and problem.needed_for == needed_for
    assert check.is_ready == (needed_for != EVERYTHING)


def test_amd_cards_are_not_judged_by_nvidias_architectures():
    check = _check(torch_facts={"cuda_build": None, "rocm_build": "6.2"}, gpu={"architecture_supported": None})
    assert check.problems == []


@pytest.mark.parametrize(("capability", "arch_list", "supported"), [
    ((8, 6), ["sm_80", "sm_90"], True),        # the same major number
    ((8, 0), ["sm_86"], False),                # built for a later card
    ((12, 0), ["sm_80", "sm_90"], False),      # a new card, an old torch
    ((12, 0), ["sm_80", "compute_90"], True),  # PTX runs on later cards
    ((7, 5), ["sm_80", "compute_80"], False),  # and not on earlier ones
    ((9, 0), ["sm_90a"], True), ((10, 0), ["sm_90a", "compute_90a"], False),
    ((10, 3), ["sm_100f"], True), ((12, 0), ["sm_100f", "compute_100f"], False), ((12, 1), ["sm_120"], True),
    ((8, 0), [], False)])
def test_a_gpu_runs_what_was_built_for_it(capability, arch_list, supported):
    assert architecture_supported(capability, arch_list) is supported


@pytest.mark.parametrize(("found", "minimum", "enough"), [
    ("2.4.0+cu121", "2.4", True), ("2.10", "2.9", True), ("2.3.1", "2.4", False), ("13", "13", True),
    ("13.0.0", "13", True), ("3.0.0rc1", "3.0", True), ("0.60.0", "0.60", True), ("unknown", "1", True),
    (None, "1", False)])
def test_versions_are_compared_by_their_numbers(found, minimum, enough):
    assert is_enough(found, minimum) is enough


def test_the_folder_that_a_broken_removal_left_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "left_behind" / "data").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert found_version("monai", "left_behind") is None


def _fake_package(folder, name, code):
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(code)


_TORCH = """
__version__ = "2.4.0+cu121"
class version: cuda, hip = "12.1", None
class cuda:
    is_available = staticmethod(lambda: True)
    get_arch_list = staticmethod(lambda: ["sm_80", "sm_90"])
    device_count = staticmethod(lambda: 1)
    get_device_capability = staticmethod(lambda number: (12, 0))
    get_device_name = staticmethod(lambda number: "NVIDIA RTX 5090")
    mem_get_info = staticmethod(lambda number: (30, 32))
"""


@pytest.mark.parametrize(("code", "told"), [
    (_TORCH, "torch is built without sm_120"),
    ("raise OSError('libcudart.so: cannot open')", "torch cannot be loaded")])
def test_torch_is_asked_in_the_python_of_the_jobs(checked, tmp_path, code, told):
    """Whoever installs torch here gets another answer, so a package of that name stands in."""
    _fake_package(tmp_path, "torch", code)
    own = Interpreter.own()
    check = checked(Interpreter(own.executable, {**own.environment, "PYTHONPATH": str(tmp_path)}, None))
    assert any(told in problem.what for problem in check.problems)
    assert check.torch["cuda_available"] is (code is _TORCH)


def test_the_facts_are_asked_with_the_standard_library_alone(tmp_path):
    output = subprocess.run([sys.executable, "-I", "-S", self_check_facts.__file__], capture_output=True, text=True,
                            check=True).stdout
    facts = json.loads(output.strip().splitlines()[-1])["organdose self-check"]
    assert all(package["found"] is None for package in facts["packages"])


def test_what_segmentation_engines_use_is_listed_with_versions_or_how_to_install_it():
    install = {name: how for name, _, how in self_check_facts.SEGMENTATION_PACKAGES}
    found = {"torch": "2.9.0", "monai": "1.5.1", "TotalSegmentator": None, "nnunetv2": None}
    check = _check(segmentation=[{"name": name, "found": found[name], "install": install[name]} for name in install],
                   shipped_network=False)
    assert check.segmentation_lines == [
        "torch 2.9.0", "monai 1.5.1", "TotalSegmentator: not installed (pip install TotalSegmentator)",
        "nnunetv2: not installed (pip install nnunetv2)",
        "Res-U2Net network: not in this installation (organdose train segmentation makes one)"]
    assert check.problems == [] and _check(shipped_network=True).segmentation_lines == ["Res-U2Net network: shipped"]


def test_this_python_tells_of_its_segmentation_engines(checked):
    check = checked(Interpreter.own())
    assert [each["name"] for each in check.segmentation] == ["torch", "monai", "TotalSegmentator", "nnunetv2"]
    assert check.shipped_network is (PYPROJECT.parent / "Resources" / "models" / "res-u2net").is_dir()


def test_a_python_without_organdose_says_nothing_of_the_network(monkeypatch):
    monkeypatch.setitem(sys.modules, "organdose.resources", None)
    assert self_check_facts._shipped_network() is None
