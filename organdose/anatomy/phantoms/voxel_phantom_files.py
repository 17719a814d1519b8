"""Voxel phantoms from files: this project's JSON table beside a label map, or the text tables of ICRP Publication 110.

The format is described in docs/organ-level-mird.md.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.phantoms.voxel_phantom import OUTSIDE, LabelledPhantom, PhantomLabel, PhantomMedium
from organdose.anatomy.phantoms.voxel_phantom_regions import content_labels, is_outside, named_regions
from organdose.errors import InputError

_FORMAT = "docs/organ-level-mird.md describes the files of a voxel phantom."
_IMAGES = ("*.nii.gz", "*.nii", "*.nrrd", "*.mha", "*.mhd")
# ICRP 110 labels what its list leaves out: an additional layer of skin at both ends, which is not in the masses.
_EXTRA_SKIN, _EXTRA_SKIN_NAME = 141, "Skin at top and bottom"
_AIR = PhantomMedium({"N": 0.7557, "O": 0.2315, "Ar": 0.0128})
_AIR_G_CM3 = 0.0012


def read_voxel_phantom(path: Path) -> LabelledPhantom:
    """A phantom from a JSON table, or from a folder with the tables of ICRP 110 (`*_organs.dat`, `*_media.dat`, and
    `*_spongiosa.dat` for the marrow) and a label map. Raises `InputError` in one line for what does not fit."""
    path = Path(path)
    if path.is_dir():
        return _icrp110(path)
    if path.suffix.lower() != ".json":
        raise InputError("no voxel phantom", where=path, mend=f"Give its JSON table or its folder. {_FORMAT}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        media = {name: _medium(name, entry, path) for name, entry in data["media"].items()}
        rows = data["organs"]
        if isinstance(rows, str):
            with (path.parent / rows).open(encoding="utf-8", newline="") as table:
                rows = list(csv.DictReader(table))
        entries: dict[int, PhantomLabel] = {}
        for row in rows:
            if int(row["id"]) in entries:
                raise InputError(f"two organs have the id {row['id']}", where=path, mend="Give each its own.")
            entries[int(row["id"])] = PhantomLabel(row["name"], row["medium"], float(row["density_g_cm3"]))
        labels, title, sex = path.parent / data["labels"], data.get("title", path.stem), data.get("sex", "")
        outside = frozenset(int(label) for label in data.get("outside", [0]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not a readable phantom ({type(error).__name__}: {error})", where=path, mend=_FORMAT
                         ) from error
    return labelled_phantom(title, sex, *_label_map(labels), entries, media, outside, where=path)


def labelled_phantom(title: str, sex: str, labels: np.ndarray, spacing_mm: tuple[float, float, float],
                     entries: Mapping[int, PhantomLabel], media: Mapping[str, PhantomMedium],
                     outside: frozenset[int], *, notes: tuple[str, ...] = (), where: object = None) -> LabelledPhantom:
    """The phantom with its regions. Raises `InputError` for labels without an entry, entries without a medium, and
    densities that are none."""
    entries, media = dict(entries), dict(media)
    if 0 in outside and 0 not in entries:
        media.setdefault(OUTSIDE, _AIR)
        entries[0] = PhantomLabel(OUTSIDE, OUTSIDE, _AIR_G_CM3)
    for label, entry in entries.items():
        if entry.medium not in media:
            raise InputError(f"{entry.name} ({label}) is of the unknown medium {entry.medium!r}", where=where,
                             mend=_FORMAT)
        if not 0 < entry.density_g_cm3 < 30:
            raise InputError(f"{entry.name} ({label}) has a density of {entry.density_g_cm3:g} g/cm3", where=where,
                             mend="Correct it.")
    found = set(np.flatnonzero(np.bincount(labels.ravel())).tolist())
    if unknown := sorted(found - set(entries)):
        raise InputError(f"the label map has the values {unknown[:5]}, which the table does not have", where=where,
                         mend="Add them to the organs.")
    if not found - outside:
        raise InputError("nothing in the label map belongs to the body", where=where, mend=_FORMAT)
    return LabelledPhantom(title, sex, labels, spacing_mm, entries, media, named_regions(entries, media, outside),
                           content_labels(entries), outside, notes)


def _medium(name: str, entry: Mapping, path: Path) -> PhantomMedium:
    weights = {symbol: float(value) for symbol, value in entry["weight_percent"].items()}
    if not weights or min(weights.values()) < 0 or abs(sum(weights.values()) - 100) > 2:
        raise InputError(f"weights of the medium {name!r} do not add up to 100 %", where=path, mend="Correct them.")
    marrow = float(entry.get("red_marrow_fraction", 0.0))
    if not 0 <= marrow <= 1:
        raise InputError(f"the medium {name!r} has a red_marrow_fraction of {marrow:g}", where=path,
                         mend="It lies between 0 and 1.")
    return PhantomMedium(weights, marrow)


def _label_map(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError("the label map cannot be read", where=path, mend="Give NIfTI or NRRD.") from error
    labels = sitk.GetArrayFromImage(image)
    if labels.ndim != 3 or labels.min() < 0 or labels.max() > 65535 or np.any(labels != np.rint(labels)):
        raise InputError("a label map is three-dimensional and has whole numbers from 0 to 65535", where=path,
                         mend="Give another file.")
    return labels.astype(np.uint16), tuple(float(s) for s in image.GetSpacing())


def _icrp110(folder: Path) -> LabelledPhantom:
    organ_lines, medium_lines = (_lines(_only(folder, f"*_{kind}.dat")) for kind in ("organs", "media"))
    entries = {int(row[1]): PhantomLabel(row[2].strip(), row[3], float(row[4])) for line in organ_lines
               if (row := re.fullmatch(r"\s*(\d+)\s+(.*?)\s+(\d+)\s+(\d+\.\d+)\s*", line))}
    spongiosa = next(iter(sorted(folder.glob("*_spongiosa.dat"))), None)
    marrow = {row[0]: float(row[1]) for line in (_lines(spongiosa) if spongiosa else ())
              if (row := line.split()) and row[0].isdigit()}
    media = _icrp110_media(medium_lines, marrow)
    if not entries or not media:
        raise InputError("the tables of ICRP 110 have no rows that can be read", where=folder, mend=_FORMAT)
    labels, spacing_mm = _label_map(_map_of(folder))
    notes = [] if marrow else ["no *_spongiosa.dat: no dose to red marrow"]
    skin = next((entry for entry in entries.values() if entry.name.lower().startswith("skin,")), None)
    if _EXTRA_SKIN in labels and _EXTRA_SKIN not in entries and skin:
        entries[_EXTRA_SKIN] = PhantomLabel(_EXTRA_SKIN_NAME, skin.medium, skin.density_g_cm3)
    outside = frozenset({0, *(label for label, entry in entries.items() if is_outside(entry.name))})
    air = next((entry for entry in entries.values() if entry.name.lower().startswith("air")), None)
    if air and 0 not in entries:
        entries[0] = PhantomLabel(OUTSIDE, air.medium, air.density_g_cm3)
    sex = "M" if any(entry.name == "Prostate" and entry_id in labels for entry_id, entry in entries.items()) else "F"
    title = f"ICRP 110 adult {'male' if sex == 'M' else 'female'}"
    return labelled_phantom(title, sex, labels, spacing_mm, entries, media, outside, notes=tuple(notes), where=folder)


def _icrp110_media(lines: list[str], marrow: Mapping[str, float]) -> dict[str, PhantomMedium]:
    """The first line of whole numbers has the atomic numbers of the columns."""
    from_z: list[str] = []
    media = {}
    for line in lines:
        words = line.split()
        numbers = re.findall(r"\d+\.\d+", line)
        if not from_z and words and all(word.isdigit() for word in words):
            from_z = [_SYMBOL_OF_Z.get(int(word), "") for word in words]
        elif from_z and words and words[0].isdigit() and len(numbers) >= len(from_z):
            weights = [float(number) for number in numbers[-len(from_z):]]
            media[words[0]] = PhantomMedium({symbol: weight for symbol, weight in zip(from_z, weights) if weight > 0},
                                            marrow.get(words[0], 0.0))
    return media


_SYMBOL_OF_Z = {1: "H", 6: "C", 7: "N", 8: "O", 11: "Na", 12: "Mg", 15: "P", 16: "S", 17: "Cl", 18: "Ar", 19: "K",
                20: "Ca", 26: "Fe", 53: "I"}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise InputError(f"{len(found)} files are called {pattern}, one is wanted", where=folder, mend=_FORMAT)
    return found[0]


def _map_of(folder: Path) -> Path:
    """The label map: the only image, or the one called labels."""
    images = [path for pattern in _IMAGES for path in sorted(folder.glob(pattern))]
    named = [path for path in images if path.name.lower().startswith("labels")]
    if len(named or images) != 1:
        raise InputError(f"{len(images)} images are there, none of which is clearly the label map", where=folder,
                         mend="Name it labels.nii.gz or labels.nrrd.")
    return (named or images)[0]
