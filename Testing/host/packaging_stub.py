"""`slicer.packaging`: asks and reports as Slicer does, records what would be installed, and never installs."""

import importlib.metadata
import sys
import types
from dataclasses import dataclass, field

import slicer
from packaging.requirements import InvalidRequirement, Requirement


@dataclass
class Installations:
    """What modules wanted to install, and what the test pretends about it."""

    wanted: list[list[str]] = field(default_factory=list)  # the requirements of each installation
    pretend_missing: set[str] = field(default_factory=set)  # packages that `pip_check` shall not find
    failure: Exception | None = None  # what the next installations raise

    def clear(self) -> None:
        self.wanted.clear()
        self.pretend_missing.clear()
        self.failure = None


installations = Installations()


def pip_check(req) -> bool:
    """True when everything required is installed in a version that fits."""
    return all(map(_is_installed, _requirements(req)))


def pip_install(requirements, constraints=None, no_deps_requirements=None, skip_packages=None, blocking=True,
                show_progress=True, requester=None, parent=None, logCallback=None, completedCallback=None):
    """Record the wish; afterwards the packages count as installed."""
    if installations.failure is not None:
        raise installations.failure
    wanted = requirements.split() if isinstance(requirements, str) else [str(item) for item in requirements]
    installations.wanted.append(wanted)
    installations.pretend_missing -= {requirement.partition("=")[0].rstrip("<>~!") for requirement in wanted}
    if completedCallback is not None and not blocking:
        completedCallback(0)
    return None


def pip_uninstall(requirements, **_) -> None:
    raise AssertionError(f"a module must not uninstall packages: {requirements}")


def pip_ensure(requirements, constraints=None, skip_packages=None, prompt_install=True, prompt_restart=True,
               requester=None, skip_in_testing=True, show_progress=True):
    """Ask for what is missing and install it. Raises RuntimeError when the user declines."""
    missing = [str(requirement) for requirement in _requirements(requirements) if not _is_installed(requirement)]
    if not missing or (skip_in_testing and slicer.app.testingEnabled()):
        return None
    if prompt_install:
        title = f"{requester} - Install Python Packages" if requester else "Install Python Packages"
        message = f"{len(missing)} Python package(s) need to be installed. Continue?"
        if not slicer.util.confirmOkCancelDisplay(message, title, detailedText="\n".join(missing)):
            raise RuntimeError("User declined package installation")
    return pip_install(missing, constraints, requester=requester)


def _requirements(wanted) -> list[Requirement]:
    if isinstance(wanted, str):
        try:
            wanted = [Requirement(wanted)]
        except InvalidRequirement:
            wanted = wanted.split()
    return [Requirement(str(item)) for item in (wanted if isinstance(wanted, list) else [wanted])]


def _is_installed(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    if requirement.name in installations.pretend_missing:
        return False
    try:
        return importlib.metadata.version(requirement.name) in requirement.specifier
    except importlib.metadata.PackageNotFoundError:
        return False


def install() -> None:
    module = types.ModuleType("slicer.packaging")
    for function in (pip_check, pip_install, pip_uninstall, pip_ensure):
        setattr(module, function.__name__, function)
    sys.modules[module.__name__] = slicer.packaging = module
