"""Packages are installed after asking, and it is said when they are not there afterwards."""

import subprocess
import sys
import types

import pytest

from organdose.errors import InputError
from organdose.jobs import install
from organdose.jobs.install import install_missing


@pytest.fixture
def present(monkeypatch):
    """The names of the packages that are installed, as the check afterwards finds them."""
    names = set()
    monkeypatch.setattr(install, "found_version", lambda name, module: "99" if name in names else None)
    return names


@pytest.fixture
def new_slicer(present):
    """Slicer 5.11 and later."""
    asked = []

    def pip_ensure(requirements, requester):
        asked.append(([str(each) for each in requirements], requester))
        present.update(each.name for each in requirements)
    return types.SimpleNamespace(packaging=types.SimpleNamespace(pip_ensure=pip_ensure), asked=asked)


@pytest.fixture
def old_slicer(present):
    asked, installed = [], []

    def pip_install(requirements):
        installed.extend(requirements)
        present.update(each.partition(">")[0] for each in requirements)
    slicer = types.SimpleNamespace(asked=asked, installed=installed, answer=True)
    slicer.util = types.SimpleNamespace(
        pip_install=pip_install, confirmOkCancelDisplay=lambda text, title: asked.append(text) or slicer.answer)
    return slicer


@pytest.fixture
def pytorch_extension(monkeypatch, present):
    """Slicer's PyTorch extension; `answers` is what installing gives."""
    extension = types.SimpleNamespace(asked=[], answers=types.SimpleNamespace(__version__="99"))

    class Logic:
        def installTorch(self, **keywords):
            extension.asked.append(keywords)
            if isinstance(extension.answers, Exception):
                raise extension.answers
            if extension.answers is not None:
                present.add("torch")
            return extension.answers
    monkeypatch.setitem(sys.modules, "PyTorchUtils", types.SimpleNamespace(PyTorchUtilsLogic=Logic))
    return extension


def test_slicer_is_asked_to_install_what_is_missing(new_slicer):
    install_missing(["numba>=0.60", "highdicom>=0.24"], new_slicer)
    assert new_slicer.asked == [(["numba>=0.60", "highdicom>=0.24"], "OrganDose")]


def test_an_older_slicer_asks_its_user_first(old_slicer):
    install_missing(["numba>=0.60"], old_slicer)
    assert "numba>=0.60" in old_slicer.asked[0] and old_slicer.installed == ["numba>=0.60"]
    old_slicer.answer = False
    with pytest.raises(InputError, match=r"not installed: pydicom>=3\.0"):
        install_missing(["pydicom>=3.0"], old_slicer)
    assert old_slicer.installed == ["numba>=0.60"]


def test_torch_comes_first_and_through_the_pytorch_extension(new_slicer, pytorch_extension):
    install_missing(["monai>=1.4", "torch>=2.4"], new_slicer)
    assert pytorch_extension.asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.4"}]
    assert new_slicer.asked == [(["monai>=1.4"], "OrganDose")]


def test_without_the_pytorch_extension_nothing_is_installed(new_slicer, monkeypatch):
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    with pytest.raises(InputError, match="Install PyTorch in Slicer's Extensions Manager"):
        install_missing(["torch>=2.4", "monai>=1.4"], new_slicer)
    assert new_slicer.asked == []


@pytest.mark.parametrize(("answer", "told"), [
    (None, "not installed: torch>=2.4"),
    (RuntimeError("no\nspace"), r"torch>=2.4 could not be installed \(no space\)")])
def test_a_torch_that_was_not_installed_is_told_in_one_line(new_slicer, pytorch_extension, answer, told):
    pytorch_extension.answers = answer
    with pytest.raises(InputError, match=told) as caught:
        install_missing(["torch>=2.4", "monai>=1.4"], new_slicer)
    assert "\n" not in str(caught.value) and new_slicer.asked == []


@pytest.mark.parametrize("error", [subprocess.CalledProcessError(1, ["pip", "install"]),
                                   RuntimeError("no space left"), RuntimeError()])
def test_a_failed_installation_is_told_in_one_line(new_slicer, error):
    def fail(*_, **__):
        raise error
    new_slicer.packaging.pip_ensure = fail
    with pytest.raises(InputError, match=r"numba>=0\.60 could not be installed") as caught:
        install_missing(["numba>=0.60"], new_slicer)
    assert "\n" not in str(caught.value)


def test_an_installation_that_claims_success_is_checked(new_slicer):
    new_slicer.packaging.pip_ensure = lambda *_, **__: None  # as in Slicer's testing mode
    with pytest.raises(InputError, match=r"still missing: numba>=0\.60, numpydoc"):
        install_missing(["numba>=0.60", "numpydoc"], new_slicer)


def test_what_is_there_already_is_enough():
    install_missing(["numpy>=1.26", "pylibjpeg-openjpeg>=2.3"], types.SimpleNamespace(
        packaging=types.SimpleNamespace(pip_ensure=lambda *_, **__: None)))


def test_a_user_who_says_no_to_slicers_own_question_is_not_told_of_a_failure(new_slicer):
    def decline(*_, **__):
        raise RuntimeError("User declined package installation")

    new_slicer.packaging.pip_ensure = decline
    with pytest.raises(InputError, match=r"not installed: numba>=0\.60"):
        install_missing(["numba>=0.60"], new_slicer)
