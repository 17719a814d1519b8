"""Which Python runs the jobs, and with which variables."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import organdose
from organdose.errors import InputError
from organdose.jobs import interpreter
from organdose.jobs.interpreter import Interpreter

pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes scripts as POSIX runs them")


def _script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def environment_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False)
    return folder


def test_the_running_python_is_used_with_its_variables(monkeypatch):
    monkeypatch.setenv("ORGANDOSE_EXAMPLE", "here")
    own = Interpreter.own()
    assert own.executable == Path(sys.executable)
    assert own.job_environment()["ORGANDOSE_EXAMPLE"] == "here"
    assert Interpreter.own(Path("/somewhere/python")).executable == Path("/somewhere/python")


@pytest.mark.parametrize("application", ["bin/SlicerApp-real", "bin/python-real", "Contents/MacOS/Slicer"])
def test_inside_slicer_its_python_lies_beside_the_application(tmp_path, monkeypatch, application):
    beside = (tmp_path / application).parent if application.startswith("bin") else tmp_path / "Contents" / "bin"
    python = _script(beside / "PythonSlicer", "true")
    monkeypatch.setattr(sys, "executable", str(tmp_path / application))
    assert Interpreter.own().executable == python


def test_inside_slicer_jobs_run_in_the_python_behind_the_launcher_where_that_runs(tmp_path, monkeypatch):
    launcher = _script(tmp_path / "bin" / "PythonSlicer", "true")
    real = _script(tmp_path / "bin" / "python-real", "exit 1")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "SlicerApp-real"))
    assert Interpreter.own().executable == launcher  # a Python that does not run without its launcher
    _script(real, "true")
    assert Interpreter.own().executable == real


def test_inside_slicer_its_python_is_found_on_the_path_at_last(tmp_path, monkeypatch):
    python = _script(tmp_path / "elsewhere" / "PythonSlicer", "true")
    monkeypatch.setattr(sys, "executable", None)
    monkeypatch.setenv("PATH", str(python.parent))
    assert Interpreter.own().executable == python


def test_an_application_without_a_python_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "SlicerApp-real"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"SlicerApp-real: the Python of this application is not found\. Choose"):
        Interpreter.own()


def test_jobs_run_the_code_of_their_window_and_nothing_of_the_folder_they_run_in(environment_folder, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    found = Interpreter.existing(environment_folder, dict(os.environ))
    output = subprocess.run([found.executable, "-c", "import json, organdose; print(organdose.__file__)"], check=True,
                            env=found.job_environment(), cwd=tmp_path, capture_output=True, text=True).stdout
    assert output.strip() == organdose.__file__


@pytest.mark.parametrize("name", [".", "bin/python"])
def test_an_environment_is_named_by_its_folder_or_its_python(environment_folder, name):
    found = Interpreter.existing(environment_folder / name, {"PATH": "/usr/bin"})
    assert found.executable == environment_folder / "bin" / "python"  # the link itself, it knows its environment
    assert found.environment["PATH"] == f"{environment_folder / 'bin'}{os.pathsep}/usr/bin"
    prefix = subprocess.run([found.executable, "-c", "import sys; print(sys.prefix)"], env=found.job_environment(),
                            check=True, capture_output=True, text=True).stdout.strip()
    assert prefix == str(environment_folder)


def test_nothing_of_slicer_reaches_another_python(environment_folder, monkeypatch):
    monkeypatch.setenv("SLICER_HOME", "/opt/slicer")
    startup = {"PYTHONHOME": "/opt/slicer/lib/Python", "PYTHONPATH": "/opt/slicer/bin/Python", "HOME": "/home/me",
               "LD_LIBRARY_PATH": "/opt/slicer/lib:/usr/local/cuda/lib64", "DYLD_LIBRARY_PATH": "/opt/slicer/lib",
               "PATH": "/opt/slicer/bin:/usr/bin"}
    found = Interpreter.existing(environment_folder, startup)
    assert not [value for value in found.environment.values() if "slicer" in value]
    assert found.environment["LD_LIBRARY_PATH"] == "/usr/local/cuda/lib64"  # the user's own stays
    assert found.environment["HOME"] == "/home/me" and found.environment["PATH"].endswith("/usr/bin")
    assert found.job_environment()["PYTHONPATH"] == str(found.package_path)


def test_an_installed_organdose_does_not_bring_its_neighbours_along(environment_folder, monkeypatch):
    installed = "/usr/lib/python3.12/site-packages/organdose/jobs/interpreter.py"
    monkeypatch.setattr(interpreter, "__file__", installed)
    found = Interpreter.existing(environment_folder, {})
    assert found.package_path is None and found.job_environment()["PYTHONPATH"] == ""


@pytest.mark.parametrize(("make", "told"), [
    (lambda path: None, "there is no such file or folder"),
    (lambda path: path.mkdir(), "there is no Python in this folder"),
    (lambda path: path.write_text("import this"), "not a Python that runs"),
    (lambda path: _script(path, "true"), "not a Python that runs"),
    (lambda path: _script(path, "echo Perl 5 36"), "not a Python that runs"),
    (lambda path: _script(path, "echo Python three eleven"), "not a Python that runs"),
    (lambda path: _script(path, "exit 1"), "not a Python that runs"),
    (lambda path: _script(path, "echo Python 3 9"), "this is Python 3.9, jobs need 3.11 or newer")])
def test_what_is_no_python_is_refused_in_one_line(tmp_path, make, told):
    make(tmp_path / "python")
    with pytest.raises(InputError, match=told) as caught:
        Interpreter.existing(tmp_path / "python", dict(os.environ))
    assert "\n" not in str(caught.value) and str(tmp_path / "python") in str(caught.value)


def test_variables_are_json(environment_folder):
    assert json.dumps(dict(Interpreter.existing(environment_folder, dict(os.environ)).job_environment(A="b")))
