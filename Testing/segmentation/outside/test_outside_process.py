import os
import subprocess
import sys
import time

import pytest

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation.outside_process import OutsideEnd, is_installed, run_entry_point


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a module `outside` with a function `main` of this body, for child processes."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")])))

    def write(body: str) -> None:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (tmp_path / "outside.py").write_text(f"import os, subprocess, sys, time\n\ndef main():\n{lines}",
                                             encoding="utf-8")

    return write


def run(folder, arguments=(), progress=None, read_line=lambda line: None, **given):
    return run_entry_point("outside:main", list(arguments), folder=folder, progress=progress or Progress(),
                           read_line=read_line, **given)


def test_output_is_read_line_by_line_also_of_progress_bars(package, tmp_path):
    package("print('one\\rtwo', flush=True); sys.stderr.write('three'); print(sys.argv[1], os.environ['MORE'])")
    lines = []
    end = run(tmp_path, ["given"], read_line=lambda line: lines.append(line), variables={"MORE": "more"})
    assert end.status == 0 and set(lines) >= {"one", "two"} and "given more" in "".join(lines)


def test_modules_beside_ours_hide_nothing(package, tmp_path):
    package("import reading; print(reading.__file__)")
    assert run(tmp_path).status == 1
    assert any("No module named 'reading'" in line for line in run(tmp_path).lines)


def test_what_it_left_running_is_ended_with_it(package, tmp_path, is_gone):
    package("print(subprocess.Popen(['sleep', '30']).pid, flush=True)")
    end = run(tmp_path)
    assert end.status == 0 and eventually(is_gone, int(end.lines[0]))


def test_cancelling_ends_what_it_started(package, tmp_path, is_gone):
    package("print(subprocess.Popen(['sleep', '30']).pid, flush=True); time.sleep(30)")
    progress, pids = Progress(), []

    def read(line):
        pids.append(int(line))
        progress.cancel()

    with pytest.raises(Cancelled):
        run(tmp_path, progress=progress, read_line=read)
    assert eventually(is_gone, pids[0])


def test_it_ends_with_the_process_that_started_it(package, tmp_path, is_gone):
    package(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(30)")
    code = ("from organdose.progress import Progress; from organdose.segmentation.outside_process import "
            f"run_entry_point; run_entry_point('outside:main', [], folder={str(tmp_path)!r}, progress=Progress(), "
            "read_line=lambda line: None)")
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)
                                                                 + os.pathsep + os.environ["PYTHONPATH"]})
    give_up_s = time.monotonic() + 20
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < give_up_s and parent.poll() is None
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    assert eventually(is_gone, int((tmp_path / "pid").read_text()))


def eventually(is_gone, pid: int) -> bool:
    give_up_s = time.monotonic() + 5
    while not is_gone(pid) and time.monotonic() < give_up_s:
        time.sleep(0.02)
    return is_gone(pid)


@pytest.mark.parametrize(("status", "line", "memory"), [
    (1, "torch.OutOfMemoryError: CUDA out of memory.", True), (-9, "", True), (137, "", True),
    (1, "ValueError: no", False), (0, "out of memory, going on", False)])
def test_the_end_of_memory_is_told_from_other_ends(status, line, memory):
    assert OutsideEnd(status, (line,)).ran_out_of_memory is memory


def test_a_python_that_cannot_be_run_is_one_clear_line(tmp_path):
    assert is_installed("json") and not is_installed("no_such_package_anywhere")
    with pytest.raises(InputError, match="cannot be run"):
        is_installed("json", tmp_path / "python")
    with pytest.raises(InputError, match="cannot be started"):
        run(tmp_path, python=tmp_path / "python")
