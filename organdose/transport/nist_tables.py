"""NIST's figures of the elements that xraylib does not have: see Resources/electrons/generate_nist_tables.py."""

from __future__ import annotations

import json
from functools import cache

from organdose.resources import resource_path


@cache
def nist_tables() -> dict:
    """Mean excitation energies (eV), radiative stopping powers (MeV cm2/g), pair production (barn) by atomic number."""
    return json.loads(resource_path("electrons", "nist_tables.json").read_text(encoding="utf-8"))
