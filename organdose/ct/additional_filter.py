"""Filters that a scan has beside those of the scanner's definition: tin, for example."""

from __future__ import annotations

import re

from organdose.errors import InputError
from organdose.study.facts import Fact


def filter_mm(fact: Fact[str] | None, name: str) -> dict[str, float]:
    """'Sn 0.4' as {'Sn': 0.4}, empty for none. Raises `InputError` for other texts, naming the fact's key."""
    if fact is None or fact.value.strip().lower() in ("", "none"):
        return {}
    found = re.fullmatch(r"\s*([A-Za-z]+)\s+(\d+\.?\d*|\.\d+)\s*(mm)?\s*", fact.value)
    if found is None:
        raise InputError(f"{name} is {fact.value!r}, which has no material with a thickness",
                         mend=f"Give {name} as element and mm, for example 'Sn 0.4', with --protocol.")
    return {found[1]: float(found[2])}
