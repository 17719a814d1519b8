"""Scanner definitions by name, from a user's file, or for a header's manufacturer and model."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import ValidationError

from organdose.ct.scanner_definition import Scanner
from organdose.errors import InputError
from organdose.resources import resource_path
from organdose.study.facts import CTAcquisition

AUTO, FALLBACK = "auto", "generic"


def scanner_names() -> list[str]:
    """Names of the scanners that ship with the project."""
    return sorted(path.stem for path in resource_path("scanners").glob("*.json"))


def load_scanner(name_or_file: str | Path) -> Scanner:
    """A shipped scanner by name, or a user's JSON file. Raises `InputError` saying which field is wrong."""
    path = Path(name_or_file)
    if path.suffix != ".json":
        if str(name_or_file) not in scanner_names():
            raise InputError(f"unknown scanner {str(name_or_file)!r}",
                             mend=f"Known: {', '.join(scanner_names())}; or give a JSON file.")
        path = resource_path("scanners", f"{name_or_file}.json")
    try:
        return Scanner.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"cannot read the scanner file ({error.strerror})", where=path,
                         mend="Check the path.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part not in ("cylinder", "table"))
        told = first["msg"].removeprefix("Value error, ")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InputError(f"scanner field {field!r}: {told}{more}", where=path, mend="Correct that field.") from error
    except ValueError as error:
        raise InputError(f"not readable as JSON ({error})", where=path, mend="Correct the file.") from error


def scanner_text(scanner: Scanner) -> str:
    """The definition as JSON, short lists and objects on one line, fields without a value left out."""
    fields = scanner.model_dump(mode="json", exclude_none=True)
    lines = []
    for key, value in fields.items():
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > 90 and isinstance(value, dict):
            inner = ",\n".join(f'  "{k}": {json.dumps(v, ensure_ascii=False)}' for k, v in value.items())
            text = f"{{\n{inner}\n }}"
        elif len(text) > 90 and isinstance(value, list):
            text = "[\n" + ",\n".join(f"  {json.dumps(v, ensure_ascii=False)}" for v in value) + "\n ]"
        lines.append(f' "{key}": {text}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def scanner_for(name_or_file: str, facts: CTAcquisition) -> tuple[Scanner, tuple[str, ...]]:
    """The scanner to simulate, and what the report has to say about the choice.

    'auto': the definition for the header's manufacturer and model, else the generic one. Raises `InputError` as
    `load_scanner` does.
    """
    if name_or_file != AUTO:
        scanner = load_scanner(name_or_file)
        return scanner, _told(scanner)
    manufacturer, model = (None if fact is None else fact.value for fact in (facts.manufacturer, facts.model))
    scanner = matching_scanner(manufacturer, model)
    named = " ".join(word for word in (manufacturer, model) if word)
    if scanner is None:
        why = f"No scanner definition for '{named}'" if named else "The header does not name the scanner"
        return load_scanner(FALLBACK), (f"{why}: the generic one stands for it (--scanner, organdose scanners).",)
    return scanner, (f"Scanner definition '{scanner.name}' after the header ('{named}').", *_told(scanner))


def _told(scanner: Scanner) -> tuple[str, ...]:
    """What is not certain about a definition, one line each."""
    lines = []
    unverified = [name for name, told in scanner.sources.items() if told.status == "unverified"]
    if unverified:
        lines.append(f"Not verified in scanner definition '{scanner.name}': {', '.join(unverified)}.")
    if scanner.heel_effect:
        lines.append(f"Heel effect of an anode of {abs(scanner.anode_angle_deg):g} degrees that lies towards "
                     f"{'-z' if scanner.anode_angle_deg > 0 else '+z'}; which side it is on is not known.")
    return tuple(lines)


def matching_scanner(manufacturer: str | None, model: str | None) -> Scanner | None:
    """The shipped scanner of a header's manufacturer and model (None or empty where the header lacks it); None where no
    definition fits. The longest pattern wins, so that a narrower definition goes before a wider one."""
    if not model:
        return None
    best, length = None, -1
    for name in scanner_names():
        scanner = load_scanner(name)
        makers = [word.strip().casefold() for word in scanner.manufacturer.split("/") if word.strip()]
        if manufacturer and not any(word in manufacturer.casefold() for word in makers):
            continue
        for pattern in scanner.models:
            if len(pattern) > length and fnmatchcase(model.strip().casefold(), pattern.casefold()):
                best, length = scanner, len(pattern)
    return best
