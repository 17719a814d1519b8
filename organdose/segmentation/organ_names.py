"""Other people's names for organs -> the vocabulary."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from organdose.anatomy.organs import describe, is_known, organs
from organdose.resources import resource_path

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# "Tissue" (Slicer gives it to every new segment) and "Body Substance" say nothing about the organ.
_VAGUE_CODES = {"85756007", "91720002"}
_NUMBERED = {"tumour", "lesion"}
_NO_SIDES = {"names": ()}


def vocabulary_name(label: str = "", code: str = "", laterality: str = "", identifier: str = "") -> str | None:
    """The organ that a mask's label, SNOMED CT code (with 'left', 'right' or '') or identifier means, or None.

    The label leads, because people rename masks by it; but a code that is more exact than the label (label 'Kidney',
    code kidney with laterality left) wins.
    """
    by_label, by_code = name_of_label(label), _names_by_code().get((code, laterality))
    if by_label and by_code and by_code in _parts(by_label):
        return by_code
    return by_label or by_code or name_of_label(identifier)


def name_of_label(label: str) -> str | None:
    """The organ that a label means ('Kidney_L', 'linke Niere', 'GTV 2'), or None."""
    if is_known(label):
        return label
    words = _words(label)
    if found := _names_by_words().get(" ".join(words)):
        return found
    if words and words[-1].isdigit():
        base = _names_by_words().get(" ".join(words[:-1]))
        if base in _NUMBERED:
            return f"{base}_{int(words[-1])}"
    return _sided_name(words) or next((name for name, first in _table()["first_words"].items() if words[:1] and
                                       words[0] in first), None)


def matching(query: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that a reader who types `query` may mean: each of its words begins a word of what the organ is
    called (name, title, synonyms, side, system). All of them for an empty query."""
    wanted = _words(query, split_camel=False)
    return [name for name in names if all(any(each.startswith(word) for each in _called(name)) for word in wanted)]


@cache
def _called(name: str) -> frozenset[str]:
    """All words by which an organ may be looked for."""
    known, table = describe(name), _table()
    base = name.removesuffix(f"_{known.laterality}")
    texts = [name, known.title, known.system, *table["organs"].get(name, ()),
             *table["sided"].get(base, _NO_SIDES)["names"]]
    texts += [text for entry in table["sided"].values() if entry["both"] == name for text in entry["names"]]
    texts += [side for side in table["side_words"].get(known.laterality, ()) if len(side) > 1]
    return frozenset(word for text in texts for word in _words(text))


def own_name(label: str) -> str:
    """A file-safe name for a mask that the vocabulary does not know: 'PTV 60 Gy' -> 'ptv_60_gy'."""
    return "_".join(_words(label, split_camel=False)) or "unnamed"


def _sided_name(words: list[str]) -> str | None:
    """The organ of words with a side: the side may stand first, last or in between ('upper lobe of left lung')."""
    sides = [(index, side) for index, word in enumerate(words) if (side := _side_words().get(word))]
    for index, side in sides:
        rest = " ".join(words[:index] + words[index + 1:])
        if found := _sided_names().get((rest, side)):
            return found
    return None


def _words(label: str, *, split_camel: bool = True) -> list[str]:
    """Lower-case words without accents: 'Kidney_L' -> ['kidney', 'l']; 'of the' is dropped."""
    text = _CAMEL.sub(" ", label) if split_camel else label
    text = unicodedata.normalize("NFKD", text.lower().translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return [word for word in re.findall(r"[a-z]+|\d+", text) if word not in ("of", "the")]


def _parts(name: str) -> set[str]:
    """All organs that are part of `name`, itself included."""
    found = {name}
    for member in organs()[name].members if name in organs() else ():
        found |= _parts(member)
    return found


@cache
def _table() -> dict:
    return json.loads(resource_path("organ_synonyms.json").read_text(encoding="utf-8"))


@cache
def _side_words() -> dict[str, str]:
    return {word: side for side, words in _table()["side_words"].items() for word in words}


@cache
def _names_by_words() -> dict[str, str]:
    """Normalised label -> organ: names and titles of the vocabulary, synonyms, sided organs without their side."""
    found: dict[str, str] = {}
    for base, entry in _table()["sided"].items():
        if entry["both"]:
            found |= {" ".join(_words(text)): entry["both"] for text in (base, *entry["names"])}
    for name, synonyms in _table()["organs"].items():
        found |= {" ".join(_words(text)): name for text in synonyms}
    for name, organ in organs().items():
        found |= {" ".join(_words(text)): name for text in (organ.title, name)}
    return found


@cache
def _sided_names() -> dict[tuple[str, str], str]:
    """(normalised label without its side, side) -> organ: ('niere', 'left') -> 'kidney_left', ('rib 3', 'left') ..."""
    found: dict[tuple[str, str], str] = {}
    for name, organ in organs().items():
        for text in (name, organ.title):
            words = _words(text)
            if organ.laterality in words:
                found[" ".join(w for w in words if w != organ.laterality), organ.laterality] = name
    for base, entry in _table()["sided"].items():
        for side in ("left", "right"):
            if f"{base}_{side}" in organs():
                found |= {(" ".join(_words(text)), side): f"{base}_{side}" for text in entry["names"]}
    return found


@cache
def _names_by_code() -> dict[tuple[str, str], str]:
    return {(organ.snomed_code, organ.laterality): name for name, organ in organs().items()
            if organ.snomed_code and organ.snomed_code not in _VAGUE_CODES}
