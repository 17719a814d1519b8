"""The run's record as the report shows it: named values with units, and nothing that could name a patient.

Clinics name folders and files after patients, so the report shows no path and no file name; the hashes of the inputs
identify them. The full record stays in run.json.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

NO_VALUE = "–"
_UNITS = {"kv": "kV", "kev": "keV", "ma": "mA", "mas": "mAs", "s": "s", "mm": "mm", "cm": "cm", "mgy": "mGy",
          "percent": "%", "ml": "ml", "g": "g", "mib": "MiB", "gib": "GiB"}
_PAIRS = {("mgy", "cm"): "mGy·cm", ("mgy", "mm"): "mGy·mm", ("g", "cm3"): "g/cm³"}
_SPELLED = {"dlp": "DLP", "ctdivol": "CTDIvol", "ctdi": "CTDI", "sha256": "SHA-256", "cpu": "CPU", "gpu": "GPU",
            "ct": "CT", "kev": "keV", "organdose": "OrganDose", "utc": "UTC"}
_MOST_ENTRIES = 8  # longer lists (the files of a series) are counted, not printed
# Keys whose texts name files or folders: in records in general, and the parameters of our jobs.
_NAMES_A_FILE = {"path", "file", "files", "filename", "folder", "directory", "out", "output", "ct", "pet",
                 "segmentation", "protocol", "test", "reference", "hu_curve"}
_HOLDS_FILES = {"inputs", "outputs", "input", "files"}
_PATH = r"(?:~|\.{0,2}[/\\]|[A-Za-z]:[/\\])"
_SUFFIX = re.compile(r"(\.seg)?\.(nrrd|nii|gz|nii\.gz|json|dcm|csv|html|mrb|mha|zip)$", re.IGNORECASE)


def named_values(values: Mapping[str, object], parents: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(name, text) of every value; nested values bear the names of their parents before their own."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        names = (*parents, _public_key(str(key), parents))
        entries = _entries(value)
        if entries is None:
            rows.append(_named_value(names, value))
        elif len(entries) > _MOST_ENTRIES and (entries is not value or str(key).lower() in _HOLDS_FILES):
            rows.append(_named_value(names, f"{len(entries)} entries, listed in run.json"))
        else:
            rows += named_values(entries, names)
    return rows


def without_paths(values: Mapping[str, object]) -> dict[str, object]:
    """The record without the keys that hold names of files and folders, for scenes, which are handed on."""
    return {key: without_paths(value) if isinstance(value, Mapping) else value for key, value in values.items()
            if isinstance(value, Mapping) or str(key).lower() not in _NAMES_A_FILE}


def _entries(value: object) -> Mapping[str, object] | None:
    """What is nested in a value, by name or number; None where it is a plain value."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(entry, Mapping) for entry in value):
        return {str(number): entry for number, entry in enumerate(value, start=1)}
    return None


def public_command(command: str | Sequence[str]) -> str:
    """A command line in which whatever may be a path is replaced by its kind; options and plain values stay."""
    words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    return " ".join([Path(word).name if at == 0 else _public_word(word) for at, word in enumerate(words)])


def public_text(text: str) -> str:
    """`text` with absolute and dotted paths replaced by '[path]', a file by its kind, a DICOM UID by '[UID]'."""
    if re.fullmatch(r"[0-9.]{16,}", text):
        return "[UID]"
    if re.match(_PATH, text) or (" " not in text and _SUFFIX.search(text)):
        return _kind_of_file(text)
    return re.sub(rf"(?<=[\s=:'\"(]){_PATH}[^\s'\")]+", "[path]", text)


def _public_key(key: str, parents: tuple[str, ...]) -> str:
    holds_files = bool(parents) and parents[-1].lower() in _HOLDS_FILES
    looks_like_file = "/" in key or "\\" in key or bool(_SUFFIX.search(key))
    return _kind_of_file(key) if looks_like_file or (holds_files and "." in key) else key


def _named_value(names: tuple[str, ...], value: object) -> tuple[str, str]:
    last = names[-1]
    words, unit = last.split("_"), ""
    if isinstance(value, (int, float, list, tuple)) and not isinstance(value, bool):
        words, unit = _split_unit(words)
    title = " › ".join([*(_title(name.split("_")) for name in names[:-1]), _title(words)])
    if last == "command":
        text = public_command(value)
    elif last.lower() in _NAMES_A_FILE and isinstance(value, (str, list, tuple)):
        text = ", ".join(_kind_of_file(str(path)) for path in ([value] if isinstance(value, str) else value))
    else:
        text = _text(value)
    return title[:1].upper() + title[1:], f"{text} {unit}".strip()


def _split_unit(words: list[str]) -> tuple[list[str], str]:
    """Words of a name without the unit at their end, and the unit as it is written."""
    if len(words) > 2 and tuple(words[-2:]) in _PAIRS:
        return words[:-2], _PAIRS[tuple(words[-2:])]
    if len(words) > 1 and words[-1] in _UNITS:
        return words[:-1], _UNITS[words[-1]]
    return words, ""


def _title(words: list[str]) -> str:
    return " ".join(_SPELLED.get(word, word) for word in words)


def _text(value: object) -> str:
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(entry) for entry in value) or NO_VALUE
    return public_text(str(value))


def _public_word(word: str) -> str:
    option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    if option and not equals:
        return option
    plain = re.fullmatch(r"[\w.,:+-]+", value) and not _SUFFIX.search(value) and not Path(value).exists()
    return f"{option}{equals}{value if plain else _kind_of_file(value)}"


def _kind_of_file(path: str) -> str:
    suffix = _SUFFIX.search(path)
    return f"[file{suffix[0].lower()}]" if suffix else "[path]"
