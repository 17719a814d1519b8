"""The window's answering time is measured by a script of the checkout, in a process of its own."""

from organdose.validation import window_benchmark
from organdose.validation.window_benchmark import run_window_benchmark


def script(tmp_path, text):
    path = tmp_path / "measure_window.py"
    path.write_text(text)
    return path


def test_the_lines_of_the_script_are_those_of_the_benchmark(tmp_path, monkeypatch):
    monkeypatch.setattr(window_benchmark, "_SCRIPT", script(tmp_path, "print('deaf for 5 ms: x'); print('in all')"))
    assert run_window_benchmark() == ["deaf for 5 ms: x", "in all"]


def test_an_installation_without_the_tests_says_why_it_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(window_benchmark, "_SCRIPT", tmp_path / "nowhere.py")
    assert "needs a checkout" in run_window_benchmark()[0]


def test_a_script_that_fails_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(window_benchmark, "_SCRIPT", script(tmp_path, "raise RuntimeError('no display')"))
    assert run_window_benchmark() == ["window during a job: not measured (RuntimeError: no display)"]
