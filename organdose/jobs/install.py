"""Packages that jobs lack, installed into Slicer's own Python after the user was asked."""

from __future__ import annotations

import importlib
import logging
import re
from contextlib import suppress
from types import ModuleType

from organdose.errors import InputError
from organdose.jobs.self_check_facts import PACKAGES, found_version, is_enough

REQUESTER = "OrganDose"


def install_missing(requirements: list[str], slicer: ModuleType) -> None:
    """Install requirements such as 'numba>=0.60' into this Python; torch comes through the PyTorch extension.

    `slicer`: Slicer's module. Blocks while Slicer shows its own dialogs. Raises `InputError` when the user declines,
    the installation fails, or a package is still not there afterwards.
    """
    torch = [each for each in requirements if _name(each) == "torch"]
    others = [each for each in requirements if each not in torch]
    # torch first: other packages would bring one that does not fit the graphics card.
    for requirement in torch:
        _install_torch(requirement)
    if others:
        _install(others, slicer)
    importlib.invalidate_caches()
    absent = [each for each in requirements if not _is_there(each)]
    if absent:
        raise InputError(f"after the installation these are still missing: {', '.join(absent)}",
                         mend="Restart Slicer and try again, or install them with pip in Slicer's Python.")


def _install(requirements: list[str], slicer: ModuleType) -> None:
    installer = _package_module(slicer)
    try:
        if hasattr(installer, "pip_ensure"):
            from packaging.requirements import Requirement

            installer.pip_ensure([Requirement(each) for each in requirements], requester=REQUESTER)
        elif slicer.util.confirmOkCancelDisplay(f"{REQUESTER} needs to install: {', '.join(requirements)}.", REQUESTER):
            slicer.util.pip_install(requirements)
        else:
            raise _declined(requirements)
    except InputError:
        raise
    except Exception as error:
        # pip_ensure has no exception of its own for a user who says no.
        declined = isinstance(error, RuntimeError) and "declined" in str(error).lower()
        raise (_declined(requirements) if declined else _failed(requirements, error)) from error


def _package_module(slicer: ModuleType) -> ModuleType | None:
    """Slicer's own installer: from 5.11 on, called pydeps for a time, and loaded on first use only."""
    for name in ("packaging", "pydeps"):
        if hasattr(slicer, name):
            return getattr(slicer, name)
        if hasattr(slicer, "__path__"):
            with suppress(ImportError):
                return importlib.import_module(f"slicer.{name}")
    return None


def _install_torch(requirement: str) -> None:
    try:
        torch_utils = importlib.import_module("PyTorchUtils")
    except ImportError as error:
        raise InputError("torch is installed by the PyTorch extension of Slicer, which is not there",
                         mend="Install PyTorch in Slicer's Extensions Manager and restart.") from error
    try:
        # Without a torch the user has said no.
        if torch_utils.PyTorchUtilsLogic().installTorch(
                askConfirmation=True, torchVersionRequirement=requirement.removeprefix("torch")) is None:
            raise _declined([requirement])
    except InputError:
        raise
    except Exception as error:
        raise _failed([requirement], error) from error


def _declined(requirements: list[str]) -> InputError:
    return InputError(f"not installed: {', '.join(requirements)}",
                      mend="Install them, or choose another Python for jobs in the settings.")


def _failed(requirements: list[str], error: Exception) -> InputError:
    # pip's own explanation is long and stands in Slicer's log.
    logging.error("Installation failed", exc_info=error)
    why = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    return InputError(f"{', '.join(requirements)} could not be installed ({why})",
                      mend="See Slicer's log, and check the network and the space on the disk.")


def _name(requirement: str) -> str:
    return re.match(r"[\w.-]*", requirement.strip())[0]


def _is_there(requirement: str) -> bool:
    name = _name(requirement)
    package = next((each for each in PACKAGES if each.name == name), None)
    module, minimum = (name, "0") if package is None else (package.module, package.minimum)
    return is_enough(found_version(name, module), minimum)
