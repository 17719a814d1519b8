"""The record of a run: enough to know what was done, and to do it again."""

import hashlib
import json
import socket
import time
from datetime import UTC, datetime, timedelta

import numpy
import pytest

from organdose import __version__
from organdose.jobs.record import RunRecord, device, versions


def test_one_file_has_its_own_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    record = RunRecord("task", {})
    record.add_input("ct", tmp_path / "a", [tmp_path / "a"])
    # FIPS 180-2, appendix B.1
    assert record.inputs["ct"] == {"path": str(tmp_path / "a"), "files": 1, "sha256":
                                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}


def test_a_folder_has_one_sha256_that_does_not_depend_on_names_or_order(tmp_path):
    for name, content in (("1", b"one"), ("2", b"two"), ("renamed", b"one")):
        (tmp_path / name).write_bytes(content)
    record = RunRecord("task", {})
    record.add_input("a", tmp_path, [tmp_path / "1", tmp_path / "2"])
    record.add_input("b", tmp_path, [tmp_path / "2", tmp_path / "renamed"])
    record.add_input("c", tmp_path, [tmp_path / "1", tmp_path / "renamed"])
    digests = sorted(hashlib.sha256(content).hexdigest() for content in (b"one", b"two"))
    assert record.inputs["a"]["sha256"] == hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert record.inputs["a"]["sha256"] == record.inputs["b"]["sha256"] != record.inputs["c"]["sha256"]


def test_times_of_a_stage_add_up_even_when_it_fails():
    record = RunRecord("task", {})
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), record.timed("read"):
            time.sleep(0.02)
            raise ZeroDivisionError
    assert 0.04 <= record.seconds["read"] < 5


def test_it_starts_now_in_universal_time():
    started = datetime.fromisoformat(RunRecord("task", {}).as_dict()["started"])
    assert started.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - started) < timedelta(minutes=1)


def test_versions_are_those_of_the_libraries_in_use():
    found = versions()
    assert found["numpy"] == numpy.__version__
    assert {"python", "scipy", "SimpleITK", "pydicom", "numba", "xraylib"} <= set(found)


def test_the_machine_is_described_without_its_name():
    told = json.dumps(device())
    assert socket.gethostname() not in told
    assert device()["class"] == "cpu" and device()["threads"] >= 1


def test_it_is_json_and_says_that_it_is_research(tmp_path):
    record = RunRecord("ct-dose", {"ct": "somewhere", "organs": None})
    record.facts["path"] = tmp_path  # whatever a fact is made of
    record.write(tmp_path / "run.json")
    read = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert read["organdose"] == __version__ and read["task"] == "ct-dose"
    assert read["job"] == {"ct": "somewhere", "organs": None}
    assert read["facts"]["path"] == str(tmp_path)
    assert "Not a medical device" in read["research_software"]
