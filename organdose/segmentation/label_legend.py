"""What the numbers of a label map mean: labels.json beside it."""

from __future__ import annotations

import json
from pathlib import Path

from organdose.errors import InputError
from organdose.segmentation.mask_collection import MaskLabel

_NAME_KEYS = ("name", "label", "organ", "structure")
_NUMBER_KEYS = ("value", "id", "index", "labelID", "label_value")


def find_legend(label_map: Path) -> Path | None:
    """`<name>.json` or `labels.json` beside the label map, or nnU-Net's `dataset.json`; None when there is none."""
    stem = label_map.name.split(".")[0]
    for candidate in (f"{stem}.json", "labels.json", "dataset.json"):
        path = label_map.parent / candidate
        if path.is_file():
            return path
    return None


def read_legend(path: Path) -> dict[int, MaskLabel]:
    """Label value -> its name, from any of {"1": "liver"}, {"liver": 1}, {"1": {"name": "liver"}}, a list of
    {"value": 1, "name": "liver"}, or one of these under "labels". Background (0) is dropped.

    Raises `InputError` when the file is not JSON or holds none of these.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("the file with the names of the labels cannot be read", where=path,
                         mend="Check its path and permissions.") from error
    except ValueError as error:
        raise InputError(f"the file with the names of the labels is not valid JSON ({error})", where=path,
                         mend='Write it as {"1": "liver", "2": "spleen"}.') from error
    if isinstance(content, dict) and "labels" in content:
        content = content["labels"]
    pairs = [_pair(*item) for item in _items(content)]
    legend = {number: MaskLabel(name) for number, name in filter(None, pairs) if number != 0}
    if not legend or None in pairs:
        raise InputError("this does not say which label is which organ", where=path,
                         mend='Write it as {"1": "liver", "2": "spleen"}.')
    return legend


def _items(content: object) -> list[tuple[object, object]]:
    if isinstance(content, dict):
        return list(content.items())
    if isinstance(content, list):
        return [(_first(entry, _NUMBER_KEYS), entry) for entry in content if isinstance(entry, dict)]
    return []


def _pair(key: object, value: object) -> tuple[int, str] | None:
    """(number, name) of one entry, whichever of the two is the key; None when it is neither."""
    if isinstance(value, dict):
        value = _first(value, _NAME_KEYS)
    for number, name in ((key, value), (value, key)):
        try:
            if isinstance(name, str) and not name.strip().isdigit() and not isinstance(number, bool | float):
                return int(number), name.strip() or f"label_{int(number)}"
        except (TypeError, ValueError):
            continue
    return None


def _first(entry: dict, keys: tuple[str, ...]) -> object:
    return next((entry[key] for key in keys if key in entry), None)
