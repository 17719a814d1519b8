"""The name of a radionuclide ('Tc-99m') from the ways that headers write it."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

_SYMBOLS = {"carbon": "C", "copper": "Cu", "fluorine": "F", "gallium": "Ga", "holmium": "Ho", "indium": "In",
            "iodine": "I", "lutetium": "Lu", "manganese": "Mn", "nitrogen": "N", "oxygen": "O", "phosphorus": "P",
            "rhenium": "Re", "rubidium": "Rb", "samarium": "Sm", "scandium": "Sc", "strontium": "Sr",
            "technetium": "Tc", "terbium": "Tb", "thallium": "Tl", "yttrium": "Y", "zirconium": "Zr",
            "actinium": "Ac", "astatine": "At", "bismuth": "Bi", "bromine": "Br", "cobalt": "Co", "iron": "Fe",
            "krypton": "Kr", "lead": "Pb", "radium": "Ra", "thorium": "Th", "xenon": "Xe"}
_BY_WORD = _SYMBOLS | {symbol.lower(): symbol for symbol in _SYMBOLS.values()}
# Radionuclides of nuclear medicine (CID 18) and of PET (CID 4020), PS3.16.
_CONTEXT_GROUPS = ("CID18", "CID4020")


def radionuclide_of(given: Dataset) -> str | None:
    """The radionuclide of an item of the Radiopharmaceutical Information Sequence; None where it names none.

    The meaning of its code counts first, then the code itself, then the name of the radiopharmaceutical.
    """
    codes = given.get("RadionuclideCodeSequence") or [Dataset()]
    agents = given.get("RadiopharmaceuticalCodeSequence") or [Dataset()]
    value, scheme = (str(codes[0].get(name) or "") for name in ("CodeValue", "CodingSchemeDesignator"))
    candidates = (codes[0].get("CodeMeaning"), _meaning_of_code(value, scheme), agents[0].get("CodeMeaning"),
                  given.get("Radiopharmaceutical"))
    return next((name for name in map(radionuclide_name, map(str, filter(None, candidates))) if name), None)


def radionuclide_name(text: str) -> str | None:
    """'F-18' from '^18^Fluorine', 'Fluorine F^18^', '18F', 'F-18' or '[18F]FDG'; None for anything else."""
    spread = re.sub(r"[\^\[\]()_/,-]", " ", text)
    for mass, word in re.findall(r"(?<![A-Za-z\d])(\d{1,3}m?)\s*([A-Za-z]+)", spread):
        # '18FDG' names fluorine too: the agent is written without a break behind its nuclide.
        symbol = _BY_WORD.get(word.lower()) or ("F" if word.upper() in ("FDG", "FET", "FCH") else None)
        if symbol:
            return f"{symbol}-{mass}"
    for word, mass in re.findall(r"(?<![A-Za-z])([A-Za-z]+)\s*(\d{1,3}m?)(?![A-Za-z\d])", spread):
        if word.lower() in _BY_WORD:
            return f"{_BY_WORD[word.lower()]}-{mass}"
    return None


def _meaning_of_code(value: str, scheme: str) -> str:
    """The meaning of a code of a radionuclide; '' for one that is not in the standard's groups."""
    from pydicom.sr import _snomed_dict
    from pydicom.sr.codedict import codes

    # SRT and SNM3 are older names of the same SNOMED-RT codes.
    plain = _snomed_dict.mapping["SRT"].get(value, "") if scheme in ("SRT", "SNM3", "99SDM") else value
    for group in _CONTEXT_GROUPS:
        collection = getattr(codes, group)
        for name in collection.dir():
            concept = getattr(collection, name)
            if plain and concept.value == plain:
                return concept.meaning
    return ""
