"""The engines that turn activity over time into dose: the registry that front doors choose from."""

from __future__ import annotations

from importlib import import_module

from organdose.errors import InputError

# One module an engine; it defines ENGINE, with `title` and `parameters` (a pydantic model) as the CT dose engines have.
_MODULES: dict[str, str] = {}


def engine_names() -> tuple[str, ...]:
    return tuple(_MODULES)


def engine(name: str):
    """The engine of that name. Raises `InputError` with the known names."""
    if name not in _MODULES:
        known = f"Known: {', '.join(_MODULES)}." if _MODULES else "This version has none."
        raise InputError(f"unknown internal dose engine {name!r}", mend=known)
    return import_module(_MODULES[name]).ENGINE
